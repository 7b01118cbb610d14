"""Step 5 of a claim's path: prices and findings in, dollars out: allowed, at risk, and who bears it."""

from scrubber.money.impact import add_impacts
from scrubber.money.line_price import UNKNOWN, LinePrice
from scrubber.money.prices import line_price, price_lines, unit_fee

__all__ = ["UNKNOWN", "LinePrice", "add_impacts", "line_price", "price_lines", "unit_fee"]
