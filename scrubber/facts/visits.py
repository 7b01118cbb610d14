"""Makes the facts of visits that the fee of a procedure may include, on its day or before a major operation."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any, NamedTuple

from scrubber.facts.fact import Fact, LookUps, release_evidence
from scrubber.facts.pair import NCCI_ADOPTED
from scrubber.facts.repeats import DISTINCT
from scrubber.facts.rule_codes import RuleCodes
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView, listed_modifiers
from scrubber.reference import Reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.remembered import remembered
from scrubber.rulebook.rulebook import CodeLists

MAJOR = "090"
GLOBAL_DAYS = ("000", "010", MAJOR)  # fee schedule: the fee includes visits of the day; MAJOR: of the day before, too
PAID = ("A", "R")  # status: what Medicare does not pay by the schedule includes no visit either
OUTSIDE = "modifiers-outside-the-package"  # the list of modifiers that leave a line without its package
ONE_DAY = timedelta(days=1)
VISIT_LOOK_UPS: LookUps = {
    **SHARED_LOOK_UPS,
    "globalDays": (("fee", "operation"),),
    "globalDaysCarried": (("fee", "operation"),),
    "editApplies": (NCCI_ADOPTED,),
}
REMEMBERED = 16_384  # codes, by day, whose package a process remembers


class _Package(NamedTuple):
    """A procedure beside a visit, and how certain it is that its fee includes the visit: False and 0 come first."""

    other_physician: bool  # of the same group and specialty
    minor: bool
    set_apart: bool  # as distinct, or one of the two runs over several days
    line: int
    view: LineView
    row: FeeRow


def visit_facts(
    views: Sequence[LineView], codes: RuleCodes, pairs: Sequence[Fact], lists: CodeLists, reference: Reference
) -> Iterator[Fact]:
    """One fact for each visit that running rules ask about, with the procedure whose fee includes it most certainly.

    `pairs` are the facts of NCCI edits.
    """
    visits = [view for view in views if view.line.procedure and codes.has("visit", view.line.procedure)]
    if not visits or len(views) < 2:
        return
    procedures = [(view, row) for view in views if (row := _packed(view, lists, reference)) is not None]
    packed = {view.number for view, _ in procedures}
    joined = _joined({view.number for view in visits}, pairs) if procedures else {}
    beside: dict[tuple[Any, ...], list[_Package]] = {}  # a claim may have hundreds of visits alike
    for visit in visits:
        itself = visit.number if visit.number in packed else 0
        key = (itself, *_when_and_by_whom(visit), not listed_modifiers(DISTINCT, visit, lists))
        if key not in beside:
            beside[key] = _most_certain(visit, procedures, lists)
        if beside[key]:
            yield _visit(visit, beside[key], joined.get(visit.number, frozenset()), reference)


def _when_and_by_whom(view: LineView) -> tuple[Any, ...]:
    return view.first, view.last, view.joinable, view.provider, view.rendering.taxonomy if view.rendering else None


def _most_certain(visit: LineView, procedures: Sequence[tuple[LineView, FeeRow]], lists: CodeLists) -> list[_Package]:
    """The procedures whose fee includes the visit most certainly, by line; none where no fee may include it."""
    found = sorted(_package(visit, view, row, lists) for view, row in procedures if _may_include(visit, view, row))
    return [package for package in found if package[:3] == found[0][:3]]


def _packed(view: LineView, lists: CodeLists, reference: Reference) -> FeeRow | None:
    """The fee schedule's row of a line that is a procedure with all of its package."""
    code, day = view.line.procedure, view.first
    if code is None or day is None or not view.joinable or "modifiers" in view.unread:
        return None
    row = _with_package(code, day, reference)
    if row is None or any(lists.contains(OUTSIDE, each, day.toordinal()) for each in view.line.modifiers):
        return None
    return row


@remembered(REMEMBERED)
def _with_package(code: str, day: date, reference: Reference) -> FeeRow | None:
    """The fee schedule's row of a procedure that is paid and whose fee includes visits."""
    row = reference.fee(code, "", day)
    return row if row is not None and row.global_days in GLOBAL_DAYS and row.status in PAID else None


def _joined(visits: Container[int], pairs: Iterable[Fact]) -> Mapping[int, frozenset[int]]:
    """By line of a visit: the lines that an NCCI edit which the payer applies joins it with, in either order."""
    joined: dict[int, set[int]] = {}
    for pair in pairs:
        for line, other in product(pair.lines, pair.related) if pair.values.get("editApplies") else ():
            if line in visits:
                joined.setdefault(line, set()).add(other)
            if other in visits:
                joined.setdefault(other, set()).add(line)
    return {line: frozenset(others) for line, others in joined.items()}


def _may_include(visit: LineView, view: LineView, row: FeeRow) -> bool:
    if view is visit or not visit.joinable or not _same_physician_or_specialty(visit, view):
        return False
    return _share_a_day(visit, view) or (row.global_days == MAJOR and _ends_the_day_before(visit, view))


def _package(visit: LineView, view: LineView, row: FeeRow, lists: CodeLists) -> _Package:
    distinct = any(listed_modifiers(DISTINCT, each, lists) for each in (visit, view))
    set_apart = distinct or visit.days > 1 or view.days > 1
    return _Package(visit.provider != view.provider, row.global_days != MAJOR, set_apart, view.number, view, row)


def _same_physician_or_specialty(one: LineView, other: LineView) -> bool:
    """By NPI; else, since one group bills them on one claim, by taxonomy code, where both have one."""
    if one.provider == other.provider:
        return True
    taxonomies = {view.rendering.taxonomy if view.rendering else None for view in (one, other)}
    return len(taxonomies) == 1 and None not in taxonomies


def _share_a_day(one: LineView, other: LineView) -> bool:
    if not (one.first and one.last and other.first and other.last):
        return False
    return max(one.first, other.first) <= min(one.last, other.last)


def _ends_the_day_before(visit: LineView, view: LineView) -> bool:
    return visit.last is not None and visit.last + ONE_DAY == view.first


def _visit(visit: LineView, packages: Sequence[_Package], joined: frozenset[int], reference: Reference) -> Fact:
    """`packages` are alike in how certain they are; `joined` are the lines that NCCI edits join with the visit."""
    view, row = packages[0].view, packages[0].row
    day, same_day = view.first or date.min, _share_a_day(visit, view)
    numbers = tuple(package.line for package in packages)
    values = {
        **visit.values,
        "operation": row.code,
        "globalDays": row.global_days,
        "globalDaysCarried": reference.table_status("mpfs", day).state != "in-force",
        "dayBefore": not same_day,
        "physician": "same-specialty" if packages[0].other_physician else "same",
        "setApart": packages[0].set_apart,
        "editApplies": not joined.isdisjoint(numbers),
    }
    evidence = {"globalDays": row.global_days, **release_evidence("mpfs", day, row.source, reference)}
    message_words = {"when": "on the day of" if same_day else "on the day before"}
    return Fact("visit", values, (visit.number,), numbers, message_words=message_words, evidence=evidence)
