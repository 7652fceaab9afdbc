"""Who is told, and when, that somebody is there or nobody is; and typing that ends when it is said to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.tenancy import tenant_scope
from chat import events
from chat.actors import Actor
from chat.ledgers import SenderType
from chat.models import Widget
from chat.services import set_typing, tell_openings
from chat.services.signs import tell_standing, typing_now
from common.ids import decode
from tests import factories
from tests.chat.conftest import Chat, widget_of
from tests.chat.desk import set_widget, sit_down

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = {"mon": [["09:00", "17:00"]]}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    heard: list[Any] = []
    monkeypatch.setattr("chat.services.signs.publish_on_commit", heard.append)
    return heard


def frames(event: events.StandingChanged) -> list[tuple[bool, bool, list[str]]]:
    return [(f["agents_online"], f["is_offline"], f["widgets"]) for _, f in event.frames()]


def test_each_widget_hears_how_it_stands(acme: factories.Company, told: list[Any]) -> None:
    first = widget_of(acme)
    with tenant_scope(acme.tenant.pk):
        night = Widget.objects.create(tenant=acme.tenant, name="Night", business_hours={"sun": [["00:00", "00:01"]]})
    now = MONDAY + timedelta(hours=12)
    sit_down(acme, acme.agent, last_seen_at=now)
    with tenant_scope(acme.tenant.pk):
        tell_standing(tenant_id=acme.tenant.pk, now=now)
        tell_standing(tenant_id=acme.tenant.pk, now=now + timedelta(hours=1))
    assert frames(told[0]) == [(True, False, [first.widget_key]), (True, True, [night.widget_key])]
    assert frames(told[1]) == [(False, True, sorted([first.widget_key, night.widget_key]))]


@pytest.mark.parametrize(("hour", "is_told"), [(9, True), (12, False), (17, True)])
def test_hours_that_begin_or_end_are_told(
    acme: factories.Company, globex: factories.Company, told: list[Any], hour: int, is_told: bool
) -> None:
    set_widget(acme, business_hours=HOURS)
    now = MONDAY + timedelta(hours=hour)
    assert tell_openings(since=now - timedelta(seconds=15), now=now) == int(is_told)
    assert [event.tenant_id for event in told] == [acme.tenant.pk] * is_told
    assert tell_openings(since=now, now=now + timedelta(seconds=15)) == 0


def test_typing_ends_at_once_however_short_ago_it_began(chat: Chat) -> None:
    now = timezone.now()
    dana = Actor(SenderType.VISITOR, decode("vi", chat.visitor_id), "Dana")
    bob = Actor(SenderType.AGENT, chat.company.agent.pk, "Bob")
    wanted: dict[str, Any] = {"tenant_id": chat.tenant_id, "conversation_id": chat.key, "actor": dana}
    with tenant_scope(chat.tenant_id):
        set_typing(**wanted, is_typing=True, now=now)
        assert list(typing_now(tenant_id=chat.tenant_id, ids=[chat.key], but=bob, now=now)) == [chat.key]
        set_typing(**wanted, is_typing=False, now=now + timedelta(seconds=1))
        assert typing_now(tenant_id=chat.tenant_id, ids=[chat.key], but=bob, now=now + timedelta(seconds=1)) == {}
