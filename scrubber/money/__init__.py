"""Prices and findings in, dollars out: what each line is allowed, what a finding puts at risk, and who bears it."""

from scrubber.money.impact import add_impacts
from scrubber.money.line_price import UNKNOWN, LinePrice
from scrubber.money.prices import line_price, price_lines, unit_fee

__all__ = ["UNKNOWN", "LinePrice", "add_impacts", "line_price", "price_lines", "unit_fee"]
