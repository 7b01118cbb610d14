"""Facts of pairs of codes that a rule names, whether or not an edit joins them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from scrubber.facts.documentation import Documents, modifier_support
from scrubber.facts.fact import Fact
from scrubber.facts.lines import ByCode, LineView, payer_fields

Pairs = frozenset[tuple[str, str]]  # code that stays, code that falls


def named_pair_facts(
    by_code: ByCode, pairs: Pairs, applied: bool, documents: Documents, edit_facts: Sequence[Fact]
) -> Iterator[Fact]:
    """One fact for each named pair that two lines of one provider and day make, unless `edit_facts` hold it already.

    `applied`: whether the payer applies NCCI edits.
    """
    present = [pair for pair in pairs if pair[0] in by_code and pair[1] in by_code]
    if not present:
        return
    fallen = {(fact.values["first"], fact.lines[0]) for fact in edit_facts}  # code that stays, line that falls
    for first, second in sorted(present):
        lines = product(by_code[first], by_code[second])
        one, other = next(((one, other) for one, other in lines if _together(one, other)), (None, None))
        if one is not None and other is not None and (first, other.number) not in fallen:
            edit = (second, one.number) in fallen
            yield _named_pair(one, other, documents, {"edit": edit, "editApplies": edit and applied})


def _named_pair(stays: LineView, falls: LineView, documents: Documents, edit: dict[str, bool]) -> Fact:
    values = payer_fields(stays.payer) | modifier_support(documents, stays.number, falls.number)
    values |= {"first": stays.line.procedure, "second": falls.line.procedure, **edit}
    if stays.first and falls.first:
        values["day"] = max(stays.first, falls.first).toordinal()
    return Fact("pair", values, (falls.number,), (stays.number,))


def _together(one: LineView, other: LineView) -> bool:
    if not (one.first and one.last and other.first and other.last) or one.provider != other.provider:
        return False
    return one is not other and max(one.first, other.first) <= min(one.last, other.last)
