"""Declares and writes what is known of a code, and what a service pays. Never a descriptor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scrubber.code_lookup import CodeProfile, PriceProfile
from scrubber.code_lookup.profile import CODE_TABLES, PRICING_TABLES, SETTINGS, WHOLE_AND_COMPONENTS
from scrubber.findings.judge import element_place
from scrubber.pricing import UNKNOWN
from scrubber.reference.local_coverage import DECIDES
from scrubber.reference.rows import AddOn
from scrubber.reference.tables import ADD_ON, ARTICLES, MPFS, MUE, PTP
from scrubber.response.claim import AuthorityResponse
from scrubber.response.rules import AnsweringRelease, RuleSummaryResponse, TableStandingResponse, answering, window
from scrubber.response.schema import (
    Flag,
    IsoDay,
    Money,
    Number,
    Object,
    Objects,
    OneOf,
    ResponseSchema,
    Text,
    Texts,
    itself,
)
from scrubber.response.values import amount
from scrubber.response.writer import writer
from scrubber.rulebook.rule_tables import policy_authority
from scrubber.rulebook.vocabulary import KNOWN, LINES_OF_BUSINESS

ADDED = "ZZZ"  # global days of a code that is billed beside another one


def _release(table: str) -> Object:
    def of_day(answer: CodeProfile) -> AnsweringRelease:
        return answering(answer.table_status, table)

    return Object(TableStandingResponse, "What says so.", compute=of_day)


def _releases(tables: Iterable[str], about: str) -> Objects:
    def of_day(answer: CodeProfile | PriceProfile) -> list[AnsweringRelease]:
        return [answering(answer.table_status, table) for table in tables]

    return Objects(TableStandingResponse, about, compute=of_day)


def _price_releases() -> Objects:
    return _releases([table.name for table in PRICING_TABLES], "Tables that prices rest on.")


def _row_window(path: str | None = None) -> Object:
    return window("Dates of service that the row holds for.", path)


def _source(path: str | None = None) -> Text:
    return Text("Where the row is from.", path=path)


def _component() -> OneOf:
    return OneOf(WHOLE_AND_COMPONENTS, "All of the service, or the part that a modifier names.")


def _setting() -> Text:
    return Text(f"{' or '.join(SETTINGS)}; null when the place of service is not known.", nullable=True)


def _basis(path: str) -> Text:
    return Text("Which schedule and locality the amount comes from.", path=path, nullable=True)


def _steps(path: str) -> Texts:
    return Texts("The arithmetic.", path=path)


def _unknown(path: str) -> OneOf:
    return OneOf(tuple(UNKNOWN), "Why the amount cannot be known.", path=path, data_key="unknown", optional=True)


class PayerResponse(ResponseSchema):
    """A payer, as far as it is known."""

    name = Text("Our name of the payer; null when it was not asked for or no table has it.", nullable=True)
    line_of_business = OneOf(LINES_OF_BUSINESS, "What kind of payer it is.")
    contractor = Text("Medicare contractor of the ZIP code.", nullable=True)


class CodeStandingResponse(ResponseSchema):
    """What the tables of codes say of a code."""

    standing = OneOf(KNOWN, "Whether it is a code on the date.", path="status")
    releases = _releases([table.name for table in CODE_TABLES], "Tables of codes; the first one that has it decides.")


def _share() -> Text:
    return Text("Share of the fee, such as 0.10; null where not told.", convert=amount, nullable=True)


class FeeSharesResponse(ResponseSchema):
    """How a fee is shared out."""

    preoperative = _share()
    intraoperative = _share()
    postoperative = _share()


def _relative_value() -> Text:
    return Text("Relative value units.", convert="{:.2f}".format)


class RelativeValuesResponse(ResponseSchema):
    """What a service is worth beside others."""

    work = _relative_value()
    non_facility_pe = _relative_value()
    facility_pe = _relative_value()
    mp = _relative_value()


def _indicator(name: str) -> Text:
    return Text(f"Indicator {name} of the fee schedule.", nullable=True)


def _not_done() -> Flag:
    return Flag("Rarely or never done in that setting.")


class FeeScheduleRowResponse(ResponseSchema):
    """A row of the Medicare physician fee schedule."""

    component = _component()
    status = _indicator("status")
    pc_tc = _indicator("pcTc")
    global_days = _indicator("globalDays")
    multiple = _indicator("multiple")
    bilateral = _indicator("bilateral")
    assistant = _indicator("assistant")
    co_surgeon = _indicator("coSurgeon")
    team = _indicator("team")
    endoscopic_base = _indicator("endoscopicBase")
    imaging_family = _indicator("imagingFamily")
    non_facility_na = _not_done()
    facility_na = _not_done()
    supervision = _indicator("supervision")
    add_on = Flag(
        "Global days ZZZ: billed only beside another code.", path="global_days", convert=lambda days: days == ADDED
    )
    shares = Object(
        FeeSharesResponse, "What of the fee is for the time before, during and after an operation.", compute=itself
    )
    relative_values = Object(RelativeValuesResponse, "Work, practice expense by setting, malpractice.", compute=itself)
    effective = _row_window()
    release = Text("Publication that the row is from.")
    source = _source()


class FeeScheduleResponse(ResponseSchema):
    """What the Medicare physician fee schedule says of a code."""

    release = _release(MPFS.name)
    rows = Objects(FeeScheduleRowResponse, "One row a part of the service.", path="fees")


class UnitPriceResponse(ResponseSchema):
    """What one unit of a service pays."""

    component = _component()
    setting = _setting()
    allowed = Money("What one unit pays.", path="fee.fee")
    basis = _basis("fee.basis")
    steps = _steps("fee.steps")
    why_unknown = _unknown("fee.unknown")


class PricesResponse(ResponseSchema):
    """What one unit of a code pays."""

    releases = _price_releases()
    units = Objects(
        UnitPriceResponse,
        "By part of the service and setting; of the setting of `pos` where that is given.",
        path="prices",
    )


class MedicallyUnlikelyEditResponse(ResponseSchema):
    """A medically unlikely edit."""

    units = Number("Most units for one patient, provider and day.")
    indicator = OneOf(("1", "2", "3"), "Adjudicated by line (1), or by day (2 and 3).")
    effective = _row_window()
    source = _source()


class CodeMueResponse(ResponseSchema):
    """The medically unlikely edit of a code."""

    release = _release(MUE.name)
    edit = Object(MedicallyUnlikelyEditResponse, "Null: none is published.", path="mue", nullable=True)


class PtpPartnerResponse(ResponseSchema):
    """A code that is not paid beside another."""

    code = Text("The other code.")
    column = Number("Column of the code asked for: in column 2 it is the one denied.", metadata={"enum": [1, 2]})
    indicator = OneOf(
        ("0", "1"),
        "Whether a modifier may separate the two: never (0) or when justified (1).",
        path="edit.indicator",
    )
    effective = _row_window("edit")
    rationale = Text("Why the edit was made, in the words of its table.", path="edit.rationale")
    source = _source("edit.source")


class PtpPartnersResponse(ResponseSchema):
    """One page of the codes that a code is not paid beside."""

    release = _release(PTP.name)
    total = Number("How many there are on all pages.", path="ptp.total")
    page = Number("This page, from 1.", path="ptp.page")
    page_size = Number("Most partners of a page.", path="ptp.page_size")
    partners = Objects(PtpPartnerResponse, "By column and code.", path="ptp.partners")


class _RelatedCode(NamedTuple):
    """A code that a row of add-on codes names beside the one asked for."""

    code: str
    row: AddOn


class AddOnRelationResponse(ResponseSchema):
    """A code that another one may be billed with."""

    code = Text("The other code; CCCCC where the contractor decides.")
    type = OneOf(("1", "2", "3"), "Only listed primaries (1), the contractor's list (2), or both (3).", path="row.kind")
    effective = _row_window("row")
    source = _source("row.source")


class AddOnsResponse(ResponseSchema):
    """What a code may be billed with, as an add-on code or as the primary one."""

    release = _release(ADD_ON.name)
    primaries = Objects(
        AddOnRelationResponse,
        "What it may be billed with, when it is an add-on code.",
        compute=lambda known: [_RelatedCode(row.primary, row) for row in known.primaries],
    )
    add_ons = Objects(
        AddOnRelationResponse,
        "Add-on codes that may be billed with it.",
        compute=lambda known: [_RelatedCode(row.code, row) for row in known.add_ons],
    )


class PolicyDiagnosisResponse(ResponseSchema):
    """A diagnosis of a policy's list."""

    code = Text("ICD-10-CM code without its dot.")
    prefix = Flag("Whether every code that begins so is meant.")
    test = OneOf(("covered", "excluded"), "What the policy says of it.")
    source = _source()


class CoverageRowResponse(ResponseSchema):
    """A row of a coverage policy, with what its lists say on the day."""

    status = OneOf(
        ("covered", "adjunct", "investigational", "unknown"), "What the policy says of the code.", path="policy.status"
    )
    effect = OneOf(("warn", "deny"), "What becomes of a line that fails the policy.", path="policy.effect")
    payer = Text("For this payer only.", path="policy.payer", nullable=True)
    line_of_business = Text("For this line of business only.", path="policy.line_of_business", nullable=True)
    plan = Text("For this plan only.", path="policy.plan", nullable=True)
    contractor = Text("For this Medicare contractor only.", path="policy.contractor", nullable=True)
    diagnoses = Objects(PolicyDiagnosisResponse, "Diagnoses that the policy names.")
    months_between = Number(
        "Full months between two such services.",
        path="frequency",
        convert=lambda frequency: frequency.months,
        nullable=True,
    )
    effective = _row_window("policy")
    authority = Object(AuthorityResponse, "By whose word.", path="policy", convert=policy_authority)


class LocalArticleResponse(ResponseSchema):
    """A version of a local coverage article that lists a code."""

    article = Text("Id of a local coverage article that lists the code.", path="row.article")
    version = Text("Its version that is in force.", path="row.version")
    contractors = Texts("Numbers of the Medicare contractors whose it is.")
    lcds = Texts("Ids of the local coverage determinations that it goes with.")
    decides = OneOf(DECIDES, "Whether its lists of diagnoses decide, or its paragraphs, or its text alone.")
    effective = _row_window("row")
    source = _source("row.source")


class LocalCoverageResponse(ResponseSchema):
    """Local coverage articles that list a code."""

    release = _release(ARTICLES.name)
    articles = Objects(LocalArticleResponse, "By article.")


class NeededElement(NamedTuple):
    """An element that a report has to state: its place in the body, what it is, and ids of the rules that need it."""

    element: str
    place: str | None
    about: str
    rules: tuple[str, ...]


def needed_elements(known: CodeProfile) -> list[NeededElement]:
    """What a report behind a code has to state, for active rules."""
    fields = {name: field for rule in known.rules for name, field in rule.kind.fields.items()}
    return [
        NeededElement(name, element_place(fields[name]), fields[name].about, rules)
        for name, rules in known.documentation.items()
    ]


class NeededDocumentationResponse(ResponseSchema):
    """An element that a report has to state."""

    element = Text("What the report has to state.")
    place = Text("Its place under `scrubContext.documentation[].elements`.", nullable=True)
    about = Text("In words.")
    rules = Texts("Ids of the rules that need it.")


class RuleNamingResponse(RuleSummaryResponse):
    """A rule that names a code."""


class CodeAnswer(NamedTuple):
    """What is known of a code, and the digest of the rulebook that was asked."""

    known: CodeProfile
    rulebook: str


class KnownCodeResponse(ResponseSchema):
    """What is known of a code on a date of service."""

    code = Text("The code.", path="known.question.code")
    date = IsoDay("Date of service, in ISO form.", path="known.question.day")
    payer = Object(PayerResponse, "Whose prices these are.", path="known.payer")
    rulebook = Text("Digest of every rule and table beside the rules.")
    procedure = Object(
        CodeStandingResponse,
        "What the tables of codes say. A code in none of them is unknown, which is no fault.",
        path="known",
    )
    fee_schedule = Object(FeeScheduleResponse, "What the Medicare physician fee schedule says.", path="known")
    prices = Object(PricesResponse, "What one unit pays a participating physician.", path="known")
    mue = Object(
        CodeMueResponse,
        "Medically unlikely edit. None published does not mean unlimited: some are confidential.",
        path="known",
    )
    ptp = Object(
        PtpPartnersResponse, "Codes that it is in a procedure-to-procedure edit with on the date.", path="known"
    )
    add_on = Object(AddOnsResponse, "Add-on relations.", path="known")
    coverage = Objects(
        CoverageRowResponse,
        "Policy rows. Of those that fit a claim's payer the one that says most counts; it comes first.",
        path="known.coverage",
    )
    local_coverage = Object(
        LocalCoverageResponse,
        "Loaded articles of the Medicare contractor, or of every one where none was asked for.",
        path="known",
    )
    rules = Objects(
        RuleNamingResponse, "Rules that name the code, by id. Rules for all codes are more.", path="known.rules"
    )
    documentation = Objects(
        NeededDocumentationResponse,
        "What a report behind the code has to state, for active rules.",
        path="known",
        convert=needed_elements,
    )


write_known_code = writer(KnownCodeResponse())


class PricedResponse(ResponseSchema):
    """What a service pays, and all that it was asked with."""

    code = Text("The code.", path="question.code")
    modifiers = Texts("Modifiers, in order.", path="question.modifiers")
    units = Text("Units.", path="question.units", convert=lambda units: f"{units.normalize():f}")
    date = IsoDay("Date of service, in ISO form.", path="question.day")
    zip = Text("ZIP code where the service is furnished; null: national.", path="question.zip", nullable=True)
    pos = Text("Place of service.", path="question.place", nullable=True)
    setting = _setting()
    payer = Object(PayerResponse, "Who pays.")
    participation = OneOf(
        ("par", "nonpar"),
        "Whether the provider takes part in Medicare.",
        path="question.participating",
        convert=lambda participating: "par" if participating else "nonpar",
    )
    qualifying_apm = Flag(
        "Whether the provider qualifies in an advanced payment model.", path="question.qualifying_apm"
    )
    provider_class = Text("Class of the taxonomy code; null when none is known.", nullable=True)
    charge = Money("Charge of the line.", path="price.billed")
    unit_fee = Money("What one unit pays.", path="price.unit_fee")
    allowed = Money("What the line pays: units times that, and no more than the charge.", path="price.allowed")
    basis = _basis("price.basis")
    steps = _steps("price.steps")
    releases = _price_releases()
    why_unknown = _unknown("price.unknown")


write_priced = writer(PricedResponse())
