"""Beside the path: how one rule came out on one fact: what `judge` makes of it, with the reason in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from scrubber.facts.fact import Fact
from scrubber.findings import Finding, NotChecked, Switches
from scrubber.findings.doubtful import as_unchecked, is_same
from scrubber.findings.judge import judge
from scrubber.rulebook.book import RUNNING
from scrubber.rulebook.rule import Rule
from scrubber.vocabulary import KINDS
from scrubber.workshop.explain.decisive import leaves_of, why_not
from scrubber.workshop.explain.explanation import (
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
from scrubber.workshop.explain.ground import Ground
from scrubber.workshop.explain.lookups import competing, lookups
from scrubber.workshop.explain.settling import settled, settled_by
from scrubber.workshop.explain.tree import parts_of
from scrubber.workshop.explain.words import listed

Unread = Mapping[int, NotChecked]  # by line: what could not be judged because the line lacks something
Price = Callable[[Finding], Finding]


class Trial(NamedTuple):
    """One rule held against facts. `rule` is as written; `ground.book` runs it, whatever its status."""

    rule: Rule
    number: int  # of the rule among those that the book runs
    ground: Ground
    adoption: Adoption
    switches: Switches
    unread: Unread
    price: Price
    doubtful: tuple[Finding, ...] = ()  # what it finds depends on what names that resemble known ones were meant as

    @property
    def standing(self) -> str | None:
        """As what its findings count: active, shadow; None where this request leaves it out."""
        return self.switches.standing(self.ground.book.running[self.number])

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
    parts = parts_of(trial.rule, fact, trial.ground.book.lists)
    came = _came(trial, fact, keys, parts)
    return FactExplained(
        fact.kind,
        KINDS[fact.kind].about,
        fact.lines,
        fact.related,
        came.outcome,
        came.because,
        parts,
        lookups(trial.rule, fact, trial.ground),
        competing(trial.rule, fact, trial.ground),
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
    item = as_unchecked(finding, sorted({name.meant for name in trial.ground.claim.resembling}))
    word = NOT_CHECKED if trial.runs and trial.standing == "active" else WOULD_NOT_CHECK
    return Came(word, item.message, settled(item, fact, trial.ground.known.payer))


def explain_unread(trial: Trial, item: NotChecked) -> FactExplained:
    """A line of which the rule could not be asked, as it lacks what every such fact starts from."""
    kind = KINDS[trial.rule.scope]
    outcome = NOT_CHECKED if trial.runs else WOULD_NOT_CHECK
    missing = settled(item, None, trial.ground.known.payer)
    return FactExplained(kind.name, kind.about, item.lines, (), outcome, item.message, (), (), (), missing, None)


def unread_line(trial: Trial, fact: Fact) -> int | None:
    """The first line of a fact of which something that the rule reads could not be read."""
    return next((line for line in fact.lines if line in trial.unread), None)


def _came(trial: Trial, fact: Fact, keys: tuple[int, ...], parts: tuple[Part, ...]) -> Came:
    known = trial.ground.known
    matches = [(2 * trial.number + key, 0) for key in keys]
    ground = trial.ground
    judged = judge(matches, [fact], ground.claim, known.payer, known.day, ground.book, ground.reference, trial.switches)
    for finding in (*judged.findings, *judged.shadow):
        if any(is_same(finding, other) for other in trial.doubtful):
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
    but = f"{listed(lacking)} was not supplied" if lacking else "all its conditions hold"
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
        return Came(word, unread.message, settled(unread, None, trial.ground.known.payer))
    return Came(DID_NOT_FIRE, why_not(trial.rule, fact, parts))
