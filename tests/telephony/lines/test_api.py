"""Numbers and trunks over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.audit.models import AuditEntry
from accounts.tenancy import tenant_scope
from telephony import services
from telephony.models import PhoneNumber, SipTrunk
from tests.conftest import ApiClient
from tests.factories import Company


@pytest.fixture
def client(acme_line: Company, api: Callable[[str | None], ApiClient]) -> ApiClient:
    return api(acme_line.api_key)


def only(client: ApiClient, path: str) -> dict[str, Any]:
    [row] = client.get(path).json()["results"]
    return dict(row)


def entries(company: Company, action: str) -> list[Any]:
    with tenant_scope(company.tenant.pk):
        return [e.changes for e in AuditEntry.objects.for_tenant(company.tenant.pk).filter(action=action)]


def test_a_number_is_shown_and_switched_off(client: ApiClient, acme: Company):
    row = only(client, "/v1/phone-numbers")
    path = f"/v1/phone-numbers/{row['id']}"
    assert (row["number"], row["is_active"]) == ("+15550109999", True)

    for _ in range(2):
        answer = client.patch(path, {"label": "Shop", "is_active": False}, content_type="application/json")
        assert answer.status_code == 200, answer.content

    assert client.get(path).json() == {**row, "label": "Shop", "is_active": False}
    call = client.post("/v1/calls", {"to": "+15550100203", "from": "+15550109999"})
    assert call.json()["code"] == "not-your-number"
    assert entries(acme, "phone_number.changed") == [{"label": ["", "Shop"], "is_active": [True, False]}]


def test_a_trunk_is_shown_and_changed(client: ApiClient, acme: Company):
    row = only(client, "/v1/sip-trunks")
    path = f"/v1/sip-trunks/{row['id']}"
    assert (row["name"], row["gateway"], row["max_concurrent"]) == ("Carrier", "carrier", None)

    assert client.patch(path, {"max_concurrent": 3, "priority": 1}, content_type="application/json").status_code == 200

    assert client.get(path).json() == {**row, "max_concurrent": 3, "priority": 1}
    assert entries(acme, "trunk.changed") == [{"priority": [10, 1], "max_concurrent": [None, 3]}]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"gateway": "somebody-elses"}, "/gateway"),
        ({"max_concurrent": 0}, "/max_concurrent"),
        ({"max_concurrent": 99999}, "/max_concurrent"),
        ({"priority": -1}, "/priority"),
        ({"name": ""}, "/name"),
    ],
)
def test_a_wrong_change_of_a_trunk_is_refused_with_a_pointer(
    client: ApiClient, acme: Company, body: dict[str, Any], pointer: str
):
    answer = client.patch(
        f"/v1/sip-trunks/{only(client, '/v1/sip-trunks')['id']}", body, content_type="application/json"
    )

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    with tenant_scope(acme.tenant.pk):
        trunk = SipTrunk.objects.for_tenant(acme.tenant.pk).get()
    assert (trunk.name, trunk.gateway, trunk.priority, trunk.max_concurrent) == ("Carrier", "carrier", 10, None)


def test_a_name_is_taken_once(client: ApiClient, acme: Company):
    with tenant_scope(acme.tenant.pk):
        second = services.create_trunk(tenant_id=acme.tenant.pk, name="Second", gateway="second")

    answer = client.patch(f"/v1/sip-trunks/trk_{second.pk.hex}", {"name": "Carrier"}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")


def test_a_number_can_not_be_changed_into_another(client: ApiClient, acme: Company):
    path = f"/v1/phone-numbers/{only(client, '/v1/phone-numbers')['id']}"

    assert client.patch(path, {"number": "+15550100000"}, content_type="application/json").status_code == 422
    with tenant_scope(acme.tenant.pk):
        assert PhoneNumber.objects.for_tenant(acme.tenant.pk).get().number == "+15550109999"
