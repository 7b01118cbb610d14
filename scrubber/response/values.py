"""Dollars and days as JSON has them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal


def amount(value: Decimal | None) -> str | None:
    """Dollars with two decimals; None stays None, and zero has no sign."""
    if value is None:
        return None
    text = str(value)  # most are whole cents already, and formatting takes four times as long
    return text if text[-3:-2] == "." and text[0] != "-" else f"{value:z.2f}"


def compact_day(value: date) -> str:
    """A date as the claim's own body writes it: CCYYMMDD."""
    return value.isoformat().replace("-", "")
