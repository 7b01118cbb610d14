"""The words of a finding: values as people write them, put into a rule's message."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Any

from scrubber.facts.fact import Fact
from scrubber.vocabulary import DECIMAL_PLACES, KINDS, Field, Type, state_key

UNKNOWN = "unknown"
MOST_NUMBERS = 12  # of lines in one sentence


def shown(field: Field, value: Any) -> str | int | bool | tuple[str, ...]:
    """A fact's value as evidence: dollars, dates and numbers as text, the rest as it is."""
    if field.type is Type.AMOUNT:
        return str(Decimal(value).scaleb(-2))
    if field.type is Type.DAY:
        return date.fromordinal(value).isoformat()
    if field.type is Type.DECIMAL:
        return f"{Decimal(value).scaleb(-DECIMAL_PLACES).normalize():f}"
    return value  # type: ignore[no-any-return]


def render(text: str, fact: Fact) -> str:
    """`text` with its {placeholders} filled from the fact; one that has no value reads "unknown"."""
    if "{" not in text and "}" not in text:
        return text
    words = []
    for literal, name in _parts(text):
        words.append(literal)
        if name is not None:
            words.append(_word(name, fact))
    return "".join(words)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(text))


def _listed(numbers: tuple[int, ...]) -> str:
    shown_numbers = ", ".join(map(str, numbers[:MOST_NUMBERS])) or UNKNOWN
    return f"{shown_numbers} and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else shown_numbers


def _word(name: str, fact: Fact) -> str:
    if name == "line":
        return str(fact.lines[0]) if fact.lines else UNKNOWN
    if name in ("lines", "related"):
        numbers = fact.lines if name == "lines" else fact.related
        return _listed(numbers)
    if name == "which-lines":
        return f"{'line' if len(fact.lines) == 1 else 'lines'} {_listed(fact.lines)}"
    if name in fact.says:
        return fact.says[name]
    value = fact.values.get(name)
    if value is None:
        return str(fact.values.get(state_key(name), UNKNOWN))
    word = shown(KINDS[fact.kind].fields[name], value)
    if isinstance(word, bool):
        return "yes" if word else "no"
    return " ".join(word) if isinstance(word, tuple) else str(word)
