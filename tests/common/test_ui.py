"""The small parts of templates."""

from decimal import Decimal

import pytest

from common.ui.templatetags import ui


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.5", "USD", "$12.50"),
        ("0.0150000000", "USD", "$0.015"),
        ("1234567", "EUR", "€1,234,567.00"),
        ("-3.1", "GBP", "−£3.10"),
        ("1500.000", "JPY", "JPY 1,500"),
        ("0", "CHF", "CHF 0.00"),
        ("1.5", "KWD", "KWD 1.500"),
    ],
)
def test_money_has_the_currencys_decimals_and_no_idle_ones(amount: str, currency: str, shown: str) -> None:
    assert ui.money(Decimal(amount), currency) == shown


@pytest.mark.parametrize(("value", "shown"), [("1204.500000", "1,204.5"), ("2.000000", "2"), ("0", "0")])
def test_a_quantity_has_no_idle_zeros(value: str, shown: str) -> None:
    assert ui.quantity(Decimal(value)) == shown


@pytest.mark.parametrize(("name", "shown"), [("Ana María López", "AL"), ("bob", "B"), ("李雷", "李"), ("  ", "?")])
def test_initials_are_first_and_last(name: str, shown: str) -> None:
    assert ui.initials(name) == shown


def test_an_icon_is_decoration_unless_it_is_named() -> None:
    assert 'aria-hidden="true"' in ui.icon("mail")
    assert 'aria-label="Mail &amp; post"' in ui.icon("mail", "Mail & post")


def test_a_name_cannot_become_markup() -> None:
    assert "<b" not in ui.avatar("<b>x</b> <i>")
