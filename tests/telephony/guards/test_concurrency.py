"""Lines under fire: threads with connections of their own."""

from typing import Any

import pytest
from django.db import connections

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from telephony import services
from telephony.errors import AllLinesBusy
from telephony.models import Call
from telephony.services import CallWish
from tests.chat.test_routing_concurrency import at_once
from tests.factories import NOW, Company

THREADS, LINES = 8, 3


def test_the_last_line_is_taken_once(committed_db: None, acme_line: Company, monkeypatch: pytest.MonkeyPatch):
    pool: Any = connections.settings["default"]["OPTIONS"]["pool"]
    connections["default"].close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it
    monkeypatch.setitem(pool, "max_size", THREADS + 4)
    monkeypatch.setitem(pool, "timeout", 60)
    tenant_id = acme_line.tenant.pk
    with system_access("test"):
        Tenant.objects.filter(pk=tenant_id).update(limits={"concurrent_calls": LINES})

    def place() -> str:
        wish = CallWish(to="+15550100203", from_="+15550109999")
        try:
            with tenant_scope(tenant_id):
                return services.place_call(tenant_id=tenant_id, wish=wish, now=NOW).status
        except AllLinesBusy as refusal:
            return refusal.code

    answers = at_once([place] * THREADS)

    assert sorted(answers) == ["all-lines-busy"] * (THREADS - LINES) + ["queued"] * LINES
    with tenant_scope(tenant_id):
        assert Call.objects.for_tenant(tenant_id).count() == LINES
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined] # as above
