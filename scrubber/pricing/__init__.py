"""Prices lines and findings for billers: dollars allowed, dollars at risk, and who bears the loss."""

from __future__ import annotations

from scrubber.pricing.amounts import UNKNOWN, LinePrice
from scrubber.pricing.claim_prices import line_price, price_lines, unit_fee
from scrubber.pricing.impact import add_impacts, add_unpriced_impacts, exposures, lines_at_risk, puts_at_risk

__all__ = [
    "UNKNOWN",
    "LinePrice",
    "add_impacts",
    "add_unpriced_impacts",
    "exposures",
    "line_price",
    "lines_at_risk",
    "price_lines",
    "puts_at_risk",
    "unit_fee",
]
