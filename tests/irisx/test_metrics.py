"""`/metrics`: what operators page on, for whoever holds the token; it answers with a part of the house down, too."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.tenancy import system_access
from irisx import metrics
from tests.matrix.world import MARK, build

TOKEN = "t" * 50
DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


@pytest.fixture(autouse=True)
def token(settings: LazySettings) -> None:
    settings.IRISX_METRICS_TOKEN = TOKEN


def scrape() -> dict[str, dict[tuple[str, ...], float]]:
    """Return each metric's values by the values of its labels."""
    answer = Client(headers={"Authorization": f"Bearer {TOKEN}"}).get("/metrics")
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def only(found: dict[str, dict[tuple[str, ...], float]], name: str) -> float:
    return found[name][()]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_is_for_whoever_holds_the_token(given: str, db: None) -> None:
    answer = Client(headers={"Authorization": given}).get("/metrics")
    assert answer.status_code == 401
    assert b"irisx_" not in answer.content


def test_is_not_there_without_a_token(settings: LazySettings, db: None) -> None:
    settings.IRISX_METRICS_TOKEN = ""
    assert Client(headers={"Authorization": "Bearer "}).get("/metrics").status_code == 404


def test_every_figure_is_read_of_an_empty_house(db: None) -> None:
    found = scrape()
    assert only(found, "irisx_scrape_failures") == 0
    assert only(found, "irisx_webhook_outbox_age_seconds") == 0
    assert only(found, "irisx_webhook_deliveries_pending") == 0
    assert {figure.name for figure in metrics.FIGURES if not figure.label} - found.keys() == {
        "irisx_reconcile_findings", "irisx_reconcile_age_seconds",  # none has run
    }  # fmt: skip


def test_tells_what_waits_and_for_how_long(db: None, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    build()
    hour_ago = timezone.now() - timedelta(hours=1)
    with system_access("test"), connection.cursor() as cursor:
        cursor.execute("UPDATE webhook_outbox SET position = NULL, created_at = %s", [hour_ago])
    found = scrape()
    assert only(found, "irisx_scrape_failures") == 0
    assert 3500 < only(found, "irisx_webhook_outbox_age_seconds") < 3700
    assert only(found, "irisx_webhook_deliveries_pending") >= 1
    assert sum(found["irisx_conversations_open"].values()) >= 1
    assert sum(found["irisx_calls_live"].values()) >= 1


def test_names_no_tenant_no_person_and_no_address(db: None, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = build()
    assert world.callers["key"]().get(f"/v1/calls/{world.objects['call']}").status_code == 200
    text = Client(headers={"Authorization": f"Bearer {TOKEN}"}).get("/metrics").content.decode()
    for said in (MARK, "Acme", "acme", "@", world.acme.tenant.pk.hex, str(world.acme.tenant.pk), world.objects["call"]):
        assert said not in text
    assert 'route="v1/calls/<str:sid>"' in text


def test_a_figure_that_cannot_be_read_is_left_out_and_counted(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = metrics.Figure("irisx_broken", "Of a table that is not there.", "SELECT count(*) FROM nowhere")
    monkeypatch.setattr(metrics, "FIGURES", (broken, *metrics.FIGURES))
    found = scrape()
    assert only(found, "irisx_scrape_failures") == 1
    assert "irisx_broken" not in found
    assert only(found, "irisx_usage_deltas_waiting") == 0


def test_requests_are_counted_by_route(db: None) -> None:
    def answered() -> float:
        return scrape()["irisx_http_request_duration_seconds_count"].get(("GET", "v1/members", "4xx"), 0)

    before = answered()
    assert Client().get("/v1/members").status_code == 401
    assert answered() == before + 1
    Client().generic("BREW", "/v1/members")
    assert ("other", "v1/members", "4xx") in scrape()["irisx_http_request_duration_seconds_count"]


@pytest.mark.parametrize("file", ["alerts.yml", "dashboard.json"])
def test_alerts_and_dashboard_ask_for_what_there_is(file: str, db: None) -> None:
    names = {figure.name for figure in metrics.FIGURES} | scrape().keys() | {"irisx_process_silence_seconds"}
    names |= {"irisx_http_request_duration_seconds_bucket", "irisx_http_request_duration_seconds_sum"}
    asked = set(re.findall(r"\birisx_[a-z_]+\b", (DEPLOY / file).read_text()))
    assert asked
    assert asked - names == set()


def test_every_figure_an_operator_pages_on_has_an_alert() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    asked = " ".join(rule["expr"] for rule in rules)
    silent = {
        "irisx_webhook_deliveries_pending",
        "irisx_calls_live",
        "irisx_conversations_open",
    }  # to look at, not to wake for
    assert {figure.name for figure in metrics.FIGURES if figure.name not in asked} == silent
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}
