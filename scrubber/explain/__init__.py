"""Why a rule fired or did not on a claim: every condition, every look-up, every row that competed."""

from __future__ import annotations

from scrubber.explain.explain import Asked, explain
from scrubber.explain.model import Explanation

__all__ = ["Asked", "Explanation", "explain"]
