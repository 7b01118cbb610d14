"""Says how a rule came out on a fact, and what would supply the input that was missing: an element, or a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from scrubber.claim.elements import ELEMENTS
from scrubber.explain.conditions import leaves_of, parts_of, why_not
from scrubber.explain.context import ExplanationContext, example_row
from scrubber.explain.lookups import competing, lookups
from scrubber.explain.model import (
    DID_NOT_FIRE,
    FIRED,
    IN_SHADOW,
    NOT_ADOPTED,
    NOT_CHECKED,
    NOT_JUDGED,
    SWITCHED_OFF,
    WOULD_FIRE,
    WOULD_NOT_CHECK,
    Adoption,
    FactExplained,
    MissingInput,
    RulePart,
)
from scrubber.explain.taken_rows import taken_rows
from scrubber.facts.fact import Fact
from scrubber.findings import Finding, NotChecked, Switches
from scrubber.findings.finding import NO_TABLE, NOT_REACHED, PAYER_UNKNOWN
from scrubber.findings.judge import ADOPTION, judge
from scrubber.findings.misspelled_names import as_not_checked, same_finding
from scrubber.findings.payer_unknown import SETTLES_NAME
from scrubber.rulebook.condition_words import join_first
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import RUNNING
from scrubber.rulebook.vocabulary import KINDS

_ELEMENTS = "scrubContext.documentation[].elements"
# What a sender adds so that a needed fact is known.
_SUPPLIED_BY: Mapping[str, str] = {
    "calculatedBy": f"{_ELEMENTS}.calculatedBy (self or other)",
    "modifierSupport": f"{_ELEMENTS}.modifierSupport (true or false)",
    "abn": "scrubContext.abn, [] where there is no notice; of each notice its reason, its option and the day it was"
    " signed; of a refused one how many people saw it",
    "frequencyTest": "scrubContext.history, [] where there was no earlier service",
    "baseStudy": f"{_ELEMENTS}.sourceStudy, or the study in scrubContext.history",
    "renderingClass": "the taxonomy code of the rendering provider",
}


def missing_inputs(item: NotChecked, fact: Fact | None, payer: Payer) -> tuple[MissingInput, ...]:
    """Each thing that a rule could not be checked without."""
    return tuple(MissingInput(name, _by(name, item, fact, payer)) for name in item.missing)


def supplied_by(name: str, fact: Fact, rule: Rule) -> str:
    """What would make a fact known that was not supplied."""
    if name in KINDS[fact.kind].fields:
        return _SUPPLIED_BY.get(name, f"the claim's {KINDS[fact.kind].fields[name].about}")
    return f"{_ELEMENTS}.{rule.kind.fields[name].made_from or name}"


def _by(name: str, item: NotChecked, fact: Fact | None, payer: Payer) -> str:
    if name == ADOPTION:
        return f"a row in payers/tables/adoptions.csv, such as {example_row(item.rule.pack, payer)}"
    if fact is not None and name in item.rule.kind.fields:
        return supplied_by(name, fact, item.rule)
    if item.why in (NO_TABLE, NOT_REACHED):
        return f"a release of {name} for that day, by `scrubber reference load`"
    if name not in ELEMENTS:
        return f"what stands under a name like {name}, sent as {name}"
    element = ELEMENTS[name]
    box = f" (box {element.box})" if element.box else ""
    if item.why == PAYER_UNKNOWN and name == SETTLES_NAME["payer"]:
        return f"a row in payers/tables/aliases.csv that names the payer of the claim's {element.label}"
    if item.why == PAYER_UNKNOWN and name == SETTLES_NAME["contractor"]:
        return "the ZIP code of where the service was furnished, all nine digits where five do not tell"
    if item.why == PAYER_UNKNOWN:
        return f"the {element.label}, {element.loop} {element.x12}{box}, or scrubContext.eligibility.plan"
    return f"a readable {element.label} on the line, {element.loop} {element.x12}{box}"


Unread = Mapping[int, NotChecked]  # by line: what could not be judged because the line lacks something
Price = Callable[[Finding], Finding]


class RuleCheck(NamedTuple):
    """One rule held against facts. `rule` is as written; `context.book` runs it, whatever its status."""

    rule: Rule
    number: int  # of the rule among those that the book runs
    context: ExplanationContext
    adoption: Adoption
    switches: Switches
    unread: Unread
    price: Price
    doubtful: tuple[Finding, ...] = ()  # what it finds depends on what names that resemble known ones were meant as

    @property
    def standing(self) -> str | None:
        """As what its findings count: active, shadow; None where this request leaves it out."""
        return self.switches.status(self.context.book.running[self.number])

    @property
    def runs(self) -> bool:
        """Whether the rule runs as it is written."""
        return self.rule.status in RUNNING


class FactResult(NamedTuple):
    """How it came out, why, what was missing, and the finding if there was or would be one."""

    outcome: str
    because: str
    missing: tuple[MissingInput, ...] = ()
    finding: Finding | None = None


def explain_fact(check: RuleCheck, fact: Fact, keys: tuple[int, ...]) -> FactExplained:
    """`keys` are 0 where the rule's conditions hold and 1 where something needed was not supplied; both, or none."""
    parts = parts_of(check.rule, fact, check.context.book.lists)
    result = _result_of(check, fact, keys, parts)
    return FactExplained(
        fact.kind,
        KINDS[fact.kind].about,
        fact.lines,
        fact.related if result.finding is None else result.finding.related_lines,
        result.outcome,
        result.because,
        parts,
        (*lookups(check.rule, fact, check.context), *taken_rows(check.rule, fact, check.context.book)),
        competing(check.rule, fact, check.context),
        result.missing,
        result.finding,
    )


def explain_doubtful(check: RuleCheck, finding: Finding) -> FactExplained:
    """What is found only if names that resemble known ones were meant as these, where no fact of the claim is so."""
    kind, result = check.rule.kind, _on_one_reading(check, None, finding)
    return FactExplained(
        kind.name,
        kind.about,
        finding.lines,
        finding.related_lines,
        result.outcome,
        result.because,
        (),
        (),
        (),
        result.missing,
        None,
    )


def _on_one_reading(check: RuleCheck, fact: Fact | None, finding: Finding) -> FactResult:
    item = as_not_checked(finding, sorted({name.known_name for name in check.context.claim.resembling}))
    word = NOT_CHECKED if check.runs and check.standing == "active" else WOULD_NOT_CHECK
    return FactResult(word, item.message, missing_inputs(item, fact, check.context.known.payer))


def explain_unread(check: RuleCheck, item: NotChecked) -> FactExplained:
    """A line of which the rule could not be asked, as it lacks what every such fact starts from."""
    kind = check.rule.kind
    outcome = NOT_CHECKED if check.runs else WOULD_NOT_CHECK
    missing = missing_inputs(item, None, check.context.known.payer)
    return FactExplained(kind.name, kind.about, item.lines, (), outcome, item.message, (), (), (), missing, None)


def unread_line(check: RuleCheck, fact: Fact) -> int | None:
    """The first line of a fact of which something that the rule reads could not be read."""
    return next((line for line in fact.lines if line in check.unread), None)


def _result_of(check: RuleCheck, fact: Fact, keys: tuple[int, ...], parts: tuple[RulePart, ...]) -> FactResult:
    known = check.context.known
    matches = [(2 * check.number + key, 0) for key in keys]
    context = check.context
    judged = judge(
        matches, [fact], context.claim, known.payer, known.day, context.book, context.reference, check.switches
    )
    for finding in (*judged.findings, *judged.shadow):
        if any(same_finding(finding, other) for other in check.doubtful):
            return _on_one_reading(check, fact, finding)
        word = IN_SHADOW if judged.shadow else FIRED if check.runs else WOULD_FIRE
        return FactResult(
            word, finding.message, (), check.price(finding._replace(rule=check.rule))._replace(remedies=None)
        )
    for item in (each for each in judged.unchecked if each.rule.id == check.rule.id):
        word = NOT_CHECKED if check.runs else WOULD_NOT_CHECK
        return FactResult(word, item.message, missing_inputs(item, fact, known.payer))
    if keys:
        return _held_back(check, fact, parts)
    for finding in check.doubtful:
        if (finding.lines, finding.related_lines) == (fact.lines, fact.related):
            return _on_one_reading(check, fact, finding)
    return _silent(check, fact, parts)


def _held_back(check: RuleCheck, fact: Fact, parts: tuple[RulePart, ...]) -> FactResult:
    """The conditions hold, or cannot be judged, and yet the answer says nothing of it."""
    needed = [leaf for part in parts if part.name == "needs" for leaf in leaves_of(part.node)]
    lacking = [leaf.fact for leaf in needed if leaf.verdict == NOT_JUDGED]
    missing = tuple(MissingInput(name, supplied_by(name, fact, check.rule)) for name in lacking)
    but = f"{join_first(lacking)} was not supplied" if lacking else "all its conditions hold"
    if check.standing is None:
        return FactResult(SWITCHED_OFF, f"this request leaves the rule out; {but}", missing)
    if not check.adoption.adopted:
        return FactResult(NOT_ADOPTED, f"{check.adoption.because}; {but}", missing)
    return FactResult(WOULD_NOT_CHECK, f"{but}, and of shadow rules this is not told", missing)


def _silent(check: RuleCheck, fact: Fact, parts: tuple[RulePart, ...]) -> FactResult:
    line = unread_line(check, fact)
    if line is not None:
        unread = check.unread[line]
        word = NOT_CHECKED if check.runs else WOULD_NOT_CHECK
        return FactResult(word, unread.message, missing_inputs(unread, None, check.context.known.payer))
    return FactResult(DID_NOT_FIRE, why_not(check.rule, fact, parts))
