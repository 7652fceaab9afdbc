"""`/v1/tenant/settings`."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from accounts.company.services import change_settings, settings_of
from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from tests import factories


def change(client: Any, body: Any) -> Any:
    return client.patch("/v1/tenant/settings", body, content_type="application/json")


def test_what_is_not_named_stays(acme: factories.Company, api: Any) -> None:
    client = api(acme.api_key)
    assert client.get("/v1/tenant/settings").json() == {
        "name": "Acme", "locale": "en", "cors_origins": [], "require_mfa": False,
    }  # fmt: skip
    body = {"locale": "de", "cors_origins": ["https://a.example", "https://A.example/", "https://b.example"]}
    assert change(client, body).json() == {
        "name": "Acme",
        "locale": "de",
        "cors_origins": ["https://a.example", "https://b.example"],
        "require_mfa": False,
    }
    assert change(client, {}).json()["locale"] == "de"


def test_other_settings_are_kept(acme: factories.Company, api: Any) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=acme.tenant.pk).update(settings={"sound": "on"})
    change(api(acme.api_key), {"cors_origins": ["https://a.example"]})
    with system_access("test"):
        assert Tenant.objects.get(pk=acme.tenant.pk).settings["sound"] == "on"


def test_what_is_wrong_is_pointed_at_and_changes_nothing(acme: factories.Company, api: Any) -> None:
    answer = change(api(acme.api_key), {"name": "New", "cors_origins": ["https://a.example", "*"], "locale": "xx"})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/cors_origins/1", "/locale"}
    with tenant_scope(acme.tenant.pk):
        assert settings_of(tenant_id=acme.tenant.pk).name == "Acme"


def test_two_changes_at_once_are_both_kept(committed_db: None) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")

    def one(changes: dict[str, Any]) -> None:
        with tenant_scope(acme.tenant.pk):
            change_settings(tenant_id=acme.tenant.pk, changes=changes)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [{"require_mfa": True}, {"cors_origins": ["https://a.example"]}] * 5))
    with tenant_scope(acme.tenant.pk):
        found = settings_of(tenant_id=acme.tenant.pk)
    assert (found.require_mfa, found.cors_origins) == (True, ["https://a.example"])
