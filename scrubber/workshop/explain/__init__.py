"""Beside the path: why a rule fired or did not on a claim: every condition, every look-up, every row that competed."""

from __future__ import annotations

from scrubber.workshop.explain.explanation import Explanation
from scrubber.workshop.explain.question import Asked, explain

__all__ = ["Asked", "Explanation", "explain"]
