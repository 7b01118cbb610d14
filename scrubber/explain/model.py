"""Defines what an explanation holds: per rule and fact the conditions, the look-ups, and how it came out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from scrubber.findings import Finding, Switches, Versions
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import Payer

FactValue = str | int | bool | tuple[str, ...] | None

TRUE, FALSE, NOT_JUDGED = "true", "false", "not-judged"

FIRED = "fired"  # a finding of the answer
IN_SHADOW = "fired-in-shadow"  # told apart, without effect
WOULD_FIRE = "would-fire"  # a rule that does not run
SWITCHED_OFF = "switched-off"  # it would have fired
NOT_ADOPTED = "not-adopted"  # it would have been told, and the payer does not apply the pack
NOT_CHECKED = "not-checked"  # listed under notChecked of the answer
WOULD_NOT_CHECK = "would-not-be-checked"  # as above, of a rule that does not count
DID_NOT_FIRE = "did-not-fire"
NO_FACT = "no-fact"  # nothing on the claim that the rule could be about
OUTCOMES = (
    FIRED,
    IN_SHADOW,
    WOULD_FIRE,
    SWITCHED_OFF,
    NOT_ADOPTED,
    NOT_CHECKED,
    WOULD_NOT_CHECK,
    DID_NOT_FIRE,
    NO_FACT,
)


class ConditionLeaf(NamedTuple):
    """One comparison. `value` is the fact's, as people write it; None: it has none here, `state` may say why.

    `asked` completes "the rule asks for …". `verdict` is TRUE exactly where the engine's comparison holds;
    NOT_JUDGED where it does not because nothing was supplied.
    """

    fact: str
    about: str
    value: FactValue
    state: str | None
    asked: str
    verdict: str


class ConditionGroup(NamedTuple):
    """Conditions of which `all` or `any` must be true; a group of none is true for `all`."""

    word: str
    verdict: str
    parts: tuple[ConditionNode, ...]


ConditionNode = ConditionLeaf | ConditionGroup


class RulePart(NamedTuple):
    """One part of a rule: in-force, applies, needs or when."""

    name: str
    node: ConditionNode


class LookupExplained(NamedTuple):
    """A look-up behind a fact. `says` is the answer in a sentence.

    `row` has the cells that decided, by column; none when no row answered. `place` is FILE:LINE of a table beside the
    rules, `release` the one of a reference table that answered, `standing` how the day lies to it.
    """

    table: str
    says: str
    row: Mapping[str, str] = {}
    place: str | None = None
    release: str | None = None
    standing: str | None = None


class Candidate(NamedTuple):
    """A row of those that competed to answer: whom it is for, in words, and what became of it."""

    place: str | None
    scope: str
    says: str
    days: str
    answered: bool
    because: str


class MissingInput(NamedTuple):
    """What was not supplied or cannot be read, and what would settle it."""

    name: str
    settled_by: str


class FactExplained(NamedTuple):
    """One fact under a rule. `finding` is there when it fired, with its dollars, or would."""

    kind: str
    about: str
    lines: tuple[int, ...]
    related: tuple[int, ...]
    outcome: str
    because: str
    parts: tuple[RulePart, ...]
    lookups: tuple[LookupExplained, ...]
    competing: tuple[Candidate, ...]
    missing: tuple[MissingInput, ...]
    finding: Finding | None


class Adoption(NamedTuple):
    """Whether the payer applies the rule's pack (None: no row says), in a sentence, and the rows that competed."""

    adopted: bool | None
    because: str
    rows: tuple[Candidate, ...]


class RuleExplained(NamedTuple):
    """One rule on the claim. `nothing` says why there is no fact of its scope; `left_off` counts facts not shown."""

    rule: Rule
    outcome: str
    because: str
    effect: str
    adoption: Adoption
    facts: tuple[FactExplained, ...]
    nothing: tuple[str, ...]
    left_off: int


class Explanation(NamedTuple):
    """The answer to one question. `unchecked` are ids of rules that were not checked and that are not explained."""

    payer: Payer
    payer_lookups: tuple[LookupExplained, ...]
    day: date
    rules: tuple[RuleExplained, ...]
    left_off: int
    unchecked: tuple[str, ...]
    versions: Versions
    received_on: date
    switches: Switches
