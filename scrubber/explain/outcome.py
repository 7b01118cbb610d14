"""What was not supplied for a rule, and what would settle it: a place of the body, or a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from scrubber.claim.elements import ELEMENTS
from scrubber.explain.conditions import leaves_of, parts_of, why_not
from scrubber.explain.context import ExplanationContext, settling_row
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
    Missing,
    Part,
)
from scrubber.facts.documentation import DOCUMENT_PLACES
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
    **{name: f"{_ELEMENTS}.{place.replace('/', '.')}" for name, place in DOCUMENT_PLACES.items()},
    "calculatedBy": f"{_ELEMENTS}.calculatedBy (self or other)",
    "modifierSupport": f"{_ELEMENTS}.modifierSupport (true or false)",
    "abn": "scrubContext.abn, [] where there is no notice; of each notice its reason, its option and the day it was"
    " signed; of a refused one how many people saw it",
    "frequencyTest": "scrubContext.history, [] where there was no earlier service",
    "baseStudy": f"{_ELEMENTS}.sourceStudy, or the study in scrubContext.history",
    "renderingClass": "the taxonomy code of the rendering provider",
}


def settled(item: NotChecked, fact: Fact | None, payer: Payer) -> tuple[Missing, ...]:
    """Each thing that a rule could not be checked without."""
    return tuple(Missing(name, _by(name, item, fact, payer)) for name in item.missing)


def settled_by(name: str, fact: Fact) -> str:
    """What would make a fact known that was not supplied."""
    return _SUPPLIED_BY.get(name, f"the claim's {KINDS[fact.kind].fields[name].about}")


def _by(name: str, item: NotChecked, fact: Fact | None, payer: Payer) -> str:
    if name == ADOPTION:
        return f"a row in payers/tables/adoptions.csv, such as {settling_row(item.rule.pack, payer)}"
    if fact is not None and name in KINDS[fact.kind].fields:
        return settled_by(name, fact)
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


class Trial(NamedTuple):
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


class Came(NamedTuple):
    """How it came out, why, what was missing, and the finding if there was or would be one."""

    outcome: str
    because: str
    missing: tuple[Missing, ...] = ()
    finding: Finding | None = None


def explain_fact(trial: Trial, fact: Fact, keys: tuple[int, ...]) -> FactExplained:
    """`keys` are 0 where the rule's conditions hold and 1 where something needed was not supplied; both, or none."""
    parts = parts_of(trial.rule, fact, trial.context.book.lists)
    came = _came(trial, fact, keys, parts)
    return FactExplained(
        fact.kind,
        KINDS[fact.kind].about,
        fact.lines,
        fact.related,
        came.outcome,
        came.because,
        parts,
        lookups(trial.rule, fact, trial.context),
        competing(trial.rule, fact, trial.context),
        came.missing,
        came.finding,
    )


def explain_doubtful(trial: Trial, finding: Finding) -> FactExplained:
    """What is found only if names that resemble known ones were meant as these, where no fact of the claim is so."""
    kind, came = KINDS[trial.rule.scope], _doubted(trial, None, finding)
    return FactExplained(
        kind.name,
        kind.about,
        finding.lines,
        finding.related_lines,
        came.outcome,
        came.because,
        (),
        (),
        (),
        came.missing,
        None,
    )


def _doubted(trial: Trial, fact: Fact | None, finding: Finding) -> Came:
    item = as_not_checked(finding, sorted({name.known_name for name in trial.context.claim.resembling}))
    word = NOT_CHECKED if trial.runs and trial.standing == "active" else WOULD_NOT_CHECK
    return Came(word, item.message, settled(item, fact, trial.context.known.payer))


def explain_unread(trial: Trial, item: NotChecked) -> FactExplained:
    """A line of which the rule could not be asked, as it lacks what every such fact starts from."""
    kind = KINDS[trial.rule.scope]
    outcome = NOT_CHECKED if trial.runs else WOULD_NOT_CHECK
    missing = settled(item, None, trial.context.known.payer)
    return FactExplained(kind.name, kind.about, item.lines, (), outcome, item.message, (), (), (), missing, None)


def unread_line(trial: Trial, fact: Fact) -> int | None:
    """The first line of a fact of which something that the rule reads could not be read."""
    return next((line for line in fact.lines if line in trial.unread), None)


def _came(trial: Trial, fact: Fact, keys: tuple[int, ...], parts: tuple[Part, ...]) -> Came:
    known = trial.context.known
    matches = [(2 * trial.number + key, 0) for key in keys]
    context = trial.context
    judged = judge(
        matches, [fact], context.claim, known.payer, known.day, context.book, context.reference, trial.switches
    )
    for finding in (*judged.findings, *judged.shadow):
        if any(same_finding(finding, other) for other in trial.doubtful):
            return _doubted(trial, fact, finding)
        word = IN_SHADOW if judged.shadow else FIRED if trial.runs else WOULD_FIRE
        return Came(word, finding.message, (), trial.price(finding._replace(rule=trial.rule)))
    for item in (each for each in judged.unchecked if each.rule.id == trial.rule.id):
        word = NOT_CHECKED if trial.runs else WOULD_NOT_CHECK
        return Came(word, item.message, settled(item, fact, known.payer))
    if keys:
        return _held_back(trial, fact, parts)
    for finding in trial.doubtful:
        if (finding.lines, finding.related_lines) == (fact.lines, fact.related):
            return _doubted(trial, fact, finding)
    return _silent(trial, fact, parts)


def _held_back(trial: Trial, fact: Fact, parts: tuple[Part, ...]) -> Came:
    """The conditions hold, or cannot be judged, and yet the answer says nothing of it."""
    needed = [leaf for part in parts if part.name == "needs" for leaf in leaves_of(part.node)]
    lacking = [leaf.fact for leaf in needed if leaf.verdict == NOT_JUDGED]
    missing = tuple(Missing(name, settled_by(name, fact)) for name in lacking)
    but = f"{join_first(lacking)} was not supplied" if lacking else "all its conditions hold"
    if trial.standing is None:
        return Came(SWITCHED_OFF, f"this request leaves the rule out; {but}", missing)
    if not trial.adoption.adopted:
        return Came(NOT_ADOPTED, f"{trial.adoption.because}; {but}", missing)
    return Came(WOULD_NOT_CHECK, f"{but}, and of shadow rules this is not told", missing)


def _silent(trial: Trial, fact: Fact, parts: tuple[Part, ...]) -> Came:
    line = unread_line(trial, fact)
    if line is not None:
        unread = trial.unread[line]
        word = NOT_CHECKED if trial.runs else WOULD_NOT_CHECK
        return Came(word, unread.message, settled(unread, None, trial.context.known.payer))
    return Came(DID_NOT_FIRE, why_not(trial.rule, fact, parts))
