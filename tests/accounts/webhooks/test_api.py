"""`/v1/webhooks` and `/v1/events` as an integrator sees them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from accounts.models import AuditEntry, WebhookEndpoint
from accounts.webhooks.endpoints import MOST_ENDPOINTS
from accounts.webhooks.keeping import forget_old
from common.models import IdempotencyKey
from tests.accounts.webhooks.helpers import URL, Receiver, deliveries, endpoint, happen, of, verify, work
from tests.assertions import count, rows
from tests.factories import Company

NOW = timezone.now()


@pytest.fixture
def client(api: Any, acme: Company) -> Any:
    return api(acme.api_key)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def created(client: Any, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", {"url": URL, **body})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


class TestAnEndpoint:
    def test_is_made_changed_disabled_and_deleted(self, client: Any) -> None:
        made = created(client, event_types=["call.*"], description="Desk")
        path = f"/v1/webhooks/{made['id']}"
        assert made["secret"].startswith("whsec_")
        assert "secret" not in client.get(path).json()
        changed = client.patch(path, {"event_types": [], "is_enabled": False}, content_type="application/json").json()
        assert (changed["event_types"], changed["is_enabled"], changed["disabled_reason"]) == ([], False, "by_request")
        again = client.patch(path, {"is_enabled": True}, content_type="application/json").json()
        assert (again["is_enabled"], again["disabled_reason"], again["disabled_at"]) == (True, None, None)
        assert [row["id"] for row in client.get("/v1/webhooks").json()["results"]] == [made["id"]]
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404
        assert [entry.action for entry in rows(AuditEntry) if entry.action.startswith("webhook.")] == [
            "webhook.created", "webhook.changed", "webhook.changed", "webhook.deleted",
        ]  # fmt: skip

    def test_keeps_its_secret_nowhere_readable(self, client: Any) -> None:
        answer = client.post("/v1/webhooks", {"url": URL}, headers={"Idempotency-Key": "k"})
        secret = answer.json()["secret"]
        [row] = rows(WebhookEndpoint)
        [kept] = rows(IdempotencyKey)
        assert secret[6:] not in row.secret
        assert secret not in str(kept.answer)
        assert secret not in str([entry.changes for entry in rows(AuditEntry)])
        replay = client.post("/v1/webhooks", {"url": URL}, headers={"Idempotency-Key": "k"})
        assert (replay.status_code, replay["Idempotency-Replayed"], replay.json()["secret"]) == (201, "true", None)
        assert count(WebhookEndpoint) == 1

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://u:p@example.com/",
            "ftp://x/",
            "x",
            "",
        ],
    )
    def test_has_a_public_https_address(self, client: Any, url: str, settings: Any) -> None:
        settings.IRISX_DEMO = False
        answer = client.post("/v1/webhooks", {"url": url})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/url"]
        assert count(WebhookEndpoint) == 0

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"event_types": ["call.eaten"]}, "/event_types/0"),
            ({"event_types": "call.*"}, "/event_types"),
            ({"colour": "red"}, "/colour"),
            ({"description": "x" * 121}, "/description"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, client: Any, body: dict[str, Any], pointer: str) -> None:
        answer = client.post("/v1/webhooks", {"url": URL, **body})
        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]

    def test_is_one_of_twenty_at_most_whoever_makes_them(self, committed_db: None, client: Any) -> None:
        def one(_: int) -> int:
            try:
                return int(client.post("/v1/webhooks", {"url": URL}).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(one, range(MOST_ENDPOINTS + 4)))
        assert answers == [201] * MOST_ENDPOINTS + [409] * 4

    def test_signs_with_both_secrets_for_a_day(self, client: Any, receiver: Receiver, acme: Company) -> None:
        made = created(client)
        fresh = client.post(f"/v1/webhooks/{made['id']}/rotate").json()
        assert fresh["former_secret_until"] is not None
        happen(acme, times=2, at=NOW)
        work(receiver, now=timezone.now())
        for secret in (made["secret"], fresh["secret"]):
            verify(receiver.got[0], secret)
        client.post(f"/v1/webhooks/{made['id']}/test")
        with_one = Receiver()
        tomorrow = timezone.now() + timedelta(hours=24)
        work(with_one, now=tomorrow)
        assert with_one.got[0].headers["webhook-signature"].count("v1,") == 1

    def test_third_secret_ends_the_first(self, client: Any, receiver: Receiver, acme: Company) -> None:
        made = created(client)
        for _ in range(2):
            last = client.post(f"/v1/webhooks/{made['id']}/rotate").json()
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        verify(receiver.got[0], last["secret"])
        with pytest.raises(WebhookVerificationError):
            verify(receiver.got[0], made["secret"])

    def test_another_address_begins_with_a_clean_slate(self, client: Any, acme: Company) -> None:
        row, _ = endpoint(acme)
        happen(acme, at=NOW)
        work(Receiver(status=500), now=timezone.now())
        assert of(row).failures == 1
        path = f"/v1/webhooks/wh_{row.pk.hex}"
        client.patch(path, {"url": "https://new.example.com/"}, content_type="application/json")
        assert (of(row).failures, of(row).failing_since) == (0, None)


class TestTheLog:
    def test_shows_deliveries_and_their_attempts(self, client: Any, acme: Company, receiver: Receiver) -> None:
        made = created(client)
        receiver.status, receiver.body = 503, b"Closed for lunch"
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        path = f"/v1/webhooks/{made['id']}/deliveries"
        [shown] = client.get(path, {"status": "pending", "type": "chat.*"}).json()["results"]
        assert (shown["status"], shown["status_code"], shown["attempt_count"]) == ("pending", 503, 1)
        assert client.get(path, {"status": "failed"}).json()["results"] == []
        detail = client.get(f"{path}/{shown['id']}").json()
        [attempt] = detail["attempts"]
        assert (attempt["number"], attempt["status_code"], attempt["answer"]) == (1, 503, "Closed for lunch")
        for bad in ({"status": "lost"}, {"type": "x"}, {"cursor": "x"}, {"limit": "0"}):
            assert client.get(path, bad).status_code == 422

    def test_resends_what_was_delivered_with_the_same_id(self, client: Any, acme: Company, receiver: Receiver) -> None:
        made = created(client)
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        [one] = deliveries()
        path = f"/v1/webhooks/{made['id']}/deliveries/wd_{one.pk.hex}/resend"
        assert client.post(path).json()["status"] == "pending"
        work(receiver, now=timezone.now())
        assert len(receiver.got) == 2
        assert len(set(receiver.ids)) == 1
        assert [(d.status, d.attempt_count) for d in deliveries()] == [("delivered", 2)]

    def test_a_test_reaches_its_endpoint_alone(self, client: Any, receiver: Receiver, acme: Company) -> None:
        made = created(client, event_types=["call.*"])
        created(client, url="https://other.example.com/")
        answer = client.post(f"/v1/webhooks/{made['id']}/test")
        assert (answer.status_code, answer.json()["type"]) == (202, "webhook.test")
        assert work(receiver, now=timezone.now()) == 1
        assert (receiver.got[0].url, receiver.got[0].body["type"]) == (URL, "webhook.test")

    @pytest.mark.parametrize("action", ["test", "replay", "resend"])
    def test_nothing_is_sent_to_a_disabled_endpoint(
        self, client: Any, receiver: Receiver, acme: Company, action: str
    ) -> None:
        made = created(client)
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        path = f"/v1/webhooks/{made['id']}"
        client.patch(path, {"is_enabled": False}, content_type="application/json")
        tail = f"deliveries/wd_{deliveries()[0].pk.hex}/resend" if action == "resend" else action
        answer = client.post(f"{path}/{tail}", {"since": "2026-01-01T00:00:00Z"} if action == "replay" else {})
        assert (answer.status_code, answer.json()["code"]) == (409, "endpoint-disabled")


class TestReplay:
    def test_sends_a_range_again_in_order(self, client: Any, acme: Company, receiver: Receiver) -> None:
        happen(acme, times=3, at=NOW - timedelta(hours=2))
        happen(acme, object_id="late", at=NOW)
        made = created(client)
        work(receiver, now=timezone.now())
        assert receiver.got == []  # they happened before it was there
        body = {"since": (NOW - timedelta(hours=3)).isoformat(), "until": (NOW - timedelta(hours=1)).isoformat()}
        answer = client.post(f"/v1/webhooks/{made['id']}/replay", body)
        assert (answer.status_code, answer.json()) == (202, {"count": 3, "continue_since": None})
        work(receiver, now=timezone.now())
        assert receiver.sequences == [1, 2, 3]

    def test_of_what_failed_leaves_the_rest_alone(self, client: Any, acme: Company, receiver: Receiver) -> None:
        made = created(client)
        happen(acme, object_id="a", at=NOW)
        happen(acme, object_id="b", at=NOW)
        receiver.answers = lambda got: 500 if got.body["object_id"] == "a" else 200
        now = timezone.now()
        while work(receiver, now=now):
            due = [one.next_attempt_at for one in deliveries() if one.next_attempt_at]
            if not due:
                break
            now = min(due)
        receiver.answers, receiver.got = None, []
        body = {"since": (NOW - timedelta(hours=1)).isoformat(), "only_failed": True}
        assert client.post(f"/v1/webhooks/{made['id']}/replay", body).json()["count"] == 1
        work(receiver, now=now)
        assert [got.body["object_id"] for got in receiver.got] == ["a"]

    @pytest.mark.parametrize(
        "body", [{}, {"since": "yesterday"}, {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}]
    )
    def test_of_no_range_is_refused(self, client: Any, body: dict[str, Any]) -> None:
        made = created(client)
        assert client.post(f"/v1/webhooks/{made['id']}/replay", body).status_code == 422


class TestEvents:
    def test_are_read_to_the_end_and_on_from_there(self, client: Any, acme: Company, globex: Company) -> None:
        happen(acme, times=3, at=NOW)
        happen(globex, at=NOW)
        work(Receiver(), now=timezone.now())
        first = client.get("/v1/events", {"limit": 2}).json()
        assert [event["sequence"] for event in first["results"]] == [1, 2]
        second = client.get(first["next"]).json()
        assert ([event["sequence"] for event in second["results"]], second["next"]) == ([3], None)
        assert client.get("/v1/events", {"after": second["after"]}).json() == {
            "results": [], "next": None, "previous": None, "after": second["after"],
        }  # fmt: skip
        happen(acme, object_id="x", type="invoice.paid", at=NOW)
        work(Receiver(), now=timezone.now())
        third = client.get("/v1/events", {"after": second["after"], "type": "invoice.*"}).json()
        assert [event["object_id"] for event in third["results"]] == ["x"]

    def test_never_miss_what_was_committed_late(self, client: Any, acme: Company) -> None:
        happen(acme, object_id="a", at=NOW)
        work(Receiver(), now=timezone.now())
        seen = client.get("/v1/events").json()["after"]
        happen(acme, object_id="b", at=NOW - timedelta(days=3))
        work(Receiver(), now=timezone.now())
        later = client.get("/v1/events", {"after": seen}).json()
        assert [event["object_id"] for event in later["results"]] == ["b"]

    @pytest.mark.parametrize("query", [{"after": "x"}, {"after": "evt_" + "0" * 32}, {"type": "x"}, {"limit": "9999"}])
    def test_say_what_is_wrong_with_a_question(self, client: Any, query: dict[str, str]) -> None:
        assert client.get("/v1/events", query).status_code == 422

    def test_are_forgotten_after_thirty_days(self, client: Any, acme: Company) -> None:
        happen(acme, at=NOW)
        work(Receiver(), now=timezone.now())
        forget_old(now=timezone.now() + timedelta(days=31))
        assert client.get("/v1/events").json()["results"] == []
