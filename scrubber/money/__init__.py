"""Step 5 of a claim's path: prices and findings in, dollars out: allowed, at risk, and who bears it."""

from scrubber.money.impact import add_impacts, add_unpriced_impacts, exposures, lines_at_risk, puts_at_risk
from scrubber.money.line_price import UNKNOWN, LinePrice
from scrubber.money.prices import line_price, price_lines, unit_fee

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
