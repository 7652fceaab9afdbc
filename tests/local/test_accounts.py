"""irisx.local.accounts"""

from pathlib import Path

import pytest

from irisx.local import accounts
from irisx.local.accounts import can_reach, forget_home, reachable_home, server_account
from irisx.local.errors import StartError
from irisx.local.processes import Account

NOBODY = Account(name="nobody", uid=65534, gid=65534)


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory in a folder that only we can enter; what lies outside goes to `tmp_path / "shared"`."""
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(accounts, "SHARED_ROOT", shared)
    monkeypatch.setattr(accounts, "can_reach", lambda path, *, account: False)
    path = tmp_path / "closed" / "state"
    path.mkdir(parents=True)
    return path


def test_an_open_folder_is_used_as_it_is(state: Path) -> None:
    account = server_account()
    assert can_reach(state, account=account)
    assert reachable_home(state, account=account) == state


def test_a_closed_folder_gets_another_outside_and_a_link_to_it(closed: Path) -> None:
    home = reachable_home(closed, account=NOBODY)
    assert home.parent == accounts.SHARED_ROOT
    assert (closed / "servers").readlink() == home
    assert reachable_home(closed, account=NOBODY) == home


def test_forgetting_deletes_the_folder_outside(closed: Path) -> None:
    home = reachable_home(closed, account=NOBODY)
    forget_home(closed)
    assert not home.exists()


def test_forgetting_a_copied_checkout_spares_the_originals_folder(closed: Path, tmp_path: Path) -> None:
    home = reachable_home(closed, account=NOBODY)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "servers").symlink_to(home)
    forget_home(copy)
    assert home.exists()


def test_a_folder_outside_that_others_may_write_to_is_refused(closed: Path) -> None:
    home = reachable_home(closed, account=NOBODY)
    home.chmod(0o777)
    with pytest.raises(StartError, match="belongs to somebody else"):
        reachable_home(closed, account=NOBODY)
