"""Mutation tests of rules: makes one small change of meaning at a time, and checks that a test case notices it.

A case is scrubbed once, and the facts of its claim are kept; a mutant is then judged on those. This is exact: facts
come from the claim, the tables and the reference data, and depend on rules only where `facts/gather.py` reads `applies`
of rules on documents and pairs, and where a rule asks beside its fact: where that changes, facts are made again. Every
other rule finds what it found.
Dollars are computed again over all findings, since who bears a line's loss depends on each of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.case_claim import InvalidCase
from scrubber.authoring.question_mutation import names_limit, question_mutants
from scrubber.authoring.remedy_mutation import changed_remedies
from scrubber.authoring.run_tests import (
    PreparedCase,
    after_fix_differences,
    all_cases,
    case_differences,
    prepare_case,
)
from scrubber.engine.plain import PlainEngine
from scrubber.errors import NotAClaim
from scrubber.facts.fact import Fact
from scrubber.findings import NO_SWITCHES, Finding
from scrubber.findings.judge import UNKNOWN_TEXT, in_order, judge, rule_tests
from scrubber.findings.not_checked import all_unchecked
from scrubber.pricing import add_impacts, price_lines
from scrubber.pricing.impact import MOVABLE, Prices
from scrubber.rulebook.check import rule_questions
from scrubber.rulebook.family_rules import rule_document
from scrubber.rulebook.field import DECIMAL_PLACES, Field, Type
from scrubber.rulebook.limits import limit_alternatives
from scrubber.rulebook.operators import format_number
from scrubber.rulebook.reachability import means_the_same
from scrubber.rulebook.relations import Group, Related, walk
from scrubber.rulebook.rule import SEVERITIES, AllOf, AnyOf, Asks, Compare, Condition, Has, InList, Rule, asks
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.same_and_within import fields_of_group
from scrubber.rulebook.schema import AT_RISK
from scrubber.rulebook.source_map import SourceMap, SourceNode, source_map
from scrubber.rulebook.test_case import Case
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.yaml_file import Document
from scrubber.scrub import ClaimFacts, Scrubber, conclude, read_facts

DAY = timedelta(days=1)
UNMOVABLE = "coding"  # a category whose losses no notice moves to the patient
OF_CLAIM = frozenset(("claim",))  # kinds of facts that concern no line
OF_LINES = frozenset(("line", "lines", "related"))  # a case already states the lines
_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9-]+)\}")
_STATED = frozenset((Type.NUMBER, Type.DECIMAL, Type.AMOUNT))
_DECIMALS = {Type.AMOUNT: 2, Type.DECIMAL: DECIMAL_PLACES}


class Mutant(NamedTuple):
    """A rule with one small change: on which line of its file, and the change in words."""

    rule: Rule
    line: int
    change: str


def mutants(source: SourceMap, document: Document, tables: Mapping[str, TypedTable]) -> Iterator[Mutant]:
    """Every small change of a rule that a test case could notice, down the file. `tables` are those of packs."""
    rule = source.rule
    yield from _dates(rule, document)
    for section in ("applies", "when"):
        for node in source.nodes():
            if node.section == section:
                yield from _of_condition(node, rule, document)
    yield from _of_questions(source, document, tables)
    for index, name in enumerate(rule.needs):
        kept = tuple(need for need in rule.needs if need != name)
        yield Mutant(replace(rule, needs=kept), document.line(("needs", index)), f"needs without {name}")
    yield from _of_impact(rule, document)
    yield from _of_message(rule, document)


def _dates(rule: Rule, document: Document) -> Iterator[Mutant]:
    for name, key, day in (("since", "from", rule.since), ("until", "to", rule.until)):
        for moved in _adjacent_days(day):
            changed = replace(rule, since=moved) if name == "since" else replace(rule, until=moved)
            yield Mutant(changed, document.line(("effective", key)), f"effective {key} {moved.isoformat()}")


def _adjacent_days(day: date | None) -> tuple[date, ...]:
    return () if day is None else (day - DAY, day + DAY)


def _of_condition(node: SourceNode, rule: Rule, document: Document) -> Iterator[Mutant]:
    for description, changed in _changes(node, rule, document):
        yield Mutant(_with(rule, node, changed), node.line, description)


def _with(rule: Rule, node: SourceNode, changed: Condition | None) -> Rule:
    """The rule with the node's condition replaced; None: without it."""
    if node.section == "applies":
        return replace(rule, applies=_replaced(rule.applies, node.path, changed))
    return replace(rule, when=_replaced(rule.when, node.path, changed))


def _replaced(condition: Condition, path: tuple[int, ...], changed: Condition | None) -> Condition:
    if not path:
        return AllOf(()) if changed is None else changed
    if not isinstance(condition, AllOf | AnyOf):
        raise TypeError("a path leads through groups")
    index, *below = path
    if below or changed is not None:
        new: tuple[Condition, ...] = (_replaced(condition.parts[index], tuple(below), changed),)
    else:
        new = ()
    return type(condition)((*condition.parts[:index], *new, *condition.parts[index + 1 :]))


def _changes(node: SourceNode, rule: Rule, document: Document) -> Iterator[tuple[str, Condition | None]]:
    """The replacements of a condition, each with its description. None: the condition is left out."""
    condition = node.condition
    if not _alone_in_any(node, rule):
        yield f"without: {node.words}", None
    match condition:
        case AnyOf(parts) if not node.parts and not _is_limit(condition):  # "or unknown", which one operator expresses
            for part in parts:
                yield f"only a part of: {node.words}", part
        case AnyOf() if not node.parts:
            if limit_alternatives(condition):
                yield from _of_limit(condition, rule.kind.fields)
        case AllOf(parts) | AnyOf(parts):
            if len(parts) > 1:
                other = AnyOf if isinstance(condition, AllOf) else AllOf
                yield f"{'any' if other is AnyOf else 'all'} of, not {node.words}", other(parts)
        case Compare():
            field = rule.kind.fields[condition.fact.removesuffix("?")]
            yield from _of_comparison(condition, field, _source_value(condition, field, node, document))
        case Has() | InList():
            yield from _of_list(condition, rule.kind.fields[condition.fact])


def _is_limit(condition: AnyOf) -> bool:
    """Whether a condition compares with a limit, row by row."""
    return bool(limit_alternatives(condition)) or any(names_limit(asked) for asked in asks(condition))


def _of_questions(source: SourceMap, document: Document, tables: Mapping[str, TypedTable]) -> Iterator[Mutant]:
    """Changes of relations, look-ups, amounts and comparisons, each on the line of the condition that asks it."""

    def of_test(test: Compare | Has | InList, field: Field) -> Iterator[tuple[str, Condition]]:
        if isinstance(test, Compare):
            value = format_number(field, test.value) if type(test.value) is int and field.type in _STATED else ""
            return _of_comparison(test, field, value)
        return _of_list(test, field)

    asked = [(node.line, set(walk(node.condition))) for node in source.nodes() if isinstance(node.condition, Asks)]
    changes = question_mutants(source.rule, lambda group: fields_of_group(group, tables), of_test)
    for part, words, rule in changes:
        place = part.group.position if isinstance(part, Related) else part.position if isinstance(part, Group) else ()
        line = document.line(place) if place in document.lines else 0
        yield Mutant(rule, line or next((line for line, parts in asked if part in parts), 0), words)


def _alone_in_any(node: SourceNode, rule: Rule) -> bool:
    """Whether the node is the only member of an `any`: without it nothing could hold."""
    above: Condition = rule.applies if node.section == "applies" else rule.when
    for index in node.path[:-1]:
        above = above.parts[index] if isinstance(above, AllOf | AnyOf) else above
    return bool(node.path) and isinstance(above, AnyOf) and len(above.parts) == 1


_NEXT_TO = {"over": "at-least", "at-least": "over", "under": "at-most", "at-most": "under"}
_OTHER_WAY = {"over": 1, "at-least": -1, "under": -1, "at-most": 1}


def _of_comparison(test: Compare, field: Field, source_value: object) -> Iterator[tuple[str, Condition]]:
    """`is` negated; at a threshold, the other side of it, and the next value away from there."""
    if test.op in ("is", "is-not"):
        op = "is-not" if test.op == "is" else "is"
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
    if not isinstance(test.value, int) or isinstance(test.value, bool):
        return
    step = _step(field, source_value)
    if field.type is Type.DAY:
        for direction, moved in (("a day earlier", -step), ("a day later", step)):
            yield f"{direction}: {test.fact}", replace(test, value=test.value + moved)
    elif test.op in _NEXT_TO:
        op = _NEXT_TO[test.op]
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
        moved = test.value + step * _OTHER_WAY[test.op]
        yield f"the next value {'up' if moved > test.value else 'down'}: {test.fact}", replace(test, value=moved)
    else:
        for direction, moved in (("up", step), ("down", -step)):
            yield f"the next value {direction}: {test.fact}", replace(test, value=test.value + moved)


def _source_value(test: Compare, field: Field, node: SourceNode, document: Document) -> object:
    """The value in the notation of the rule's file, or of the table of the limit that is named there."""
    source_value = document.at(node.position) if node.position in document.lines else ""
    from_limit = (
        isinstance(source_value, Mapping) or not source_value
    )  # a limit of open days in `applies` has no position of its own
    return format_number(field, test.value) if from_limit and type(test.value) is int else source_value


def _of_limit(condition: AnyOf, fields: Mapping[str, Field]) -> Iterator[tuple[str, Condition]]:
    """The comparison changed in the same way for every row: the operator is one, and cases need not know each row."""
    rows = limit_alternatives(condition)
    field = fields[rows[0].test.fact]
    changes = [list(_of_comparison(row.test, field, format_number(field, row.test.value))) for row in rows]
    for changed in zip(*changes, strict=True):
        tests = [test for _, test in changed]
        parts = zip(condition.parts, tests, strict=True)
        yield changed[0][0], AnyOf(tuple(_with_last(part, test) for part, test in parts))


def _with_last(part: Condition, test: Condition) -> Condition:
    return AllOf((*part.parts[:-1], test)) if isinstance(part, AllOf) else test


def _step(field: Field, source_value: object) -> int:
    """One unit in the last decimal of the number in the file, in the units of facts."""
    if field.type is Type.DAY:
        return 1
    exponent = Decimal(source_value).as_tuple().exponent if isinstance(source_value, str) else 0
    return int(10 ** (_DECIMALS.get(field.type, 0) + (exponent if isinstance(exponent, int) else 0)))


_TURNED = {"any": "none", "none": "any", "all": "none"}


def _of_list(test: Has | InList, field: Field) -> Iterator[tuple[str, Condition]]:
    """Negated; `any` and `all` exchanged where a field holds several codes; without one code."""
    ops = [_TURNED[test.op]]
    if field.type is Type.CODES and test.op != "none":
        ops.append("all" if test.op == "any" else "any")
    for op in ops:
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
    if isinstance(test, Has) and len(test.values) > 1:
        for code in test.values:
            kept = tuple(value for value in test.values if value != code)
            yield f"without {code}: {test.fact} {test.op}", replace(test, values=kept)


def _of_impact(rule: Rule, document: Document) -> Iterator[Mutant]:
    """Severity, dollars at risk, and whether a notice moves the loss to the patient.

    Dollars at risk of an info are never counted. Only categories that a notice can move are tried: for all others the
    program, not the rule, makes the provider bear the loss.
    """
    for severity in SEVERITIES:
        if severity != rule.severity:
            yield Mutant(replace(rule, severity=severity), document.line(("severity",)), f"severity {severity}")
    if rule.by_row is not None and rule.by_row.severity is not None:
        unaware = replace(rule.by_row, severity=None)
        yield Mutant(replace(rule, by_row=unaware), document.line(("severity",)), "severity never taken from a row")
    elif rule.severity == "info":
        return
    # A finding on no line puts the whole claim at risk, whichever of the two the rule has.
    same = {"line-allowed", "claim-allowed"} if rule.scope in OF_CLAIM else set()
    for at_risk in AT_RISK:
        if at_risk != rule.at_risk and not {at_risk, rule.at_risk} <= same:
            yield Mutant(replace(rule, at_risk=at_risk), document.line(("at-risk",)), f"at-risk {at_risk}")
    if rule.category in MOVABLE and rule.at_risk != "nothing":
        line = document.line(("category",))
        yield Mutant(replace(rule, category=UNMOVABLE), line, f"category {UNMOVABLE}: never the patient's loss")


def _of_message(rule: Rule, document: Document) -> Iterator[Mutant]:
    for name in dict.fromkeys(_PLACEHOLDER.findall(rule.message.replace("{{", "").replace("}}", ""))):
        if name not in OF_LINES:
            message = rule.message.replace(f"{{{name}}}", UNKNOWN_TEXT)
            yield Mutant(replace(rule, message=message), document.line(("message",)), f"message without {{{name}}}")


class Mutation(NamedTuple):
    """The mutants of one rule. `failing`: cases that fail on the rule unchanged; then no mutant was tried.

    `survived` are those that no case noticed and some claim might; `same` counts equivalent ones, which no claim can
    tell from the rule.
    """

    rule: Rule
    tried: int
    survived: tuple[Mutant, ...]
    same: int
    failing: tuple[str, ...]


class RecordedCase(NamedTuple):
    """A case and everything of its claim that does not depend on its rule."""

    case: Case
    ready: PreparedCase
    known: ClaimFacts
    facts: Sequence[Fact]  # of the rule's scope
    others: tuple[Finding, ...]  # what other rules found
    prices: Prices


def mutate(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> Iterator[Mutation]:
    """Tries the changes of the rules `ids` (None: of all) in a folder that `scrubber` was opened on, by id.

    Raises Faults as `run_tests` does.
    """
    rulebook = scrubber.rulebook
    by_rule = {name: tuple(cases) for name, cases in groupby(all_cases(folder, rulebook, ids), lambda case: case.rule)}
    for name in sorted(rulebook.rules if ids is None else set(ids)):
        yield _mutate_rule(rulebook.rules[name], by_rule.get(name, ()), scrubber, folder)


def _mutate_rule(rule: Rule, cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> Mutation:
    recorded, failing = _record_all(cases, scrubber, folder)
    if failing:
        return Mutation(rule, 0, (), 0, failing)
    document = rule_document(rule, folder)
    tried = list(mutants(source_map(rule, document), document, scrubber.rulebook.typed_tables))
    unnoticed = [mutant for mutant in tried if not any(notices(each, mutant.rule, rule) for each in recorded)]
    of_remedies = [
        Mutant(changed, document.line(("remedies", index)), words) for index, words, changed in changed_remedies(rule)
    ]
    fixed = [each for each in recorded if each.case.after_fix]
    unnoticed += [
        mutant for mutant in of_remedies if not any(_notices_fix(each, mutant.rule, folder) for each in fixed)
    ]
    tried += of_remedies
    survived = tuple(mutant for mutant in unnoticed if not _is_equivalent(mutant.rule, rule, scrubber.rulebook))
    return Mutation(rule, len(tried), survived, len(unnoticed) - len(survived), ())


def _record_all(cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> tuple[list[RecordedCase], tuple[str, ...]]:
    """Every case, and the names of those that fail."""
    recorded, failing = [], []
    for case in cases:
        try:
            recorded.append(record(case, prepare_case(case, scrubber, folder)))
        except (InvalidCase, NotAClaim):
            failing.append(case.name)
    failing += [each.case.name for each in recorded if notices(each, _tested(each), _tested(each))]
    return recorded, tuple(failing)


def _tested(recorded: RecordedCase) -> Rule:
    return recorded.ready.scrubber.rulebook.rules[recorded.case.rule]


def record(case: Case, ready: PreparedCase) -> RecordedCase:
    """Runs a case and records everything that mutants of its rule are judged on."""
    scrubber, claim, received_on = ready
    known = read_facts(claim, scrubber.rulebook, scrubber.reference, received_on)
    matches = scrubber.engine.match(known.facts)
    result = conclude(claim, known, matches, scrubber.rulebook, scrubber.reference, received_on)
    scope = scrubber.rulebook.rules[case.rule].scope
    return RecordedCase(
        case,
        ready,
        known,
        [fact for fact in known.facts if fact.kind == scope],
        tuple(finding for finding in result.findings if finding.rule.id != case.rule),
        price_lines(claim, known.views, scrubber.rulebook, scrubber.reference),
    )


def notices(recorded: RecordedCase, changed: Rule, rule: Rule) -> bool:
    """Whether the case fails when the rule is `changed`."""
    tested = replace(changed, status="active")
    (scrubber, claim, received_on), known = recorded.ready, recorded.known
    alone, facts = scrubber.rulebook.with_others({tested.id: tested}), recorded.facts
    if _leads_to_other_facts(changed, rule):
        known = read_facts(claim, alone, scrubber.reference, received_on)
        facts = [fact for fact in known.facts if fact.kind == rule.scope]
    matches = PlainEngine(rule_tests(alone.running), alone.lists).match(facts)
    reference = scrubber.reference
    judged = judge(matches, facts, claim, known.payer, known.day, alone, reference, NO_SWITCHES)
    unchecked = all_unchecked(
        judged.unchecked, judged.findings, known.views, known.payer, known.day, alone, reference, NO_SWITCHES
    )
    every = in_order((*judged.findings, *recorded.others))
    priced, _ = add_impacts(every, recorded.prices, recorded.known.liabilities)
    return any(case_differences(recorded.case, priced, unchecked))


def _notices_fix(recorded: RecordedCase, changed: Rule, folder: Path) -> bool:
    """Whether what the case finds after its fixes is otherwise when the rule has other remedies; it tests the same."""
    scrubber, claim, received_on = recorded.ready
    book = scrubber.rulebook
    others = book.with_others({**book.rules, changed.id: replace(changed, status="active")})
    ready = PreparedCase(Scrubber(others, scrubber.reference, scrubber.engine), claim, received_on)
    findings = ready.scrubber.scrub(claim, received_on).findings
    return any(after_fix_differences(recorded.case, ready, findings, folder))


def _leads_to_other_facts(changed: Rule, rule: Rule) -> bool:
    """Whether other facts may be made, or other questions asked, than those that were recorded."""
    if rule.kind.only_for_cited_codes and changed.applies != rule.applies:
        return True
    if not rule.names and not any(True for _ in rule_questions(rule)):
        return False
    parts = "applies", "when", "bypassed", "since", "until", "names"
    return any(getattr(changed, name) != getattr(rule, name) for name in parts)


def _is_equivalent(changed: Rule, rule: Rule, rulebook: Rulebook) -> bool:
    """Whether the mutant is certainly equivalent on every claim, apart from elements that cannot be read."""
    if changed != replace(rule, applies=changed.applies, when=changed.when, needs=changed.needs):
        return False  # more than its conditions differs
    return means_the_same(rule, changed, rulebook.lists)
