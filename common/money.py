"""Money: a Decimal with its currency beside it, rounded half up by one function to the minor unit (ISO 4217)."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

from common.errors import Invalid

WIDEST = 60  # digits: more than any product of a stored quantity and a stored price has

# Active codes of ISO 4217 by the digits of their minor unit.
_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_WITH_TWO = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
    CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
    TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
EXPONENTS: dict[str, int] = {
    code: digits
    for digits, codes in ((0, _WITHOUT_DECIMALS), (2, _WITH_TWO), (3, _WITH_THREE))
    for code in codes.split()
}


def exponent(currency: str) -> int:
    """Return the digits of a currency's minor unit: 0, 2 or 3. Raise Invalid for a code that ISO 4217 does not list."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        message = f"{currency[:10]!r} is not a currency; use an ISO 4217 code in capitals, e.g. USD."
        raise Invalid(message, code="unknown-currency", pointer="/currency") from None


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round half up (half away from zero, as PostgreSQL's numeric does) to the currency's minor unit."""
    with localcontext(prec=WIDEST):
        rounded = amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_UP)
        return rounded or abs(rounded)  # never a negative zero


def plain(number: Decimal) -> str:
    """Return a number as the API writes it: no exponent, no needless zeros, never `-0`."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
