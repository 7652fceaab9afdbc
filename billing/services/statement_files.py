"""A statement as a file: CSV for reckoning with, PDF for filing."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from billing.documents.account import AccountContent, PrintedAccount, PrintedEntry, printed_account
from billing.documents.pdf import render_statement
from billing.exports.cells import Row, Table
from billing.exports.csv_file import CsvFile
from billing.services.assessing import assess
from billing.services.contents import UNNAMED_SELLER, logo_of, party_of
from billing.services.documents import Printed
from billing.services.statements import Account, Statement
from common.money import round_money

HEADINGS = ("account", "date", "kind", "document", "detail", "amount", "balance", "currency")


def statement_csv(found: Statement) -> bytes:
    """Return both accounts, each between its opening and its closing balance; text that could be a formula is defused."""
    file = CsvFile(Table("Statement", HEADINGS))
    for name, account in (("owed", found.owed), ("prepaid", found.prepaid)):
        for row in _rows(account, found):
            file.add([name, *row, found.currency])
    return file.finish()


def statement_pdf(found: Statement, *, tenant_id: UUID, now: datetime) -> Printed:
    """Return a statement as PDF, in the buyer's language, between the parties as they are now."""
    parties = assess(tenant_id=tenant_id, on=found.end_date)
    logo = logo_of(parties.entity.pk if parties.entity else None, now)
    content = AccountContent(
        language=parties.buyer.language,
        currency=found.currency,
        seller=party_of(parties.seller or UNNAMED_SELLER),
        buyer=party_of(parties.buyer),
        first=found.start_date,
        last=found.end_date,
        owed=_printed(found.owed),
        prepaid=_printed(found.prepaid),
        logo=logo,
    )
    pdf = render_statement(printed_account(content), logo=logo, as_of=now)
    return Printed(f"{found.filename}.pdf", pdf, sha256(pdf).hexdigest())


def _rows(account: Account, found: Statement) -> list[Row]:
    opening = round_money(account.opening, found.currency)
    closing = round_money(account.closing, found.currency)
    return [
        (found.start_date, "opening_balance", "", "", None, opening),
        *(
            (
                entry.day,
                entry.kind,
                entry.about,
                entry.detail,
                round_money(entry.amount, found.currency),
                round_money(entry.balance, found.currency),
            )
            for entry in account.entries
        ),
        (found.end_date, "closing_balance", "", "", None, closing),
    ]


def _printed(account: Account) -> PrintedAccount:
    entries = [
        PrintedEntry(entry.day, entry.kind, (entry.about, *entry.detail.split(", ", 1)), entry.amount, entry.balance)
        for entry in account.entries
    ]
    return PrintedAccount(account.opening, entries, account.closing)
