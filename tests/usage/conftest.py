from collections.abc import Callable

import pytest
from pytest_django import Settings

from tests.factories import Company, make_company


@pytest.fixture(autouse=True)
def fast_passwords(settings: Settings) -> None:
    """Hash the cast's passwords quickly: three slow hashes a test would take longer than all the rest."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def make_tokyo(db: None) -> Callable[[], Company]:
    """Return a maker of a company that lives in Tokyo (UTC+9)."""
    return lambda: make_company("Tokyo", owner="Aiko", agent="Botan", finance="Fumi", timezone="Asia/Tokyo")
