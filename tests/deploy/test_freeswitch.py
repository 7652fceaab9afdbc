"""deploy/freeswitch: its files are XML, it is given every variable it reads, and its user may run what we send."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "freeswitch"
FILES = sorted(CONFIGURATION.rglob("*.xml"))
SERVICE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["freeswitch"]


def params(name: str) -> dict[str, str]:
    root = ElementTree.fromstring((CONFIGURATION / name).read_text())  # noqa: S314 - our own file
    return {found.attrib["name"]: found.attrib["value"] for found in root.iter("param")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_is_xml(path: Path) -> None:
    assert ElementTree.fromstring(path.read_text()).tag  # noqa: S314 - our own file


def test_compose_gives_every_variable_it_reads() -> None:
    text = (CONFIGURATION / "freeswitch.xml").read_text()
    read = dict(re.findall(r'env-set" data="([a-z_]+)=\$([A-Z_]+)"', text))
    assert set(read.values()) == set(SERVICE["environment"])
    used = set().union(*(re.findall(r"\$\$\{([a-z_0-9]+)\}", path.read_text()) for path in FILES))
    assert used - {"local_ip_v4"} == set(read)


def test_the_listeners_user_may_run_what_we_send_and_nothing_else() -> None:
    source = (ROOT / "telephony" / "esl" / "commands.py").read_text()
    sent = set(re.findall(r"\b(?:bg)?api ([a-z_]+)", source))
    allowed = set(params("directory/listener.xml")["esl-allowed-api"].split(" "))
    assert sent
    assert allowed == sent | {"status"}  # the container's health check


def test_the_bare_password_cannot_be_sent() -> None:
    assert "\n" in params("autoload_configs/event_socket.conf.xml")["password"]


def test_every_profile_takes_calls_from_those_it_knows() -> None:
    assert params("sip_profiles/external.xml")["apply-inbound-acl"] == "carriers"
    assert params("sip_profiles/agents.xml")["auth-calls"] == "true"
