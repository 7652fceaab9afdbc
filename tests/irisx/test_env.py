"""irisx.env: an unknown, missing or wrong setting stops the start with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from irisx import env

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgres://irisx_app:hush@db:5432/irisx",
    "REDIS_URL": "redis://:hush@valkey:6379/0",
}
POSTGRES = "an address like postgres://user:password@host:5432/database"
REDIS = "an address like redis://:password@host:6379/0, rediss://… or unix://…"
SWITCH_PASSWORD = "16 random letters and digits or more each, separated by commas"
ESL = "esl://[user]:password@host:port, several separated by commas"
MAIL = "smtp+tls://user:password@host:587, smtp+ssl://…, smtp://… or consolemail://"
ORIGIN = "an address like https://irisx.example.com, with nothing behind host and port"
WRONG = [
    ("SECRET_KEY", "changeme-hush", "(hidden)", "50 random characters or more"),
    ("DEBUG", "maybe", "'maybe'", "true or false"),
    ("ALLOWED_HOSTS", ",", "','", "host names, separated by commas"),
    ("DATABASE_URL", "mysql://root:hush@db/irisx", "(hidden)", POSTGRES),
    ("DATABASE_URL", "postgres://root:hush@db", "(hidden)", POSTGRES),
    ("DATABASE_URL", "postgres://root:hush@db:many/irisx", "(hidden)", POSTGRES),
    ("DATABASE_URL", "postgres://[::1:hush/irisx", "(hidden)", POSTGRES),
    ("DATABASE_MIGRATION_URL", "hush", "(hidden)", POSTGRES),
    ("DATABASE_POOL_SIZE", "0", "'0'", "a whole number from 1 to 500"),
    ("DATABASE_POOL_SIZE", "ten", "'ten'", "a whole number from 1 to 500"),
    ("REDIS_URL", "http://:hush@valkey", "(hidden)", REDIS),
    ("REDIS_URL", "redis://:hush@valkey:99999/0", "(hidden)", REDIS),
    ("FREESWITCH_URL", "esl://hush@switch:8021", "(hidden)", ESL),
    ("FREESWITCH_URL", "esl://:hush@switch:8021,esl://:hush@other", "(hidden)", ESL),
    ("FREESWITCH_WEB_PASSWORD", "hush", "(hidden)", SWITCH_PASSWORD),
    ("EMAIL_URL", "post://me:hush@mail", "(hidden)", MAIL),
    ("EMAIL_URL", "smtp://me:hush@mail:smtp", "(hidden)", MAIL),
    ("IRISX_BASE_URL", "irisx.example.com", "'irisx.example.com'", ORIGIN),
    ("IRISX_BASE_URL", "https://example.com/irisx", "'https://example.com/irisx'", ORIGIN),
    ("IRISX_DEMO", "2", "'2'", "true or false"),
    ("IRISX_LOG_LEVEL", "loud", "'loud'", "one of DEBUG, INFO, WARNING, ERROR"),
    ("IRISX_WORKER_STALE_SECONDS", "4", "'4'", "a whole number from 5 to 3600"),
]


def refusal(changes: dict[str, str]) -> str:
    with pytest.raises(env.ConfigurationError) as stopped:
        env.read(NEEDED | changes)
    return str(stopped.value)


@pytest.mark.parametrize(("name", "value", "shown", "right"), WRONG)
def test_a_wrong_value_is_refused_with_what_would_be_right(name: str, value: str, shown: str, right: str) -> None:
    assert refusal({name: value}) == f"{name} is {shown}; right would be {right}."


@pytest.mark.parametrize("name", [variable.name for variable in env.VARIABLES if variable.is_secret])
def test_a_secret_is_never_shown(name: str) -> None:
    assert "hush" not in refusal({name: "\thush "})


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named_with_its_meaning(name: str) -> None:
    meaning = next(variable.help for variable in env.VARIABLES if variable.name == name)
    assert refusal({name: ""}) == f"{name} is not set; it must be: {meaning}."


def test_an_unknown_setting_of_ours_is_refused() -> None:
    assert refusal({"IRISX_BASE_ULR": "x"}) == (
        "IRISX_BASE_ULR is not a setting of IRISX; see .env.example for those that are."
    )


def test_what_is_not_ours_is_left_alone() -> None:
    assert env.read(NEEDED | {"_IRISX_STATE_DIR": "x", "PATH": "x"})["DEBUG"] is False


def test_every_default_is_right() -> None:
    found = env.read(NEEDED)
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["DATABASE_MIGRATION_URL"] == ""
    assert found["FREESWITCH_URL"] == []
    assert found["IRISX_MAIL_DIR"] is None
    assert found["IRISX_MEDIA_ROOT"] == Path("media").resolve()


def test_several_switches_are_read_in_order() -> None:
    nodes = "esl://:one@a:8021, esl://user:two@[::1]:8022"
    assert env.read(NEEDED | {"FREESWITCH_URL": nodes})["FREESWITCH_URL"] == [
        "esl://:one@a:8021",
        "esl://user:two@[::1]:8022",
    ]


def test_the_start_stops_with_the_sentence_alone() -> None:
    wrong = os.environ | {"IRISX_DEMO": "perhaps"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=wrong, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "IRISX_DEMO is 'perhaps'; right would be true or false.\n"
