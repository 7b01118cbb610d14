"""Turns the engine's matches into findings with the messages of their rules, for those rules that the payer applies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Any, NamedTuple

from scrubber.claim.model import Absence, Claim
from scrubber.engine.program import EngineTest
from scrubber.facts.fact import CARRIED, Fact, QuestionAnswer, pointer_to
from scrubber.facts.medicaid import loaded_as, own_edits
from scrubber.findings.finding import ADOPTION_UNKNOWN, PAYER_UNKNOWN, Finding, NotChecked, Switches
from scrubber.findings.identity import finding_id
from scrubber.findings.not_checked import tables_of
from scrubber.findings.payer_unknown import SETTLES, payer_unknown, unknown_left_out, unknown_payer_message
from scrubber.findings.remedies import offered_remedies
from scrubber.findings.row_values import amount_at_risk, authority_of, reason_of, severity_of, taken_values
from scrubber.findings.unread_elements import unread_elements
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.condition_words import compared_names
from scrubber.rulebook.field import DECIMAL_PLACES, UNKNOWN, Field, Type, state_key
from scrubber.rulebook.rule import (
    NOT_KNOWN,
    SEVERITIES,
    YES,
    AllOf,
    AnyOf,
    Authority,
    Rule,
    answered,
    any_state,
    asks,
    leaves,
    window,
)
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import KINDS

UNKNOWN_TEXT = "unknown"
MOST_NUMBERS = 12  # of lines in one sentence


def evidence_value(field: Field, value: Any) -> str | int | bool | tuple[str, ...]:
    """A fact's value as evidence: dollars, dates and numbers as text, the rest as it is."""
    if field.type is Type.AMOUNT:
        return str(Decimal(value).scaleb(-2))
    if field.type is Type.DAY:
        return date.fromordinal(value).isoformat()
    if field.type is Type.DECIMAL:
        return f"{Decimal(value).scaleb(-DECIMAL_PLACES).normalize():f}"
    return value  # type: ignore[no-any-return]


def render(text: str, fact: Fact, rule: Rule | None = None) -> str:
    """`text` with its {placeholders} filled from the fact; one that has no value reads "unknown".

    The names that a rule declares, and {related}, are filled with what they are for that rule.
    """
    if "{" not in text and "}" not in text:
        return text
    texts = []
    for literal, name in _segments(text):
        texts.append(literal)
        if name is not None:
            texts.append(_placeholder_text(name, fact, rule))
    return "".join(texts)


@lru_cache(maxsize=4096)
def _segments(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(text))


def _listed(numbers: tuple[int, ...]) -> str:
    first_numbers = ", ".join(map(str, numbers[:MOST_NUMBERS])) or UNKNOWN_TEXT
    return f"{first_numbers} and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else first_numbers


def _placeholder_text(name: str, fact: Fact, rule: Rule | None) -> str:
    named = fact.named(rule.id) if rule is not None else {}
    if name in named:
        return named[name]
    if name == "line":
        return str(fact.lines[0]) if fact.lines else UNKNOWN_TEXT
    if name == "lines":
        return _listed(fact.lines)
    if name == "related":
        return _listed(fact.related if rule is None else related_lines(rule, fact))
    if name == "which-lines":
        return f"{'line' if len(fact.lines) == 1 else 'lines'} {_listed(fact.lines)}"
    if name in fact.message_words:
        return fact.message_words[name]
    value = fact.values.get(name)
    if value is None:
        return str(fact.values.get(state_key(name), UNKNOWN_TEXT))
    fields = KINDS[fact.kind].fields if rule is None else rule.kind.fields
    value = evidence_value(fields[name], value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else str(value)


NOT_SUPPLIED = Absence.NOT_SUPPLIED.value
ADOPTION = "adoption"
REMEMBERED = 16_384  # days, by tables, that a process remembers
RANKS = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}


def rule_tests(rules: Sequence[Rule]) -> list[EngineTest]:
    """Two tests a rule: key 2i fires the i-th rule, key 2i + 1 means that something it needs is not known.

    That is a fact under `needs` that was not supplied, or a question without an answer that would make it fire.
    """
    tests = []
    for index, rule in enumerate(rules):
        held = (*window(rule), rule.applies)
        tests.append(EngineTest(2 * index, rule.scope, answered(AllOf((*held, rule.when)), YES)))
        missing = [any_state(rule.needs, NOT_SUPPLIED)] if rule.needs else []
        if has_questions(rule):
            missing.append(answered(rule.when, YES, NOT_KNOWN))
        if missing:
            undecided = answered(AllOf(held), YES, NOT_KNOWN)
            tests.append(EngineTest(2 * index + 1, rule.scope, AllOf((undecided, AnyOf(tuple(missing))))))
    return tests


def has_questions(rule: Rule) -> bool:
    """Whether a rule reads more than the fields of its fact."""
    return any(True for part in (rule.applies, rule.when) for _ in asks(part))


class Judged(NamedTuple):
    """The findings of the rules, unordered. `shadow` has those of shadow rules, which do not count."""

    findings: list[Finding]
    shadow: list[Finding]
    unchecked: list[NotChecked]


def judge(
    matches: Iterable[tuple[int, int]],
    facts: Sequence[Fact],
    claim: Claim,
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    reference: Reference,
    switches: Switches,
) -> Judged:
    """Findings and what was not checked. No finding suppresses another."""
    reads, tables, reference = facts_read(rulebook), _tables(rulebook), own_edits(payer, reference)
    judged = Judged([], [], [])
    fired = (-1, -1)  # of a fact the test that a rule fires comes right before the one that something is not known
    for key, index in matches:
        rule, fact = rulebook.running[key // 2], facts[index]
        status, adopted = switches.status(rule), rulebook.applied(rule, payer, day)
        missing = missing_needs(rule, fact) if rule.needs else ()
        if key % 2:
            if adopted and status == "active" and (missing or fired != (key - 1, index)):
                judged.unchecked.append(_not_judged(rule, fact, missing))
        elif status and adopted and not missing:
            fired = (key, index)
            found = judged.findings if status == "active" else judged.shadow
            carried = _carried(tables[key // 2], fact, reference) if tables[key // 2] else ""
            severity = rulebook.severity(rule, payer, day, severity_of(rule, fact))
            found.append(_finding(rule, reads[key // 2], fact, claim, carried, severity))
        elif status == "active" and adopted is None and not missing:
            judged.unchecked.append(_adoption_unknown(rule, fact, payer, rulebook))
    judged.unchecked.extend(payer_unknown(facts, payer, rulebook, switches))
    judged.unchecked.extend(unknown_left_out(facts, rulebook, switches))
    judged.unchecked.extend(unread_elements(facts, judged.findings, payer, day, rulebook, switches))
    return judged


def _not_judged(rule: Rule, fact: Fact, missing: tuple[str, ...]) -> NotChecked:
    """The entry for a rule whose fact lacks something that it needs, or has a question without an answer."""
    unknown = [name for each in question_answers(rule, fact) for name in each.missing]
    lacking = tuple(dict.fromkeys((*missing, *unknown)))
    if rule.not_checked:
        return NotChecked(rule, fact.lines, lacking, render(rule.not_checked, fact, rule))
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    what = f", because this is not known: {', '.join(lacking)}" if lacking else ""
    return NotChecked(rule, fact.lines, lacking, f"{where}: “{rule.title}” was not checked{what}.")


def question_answers(rule: Rule, fact: Fact) -> Iterator[QuestionAnswer]:
    """The answers to the questions of a rule on a fact, in the order in which the rule asks them."""
    if fact.answers:
        for part in (rule.applies, rule.when):
            yield from (fact.answers[each.fact] for each in asks(part) if each.fact in fact.answers)


def is_finding(rule: Rule, fact: Fact, payer: Payer, day: date, rulebook: Rulebook) -> bool:
    """Whether a rule that fires on a fact has a finding: what it needs is supplied, and the payer applies its pack."""
    return not (rule.needs and missing_needs(rule, fact)) and rulebook.applied(rule, payer, day) is True


def element_and_pointer(rule: Rule, reads: tuple[str, ...], fact: Fact, claim: Claim) -> tuple[str, str]:
    """The element that a finding of a rule on a fact is about, and its pointer into the body as it was sent.

    `reads` is what `facts_read` gives for the rule.
    """
    element = fact.element or rule.element
    line = claim.lines[fact.lines[0] - 1] if fact.lines else None
    return element, claim.pointer_as_sent(_pointer(fact, rule, reads) or pointer_to(element, claim, line))


def _pointer(fact: Fact, rule: Rule, reads: tuple[str, ...]) -> str | None:
    """The pointer of the fact; in a documentation block, of the element that the rule is about or reads first."""
    if fact.kind != "document" or fact.pointer is None:
        return fact.pointer
    stated, of_every_report = rule.kind.fields, KINDS[fact.kind].fields
    name = next((each for each in (rule.of_element, *reads) if each in stated and each not in of_every_report), None)
    return f"{fact.pointer}/{element_place(stated[name])}" if name else fact.pointer


def element_place(field: Field) -> str:
    """Where an element of documentation stands in its block: of a word that follows from others, that of one."""
    return (field.made_from or field.name).replace(".", "/")


def missing_needs(rule: Rule, fact: Fact) -> tuple[str, ...]:
    """The facts that a rule needs and that were not supplied."""
    return tuple([need for need in rule.needs if fact.values.get(state_key(need)) == NOT_SUPPLIED])


@remembered(4)
def facts_read(rulebook: Rulebook) -> tuple[tuple[str, ...], ...]:
    """The facts that each running rule's `when` reads, each once, in its order."""
    return tuple(
        tuple(dict.fromkeys(leaf.fact.removesuffix("?") for leaf in leaves(rule.when))) for rule in rulebook.running
    )


@remembered(4)
def _tables(rulebook: Rulebook) -> tuple[tuple[str, ...], ...]:
    """The reference tables that each running rule rests on."""
    return tuple(tables_of(rule) for rule in rulebook.running)


def _carried(tables: tuple[str, ...], fact: Fact, reference: Reference) -> str:
    day = fact.values.get("day")
    business = fact.values.get("lineOfBusiness")
    return _carried_to(tables, day, business, reference) if isinstance(day, int) else ""


@remembered(REMEMBERED)
def _carried_to(tables: tuple[str, ...], day: int, line_of_business: str | None, reference: Reference) -> str:
    """The remark of a message on tables that end before the day, and answer all the same."""
    on = date.fromordinal(day)
    statuses = [(table, reference.table_status(table, on)) for table in tables]
    carried = [
        f"{loaded_as(table, line_of_business)} {status.release.name}"
        for table, status in statuses
        if status.state in CARRIED and status.release and not reference.silent(table, on)
    ]
    return f" (By {', '.join(carried)}, carried forward to {on}.)" if carried else ""


def _finding(rule: Rule, reads: tuple[str, ...], fact: Fact, claim: Claim, carried: str, severity: str) -> Finding:
    element, pointer = element_and_pointer(rule, reads, fact, claim)
    line = claim.lines[fact.lines[0] - 1] if fact.lines else None
    return Finding(
        rule,
        element,
        fact.lines,
        related_lines(rule, fact),
        pointer,
        render(rule.message, fact, rule) + carried,
        render(rule.fix, fact, rule),
        _authority(rule, fact),
        _evidence(rule, reads, fact),
        finding_id(rule, fact, line),
        position=fact.position or (claim.position(pointer, element) if claim.position else None),
        severity_by_row=None if severity == rule.severity else severity,
        reason_by_row=None if rule.by_row is None else reason_of(rule, fact),
        amount=None if rule.by_row is None else amount_at_risk(rule, fact),
        remedies=offered_remedies(rule, fact, claim, related_lines(rule, fact)) if rule.remedies else (),
    )


def _authority(rule: Rule, fact: Fact) -> tuple[Authority, ...]:
    """By whose word a finding stands: the rule's, and that of the rows behind the fact and the severity."""
    rows = fact.authority if rule.by_row is None else (*fact.authority, *authority_of(rule, fact))
    return rule.authority + rows if rows else rule.authority


def _adoption_unknown(rule: Rule, fact: Fact, payer: Payer, rulebook: Rulebook) -> NotChecked:
    if payer.line_of_business == UNKNOWN:
        return NotChecked(rule, fact.lines, SETTLES, unknown_payer_message(rule, fact), PAYER_UNKNOWN)
    title = rulebook.packs[rule.pack].title
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    message = f"{where} would be told “{rule.title}”, but it is not known whether this payer applies {title}."
    return NotChecked(rule, fact.lines, (ADOPTION,), message, ADOPTION_UNKNOWN)


def related_lines(rule: Rule, fact: Fact) -> tuple[int, ...]:
    """The other lines that a finding is about: those of the fact, and those that made the rule's relations true."""
    lines = {number for each in question_answers(rule, fact) for number in each.lines}
    return tuple(sorted(lines.union(fact.related))) if lines else fact.related


def _evidence(rule: Rule, reads: tuple[str, ...], fact: Fact) -> Mapping[str, str | int | bool | tuple[str, ...]]:
    """The values that the rule read, formatted for people, and the look-ups behind the fact."""
    fields = rule.kind.fields
    evidence: dict[str, Any] = {}
    for name in reads:
        if name in fact.values:
            evidence[name] = evidence_value(fields[name], fact.values[name])
        elif state_key(name) in fact.values:
            evidence[name] = fact.values[state_key(name)]
    evidence.update(fact.evidence)
    evidence.update(fact.named(rule.id))
    if rule.by_row is not None:
        evidence.update(taken_values(rule, fact))
    evidence.update(_compared(rule, fact))
    services = tuple(text for each in question_answers(rule, fact) for text in each.services)
    if services:
        evidence["history"] = services
    return evidence


def _compared(rule: Rule, fact: Fact) -> Iterator[tuple[str, str]]:
    """The values that made comparisons of a rule true, by name."""
    for each in asks(rule.when):
        answer = (fact.answers or {}).get(each.fact)
        if answer is not None and answer.answer == YES:
            yield from zip(compared_names(each), answer.values, strict=False)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by line, rule and pointer: the same claim always gives the same order."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[object, ...]:
    return (
        RANKS[finding.severity],
        finding.lines,
        finding.rule.id,
        finding.related_lines,
        finding.pointer,
        finding.message,
    )
