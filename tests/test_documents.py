"""What the documents say is there: links, paths, commands, settings."""

import re
from pathlib import Path

import pytest

from irisx import __version__, env

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
PACKAGES = (
    "accounts",
    "benchmarks",
    "billing",
    "chat",
    "common",
    "deploy",
    "docs",
    "irisx",
    "telephony",
    "tests",
    "usage",
)
PATH = re.compile(rf"`((?:{'|'.join(PACKAGES)})/[\w./-]*)`")
# Written in capitals like settings, but another program's, or of no program.
NO_SETTINGS = {"ATOMIC_REQUESTS", "ESL_IP", "IRISX_WEB", "PG_BINDIR", "SET_ROLE"}  # the switch's own among them
HANGUP_CAUSES = {
    "ALLOTTED_TIMEOUT", "CALL_REJECTED", "NO_ANSWER", "NO_ROUTE_DESTINATION", "NO_USER_RESPONSE", "NORMAL_CLEARING",
    "NORMAL_TEMPORARY_FAILURE", "ORIGINATOR_CANCEL", "UNALLOCATED_NUMBER", "USER_BUSY",
}  # fmt: skip


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("document", paths, ids=name_of)


@each(DOCUMENTS)
class TestADocument:
    def test_links_to_what_is_there(self, document: Path) -> None:
        targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
        here = [target for target in targets if not target.startswith(("http://", "https://"))]
        assert [target for target in here if not (document.parent / target).exists()] == []

    def test_names_paths_that_are_there(self, document: Path) -> None:
        names = PATH.findall(document.read_text())
        assert [name for name in names if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()] == []

    def test_names_make_targets_that_are_there(self, document: Path) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        named = re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets

    def test_names_benchmarks_that_are_there(self, document: Path) -> None:
        for module in re.findall(r"python -m (benchmarks\.\w+)", document.read_text()):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module

    def test_names_settings_that_are_there(self, document: Path) -> None:
        known = (
            {variable.name for variable in env.VARIABLES}
            | {name for name, _, _ in env.COMPOSE}
            | NO_SETTINGS
            | HANGUP_CAUSES
        )
        named = re.findall(r"`([A-Z][A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", document.read_text())
        assert set(named) - known == set()


@each(ADRS)
class TestADecision:
    def test_has_its_number_a_status_and_about_ten_lines(self, document: Path) -> None:
        lines = document.read_text().splitlines()
        assert lines[0].startswith(f"# {document.name[:4]} ")
        assert lines[2] == "Status: accepted"
        assert len(lines) <= 16


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))


def test_the_readme_is_read_in_a_minute() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 450


def test_the_architecture_shows_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert [name for name in PACKAGES if f"{name}/" not in text] == []


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## .*{re.escape(__version__)}", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
