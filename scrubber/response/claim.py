"""Declares and writes the answer for a claim; its members are promised to callers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from marshmallow import fields

from scrubber.claim.elements import ELEMENTS, Element
from scrubber.claim.model import Normalised, Position
from scrubber.findings import (
    NO_SWITCHES,
    Check,
    ClaimImpact,
    Finding,
    Impact,
    NotChecked,
    ScrubResult,
    StageChecks,
    Versions,
)
from scrubber.findings.checks import OUTCOMES
from scrubber.findings.finding import WHYS
from scrubber.response.remedies import RemedyResponse
from scrubber.response.schema import (
    CompactDay,
    Flag,
    Lines,
    Money,
    Number,
    Object,
    Objects,
    OneOf,
    ResponseSchema,
    Text,
    Texts,
)
from scrubber.response.writer import writer
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import AUTHORITY_KINDS, STATUSES

_STATUS = OneOf(STATUSES, "Only active rules have effect.")
_BASIS = Text("Which schedule and locality the amounts come from.", nullable=True)
_STEPS = Texts("The arithmetic.")
_UNKNOWN = Text(
    "Why an amount cannot be known, for example no-schedule.", path="unknown", data_key="unknown", optional=True
)
_NOTHING = Decimal(0)


class RuleReferenceResponse(ResponseSchema):
    """A rule, by name."""

    id = Text("Id of the rule; GET /v1/rules/{id} tells all of it.")
    version = Number("Raised on any change of meaning.")
    status = _STATUS


class X12PlaceResponse(ResponseSchema):
    """Where an element of a claim stands in the 837P."""

    loop = Text("Loop of the 837P.")
    element = Text("Element in it.", path="x12")
    segment = Number(
        "Of a claim that came as X12: the number of the segment in the file, from 1.",
        compute=lambda _: None,
        optional=True,
    )


class X12PositionResponse(X12PlaceResponse):
    """Where something stands in an X12 file. What the guide does not know has no loop and no element there."""

    instance_of = Position

    element = Text("Element in it.")
    segment = Number("The number of the segment in the file, from 1.")


class ReasonResponse(ResponseSchema):
    """Codes expected on the remittance."""

    group = Text("Claim adjustment group code.")
    carc = Text("Claim adjustment reason code.")
    rarc = Texts("Remittance advice remark codes.")


class ClaimStatusResponse(ResponseSchema):
    """Codes of a 277CA."""

    category = Text("Claim status category code.")
    code = Text("Claim status code.")


class AuthorityResponse(ResponseSchema):
    """By whose word a rule stands; what is not known of it is left out."""

    kind = OneOf(AUTHORITY_KINDS, "What kind of text it is.")
    title = Text("Name of the text.")
    locator = Text("Chapter, section, table or row.", optional=True)
    url = Text("Its address.", optional=True)
    retrieved = Text("When it was read, as an ISO date.", optional=True)
    binding = Flag("Whether it binds the payer.")


class ImpactResponse(ResponseSchema):
    """Dollars of a finding."""

    instance_of = Impact

    billed = Money("The charge.")
    allowed = Money("What the payer allows.")
    at_risk = Money("What the finding may cost.")
    liability = Text(
        "Who bears it: provider or patient; null where nothing is at risk or it is not settled.", nullable=True
    )
    basis = _BASIS
    steps = _STEPS
    why_unknown = _UNKNOWN


def _share(who: str) -> Callable[[Mapping[str, Decimal | None]], Decimal | None]:
    return lambda by_liability: by_liability.get(who, _NOTHING)


class ByLiabilityResponse(ResponseSchema):
    """What is at risk, by who bears it."""

    provider = Money("At risk for the provider.", compute=_share("provider"))
    patient = Money("At risk for the patient.", compute=_share("patient"))


class ClaimImpactResponse(ResponseSchema):
    """Dollars of a claim."""

    instance_of = ClaimImpact

    billed = Money("All charges.")
    allowed = Money("What the payer allows for the claim.")
    at_risk = Money("Per line the greatest amount of its warn and deny findings, counted once.")
    by_liability = Object(ByLiabilityResponse, "Who bears what is at risk.")
    unpriced_lines = Lines("Lines without an allowed amount, from 1.")
    basis = _BASIS
    steps = _STEPS
    uncounted_lines = Lines(
        "Lines at risk whose amount is not known, from 1: at least atRisk is at risk.",
        convert=lambda lines: lines or None,
        optional=True,
    )
    why_unknown = _UNKNOWN


class Evidence(fields.Field[Any]):
    """The evidence of a finding: a mapping of texts, numbers, booleans and lists of texts; OpenAPI has it by rule."""


def x12_place(element: str) -> Element | None:
    """The element with its loop and place in the 837P; None for what has no place there, such as the scrubContext."""
    return _X12_PLACES[element]


_X12_PLACES = {name: element if element.x12 else None for name, element in ELEMENTS.items()}


def box(element: str) -> str | None:
    """The element's box of the CMS-1500."""
    return ELEMENTS[element].box


class FindingResponse(ResponseSchema):
    """A rule that fired."""

    instance_of = Finding
    cached_by = "rule"

    id = Text(
        "Its name on this claim: rule, codes, and a number where there are several. It stays when the claim is "
        "sent again with its lines in another order."
    )
    rule = Object(RuleReferenceResponse, "The rule that fired.")
    severity = OneOf(SEVERITIES, "How bad it is; a row of a table may say less than the rule.")
    stage = OneOf(STAGES, "When it would cost: rejected, denied, or paid and taken back.", path="rule.stage")
    category = OneOf(CATEGORIES, "What it is about.", path="rule.category")
    lines = Lines("Service lines it is about, from 1; none: the claim.")
    related_lines = Lines("Lines that take part in it.")
    pointer = Text("JSON pointer into the body that was sent; null for a claim that came as X12.", nullable=True)
    x12 = Object(
        X12PlaceResponse,
        "Place in the 837P, if any.",
        path="element",
        convert=x12_place,
        same_as="rule.element",
        nullable=True,
    )
    box = Text("Box of the CMS-1500.", path="element", convert=box, same_as="rule.element", nullable=True)
    message = Text("What is wrong.")
    fix = Text("What to do about it.")
    reason = Object(ReasonResponse, "Codes expected on the remittance.", same_as="rule.reason", nullable=True)
    remedies = Objects(
        RemedyResponse,
        "Fixes as data, beside the sentence of `fix`: each is one way out, none is preferred. Only when asked for.",
        optional=True,
    )
    claim_status = Object(
        ClaimStatusResponse, "What a clearinghouse would answer.", path="rule.claim_status", nullable=True
    )
    impact = Object(ImpactResponse, "What it may cost.", nullable=True)
    authority = Objects(AuthorityResponse, "By whose word.", same_as="rule.authority")
    evidence = Evidence(required=True)


def _pointer(finding: Finding) -> str | None:
    return None if finding.position else finding.pointer


class X12FindingResponse(FindingResponse):
    """A rule that fired on a claim that came as X12."""

    pointer = Text("Only where it is in the context beside the file.", compute=_pointer, nullable=True)
    x12 = Object(X12PositionResponse, "Place in the file.", path="position", nullable=True)


class CheckResponse(ResponseSchema):
    """One rule held against one fact."""

    instance_of = Check
    cached_by = "rule"

    rule = Object(RuleReferenceResponse, "The rule.")
    lines = Lines("Service lines that it was held against, from 1; none: the claim.")
    outcome = OneOf(OUTCOMES, "What came of it.")


class StageChecksResponse(ResponseSchema):
    """How the checks of a stage came out."""

    fired = Number("Checks that found something.")
    bypassed = Number("Checks that a modifier or a notice properly answered.")
    not_checked = Number("Checks that could not be made; `notChecked` of the answer has them.")
    complete = Flag("Whether every rule held here was judged. It does not say that the payer has no others.")
    passed = Number("Checks that passed. Only when asked for.", optional=True)
    list = Objects(CheckResponse, "Every check by name. Only when asked for.", optional=True)


ChecksResponse = ResponseSchema.from_dict(
    {
        stage: Object(
            StageChecksResponse, "Checks of this stage: one rule held against one fact.", compute=itemgetter(stage)
        )
        for stage in STAGES
    },
    name="ChecksResponse",
)


class NotCheckedResponse(ResponseSchema):
    """A rule that could not be judged."""

    instance_of = NotChecked
    cached_by = "rule"

    rule = Object(RuleReferenceResponse, "The rule that could not be judged.")
    lines = Lines("Service lines it is about, from 1; none: the claim.")
    why = OneOf(WHYS, "Why it could not be judged.")
    missing = Texts("What would settle it: facts, elements, reference tables, or names of the body.")
    message = Text("What was not checked, and why.")


class SettledByResponse(ResponseSchema):
    """What would settle checks that could not be made."""

    input = Text("What was not supplied or could not be read: a fact, an element or a reference table by name.")
    why = OneOf(WHYS, "Why it was not checked.")
    checks = Number("How many checks it would settle, alone or with other inputs.")
    rules = Texts("Ids of their rules.")
    lines = Lines("Their service lines, from 1.")


class NormalisedResponse(ResponseSchema):
    """Something understood although it was sent otherwise."""

    instance_of = Normalised

    pointer = Text("Where it stands in the body.")
    change = Text("How it was understood.")


class UsedReleaseResponse(ResponseSchema):
    """A release of a reference table that answered."""

    table = Text("Name of the reference table.")
    release = Text("Name of the release.")
    sha256 = Text("SHA-256 of the release's file.")
    complete = Flag(
        "Only where it was loaded as complete: absence from it was a finding.",
        convert=lambda complete: complete or None,
        optional=True,
    )


class VersionsResponse(ResponseSchema):
    """What an answer was made with."""

    instance_of = Versions
    cached_by = "reference"

    program = Text("Version of this program.")
    rulebook = Text("Digest of every rule and table beside the rules.")
    reference = Objects(UsedReleaseResponse, "Every reference release that answered.")


class SwitchedResponse(ResponseSchema):
    """The rules that a request switched on or off."""

    enable = Texts("Ids of the rules that counted as active.")
    disable = Texts("Ids of the rules that were left out.")


def switched() -> Object:
    """`switched` of an answer, which is there when something was."""
    return Object(
        SwitchedResponse,
        "What `enable` and `disable` said, when they said something.",
        path="switches",
        convert=lambda switches: None if switches is NO_SWITCHES else switches,
        optional=True,
    )


class SettledBy(NamedTuple):
    """An input that is missing, and the checks that it would settle."""

    input: str
    why: str
    checks: int
    rules: Sequence[str]
    lines: Sequence[int]


def _by_input(items: Sequence[NotChecked]) -> list[SettledBy]:
    """What was not checked, by what would settle it: first what settles most."""
    groups: dict[tuple[str, str], list[NotChecked]] = {}
    for item in items:
        for missing in item.missing:
            groups.setdefault((missing, item.why), []).append(item)
    rows = [
        SettledBy(
            missing,
            why,
            sum(item.checks for item in group),
            sorted({item.rule.id for item in group}),
            sorted({line for item in group for line in item.lines}),
        )
        for (missing, why), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.checks, row.input, row.why))


class AnswerResponse(ResponseSchema):
    """The answer for a claim."""

    instance_of = ScrubResult

    disposition = OneOf(("accept", "warn", "deny"), "The worst severity; info accepts.")
    findings = Objects(FindingResponse, "What is wrong, worst first within a line.")
    checks = Object(ChecksResponse, "What was checked, by the stage at which it would cost.")
    not_checked = Objects(NotCheckedResponse, "What could not be judged.")
    impact = Object(ClaimImpactResponse, "Dollars of the claim.")
    normalised = Objects(NormalisedResponse, "What was understood although sent otherwise.")
    unmapped = Texts("JSON pointers to what was not read.")
    versions = Object(VersionsResponse, "What the answer was made with.")
    received_on = CompactDay("The day used for timely filing: CCYYMMDD.")
    stale_after = Number("Days past its last release after which a table warns; null: never.", nullable=True)
    switched = switched()
    shadow = Objects(
        FindingResponse, "What shadow rules found; it counts for nothing. Only when asked for.", optional=True
    )
    settled_by = Objects(
        SettledByResponse,
        "What was not checked, by what would settle it. Only when asked for.",
        path="not_checked",
        convert=_by_input,
        optional=True,
    )


class X12AnswerResponse(AnswerResponse):
    """The answer for a claim that came as X12."""

    findings = Objects(X12FindingResponse, "What is wrong, worst first within a line.")
    shadow = Objects(X12FindingResponse, "What shadow rules found. Only when asked for.", optional=True)


# What an answer has only when it is asked for, and the members of the schema that it is.
# Annotated for mypyc, which meets the package before this module.
SHADOW: str = "shadow"
CHECKS: str = "checks"
SETTLED_BY: str = "settledBy"
REMEDIES: str = "remedies"
_MEMBERS = {
    SHADOW: ("shadow",),
    CHECKS: tuple(f"checks.{stage}.{name}" for stage in STAGES for name in ("passed", "list")),
    SETTLED_BY: ("settled_by",),
    REMEDIES: ("findings.remedies", "shadow.remedies"),
}


def answer_schema(included: Collection[str] = (), *, in_x12: bool = False) -> AnswerResponse:
    """The schema of an answer with what of SHADOW, CHECKS, SETTLED_BY and REMEDIES is asked for."""
    schema = X12AnswerResponse if in_x12 else AnswerResponse
    return schema(exclude=[member for name in _MEMBERS if name not in included for member in _MEMBERS[name]])


_write = writer(answer_schema())
_write_x12 = writer(answer_schema(in_x12=True))


@cache
def _writer(included: frozenset[str], in_x12: bool) -> Callable[[Any], dict[str, Any]]:
    return writer(answer_schema(included, in_x12=in_x12))


def to_bytes(result: ScrubResult) -> bytes:
    """The answer as compact JSON; equal results give equal bytes."""
    return orjson.dumps(_write_x12(result) if result.in_x12 else _write(result))


class _ListedChecks(NamedTuple):
    """The checks of a stage: how many came out in which way, and each of them."""

    fired: int
    bypassed: int
    not_checked: int
    complete: bool
    passed: int
    list: Sequence[Check]


def with_every_check(result: ScrubResult) -> ScrubResult:
    """The result whose checks, by stage, have every check of the stage besides the counts."""
    stages = {stage: _listed(stage, counts, result.every_check or ()) for stage, counts in result.checks.items()}
    return result._replace(checks=stages)  # type: ignore[arg-type]


def _listed(stage: str, counts: StageChecks, checks: Iterable[Check]) -> _ListedChecks:
    of_stage = [check for check in checks if check.rule.stage == stage]
    passed = sum(check.outcome == "passed" for check in of_stage)
    return _ListedChecks(*counts, counts.complete, passed, of_stage)


def with_included(result: ScrubResult, included: Collection[str]) -> bytes:
    """The answer with more: what shadow rules found, which counts for nothing; every check; not checked, by input."""
    write = _writer(frozenset(included), result.in_x12)
    return orjson.dumps(write(with_every_check(result) if CHECKS in included else result))


def document(result: ScrubResult) -> dict[str, Any]:
    """The answer as plain dicts, lists and texts."""
    answer: dict[str, Any] = orjson.loads(to_bytes(result))
    return answer
