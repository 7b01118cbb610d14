"""The model of a rule: typed and frozen, its conditions a tree of comparisons and groups."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scrubber.rulebook.field import state_key
from scrubber.rulebook.relations import Operand, Own, Question
from scrubber.rulebook.vocabulary import KINDS, FactKind

SEVERITIES = ("info", "warn", "deny")  # rising
CATEGORIES = (
    "structure", "provider", "coding", "bundling", "units", "documentation", "abn", "coverage", "frequency", "payment",
    "timeliness", "duplicate", "freshness",
)  # fmt: skip
STAGES = ("submission", "adjudication", "postPayment")

TAKEN = "from rows"  # in `Rule.declared`: what it takes from rows
FactValues = Mapping[str, Any]  # str, int, bool or tuple[str, ...] by the field's type; states under `field?`


@dataclass(frozen=True, slots=True)
class Compare:
    """`fact` `op` `value`. Ops: is, is-not, over, at-least, under, at-most. An unset field fails every op.

    `value` is typed as the field: str, bool, or int (cents, millionths, day ordinal). `fact` may be a state key
    (`tbsValue?`); the value is then the name of a state.
    """

    fact: str
    op: str
    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Has:
    """A list of codes against `values`: any of them in it, all it holds among them, or none of them in it.

    `all` is false for an empty list; `none` is true for it. An unset field fails all three. A field that holds one
    text counts as a list of one.
    """

    fact: str
    op: str  # any | all | none
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InList:
    """Like Has, against the codes that a dated code list of the rulebook has on the fact's `day`."""

    fact: str
    op: str  # any | all | none
    list: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part is true; `AllOf(())` is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Asks:
    """A question about more than the fields of the fact, by its `fact`, the key under which `relations` answers it.

    It is true where the answer is yes; the fact's fields ANSWERED have the keys of the answers that are not no.
    """

    fact: str
    question: Question
    source: str = field(default="", compare=False)  # as its rule file writes it, as JSON


YES, NO, NOT_KNOWN = "yes", "no", "unknown"
# Fields of facts: the keys of the questions with one of these answers.
ANSWERED = {(YES,): "=yes", (YES, NOT_KNOWN): "=possible"}
Condition = Compare | Has | InList | Asks | AllOf | AnyOf


def leaves(condition: Condition) -> Iterator[Compare | Has | InList]:
    """Every comparison of a field of the fact in a condition, from left to right; `asks` has the questions."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from leaves(part)
    elif not isinstance(condition, Asks):
        yield condition


def asks(condition: Condition) -> Iterator[Asks]:
    """Every question in a condition, from left to right."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from asks(part)
    elif isinstance(condition, Asks):
        yield condition


def answered(condition: Condition, *answers: str) -> Condition:
    """The condition with each of its questions true where the answer is one of these: a key of ANSWERED."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(answered(part, *answers) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(answered(part, *answers) for part in parts))
        case Asks(key):
            return Has(ANSWERED[answers], "any", (key,))
        case _:
            return condition


def without_questions(condition: Condition) -> Condition:
    """The condition as if every question in it were answered with yes."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(without_questions(part) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(without_questions(part) for part in parts))
        case Asks():
            return AllOf(())
        case _:
            return condition


def any_state(fields: Sequence[str], state: str) -> Condition:
    """True when at least one of the fields is in that state."""
    return AnyOf(tuple(Compare(state_key(field), "is", state) for field in fields))


@dataclass(frozen=True, slots=True)
class Authority:
    """The source that a rule or a table row rests on, and whether it binds. `retrieved` is an ISO date."""

    kind: str
    title: str
    locator: str | None = None
    url: str | None = None
    retrieved: str | None = None
    binding: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason expected on the remittance: group code, CARC, RARCs (codes only)."""

    group: str
    carc: str
    rarc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """The 277CA category and status code that a clearinghouse would answer with."""

    category: str
    code: str


@dataclass(frozen=True, slots=True)
class FromRow:
    """A name whose value a finding takes: a field of the fact, a column of the row that a look-up found, an amount.

    `otherwise` holds where there is no such value.
    """

    name: str
    operand: Operand
    otherwise: str | None = None

    @property
    def plain(self) -> bool:
        """Whether it is a field of the fact."""
        return isinstance(self.operand, Own)


@dataclass(frozen=True, slots=True)
class ByRow:
    """What findings of a rule take from the fact or a row in place of what the rule says; None: nothing.

    `group` and `carc` are the codes of the expected reason, `rarc` the remark codes; a text is what the rule says.
    `authority` are the columns `authority`, `title` and `binding` of the row that says how severe it is.
    """

    severity: FromRow | None = None
    group: FromRow | str | None = None
    carc: FromRow | str | None = None
    rarc: FromRow | tuple[str, ...] = ()
    at_risk: FromRow | None = None
    authority: tuple[FromRow, ...] = ()

    @property
    def of_reason(self) -> bool:
        """Whether something of the expected reason is taken from a row."""
        return any(isinstance(part, FromRow) for part in (self.group, self.carc, self.rarc))

    def taken(self) -> Iterator[FromRow]:
        """Every name whose value is taken."""
        for part in (self.severity, self.group, self.carc, self.rarc, self.at_risk, *self.authority):
            if isinstance(part, FromRow):
                yield part


@dataclass(frozen=True, slots=True)
class Remedy:
    """A fix that is data: `action` is one of remedies.ACTIONS, `on` the line of the finding it is about.

    `value` is the modifier, the units or the element; of `point-to` what names the diagnoses. `to` is the line that a
    modifier moves to. Nobody applies it before the user has stated that the record shows `when_record_shows`.
    """

    action: str
    on: str  # this | related
    value: FromRow | str | None = None
    to: str | None = None
    when_record_shows: str | None = None

    @property
    def value_in_words(self) -> str | None:
        """The value, or the name that gives it, as the rule file has it."""
        return self.value.name if isinstance(self.value, FromRow) else self.value

    @property
    def in_words(self) -> str:
        """What it does, in one line."""
        words = [self.action, *filter(None, (self.value_in_words,)), f"on the {LINES_IN_WORDS[self.on]}"]
        words += [f"to the {LINES_IN_WORDS[self.to]}"] if self.to else []
        shown = f", when the record shows that {self.when_record_shows}" if self.when_record_shows else ""
        return " ".join(words) + shown


LINES_IN_WORDS = {"this": "line of the finding", "related": "related line"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file. `since` is inclusive, `until` exclusive; both are dates of service.

    `severity` and `reason` hold where no row says otherwise: `by_row` is what a row may say.
    """

    id: str
    pack: str
    file: str
    version: int
    title: str
    status: str  # draft | shadow | active | deprecated
    severity: str  # of SEVERITIES
    stage: str  # of STAGES
    category: str  # of CATEGORIES
    scope: str  # a kind of vocabulary.KINDS
    owner: str
    reviewed: date
    since: date | None
    until: date | None
    authority: tuple[Authority, ...]
    applies: Condition
    needs: tuple[str, ...]
    when: Condition
    element: str  # of vocabulary.ELEMENTS
    message: str
    fix: str
    not_checked: str | None
    reason: Reason | None
    claim_status: ClaimStatus | None
    at_risk: str  # nothing | line-allowed | claim-allowed | amount (of a row, or one that the rule names)
    false_alarms: str | None
    related: tuple[str, ...]
    superseded_by: str | None = None  # id of the rule that took over
    back_test: str | None = None  # its record, below the folder of the pack
    bypassed: Condition | None = None  # where it does not fire because the claim properly answers it
    names: tuple[tuple[str, Operand], ...] = ()  # amounts and columns of look-ups, by the names that its texts use
    declared: str = "{}"  # its look-ups and amounts, and what it takes from rows, as its file writes them, as JSON
    of_element: str | None = None  # of a rule that a family of documentation states: the element it stands under
    documents: FactKind | None = field(default=None, compare=False, repr=False)  # with the elements of families
    by_row: ByRow | None = None
    remedies: tuple[Remedy, ...] = ()

    @property
    def kind(self) -> FactKind:
        """The kind of its facts, with the elements that documents have beside the fields of every kind."""
        return self.documents or KINDS[self.scope]

    @property
    def is_of_family(self) -> bool:
        """Whether a family of documentation states it, so that its file is the family's."""
        return self.of_element is not None

    @property
    def severity_in_words(self) -> str:
        """How severe its findings are, and what may say otherwise."""
        source = self.by_row.severity if self.by_row is not None else None
        return self.severity if source is None else f"{self.severity}, or what {source.name} says"


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """The conditions of a rule on a fact, apart from its days and `needs`."""
    conditions = (rule.applies, rule.when)
    return conditions if rule.bypassed is None else (*conditions, rule.bypassed)


def window(rule: Rule) -> tuple[Compare, ...]:
    """Dates of service decide: the days that a rule holds for, as conditions on the fact's day."""
    since = (Compare("day", "at-least", rule.since.toordinal()),) if rule.since else ()
    until = (Compare("day", "under", rule.until.toordinal()),) if rule.until else ()
    return (*since, *until)


def semantic_hash(rule: Rule) -> str:
    """SHA-256 (`sha256:…`) over scope, applies, needs, when, severity and effective dates, as they are typed.

    Texts, order of codes, layout, version and status leave it as it is.
    """
    content: dict[str, Any] = {
        "scope": rule.scope,
        "applies": _canonical(rule.applies),
        "needs": sorted(rule.needs),
        "when": _canonical(rule.when),
        "severity": rule.severity,
        "effective": [_iso(rule.since), _iso(rule.until)],
    }
    if rule.by_row is not None and rule.by_row.severity is not None:
        content["severity from"] = repr(rule.by_row.severity)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _canonical(condition: Condition) -> list[Any]:
    match condition:
        case AllOf(parts):
            return ["all", *map(_canonical, parts)]
        case AnyOf(parts):
            return ["any", *map(_canonical, parts)]
        case Has(fact, op, values):
            return ["has", fact, op, sorted(values)]
        case InList(fact, op, name):
            return ["in-list", fact, op, name]
        case Compare(fact, op, value):
            return ["compare", fact, op, value]
        case Asks(_, question):
            return ["asks", repr(question)]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
