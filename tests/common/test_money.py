"""Money is rounded once, half up, by the currency's exponent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Invalid
from common.money import EXPONENTS, exponent, plain, round_money


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.125", "USD", "0.13"),  # half even would say 0.12
        ("0.135", "USD", "0.14"),
        ("0.124999999999", "USD", "0.12"),
        ("-0.125", "USD", "-0.13"),
        ("2.5", "JPY", "3"),
        ("1234567.5", "KRW", "1234568"),
        ("0.0005", "KWD", "0.001"),
        ("1.2345", "BHD", "1.235"),
        ("7", "EUR", "7.00"),
        ("123456789012345678901234567890.125", "USD", "123456789012345678901234567890.13"),
    ],
)
def test_rounds_half_up_to_the_minor_unit(amount: str, currency: str, expected: str) -> None:
    assert str(round_money(Decimal(amount), currency)) == expected


def test_has_no_negative_zero() -> None:
    assert str(round_money(Decimal("-0.001"), "USD")) == "0.00"


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("TND", 3)])
def test_knows_each_currency_s_exponent(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_lists_codes_of_three_capitals_and_exponents_of_at_most_three() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert set(EXPONENTS.values()) == {0, 2, 3}


@pytest.mark.parametrize("code", ["usd", "", "XXX", "DOLLARS", "EU"])
def test_refuses_what_iso_4217_does_not_list(code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        round_money(Decimal(1), code)
    assert refusal.value.code == "unknown-currency"


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=8), st.sampled_from(["JPY", "USD", "KWD"]))
def test_stays_within_half_a_minor_unit(amount: Decimal, currency: str) -> None:
    unit = Decimal(1).scaleb(-exponent(currency))
    rounded = round_money(amount, currency)
    assert abs(rounded - amount) * 2 <= unit
    assert round_money(rounded, currency) == rounded


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.0150", "0.015"), ("0E-12", "0"), ("1E+3", "1000"), ("-0.00", "0"), ("100", "100"), ("-1.50", "-1.5")],
)
def test_writes_plain_numbers(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
