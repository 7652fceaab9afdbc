"""Who may ask as the switch."""

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.telephony.switch.conftest import PASSWORD, basic

PATHS = ["/freeswitch/dialplan", "/freeswitch/directory"]
STRANGERS = [
    {},
    basic("another"),
    basic(""),
    basic(PASSWORD, user="root"),
    basic(PASSWORD + "x"),
    {"Authorization": "Basic " + PASSWORD},
    {"Authorization": "Basic é"},
    {"Authorization": "Basic"},
    {"Authorization": "Bearer " + basic()["Authorization"].split()[1]},
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", STRANGERS, ids=range(len(STRANGERS)))
def test_a_stranger_is_told_to_sign_in_and_nothing_else(
    settings: LazySettings, path: str, headers: dict[str, str]
) -> None:
    settings.FREESWITCH_WEB_PASSWORDS = [PASSWORD]

    answer = Client(headers=headers).post(path, {"section": path.split("/")[-1]})

    assert (answer.status_code, answer.content) == (401, b"Sign in as the switch.\n")
    assert answer["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_password_nobody_signs_in(settings: LazySettings, path: str) -> None:
    settings.FREESWITCH_WEB_PASSWORDS = []
    for headers in [basic(""), basic("freeswitch"), basic()]:
        assert Client(headers=headers).post(path).status_code == 401


def test_while_it_is_changed_the_old_password_and_the_new_one_are_good(settings: LazySettings) -> None:
    settings.FREESWITCH_WEB_PASSWORDS = ["aNewPassword000001", PASSWORD]
    for password in settings.FREESWITCH_WEB_PASSWORDS:
        assert Client(headers=basic(password)).post("/freeswitch/directory").status_code == 200


def test_the_switch_posts(switch: Client) -> None:
    answer = switch.get("/freeswitch/dialplan")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
