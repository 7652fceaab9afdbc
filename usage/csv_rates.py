"""Rates in CSV: what each column means and how its cells are read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from usage.models import PricingRate
from usage.ratebook import tiers_of

REQUIRED = ("destination_prefix", "unit_price", "effective_from")
NUMBER = re.compile(r"[0-9]{1,14}(\.[0-9]{1,10})?")


@dataclass(frozen=True)
class Column:
    """How a cell is read (ValueError: it is not), and what would be right."""

    read: Callable[[str], Any]
    meaning: str


def reads(column: Column, cell: str) -> bool:
    """Say whether a cell is what its column wants."""
    try:
        column.read(cell)
    except ValueError:
        return False
    return True


def _matching(pattern: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if not re.fullmatch(pattern, cell):
            raise ValueError
        return cell

    return read


def _number(cell: str) -> Decimal:
    if not NUMBER.fullmatch(cell):
        raise ValueError
    return Decimal(cell)


def _seconds(cell: str) -> int:
    return int(_matching(r"[0-9]{1,6}")(cell))


def _day(cell: str) -> date:
    return date.fromisoformat(_matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")(cell))


def _one_of(*choices: str) -> Callable[[str], str]:
    return _matching("|".join(choices))


def _tiers(cell: str) -> list[dict[str, Any]]:
    """Return tiers as they are stored; every number in a string."""
    try:
        tiers = orjson.loads(cell)
        if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
            raise ValueError
        for tier in tiers:
            if not {"up_to", "unit_price"} <= tier.keys() <= {"up_to", "unit_price", "flat_amount"}:
                raise ValueError
            for number in tier.values():
                if number is not None:
                    _number(number)
        tiers_of(tiers)
    except (TypeError, ArithmeticError) as error:
        raise ValueError from error
    return tiers


A_NUMBER = Column(_number, "a decimal of 0 or more, up to ten places")
SECONDS = Column(_seconds, "whole seconds")
DAY = Column(_day, "a day like 2026-03-31")
COLUMNS = {
    "destination_prefix": Column(_matching(r"[0-9]{1,15}"), "up to 15 digits without +; empty for any"),
    "country": Column(_matching(r"[A-Z]{2}"), "a country by two capital letters (ISO 3166-1)"),
    "channel": Column(_matching(r"[a-z]{1,20}"), "a channel like voice"),
    "resource_type": Column(_matching(r"[a-z_]{1,20}"), "a resource type like minute"),
    "direction": Column(_one_of("inbound", "outbound"), "inbound or outbound; outbound for calls when empty"),
    "currency": Column(_matching(r"[A-Z]{3}"), "a currency by three capital letters (ISO 4217)"),
    "model": Column(_one_of(*PricingRate.Model.values), "flat, graduated, volume or package"),
    "unit_price": A_NUMBER,
    "tiers": Column(_tiers, 'JSON like [{"up_to": "100", "unit_price": "0.1"}, {"up_to": null, "unit_price": "0.05"}]'),
    "package_size": A_NUMBER,
    "connect_fee": A_NUMBER,
    "initial_seconds": SECONDS,
    "step_seconds": SECONDS,
    "included_quantity": A_NUMBER,
    "minimum_amount": A_NUMBER,
    "effective_from": DAY,
    "effective_until": DAY,
}
