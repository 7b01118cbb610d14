"""Changes the fixes of a rule that are data, one at a time: cases that apply a fix (`after-fix`) should notice it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from scrubber.rulebook.remedy_schema import ADD, DROP, LINE, MOVE, RELATED, THIS, UNITS
from scrubber.rulebook.rule import Remedy, Rule

_OTHER_LINE = {THIS: RELATED, RELATED: THIS}
_NO_MODIFIER = "00"  # stands on no line
_NEVER_OFFERED = Remedy(DROP, THIS, _NO_MODIFIER)  # in the place of one that is left out: cases name fixes by number


def changed_remedies(rule: Rule) -> Iterator[tuple[int, str, Rule]]:
    """Each change: the position of the remedy in the rule, the change in words, and the rule with it.

    What the record must show is not taken away: a case that states it says nothing of those that do not.
    """
    for index, remedy in enumerate(rule.remedies):
        before, after = rule.remedies[:index], rule.remedies[index + 1 :]
        left_out = replace(rule, remedies=(*before, _NEVER_OFFERED, *after))
        yield index, f"without remedy {index + 1}: {remedy.action}", left_out
        for words, changed in _changes(remedy):
            yield index, f"remedy {index + 1} {words}", replace(rule, remedies=(*before, changed, *after))


def _changes(remedy: Remedy) -> Iterator[tuple[str, Remedy]]:
    if remedy.action in (ADD, DROP, MOVE, UNITS, LINE):
        other = _OTHER_LINE[remedy.on]
        yield f"on the {other} line", replace(remedy, on=other)
    if remedy.action in (ADD, MOVE):
        yield "with another modifier", replace(remedy, value=_NO_MODIFIER)
    elif remedy.action == UNITS and isinstance(remedy.value, str):
        more = _one_more(remedy.value)
        if more is not None:
            yield f"to {more} units", replace(remedy, value=more)


def _one_more(units: str) -> str | None:
    try:
        return str(Decimal(units) + 1)
    except InvalidOperation:
        return None
