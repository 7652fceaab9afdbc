"""Statistics, held to values computed by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Tenant, User
from accounts.tenancy import system_access, tenant_scope
from chat.models import Conversation, Visitor, Widget
from common.ids import encode
from tests import factories
from tests.chat.conftest import widget_of
from tests.conftest import ApiClient

STATS = "/v1/chat/stats"
NO_SECONDS = {"count": 0, "mean": None, "median": None, "p90": None}
NO_RATING = {"count": 0, "mean": None, "distribution": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0}}
NOTHING = {
    **dict.fromkeys(
        ("conversations", "active", "closed", "abandoned", "missed", "messages", "visitor_messages", "agent_messages"),
        0,
    ),
    "first_response_seconds": NO_SECONDS,
    "resolution_seconds": NO_SECONDS,
    "rating": NO_RATING,
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def begin(
    company: factories.Company,
    moment: str,
    *,
    widget: Widget | None = None,
    agent: User | None = None,
    answered: float | None = None,
    closed: float | None = None,
    status: str = "",
    counts: tuple[int, int] = (0, 0),
    rating: int | None = None,
) -> None:
    """Store a conversation: `answered` and `closed` in seconds after it began, `counts` of visitor's and agents' messages."""
    tenant, began = company.tenant, at(moment)
    after = [None if seconds is None else began + timedelta(seconds=seconds) for seconds in (answered, closed)]
    with tenant_scope(tenant.pk):
        Conversation.objects.create(
            tenant=tenant,
            widget=widget or widget_of(company),
            visitor=Visitor.objects.create(tenant=tenant),
            status=status or ("active" if closed is None else "closed"),
            assigned_agent=agent,
            created_at=began,
            last_message_at=began,
            first_response_at=after[0],
            closed_at=after[1],
            message_count=sum(counts),
            visitor_message_count=counts[0],
            agent_message_count=counts[1],
            rating=rating,
        )


def stats(company: factories.Company, path: str = STATS, **params: str) -> dict[str, Any]:
    answer = ApiClient(company.api_key).get(path, params)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


MARCH: dict[str, Any] = {"start_date": "2026-03-01", "end_date": "2026-03-31"}


def test_the_numbers_of_five_conversations(acme: factories.Company, globex: factories.Company) -> None:
    bob = acme.agent
    begin(acme, "2026-03-10T10:00", agent=bob, answered=10, closed=100, counts=(2, 1), rating=5)
    begin(acme, "2026-03-10T11:00", agent=bob, answered=20, closed=200, counts=(1, 3), rating=4)
    begin(acme, "2026-03-11T10:00", agent=acme.owner, answered=60.5, counts=(4, 2))
    begin(acme, "2026-03-11T12:00", closed=900, status="abandoned", counts=(1, 0))
    begin(acme, "2026-03-12T12:00", closed=50, rating=1)
    begin(acme, "2026-04-01T00:00", agent=bob, answered=1, closed=2, rating=2)
    begin(globex, "2026-03-10T10:00", answered=1, closed=2, rating=3)
    body = stats(acme, **MARCH)
    assert (body["start_date"], body["end_date"], body["timezone"]) == ("2026-03-01", "2026-03-31", "UTC")
    assert body["totals"] == {
        "conversations": 5,
        "active": 1,
        "closed": 3,
        "abandoned": 1,
        "missed": 2,
        "messages": 14,
        "visitor_messages": 8,
        "agent_messages": 6,
        # 10, 20, 60.5: mean 90.5 / 3; p90 lies 0.8 of the way from 20 to 60.5.
        "first_response_seconds": {"count": 3, "mean": "30.167", "median": "20", "p90": "52.4"},
        # 50, 100, 200: an abandoned conversation was not resolved.
        "resolution_seconds": {"count": 3, "mean": "116.667", "median": "100", "p90": "180"},
        "rating": {"count": 3, "mean": "3.33", "distribution": {"1": 1, "2": 0, "3": 0, "4": 1, "5": 1}},
    }
    days = {row["date"]: row for row in body["by_day"]}
    assert len(days) == 31
    assert {day: row["conversations"] for day, row in days.items() if row["conversations"]} == {
        "2026-03-10": 2,
        "2026-03-11": 2,
        "2026-03-12": 1,
    }
    assert days["2026-03-10"]["first_response_seconds"] == {"count": 2, "mean": "15", "median": "15", "p90": "19"}
    assert days["2026-03-10"]["rating"]["mean"] == "4.5"
    assert days["2026-03-09"] == {"date": "2026-03-09", **NOTHING}


def test_by_agent_and_by_widget_busiest_first(acme: factories.Company) -> None:
    bob, first = acme.agent, widget_of(acme)
    with tenant_scope(acme.tenant.pk):
        second = Widget.objects.create(tenant=acme.tenant, name="Second")
    begin(acme, "2026-03-10T10:00", agent=bob, answered=10, closed=100, widget=first)
    begin(acme, "2026-03-10T11:00", agent=bob, answered=30, widget=second)
    begin(acme, "2026-03-10T12:00", widget=second)
    body = stats(acme, **MARCH)
    assert [
        (row["agent"], row["conversations"], row["first_response_seconds"]["median"]) for row in body["by_agent"]
    ] == [
        ({"id": encode("us", bob.pk), "name": "Bob"}, 2, "20"),
        (None, 1, None),
    ]
    assert [(row["widget"], row["conversations"], row["closed"]) for row in body["by_widget"]] == [
        ({"id": second.widget_key, "name": "Second"}, 2, 0),
        ({"id": first.widget_key, "name": "Acme"}, 1, 1),
    ]
    assert stats(acme, **MARCH, widget=second.widget_key)["totals"]["conversations"] == 2
    assert stats(acme, **MARCH, agent=encode("us", bob.pk))["totals"]["conversations"] == 2
    both = stats(acme, **MARCH, agent=encode("us", bob.pk), widget=second.widget_key)
    assert both["totals"]["first_response_seconds"] == {"count": 1, "mean": "30", "median": "30", "p90": "30"}


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-28T22:59", "2026-03-28"),
        ("2026-03-28T23:00", "2026-03-29"),
        # Berlin's clock is put forward on 29 March: the day ends an hour earlier.
        ("2026-03-29T21:59", "2026-03-29"),
        ("2026-03-29T22:00", "2026-03-30"),
        # And back on 25 October.
        ("2026-10-24T22:00", "2026-10-25"),
        ("2026-10-25T22:59", "2026-10-25"),
        ("2026-10-25T23:00", "2026-10-26"),
    ],
)
def test_days_are_those_of_the_companys_zone(acme: factories.Company, moment: str, day: str) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=acme.tenant.pk).update(timezone="Europe/Berlin")
    begin(acme, moment)
    body = stats(acme, start_date=day, end_date=day)
    assert [(row["date"], row["conversations"]) for row in body["by_day"]] == [(day, 1)]
    assert body["totals"]["conversations"] == 1


def test_an_empty_range_is_zeros_and_nulls(acme: factories.Company) -> None:
    body = stats(acme, start_date="2026-03-01", end_date="2026-03-02")
    assert body["totals"] == NOTHING
    assert body["by_day"] == [{"date": "2026-03-01", **NOTHING}, {"date": "2026-03-02", **NOTHING}]
    assert (body["by_agent"], body["by_widget"]) == ([], [])


def test_the_same_answer_under_analytics(acme: factories.Company) -> None:
    begin(acme, "2026-03-10T10:00", answered=10, closed=100)
    assert stats(acme, "/v1/analytics/chats", **MARCH) == stats(acme, **MARCH)


def test_thirty_days_up_to_today_without_dates(acme: factories.Company) -> None:
    body = stats(acme)
    assert len(body["by_day"]) == 30
    assert body["by_day"][-1]["date"] == body["end_date"]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "/start_date"),
        ({"start_date": "2025-03-01", "end_date": "2026-03-02"}, "/start_date"),
        ({"start_date": "yesterday"}, "/start_date"),
        ({"end_date": "2026-02-30"}, "/end_date"),
        ({"end_date": "20260301"}, "/end_date"),
        ({"end_date": "9999-12-31"}, "/end_date"),
        ({"end_date": "0001-01-01"}, "/end_date"),
        ({"end_date": "2026-03-0\x00"}, "/end_date"),
    ],
)
def test_a_wrong_range_is_pointed_at(acme: factories.Company, params: dict[str, str], pointer: str) -> None:
    answer = ApiClient(acme.api_key).get(STATS, params)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


def test_a_leap_year_is_a_range(acme: factories.Company) -> None:
    assert len(stats(acme, start_date="2028-01-01", end_date="2028-12-31")["by_day"]) == 366


def test_another_companys_widget_is_not_found(acme: factories.Company, globex: factories.Company) -> None:
    client = ApiClient(acme.api_key)
    for params in ({"widget": widget_of(globex).widget_key}, {"widget": "x\x00"}, {"agent": "bob"}):
        assert client.get(STATS, params).status_code == 404
    begin(globex, "2026-03-10T10:00", agent=globex.agent)
    assert stats(acme, **MARCH, agent=encode("us", globex.agent.pk))["totals"] == NOTHING
