"""Tax, purely: parties to treatment, and every sum exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.tax import Buyer, Seller, TaxableLine, Treatment, credited_tax, place_of_taxation, share_out, tax_lines
from common.money import exponent, round_money

D = Decimal
STANDARD = Treatment("S", D(23))
REDUCED = Treatment("S", D("9.5"))
ZERO_RATED = Treatment("Z", D(0), "Zero rate")
CURRENCIES = ["USD", "JPY", "KWD"]


def amounts(currency: str, most: int = 10**7) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda units: D(units).scaleb(-exponent(currency)))


class TestPlace:
    @pytest.mark.parametrize(
        ("seller", "buyer", "expected"),
        [
            (Seller("IE"), Buyer("IE"), "IE"),
            (Seller("IE"), Buyer("IE", has_vat_id=True), "IE"),
            (Seller("IE"), Buyer("DE", has_vat_id=True), "AE"),
            (Seller("IE"), Buyer("DE"), "IE"),
            (Seller("IE", uses_oss=True), Buyer("DE"), "DE"),
            (Seller("IE", uses_oss=True), Buyer("DE", has_vat_id=True), "AE"),
            (Seller("IE"), Buyer("US"), "O"),
            (Seller("IE"), Buyer("GB", has_vat_id=True), "O"),
            (Seller("US"), Buyer("US"), "US"),
            (Seller("US"), Buyer("DE"), "O"),
            (Seller("US", uses_oss=True), Buyer("DE"), "DE"),
            (Seller("US"), Buyer("CA"), "O"),
            (Seller("IE"), Buyer("IE", exemption_reason="Embassy"), "E"),
            (Seller("IE"), Buyer("IE", is_reverse_charged=True), "AE"),
        ],
    )
    def test_follows_from_the_parties(self, seller: Seller, buyer: Buyer, expected: str) -> None:
        place = place_of_taxation(seller, buyer)
        assert (place.category if isinstance(place, Treatment) else place) == expected
        if isinstance(place, Treatment):
            assert place.rate == 0
            assert place.reason


class TestTaxLines:
    def test_rounds_once_for_each_group(self) -> None:
        lines = [TaxableLine(D("0.10"), STANDARD)] * 3  # 23 percent of each is 0.023, of all 0.069
        taxed = tax_lines(lines, allowance=D(0), currency="USD")
        assert (taxed.tax, [line.tax for line in taxed.lines]) == (D("0.07"), [D("0.03"), D("0.02"), D("0.02")])

    def test_an_allowance_lowers_the_base_of_what_it_covers(self) -> None:
        lines = [
            TaxableLine(D(99), STANDARD, takes_allowance=False),
            TaxableLine(D(30), STANDARD),
            TaxableLine(D(10), REDUCED),
        ]
        taxed = tax_lines(lines, allowance=D(20), currency="USD")
        assert [line.allowance for line in taxed.lines] == [0, D(15), D(5)]
        assert [(group.treatment, group.base, group.tax) for group in taxed.groups] == [
            (STANDARD, D(114), D("26.22")), (REDUCED, D(5), D("0.48")),
        ]  # fmt: skip
        assert taxed.total == D(139) - 20 + D("26.70")

    def test_no_lines_no_tax(self) -> None:
        taxed = tax_lines([], allowance=D(0), currency="USD")
        assert (taxed.lines, taxed.groups, taxed.total) == ((), (), 0)

    @given(st.data())
    def test_everything_adds_up(self, data: st.DataObject) -> None:
        currency = data.draw(st.sampled_from(CURRENCIES))
        line = st.builds(
            TaxableLine,
            amounts(currency),
            st.sampled_from([STANDARD, REDUCED, ZERO_RATED]),
            takes_allowance=st.booleans(),
        )
        lines = data.draw(st.lists(line, min_size=1, max_size=12))
        most = sum((one.amount for one in lines if one.takes_allowance), D(0))
        units = data.draw(st.integers(0, int(most.scaleb(exponent(currency)))))
        allowance = D(units).scaleb(-exponent(currency))
        taxed = tax_lines(lines, allowance=allowance, currency=currency)
        assert sum(one.allowance for one in taxed.lines) == allowance
        assert sum(one.tax for one in taxed.lines) == sum(group.tax for group in taxed.groups) == taxed.tax
        assert taxed.subtotal == sum(one.amount for one in lines) == sum(group.amount for group in taxed.groups)
        for group in taxed.groups:
            assert group.base == group.amount - group.allowance
            assert group.tax == round_money(group.base * group.treatment.rate / 100, currency)
        for one, share in zip(lines, taxed.lines, strict=True):
            assert 0 <= share.allowance <= (one.amount if one.takes_allowance else 0)
            assert share.tax >= 0
            assert share.tax == round_money(share.tax, currency)


class TestShareOut:
    @pytest.mark.parametrize(
        ("amount", "weights", "shares"),
        [
            ("1.00", [1, 1, 1], ["0.34", "0.33", "0.33"]),
            ("0.01", [1, 5, 5], ["0", "0.01", "0"]),
            ("0.05", [0, 0], ["0.05", "0"]),
            ("-1.00", [1, 1, 1], ["-0.34", "-0.33", "-0.33"]),
            ("0", [], []),
            ("3", [1, 2], ["1", "2"]),
        ],
    )
    def test_gives_what_is_left_to_who_lost_most(self, amount: str, weights: list[int], shares: list[str]) -> None:
        assert share_out(D(amount), [D(weight) for weight in weights], "USD") == [D(share) for share in shares]

    def test_refuses_an_amount_for_nobody(self) -> None:
        with pytest.raises(ValueError, match="nothing to divide"):
            share_out(D(1), [], "USD")

    @given(st.data())
    def test_adds_up_and_is_near_the_proportion(self, data: st.DataObject) -> None:
        currency = data.draw(st.sampled_from(CURRENCIES))
        amount, weights = data.draw(amounts(currency)), data.draw(st.lists(amounts(currency), min_size=1, max_size=20))
        shares = share_out(amount, weights, currency)
        assert sum(shares) == amount
        unit = D(1).scaleb(-exponent(currency))
        total = sum(weights)
        if total:
            assert all(
                abs(share - amount * weight / total) < unit for share, weight in zip(shares, weights, strict=True)
            )


class TestCreditedTax:
    @given(
        parts=st.lists(st.integers(1, 10**5), min_size=1, max_size=30),
        rate=st.sampled_from([D("5.5"), D(19), D("25.5")]),
        currency=st.sampled_from(CURRENCIES),
    )
    def test_parts_of_a_whole_group_add_up_to_its_tax(self, parts: list[int], rate: Decimal, currency: str) -> None:
        bases = [D(part).scaleb(-exponent(currency)) for part in parts]
        base = sum(bases, D(0))
        tax = round_money(base * rate / 100, currency)
        before, taxes = D(0), []
        for part in bases:
            taxes.append(credited_tax(group_base=base, group_tax=tax, before=before, now=part, currency=currency))
            before += part
        assert sum(taxes) == tax
        assert min(taxes) >= 0

    def test_nothing_of_nothing(self) -> None:
        assert credited_tax(group_base=D(0), group_tax=D(0), before=D(0), now=D(0), currency="USD") == 0
