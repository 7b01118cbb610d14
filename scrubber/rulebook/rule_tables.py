"""The row types of the tables of the packs, and which of several rows answers for a payer on a day.

Blank columns mean "any". Of the rows that fit, the most specific wins, in this order: payer,
contractor, plan, line of business. Two equally specific rows for the same day are a fault when the rulebook loads.
`since` is the first day in force, `until` the first day no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from scrubber.dated_rows import Dated, in_force
from scrubber.rulebook.rule import Authority


class Payer(NamedTuple):
    """Who pays, as far as it is known: our payer name, line of business, stated plan, Medicare contractor number."""

    name: str | None
    line_of_business: str
    plan: str | None
    contractor: str | None


class CodeListRow(NamedTuple):
    """A code of a named list, or every code from `code` through `through` of the same length and last letter."""

    list: str
    code: str
    through: str | None
    since: date | None
    until: date | None
    source: str


class LimitRow(NamedTuple):
    """A number that facts are judged by, and that conditions name: `over: {limit: NAME}`."""

    name: str
    value: Decimal
    since: date | None
    until: date | None
    source: str


class AliasRow(NamedTuple):
    """A payer id that senders use, and our name for the payer."""

    payer_id: str
    payer: str
    since: date | None
    until: date | None
    source: str


class FilingIndicatorRow(NamedTuple):
    """A claim filing indicator and the line of business it names."""

    filing_indicator: str
    line_of_business: str
    since: date | None
    until: date | None
    source: str


class PlanRow(NamedTuple):
    """A value of scrubContext.eligibility.plan and the line of business it names."""

    plan: str
    line_of_business: str
    since: date | None
    until: date | None
    source: str


class AdoptionRow(NamedTuple):
    """Whether a payer applies a pack, or one `rule` of it, and how severe that rule is there if less than it says.

    A row that names a rule goes before all rows of its pack, for what it says: `adopted` or `severity` may be blank.
    """

    pack: str
    payer: str | None
    line_of_business: str | None
    plan: str | None
    contractor: str | None
    adopted: bool | None
    since: date | None
    until: date | None
    source: str
    rule: str | None = None
    severity: Literal["info", "warn"] | None = None
    reason: str | None = None
    owner: str | None = None


class PayerFeeRow(NamedTuple):
    """What a payer other than Original Medicare allows: an amount for one unit, or a percentage of the Medicare fee."""

    code: str | None
    payer: str | None
    line_of_business: str | None
    plan: str | None
    contractor: str | None
    amount: Decimal | None
    percent_of_medicare: Decimal | None
    since: date | None
    until: date | None
    source: str


class PolicyRow(NamedTuple):
    """A payer's coverage policy for a code; `effect` is the severity for a line that fails it."""

    code: str
    payer: str | None
    line_of_business: str | None
    plan: str | None
    contractor: str | None
    status: Literal["covered", "adjunct", "investigational", "unknown"]
    effect: Literal["warn", "deny"]
    diagnosis_list: str | None
    frequency: str | None
    since: date | None
    until: date | None
    authority: str
    title: str
    locator: str | None
    url: str | None
    retrieved: date
    binding: bool


def policy_authority(row: PolicyRow) -> Authority:
    """The authority of a policy row."""
    return Authority(row.authority, row.title, row.locator, row.url, row.retrieved.isoformat(), row.binding)


class DiagnosisListRow(NamedTuple):
    """A diagnosis of a policy's list; `prefix` = every code that begins with it."""

    list: str
    code: str
    prefix: bool
    test: Literal["covered", "excluded"]
    since: date | None
    until: date | None
    source: str


class FrequencyRow(NamedTuple):
    """At least `months` full months must lie between the months of two services of one code list.

    `exceptions` describes when an earlier repeat is accepted; `excepted_diagnoses` is the code list of diagnoses
    that say so by themselves.
    """

    name: str
    code_list: str
    months: int
    since: date | None
    until: date | None
    source: str
    excepted_diagnoses: str | None = None
    exceptions: str | None = None


class NeededElementRow(NamedTuple):
    """An element that claims need: always, in all but rare situations, or as part of the envelope around them."""

    element: str
    need: Literal["required", "situational", "envelope"]
    since: date | None
    until: date | None
    source: str


ROW_TYPES: dict[str, type] = {
    "code-lists": CodeListRow,
    "limits": LimitRow,
    "aliases": AliasRow,
    "adoptions": AdoptionRow,
    "filing-indicators": FilingIndicatorRow,
    "plans": PlanRow,
    "payer-fees": PayerFeeRow,
    "policies": PolicyRow,
    "diagnosis-lists": DiagnosisListRow,
    "frequencies": FrequencyRow,
    "needed-elements": NeededElementRow,
}

_SCOPE = ("payer", "line_of_business", "plan", "contractor")

ROW_KEYS: dict[str, tuple[str, ...]] = {  # no two rows that agree in these may be in force on one day
    "code-lists": ("list", "code", "through"),
    "limits": ("name",),
    "aliases": ("payer_id",),
    "adoptions": ("pack", "rule", *_SCOPE),
    "filing-indicators": ("filing_indicator",),
    "plans": ("plan",),
    "payer-fees": ("code", *_SCOPE),
    "policies": ("code", *_SCOPE),
    "diagnosis-lists": ("list", "code"),
    "frequencies": ("name",),
    "needed-elements": ("element",),
}


class RuleTable(NamedTuple):
    """The rows of one file, each with the number of its line; `name` is its path below the folder of rules."""

    name: str
    kind: str
    numbered: tuple[tuple[int, Any], ...]

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows alone."""
        return tuple(row for _, row in self.numbered)


class Scoped(Dated, Protocol):
    """A dated row that holds for some payers."""

    @property
    def payer(self) -> str | None:
        """Our payer name; None = any."""

    @property
    def line_of_business(self) -> str | None:
        """None = any."""

    @property
    def plan(self) -> str | None:
        """None = any."""

    @property
    def contractor(self) -> str | None:
        """None = any."""


def specificity(row: Scoped) -> int:
    """How specific a row is about the payer: the most specific row wins."""
    columns = (row.payer, row.contractor, row.plan, row.line_of_business)
    return sum(8 >> position for position, value in enumerate(columns) if value is not None)


def fits(row: Scoped, payer: Payer) -> bool:
    """Whether the row holds for the payer."""
    return (
        row.payer in (None, payer.name)
        and row.line_of_business in (None, payer.line_of_business)
        and row.plan in (None, payer.plan)
        and row.contractor in (None, payer.contractor)
    )


ScopedRow = TypeVar("ScopedRow", bound="Scoped")


def most_specific(rows: Iterable[ScopedRow], payer: Payer, day: date) -> ScopedRow | None:
    """The row that answers for the payer on the day, or None."""
    fitting = [row for row in rows if in_force(row, day) and fits(row, payer)]
    return max(fitting, key=specificity) if fitting else None
