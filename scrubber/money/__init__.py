"""Prices and findings in, dollars out: what each line is allowed, what a finding puts at risk, and who bears it."""

from scrubber.money.impact import add_impacts
from scrubber.money.line_price import UNKNOWN, LinePrice
from scrubber.money.prices import price_lines

__all__ = ["UNKNOWN", "LinePrice", "add_impacts", "price_lines"]
