"""Who a tenant is on its invoices, said by itself, and checked."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEntry
from accounts.tenancy import system_access, tenant_scope
from billing.models import BillingProfile
from billing.vat import is_vat_id
from tests.billing.helpers import buy_from
from tests.factories import Company

PATH = "/v1/billing/profile"
GERMAN = {
    "country": "DE",
    "legal_name": "Acme GmbH",
    "address": "Hafenstraße 12",
    "postal_code": "20457",
    "city": "Hamburg",
    "tax_id": "DE 136 695 976",
    "reference": "PO-77",
    "language": "de",
    "billing_email": "rechnung@acme.example",
}


@pytest.fixture
def client(api: Callable[[str | None], Any], acme: Company) -> Any:
    return api(acme.api_key)


def put(client: Any, body: dict[str, Any]) -> Any:
    return client.put(PATH, body, content_type="application/json")


def test_begins_with_the_tenant_s_name(client: Any) -> None:
    body = client.get(PATH).json()
    assert (body["legal_name"], body["country"], body["treatment"]) == ("Acme", None, "automatic")
    with system_access("test"):
        assert not BillingProfile.unscoped.exists()


def test_is_replaced_as_a_whole(client: Any) -> None:
    answer = put(client, GERMAN)
    assert answer.status_code == 200, answer.content
    assert client.get(PATH).json() == {
        **GERMAN, "tax_id": "DE136695976", "treatment": "automatic", "exemption_reason": "",
    }  # fmt: skip
    put(client, {"country": "IE"})
    body = client.get(PATH).json()
    assert (body["country"], body["tax_id"], body["city"], body["billing_email"]) == ("IE", "", "", "")


def test_what_changed_stands_in_the_audit_log(client: Any, acme: Company) -> None:
    for _ in range(2):
        put(client, GERMAN)
    put(client, {**GERMAN, "city": "Kiel", "billing_email": "x@acme.example"})
    with tenant_scope(acme.tenant.pk):
        entries = AuditEntry.objects.for_tenant(acme.tenant).filter(action="billing_profile.changed")
        first, second = entries.order_by("created_at").values_list("changes", flat=True)
    assert (first["tax_id"], first["country"]) == ("DE136695976", "DE")
    assert second == {"city": "Kiel", "billing_email": "x@acme.example"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "XX"}, "/country"),
        ({"country": "Germany"}, "/country"),
        ({"country": None}, "/country"),
        ({"tax_id": "DE136695977"}, "/tax_id"),
        ({"tax_id": "IE1234567FA"}, "/tax_id"),
        ({"language": "tlh"}, "/language"),
        ({"billing_email": "nobody"}, "/billing_email"),
    ],
)
def test_refuses_what_cannot_be(client: Any, change: dict[str, Any], pointer: str) -> None:
    answer = put(client, {**GERMAN, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    with system_access("test"):
        assert not BillingProfile.unscoped.exists()


def test_leaves_alone_what_operators_decided(client: Any, acme: Company) -> None:
    buy_from(acme, "IE", treatment="exempt", exemption_reason="Embassy")
    put(client, {**GERMAN, "treatment": "automatic"})
    assert (client.get(PATH).json()["treatment"], client.get(PATH).json()["exemption_reason"]) == ("exempt", "Embassy")


def test_finance_reads_and_does_not_write(signed_in: Callable[[Any], Any], acme: Company) -> None:
    finance = signed_in(acme.finance)
    assert finance.get(PATH).status_code == 200
    assert put(finance, GERMAN).status_code == 403


def test_a_number_nobody_can_check_is_taken_as_it_is(client: Any) -> None:
    assert put(client, {"country": "US", "tax_id": "12-3456789"}).json()["tax_id"] == "12-3456789"


@pytest.mark.parametrize(
    ("text", "country", "is_one"),
    [
        ("DE136695976", "DE", True),
        ("de 136.695-976", "DE", True),
        ("136695976", "DE", False),
        ("DE136695977", "DE", False),
        ("ATU65033803", "AT", True),
        ("ATU65033803", "DE", False),
        ("EL094259216", "GR", True),
        ("GR094259216", "GR", False),
        ("CHE-107.787.577 IVA", "CH", True),
        ("GB980780684", "GB", True),
        ("DE", "DE", False),
        ("", "DE", False),
        ("12-3456789", "US", False),
    ],
)
def test_knows_vat_ids(text: str, country: str, is_one: bool) -> None:
    assert is_vat_id(text, country) is is_one
