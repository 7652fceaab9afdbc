"""Documents as values, for whoever prints or writes them: an Irish seller's, all consistent to the cent."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from billing.documents.content import (
    BankAccount,
    Corrected,
    InvoiceContent,
    Kind,
    Line,
    Party,
    StatedTax,
    TaxGroup,
    UsageDay,
)

D = Decimal
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
DECEMBER = (date(2026, 12, 1), date(2026, 12, 31))
SELLER = Party(
    "Northwind Communications Ltd",
    ("12 Harbour Street",),
    "D02 X285",
    "Dublin",
    "IE",
    "IE6388047V",
    "billing@northwind.example",
)
GERMAN = Party("Acme GmbH", ("Lindenstraße 5",), "10969", "Berlin", "DE", "DE136695976", "finance@acme.example")
IRISH = Party("Liffey Foods Ltd", ("3 Quay Lane", "Unit 4"), "D01 F5P2", "Dublin", "IE", "IE8256796U")
AMERICAN = Party(
    "Initech Inc.", ("100 Main Street", "Suite 400"), "94105", "San Francisco", "US", "", "ap@initech.example"
)
RATE = {"tax_category": "S", "tax_rate": D("23")}
CALLS = "20,118 calls, billed 60/60 s"
LINES = (
    Line("Professional plan, monthly fee", *DECEMBER, D(1), "month", D("99"), D("99.00"), **RATE),
    Line("Voice, outbound to +1", *NOVEMBER, D("86412"), "minutes", D("0.0120"), D("1036.94"), CALLS, **RATE),
    Line("SMS", *NOVEMBER, D("12500"), "messages", D("0.0070"), D("87.50"), **RATE),
)  # fmt: skip
# Standard rate: 1223.44 of lines, 50.00 of them covered by included credit, 23 % of the rest, 100.00 paid by credit.
STANDARD = InvoiceContent(
    number="INV-000042",
    is_draft=False,
    currency="EUR",
    seller=SELLER,
    buyer=IRISH,
    plan="Professional",
    period_start=NOVEMBER[0],
    period_end=NOVEMBER[1],
    issue_date=date(2026, 12, 1),
    due_date=date(2026, 12, 15),
    lines=LINES,
    subtotal=D("1223.44"),
    allowance=D("50.00"),
    tax=D("269.89"),
    total=D("1443.33"),
    tax_groups=(TaxGroup("S", D(23), D("1223.44"), D("50.00"), D("1173.44"), D("269.89")),),
    prepaid=D("100.00"),
    bank=BankAccount("IE29AIBK93115212345678", "AIBKIE2D", "Harbour Bank"),
    buyer_reference="PO-2026-17",
    timezone="Europe/Dublin",
    as_of=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
)
DRAFT = replace(
    STANDARD, is_draft=True, number="", issue_date=None, due_date=None, prepaid=D(0), bank=None,
    lines=tuple(replace(line, tax_category="", tax_rate=D(0)) for line in LINES),
    tax=D(0), total=D("1173.44"), tax_groups=(),
)  # fmt: skip
REVERSE_REASON = "Reverse charge: the recipient is liable for the tax"
REVERSE_CHARGE = replace(
    STANDARD,
    number="INV-000043",
    buyer=GERMAN,
    language="de",
    lines=tuple(replace(line, tax_category="AE", tax_rate=D(0)) for line in LINES),
    tax=D(0),
    total=D("1173.44"),
    tax_groups=(TaxGroup("AE", D(0), D("1223.44"), D("50.00"), D("1173.44"), D(0), REVERSE_REASON),),
    prepaid=D(0),
)
OUTSIDE = replace(
    REVERSE_CHARGE,
    number="INV-000044",
    buyer=AMERICAN,
    language="en",
    lines=tuple(replace(line, tax_category="O", tax_rate=D(0)) for line in LINES),
    tax_groups=(TaxGroup("O", D(0), D("1223.44"), D("50.00"), D("1173.44"), D(0), "Not subject to tax here"),),
)
DOLLARS = replace(STANDARD, number="INV-000045", currency="USD", stated_tax=StatedTax("EUR", D("0.9215"), D("248.70")))
CREDIT_NOTE = InvoiceContent(
    kind=Kind.CREDIT_NOTE,
    number="CN-000007",
    is_draft=False,
    currency="EUR",
    seller=SELLER,
    buyer=IRISH,
    period_start=NOVEMBER[0],
    period_end=NOVEMBER[1],
    issue_date=date(2026, 12, 9),
    due_date=None,
    corrected=Corrected("INV-000042", date(2026, 12, 1), "Calls of 3 November counted twice"),
    lines=(Line("Voice, outbound to +1", *NOVEMBER, D(1), "", None, D("120.00"), **RATE),),
    subtotal=D("120.00"),
    allowance=D(0),
    tax=D("27.60"),
    total=D("147.60"),
    tax_groups=(TaxGroup("S", D(23), D("120.00"), D(0), D("120.00"), D("27.60")),),
    timezone="Europe/Dublin",
    as_of=datetime(2026, 12, 9, 9, 30, tzinfo=UTC),
)
METERS = {"Voice": "minutes", "SMS": "messages", "E-mail": "recipients", "WhatsApp": "messages", "Chats": "messages"}


def long_appendix(days: int = 30) -> tuple[UsageDay, ...]:
    """Return usage of five meters on each of so many days."""
    return tuple(
        UsageDay(NOVEMBER[0] + timedelta(days=day), meter, D(1000 * day + 37), unit, 100 * day + 3)
        for day in range(days)
        for meter, unit in METERS.items()
    )
