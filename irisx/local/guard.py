"""Become another program, perhaps as another account, that cannot outlive its parent.

Usage: guard.py PARENT_PID DEATH_SIGNAL UID GID COMMAND [ARGUMENT…]    (UID and GID -1: stay who we are)

A program of its own rather than a `preexec_fn`: that one is unsafe beside threads, and deprecated there since 3.12.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    """Replace this process by the command."""
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    libc = ctypes.CDLL(None)  # before `become`: the other account may not be able to read our Python's libraries
    become(uid=uid, gid=gid)
    die_with_parent(libc, parent=parent, death_signal=death_signal)
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the whole purpose
    except OSError as error:
        sys.exit(f"Cannot start {command[0]}: {error.strerror}.")


def become(*, uid: int, gid: int) -> None:
    """Give up root for good."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def die_with_parent(libc: ctypes.CDLL, *, parent: int, death_signal: int) -> None:
    """Ask Linux to signal us when the parent ends; elsewhere the next start cleans up.

    Comes after `become`: the kernel forgets the wish when credentials change (prctl(2)).
    """
    if not sys.platform.startswith("linux"):
        return
    libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The parent ended before this program began.")


if __name__ == "__main__":
    main(sys.argv[1:])
