"""Columns for money."""

from typing import Any

from django.db import models


def amount_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for a rounded amount of money: three decimals, for currencies that have them."""
    return models.DecimalField(max_digits=20, decimal_places=3, **options)
