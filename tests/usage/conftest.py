from collections.abc import Callable

import pytest

from tests.factories import Company, make_company
from tests.usage.helpers import at
from tests.usage.subscribing import choose, go_on
from usage.changes import When


@pytest.fixture
def make_tokyo(db: None) -> Callable[[], Company]:
    """Return a maker of a company that lives in Tokyo (UTC+9)."""
    return lambda: make_company("Tokyo", owner="Aiko", agent="Botan", finance="Fumi", timezone="Asia/Tokyo")


@pytest.fixture
def starter(acme: Company) -> Company:
    """Acme pays for Starter; it is 15 April, in its second month."""
    choose(acme, "starter", When.NOW)
    for now in (at(2026, 3, 11, 2), at(2026, 3, 31, 12), at(2026, 4, 1, 2)):
        go_on(acme, now)
    return acme
