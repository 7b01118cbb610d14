"""Looks a procedure code up, without any claim: what tables and rules know of it on a day, and what it pays."""

from __future__ import annotations

from scrubber.code_lookup.profile import KnownCode, Priced, know, price

__all__ = ["KnownCode", "Priced", "know", "price"]
