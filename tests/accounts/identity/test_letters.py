"""Letters: sent once by whichever worker is first, tried again when the mail server refuses, and none is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.utils import timezone

from accounts.identity import letters
from accounts.identity.models import Letter, SignUp
from common import mail
from tests import factories
from tests.accounts.identity.helpers import at_once
from tests.assertions import rows


def written(company: factories.Company) -> Letter:
    letters.write(Letter.Kind.RESET, email=company.owner.email, now=timezone.now())
    return rows(Letter)[-1]


def test_one_letter_for_nobody_is_done_and_sends_nothing(db: None) -> None:
    letters.write(Letter.Kind.RESET, email="nobody@example.com", now=timezone.now())
    assert letters.send_waiting(now=timezone.now()) == 0
    assert [(one.done_at is None, one.was_sent) for one in rows(Letter)] == [(False, False)]
    assert outbox.outbox == []


def test_a_refused_letter_is_tried_again_and_given_up_in_the_end(
    acme: factories.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: Any) -> None:
        raise mail.NotSent("no")

    written(acme)
    monkeypatch.setattr(mail, "send", refuse)
    now = timezone.now()
    for attempt in range(1, letters.ATTEMPTS + 3):
        letters.send_waiting(now=now + attempt * timedelta(minutes=6))
    [letter] = rows(Letter)
    assert (letter.attempts, letter.was_sent, letter.done_at is None) == (letters.ATTEMPTS, False, False)


def test_a_letter_whose_worker_died_is_taken_up_again(acme: factories.Company) -> None:
    letter, now = written(acme), timezone.now()
    Letter.objects.filter(pk=letter.pk).update(claimed_at=now, attempts=1)
    assert letters.send_waiting(now=now + timedelta(minutes=4)) == 0
    assert letters.send_waiting(now=now + timedelta(minutes=6)) == 1


def test_many_workers_send_a_letter_once(committed_db: None) -> None:
    company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    written(company)
    now = timezone.now()
    assert sum(at_once([lambda: letters.send_waiting(now=now)] * 4)) == 1


def test_old_letters_and_sign_ups_go(db: None) -> None:
    now = timezone.now()
    for age in (timedelta(days=8), timedelta(days=6)):
        letters.write(Letter.Kind.RESET, email="a@example.com", now=now - age)
        SignUp.objects.create(email="a@example.com", created_at=now - age)
    letters.forget_old(now=now)
    assert [len(rows(model)) for model in (Letter, SignUp)] == [1, 1]
