"""Operators take back what the platform measured wrongly, and nobody else does."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.factories import PASSWORD, Company
from tests.usage.helpers import call, counts, rows

SignedIn = Callable[[Any], Any]
LIST = "/admin/usage/usagerecord/"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia")


def take_back(client: Any, *records: Any) -> Any:
    chosen = [str(record) for record in records]
    return client.post(LIST, {"action": "take_back", "_selected_action": chosen}, follow=True)


def test_an_operator_takes_back_a_call_once_and_is_named(acme: Company, operator: User, signed_in: SignedIn) -> None:
    record_id = call(acme, 61).record_id
    client = signed_in(operator)
    assert "1 taken back." in take_back(client, record_id).content.decode()
    assert "0 taken back." in take_back(client, record_id).content.decode()
    assert rows(acme, "SELECT sum(quantity), sum(total_cost), count(*) FROM usage_records") == [(0, 0, 2)]
    assert rows(
        acme, "SELECT actor_kind, actor_name, action, object_id FROM audit_entries WHERE action LIKE 'usage%'"
    ) == [("operator", "Olivia", "usage.event.voided", str(record_id))]


def test_a_refusal_is_told_and_the_others_are_taken_back(acme: Company, operator: User, signed_in: SignedIn) -> None:
    first, second = call(acme, 61).record_id, call(acme, 62).record_id
    take_back(signed_in(operator), first)
    ((reversal,),) = rows(acme, "SELECT id FROM usage_records WHERE kind = 'reversal'")
    page = take_back(signed_in(operator), reversal, second).content.decode()
    assert "This is a reversal" in page
    assert "1 taken back." in page
    assert counts(acme)[0] == 4


def test_who_may_only_look_is_offered_nothing(acme: Company, db: None, signed_in: SignedIn) -> None:
    watcher = User.objects.create_user("walt@example.com", PASSWORD, name="Walt", is_staff=True)
    take_back(signed_in(watcher), call(acme, 61).record_id)
    assert counts(acme)[0] == 1
