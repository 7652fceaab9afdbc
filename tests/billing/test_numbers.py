"""Numbers: 1 to n without a gap and in the order of their dates, whoever finalizes at once and whatever rolls back."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice, InvoiceSequence, LegalEntity
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
