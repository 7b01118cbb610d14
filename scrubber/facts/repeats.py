"""Makes the facts of lines that repeat an earlier line of the claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from scrubber.facts.fact import Fact
from scrubber.facts.service_lines import LineView, listed_modifiers
from scrubber.rulebook.rulebook import CodeLists

REPEAT_KEY = frozenset(("modifiers", "units", "charge", "line-place"))  # with these unread nothing is a repeat
REPEATED = "modifiers-of-repeats"  # the service was furnished again
TESTS_REPEATED = (
    "modifiers-of-repeated-tests"  # the same, of tests alone; on others they do not tell lines apart either
)
LABORATORY = "clinical-laboratory"  # the list of codes of tests
DISTINCT = "modifiers-of-distinct-services"  # set a line apart from another one, not from its like
IN_WORDS = {  # what tells two lines apart, as messages say it
    "none": "nothing else",
    "charge": "another charge",
    "modifier-91": "91 on what is no laboratory test",
    "further-line": "59, XE, XP, XS or XU on both lines",
}
Distinguishing = tuple[
    frozenset[str], Decimal | None
]  # what may tell apart lines that are alike in all else: modifiers, charge


def repeat_facts(views: Sequence[LineView], lists: CodeLists) -> Iterator[Fact]:
    """One fact for each line that says again what an earlier one said, and not that it was furnished again.

    `difference` says what tells the two apart all the same. The earlier line is one from which nothing does, if any.
    """
    if len({view.line.procedure for view in views}) == len(views):
        return
    plain = {_service(view) for view in views if not listed_modifiers(DISTINCT, view, lists)}
    seen: dict[tuple[Any, ...], dict[Distinguishing, int]] = {}
    for view in views:
        line = view.line
        if line.procedure is None or not view.joinable or not REPEAT_KEY.isdisjoint(view.unread):
            continue
        if repeat_modifiers(view, lists):
            continue
        modifiers = frozenset(line.modifiers)
        key = (
            *_service(view),
            modifiers - listed_modifiers(TESTS_REPEATED, view, lists),
            view.place,
            line.units,
            line.ndc,
        )
        earlier = seen.setdefault(key, {})
        if earlier:
            further = _service(view) in plain and bool(listed_modifiers(DISTINCT, view, lists))
            difference, number = _nearest((modifiers, line.charge), earlier, further)
            message_words = {"difference-in-words": IN_WORDS[difference]}
            yield Fact(
                "repeat",
                {**view.values, "difference": difference},
                (view.number,),
                (number,),
                message_words=message_words,
            )
        earlier.setdefault((modifiers, line.charge), view.number)


def _nearest(line: Distinguishing, earlier: Mapping[Distinguishing, int], further: bool) -> tuple[str, int]:
    """What tells a line from the earlier one that is most like it, one of the words of `difference`, and that one."""
    if line in earlier:
        return ("further-line" if further else "none"), earlier[line]
    (modifiers, _), number = next(iter(earlier.items()))
    return ("charge" if modifiers == line[0] else "modifier-91"), number


def repeat_modifiers(view: LineView, lists: CodeLists) -> frozenset[str]:
    """The modifiers of a line that say that its service was furnished again; some say so of laboratory tests only."""
    found, code, day = listed_modifiers(REPEATED, view, lists), view.line.procedure, view.first
    if code and day and lists.contains(LABORATORY, code, day.toordinal()):
        return found | listed_modifiers(TESTS_REPEATED, view, lists)
    return found


def _service(view: LineView) -> tuple[Any, ...]:
    """What a line and one that repeats it have in common at the least."""
    return view.line.procedure, view.provider, view.first, view.last
