"""Says why a claim, or a line of it, has nothing that a rule of some scope could be about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import combinations, islice, product

from scrubber.dated_rows import in_force
from scrubber.explain.conditions import field_of
from scrubber.explain.context import ExplanationContext
from scrubber.explain.row_words import windows
from scrubber.explain.text import numbered
from scrubber.facts.mue import is_counted
from scrubber.facts.notices import LIABILITY_MODIFIERS
from scrubber.facts.repeats import repeat_modifiers
from scrubber.facts.rule_codes import named_pairs
from scrubber.facts.service_lines import LineView
from scrubber.findings.not_checked import may_apply
from scrubber.rulebook.condition_words import expected, join_first
from scrubber.rulebook.rule import Rule, leaves

MOST_REASONS = 10


def why_no_fact(rule: Rule, line: int | None, context: ExplanationContext) -> tuple[str, ...]:
    """Sentences: first that there is nothing, then what is known of why, line by line."""
    views = context.known.views if line is None else (context.known.views[line - 1],)
    place = "this claim" if line is None else f"line {line}"
    joined = "two lines of this claim" if line is None else f"line {line} with another"
    first = rule.kind.none.format(place=place, joined=joined)
    # No further than is told: a claim of 1,000 lines has half a million pairs of them.
    found = list(dict.fromkeys(islice(_WHY.get(rule.scope, _lines)(rule, views, context), MOST_REASONS + 1)))
    return (first, *found[:MOST_REASONS], *(["and so on"] if len(found) > MOST_REASONS else []))


def _nothing_wrong(_rule: Rule, _views: Sequence[LineView], _context: ExplanationContext) -> Iterator[str]:
    yield "such facts are made only for elements that are missing or malformed, and none is"


def _diagnoses(_rule: Rule, _views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    codes = [diagnosis.code for diagnosis in context.claim.diagnoses if diagnosis.code]
    if context.reference.table_status("icd10cm", context.known.day).state == "before-first-release":
        yield f"the diagnosis tables do not reach {context.known.day}, so that they say nothing"
    elif codes:
        yield f"nothing speaks against {join_first(codes)} on {context.known.day}: in force, and no note keeps them off"
    else:
        yield "the claim has no readable diagnosis"


def _lines(_rule: Rule, views: Sequence[LineView], _context: ExplanationContext) -> Iterator[str]:
    if not views:
        yield "the claim has no service lines"


def _tables(_rule: Rule, views: Sequence[LineView], _context: ExplanationContext) -> Iterator[str]:
    if not any(view.first for view in views):
        yield "no date of service can be read"
    else:
        yield "every table that answers for this payer reaches the dates of service"


def _abn(_rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    modifiers = context.book.lists.on(LIABILITY_MODIFIERS, context.known.day.toordinal()).codes
    for view in views:
        yield (
            f"line {view.number} carries none of {join_first(sorted(modifiers))}, and no notice in"
            " scrubContext.abn is about it"
        )


def _documents(rule: Rule, views: Sequence[LineView], _context: ExplanationContext) -> Iterator[str]:
    for view in views:
        if view.line.procedure is None:
            yield _unread(view, "procedure code")
        else:
            yield f"line {view.number} bills {view.line.procedure}, and no rule about reports is for that code"
    tests = [leaf for leaf in leaves(rule.applies) if leaf.fact == "procedure"]
    for leaf in tests:
        yield f"this rule is for {expected(leaf, field_of(leaf, rule.kind.fields))}"


def _coverage(_rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    for view in views:
        if view.first is None or view.line.procedure is None:
            yield _unread(view, "date of service" if view.first is None else "procedure code")
        else:
            yield f"line {view.number}: {no_row(view.line.procedure, view.first, context)}"


def no_row(code: str, day: date, context: ExplanationContext) -> str:
    """Why nothing is known of the coverage of a code."""
    rows = [row for row in context.book.rows.get("policies", ()) if row.code == code]
    tables = " or ".join(table.name for table in context.book.tables if table.kind == "policies") or "policies"
    if not rows:
        said = f"no row of {tables} is about {code}"
    elif any(in_force(row, day) for row in rows):
        said = f"no row of {tables} about {code} is for this payer"
    else:
        said = f"no row of {tables} about {code} is in force on {day}"
    if context.known.payer.line_of_business == "original-medicare":
        said += ", and no loaded article of the claim's contractor lists it"
    return said


def _repeats(_rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    for view in views:
        yield from _not_joinable(view)
        repeating = repeat_modifiers(view, context.book.lists)
        if repeating:
            yield f"line {view.number} carries {join_first(sorted(repeating))}, which says that it was furnished again"
        earlier = [
            each for each in context.known.views[: view.number - 1] if each.line.procedure == view.line.procedure
        ]
        for other in earlier:
            yield _difference(view, other)
        if not earlier:
            yield f"no line before line {view.number} bills the same code"


def _visits(rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    every = context.known.views
    visits = [view for view in views if may_apply(rule, view, context.book.lists)]
    if not visits:
        yield "no line bills a visit that the rule is for"
    for view in visits:
        yield from _not_joinable(view)
    if len(every) < 2:
        yield "the claim has one line only, and a visit needs a procedure beside it"
    for view in every if visits else ():
        if view.line.procedure and view.first:
            row = context.reference.fee(view.line.procedure, "", view.first)
            named = f"global days {row.global_days}, status {row.status}" if row else "not on the loaded fee schedule"
            yield f"line {view.number} bills {view.line.procedure}: {named}"


def _difference(view: LineView, other: LineView) -> str:
    pairs = {
        "provider": (view.provider, other.provider),
        "dates": ((view.first, view.last), (other.first, other.last)),
        "modifiers": ({*view.line.modifiers}, {*other.line.modifiers}),
        "place of service": (view.place, other.place),
        "units": (view.line.units, other.line.units),
        "drug code": (view.line.ndc, other.line.ndc),
    }
    apart = [name for name, (one, two) in pairs.items() if one != two]
    named = f"line {view.number} and line {other.number} bill the same code"
    return f"{named} and differ in: {', '.join(apart)}" if apart else f"{named}, and one of them cannot be compared"


def _code_days(_rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    for view in views:
        yield from _not_joinable(view)
        if view.first and view.line.procedure:
            yield _of_units(view, view.line.procedure, context)


def _of_units(view: LineView, code: str, context: ExplanationContext) -> str:
    row = context.edits.mue(code, view.first) if view.first else None
    named = f"line {view.number}"
    if row is None:
        return f"{named}: no medically unlikely edit of {code} is known on {view.first}"
    if row.indicator == "1":
        return f"{named}: the edit of {code} has indicator 1, so each line is counted by itself, by another rule"
    if view.line.units is None or not is_counted(view, context.book.lists):
        return f"{named} has no units of service that could be counted"
    return f"{named} bills {view.line.units.normalize():f} of {code}; the edit allows {row.units} a day"


def _pairs(rule: Rule, views: Sequence[LineView], context: ExplanationContext) -> Iterator[str]:
    every = context.known.views
    if len(every) < 2:
        yield "the claim has one line only, and a pair needs two"
        return
    named = list(named_pairs(rule))
    billed = {view.line.procedure for view in every}
    if named and not any(billed >= {*pair} for pair in named):
        pairs_named = join_first(f"{first} with {second}" for first, second in named)
        yield f"the rule names {pairs_named}; no such two codes are billed"
        return
    for view in views:
        yield from _not_joinable(view)
    pairs = combinations(every, 2) if len(views) > 1 else product(every, views)
    for one, other in pairs:
        if one is not other and one.joinable and other.joinable:
            yield from _apart(one, other, context)


def _apart(one: LineView, other: LineView, context: ExplanationContext) -> Iterator[str]:
    """Why two lines make no pair."""
    named = numbered((one.number, other.number))
    first, second = one.line.procedure, other.line.procedure
    if first is None or second is None or first == second:
        yield f"{named}: a pair needs two different codes"
    elif one.provider != other.provider:
        yield f"{named} were furnished by different practitioners"
    elif not (one.first and one.last and other.first and other.last) or max(one.first, other.first) > min(
        one.last, other.last
    ):
        yield f"{named} share no date of service"
    else:
        day = max(one.first, other.first)
        among = context.edits.ptp_among({first, second}, day, day)
        sides = ((first, second), (second, first))
        found = [each for side in sides for each in windows(*side, among.get(side, ()), day, context.edits)]
        edits = [lookup.says for lookup in found if lookup.row]
        yield f"{named}: {'; '.join(edits) or f'no PTP edit joins {first} and {second} in the tables'}"
        if edits and {"modifiers"} & (one.unread | other.unread):
            yield f"{named}: modifiers cannot be read, and one of them may separate the two"


def _not_joinable(view: LineView) -> Iterator[str]:
    if view.first is None or view.last is None:
        yield _unread(view, "date of service")
    elif not view.joinable:
        yield _unread(view, "practitioner or last date of service")


def _unread(view: LineView, what: str) -> str:
    return f"line {view.number} has no readable {what}"


# Where there is more to say than that there is no such fact.
_WHY: dict[str, Callable[[Rule, Sequence[LineView], ExplanationContext], Iterator[str]]] = {
    "element": _nothing_wrong,
    "diagnosis": _diagnoses,
    "table": _tables,
    "abn": _abn,
    "document": _documents,
    "coverage": _coverage,
    "repeat": _repeats,
    "code-day": _code_days,
    "visit": _visits,
    "pair": _pairs,
    "medicare-edit": _pairs,
}
