"""irisx.local.fingerprint"""

from pathlib import Path

import pytest

from irisx.local import fingerprint


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    path = tmp_path / "usage" / "migrations" / "0001_initial.py"
    path.parent.mkdir(parents=True)
    path.write_text("operations = []\n")
    return path


def test_stays_while_nothing_changes(source: Path) -> None:
    assert fingerprint.source_fingerprint() == fingerprint.source_fingerprint()


def test_changes_with_a_source_file(source: Path) -> None:
    before = fingerprint.source_fingerprint()
    source.write_text("operations = [1]\n")
    assert fingerprint.source_fingerprint() != before


def test_changes_with_a_new_migration(source: Path) -> None:
    before = fingerprint.source_fingerprint()
    source.with_name("0002_more.py").touch()
    assert fingerprint.source_fingerprint() != before


def test_does_not_mind_what_python_compiled(source: Path) -> None:
    before = fingerprint.source_fingerprint()
    source.with_name("0001_initial.pyc").touch()
    assert fingerprint.source_fingerprint() == before
