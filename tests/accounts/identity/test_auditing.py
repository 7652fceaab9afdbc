"""What people change about their own security is in the log of their companies, and of nobody else's."""

from typing import Any

from accounts.models import AuditEntry
from tests import factories
from tests.accounts.identity.helpers import deliver, enrol, post, sign_in, token_in
from tests.assertions import rows

NEW = "staple of many words"


def told(company: factories.Company, before: set[Any]) -> list[tuple[str, str]]:
    """Return (action, who) of what was recorded for a company since."""
    return [(e.action, e.actor_name) for e in rows(AuditEntry, tenant_id=company.tenant.pk) if e.pk not in before]


def test_each_change_is_recorded_without_secrets(acme: factories.Company, globex: factories.Company) -> None:
    before = {entry.pk for entry in rows(AuditEntry)}
    access, secret, codes = enrol(acme.owner)
    off = {"password": factories.PASSWORD, "code": codes[0]}
    assert post("/v1/auth/totp/disable", off, token=access).status_code == 204
    change = {"password": factories.PASSWORD, "new_password": NEW}
    assert post("/v1/auth/password", change, token=access).status_code == 204
    post("/v1/auth/email", {"password": NEW, "email": "alice@elsewhere.example"}, token=access)
    [link] = [message for message in deliver() if message.to == ["alice@elsewhere.example"]]
    assert post("/v1/auth/email/confirm", {"token": token_in(link)}).status_code == 204
    assert sorted(told(acme, before)) == sorted(
        (f"user.{what}", "Alice")
        for what in ("second_factor_on", "second_factor_off", "password_changed", "address_changed")
    )
    assert told(globex, before) == []
    written = str([(entry.changes, entry.object_id) for entry in rows(AuditEntry) if entry.pk not in before])
    assert "alice@elsewhere.example" in written
    assert not any(kept in written for kept in (secret, codes[0], NEW, factories.PASSWORD))


def test_a_refused_change_is_not_recorded(acme: factories.Company) -> None:
    before = {entry.pk for entry in rows(AuditEntry)}
    access = sign_in(acme.owner)["access_token"]
    assert post("/v1/auth/password", {"password": "x", "new_password": NEW}, token=access).status_code == 422
    assert told(acme, before) == []
