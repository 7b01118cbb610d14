"""Declares the kinds of facts that rules read, their fields with types, and the elements that findings point at.

This is the whole interface between Python and the rule files: facts are built with these names, rules are typed by
them, the engine is compiled from them, and the rule schema and docs are generated from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from scrubber.claim.elements import ELEMENTS
from scrubber.claim.model import Absence
from scrubber.claim.x12.faults import FAULTS
from scrubber.rulebook.element_fields import STATES as ELEMENT_STATES
from scrubber.rulebook.element_fields import element_fields
from scrubber.rulebook.field import UNKNOWN, Field, Type

_SUPPLIED = (Absence.ABSENT.value, Absence.NOT_SUPPLIED.value)
_MAYBE = (Absence.NOT_SUPPLIED.value,)
_UNKNOWN = (UNKNOWN,)

# Which reference tables the fields below are made from.
_PTP, _MUE, _FEES = ("ncci-ptp",), ("ncci-mue",), ("mpfs",)
_DIAGNOSES, _NOTES, _PLACES = ("icd10cm",), ("icd10cm", "icd10cm-notes"), ("place-of-service",)

LINES_OF_BUSINESS = ("original-medicare", "medicare-advantage", "medicaid", "tricare", "commercial", "other", "unknown")

# What the codes of a list may be, as `lists` of pack.yaml declares. `text` is any text, compared unchanged; `words` are
# small
# letters and digits with one blank between them.
LIST_TYPES = (
    "procedures", "modifiers", "diagnoses", "places", "payers", "contractors", "taxonomies", "elements", "x12-codes",
    "days", "words", "text",
)  # fmt: skip

# Facts that hold codes of one such type: a list of another type could never have one of them.
LISTS_OF_FACTS: Mapping[str, str] = {
    "procedure": "procedures", "first": "procedures", "second": "procedures", "operation": "procedures",
    "diagnoses": "diagnoses", "code": "diagnoses", "modifiers": "modifiers", "modifiersUnknown": "modifiers",
    "place": "places", "payer": "payers", "contractor": "contractors", "element": "elements",
    "firstModifier": "modifiers", "site": "modifiers", "firstDiagnosis": "diagnoses", "claimDiagnoses": "diagnoses",
    "specialty": "taxonomies", "referringSpecialty": "taxonomies",
    "filingIndicator": "x12-codes", "frequency": "x12-codes", "unitCode": "x12-codes",
}  # fmt: skip

X12_LISTS = "x12-"  # before the name of an element: the codes that the transaction has for it

# Lists and limits that the program itself reads to make facts, whether or not a rule names them.
LISTS_READ: Mapping[str, str] = {
    "abn-editions": "days",
    "abn-forms": "text",
    "abn-generic-reasons": "words",
    "abn-generic-words": "words",
    "abn-service-words": "words",
    "abn-vague-reasons": "words",
    "ambulance-codes": "procedures",
    "ambulance-origins-and-destinations": "text",
    "anesthesia-codes": "procedures",
    "chiropractic-benefit": "procedures",
    "chiropractor-taxonomies": "taxonomies",
    "clinical-laboratory": "procedures",
    "clinical-trial-diagnoses": "diagnoses",
    "clinical-trial-modifiers": "modifiers",
    "component-modifiers": "modifiers",
    "diagnostic-mammography": "procedures",
    "evaluation-and-management": "procedures",
    "excluded-by-statute": "procedures",
    "elements-that-no-fix-supplies": "elements",
    "excluded-rides": "modifiers",
    "hospice-modifiers": "modifiers",
    "modifiers-counted-in-days": "modifiers",
    "modifiers-of-a-part": "modifiers",
    "modifiers-of-active-treatment": "modifiers",
    "modifiers-of-distinct-services": "modifiers",
    "modifiers-of-excluded-services": "modifiers",
    "modifiers-of-expected-denials": "modifiers",
    "modifiers-of-liability": "modifiers",
    "modifiers-of-notices": "modifiers",
    "modifiers-of-repeated-tests": "modifiers",
    "modifiers-of-repeats": "modifiers",
    "modifiers-outside-the-package": "modifiers",
    "modifiers-that-bypass-edits": "modifiers",
    "modifiers-that-move-liability": "modifiers",
    "organization-as-subscriber": "x12-codes",
    "reported-without-charge": "procedures",
    "screening-mammography": "procedures",
    "sites-left": "modifiers",
    "sites-right": "modifiers",
    "sites-vessels": "modifiers",
    "sites-whole-side": "modifiers",
    "studies-with-lumbar-spine": "procedures",
    "supplier-taxonomies": "taxonomies",
}
LIMITS_READ = frozenset(("abn-most-days", "abn-refusal-witnesses", "one-study-days"))

_PAYER = (
    Field("lineOfBusiness", Type.WORD, "what kind of payer the claim goes to", LINES_OF_BUSINESS),
    Field(
        "payer",
        Type.TEXT,
        "the payer's name in tables/aliases.csv of pack payers; unknown when no row knows the id, "
        "as of Original Medicare, which has no row",
        states=_UNKNOWN,
    ),
    Field("contractor", Type.TEXT, "number of the Medicare contractor for the place of service", states=_UNKNOWN),
)

# The letters of CMS, and `unlisted` for a code that no loaded row has.
FEE_STATUSES = (*"ABCDEFGHIJMNPRTX", "unlisted")
_EXCLUDED = Field(
    "excluded", Type.FLAG,
    "a row excludes the service from Medicare by law: lists excluded-by-statute, excluded-rides and "
    "chiropractic-benefit of medicare-abn",
)  # fmt: skip
_FEE_STATUS = Field(
    "feeStatus", Type.WORD, "status of the code on the Medicare fee schedule; unlisted: no loaded row has it",
    FEE_STATUSES, tables=_FEES,
)  # fmt: skip

_LINE = (
    *_PAYER,
    Field("procedure", Type.TEXT, "procedure code of the line"),
    Field("modifiers", Type.CODES, "modifiers of the line, in order"),
    Field("day", Type.DAY, "first date of service of the line"),
    Field("place", Type.TEXT, "place of service of the line, else of the claim"),
    Field("setting", Type.WORD, "which rate the place of service pays", ("facility", "non-facility")),
    Field("units", Type.DECIMAL, "units of the line"),
    Field("unitCode", Type.TEXT, "unit of measurement of the line: UN (units) or MJ (minutes)"),
    Field("charge", Type.AMOUNT, "charge of the line"),
    Field("diagnoses", Type.CODES, "diagnosis codes that the line points to, in order of the pointers"),
)


def _asked(
    name: str, kind: Type, about: str, made_from: str, words: tuple[str, ...] = (), *, private: bool = False
) -> Field:
    """A field that facts have only where a running rule asks for it."""
    return Field(name, kind, about, words, ELEMENT_STATES, private=private, made_from=made_from)


_AGES = (
    _asked("ageYears", Type.NUMBER, "age of the patient on the day, in full years", "birth-date", private=True),
    _asked("ageMonths", Type.NUMBER, "age of the patient on the day, in full months", "birth-date", private=True),
    _asked("ageDays", Type.NUMBER, "age of the patient on the day, in days", "birth-date", private=True),
)
_RECEIVED_ON = _asked("receivedOn", Type.DAY, "day on which the claim is received", "received-on")
_OF_SERVICE = (
    _asked("side", Type.WORD, "side of the body that the modifiers name: RT, LT, 50, and places on a side (lists "
           "sites-right and sites-left of cms-ncci)", "modifiers", ("right", "left", "both")),
    _asked("site", Type.TEXT, "modifier of the exact place on the body: a finger, toe, eyelid or coronary artery, else "
           "the side (lists sites-... of cms-ncci)", "modifiers"),
    _asked("component", Type.WORD, "part of the service that the modifiers name: professional (26), technical (TC), or "
           "whole", "modifiers", ("26", "TC", "whole")),
    _asked("firstModifier", Type.TEXT, "the first modifier of the line", "modifiers"),
    _asked("renderingProvider", Type.TEXT, "NPI of the line's rendering provider, else the claim's, else of the "
           "billing provider", "rendering-npi", private=True),
    _asked("billingProvider", Type.TEXT, "NPI of the billing provider: the group", "billing-npi", private=True),
    _asked("specialty", Type.TEXT, "taxonomy code of the rendering provider; of the billing provider where no other "
           "rendered the service", "rendering-taxonomy"),
    _asked("referringSpecialty", Type.TEXT, "taxonomy code of the line's referring provider, else of the claim's",
           "referring-npi"),
    *_AGES,
    _RECEIVED_ON,
    _asked("daysSinceService", Type.NUMBER, "days from the date of service to the day of receipt", "service-date"),
    _asked("lastDay", Type.DAY, "last date of service of the line", "service-date-end"),
    _asked("firstDiagnosis", Type.TEXT, "the diagnosis code that the line's first pointer leads to",
           "diagnosis-pointers"),
    _asked("claimDiagnoses", Type.CODES, "all diagnosis codes of the claim, in order", "diagnosis-code"),
    _asked("state", Type.TEXT, "state of the service facility, of the billing provider where there is none",
           "facility-state"),
)  # fmt: skip

OF_ELEMENTS = ("claim", "line")  # kinds whose facts have every element of the catalogue that a rule asks for
KNOWN = ("in-force", "not-yet-in-force", "ended", "unknown")


@dataclass(frozen=True, slots=True)
class FactKind:
    """A kind of fact: what one fact of it stands for, the fields it may have, and the element its findings point at.

    `identified_by` are the fields whose codes become part of the ids of its findings. `of_lines`: a fact of it concerns
    service lines; `joins`: several of them together, so that an unreadable value on one may decide about another.
    `only_where_relevant`: such a fact exists only where a rule may have something to find; `none` is the sentence of
    explanations for its absence, with {place} for the line or claim in question and {joined} for two of its lines.
    `only_for_cited_codes`: it exists only for codes that some rule names. `category` and `stage` are those of most of
    its rules.
    """

    name: str
    about: str
    element: str
    fields: Mapping[str, Field]
    none: str
    placeholders: tuple[str, ...] = ()  # placeholders of messages besides the fields, {line} and {related}
    identified_by: tuple[str, ...] = ("procedure",)
    of_lines: bool = False
    joins: bool = False
    only_where_relevant: bool = False
    only_for_cited_codes: bool = False
    category: str = "coding"
    stage: str = "adjudication"


def _kind(
    name: str,
    about: str,
    element: str,
    *fields: Field,
    none: str,
    placeholders: tuple[str, ...] = (),
    identified_by: tuple[str, ...] = ("procedure",),
    of_lines: bool = False,
    joins: bool = False,
    only_where_relevant: bool = False,
    only_for_cited_codes: bool = False,
    category: str = "coding",
    stage: str = "adjudication",
) -> FactKind:
    by_name = {field.name: field for field in fields}
    if name in OF_ELEMENTS:
        by_name |= {field.name: field for field in element_fields(by_name, of_lines=of_lines)}
    return FactKind(
        name,
        about,
        element,
        by_name,
        none,
        placeholders,
        identified_by,
        of_lines,
        joins,
        only_where_relevant,
        only_for_cited_codes,
        category,
        stage,
    )


KINDS: Mapping[str, FactKind] = {
    kind.name: kind
    for kind in (
        _kind(
            "claim", "the claim as a whole", "total", *_PAYER,
            Field("day", Type.DAY, "first date of service on the claim, else the received-on date"),
            Field("filingIndicator", Type.TEXT, "claim filing indicator as sent"),
            Field("statedPlan", Type.TEXT, "scrubContext.eligibility.plan as sent"),
            Field("planConflict", Type.WORD, "whether filing indicator and stated plan name different lines of "
                  "business; of a claim filed to Original Medicare for a patient of a Medicare Advantage plan, whether "
                  "Original Medicare pays none of its lines (advantage), some, or all (carved-out: hospice, trials)",
                  ("none", "other", "advantage", "partly-advantage", "carved-out")),
            Field("frequency", Type.TEXT, "claim frequency code"),
            Field("originalClaimNumber", Type.FLAG, "the original claim number is given"),
            Field("total", Type.AMOUNT, "claim charge"),
            Field("linesTotal", Type.AMOUNT, "sum of the line charges; unset when one of them is missing"),
            Field("lineCount", Type.NUMBER, "number of service lines"),
            Field("diagnosisCount", Type.NUMBER, "number of diagnoses"),
            Field("repeatedDiagnosis", Type.FLAG, "one diagnosis code stands on the claim twice"),
            Field("diagnosesOutOfOrder", Type.FLAG, "the first diagnosis is not ABK or a later one not ABF (ICD-10)"),
            Field("contextConflict", Type.FLAG, "two documentation blocks say different things of one line"),
            *_AGES, _RECEIVED_ON,
            _asked("firstDiagnosis", Type.TEXT, "the first diagnosis code of the claim", "diagnosis-code"),
            placeholders=("conflict-lines",), identified_by=(),
            none="{place} has nothing to judge",
        ),
        _kind(
            "element", "an element of the claim that is missing or malformed", "total", *_PAYER,
            Field("day", Type.DAY, "date of service of the line, else of the claim"),
            Field("element", Type.WORD, "which element", tuple(ELEMENTS)),
            Field("fault", Type.WORD, "what is wrong with it", (
                "missing", "unreadable", "too-long", "not-ten-digits", "check-digit", "not-positive", "negative",
                "fraction-of-cents", "fraction", "not-in-code-list", "wrong-format", "post-office-box", "short-zip",
                "future", "before-birth", "end-before-start", "too-many", "out-of-range", "organization", "repeated",
                "probably-meant",
            )),
            Field("need", Type.WORD, "how much the transaction needs the element",
                  ("required", "situational", "envelope")),
            placeholders=("label", "where", "is-are", "sent-as", "readable", "meant"), identified_by=("element",),
            none="no element of {place} is missing or malformed",
            only_where_relevant=True, category="structure", stage="submission",
        ),
        _kind(
            "segment", "a segment of an X12 claim that the guide does not have so", "body", *_PAYER,
            Field("day", Type.DAY, "first date of service on the claim, else the received-on date"),
            Field("fault", Type.WORD, "what is wrong with it", tuple(FAULTS)),
            placeholders=("where", "what"), identified_by=("fault",),
            none="every segment of {place} is as the guide has it, or it did not come as X12",
            only_where_relevant=True, category="structure", stage="submission",
        ),
        _kind(
            "line", "one service line", "procedure", *_LINE,
            Field("codeStanding", Type.WORD, "what the procedure tables say of the code on the date of service; "
                  "not-listed: a complete release of HCPCS Level II lacks it; not-on-fee-schedule: a complete fee "
                  "schedule does",
                  (*KNOWN, "not-listed", "not-on-fee-schedule")),
            Field("modifierUnknown", Type.FLAG, "one of the modifiers stands in no loaded table"),
            Field("modifiersUnknown", Type.CODES, "modifiers that stand in no loaded table"),
            Field("placeUnknown", Type.FLAG, "the place of service stands in no loaded table", tables=_PLACES),
            Field("placeNotListed", Type.FLAG, "the place of service is not in a release that is complete on the day",
                  tables=_PLACES),
            _FEE_STATUS,
            Field("feeStatusCarried", Type.FLAG, "the status is of a fee schedule that ended before the day",
                  tables=_FEES),
            Field("supplier", Type.FLAG, "the rendering provider, or else the billing provider, is a supplier of "
                  "medical equipment by taxonomy code: list supplier-taxonomies of cms-ncci"),
            _EXCLUDED,
            Field("pcTc", Type.WORD, "PC/TC indicator of the fee schedule", tuple("0123456789"), tables=_FEES),
            Field("facilityNotApplicable", Type.FLAG, "the fee schedule marks the code NA in a facility", tables=_FEES),
            Field("renderingClass", Type.WORD, "class of the rendering provider's taxonomy code", (
                "physician", "nurse-practitioner", "physician-assistant", "clinical-nurse-specialist",
                "clinical-social-worker", "marriage-and-family-therapist", "mental-health-counselor", "dietitian",
                "technologist", "nurse", "laboratory", "unlisted",
            ), _MAYBE),
            Field("mueIndicator", Type.WORD, "MUE adjudication indicator of the code", ("1", "2", "3"), tables=_MUE),
            Field("mue", Type.NUMBER, "medically unlikely edit: most units of the code", tables=_MUE),
            Field("unitsOverMue", Type.FLAG, "the line's units a day exceed the MUE", tables=_MUE),
            Field("calculatedBy", Type.WORD, "who calculated the score", ("self", "other"), _SUPPLIED),
            *_OF_SERVICE,
            none="{place} has nothing to judge",
            of_lines=True,
        ),
        _kind(
            "pair", "two lines of one patient, one rendering provider and one day", "procedure", *_PAYER,
            Field("day", Type.DAY, "first day on which both lines run and the edit is in force"),
            Field("first", Type.TEXT, "code of the line that stays: column one of the edit"),
            Field("second", Type.TEXT, "code of the line that falls: column two of the edit"),
            Field("edit", Type.FLAG, "an NCCI procedure-to-procedure edit is in force for the two codes",
                  tables=_PTP),
            Field("editApplies", Type.FLAG, "such an edit is in force, and the payer is known to apply the NCCI edits",
                  tables=_PTP),
            Field("modifierIndicator", Type.WORD, "whether a modifier may separate the pair", ("0", "1", "9"),
                  tables=_PTP),
            Field("bypass", Type.WORD, "whether an NCCI-associated modifier separates the pair",
                  ("none", "used", "doubtful", "beside-visit", "misplaced"), tables=_PTP),
            Field("modifierSupport", Type.FLAG, "the record supports the modifier", (), _SUPPLIED),
            placeholders=("modifiers-used",), identified_by=("second", "first"),
            none="no edit and no rule joins {joined}",
            of_lines=True, joins=True, only_where_relevant=True, only_for_cited_codes=True, category="bundling",
        ),
        _kind(
            "repeat", "a line that repeats an earlier one: same provider, days, code, modifiers, place, units and drug",
            "procedure", *_LINE,
            Field("difference", Type.WORD, "what tells the two lines apart: nothing; the charge; 91 on what is no "
                  "laboratory test; a further line of the code, from which 59 or XE, XP, XS, XU set both apart",
                  ("none", "charge", "modifier-91", "further-line")),
            placeholders=("difference-in-words",),
            none="{place} repeats no line",
            of_lines=True, joins=True, only_where_relevant=True, category="duplicate",
        ),
        _kind(
            "visit", "a visit on the day of a procedure whose fee may include it, or on the day before a major one",
            "procedure", *_LINE,
            Field("operation", Type.TEXT, "code of the procedure"),
            Field("globalDays", Type.WORD, "global days of the procedure on the fee schedule: its fee includes visits "
                  "of the day, and with 090 of the day before", ("000", "010", "090"), tables=_FEES),
            Field("globalDaysCarried", Type.FLAG, "the global days are of a fee schedule that ended before the day",
                  tables=_FEES),
            Field("dayBefore", Type.FLAG, "the visit was on the day before the procedure"),
            Field("physician", Type.WORD, "who made the visit: the same practitioner as did the procedure, or another "
                  "of the group with the same taxonomy code", ("same", "same-specialty")),
            Field("setApart", Type.FLAG, "59 or XE, XP, XS, XU stands on one of the two lines, or one runs over days"),
            Field("editApplies", Type.FLAG, "an NCCI edit that the payer is known to apply joins the two codes"),
            placeholders=("when",),
            none="no visit of {place} lies beside a procedure whose fee may include it",
            of_lines=True, joins=True, only_where_relevant=True, only_for_cited_codes=True, category="bundling",
        ),
        _kind(
            "diagnosis", "one diagnosis", "diagnosis-code",
            *_PAYER,
            Field("day", Type.DAY, "first date of service on the claim"),
            Field("code", Type.TEXT, "the code without dot"),
            Field("standing", Type.WORD, "what the diagnosis tables say of it on the date of service; not-listed: "
                  "a release that is complete on the day lacks it",
                  (*KNOWN, "not-listed", "header", "seventh-character-missing", "seventh-character-wrong"),
                  tables=_DIAGNOSES),
            Field("excludedPair", Type.FLAG, "an Excludes1 note keeps it apart from a diagnosis before it",
                  tables=_NOTES),
            Field("underlyingFirst", Type.FLAG, "it stands first, where its note wants the underlying condition",
                  tables=_NOTES),
            Field("onlyForSex", Type.WORD, "the sex that the list states for it, where the patient's is the other one",
                  ("female", "male"), tables=_NOTES),
            Field("outsideAges", Type.FLAG, "the patient's age lies outside the ages that the list states for it",
                  tables=_NOTES),
            placeholders=("characters", "others", "ages"), identified_by=("code",),
            none="nothing speaks against a diagnosis of {place}",
            only_where_relevant=True,
        ),
        _kind(
            "code-day", "all lines of one code, rendering provider and day", "units", *_PAYER,
            Field("day", Type.DAY, "the day"),
            Field("procedure", Type.TEXT, "the code"),
            Field("units", Type.DECIMAL, "units of the code that day"),
            Field("mue", Type.NUMBER, "medically unlikely edit: most units of the code", tables=_MUE),
            Field("mueIndicator", Type.WORD, "MUE adjudication indicator of the code", ("1", "2", "3"), tables=_MUE),
            Field("unitsOverMue", Type.FLAG, "the units exceed the MUE", tables=_MUE),
            Field("spread", Type.FLAG, "some line runs over several days, so that its units a day are an average"),
            Field("modifiers", Type.CODES, "modifiers of its lines"),
            none="the units of {place} exceed no medically unlikely edit that is counted by day",
            of_lines=True, joins=True, only_where_relevant=True, category="units",
        ),
        _kind(
            "medicare-edit", "two lines, or the units of a code, of a Medicaid claim under an edit of Medicare's NCCI "
            "tables, on a day for which Medicaid's own do not answer", "procedure", *_PAYER,
            Field("day", Type.DAY, "the day"),
            Field("edit", Type.WORD, "which edit", ("pair", "units")),
            Field("first", Type.TEXT, "of a pair: code of the line that stays"),
            Field("second", Type.TEXT, "of a pair: code of the line that falls"),
            Field("modifierIndicator", Type.WORD, "of a pair: whether a modifier may separate it", ("0", "1", "9")),
            Field("bypass", Type.WORD, "of a pair: whether an NCCI-associated modifier separates it",
                  ("none", "used", "doubtful", "beside-visit", "misplaced")),
            Field("procedure", Type.TEXT, "of units: the code"),
            Field("units", Type.DECIMAL, "of units: how many"),
            Field("mue", Type.NUMBER, "of units: medically unlikely edit"),
            identified_by=("second", "first", "procedure"),
            none="no edit of Medicare's tables speaks of {place}, or it is no Medicaid claim",
            category="bundling",
        ),
        _kind(
            "document", "what was said about the report behind one line", "documentation", *_LINE,
            Field("renderingNpi", Type.TEXT, "NPI of who rendered the service", private=True),
            none="no code of {place} is one whose report such rules read",
            of_lines=True, only_for_cited_codes=True, category="documentation", stage="postPayment",
        ),
        _kind(
            "abn", "what the claim and its notices say about one line's beneficiary notice", "modifiers", *_LINE,
            _FEE_STATUS,
            _EXCLUDED,
            Field("abn", Type.WORD, "notice for the line", ("valid", "invalid"), _SUPPLIED),
            Field("abnFaults", Type.CODES, "what makes the notice invalid: option-2, option-3, no-option, "
                  "signed-after-service, not-signed, wrong-form, no-reason, generic-reason, no-estimate, "
                  "refusal-not-witnessed, refusal-unassigned"),
            Field("abnDoubts", Type.CODES, "what is doubtful of a notice that may be valid: long-before, "
                  "superseded-edition, vague-reason"),
            Field("noticeDay", Type.DAY, "day on which the notice was signed, else given to the patient"),
            Field("formExpires", Type.DAY, "day on which the edition of the form expires, as its footer says"),
            Field("coverage", Type.WORD, "what policy rows, or else articles, say of the line", (
                "covered", "adjunct", "investigational", "unknown", "no-row")),
            none="{place} has neither a liability modifier nor a notice",
            of_lines=True, category="abn",
        ),
        _kind(
            "coverage", "one line under the policy row that fits it best", "procedure", *_LINE,
            Field("status", Type.WORD, "the row's word", ("covered", "adjunct", "investigational", "unknown")),
            Field("effect", Type.WORD, "what the row makes of a line that fails it", ("warn", "deny")),
            Field("diagnosisTest", Type.WORD, "the line's diagnoses against the row's list",
                  ("listed", "not-listed", "excluded-only", "no-list", "no-diagnosis")),
            Field("frequencyTest", Type.WORD, "earlier services against the row's frequency limit",
                  ("in-time", "too-soon", "excepted", "no-limit"), _MAYBE),
            Field("baseStudy", Type.WORD, "the study that an adjunct goes with", ("present", "missing"), _MAYBE),
            Field("abn", Type.WORD, "notice for the line", ("valid", "invalid"), _SUPPLIED),
            Field("noticeHolds", Type.FLAG, "GA stands on the line with a valid notice of which nothing is doubtful, "
                  "and Original Medicare pays first"),
            placeholders=("months", "earlier-day", "next-day", "exceptions", "policy"),
            none="no policy row and no article answers for {place}",
            of_lines=True, category="coverage",
        ),
        _kind(
            "table", "reference tables that do not reach one of the claim's dates of service", "service-date", *_PAYER,
            Field("day", Type.DAY, "the date of service outside the tables' releases"),
            Field("tables", Type.CODES, "which tables"),
            Field("standing", Type.WORD, "how the date lies to the releases: past the last one of starter tables "
                  "(carried-forward), of loaded ones, of loaded ones by more than SCRUBBER_STALE_AFTER days (stale), "
                  "or before the first one",
                  ("carried-forward", "past-last-release", "stale", "before-first-release")),
            placeholders=("releases",), identified_by=(),
            none="every table that was asked reaches the dates of {place}",
            only_where_relevant=True, category="freshness",
        ),
    )
}  # fmt: skip


@lru_cache(8)
def kind_with(name: str, elements: tuple[Field, ...]) -> FactKind:
    """A kind of fact that has further fields: a document, with the elements that families declare."""
    kind = KINDS[name]
    return replace(kind, fields={**{field.name: field for field in elements}, **kind.fields})
