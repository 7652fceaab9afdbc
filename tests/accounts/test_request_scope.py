"""A request by a key or a visitor enters its tenant's scope once, stays in it to its end, and leaves nothing behind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.authentication import enter_by_api_key
from accounts.tenancy import system_access
from common.rowlevel import SETTING
from tests import factories
from tests.chat.conftest import start_chat
from tests.conftest import ApiClient

Api = Callable[[str | None], Any]


def standing() -> tuple[str, str]:
    """Return the connection's role and tenant as they stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('role', true), ''), coalesce(current_setting(%s, true), '')", [SETTING]
        )
        role, tenant = cursor.fetchone()
        return str(role), str(tenant)


@pytest.fixture
def company(committed_db: None) -> factories.Company:
    return factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")


def overhead(client: ApiClient, path: str, *, own: int) -> int:
    """Return how many statements a GET needs beside its own and the transaction's."""
    assert client.get(path).status_code == 200  # last used, at most once a minute
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    said = [entry["sql"] for entry in captured.captured_queries]
    assert (said[0], said[-1]) == ("BEGIN", "COMMIT")
    return len(said) - 2 - own


def test_signing_in_and_scoping_are_three_statements(company: factories.Company) -> None:
    assert overhead(ApiClient(company.api_key), "/v1/chat/labels", own=1) == 3
    assert overhead(start_chat(company).visitor, "/v1/chat/visitor", own=1) <= 3


def test_nothing_stays_behind(company: factories.Company) -> None:
    before = standing()
    for path, status in (("/v1/chat/labels", 200), ("/v1/members/mb_1", 404), ("/v1/members?limit=x", 422)):
        assert ApiClient(company.api_key).get(path).status_code == status
        assert standing() == before
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _, has_stayed = enter_by_api_key(company.api_key, now=factories.NOW)
        assert has_stayed
        assert standing() == ("none", str(company.tenant.pk))
        raise ZeroDivisionError
    assert standing() == before


def test_in_a_savepoint_what_stood_there_returns(company: factories.Company) -> None:
    with transaction.atomic(), system_access("test"):
        with transaction.atomic():
            _, has_stayed = enter_by_api_key(company.api_key, now=factories.NOW)
        assert not has_stayed
        assert standing()[0] == "irisx_system"


def test_another_tenants_rows_are_not_there(company: factories.Company) -> None:
    other = factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max")
    body = {"name": "Urgent", "color": "#ff0000"}
    assert ApiClient(company.api_key).post("/v1/chat/labels", body).status_code == 201
    for _ in range(2):
        assert len(ApiClient(company.api_key).get("/v1/chat/labels").json()["results"]) == 1
        assert ApiClient(other.api_key).get("/v1/chat/labels").json()["results"] == []
