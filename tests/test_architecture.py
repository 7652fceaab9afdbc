"""The shape of the house, read from its sources and its models. Needs no database."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from accounts.tenancy.models import LedgerModel, TenantManager, TenantModel
from irisx import env

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"common": 0, "accounts": 1, "usage": 2, "billing": 3, "chat": 3, "telephony": 3, "irisx": 4}
SOURCES = [
    path
    for app in FLOORS
    for path in sorted((ROOT / app).rglob("*.py"))
    if not {"migrations", "__pycache__"} & set(path.parts)
]


@cache
def imports_of(path: Path) -> frozenset[str]:
    return frozenset(_imports_of(path))


def _imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def files_importing(module: str) -> set[str]:
    return {name_of(p) for p in SOURCES if any(i == module or i.startswith(module + ".") for i in imports_of(p))}


def test_no_import_runs_against_the_arrows() -> None:
    wrong = [
        (name_of(path), imported)
        for path in SOURCES
        for imported in imports_of(path)
        for own, other in [(path.relative_to(ROOT).parts[0], imported.split(".")[0])]
        if other in FLOORS and other != own and FLOORS[other] >= FLOORS[own]
    ]
    assert wrong == []


def test_only_live_talks_to_the_channel_layer() -> None:
    assert files_importing("channels.layers") == {"common/live/layer.py"}


def test_only_outgoing_opens_customers_addresses() -> None:
    clients = {
        "httpx",
        "httpcore",
        "requests",
        "urllib3",
        "aiohttp",
        "urllib.request",
        "http.client",
        "h11",
        "websockets",
    }
    users = {name for client in clients for name in files_importing(client)}
    # The supervisor and the demo ask our own /health and pages: no address of a customer's.
    assert {name for name in users if not name.startswith("irisx/local/")} == {"common/outgoing/wire.py"}


def test_nothing_else_opens_connections() -> None:
    """Whoever opens one by hand must be known: Event Socket links go where the operator's FREESWITCH_URL says."""
    opens = re.compile(r"\b(open_connection|create_connection|sock_connect|socket\.socket|urlopen|HTTPS?Connection)\(")
    users = {name_of(path) for path in SOURCES if opens.search(path.read_text())}
    assert {name for name in users if not name.startswith("irisx/local/")} == {
        "common/outgoing/client.py",
        "telephony/esl/link.py",
        "telephony/esl/probe.py",
    }


def test_only_mail_sends_mail() -> None:
    # The demo's mailbox is a backend: it keeps what common.mail sends.
    assert files_importing("django.core.mail") == {"common/mail.py", "irisx/portal/mailbox.py"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_stays_under_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_no_serializer_is_tied_to_a_model() -> None:
    tied = [name_of(path) for path in SOURCES if re.search(r"\bModelSerializer\b|RelatedField\b", path.read_text())]
    assert tied == []


def tenant_models() -> list[type[TenantModel]]:
    return [model for model in apps.get_models() if issubclass(model, TenantModel)]


@pytest.mark.parametrize("model", tenant_models(), ids=lambda m: m.__name__)
class TestATenantModel:
    def test_refuses_unscoped_reads_through_objects(self, model: type[TenantModel]) -> None:
        assert isinstance(model.objects, TenantManager)

    def test_lets_django_use_the_unscoped_manager(self, model: type[TenantModel]) -> None:
        assert model._default_manager.name == model._base_manager.name == "unscoped"

    def test_takes_its_id_from_code(self, model: type[TenantModel]) -> None:
        assert model._meta.pk is not None
        assert model._meta.pk.has_default()


@pytest.mark.parametrize(
    "model", [m for m in apps.get_models() if issubclass(m, LedgerModel)], ids=lambda m: m.__name__
)
class TestALedger:
    def test_has_the_tenant_first_in_every_unique_key(self, model: type[LedgerModel]) -> None:
        for constraint in model._meta.constraints:
            if fields := getattr(constraint, "fields", ()):
                assert fields[0] == "tenant", constraint.name

    def test_holds_no_foreign_key_in_the_database(self, model: type[LedgerModel]) -> None:
        held = [f.name for f in model._meta.fields if f.is_relation and f.db_constraint]  # type: ignore[union-attr]
        assert held == []

    def test_is_held_by_no_other_table(self, model: type[LedgerModel]) -> None:
        holders = [
            f"{other.__name__}.{f.name}"
            for other in apps.get_models()
            for f in other._meta.fields
            if f.is_relation and f.related_model is model and f.db_constraint  # type: ignore[union-attr]
        ]
        assert holders == []


def test_the_example_environment_lists_every_setting() -> None:
    assert (ROOT / ".env.example").read_text() == env.example()


def test_the_repository_names_no_registry_host() -> None:
    hosts = re.compile(r"p[y]pi\.org|pythonh[o]sted\.|npm[j]s\.org|d[e]b\.debian\.")
    files = [p for p in ROOT.glob("*") if p.is_file()] + SOURCES + list((ROOT / "docs").rglob("*.md"))
    assert [name_of(p) for p in files if p.suffix not in {".png"} and hosts.search(p.read_text())] == []
