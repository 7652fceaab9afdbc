"""Numbers: 1 to n without a gap and in the order of their dates, whoever finalizes at once and whatever rolls back."""

import os
import random
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice, InvoiceSequence, LegalEntity
from billing.models.parties import TOP_UP_PREFIX
from billing.services import finalize_invoice
from billing.services.numbering import take_number
from tests.billing.helpers import APRIL, announced, buy_from, drafted, sell_from
from tests.factories import make_company

DAY = date(2026, 4, 1)


class RolledBack(Exception):
    """The transaction dies after it took a number."""


class TestTake:
    def test_begins_with_one_in_each_series(self, db: None) -> None:
        seller, other = sell_from("IE"), LegalEntity.objects.create(name="Other", invoice_prefix="INV")
        taken = [take_number(one, prefix=prefix, on=DAY) for one in (seller, other) for prefix in ("INV", "CN")]
        assert [str(number) for number in taken] == ["INV-000001", "CN-000001"] * 2
        assert str(take_number(seller, prefix="INV", on=DAY)) == "INV-000002"

    def test_begins_anew_each_year_where_the_seller_wants_it(self, db: None) -> None:
        seller = sell_from("IE", has_yearly_series=True)
        days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)]
        assert [str(take_number(seller, prefix="INV", on=day)) for day in days] == [
            "INV-2026-000001",
            "INV-2027-000001",
            "INV-2027-000002",
        ]

    def test_a_date_never_goes_back(self, db: None) -> None:
        seller = sell_from("IE")
        days = [DAY, DAY - timedelta(days=9), DAY + timedelta(days=1)]
        assert [take_number(seller, prefix="INV", on=day).issue_date for day in days] == [DAY, DAY, days[2]]

    def test_is_given_back_by_a_rollback(self, committed_db: None) -> None:
        seller = sell_from("IE")
        with pytest.raises(RolledBack), transaction.atomic():
            take_number(seller, prefix="INV", on=DAY)
            raise RolledBack
        assert take_number(seller, prefix="INV", on=DAY).value == 1

    def test_no_gap_under_sixteen_threads_of_which_a_tenth_roll_back(self, committed_db: None) -> None:
        seller = sell_from("IE")
        chance = random.Random(4)
        dies = [chance.random() < 0.1 for _ in range(480)]

        def take(dying: bool) -> int:
            try:
                with transaction.atomic():
                    value = take_number(seller, prefix="INV", on=DAY).value
                    if dying:
                        raise RolledBack
                return value
            except RolledBack:
                return 0
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as pool:
            taken = [value for value in pool.map(take, dies) if value]
        assert sorted(taken) == list(range(1, dies.count(False) + 1))
        assert InvoiceSequence.objects.get().last == len(taken)


class TestFinalizedAtOnce:
    def test_every_invoice_has_one_number_and_none_is_left_out(self, committed_db: None) -> None:
        sell_from("IE")
        companies = [make_company(f"C{n}", owner=f"O{n}", agent=f"A{n}", finance=f"F{n}") for n in range(6)]
        drafts = []
        for company in companies:
            buy_from(company, "IE")
            drafts.append(drafted(company))

        def finalize(attempt: tuple[Invoice, bool]) -> None:
            draft, dying = attempt
            try:
                with tenant_scope(draft.tenant_id):
                    finalize_invoice(tenant_id=draft.tenant_id, invoice_id=draft.pk, now=APRIL)
                    if dying:
                        raise RolledBack
            except RolledBack:
                pass
            finally:
                connection.close()

        attempts = [(draft, dying) for draft in drafts for dying in (True, False, False)]
        random.Random(4).shuffle(attempts)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(finalize, attempts))
        with system_access("test"):
            numbers = sorted(Invoice.unscoped.values_list("invoice_number", flat=True))
        assert numbers == [f"INV-{number:06d}" for number in range(1, 7)]
        assert [announced(company) for company in companies] == [["invoice.finalized"]] * 6


class TestKilled:
    def test_no_gap_when_processes_die_holding_a_number(self, committed_db: None) -> None:
        """Sixteen processes finalize the same drafts; a tenth of the attempts roll back, another dies by SIGKILL."""
        sell_from("IE")
        companies = [make_company(f"K{n}", owner=f"O{n}", agent=f"A{n}", finance=f"F{n}") for n in range(8)]
        drafts = []
        for company in companies:
            buy_from(company, "IE")
            drafts.append(drafted(company))
        killed = 0
        for attempt in range(20):
            killed += _fork_sixteen(drafts, seed=attempt)
            with system_access("test"):
                if not Invoice.unscoped.filter(invoice_number="").exists() and killed:
                    break
        with system_access("test"):
            numbers = sorted(Invoice.unscoped.values_list("invoice_number", flat=True))
        assert killed
        assert numbers == [f"INV-{number:06d}" for number in range(1, 9)]
        assert InvoiceSequence.objects.get().last == 8


def _fork_sixteen(drafts: Sequence[Invoice], *, seed: int) -> int:
    """Let sixteen processes finalize drafts, and return how many of them were killed."""
    connection.close()
    connections["default"].close_pool()  # type: ignore[attr-defined] # a pool's threads do not survive a fork
    children = []
    for number in range(16):
        if child := os.fork():
            children.append(child)
        else:
            _finalize_and_exit(drafts, random.Random(100 * seed + number))
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert {os.waitstatus_to_exitcode(end) for end in ends} <= {0, -signal.SIGKILL}
    return sum(os.waitstatus_to_exitcode(end) == -signal.SIGKILL for end in ends)


def _finalize_and_exit(drafts: Sequence[Invoice], chance: random.Random) -> None:
    code = 1
    try:
        for draft in chance.sample(list(drafts), 2):
            fate = chance.random()
            try:
                with tenant_scope(draft.tenant_id):
                    finalize_invoice(tenant_id=draft.tenant_id, invoice_id=draft.pk, now=APRIL)
                    if fate < 0.1:
                        os.kill(os.getpid(), signal.SIGKILL)
                    if fate < 0.2:
                        raise RolledBack
            except RolledBack:
                pass
        code = 0
    finally:
        os._exit(code)


@pytest.mark.parametrize("name", ["invoice_prefix", "credit_note_prefix"])
def test_no_series_is_that_of_the_top_ups(name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        LegalEntity(**{"name": "Northwind Ltd", name: TOP_UP_PREFIX}).clean()
    assert list(refusal.value.message_dict) == [name]
