"""What a customer's page loads: the launcher and the panel."""

import gzip
import json
import re

import pytest
from django.test import Client

from accounts.tenancy import tenant_scope
from tests import factories
from tests.chat.conftest import widget_of

BUDGET_BYTES = 15_000


def test_the_launcher_is_small_and_public(client: Client) -> None:
    answer = client.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Content-Encoding"] == "gzip"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert b"window.IRISX" in gzip.decompress(answer.content)


def test_all_a_page_loads_before_the_first_open_fits_the_budget(acme: factories.Company, client: Client) -> None:
    widget = widget_of(acme)
    widget.greeting_message = widget.offline_message = "A long greeting. " * 29
    widget.pre_chat_fields = [{"key": f"f{n}", "label": f"Question {n}", "type": "text"} for n in range(10)]
    with tenant_scope(acme.tenant.pk):
        widget.save(update_fields=["greeting_message", "offline_message", "pre_chat_fields"])
    launcher = client.get("/widget.js", headers={"Accept-Encoding": "gzip"}).content
    look = client.get(f"/v1/chat/widget/{widget.widget_key}", headers={"Origin": "https://shop.example"}).content
    assert len(launcher) + len(gzip.compress(look)) < BUDGET_BYTES


def test_the_launcher_is_not_sent_twice_to_who_has_it(client: Client) -> None:
    first = client.get("/widget.js")
    again = client.get("/widget.js", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "max-age=300" in first["Cache-Control"]


def test_an_unknown_widget_has_no_panel(client: Client, db: None) -> None:
    assert client.get("/chat/panel/cw_0f8fad5bd9cb469fa16570867728950e").status_code == 404


@pytest.mark.parametrize(
    ("domains", "ancestors"),
    [
        ([], "frame-ancestors *"),
        (["shop.example"], "frame-ancestors 'self' https://shop.example:* http://shop.example:*"),
        (["shop.example:8443"], "frame-ancestors 'self' https://shop.example:8443 http://shop.example:8443"),
        (["*.shop.example"], "frame-ancestors 'self' https://*.shop.example:* http://*.shop.example:*"),
    ],
)
def test_only_the_widgets_domains_may_frame_its_panel(
    acme: factories.Company, client: Client, domains: list[str], ancestors: str
) -> None:
    widget = widget_of(acme)
    widget.domains_whitelist = domains
    with tenant_scope(acme.tenant.pk):
        widget.save(update_fields=["domains_whitelist"])
    policy = client.get(f"/chat/panel/{widget.widget_key}")["Content-Security-Policy"]
    assert ancestors in [directive.strip() for directive in policy.split(";")]


def test_the_panel_is_told_its_look_and_nothing_secret(acme: factories.Company, client: Client) -> None:
    widget = widget_of(acme)
    page = client.get(f"/chat/panel/{widget.widget_key}").content.decode()
    found = re.search(r'<script id="irisx-panel" type="application/json">(.+?)</script>', page)
    assert found is not None
    told = json.loads(found[1])
    assert told["widget_key"] == widget.widget_key
    assert told["greeting_message"] == widget.greeting_message
    assert told["agents_online"] is False
    assert told["socket"].endswith("/ws/v1/visitor")
    assert not {"embed_token", "domains_whitelist", "tenant"} & set(told)


def test_no_page_of_ours_needs_inline_script_or_style(acme: factories.Company, client: Client) -> None:
    page = client.get(f"/chat/panel/{widget_of(acme).widget_key}").content.decode()
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page) == []
    assert re.findall(r"\sstyle=|<style|\son\w+=", page) == []
