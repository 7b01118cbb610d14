"""The model of findings, of the rules that a request switches on or off, and of the result of scrubbing a claim."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from scrubber.claim.model import Normalised, Position
from scrubber.config import STALE_AFTER
from scrubber.errors import WrongSwitch
from scrubber.findings.remedies import OfferedRemedy
from scrubber.rulebook.rule import STAGES, Authority, Reason, Rule
from scrubber.rulebook.rulebook import RUNNING, Rulebook


@dataclass(frozen=True, slots=True)
class Switches:
    """Ids of rules, sorted. `enable` makes a shadow rule count like an active one, `disable` leaves a rule out."""

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()

    def status(self, rule: Rule) -> str | None:
        """The status that a running rule's findings count as, `active` or `shadow`; None: they are left out."""
        if rule.id in self.disable:
            return None
        return "active" if rule.id in self.enable else rule.status


NO_SWITCHES = Switches()


def read_switches(enable: Collection[str], disable: Collection[str], rulebook: Rulebook) -> Switches:
    """Switches that fit the rulebook, each id once.

    Raises WrongSwitch for an id that has no rule or is in both, and for enabling a rule that does not run.
    """
    on, off = frozenset(enable), frozenset(disable)
    unknown = (on | off).difference(rulebook.rules)
    for rule_id in sorted(unknown)[:1]:
        like = rulebook.no_such_rule(rule_id)
        raise WrongSwitch(f"`enable` or `disable` names a rule that there is not{like}; ask for the list of rules")
    for rule_id in sorted(on & off):
        raise WrongSwitch(f"{rule_id} is to be enabled and disabled at once")
    for rule_id in sorted(on):
        status = rulebook.rules[rule_id].status
        if status not in RUNNING:
            raise WrongSwitch(f"{rule_id} is {status}: only shadow and active rules run, so it cannot be enabled")
    return Switches(tuple(sorted(on)), tuple(sorted(off))) if on or off else NO_SWITCHES


class Impact(NamedTuple):
    """Dollars of one finding or of the claim. None = cannot be known; `unknown` then says why.

    `liability` is provider, patient or None (the finding puts nothing at risk, or who bears it is not settled).
    """

    billed: Decimal | None
    allowed: Decimal | None
    at_risk: Decimal | None
    liability: str | None
    basis: str | None
    steps: tuple[str, ...]
    unknown: str | None = None


class Finding(NamedTuple):
    """A rule that fired.

    `element` is a name of vocabulary.ELEMENTS. `lines` and `related_lines` are 1-based, `pointer` addresses the
    sender's body. `evidence` holds texts, numbers and booleans only. `id` has no line number: see `identity`.
    `position` is where it stands in the file that the claim came in as X12. `severity_by_row` is what a row of a table
    says of it in place of its rule, as are `reason_by_row` where its rule takes codes from a row, and `amount`, the
    dollars at risk where its rule names them (None: not known). `remedies` are the fixes that are data.
    """

    rule: Rule
    element: str
    lines: tuple[int, ...]
    related_lines: tuple[int, ...]
    pointer: str
    message: str
    fix: str
    authority: tuple[Authority, ...]
    evidence: Mapping[str, str | int | bool | tuple[str, ...]]
    id: str = ""
    position: Position | None = None
    severity_by_row: str | None = None
    reason_by_row: Reason | None = None
    amount: Decimal | None = None
    remedies: tuple[OfferedRemedy, ...] | None = None
    impact: Impact | None = None

    @property
    def severity(self) -> str:
        """How bad it is, one of rule.SEVERITIES: what a row says, else the rule."""
        return self.severity_by_row or self.rule.severity

    @property
    def reason(self) -> Reason | None:
        """The codes expected on the remittance: the rule's, with group PR where the patient bears the loss."""
        by_row = self.rule.by_row
        expected = self.reason_by_row if by_row is not None and by_row.of_reason else self.rule.reason
        if expected and expected.group == "CO" and self.impact and self.impact.liability == "patient":
            return Reason("PR", expected.carc, expected.rarc)
        return expected


class Fired(Protocol):
    """The attributes of a finding that decide the disposition and the dollars of a claim."""

    @property
    def rule(self) -> Rule:
        """The rule that fired."""

    @property
    def severity(self) -> str:
        """One of rule.SEVERITIES."""

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines it is about, 1-based; none when it is about the claim."""

    @property
    def amount(self) -> Decimal | None:
        """The dollars at risk where its rule names them; None: not known."""


# Why a check could not be made: the values of `notChecked[].why`.
NOT_SUPPLIED = "not-supplied"  # the context leaves out what the rule needs
UNREADABLE = "unreadable"  # an element is missing or cannot be read
NO_TABLE = "no-table"  # no release of a table that the rule rests on is loaded
NOT_REACHED = "table-does-not-reach"  # the releases of a table do not answer for the day
PAYER_UNKNOWN = "payer-unknown"  # whether the rule applies depends on who pays
ADOPTION_UNKNOWN = "adoption-unknown"  # no row says whether the payer applies the rule's pack
TOO_MANY_LINES = "too-many-lines"  # the claim has more lines than it can hold, and is judged by nothing else
WHYS = (NOT_SUPPLIED, UNREADABLE, NO_TABLE, NOT_REACHED, PAYER_UNKNOWN, ADOPTION_UNKNOWN, TOO_MANY_LINES)


class NotChecked(NamedTuple):
    """A rule that could not be judged, why (one of WHYS), and what would settle it.

    `missing` are facts, elements or tables by name, or names of the model that were probably misspelled. `checks`
    is how many checks (one rule, one fact) it represents.
    """

    rule: Rule
    lines: tuple[int, ...]
    missing: tuple[str, ...]
    message: str
    why: str = NOT_SUPPLIED
    checks: int = 1


class StageChecks(NamedTuple):
    """How many checks of one stage fired, were answered by a modifier or a notice, and could not be made."""

    fired: int
    bypassed: int
    not_checked: int

    @property
    def complete(self) -> bool:
        """Whether every check of the stage was made."""
        return self.not_checked == 0


class Check(NamedTuple):
    """One rule evaluated on one fact, and its outcome (one of `checks.OUTCOMES`); no lines: about the claim."""

    rule: Rule
    lines: tuple[int, ...]
    outcome: str


class ClaimImpact(NamedTuple):
    """Dollars of the whole claim. `by_liability` has provider and patient.

    `by_line` has what each line that some finding puts at risk is exposed to, None where it cannot be known.
    """

    billed: Decimal | None
    allowed: Decimal | None
    at_risk: Decimal | None
    by_liability: Mapping[str, Decimal | None]
    unpriced_lines: tuple[int, ...]
    basis: str | None
    steps: tuple[str, ...]
    unknown: str | None = None
    by_line: Mapping[int, Decimal | None] = {}

    @property
    def uncounted_lines(self) -> tuple[int, ...]:
        """Lines at risk with what is not known: where there are any, the claim has at least `at_risk` at risk."""
        return tuple(sorted([number for number, amount in self.by_line.items() if amount is None]))


class UsedRelease(NamedTuple):
    """A release of a reference table that answered for this claim."""

    table: str
    release: str
    sha256: str
    complete: bool = False  # absence from it was a finding


class Versions(NamedTuple):
    """Everything that the answer depends on, for a replay."""

    program: str
    rulebook: str
    reference: tuple[UsedRelease, ...]


NOTHING_CHECKED: Mapping[str, StageChecks] = {stage: StageChecks(0, 0, 0) for stage in STAGES}


class ScrubResult(NamedTuple):
    """The answer for one claim, before it is written as JSON, a table or a clearinghouse view.

    `shadow` has the findings of shadow rules, each with its dollars; nothing else counts them. `checks` are counted by
    stage; `every_check` is present only on request. `in_x12`: the claim came as X12, and findings have positions.
    """

    disposition: str
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    impact: ClaimImpact
    normalised: tuple[Normalised, ...]
    unmapped: tuple[str, ...]
    versions: Versions
    received_on: date
    shadow: tuple[Finding, ...] = ()
    switches: Switches = NO_SWITCHES
    checks: Mapping[str, StageChecks] = NOTHING_CHECKED
    every_check: tuple[Check, ...] | None = None
    stale_after: int | None = STALE_AFTER
    in_x12: bool = False


def disposition(findings: Iterable[Fired]) -> str:
    """`deny` or `warn` by the worst finding, else `accept`."""
    severities = {finding.severity for finding in findings}
    return "deny" if "deny" in severities else "warn" if "warn" in severities else "accept"
