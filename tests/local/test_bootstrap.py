"""irisx.local.bootstrap"""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from irisx.local import bootstrap


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the three locks and a virtual environment whose interpreter works."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    for name in bootstrap.LOCKS:
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def is_installed(checkout: Path, lock: str) -> bool:
    return bootstrap.is_installed(checkout / lock, checkout / ".venv")


def test_an_installed_lock_is_not_installed_again(checkout: Path) -> None:
    assert not is_installed(checkout, "requirements-local.lock")
    bootstrap.stamp(checkout / "requirements-local.lock", checkout / ".venv")
    assert is_installed(checkout, "requirements-local.lock")


def test_a_wider_lock_serves_the_narrower_but_not_the_other_way_round(checkout: Path) -> None:
    bootstrap.stamp(checkout / "requirements-local.lock", checkout / ".venv")
    assert is_installed(checkout, "requirements.lock")
    assert not is_installed(checkout, "requirements-dev.lock")


def test_a_changed_lock_is_installed_again(checkout: Path) -> None:
    bootstrap.stamp(checkout / "requirements.lock", checkout / ".venv")
    (checkout / "requirements.lock").write_text("# newer\n")
    assert not is_installed(checkout, "requirements.lock")


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Path) -> None:
    bootstrap.stamp(checkout / "requirements.lock", checkout / ".venv")
    (checkout / ".venv" / "bin" / "python").unlink()
    assert not is_installed(checkout, "requirements.lock")


@pytest.mark.parametrize(("narrow", "wide"), list(pairwise(bootstrap.LOCKS)))
def test_each_lock_is_part_of_the_next(narrow: str, wide: str) -> None:
    def pins(name: str) -> set[str]:
        lines = (bootstrap.ROOT / name).read_text().splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins(narrow) <= pins(wide)
