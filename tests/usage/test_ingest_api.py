"""Events over HTTP: JSON and CSV in, filters out, corrections, and who may."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, counts, record, rows
from usage import tasks
from usage.models import BillingPeriod, UsageUpload
from usage.services import chunks_of, lease_upload, take_chunk, waiting_uploads
from usage.services.uploading import LEASE

D = Decimal
Api = Callable[[str | None], Any]
EVENTS = "/v1/usage/events"
HEADER = "idempotency_key,channel,resource_type,quantity"


@pytest.fixture(autouse=True)
def clock_of_the_cast(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    """Let requests and tasks happen when the cast's companies were founded."""
    monkeypatch.setattr("accounts.api.base.timezone.now", lambda: now)


def sms(key: str, **changes: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "channel": "sms", "resource_type": "message", "quantity": "1", **changes}


def csv_of(count: int, *more: str) -> str:
    return "\n".join([HEADER, *(f"k{number},sms,message,1" for number in range(count)), *more])


class TestJson:
    def test_takes_one_object(self, api: Api, acme: Company) -> None:
        answer = api(acme.api_key).post(EVENTS, sms("k"))
        (result,) = answer.json()["results"]
        assert answer.status_code == 200
        assert result.pop("id").startswith("ur_")
        assert result == {"index": 0, "idempotency_key": "k", "status": "created"}
        assert {name: answer.json()[name] for name in ("created", "duplicate", "conflict", "invalid")} == {
            "created": 1, "duplicate": 0, "conflict": 0, "invalid": 0,
        }  # fmt: skip

    def test_takes_a_batch_and_points_at_what_is_wrong(self, api: Api, acme: Company) -> None:
        body = {"events": [sms("a"), sms("b", quantity="-1"), sms("a"), sms("a", quantity="2"), "x"]}
        answer = api(acme.api_key).post(EVENTS, body).json()
        assert [result["status"] for result in answer["results"]] == [
            "created", "invalid", "duplicate", "conflict", "invalid",
        ]  # fmt: skip
        assert [result.get("errors", [{}])[0].get("pointer") for result in answer["results"]] == [
            None, "/events/1/quantity", None, "/events/3/idempotency_key", "/events/4",
        ]  # fmt: skip
        assert answer["results"][0]["id"] == answer["results"][2]["id"]
        assert (answer["created"], answer["duplicate"], answer["conflict"], answer["invalid"]) == (1, 1, 1, 2)
        assert counts(acme) == (1, 1, 1)

    @pytest.mark.parametrize(
        "body", [{"events": []}, {"events": {}}, {"events": [sms("k")] * 1_001}, {"events": [sms("k")], "x": 1}]
    )
    def test_refuses_a_batch_that_is_none_or_too_long(self, api: Api, acme: Company, body: Any) -> None:
        answer = api(acme.api_key).post(EVENTS, body)
        assert answer.status_code == 422
        assert counts(acme) == (0, 0, 0)

    def test_takes_a_thousand(self, api: Api, acme: Company) -> None:
        answer = api(acme.api_key).post(EVENTS, {"events": [sms(f"k{number}") for number in range(1_000)]})
        assert answer.json()["created"] == 1_000
        assert counts(acme) == (1_000, 1_000, 1)

    def test_a_lost_answer_is_safe_to_repeat(self, api: Api, acme: Company) -> None:
        body = {"events": [sms("a"), sms("b")]}
        api(acme.api_key).post(EVENTS, body)
        again = api(acme.api_key).post(EVENTS, body).json()
        assert (again["created"], again["duplicate"]) == (0, 2)
        assert counts(acme)[0] == 2

    def test_an_answer_that_repeats_a_nul_is_kept_like_any_other(self, acme: Company, api: Api) -> None:
        client, key = api(acme.api_key), {"Idempotency-Key": "r1"}
        first = client.post(EVENTS, {"events": [sms("a"), sms("\0b")]}, headers=key)
        assert [result["idempotency_key"] for result in first.json()["results"]] == ["a", "\ufffdb"]
        assert client.post(EVENTS, {"events": [sms("a"), sms("\0b")]}, headers=key).json() == first.json()

    def test_an_idempotency_key_replays_the_answer(self, api: Api, acme: Company) -> None:
        client = api(acme.api_key)
        first = client.post(EVENTS, sms("a"), headers={"Idempotency-Key": "r1"})
        again = client.post(EVENTS, sms("a"), headers={"Idempotency-Key": "r1"})
        assert again.json() == first.json()
        assert again["Idempotency-Replayed"] == "true"

    def test_without_a_subscription_nothing_is_taken(self, api: Api, acme: Company) -> None:
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=acme.tenant).update(state="closed", closed_at=NOW)
        answer = api(acme.api_key).post(EVENTS, sms("k"))
        assert (answer.status_code, answer.json()["code"]) == (409, "no-subscription")


class TestShortCsv:
    def test_is_answered_at_once(self, api: Api, acme: Company) -> None:
        content = (
            "\ufeffidempotency_key;channel;resource_type;quantity;occurred_at;metadata\r\n"
            'a;sms;message;2;2026-03-10T11:00:00Z;"{""campaign"": ""spring; 1""}"\r\n'
            "\r\n"
            "b;sms;message;;;\r\n"
            "c;sms;message;1;;not json\r\n"
            "d;sms;message;1;;;surplus\r\n"
        )
        answer = api(acme.api_key).post(EVENTS, content, content_type="text/csv")
        assert answer.status_code == 200, answer.content
        results = answer.json()["results"]
        assert [(result["line"], result["status"]) for result in results] == [
            (2, "created"), (4, "invalid"), (5, "invalid"), (6, "invalid"),
        ]  # fmt: skip
        assert [result["errors"][0]["pointer"] for result in results[1:]] == [
            "/rows/1/quantity", "/rows/2/metadata", "/rows/3/more cells than the header",
        ]  # fmt: skip
        assert rows(acme, "SELECT quantity, metadata->>'campaign' FROM usage_records") == [(D(2), "spring; 1")]

    def test_comes_as_a_form_too(self, api: Api, acme: Company, signed_in: Any) -> None:
        file = SimpleUploadedFile("events.csv", csv_of(2).encode())
        answer = signed_in(acme.owner).post(EVENTS, {"file": file})
        assert (answer.status_code, answer.json()["created"]) == (200, 2)

    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            (b"\xff\xfe", 400, "unreadable"),
            (b"", 422, "missing-column"),
            (b"idempotency_key,channel", 422, "missing-column"),
            (HEADER.encode() + b",colour\na,sms,message,1,red", 422, "unknown-column"),
            (HEADER.encode() + b",quantity\na,sms,message,1,2", 422, "repeated-column"),
            (HEADER.encode() + b'\n"a,sms,message,1', 400, "unreadable"),
            (HEADER.encode() + b'\n"a"b,sms,message,1', 400, "unreadable"),
        ],
    )
    def test_refuses_what_is_no_table_of_events(
        self, api: Api, acme: Company, content: bytes, status: int, code: str
    ) -> None:
        answer = api(acme.api_key).post(EVENTS, content, content_type="text/csv")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert counts(acme) == (0, 0, 0)

    def test_refuses_a_form_without_a_file(self, signed_in: Any, acme: Company) -> None:
        answer = signed_in(acme.owner).post(EVENTS, {"file": "text"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")

    def test_replays_by_the_file_s_digest(self, api: Api, acme: Company) -> None:
        client, options = api(acme.api_key), {"content_type": "text/csv", "headers": {"Idempotency-Key": "r"}}
        first = client.post(EVENTS, csv_of(1), **options)
        assert client.post(EVENTS, csv_of(1), **options).json() == first.json()
        assert client.post(EVENTS, csv_of(2), **options).status_code == 409


class TestLongCsv:
    def send(self, api: Api, company: Company, *more: str) -> dict[str, Any]:
        answer = api(company.api_key).post(EVENTS, csv_of(2_100, *more), content_type="text/csv")
        assert answer.status_code == 202, answer.content
        return dict(answer.json())

    def test_is_worked_off_by_a_worker_with_progress_and_faults(self, api: Api, acme: Company) -> None:
        upload = self.send(api, acme, "bad,sms,message,-1", "k1,sms,message,1", "k2,sms,message,9")
        assert (upload["status"], upload["done_count"], upload["total_count"]) == ("waiting", 0, 2_103)
        assert counts(acme) == (0, 0, 0)
        tasks.work_off_uploads()
        done = api(acme.api_key).get(f"/v1/usage/uploads/{upload['id']}").json()
        assert (done["status"], done["done_count"], done["total_count"]) == ("done", 2_103, 2_103)
        assert [done[name] for name in ("created", "duplicate", "conflict", "invalid")] == [2_100, 1, 1, 1]
        assert [(fault["index"], fault["line"], fault["status"]) for fault in done["faults"]] == [
            (2_100, 2_102, "invalid"), (2_102, 2_104, "conflict"),
        ]  # fmt: skip
        assert done["faults"][0]["errors"][0]["pointer"] == "/rows/2100/quantity"
        assert done["finished_at"] is not None
        assert counts(acme) == (2_100, 2_100, 3)
        with tenant_scope(acme.tenant.pk):
            assert UsageUpload.objects.for_tenant(acme.tenant).get().content is None

    def test_a_repeat_of_the_task_changes_nothing(self, api: Api, acme: Company) -> None:
        self.send(api, acme)
        tasks.work_off_uploads()
        before = rows(acme, "SELECT count(*), sum(total_quantity) FROM usage_summary_deltas")
        tasks.work_off_uploads()
        assert rows(acme, "SELECT count(*), sum(total_quantity) FROM usage_summary_deltas") == before

    def test_goes_on_where_a_worker_died(self, api: Api, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        upload = self.send(api, acme)
        with system_access("test"):
            ((tenant_id, upload_id),) = waiting_uploads(now=NOW)
        with tenant_scope(tenant_id):
            content = lease_upload(tenant_id=tenant_id, upload_id=upload_id, now=NOW)
            assert content is not None
            start, chunk = next(chunks_of(content))
            take_chunk(tenant_id=tenant_id, upload_id=upload_id, start=start, chunk=chunk, now=NOW)
            assert lease_upload(tenant_id=tenant_id, upload_id=upload_id, now=NOW) is None
        running = api(acme.api_key).get(f"/v1/usage/uploads/{upload['id']}").json()
        assert (running["status"], running["done_count"]) == ("running", 1_000)
        with system_access("test"):
            assert waiting_uploads(now=NOW) == []
        monkeypatch.setattr("usage.tasks.timezone.now", lambda: NOW + LEASE + timedelta(seconds=1))
        tasks.work_off_uploads()
        done = api(acme.api_key).get(f"/v1/usage/uploads/{upload['id']}").json()
        assert (done["status"], done["done_count"], done["created"]) == ("done", 2_100, 2_100)
        assert counts(acme)[0] == 2_100

    def test_a_refusal_fails_it_and_says_why(self, api: Api, acme: Company) -> None:
        upload = self.send(api, acme)
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=acme.tenant).update(state="closed", closed_at=NOW)
        tasks.work_off_uploads()
        failed = api(acme.api_key).get(f"/v1/usage/uploads/{upload['id']}").json()
        assert (failed["status"], failed["error"]) == ("failed", "This tenant has no open billing period.")
        with system_access("test"):
            assert waiting_uploads(now=NOW + timedelta(days=1)) == []

    def test_mallory_does_not_find_it(self, api: Api, acme: Company, globex: Company) -> None:
        upload = self.send(api, acme)
        assert api(globex.api_key).get(f"/v1/usage/uploads/{upload['id']}").status_code == 404


class TestList:
    @pytest.fixture
    def used(self, acme: Company) -> None:
        call(acme, 61, dedup_key="call:1")
        record(acme, dedup_key="march", occurred_at=at(2026, 3, 9))
        record(acme, dedup_key="mms", resource_type="mms", occurred_at=at(2026, 3, 8))
        record(acme, dedup_key="old", occurred_at=at(2026, 1, 31))

    @pytest.mark.parametrize(
        ("query", "keys"),
        [
            ("", ["call:1", "march", "mms", "old"]),
            ("channel=sms", ["march", "mms", "old"]),
            ("channel=sms&resource_type=message", ["march", "old"]),
            ("start_date=2026-03-08&end_date=2026-03-09", ["march", "mms"]),
            ("end_date=2026-01-31", ["old"]),
            ("idempotency_key=mms", ["mms"]),
            ("idempotency_key=nothing", []),
            ("channel=fax", []),
        ],
    )
    def test_is_filtered(self, api: Api, acme: Company, used: None, query: str, keys: list[str]) -> None:
        found = api(acme.api_key).get(f"{EVENTS}?{query}").json()["results"]
        assert [event["idempotency_key"] for event in found] == keys

    def test_days_are_the_tenant_s(self, api: Api, make_tokyo: Callable[[], Company]) -> None:
        tokyo = make_tokyo()
        record(tokyo, occurred_at=at(2026, 3, 10, 15))
        query = "start_date=2026-03-11&end_date=2026-03-11"
        assert len(api(tokyo.api_key).get(f"{EVENTS}?{query}").json()["results"]) == 1

    @pytest.mark.parametrize("query", ["start_date=x", "start_date=2026-03-02&end_date=2026-03-01"])
    def test_refuses_what_is_no_range(self, api: Api, acme: Company, query: str) -> None:
        assert api(acme.api_key).get(f"{EVENTS}?{query}").status_code == 422

    def test_one_is_shown_to_its_own_tenant(self, api: Api, acme: Company, globex: Company) -> None:
        sent = api(acme.api_key).post(EVENTS, sms("k")).json()["results"][0]["id"]
        assert api(acme.api_key).get(f"{EVENTS}/{sent}").json()["idempotency_key"] == "k"
        assert api(globex.api_key).get(f"{EVENTS}/{sent}").status_code == 404


class TestCorrections:
    def sent(self, api: Api, company: Company, **changes: Any) -> str:
        return str(api(company.api_key).post(EVENTS, sms("k", **changes)).json()["results"][0]["id"])

    def test_void_shows_the_reversal_then_itself_again(self, api: Api, acme: Company) -> None:
        client, id = api(acme.api_key), self.sent(api, acme, quantity="3")
        first = client.post(f"{EVENTS}/{id}/void", {"reason": "sent twice"})
        again = client.post(f"{EVENTS}/{id}/void")
        reversal = first.json()["reversal"]
        assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
        assert first.json()["amendment"] is None
        assert {name: reversal[name] for name in ("kind", "reverses", "quantity", "total_cost", "metadata")} == {
            "kind": "reversal", "reverses": id, "quantity": "-3", "total_cost": "-0.0225",
            "metadata": {"reason": "sent twice"},
        }  # fmt: skip
        assert client.get(f"{EVENTS}/{id}").json()["reversed_by"] == reversal["id"]

    def test_amend_shows_both(self, api: Api, acme: Company) -> None:
        client, id = api(acme.api_key), self.sent(api, acme, quantity="3")
        answer = client.post(f"{EVENTS}/{id}/amend", {"quantity": "2", "metadata": {"fixed": True}})
        amendment = answer.json()["amendment"]
        assert answer.status_code == 201, answer.content
        assert (amendment["kind"], amendment["quantity"], amendment["metadata"]) == ("amendment", "2", {"fixed": True})
        assert client.get("/v1/usage/current-period").json()["items"][0]["quantity"] == "2"

    @pytest.mark.parametrize(
        ("body", "status", "pointer"),
        [
            ({"quantity": "-1"}, 422, "/quantity"),
            ({"quantity": "1.0"}, 422, "/"),
            ({}, 422, "/"),
            ({"colour": "red"}, 422, "/colour"),
            ({"idempotency_key": "l"}, 422, "/idempotency_key"),
            ({"occurred_at": "2020-01-01T00:00:00Z"}, 422, "/occurred_at"),
            ({"resource_type": "page"}, 422, "/resource_type"),
            ({"quantity": "2", "reason": "r" * 201}, 422, "/reason"),
        ],
    )
    def test_a_refused_amendment_changes_nothing(
        self, api: Api, acme: Company, body: Any, status: int, pointer: str
    ) -> None:
        id = self.sent(api, acme)
        answer = api(acme.api_key).post(f"{EVENTS}/{id}/amend", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)
        assert counts(acme) == (1, 1, 1)

    def test_what_the_platform_measured_is_its_operator_s_to_correct(self, api: Api, acme: Company) -> None:
        id = f"ur_{call(acme, 61).record_id.hex}"
        for verb, body in (("void", {}), ("amend", {"quantity": "1"})):
            answer = api(acme.api_key).post(f"{EVENTS}/{id}/{verb}", body)
            assert (answer.status_code, answer.json()["code"]) == (403, "measured")
        assert counts(acme) == (1, 1, 1)

    @pytest.mark.parametrize("verb", ["void", "amend"])
    def test_mallory_does_not_find_it(self, api: Api, acme: Company, globex: Company, verb: str) -> None:
        id = self.sent(api, acme)
        assert api(globex.api_key).post(f"{EVENTS}/{id}/{verb}", {"quantity": "2"}).status_code == 404
        assert counts(acme) == (1, 1, 1)


class TestWho:
    @pytest.mark.parametrize("person", ["agent", "finance"])
    def test_an_agent_and_finance_may_not_send(self, signed_in: Any, acme: Company, person: str) -> None:
        answer = signed_in(getattr(acme, person)).post(EVENTS, sms("k"), content_type="application/json")
        assert answer.status_code == 403
        assert counts(acme) == (0, 0, 0)

    def test_the_owner_may(self, signed_in: Any, acme: Company) -> None:
        assert signed_in(acme.owner).post(EVENTS, sms("k"), content_type="application/json").status_code == 200


def test_a_batch_over_http_costs_as_many_statements_whatever_its_length(api: Api, acme: Company) -> None:
    client = api(acme.api_key)
    client.post(EVENTS, sms("first"))  # notes that the key was used
    numbers = []
    for length in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            client.post(EVENTS, {"events": [sms(f"{length}:{number}") for number in range(length)]})
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
