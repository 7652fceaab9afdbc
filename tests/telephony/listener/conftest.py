"""A listener that looks often, and the books beside it."""

from datetime import timedelta

import pytest

from telephony.listener import serving
from telephony.services import reconciling
from tests.factories import Company
from tests.telephony.listener.books import Books


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what a person would not wait for in a test."""
    monkeypatch.setattr(serving, "LOOK_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(serving, "SURVEY_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(reconciling, "MISSING_FOR", timedelta(seconds=0.3))


@pytest.fixture
def books(committed_db: None, acme_line: Company) -> Books:
    """Acme's calls, read and written through database threads."""
    return Books(acme_line)
