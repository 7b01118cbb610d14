"""Beside the path: whether any fact at all could fulfil some conditions together. A "no" is a proof.

The conditions are followed into their alternatives, and for each the domain of every field is narrowed until one is
empty. Code lists hold other codes on other days, so they are asked once for each span of days on which none changes.
What is not understood, or would take too long, counts as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from scrubber.rulebook.domains import Domain, Listed, Numbers, everything, in_state, of_value
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, leaves
from scrubber.vocabulary import Field, Kind

MOST_STEPS = 20_000  # alternatives followed before we give up
DAY = "day"

Wanted = tuple[Condition, bool]  # a condition, and whether it must hold or must not
Domains = Mapping[str, Domain]


class ListsByDay(Protocol):
    """The dated code lists of a rulebook, as wholes."""

    def turns(self, list_name: str) -> frozenset[int]:
        """The days on which the list may begin to hold other codes than on the day before."""

    def on(self, list_name: str, day: int) -> Listed:
        """All that the list holds on a day."""


def satisfiable(wanted: Iterable[Wanted], kind: Kind, lists: ListsByDay) -> bool:
    """Whether some fact of the kind may fulfil all of `wanted`. False is certain, True is not."""
    asked = list(wanted)
    named = {leaf.list for condition, _ in asked for leaf in leaves(condition) if isinstance(leaf, InList)}
    search = _Search(kind)
    return any(search.finds(asked, span) for span in _spans(named, lists))


class _Span(NamedTuple):
    """Days on which no list changes, and what each list holds then. `days` None: a fact without a day."""

    days: Numbers | None
    lists: Mapping[str, Listed]


_ANY_DAY = Numbers()


def _spans(named: Iterable[str], lists: ListsByDay) -> Iterator[_Span]:
    names = sorted(named)
    if not names:
        yield _Span(_ANY_DAY, {})
        return
    yield _Span(None, {})
    turns = sorted({day for name in names for day in lists.turns(name)})
    edges: list[int | None] = [None, *turns, None]
    for first, end in pairwise(edges):
        asked = first if first is not None else (end - 1 if end is not None else 0)
        held = {name: lists.on(name, asked) for name in names}
        yield _Span(Numbers(first, None if end is None else end - 1), held)


class _Search:
    """Follows alternatives, and counts the steps over all spans."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._steps = 0

    def finds(self, wanted: Sequence[Wanted], span: _Span) -> bool:
        """Whether some fact with its day in the span may fulfil all of `wanted`."""
        domains: Domains = {}
        day = self._kind.fields.get(DAY)
        if span.lists and day is not None:
            domains = {DAY: Domain(False, frozenset(), span.days)}
        elif span.days is None and day is not None:
            domains = {DAY: Domain(True, frozenset(), None)}
        return self._follow(wanted, domains, span)

    def _follow(self, wanted: Sequence[Wanted], domains: Domains, span: _Span) -> bool:
        self._steps += 1
        if self._steps > MOST_STEPS:
            return True
        certain, choices = _split(wanted)
        for leaf, holds in certain:
            narrowed = self._narrowed(domains, leaf, holds, span)
            if narrowed is None:
                return False
            domains = narrowed
        if not choices:
            return True
        choices.sort(key=lambda choice: len(choice[0].parts))
        (group, holds), *others = choices
        return any(self._follow([(part, holds), *others], domains, span) for part in group.parts)

    def _narrowed(self, domains: Domains, leaf: Compare | Has | InList, holds: bool, span: _Span) -> Domains | None:
        """The domains where the leaf holds, or does not; None when there is no such fact."""
        field = self._kind.fields.get(leaf.fact.removesuffix("?"))
        if field is None:
            return domains
        if isinstance(leaf, InList) and span.days is None:
            return None if holds else domains  # a fact without a day is in no list, and not outside one either
        before = domains.get(field.name) or everything(field)
        after = _domain(before, leaf, holds, field, span)
        return None if after.empty else {**domains, field.name: after}


def _domain(before: Domain, leaf: Compare | Has | InList, holds: bool, field: Field, span: _Span) -> Domain:
    if leaf.fact != field.name:
        return in_state(before, leaf, holds) if isinstance(leaf, Compare) else before
    if isinstance(leaf, InList):
        return of_value(before, Has(leaf.fact, leaf.op, ()), span.lists[leaf.list], holds)
    return of_value(before, leaf, Listed(frozenset(leaf.values)) if isinstance(leaf, Has) else None, holds)


def _split(
    wanted: Iterable[Wanted],
) -> tuple[list[tuple[Compare | Has | InList, bool]], list[tuple[AllOf | AnyOf, bool]]]:
    """What must be for certain, leaf by leaf, and the groups of which one part is enough."""
    certain: list[tuple[Compare | Has | InList, bool]] = []
    choices: list[tuple[AllOf | AnyOf, bool]] = []
    left = list(wanted)
    while left:
        condition, holds = left.pop()
        if not isinstance(condition, AllOf | AnyOf):
            certain.append((condition, holds))
        elif isinstance(condition, AllOf) == holds:
            left.extend((part, holds) for part in condition.parts)
        else:
            choices.append((condition, holds))
    return certain, choices


def contradiction(wanted: Sequence[Wanted], kind: Kind, lists: ListsByDay) -> tuple[int, ...]:
    """Which of `wanted`, by index, no fact can fulfil together, each of them needed for it; none where one may."""
    if satisfiable(wanted, kind, lists):
        return ()
    kept = list(range(len(wanted)))
    for index in range(len(wanted)):
        fewer = [other for other in kept if other != index]
        if not satisfiable([wanted[other] for other in fewer], kind, lists):
            kept = fewer
    return tuple(kept)
