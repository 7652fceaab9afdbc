"""The door to the audit log: who, from where, what changed, and no secret in it."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts import audit
from accounts.audit.canonical import MASK, clean_address, clean_changes, digest
from accounts.audit.models import AuditEntry
from accounts.audit.origin import OriginMiddleware
from accounts.principals import Kind, Principal
from accounts.tenancy import tenant_scope
from common import request_ids
from tests import factories
from tests.test_architecture import SOURCES, name_of


def record(company: factories.Company, **more: object) -> AuditEntry:
    values = {"action": "thing.changed", "by": audit.SYSTEM, **more}
    with tenant_scope(company.tenant.pk):
        written = audit.record(tenant_id=company.tenant.pk, **values)  # type: ignore[arg-type]
        return AuditEntry.objects.for_tenant(company.tenant).get(pk=written.pk)


class TestRecording:
    def test_says_who(self, acme: factories.Company) -> None:
        who = Principal(Kind.USER, acme.owner.pk, acme.tenant.pk, "Alice", frozenset())
        entry = record(acme, by=audit.actor_of(who), object_id="ak_1")
        assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("user", acme.owner.pk, "Alice")
        assert (entry.object_id, entry.ip_address, entry.user_agent, entry.request_id) == ("ak_1", None, "", "")

    def test_says_from_where_without_being_told(self, acme: factories.Company) -> None:
        found: list[AuditEntry] = []

        def view(request: HttpRequest) -> HttpResponse:
            audit.impersonated_by(id=acme.agent.pk, name="Olga Operator")
            found.append(record(acme))
            return HttpResponse()

        request = RequestFactory().get("/", headers={"User-Agent": "curl/8" + "x" * 300}, REMOTE_ADDR="192.0.2.7")
        with request_ids.under("req-1"):
            OriginMiddleware(view)(request)
        [entry] = found
        assert (entry.ip_address, entry.request_id, len(entry.user_agent)) == ("192.0.2.7", "req-1", 200)
        assert (entry.impersonator_id, entry.impersonator_name) == (acme.agent.pk, "Olga Operator")
        after = record(acme)
        assert (after.ip_address, after.impersonator_id, after.impersonator_name) == (None, None, "")

    def test_forgets_where_from_when_asked(self, acme: factories.Company) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            entry = record(acme, keep_origin=False, by=audit.Actor("visitor", "Visitor", None, "192.0.2.7"))
            assert (entry.ip_address, entry.user_agent, entry.request_id) == (None, "", "")
            return HttpResponse("seen")

        assert OriginMiddleware(view)(RequestFactory().get("/")).content == b"seen"  # type: ignore[attr-defined]

    def test_takes_whatever_it_is_given(self, acme: factories.Company) -> None:
        """An act is never refused because its record could not be written."""
        odd = {"nul": "a\x00b", "half": "\ud800", "long": "x" * 5000, "float": 0.1, "big": 2**70, "b": b"x",
               "set": {"b", "a"}, 7: 1}  # fmt: skip
        entry = record(acme, by=audit.Actor("user", "N\x00" * 300), object_id="o" * 90, changes=odd)
        assert entry.changes["nul"] == "ab"
        assert (len(entry.changes["long"]), len(entry.object_id)) == (2000, 60)
        assert entry.changes["set"] == ["a", "b"]
        assert (entry.changes["float"], entry.changes["big"], entry.changes["7"]) == ("0.1", str(2**70), 1)
        assert bytes(entry.digest) == digest(entry.facts)

    def test_is_undone_with_what_it_tells_of(self, acme: factories.Company) -> None:
        with pytest.raises(ZeroDivisionError), tenant_scope(acme.tenant.pk):
            from django.db import transaction

            with transaction.atomic():
                audit.record(tenant_id=acme.tenant.pk, action="thing.failed", by=audit.SYSTEM)
                raise ZeroDivisionError
        with tenant_scope(acme.tenant.pk):
            assert not AuditEntry.objects.for_tenant(acme.tenant).filter(action="thing.failed").exists()


class TestCleaning:
    @pytest.mark.parametrize(
        "changes",
        [
            {"password": "hunter2"},
            {"new_password": {"from": "hunter2", "to": "hunter2"}},
            {"totp_secret": "hunter2"},
            {"nested": [{"refresh_token": "hunter2"}]},
            {"api_key": "hunter2"},
            {"note": "use irisx_live_hunter2hunter2"},
            {"header": {"Authorization": "Bearer hunter2"}},
            {"url": "whsec_hunter2"},
        ],
    )
    def test_masks_secrets(self, changes: dict[str, object]) -> None:
        assert "hunter2" not in str(clean_changes(changes))
        assert MASK in str(clean_changes(changes))

    def test_keeps_what_is_no_secret(self) -> None:
        kept = {"widget_key": "cw_1", "name": {"from": "A", "to": "B"}, "require_password": False, "n": None}
        assert clean_changes(kept) == kept

    def test_writes_values_in_one_way(self) -> None:
        moment, id = datetime(2026, 3, 10, 12, tzinfo=UTC), UUID(int=7)
        assert clean_changes({"at": moment, "id": id, "amount": Decimal("1.50")}) == {
            "at": "2026-03-10T12:00:00.000000+00:00", "id": id.hex, "amount": "1.50",
        }  # fmt: skip

    def test_spells_addresses_in_one_way(self) -> None:
        given = ["2001:DB8::0001", "::ffff:192.0.2.1", "192.0.2.1", "fe80::1%eth0", "", None, "nonsense"]
        assert [clean_address(each) for each in given] == [
            "2001:db8::1", "192.0.2.1", "192.0.2.1", "fe80::1", None, None, None,
        ]  # fmt: skip

    def test_tells_what_changed_from_what_to_what(self) -> None:
        assert audit.changed({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None}) == {"b": {"from": 2, "to": 3}}


def test_nobody_else_writes_entries() -> None:
    writers = [
        name_of(path)
        for path in SOURCES
        if "AuditEntry(" in path.read_text() or "AuditEntry.objects.create" in path.read_text()
    ]
    assert writers == ["accounts/audit/models.py", "accounts/audit/services.py"]
