"""A switch that may sign in, and what it posts."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.conf import LazySettings
from django.test import Client

from telephony.switch.answers import Answers

PASSWORD = "aPasswordOfTheSwitch1"
TRACES = Path(__file__).resolve().parent.parent / "traces"
Ask = Callable[..., Any]


def basic(password: str = PASSWORD, user: str = "freeswitch") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def switch(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a client signed in as the switch, of a process that has answered nothing yet."""
    monkeypatch.setattr("telephony.switch.views._answers", Answers())
    settings.FREESWITCH_WEB_PASSWORDS = [PASSWORD]
    return Client(headers=basic(), raise_request_exception=False)


@pytest.fixture
def ask(switch: Client) -> Ask:
    """Return a function that asks for a section with some fields and reads the document of the answer."""

    def post(section: str, **fields: str) -> ElementTree.Element:
        named = {name.replace("__", "-"): value for name, value in fields.items()}
        body = urlencode({"section": section, **named})
        answer = switch.post(f"/freeswitch/{section}", body, content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
        return parsed(answer.content)

    return post


def parsed(body: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(body)  # noqa: S314 - what we wrote ourselves


def is_not_found(document: ElementTree.Element) -> bool:
    found = document.find("section/result")
    return found is not None and found.attrib == {"status": "not found"}
