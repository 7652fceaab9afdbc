"""The portal's pages of widgets: all a widget has is set there, and what is wrong is said and changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.audit.models import AuditEntry
from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from chat.models import Widget
from tests.chat.conftest import start_chat, widget_of
from tests.factories import Company

PATH = "/portal/widgets/"


@pytest.fixture
def owner(acme: Company, signed_in: Callable[[Any], Client]) -> Client:
    return signed_in(acme.owner)


def form(**changes: Any) -> dict[str, Any]:
    """Return the page's form as it stands, with changes; None takes a field out, as an unticked box is."""
    usual = {
        "name": "Shop", "primary_color": "#0f766e", "widget_position": "top-left", "greeting_message": "Hi!",
        "offline_message": "Away", "placeholder_text": "Write", "show_agent_avatars": "on", "show_launcher": "on",
        "auto_open_delay": "7", "allow_file_upload": "on", "max_file_size_mb": "5", "is_active": "on",
        "routing": "manual", "answer_seconds": "30", "abandon_minutes": "10", "idle_close_minutes": "20",
        "domains": "shop.example\n*.shop.example", "hours-mon": "9:00-12:00, 13:00-17:00",
        "q-TOTAL_FORMS": "2", "q-INITIAL_FORMS": "0", "q-0-label": "What is it about?", "q-0-type": "select",
        "q-0-options": "Order, Bike", "q-0-is_required": "on", "q-1-label": "", "q-1-type": "text",
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def stored(company: Company) -> Widget:
    with tenant_scope(company.tenant.pk):
        return Widget.objects.for_tenant(company.tenant).get(pk=widget_of(company).pk)


def actions(company: Company) -> list[str]:
    with tenant_scope(company.tenant.pk):
        found = AuditEntry.objects.for_tenant(company.tenant).filter(action__startswith="widget.")
        return list(found.order_by("created_at").values_list("action", flat=True))


def test_everything_is_saved(acme: Company, owner: Client) -> None:
    where = f"{PATH}{widget_of(acme).widget_key}/"
    assert owner.post(where, form()).status_code == 302
    widget = stored(acme)
    assert (widget.name, widget.primary_color, widget.widget_position) == ("Shop", "#0f766e", "top-left")
    assert (widget.auto_open, widget.auto_open_delay, widget.require_email) == (False, 7, False)
    assert widget.domains_whitelist == ["shop.example", "*.shop.example"]
    assert widget.business_hours == {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}
    assert widget.pre_chat_fields == [
        {
            "key": "what_is_it_about", "label": "What is it about?", "type": "select", "required": True,
            "options": ["Order", "Bike"],
        }
    ]  # fmt: skip
    assert (widget.routing, widget.answer_seconds, widget.abandon_minutes) == ("manual", 30, 10)
    assert actions(acme) == ["widget.changed"]
    page = owner.get(where).content.decode()
    assert 'value="09:00-12:00, 13:00-17:00"' in page
    assert "Order, Bike" in page
    assert f"data-widget-key=&quot;{widget.widget_key}&quot;" in page


def test_saving_it_as_it_is_writes_nothing_down(acme: Company, owner: Client) -> None:
    where = f"{PATH}{widget_of(acme).widget_key}/"
    owner.post(where, form())
    owner.post(where, form(**{"q-0-key": "what_is_it_about"}))
    assert actions(acme) == ["widget.changed"]


def test_a_question_keeps_its_key_when_its_words_change(acme: Company, owner: Client) -> None:
    where = f"{PATH}{widget_of(acme).widget_key}/"
    owner.post(where, form())
    owner.post(where, form(**{"q-0-key": "what_is_it_about", "q-0-label": "Topic"}))
    assert [one["key"] for one in stored(acme).pre_chat_fields] == ["what_is_it_about"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"primary_color": "red"},
        {"max_file_size_mb": "101"},
        {"auto_open_delay": "-1"},
        {"widget_position": "middle"},
        {"domains": "https://shop.example/"},
        {"hours-mon": "nine to five"},
        {"hours-mon": "17:00-09:00"},
        {"hours-mon": "25:00-26:00"},
        {"q-0-options": ""},
        {"q-1-label": "Name", "q-1-options": "a, b"},
        {"q-1-label": "What is it about?"},
        {"q-TOTAL_FORMS": "many"},
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(acme: Company, owner: Client, changes: dict[str, str]) -> None:
    before = stored(acme).__dict__ | {"_state": None}
    answer = owner.post(f"{PATH}{widget_of(acme).widget_key}/", form(**changes))
    assert answer.status_code == 422
    assert b"field__error" in answer.content or b'role="alert"' in answer.content
    assert stored(acme).__dict__ | {"_state": None} == before
    assert actions(acme) == []


def test_one_is_added_within_the_plan_and_deleted_while_nobody_wrote(acme: Company, owner: Client) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=acme.tenant.pk).update(limits={"widgets": 2})
    added = owner.post(PATH, {"name": "Second"})
    assert added.status_code == 302
    refused = owner.post(PATH, {"name": "Third"}, follow=True)
    assert b"Your plan allows 2 active widgets" in refused.content
    assert owner.post(added["Location"], {"action": "delete"}, follow=True).redirect_chain[-1][0] == PATH
    assert actions(acme) == ["widget.created", "widget.deleted"]


def test_one_with_conversations_stays(acme: Company, owner: Client) -> None:
    start_chat(acme)
    where = f"{PATH}{widget_of(acme).widget_key}/"
    answer = owner.post(where, {"action": "delete"}, follow=True)
    assert answer.redirect_chain[-1][0] == where
    assert b"Deactivate it instead" in answer.content


def test_the_secret_is_on_a_page_of_its_own_and_made_anew(acme: Company, owner: Client) -> None:
    where = f"{PATH}{widget_of(acme).widget_key}/"
    old = stored(acme).identity_secret
    assert old.encode() not in owner.get(where).content
    page = owner.get(f"{where}secret")
    assert (old.encode() in page.content, page["Cache-Control"]) == (True, "no-store")
    owner.post(where, {"action": "rotate"})
    assert stored(acme).identity_secret != old
    assert actions(acme) == ["widget.identity_secret_rotated"]


def test_anothers_widget_is_not_there(acme: Company, globex: Company, owner: Client) -> None:
    where = f"{PATH}{widget_of(globex).widget_key}/"
    assert [owner.get(where).status_code, owner.get(f"{where}secret").status_code] == [404, 404]
    assert owner.post(where, form()).status_code == 404
    assert stored(globex).name != "Shop"
