"""The small parts templates share with the scripts: icons, avatars, fields, money."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common import ids
from common.money import exponent, round_money

register = template.Library()

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
MINUS = "\N{MINUS SIGN}"
HUES = 8


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return one icon of the sprite; decoration unless it is given a label."""
    role = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" {}><use href="{}#{}"/></svg>', role, static("ui/icons.svg"), name
    )


@register.simple_tag
def avatar(name: str, seed: str = "") -> SafeString:
    """Return a person's initials on their own hue, as `dom.js` draws them."""
    return format_html(
        '<span class="avatar" aria-hidden="true" data-hue="{}">{}</span>', hue(seed or name), initials(name)
    )


def initials(name: str) -> str:
    """Return the first letters of the first and the last word, or "?"."""
    words = name.split()
    letters = [words[0][0], *([words[-1][0]] if len(words) > 1 else [])] if words else ["?"]
    return "".join(letters).upper()


def hue(seed: str) -> int:
    """Return one of eight hues, always the same for the same person."""
    total = 0
    for letter in seed:
        total = (total * 31 + ord(letter)) % 2**32
    return total % HUES


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, label: str = "") -> dict[str, Any]:
    """Return a labelled input with its hint and errors, joined for assistive technology."""
    widget = bound.field.widget
    widget.attrs.setdefault("class", "input")
    if bound.errors:
        widget.attrs.update({"aria-invalid": "true", "aria-describedby": f"{bound.id_for_label}-error-1"})
    return {"field": bound, "label": label}


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency, with the currency's decimals and as many more as it has: `$12.50`, `$0.0075`."""
    whole, _, part = f"{abs(amount):,f}".partition(".")
    cents = part.rstrip("0").ljust(exponent(currency), "0")
    number = f"{whole}.{cents}" if cents else whole
    return f"{MINUS if amount < 0 else ''}{SYMBOLS.get(currency, f'{currency} ')}{number}"


@register.filter
def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return an amount rounded to its currency's minor unit."""
    return round_money(Decimal(amount), currency)


@register.filter
def decimal(text: str) -> Decimal:
    """Return the number a JSON document holds as text."""
    return Decimal(text)


@register.filter
def quantity(value: Decimal) -> str:
    """Return a quantity with thousands apart and no idle zeros: `1,204.5`."""
    whole, _, part = f"{value:,f}".partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


@register.filter
def public_id(key: UUID, prefix: str) -> str:
    """Return a row's id as the API writes it: `inv_0f8f…`."""
    return ids.encode(prefix, key)
