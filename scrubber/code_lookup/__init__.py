"""Looks up a procedure code without a claim: what tables and rules say of it on a day, and what it pays."""

from __future__ import annotations

from scrubber.code_lookup.profile import CodeProfile, PriceProfile, look_up_code, look_up_price

__all__ = ["CodeProfile", "PriceProfile", "look_up_code", "look_up_price"]
