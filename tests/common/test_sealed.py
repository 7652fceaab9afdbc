"""Secrets at rest: sealed, opened by any key, changed by nobody."""

import pytest
from pytest_django import Settings

from common.sealed import CannotOpen, seal, unseal

OLD, NEW = "o" * 50, "n" * 50


def test_what_is_sealed_is_opened_and_shows_nothing() -> None:
    sealed = seal("whsec_hush")
    assert "hush" not in sealed
    assert unseal(sealed) == "whsec_hush"
    assert seal("whsec_hush") != sealed


def test_a_new_key_in_front_opens_what_the_others_sealed(settings: Settings) -> None:
    by_secret_key = seal("first")
    settings.IRISX_ENCRYPTION_KEYS = [OLD]
    by_old = seal("second")
    settings.IRISX_ENCRYPTION_KEYS = [NEW, OLD]
    by_new = seal("third")
    assert [unseal(by_secret_key), unseal(by_old), unseal(by_new)] == ["first", "second", "third"]
    settings.IRISX_ENCRYPTION_KEYS = [NEW]
    assert unseal(by_new) == "third"
    with pytest.raises(CannotOpen):
        unseal(by_old)


@pytest.mark.parametrize("text", ["", "nothing of ours", "gAAAAA"])
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    with pytest.raises(CannotOpen):
        unseal(text)


def test_what_was_changed_does_not_open() -> None:
    sealed = seal("hush")
    with pytest.raises(CannotOpen):
        unseal(sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:])
