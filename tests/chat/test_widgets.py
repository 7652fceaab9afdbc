"""Widgets: kept by their company, shown to its visitors."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from accounts.presence import services as presence
from accounts.tenancy import system_access, tenant_scope
from chat import selectors, services, standing
from chat.embedding import read_embed_token
from chat.models import Conversation, Visitor, Widget
from chat.services.conversations import Page, VisitorFacts
from common.errors import NotFound
from tests import factories
from tests.chat.conftest import start_chat, widget_of
from tests.conftest import ApiClient

WIDGETS = "/v1/chat/widgets"
FIELD = {"key": "topic", "label": "About?", "type": "select", "required": True, "options": ["Order", "Bike"]}


@pytest.fixture
def client(acme: factories.Company) -> ApiClient:
    allow(acme, 10)
    return ApiClient(acme.api_key)


def allow(company: factories.Company, widgets: int | None) -> None:
    with system_access("test"):
        limits = {**Tenant.objects.get(pk=company.tenant.pk).limits, "widgets": widgets}
        Tenant.objects.filter(pk=company.tenant.pk).update(limits=limits)


def change(client: ApiClient, key: str, body: dict[str, Any]) -> Any:
    return client.patch(f"{WIDGETS}/{key}", body, content_type="application/json")


def make(client: ApiClient, **body: Any) -> dict[str, Any]:
    answer = client.post(WIDGETS, {"name": "Shop", **body})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


class TestKeeping:
    def test_a_new_widget_has_the_usual_look(self, client: ApiClient) -> None:
        made = make(client)
        secret = made.pop("identity_secret")
        assert len(bytes.fromhex(secret)) == 32
        assert made == {
            "id": made["id"],
            "name": "Shop",
            "primary_color": "#667eea",
            "widget_position": "bottom-right",
            "greeting_message": "Hello! How can we help you?",
            "offline_message": "We are away just now. Leave a message and we will answer.",
            "placeholder_text": "Type your message…",
            "show_agent_avatars": True,
            "auto_open": False,
            "auto_open_delay": 5,
            "show_launcher": True,
            "allow_file_upload": True,
            "max_file_size_mb": 10,
            "require_email": False,
            "is_active": True,
            "domains_whitelist": [],
            "business_hours": {},
            "pre_chat_fields": [],
            "routing": "least_busy",
            "answer_seconds": 60,
            "abandon_minutes": 15,
            "idle_close_minutes": 60,
            "created_at": made["created_at"],
        }
        assert client.get(f"{WIDGETS}/{made['id']}").json() == {**made, "identity_secret": secret}

    def test_every_setting_is_stored(self, client: ApiClient) -> None:
        key = make(client)["id"]
        wanted = {
            "name": "Laden",
            "primary_color": "#0F766E",
            "widget_position": "top-left",
            "greeting_message": "",
            "offline_message": "Später",
            "placeholder_text": "…",
            "show_agent_avatars": False,
            "auto_open": True,
            "auto_open_delay": 0,
            "show_launcher": False,
            "allow_file_upload": False,
            "max_file_size_mb": 100,
            "require_email": True,
            "is_active": False,
            "domains_whitelist": ["shop.example", "*.shop.example", "localhost:8001"],
            "business_hours": {"mon": [["09:00", "17:00"]]},
            "pre_chat_fields": [
                FIELD,
                {"key": "note", "label": "Note", "type": "text", "required": False, "options": []},
            ],
            "routing": "manual",
            "answer_seconds": 0,
            "abandon_minutes": 1,
            "idle_close_minutes": 43_200,
        }
        answer = change(client, key, wanted)
        assert answer.status_code == 200, answer.content
        shown = client.get(f"{WIDGETS}/{key}").json()
        assert {name: shown[name] for name in wanted} == wanted

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"name": ""}, "/name"),
            ({"primary_color": "teal"}, "/primary_color"),
            ({"primary_color": "#0f766e\n"}, ""),
            ({"widget_position": "middle"}, "/widget_position"),
            ({"auto_open_delay": -1}, "/auto_open_delay"),
            ({"auto_open_delay": 3601}, "/auto_open_delay"),
            ({"max_file_size_mb": 0}, "/max_file_size_mb"),
            ({"max_file_size_mb": 101}, "/max_file_size_mb"),
            ({"is_active": "perhaps"}, "/is_active"),
            ({"routing": "random"}, "/routing"),
            ({"answer_seconds": 2**40}, "/answer_seconds"),
            ({"domains_whitelist": "shop.example"}, "/domains_whitelist"),
            ({"domains_whitelist": ["ok.example", "https://shop.example"]}, "/domains_whitelist/1"),
            ({"domains_whitelist": ["shop.example/path"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["shop.*.example"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["shop.example; script-src *"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["shop.example:0"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["shop.example:65536"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["-shop.example"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["*"]}, "/domains_whitelist/0"),
            ({"domains_whitelist": ["a.example"] * 51}, "/domains_whitelist"),
            ({"business_hours": {"mon": [["17:00", "09:00"]]}}, "/business_hours/mon/0"),
            ({"business_hours": None}, "/business_hours"),
            ({"pre_chat_fields": [{**FIELD, "key": "Topic"}]}, "/pre_chat_fields/0/key"),
            ({"pre_chat_fields": [{**FIELD, "label": ""}]}, "/pre_chat_fields/0/label"),
            ({"pre_chat_fields": [{**FIELD, "type": "date"}]}, "/pre_chat_fields/0/type"),
            ({"pre_chat_fields": [{**FIELD, "options": []}]}, "/pre_chat_fields/0/options"),
            ({"pre_chat_fields": [{**FIELD, "type": "text"}]}, "/pre_chat_fields/0/options"),
            ({"pre_chat_fields": [FIELD, FIELD]}, "/pre_chat_fields/1/key"),
            ({"pre_chat_fields": [{**FIELD, "key": f"k{n}"} for n in range(11)]}, "/pre_chat_fields"),
            ({"pre_chat_fields": [7]}, "/pre_chat_fields/0"),
        ],
    )
    def test_a_wrong_value_is_pointed_at_and_nothing_stored(
        self, client: ApiClient, acme: factories.Company, body: dict[str, Any], pointer: str
    ) -> None:
        key = widget_of(acme).widget_key
        before = client.get(f"{WIDGETS}/{key}").json()
        for answer in (change(client, key, body), client.post(WIDGETS, {"name": "Shop", **body})):
            if not pointer:
                continue  # trimmed, as every short text
            assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])
        if pointer:
            assert client.get(f"{WIDGETS}/{key}").json() == before
            assert len(client.get(WIDGETS).json()["results"]) == 1

    def test_domains_are_kept_as_browsers_name_them(self, client: ApiClient) -> None:
        made = make(client, domains_whitelist=["Shop.Example", "shop.example", " *.BÜCHER.example:8443 "])
        assert made["domains_whitelist"] == ["shop.example", "*.xn--bcher-kva.example:8443"]

    def test_are_listed_newest_first_page_by_page(self, client: ApiClient, acme: factories.Company) -> None:
        second = make(client)["id"]
        page = client.get(WIDGETS, {"limit": 1}).json()
        assert [row["id"] for row in page["results"]] == [second]
        rest = client.get(page["next"]).json()
        assert len(rest["results"]) == 1
        assert rest["next"] is None

    def test_the_same_key_makes_one_widget(self, client: ApiClient) -> None:
        answers = [client.post(WIDGETS, {"name": "Shop"}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert answers[1]["Idempotency-Replayed"] == "true"
        assert answers[0].json() == answers[1].json()
        assert len(client.get(WIDGETS).json()["results"]) == 2

    def test_a_new_identity_secret_replaces_the_old(self, client: ApiClient) -> None:
        made = make(client)
        rotated = client.post(f"{WIDGETS}/{made['id']}/identity-secret").json()
        assert rotated["identity_secret"] != made["identity_secret"]
        assert {**rotated, "identity_secret": ""} == {**made, "identity_secret": ""}

    @pytest.mark.parametrize("key", ["cw_none", "x", "%00", "cw_%27"])
    def test_an_unknown_key_is_not_found(self, client: ApiClient, key: str) -> None:
        answers = (
            client.get(f"{WIDGETS}/{key}"),
            change(client, key, {"name": "x"}),
            client.delete(f"{WIDGETS}/{key}"),
            client.post(f"{WIDGETS}/{key}/identity-secret"),
        )
        assert [answer.status_code for answer in answers] == [404] * 4


class TestDeleting:
    def test_a_widget_without_conversations_goes(self, client: ApiClient) -> None:
        key = make(client)["id"]
        assert client.delete(f"{WIDGETS}/{key}").status_code == 204
        assert client.get(f"{WIDGETS}/{key}").status_code == 404

    def test_one_with_conversations_can_only_be_deactivated(self, client: ApiClient, acme: factories.Company) -> None:
        chat = start_chat(acme)
        key = widget_of(acme).widget_key
        refused = client.delete(f"{WIDGETS}/{key}")
        assert (refused.status_code, refused.json()["code"]) == (409, "has-conversations")
        assert "is_active" in refused.json()["detail"]
        assert change(client, key, {"is_active": False}).status_code == 200
        assert Client().get(f"/v1/chat/widget/{key}").status_code == 404
        assert Client().get(f"/chat/panel/{key}").status_code == 404
        assert ApiClient(acme.api_key).post("/v1/chat/conversation/start", {"widget_key": key}).status_code == 404
        assert chat.agent.get(f"/v1/chat/conversation/{chat.conversation_id}/messages").status_code == 200


class TestThePlansLimit:
    def test_refuses_one_more_active_widget(self, client: ApiClient, acme: factories.Company) -> None:
        allow(acme, 2)
        second = make(client)["id"]
        refused = client.post(WIDGETS, {"name": "Third"})
        assert (refused.status_code, refused.json()["code"]) == (409, "limit-reached")
        assert "2 active widgets" in refused.json()["detail"]
        # An inactive one takes no place until it is to be active again.
        third = make(client, is_active=False)["id"]
        assert change(client, third, {"is_active": True}).json()["code"] == "limit-reached"
        assert change(client, second, {"is_active": False}).status_code == 200
        assert change(client, third, {"is_active": True}).status_code == 200
        assert change(client, third, {"is_active": True, "name": "Third"}).status_code == 200

    @pytest.mark.parametrize("limits", [{"widgets": None}, {}])
    def test_is_none_without_a_number(self, client: ApiClient, acme: factories.Company, limits: dict[str, Any]) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(limits=limits)
        assert [client.post(WIDGETS, {"name": "Shop"}).status_code for _ in range(3)] == [201, 201, 201]

    def test_holds_when_two_are_made_at_once(self, committed_db: None) -> None:
        company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
        allow(company, 2)
        both, statuses = threading.Barrier(4), []

        def post() -> None:
            both.wait(timeout=10)
            statuses.append(ApiClient(company.api_key).post(WIDGETS, {"name": "Shop"}).status_code)
            connection.close()

        threads = [threading.Thread(target=post) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert sorted(statuses) == [201, 409, 409, 409]
        with tenant_scope(company.tenant.pk):
            assert Widget.objects.for_tenant(company.tenant).count() == 2


class TestThePublicLook:
    def look(self, widget: Widget, **headers: str) -> Any:
        return Client().get(f"/v1/chat/widget/{widget.widget_key}", headers=headers)

    def settle(self, widget: Widget, **fields: Any) -> None:
        with tenant_scope(widget.tenant_id):
            Widget.objects.for_tenant(widget.tenant_id).filter(pk=widget.pk).update(**fields)

    def test_nobody_there_is_offline_somebody_is_not(self, acme: factories.Company) -> None:
        widget = widget_of(acme)
        body = self.look(widget).json()
        told = ("agents_online", "is_open", "is_offline", "opens_at", "reply_seconds", "pre_chat_fields")
        assert [body[name] for name in told] == [False, True, True, None, None, []]
        assert (body["allow_file_upload"], body["max_file_size_mb"]) == (True, 10)
        with tenant_scope(acme.tenant.pk):
            presence.choose_status(tenant_id=acme.tenant.pk, user_id=acme.agent.pk, status="online", now=timezone.now())
        body = self.look(widget).json()
        assert [body[name] for name in told] == [True, True, False, None, None, []]

    def test_after_hours_is_offline_whoever_is_there(self, acme: factories.Company) -> None:
        widget = widget_of(acme)
        with tenant_scope(acme.tenant.pk):
            presence.choose_status(tenant_id=acme.tenant.pk, user_id=acme.agent.pk, status="online", now=timezone.now())
        self.settle(widget, business_hours={"mon": []})
        body = self.look(widget).json()
        assert (body["agents_online"], body["is_open"], body["is_offline"], body["opens_at"]) == (
            True,
            False,
            True,
            None,
        )

    def test_tells_when_it_opens_in_utc(self, acme: factories.Company) -> None:
        widget = selectors.widget_by_key(widget_of(acme).widget_key)
        widget.business_hours = {"tue": [["09:00", "17:00"]]}
        widget.tenant.timezone = "Europe/Berlin"
        found = standing.public_look(widget, now=datetime(2026, 3, 9, 12, 0, tzinfo=UTC))
        assert (found["is_open"], found["opens_at"]) == (False, "2026-03-10T08:00:00.000000Z")

    def test_tells_how_soon_it_usually_answers(self, acme: factories.Company) -> None:
        widget, now = widget_of(acme), timezone.now()
        for seconds, days_ago in ((30, 1), (50, 2), (400, 3), (9000, 8)):
            began = now - timedelta(days=days_ago)
            with tenant_scope(acme.tenant.pk):
                Conversation.objects.create(
                    tenant=acme.tenant,
                    widget=widget,
                    visitor=Visitor.objects.create(tenant=acme.tenant),
                    created_at=began,
                    last_message_at=began,
                    first_response_at=began + timedelta(seconds=seconds),
                )
        assert self.look(widget).json()["reply_seconds"] == 50

    def test_remembers_that_for_ten_minutes(self, acme: factories.Company, valkey_client: redis.Redis) -> None:
        widget = widget_of(acme)
        self.look(widget)
        with CaptureQueriesContext(connection) as queries:
            self.look(widget)
        assert [query["sql"] for query in queries if "percentile_cont" in query["sql"]] == []
        left = valkey_client.ttl(f"chat:reply-seconds:{widget.pk.hex}")
        assert 0 < left <= 600

    def test_the_panel_is_told_the_same(self, acme: factories.Company) -> None:
        widget = widget_of(acme)
        self.settle(widget, pre_chat_fields=[FIELD])
        look = self.look(widget).json()
        page = Client().get(f"/chat/panel/{widget.widget_key}").content.decode()
        for name in ("is_open", "is_offline", "opens_at", "reply_seconds", "pre_chat_fields"):
            assert name in look
            assert f'"{name}"' in page

    @pytest.mark.parametrize(
        ("headers", "status", "origin"),
        [
            ({"Origin": "https://shop.example"}, 200, "https://shop.example"),
            ({"Origin": "https://shop.example:8443"}, 200, "https://shop.example:8443"),
            ({"Origin": "https://a.port.example:8443"}, 200, "https://a.port.example:8443"),
            ({"Origin": "https://a.port.example"}, 403, ""),
            ({"Origin": "https://evil.example"}, 403, ""),
            ({"Origin": "http://["}, 403, ""),
            ({"Origin": "null"}, 403, ""),
            ({}, 403, ""),
            # A page on our own origin sends none with its GET: the Referer tells.
            (
                {"Sec-Fetch-Site": "same-origin", "Referer": "https://shop.example/a?b=c"},
                200,
                "https://shop.example",
            ),
            ({"Sec-Fetch-Site": "same-origin", "Referer": "https://evil.example/"}, 403, ""),
            ({"Sec-Fetch-Site": "same-origin", "Referer": "http://["}, 403, ""),
            ({"Sec-Fetch-Site": "same-origin"}, 403, ""),
            ({"Sec-Fetch-Site": "cross-site", "Referer": "https://shop.example/"}, 403, ""),
            ({"Referer": "https://shop.example/"}, 403, ""),
        ],
    )
    def test_only_its_domains_may_show_it(
        self, acme: factories.Company, headers: dict[str, str], status: int, origin: str
    ) -> None:
        widget = widget_of(acme)
        self.settle(widget, domains_whitelist=["shop.example", "*.port.example:8443"])
        answer = self.look(widget, **headers)
        assert answer.status_code == status, answer.content
        if status == 200:
            assert read_embed_token(answer.json()["embed_token"]).origin == origin

    def test_asks_the_database_little(self, acme: factories.Company) -> None:
        widget = widget_of(acme)
        self.look(widget)
        with CaptureQueriesContext(connection) as queries:
            self.look(widget)
        reads = [query["sql"] for query in queries if " FROM " in query["sql"] and "set_config" not in query["sql"]]
        assert len(reads) <= 2, reads


def test_starts_nothing_at_a_widget_deleted_this_moment(acme: factories.Company, db: None) -> None:
    widget = widget_of(acme)
    with tenant_scope(acme.tenant.pk):
        Widget.objects.for_tenant(acme.tenant).filter(pk=widget.pk).delete()
        with pytest.raises(NotFound):
            services.start_conversation(
                widget=widget, visitor_id=None, facts=VisitorFacts(name="Dana"), page=Page(), now=timezone.now()
            )
        assert not Conversation.objects.for_tenant(acme.tenant).exists()
