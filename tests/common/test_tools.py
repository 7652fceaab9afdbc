"""Ids, problems, idempotency, sequences, jobs, mail."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core import mail as outbox
from django.db import transaction
from django.test import Client
from rest_framework import exceptions

from accounts.tenancy import system_access, tenant_scope
from common import idempotency, ids, jobs, problems, sequences
from common.errors import Conflict, DomainError, FieldProblem, Invalid, NotFound, TooMany, Unreadable
from common.idempotency import Answer
from common.models import IdempotencyKey, Job
from common.timestamps import rfc3339
from tests import factories
from tests.assertions import count, rows


class TestIds:
    def test_uuid7_carries_version_variant_and_time_order(self) -> None:
        made = [ids.uuid7() for _ in range(50)]
        assert {(u.version, u.variant) for u in made} == {(7, UUID(int=0x8 << 60).variant)}
        assert [u.int >> 80 for u in made] == sorted(u.int >> 80 for u in made)

    def test_what_is_encoded_is_decoded(self) -> None:
        key = ids.uuid7()
        assert ids.decode("cc", ids.encode("cc", key)) == key
        assert ids.decode_call(ids.encode_call(key)) == key

    @pytest.mark.parametrize(
        "text", ["", "cc_", "cc_xyz", "cm_" + "0" * 32, "cc_" + "0" * 31, "cc_" + "G" * 32, "CC_" + "0" * 32]
    )
    def test_what_cannot_be_an_id_is_not_found(self, text: str) -> None:
        with pytest.raises(NotFound):
            ids.decode("cc", text)


class TestProblems:
    def test_a_refusal_carries_the_members_of_rfc_9457(self) -> None:
        body = problems.body(Invalid("Too long.", code="too-long", pointer="/text"))
        assert body == {
            "type": "urn:irisx:problem:too-long",
            "title": "Some values are not valid",
            "status": 422,
            "detail": "Too long.",
            "code": "too-long",
            "errors": [{"pointer": "/text", "code": "too-long", "detail": "Too long."}],
        }

    def test_nested_serializer_errors_become_pointers(self) -> None:
        error = problems.as_domain_error(
            exceptions.ValidationError({"items": [{}, {"a/b": ["Bad."]}], "name": ["No."]})
        )
        assert error is not None
        assert [e.pointer for e in error.errors] == ["/items/1/a~1b", "/name"]

    def test_a_wait_says_how_long(self) -> None:
        response = problems.handle_exception(TooMany("Slow down.", retry_after_seconds=7), {})
        assert response is not None
        assert (response.status_code, response["Retry-After"]) == (429, "7")

    def test_a_concurrent_twin_is_told_when_to_ask_again(self) -> None:
        response = problems.handle_exception(idempotency.TwinRunning("The same request is being worked on."), {})
        assert response is not None
        assert (response.status_code, response["Retry-After"]) == (409, "1")

    def test_many_wrong_values_are_told_at_once(self) -> None:
        error = Invalid.many([FieldProblem("/a", "x", "A."), FieldProblem("/b", "y", "B.")])
        assert (error.message, len(error.errors)) == ("2 values are not valid.", 2)

    @pytest.mark.parametrize("path", ["/v1/nothing", "/v1/chat/nothing", "/freeswitch/nothing"])
    def test_an_unknown_api_address_is_a_problem(self, db: None, path: str) -> None:
        answer = Client().get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, problems.MEDIA_TYPE)

    def test_an_unknown_page_is_a_page(self, db: None) -> None:
        answer = Client().get("/nothing")
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")

    def test_a_wrong_method_is_a_problem(self, acme: factories.Company) -> None:
        answer = Client(headers={"Authorization": f"Bearer {acme.api_key}"}).delete("/v1/me")
        assert (answer.status_code, answer["Content-Type"]) == (405, problems.MEDIA_TYPE)

    def test_a_wrong_media_type_is_a_problem(self, acme: factories.Company) -> None:
        client = Client(headers={"Authorization": f"Bearer {acme.api_key}"})
        answer = client.post("/v1/chat/message/send", "<x/>", content_type="text/xml")
        assert (answer.status_code, answer["Content-Type"]) == (415, problems.MEDIA_TYPE)


class TestIdempotency:
    owner = uuid4()

    def once(self, body: object, key: str = "k", *, now: object = factories.NOW, answer: int = 201) -> Answer:
        return idempotency.once(
            owner=self.owner, path="/v1/x", key=key, request_body=body, run=lambda: Answer(answer, {"n": 1}),
            now=now,  # type: ignore[arg-type]
        )  # fmt: skip

    def test_the_second_time_answers_what_was_stored(self, db: None) -> None:
        with tenant_scope(self.owner):
            assert not self.once({"a": 1, "b": 2}).is_replay
            replay = self.once({"b": 2, "a": 1}, answer=500)
        assert (replay.is_replay, replay.status, replay.body) == (True, 201, {"n": 1})

    def test_another_body_is_a_conflict(self, db: None) -> None:
        with tenant_scope(self.owner):
            self.once({"a": 1})
            with pytest.raises(Conflict):
                self.once({"a": 2})

    @pytest.mark.parametrize("key", ["", "k" * 256, "a\0b"])
    def test_a_key_has_1_to_255_characters(self, db: None, key: str) -> None:
        with tenant_scope(self.owner), pytest.raises(Invalid):
            self.once({}, key)

    def test_a_body_deeper_than_can_be_written_is_refused(self, db: None) -> None:
        body: object = {}
        for _ in range(300):
            body = {"a": body}
        with tenant_scope(self.owner), pytest.raises(Unreadable):
            self.once(body)

    def test_a_failed_run_stores_nothing(self, db: None) -> None:
        def fail() -> Answer:
            raise Invalid("No.")

        with tenant_scope(self.owner), pytest.raises(DomainError), transaction.atomic():
            idempotency.once(owner=self.owner, path="/", key="k", request_body={}, run=fail, now=factories.NOW)
        assert count(IdempotencyKey) == 0

    def test_a_key_is_forgotten_after_a_day(self, db: None) -> None:
        with tenant_scope(self.owner):
            self.once({})
        with system_access("test"):
            IdempotencyKey.objects.update(created_at=factories.NOW)
            assert idempotency.forget_old(now=factories.NOW + timedelta(hours=23)) == 0
            assert idempotency.forget_old(now=factories.NOW + timedelta(hours=25)) == 1


class TestSequences:
    def test_count_per_owner_and_name_without_a_gap(self, db: None) -> None:
        one, other = uuid4(), uuid4()
        with tenant_scope(one):
            assert [sequences.next_value(owner=one, name="a") for _ in range(3)] == [1, 2, 3]
            assert sequences.next_value(owner=one, name="b") == 1
        with tenant_scope(other):
            assert sequences.next_value(owner=other, name="a") == 1

    def test_a_rolled_back_number_is_given_again(self, db: None) -> None:
        owner = uuid4()
        with tenant_scope(owner):
            with pytest.raises(RuntimeError), transaction.atomic():
                sequences.next_value(owner=owner, name="a")
                raise RuntimeError
            assert sequences.next_value(owner=owner, name="a") == 1


class TestJobs:
    def test_go_from_waiting_through_running_to_done_once(self, db: None) -> None:
        owner = uuid4()
        with tenant_scope(owner):
            job = jobs.start(owner=owner, kind="export", total_count=2)
            jobs.advance(job_id=job.pk)
            jobs.finish(job_id=job.pk, result={"rows": 2}, now=factories.NOW)
            jobs.fail(job_id=job.pk, error="too late", now=factories.NOW)
        [stored] = rows(Job)
        assert (stored.status, stored.done_count, stored.result, stored.error) == ("done", 1, {"rows": 2}, "")


class TestMail:
    def test_leaves_on_commit_in_text_and_html(self, db: None, django_capture_on_commit_callbacks: object) -> None:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
        [message] = outbox.outbox
        assert message.subject == "Welcome to IRISX, Acme"
        assert "Acme is ready" in message.body
        assert "<p>Acme is ready" in message.alternatives[0][0]  # type: ignore[attr-defined]

    def test_stays_when_the_transaction_is_rolled_back(self, db: None) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
            raise RuntimeError
        assert outbox.outbox == []


def test_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(factories.NOW) == "2026-03-10T12:00:00.000000Z"
    assert rfc3339(None) is None
