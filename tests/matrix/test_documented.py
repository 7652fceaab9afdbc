"""Every route's answers, the good ones and the refusals, are such as the OpenAPI document tells of."""

import pytest
from django.db import transaction

from tests.matrix.documented import undocumented
from tests.matrix.test_routes import ROUTES, call
from tests.matrix.world import build

CALLERS = ("owner", "key", "visitor", "anonymous", "outsider key", "suspended tenant")


@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_one_the_document_tells_of(caller: str, db: None) -> None:
    """Call each route, each call undone again."""
    world = build()
    found = []
    for route in ROUTES:
        with transaction.atomic():
            answer = call(world, route, caller)
            found += [(str(route), fault) for fault in undocumented(route.method, route.path, answer)]
            transaction.set_rollback(True)
    print(f"documented: {len(ROUTES)} routes as {caller}")
    assert found == []
