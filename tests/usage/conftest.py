from collections.abc import Callable

import pytest

from tests.factories import Company, make_company


@pytest.fixture
def make_tokyo(db: None) -> Callable[[], Company]:
    """Return a maker of a company that lives in Tokyo (UTC+9)."""
    return lambda: make_company("Tokyo", owner="Aiko", agent="Botan", finance="Fumi", timezone="Asia/Tokyo")
