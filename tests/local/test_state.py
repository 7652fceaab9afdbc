"""irisx.local.state"""

from pathlib import Path

import pytest

from irisx.local.errors import StartError
from irisx.local.processes import ProcessId
from irisx.local.state import StateDirectory


def test_belongs_to_one_supervisor(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    with state.locked():
        state.record(base_url="http://127.0.0.1:8000", processes={"supervisor": ProcessId(pid=7, started="then")})
        message = r"already runs at http://127\.0\.0\.1:8000 \(process 7\)"
        with pytest.raises(StartError, match=message), StateDirectory(tmp_path / "state").locked():
            pass


def test_makes_its_secrets_once_and_for_us_alone(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    assert state.secrets() == StateDirectory(tmp_path).secrets()
    assert len(set(state.secrets().values())) == len(state.secrets())
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_remembers_who_ran(tmp_path: Path) -> None:
    processes = {"web": ProcessId(pid=5, started="then")}
    StateDirectory(tmp_path).record(base_url="", processes=processes)
    assert StateDirectory(tmp_path).recorded() == processes


def test_takes_a_file_cut_short_for_none(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"web": 80')
    assert StateDirectory(tmp_path).read("ports.json") == {}


def test_forgets_everything(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    with state.locked():
        state.secrets()
        state.forget()
    assert not state.path.exists()
