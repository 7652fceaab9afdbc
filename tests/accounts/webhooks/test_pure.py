"""The schedule, the breaker, the signature, the catalogue: values in, values out."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.webhooks import catalogue, schedule, signing
from accounts.webhooks.health import Health, after_failure, after_success
from accounts.webhooks.signing import BadSecret
from common.errors import Invalid

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


class TestTheSchedule:
    def test_is_the_one_promised(self) -> None:
        waits = [schedule.next_attempt(tries=tries, now=NOW, spread=0) for tries in range(1, 10)]
        expected = [5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 24 * 3600]
        assert waits == [*(NOW + seconds(wait) for wait in expected), None]

    @pytest.mark.parametrize(("spread", "wait"), [(-1, 240), (1, 360), (0.5, 330)])
    def test_is_spread_by_a_fifth(self, spread: float, wait: float) -> None:
        assert schedule.next_attempt(tries=3, now=NOW, spread=spread) == NOW + seconds(wait)

    def test_waits_longer_when_asked_and_never_shorter(self) -> None:
        later = schedule.next_attempt(tries=1, now=NOW, spread=0, retry_after=seconds(90))
        sooner = schedule.next_attempt(tries=3, now=NOW, spread=0, retry_after=seconds(1))
        assert (later, sooner) == (NOW + seconds(90), NOW + seconds(300))

    @pytest.mark.parametrize(
        ("text", "wait"),
        [
            ("120", 120), (" 7 ", 7), ("0", None), ("", None), ("-5", None), ("soon", None), ("1e3", None), ("٣", None),
            ("9" * 400, 86_400), (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120),
            (format_datetime(NOW - timedelta(minutes=2), usegmt=True), None),
            (format_datetime(NOW + timedelta(days=400), usegmt=True), 86_400),
        ],
    )  # fmt: skip
    def test_reads_retry_after(self, text: str, wait: int | None) -> None:
        assert schedule.retry_after(text, now=NOW) == (None if wait is None else seconds(wait))

    @pytest.mark.parametrize(("failures", "pause"), [(9, 0), (10, 5), (11, 10), (14, 80), (16, 300), (400, 300)])
    def test_leaves_an_endpoint_alone_after_ten_failures(self, failures: int, pause: int) -> None:
        assert schedule.pause(failures=failures, spread=0) == seconds(pause)


class TestHealth:
    def test_a_success_forgets_every_failure(self) -> None:
        failing = Health(failures=40, failing_since=NOW, last_failure_at=NOW, paused_until=NOW)
        assert after_success(failing, at=NOW) == Health(last_failure_at=NOW, last_success_at=NOW)

    def test_five_days_of_failure_disable(self) -> None:
        health, at = Health(), NOW
        while at < NOW + timedelta(days=5):
            assert health.disabled_reason == ""
            health = after_failure(health, at=at, spread=0)
            at += timedelta(hours=24)
        assert after_failure(health, at=at, spread=0).disabled_reason == "failing"

    def test_two_failures_far_apart_are_not_one_long_failure(self) -> None:
        health = after_failure(Health(), at=NOW, spread=0)
        later = after_failure(health, at=NOW + timedelta(days=6), spread=0)
        assert (later.disabled_reason, later.failing_since) == ("", NOW + timedelta(days=6))

    def test_gone_disables_at_once(self) -> None:
        assert after_failure(Health(), at=NOW, spread=0, is_gone=True).disabled_reason == "gone"

    def test_retry_after_pauses_the_endpoint_for_an_hour_at_most(self) -> None:
        asked = [after_failure(Health(), at=NOW, spread=0, retry_after=seconds(s)) for s in (60, 86_400)]
        assert [one.paused_until for one in asked] == [NOW + seconds(60), NOW + seconds(3600)]

    def test_the_tenth_failure_opens_the_circuit(self) -> None:
        health = Health(failures=8)
        ninth = after_failure(health, at=NOW, spread=0)
        tenth = after_failure(ninth, at=NOW, spread=0)
        assert (ninth.paused_until, tenth.paused_until) == (None, NOW + seconds(5))


class TestASignature:
    def test_is_read_by_the_reference_library(self) -> None:
        secret, now = signing.new_secret(), datetime.now(UTC)
        headers = signing.headers(id="evt_1", body=b'{"a":1}', keys=[signing.key_of(secret)], now=now)
        assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(b'{"a":2}', headers)

    def test_of_two_keys_is_read_with_either(self) -> None:
        secrets, now = [signing.new_secret(), signing.new_secret()], datetime.now(UTC)
        headers = signing.headers(id="evt_1", body=b"{}", keys=[signing.key_of(s) for s in secrets], now=now)
        assert headers["webhook-signature"].count("v1,") == 2
        assert [Webhook(secret).verify(b"{}", headers) for secret in secrets] == [{}, {}]

    def test_says_whole_seconds(self) -> None:
        moment = datetime(2026, 3, 10, 12, 0, 0, 999_999, tzinfo=UTC)
        assert signing.headers(id="e", body=b"", keys=[], now=moment)["webhook-timestamp"] == "1773144000"

    def test_a_secret_is_new_each_time_and_32_bytes(self) -> None:
        made = {signing.new_secret() for _ in range(20)}
        assert len(made) == 20
        assert {len(signing.key_of(secret)) for secret in made} == {32}

    @pytest.mark.parametrize(
        "text", ["", "whsec_", "whsec_YWJj", "YWJj" * 8, "whsec_" + "!" * 44, "whsec_é", "whsec_" + "A" * 88]
    )
    def test_what_is_no_secret_is_refused(self, text: str) -> None:
        with pytest.raises(BadSecret):
            signing.key_of(text)


class TestTheCatalogue:
    def test_knows_every_type_that_is_written(self) -> None:
        sources = [p for app in ("billing", "chat", "telephony", "usage") for p in (ROOT / app).rglob("*.py")]
        family = r'"((?:call|chat|usage|credit|invoice)\.(?:[a-z_]+\.)?[a-z_]+)"'
        written = {
            found
            for path in sources
            for line in path.read_text().splitlines()
            if "announce(" in line or "enqueue" in line or (path.name == "announcing.py" and "return " in line)
            for found in re.findall(family, line)
        }
        assert {"invoice.paid", "credit.low"} <= written
        assert written <= set(catalogue.TYPES)

    def test_takes_types_and_families_once_each(self) -> None:
        assert catalogue.checked(["call.*", "credit.low", "call.*"]) == ["call.*", "credit.low"]

    def test_refuses_what_there_is_not_and_says_where(self) -> None:
        with pytest.raises(Invalid) as refused:
            catalogue.checked(["call.completed", "call", "*", "webhook.test"])
        assert [error.pointer for error in refused.value.errors] == [
            "/event_types/1",
            "/event_types/2",
            "/event_types/3",
        ]
