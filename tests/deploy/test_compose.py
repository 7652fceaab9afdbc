"""docker-compose.yml: what it needs is documented, and what keeps an installation safe stays in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from irisx import env

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
LASTING = {name: service for name, service in SERVICES.items() if name != "migrate"}
USES = re.findall(r"(?<!\$)\$\{([A-Z_]+)(:[-?])([^}]*)\}", TEXT)
KNOWN = {variable.name: variable.default for variable in env.VARIABLES} | {
    name: default for name, default, _ in env.COMPOSE
}
IMAGES_OF_OURS = "${APP_IMAGE:-irisx:latest}"


def each(services: dict[str, dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("service", services.values(), ids=services)


def test_uses_only_variables_that_the_example_lists() -> None:
    assert {name for name, _, _ in USES} <= set(KNOWN)
    assert set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", TEXT)) == {name for name, _, _ in USES}


def test_uses_every_variable_that_is_there_for_it() -> None:
    assert {name for name, _, _ in env.COMPOSE} <= {name for name, _, _ in USES}


@pytest.mark.parametrize(("name", "operator", "text"), sorted(set(USES)))
def test_a_default_is_the_documented_one_and_a_secret_has_none(name: str, operator: str, text: str) -> None:
    if KNOWN[name] is None:
        assert operator == ":?"
        assert text.startswith("must be ")
    else:
        assert (operator, text) == (":-", KNOWN[name])


def test_holds_no_secret_itself() -> None:
    secret = re.compile(r"(PASSWORD|SECRET_KEY|_AUTH)$")
    given = [(n, v) for s in SERVICES.values() for n, v in s.get("environment", {}).items() if secret.search(n)]
    assert given
    assert all(value.startswith("${") and ":?" in value for _, value in given)


def test_gives_our_services_only_settings_that_exist() -> None:
    for_others = {"WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"}  # uvicorn's own
    known = {variable.name for variable in env.VARIABLES} | for_others
    for service in SERVICES.values():
        if service["image"] == IMAGES_OF_OURS:
            assert set(service["environment"]) <= known


def test_knows_the_owners_password_in_two_places_only() -> None:
    holders = [name for name, service in SERVICES.items() if "OWNER_PASSWORD" in str(service.get("environment"))]
    assert holders == ["migrate", "postgres"]


def test_keeps_the_proxy_away_from_the_data() -> None:
    networks = yaml.safe_load(TEXT)["networks"]
    assert SERVICES["proxy"]["networks"] == ["edge"]
    assert networks["data"] == networks["switch"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["data"]


def test_publishes_nothing_but_pages_and_telephony() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy", "freeswitch"}
    assert not any(":8021" in port for port in SERVICES["freeswitch"]["ports"])


@each(SERVICES)
def test_gains_no_privileges_and_writes_only_where_it_must(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@each(SERVICES)
def test_runs_without_root(service: dict[str, Any]) -> None:
    by_image = service["image"] == IMAGES_OF_OURS and "USER 10001:10001" in (ROOT / "Dockerfile").read_text()
    assert by_image or service["user"] not in {"root", "0", "0:0"}


@each(LASTING)
def test_is_checked_and_started_again(service: dict[str, Any]) -> None:
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["web", "worker", "beat", "listener", "webhooks"])
def test_starts_after_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_keeps_what_must_last_in_named_volumes() -> None:
    volumes = set(yaml.safe_load(TEXT)["volumes"])
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert volumes == {mount for mount in mounted if not mount.startswith("./")}
    for path in (mount for mount in mounted if mount.startswith("./")):
        assert (ROOT / path).exists(), path
