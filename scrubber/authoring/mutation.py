"""A rule with one small change of meaning, again and again: what its test cases ought to notice.

A case is scrubbed once, and what was known of its claim is kept; a changed rule is then judged on that. This is exact:
facts are made of claim, tables and reference data, and of rules only as `facts/interest.py` says, which reads `applies`
of rules of documents and pairs: where that changes, the case is scrubbed anew. Every other rule finds what it found.
Money is worked out again over all findings, since who bears a line's loss depends on each of them.
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

from scrubber.authoring.case_claim import CaseNotMade
from scrubber.authoring.run_tests import SetUp, all_cases, differences, set_up
from scrubber.engine.plain import PlainEngine
from scrubber.errors import NotAClaim
from scrubber.facts.fact import Fact
from scrubber.findings import AS_WRITTEN, Finding
from scrubber.findings.judge import NO_WORD, in_order, judge, rule_tests
from scrubber.findings.not_checked import all_unchecked
from scrubber.pricing import add_impacts, price_lines
from scrubber.pricing.impact import MOVABLE, Prices
from scrubber.rulebook.conditions import format_number, limit_alternatives
from scrubber.rulebook.reachability import means_the_same
from scrubber.rulebook.rule import SEVERITIES, AllOf, AnyOf, Compare, Condition, Has, InList, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.schema import AT_RISK
from scrubber.rulebook.source_map import SourceMap, SourceNode, source_map
from scrubber.rulebook.test_case import Case
from scrubber.rulebook.vocabulary import DECIMAL_PLACES, KINDS, Field, Type
from scrubber.rulebook.yaml_file import Document, read_yaml
from scrubber.scrub import Known, Scrubber, conclude, read_facts

DAY = timedelta(days=1)
UNMOVABLE = "coding"  # a category whose losses no notice moves to the patient
OF_CLAIM = frozenset(("claim",))  # kinds of facts that stand on no line
OF_LINES = frozenset(("line", "lines", "related"))  # a case tells the lines themselves
_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9-]+)\}")
_PLACES = {Type.AMOUNT: 2, Type.DECIMAL: DECIMAL_PLACES}


class Mutant(NamedTuple):
    """A rule that says something else in one place: on which line of its file, and how it reads now."""

    rule: Rule
    line: int
    change: str


def mutants(told: SourceMap, document: Document) -> Iterator[Mutant]:
    """Every small change of a rule that a test case could notice, down the file."""
    rule = told.rule
    yield from _dates(rule, document)
    for section in ("applies", "when"):
        for node in told.nodes():
            if node.section == section:
                yield from _of_condition(node, rule, document)
    for index, name in enumerate(rule.needs):
        kept = tuple(need for need in rule.needs if need != name)
        yield Mutant(replace(rule, needs=kept), document.line(("needs", index)), f"needs without {name}")
    yield from _of_weight(rule, document)
    yield from _of_message(rule, document)


def _dates(rule: Rule, document: Document) -> Iterator[Mutant]:
    for name, key, day in (("since", "from", rule.since), ("until", "to", rule.until)):
        for moved in _days_beside(day):
            changed = replace(rule, since=moved) if name == "since" else replace(rule, until=moved)
            yield Mutant(changed, document.line(("effective", key)), f"effective {key} {moved.isoformat()}")


def _days_beside(day: date | None) -> tuple[date, ...]:
    return () if day is None else (day - DAY, day + DAY)


def _of_condition(node: SourceNode, rule: Rule, document: Document) -> Iterator[Mutant]:
    for words, changed in _changes(node, rule, document):
        yield Mutant(_with(rule, node, changed), node.line, words)


def _with(rule: Rule, node: SourceNode, changed: Condition | None) -> Rule:
    """The rule with another condition in place of the node's; None: without it."""
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
    """What may stand in a condition's place, each with its words. None: nothing."""
    condition = node.condition
    if not _alone_in_any(node, rule):
        yield f"without: {node.words}", None
    match condition:
        case AnyOf(parts) if not node.parts and not limit_alternatives(
            condition
        ):  # "or unknown", which one operator says
            for part in parts:
                yield f"only a part of: {node.words}", part
        case AnyOf() if not node.parts:
            yield from _of_limit(condition, KINDS[rule.scope].fields)
        case AllOf(parts) | AnyOf(parts):
            if len(parts) > 1:
                other = AnyOf if isinstance(condition, AllOf) else AllOf
                yield f"{'any' if other is AnyOf else 'all'} of, not {node.words}", other(parts)
        case Compare():
            field = KINDS[rule.scope].fields[condition.fact.removesuffix("?")]
            yield from _of_comparison(condition, field, _written(condition, field, node, document))
        case Has() | InList():
            yield from _of_list(condition, KINDS[rule.scope].fields[condition.fact])


def _alone_in_any(node: SourceNode, rule: Rule) -> bool:
    """Whether the node is the only part of an `any`: without it nothing could hold."""
    above: Condition = rule.applies if node.section == "applies" else rule.when
    for index in node.path[:-1]:
        above = above.parts[index] if isinstance(above, AllOf | AnyOf) else above
    return bool(node.path) and isinstance(above, AnyOf) and len(above.parts) == 1


_NEXT_TO = {"over": "at-least", "at-least": "over", "under": "at-most", "at-most": "under"}
_OTHER_WAY = {"over": 1, "at-least": -1, "under": -1, "at-most": 1}


def _of_comparison(test: Compare, field: Field, written: object) -> Iterator[tuple[str, Condition]]:
    """`is` turned round; at a threshold, the other side of it, and the next value away from there."""
    if test.op in ("is", "is-not"):
        op = "is-not" if test.op == "is" else "is"
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
    if not isinstance(test.value, int) or isinstance(test.value, bool):
        return
    step = _step(field, written)
    if field.type is Type.DAY:
        for word, moved in (("a day earlier", -step), ("a day later", step)):
            yield f"{word}: {test.fact}", replace(test, value=test.value + moved)
    elif test.op in _NEXT_TO:
        op = _NEXT_TO[test.op]
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
        moved = test.value + step * _OTHER_WAY[test.op]
        yield f"the next value {'up' if moved > test.value else 'down'}: {test.fact}", replace(test, value=moved)
    else:
        for word, moved in (("up", step), ("down", -step)):
            yield f"the next value {word}: {test.fact}", replace(test, value=test.value + moved)


def _written(test: Compare, field: Field, node: SourceNode, document: Document) -> object:
    """The value as it stands in the rule's file, or in the table of the limit that is named there."""
    written = document.at(node.position) if node.position in document.lines else ""
    named = isinstance(written, Mapping) or not written  # a limit of open days in `applies` has no place of its own
    return format_number(field, test.value) if named and type(test.value) is int else written


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


def _step(field: Field, written: object) -> int:
    """One in the last place of the number as it is written, in the units that facts hold."""
    if field.type is Type.DAY:
        return 1
    exponent = Decimal(written).as_tuple().exponent if isinstance(written, str) else 0
    return int(10 ** (_PLACES.get(field.type, 0) + (exponent if isinstance(exponent, int) else 0)))


_TURNED = {"any": "none", "none": "any", "all": "none"}


def _of_list(test: Has | InList, field: Field) -> Iterator[tuple[str, Condition]]:
    """Turned round; `any` and `all` exchanged where a field holds several codes; without one code."""
    ops = [_TURNED[test.op]]
    if field.type is Type.CODES and test.op != "none":
        ops.append("all" if test.op == "any" else "any")
    for op in ops:
        yield f"{op}, not {test.op}: {test.fact}", replace(test, op=op)
    if isinstance(test, Has) and len(test.values) > 1:
        for code in test.values:
            kept = tuple(value for value in test.values if value != code)
            yield f"without {code}: {test.fact} {test.op}", replace(test, values=kept)


def _of_weight(rule: Rule, document: Document) -> Iterator[Mutant]:
    """How bad it is, what it costs, and whether a notice moves the loss to the patient.

    What an info puts at risk is never counted. Only categories that a notice can move are tried: that all others fall
    on the provider is the program's promise, not the rule's.
    """
    for severity in SEVERITIES:
        if severity != rule.severity:
            yield Mutant(replace(rule, severity=severity), document.line(("severity",)), f"severity {severity}")
    if rule.severity == "info":
        return
    # A finding that stands on no line puts the whole claim at risk, whichever of the two is written.
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
            said = rule.message.replace(f"{{{name}}}", NO_WORD)
            yield Mutant(replace(rule, message=said), document.line(("message",)), f"message without {{{name}}}")


class Mutation(NamedTuple):
    """What became of the small changes of one rule. `failing`: cases that fail as it is; then nothing was tried.

    `survived` are those that no case noticed and that some claim might; `same` counts those that no claim can show.
    """

    rule: Rule
    tried: int
    survived: tuple[Mutant, ...]
    same: int
    failing: tuple[str, ...]


class Recorded(NamedTuple):
    """A case and all that is known of its claim, whatever its rule says."""

    case: Case
    ready: SetUp
    known: Known
    facts: Sequence[Fact]  # of the rule's scope
    others: tuple[Finding, ...]  # what other rules found
    prices: Prices


def mutate(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> Iterator[Mutation]:
    """Tries the changes of the rules `ids` (None: of all) in a folder that `scrubber` was opened on, by id.

    Raises Faults as `run_tests` does.
    """
    book = scrubber.rulebook
    by_rule = {name: tuple(cases) for name, cases in groupby(all_cases(folder, book, ids), lambda case: case.rule)}
    for name in sorted(book.rules if ids is None else set(ids)):
        yield _mutate_rule(book.rules[name], by_rule.get(name, ()), scrubber, folder)


def _mutate_rule(rule: Rule, cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> Mutation:
    recorded, failing = _record_all(cases, scrubber, folder)
    if failing:
        return Mutation(rule, 0, (), 0, failing)
    document = read_yaml(folder / rule.file, rule.file)
    tried = list(mutants(source_map(rule, document), document))
    unnoticed = [mutant for mutant in tried if not any(notices(each, mutant.rule, rule) for each in recorded)]
    survived = tuple(mutant for mutant in unnoticed if not _cannot_show(mutant.rule, rule, scrubber.rulebook))
    return Mutation(rule, len(tried), survived, len(unnoticed) - len(survived), ())


def _record_all(cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> tuple[list[Recorded], tuple[str, ...]]:
    """Every case, and the names of those that fail."""
    recorded, failing = [], []
    for case in cases:
        try:
            recorded.append(record(case, set_up(case, scrubber, folder)))
        except (CaseNotMade, NotAClaim):
            failing.append(case.name)
    failing += [each.case.name for each in recorded if notices(each, _tested(each), _tested(each))]
    return recorded, tuple(failing)


def _tested(recorded: Recorded) -> Rule:
    return recorded.ready.scrubber.rulebook.rules[recorded.case.rule]


def record(case: Case, ready: SetUp) -> Recorded:
    """A case as it ran, with all that is known of its claim."""
    scrubber, claim, received_on = ready
    known = read_facts(claim, scrubber.rulebook, scrubber.reference, received_on)
    matches = scrubber.engine.match(known.facts)
    result = conclude(claim, known, matches, scrubber.rulebook, scrubber.reference, received_on)
    scope = scrubber.rulebook.rules[case.rule].scope
    return Recorded(
        case,
        ready,
        known,
        [fact for fact in known.facts if fact.kind == scope],
        tuple(finding for finding in result.findings if finding.rule.id != case.rule),
        price_lines(claim, known.views, scrubber.rulebook, scrubber.reference),
    )


def notices(recorded: Recorded, changed: Rule, rule: Rule) -> bool:
    """Whether the case comes out otherwise than it says when the rule is `changed`."""
    tested = replace(changed, status="active")
    if KINDS[rule.scope].only_for_cited_codes and changed.applies != rule.applies:
        return _notices_anew(recorded, tested)
    rulebook, known = recorded.ready.scrubber.rulebook, recorded.known
    alone = Rulebook({tested.id: tested}, rulebook.packs, rulebook.rows, rulebook.digest)
    matches = PlainEngine(rule_tests(alone.running), alone.lists).match(recorded.facts)
    claim = recorded.ready.claim
    reference = recorded.ready.scrubber.reference
    judged = judge(matches, recorded.facts, claim, known.payer, known.day, alone, reference, AS_WRITTEN)
    unchecked = all_unchecked(
        judged.unchecked, judged.findings, known.views, known.payer, known.day, alone, reference, AS_WRITTEN
    )
    every = in_order((*judged.findings, *recorded.others))
    priced, _ = add_impacts(every, recorded.prices, recorded.known.liabilities)
    return any(differences(recorded.case, priced, unchecked))


def _notices_anew(recorded: Recorded, tested: Rule) -> bool:
    """The same by a whole scrub: other facts may be made for the changed rule."""
    (scrubber, claim, received_on), old = recorded.ready, recorded.ready.scrubber.rulebook
    book = Rulebook({**old.rules, tested.id: tested}, old.packs, old.rows, old.digest)
    whole = Scrubber(book, scrubber.reference, PlainEngine(rule_tests(book.running), book.lists))
    result = whole.scrub(claim, received_on)
    return any(differences(recorded.case, result.findings, result.not_checked))


def _cannot_show(changed: Rule, rule: Rule, book: Rulebook) -> bool:
    """Whether the changed rule does the same on every claim, for certain, apart from elements that cannot be read."""
    if changed != replace(rule, applies=changed.applies, when=changed.when, needs=changed.needs):
        return False  # it says the same, and says it of something else
    return means_the_same(rule, changed, book.lists)
