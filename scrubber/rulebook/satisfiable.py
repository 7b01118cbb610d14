"""Decides, for lint and rule authors, whether any fact at all could fulfil some conditions together. A "no" is a proof.

Everything here errs on the side of "still possible": an empty domain is a proof, any other is none.

The search tries each alternative of the conditions and narrows the domain of every field until one is empty. Code lists
hold other codes on other days, so they are read once for each span of days on which none changes. Conditions that the
search does not cover, or that would take too long, count as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList, leaves
from scrubber.rulebook.vocabulary import FactKind

NUMERIC = frozenset((Type.NUMBER, Type.DECIMAL, Type.AMOUNT, Type.DAY))


def in_range(code: str, low: str, high: str) -> bool:
    """Whether a code stands in a range of codes: of the same length, and of the same last letter where there is one.

    Without the letter 0042T, of category III, would stand among the laboratory codes 0001U to 0999U.
    """
    if len(code) != len(low) or not low <= code <= high:
        return False
    return code[-1] == low[-1] if low[-1].isalpha() else not code[-1].isalpha()


class CodeSet(NamedTuple):
    """Codes, one by one and as ranges: see `within`."""

    codes: frozenset[str]
    ranges: tuple[tuple[str, str], ...] = ()

    def has(self, code: str) -> bool:
        """Whether the code is among them."""
        return code in self.codes or any(in_range(code, low, high) for low, high in self.ranges)


class TextDomain(NamedTuple):
    """TextDomain: those of `among` (None: any text) that are in, or not in, each of `tests`."""

    among: frozenset[str] | None = None
    tests: tuple[tuple[CodeSet, bool], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no text is left, for certain."""
        return self.among is not None and not self.among

    def narrowed(self, listed: CodeSet, inside: bool) -> TextDomain:
        """Those of them that are in the list, or not in it."""
        if self.among is not None:
            return TextDomain(frozenset(text for text in self.among if listed.has(text) == inside))
        if inside and not listed.ranges:
            return TextDomain(frozenset(code for code in listed.codes if self._passes(code)))
        return TextDomain(None, (*self.tests, (listed, inside)))

    def _passes(self, text: str) -> bool:
        return all(listed.has(text) == inside for listed, inside in self.tests)


class NumberDomain(NamedTuple):
    """Whole numbers from `low` to `high` (None: without end), except some."""

    low: int | None = None
    high: int | None = None
    but: frozenset[int] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether no number is left."""
        if self.low is None or self.high is None:
            return False
        return self.high - self.low < len(self.but) and all(n in self.but for n in range(self.low, self.high + 1))

    def narrowed(self, op: str, value: int) -> NumberDomain:
        """Those of them for which the comparison holds."""
        if op == "is-not":
            return self._replace(but=self.but | {value})
        low = {"is": value, "at-least": value, "over": value + 1}.get(op)
        high = {"is": value, "at-most": value, "under": value - 1}.get(op)
        return NumberDomain(
            self.low if low is None else low if self.low is None else max(low, self.low),
            self.high if high is None else high if self.high is None else min(high, self.high),
            self.but,
        )


class FlagDomain(NamedTuple):
    """Yes, no, or both."""

    of: frozenset[bool] = frozenset((True, False))

    @property
    def empty(self) -> bool:
        """Whether neither is left."""
        return not self.of


class CodesDomain(NamedTuple):
    """Lists of codes: all of them within `every`; for each of `some` at least one code of the list passes it.

    `some_unless_empty` apply only to a list that has codes at all.
    """

    every: TextDomain = TextDomain()
    some: tuple[tuple[CodeSet, bool], ...] = ()
    some_unless_empty: tuple[tuple[CodeSet, bool], ...] = ()
    may_be_empty: bool = True

    @property
    def empty(self) -> bool:
        """Whether no list of codes is left, for certain."""
        if self.may_be_empty and not self.some:
            return False
        return self.every.empty or any(
            self.every.narrowed(*test).empty for test in (*self.some, *self.some_unless_empty)
        )


ValueDomain = TextDomain | NumberDomain | FlagDomain | CodesDomain


class Domain(NamedTuple):
    """What a field may be: unset, in one of some states, or of some value (None: it has none)."""

    unset: bool
    states: frozenset[str]
    values: ValueDomain | None

    @property
    def empty(self) -> bool:
        """Whether nothing is left, for certain."""
        return not self.unset and not self.states and (self.values is None or self.values.empty)


def everything(field: Field) -> Domain:
    """What the vocabulary lets a field be."""
    return Domain(True, frozenset(field.states), _every_value(field))


def _every_value(field: Field) -> ValueDomain:
    words = TextDomain(frozenset(field.words) if field.words else None)
    if field.type is Type.CODES:
        return CodesDomain(words)
    if field.type is Type.FLAG:
        return FlagDomain()
    return NumberDomain() if field.type in NUMERIC else words


def in_state(domain: Domain, test: Compare, holds: bool) -> Domain:
    """The domain where a test of the field's state holds, or does not."""
    if test.op not in ("is", "is-not"):
        return domain
    state = frozenset((str(test.value),))
    fulfilling = domain.states & state if test.op == "is" else domain.states - state
    return Domain(False, fulfilling, None) if holds else domain._replace(states=domain.states - fulfilling)


def of_value(domain: Domain, test: Compare | Has, listed: CodeSet | None, holds: bool) -> Domain:
    """The domain where a test of the field's value holds, or does not; `listed` are the codes that it names."""
    values = domain.values
    if values is not None:
        values = _compared(values, test, holds) if isinstance(test, Compare) else values
        values = _within(values, test.op, listed, holds) if listed is not None else values
    return Domain(False, frozenset(), values) if holds else domain._replace(values=values)


_OPPOSITE = {
    "is": "is-not", "is-not": "is", "over": "at-most", "at-least": "under", "under": "at-least", "at-most": "over",
}  # fmt: skip


def _compared(values: ValueDomain, test: Compare, holds: bool) -> ValueDomain:
    op = test.op if holds else _OPPOSITE[test.op]
    if isinstance(values, NumberDomain) and type(test.value) is int:
        return values.narrowed(op, test.value)
    if isinstance(values, FlagDomain) and type(test.value) is bool and op in ("is", "is-not"):
        return FlagDomain(frozenset(flag for flag in values.of if (flag == test.value) == (op == "is")))
    if isinstance(values, TextDomain) and type(test.value) is str and op in ("is", "is-not"):
        return values.narrowed(CodeSet(frozenset((test.value,))), op == "is")
    return values


def _within(values: ValueDomain, op: str, listed: CodeSet, holds: bool) -> ValueDomain:
    if isinstance(values, TextDomain):
        return values.narrowed(listed, (op != "none") == holds)  # one text is a list of one: any and all are the same
    if isinstance(values, CodesDomain):
        return _codes_domain(values, op, listed, holds)
    return values


def _codes_domain(values: CodesDomain, op: str, listed: CodeSet, holds: bool) -> CodesDomain:
    if op == "all":
        if holds:
            return values._replace(every=values.every.narrowed(listed, True), may_be_empty=False)
        if values.may_be_empty:
            return values._replace(some_unless_empty=(*values.some_unless_empty, (listed, False)))
        return values._replace(some=(*values.some, (listed, False)))
    if (op == "any") == holds:
        return values._replace(some=(*values.some, (listed, True)))
    return values._replace(every=values.every.narrowed(listed, False))


MOST_STEPS = 20_000  # alternatives followed before we give up
DAY = "day"

Requirement = tuple[Condition, bool]  # a condition, and whether it must hold or must not
Domains = Mapping[str, Domain]


class ListsByDay(Protocol):
    """The dated code lists of a rulebook, as wholes."""

    def turns(self, list_name: str) -> frozenset[int]:
        """The days on which the list may begin to hold other codes than on the day before."""

    def on(self, list_name: str, day: int) -> CodeSet:
        """All that the list holds on a day."""


def satisfiable(wanted: Iterable[Requirement], kind: FactKind, lists: ListsByDay) -> bool:
    """Whether some fact of the kind may fulfil all of `wanted`. False is certain, True is not."""
    requirements = list(wanted)
    list_names = {leaf.list for condition, _ in requirements for leaf in leaves(condition) if isinstance(leaf, InList)}
    search = _Search(kind)
    return any(search.finds(requirements, span) for span in _spans(list_names, lists))


class _DaySpan(NamedTuple):
    """Days on which no list changes, and what each list holds then. `days` None: a fact without a day."""

    days: NumberDomain | None
    lists: Mapping[str, CodeSet]


_ANY_DAY = NumberDomain()


def _spans(list_names: Iterable[str], lists: ListsByDay) -> Iterator[_DaySpan]:
    names = sorted(list_names)
    if not names:
        yield _DaySpan(_ANY_DAY, {})
        return
    yield _DaySpan(None, {})
    turns = sorted({day for name in names for day in lists.turns(name)})
    edges: list[int | None] = [None, *turns, None]
    for first, end in pairwise(edges):
        requirements = first if first is not None else (end - 1 if end is not None else 0)
        held = {name: lists.on(name, requirements) for name in names}
        yield _DaySpan(NumberDomain(first, None if end is None else end - 1), held)


class _Search:
    """Follows alternatives, and counts the steps over all spans."""

    def __init__(self, kind: FactKind) -> None:
        self._kind = kind
        self._steps = 0

    def finds(self, wanted: Sequence[Requirement], span: _DaySpan) -> bool:
        """Whether some fact with its day in the span may fulfil all of `wanted`."""
        domains: Domains = {}
        day = self._kind.fields.get(DAY)
        if span.lists and day is not None:
            domains = {DAY: Domain(False, frozenset(), span.days)}
        elif span.days is None and day is not None:
            domains = {DAY: Domain(True, frozenset(), None)}
        return self._follow(wanted, domains, span)

    def _follow(self, wanted: Sequence[Requirement], domains: Domains, span: _DaySpan) -> bool:
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

    def _narrowed(self, domains: Domains, leaf: Compare | Has | InList, holds: bool, span: _DaySpan) -> Domains | None:
        """The domains where the leaf holds, or does not; None when there is no such fact."""
        field = self._kind.fields.get(leaf.fact.removesuffix("?"))
        if field is None:
            return domains
        if isinstance(leaf, InList) and span.days is None:
            return None if holds else domains  # a fact without a day is in no list, and not outside one either
        before = domains.get(field.name) or everything(field)
        after = _domain(before, leaf, holds, field, span)
        return None if after.empty else {**domains, field.name: after}


def _domain(before: Domain, leaf: Compare | Has | InList, holds: bool, field: Field, span: _DaySpan) -> Domain:
    if leaf.fact != field.name:
        return in_state(before, leaf, holds) if isinstance(leaf, Compare) else before
    if isinstance(leaf, InList):
        return of_value(before, Has(leaf.fact, leaf.op, ()), span.lists[leaf.list], holds)
    return of_value(before, leaf, CodeSet(frozenset(leaf.values)) if isinstance(leaf, Has) else None, holds)


def _split(
    wanted: Iterable[Requirement],
) -> tuple[list[tuple[Compare | Has | InList, bool]], list[tuple[AllOf | AnyOf, bool]]]:
    """The leaves that must all hold, and the groups of which one member is enough."""
    certain: list[tuple[Compare | Has | InList, bool]] = []
    choices: list[tuple[AllOf | AnyOf, bool]] = []
    left = list(wanted)
    while left:
        condition, holds = left.pop()
        if isinstance(condition, Asks):
            continue  # what it reads is beside the fact: either answer counts as possible
        if not isinstance(condition, AllOf | AnyOf):
            certain.append((condition, holds))
        elif isinstance(condition, AllOf) == holds:
            left.extend((part, holds) for part in condition.parts)
        else:
            choices.append((condition, holds))
    return certain, choices


def contradiction(wanted: Sequence[Requirement], kind: FactKind, lists: ListsByDay) -> tuple[int, ...]:
    """Which of `wanted`, by index, no fact can fulfil together, each of them needed for it; none where one may."""
    if satisfiable(wanted, kind, lists):
        return ()
    needed = list(range(len(wanted)))
    for index in range(len(wanted)):
        fewer = [other for other in needed if other != index]
        if not satisfiable([wanted[other] for other in fewer], kind, lists):
            needed = fewer
    return tuple(needed)
