"""Declares and writes rules, and the releases of reference data that they are held against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from scrubber.reference.releases import Release, TableStatus
from scrubber.response.claim import (
    AuthorityResponse,
    ClaimStatusResponse,
    ReasonResponse,
    X12PlaceResponse,
    box,
    x12_place,
)
from scrubber.response.remedies import RuleRemedyResponse
from scrubber.response.schema import (
    Flag,
    IsoDay,
    Mapped,
    Number,
    Object,
    Objects,
    OneOf,
    ResponseSchema,
    Text,
    Texts,
    itself,
    members_of,
)
from scrubber.response.writer import writer
from scrubber.rulebook.by_row import AMOUNT
from scrubber.rulebook.condition_words import as_data
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES, TAKEN, Condition, Rule
from scrubber.rulebook.rulebook import Pack
from scrubber.rulebook.schema import AT_RISK, STATUSES
from scrubber.rulebook.vocabulary import KINDS


class WindowResponse(ResponseSchema):
    """Days of service for which a row or a rule holds; null: open."""

    since = IsoDay("First date of service.", data_key="from", nullable=True)
    until = IsoDay("First date of service no longer in force.", data_key="to", nullable=True)


def window(about: str, path: str | None = None) -> Object:
    """The days of the object at `path`, or of the object itself."""
    return Object(WindowResponse, about, path=path) if path else Object(WindowResponse, about, compute=itself)


class RuleSummaryResponse(ResponseSchema):
    """A rule in a list of rules."""

    id = Text("Id: the name of its file.")
    version = Number("Raised on any change of meaning.")
    title = Text("One line.")
    pack = Text("The pack it is in.")
    status = OneOf(STATUSES, "Only active rules have effect.")
    severity = OneOf(SEVERITIES, "Severity of its findings, where no row says another.")
    stage = OneOf(STAGES, "When it would cost.")
    category = OneOf(CATEGORIES, "What it is about.")


write_summary = writer(RuleSummaryResponse())


class PackResponse(ResponseSchema):
    """A folder of rules."""

    name = Text("Name of its folder.")
    title = Text("One line.")
    about = Text("Whose rules these are.")


class RuleList(NamedTuple):
    """Rules of a rulebook, and all its packs."""

    digest: str
    packs: Iterable[Pack]
    rules: Iterable[Rule]


def _digest() -> Text:
    return Text("Digest of every rule and table beside the rules.")


class RuleListResponse(ResponseSchema):
    """Rules of a rulebook."""

    digest = _digest()
    packs = Objects(PackResponse, "Every pack.")
    rules = Objects(RuleSummaryResponse, "Rules, by id.")


write_rule_list = writer(RuleListResponse())


class PointsAtResponse(ResponseSchema):
    """The element that findings of a rule are about."""

    element = Text("Name of the element of the claim.", compute=itself)
    x12 = Object(X12PlaceResponse, "Its place in the 837P, if any.", compute=x12_place, nullable=True)
    box = Text("Its box of the CMS-1500.", compute=box, nullable=True)


def _condition(name: str, about: str, nullable: bool = False) -> Mapped:
    def as_written(rule: Rule) -> Any:
        condition: Condition | None = getattr(rule, name)
        return None if condition is None else as_data(condition, rule.kind.fields)

    about = f"{about} {{all: […]}}, {{any: […]}} or {{fact: NAME, OPERATOR: VALUE}}."
    return Mapped(about, compute=as_written, nullable=nullable)


def _declared(key: str) -> Callable[[Rule], Any]:
    return lambda rule: json.loads(rule.declared).get(key, {})


def _taken(rule: Rule) -> Any:
    return json.loads(rule.declared).get(TAKEN)


class RuleFileResponse(RuleSummaryResponse):
    """Everything that the file of a rule says; conditions as data."""

    file = Text("Its file, within the folder of rules.")
    scope = OneOf(tuple(KINDS), "What one finding of it is about.")
    owner = Text("The role that answers for it.")
    reviewed = IsoDay("When it was last held against its authority.")
    effective = window("Dates of service it holds for.")
    authority = Objects(AuthorityResponse, "By whose word.")
    applies = _condition("applies", "Which facts it looks at.")
    look_up = Mapped(
        "Rows of tables that it names, as its file writes them.", data_key="lookUp", compute=_declared("look-up")
    )
    amounts = Mapped("Sums, counts and days that it names, as its file writes them.", compute=_declared("amounts"))
    needs = Texts("Facts without which it is not judged.")
    when = _condition("when", "When it fires.")
    bypassed = _condition("bypassed", "When a modifier or a notice properly answers it instead.", nullable=True)
    points_at = Object(PointsAtResponse, "What a finding points at.", path="element")
    message = Text("What it says; names in braces are filled in.")
    fix = Text("What to do about it.")
    remedies = Objects(
        RuleRemedyResponse,
        "Fixes as data; only where there are any.",
        convert=lambda remedies: remedies or None,
        optional=True,
    )
    not_checked = Text("What it says when a needed fact was not supplied.", nullable=True)
    reason = Object(ReasonResponse, "Codes expected on the remittance.", nullable=True)
    claim_status = Object(ClaimStatusResponse, "What a clearinghouse would answer.", nullable=True)
    at_risk = OneOf((*AT_RISK, AMOUNT), "Dollars a finding may cost; amount: those that the rule names in `fromRows`.")
    from_rows = Mapped(
        "What a finding takes from a row or a fact in place of what the rule says, as its file writes it; only where "
        "it takes something.",
        compute=_taken,
        optional=True,
    )
    false_alarms = Text("When it may fire on a correct claim.", nullable=True)
    related = Texts("Ids of other rules.")
    superseded_by = Text("Id of the rule that took over.", nullable=True)
    back_test = Text("Record of its back-test, within the folder of its pack.", nullable=True)


write_rule_file = writer(RuleFileResponse())


class RuleInRulebook(NamedTuple):
    """A rule, and the digest of its rulebook."""

    digest: str
    rule: Rule


RuleResponse = ResponseSchema.from_dict(
    {"digest": _digest(), **members_of(RuleFileResponse, "rule")}, name="RuleResponse"
)

write_rule = writer(RuleResponse())


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


class ReleaseResponse(ResponseSchema):
    """A release of a table of reference data."""

    table = Text("Name of the reference table.")
    name = Text("Name of the release.", data_key="release")
    effective = window("Dates of service that it was published for.")
    sha256 = Text("SHA-256 of what it was read from.")
    rows = Number("How many rows it has.")
    starter = Flag("Whether it ships with the program.")
    complete = Flag("Whether it was loaded as complete, so that a code that it lacks is a finding.")
    source = Text("Where it is from.")
    loaded = Text(
        "When a published file was loaded (UTC); null for tables typed by hand.", convert=_seconds, nullable=True
    )


class ReleaseList(NamedTuple):
    """Releases of reference data."""

    releases: Iterable[Release]


class ReleasesResponse(ResponseSchema):
    """Releases of reference data."""

    releases = Objects(ReleaseResponse, "By table, then by first day.")


write_releases = writer(ReleasesResponse())

NOT_LOADED = "not-loaded"
STANDINGS = ("in-force", "carried-forward", "past-last-release", "before-first-release", NOT_LOADED)


class AnsweringRelease(NamedTuple):
    """How a day lies to a table, and the release that answers; None: no release is loaded."""

    table: str
    standing: str
    release: Release | None


def answering(standings: Mapping[str, TableStatus], table: str) -> AnsweringRelease:
    """The release of a table that answers for a day."""
    standing, release = standings[table]
    return AnsweringRelease(table, standing if release else NOT_LOADED, release)


class TableStandingResponse(ResponseSchema):
    """How a day lies to a table, and the release that answers."""

    table = Text("Name of the reference table.")
    release = Text(
        "The release that answers for the date, else the first; null when none is loaded.",
        convert=lambda release: release.name,
        nullable=True,
    )
    sha256 = Text(
        "SHA-256 of what it was read from.",
        path="release",
        convert=lambda release: release.sha256,
        nullable=True,
    )
    standing = OneOf(STANDINGS, "How the date lies to the releases of the table.")
