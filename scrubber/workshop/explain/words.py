"""Beside the path: words of an explanation: values, lists and days as a billing expert writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from scrubber.facts.fact import Fact
from scrubber.tables import Dated
from scrubber.workshop.explain.explanation import Shown

MOST_NAMED = 12  # of a list in a sentence


def listed(items: Iterable[object], joint: str = ", ") -> str:
    """The first MOST_NAMED of some items, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return joint.join(texts[:MOST_NAMED]) + more


def in_words(value: Shown) -> str:
    """A value in a sentence."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return listed(value) or "none"
    return str(value)


def in_days(row: Dated) -> str:
    """The days in force of a row or a rule."""
    if row.since and row.until:
        return f"from {row.since} until before {row.until}"
    if row.since:
        return f"from {row.since} on"
    return f"until before {row.until}" if row.until else "on all days"


def numbered(lines: Sequence[int]) -> str:
    """`line 2`, `lines 1, 3`."""
    return f"line{'' if len(lines) == 1 else 's'} {listed(lines)}"


def where(fact: Fact) -> str:
    """The fact's place on the claim, to begin a sentence with."""
    if not fact.lines:
        return "the claim"
    return f"{numbered(fact.lines)} with {numbered(fact.related)}" if fact.related else numbered(fact.lines)


def on_day(ordinal: object) -> str:
    """A fact's day."""
    return f" on {date.fromordinal(ordinal)}" if isinstance(ordinal, int) else ""


def sentence(text: str) -> str:
    """With a capital letter first and a full stop last."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", ":")) else ".")
