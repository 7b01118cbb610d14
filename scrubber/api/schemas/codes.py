"""The shape of what is known of a code, and of what it pays."""

from __future__ import annotations

from marshmallow import fields

from scrubber.api.schemas import Field, flag, maybe, money, number, or_null, part, parts, shape, text, texts, word
from scrubber.api.schemas.claim import AUTHORITY
from scrubber.api.schemas.rules import STANDING, SUMMARY, WINDOW
from scrubber.code_lookup.profile import COMPONENTS, SETTINGS
from scrubber.pricing import UNKNOWN
from scrubber.reference.local_coverage import DECIDES
from scrubber.response.catalog import INDICATORS, RELATIVE_VALUES, SHARES
from scrubber.rulebook.vocabulary import KNOWN, LINES_OF_BUSINESS

_RELEASE = {"release": part(STANDING, "What says so.")}
_ROW = {
    "effective": part(WINDOW, "Dates of service that the row holds for."),
    "source": text("Where the row is from."),
}
_PRICE = {
    "basis": or_null("Which schedule and locality the amount comes from."),
    "steps": texts("The arithmetic."),
    "unknown": maybe(word(tuple(UNKNOWN), "Why the amount cannot be known.")),
}
_RELEASES = {"releases": parts(STANDING, "Tables that prices rest on.")}
_SETTING = {"setting": or_null(f"{' or '.join(SETTINGS)}; null when the place of service is not known.")}
_COMPONENT = {"component": word(COMPONENTS, "All of the service, or the part that a modifier names.")}

PAYER = shape(
    "Payer",
    {
        "name": or_null("Our name of the payer; null when it was not asked for or no table has it."),
        "lineOfBusiness": word(LINES_OF_BUSINESS, "What kind of payer it is."),
        "contractor": or_null("Medicare contractor of the ZIP code."),
    },
)


def _indicator(name: str, column: str) -> Field:
    if column.endswith("_na"):
        return flag("Rarely or never done in that setting.")
    return or_null(f"Indicator {name} of the fee schedule.")


FEE_ROW = shape(
    "FeeScheduleRow",
    _COMPONENT
    | {name: _indicator(name, column) for name, column in INDICATORS.items()}
    | _ROW
    | {
        "addOn": flag("Global days ZZZ: billed only beside another code."),
        "shares": part(
            shape(
                "FeeShares", {name: or_null("Share of the fee, such as 0.10; null where not told.") for name in SHARES}
            ),
            "What of the fee is for the time before, during and after an operation.",
        ),
        "relativeValues": part(
            shape("RelativeValues", {name: text("Relative value units.") for name in RELATIVE_VALUES}),
            "Work, practice expense by setting, malpractice.",
        ),
        "release": text("Publication that the row is from."),
    },
)
MUE = shape(
    "MedicallyUnlikelyEdit",
    {
        "units": number("Most units for one patient, provider and day."),
        "indicator": word(("1", "2", "3"), "Adjudicated by line (1), or by day (2 and 3)."),
    }
    | _ROW,
)
PARTNER = shape(
    "PtpPartner",
    {
        "code": text("The other code."),
        "column": fields.Integer(
            required=True,
            metadata={"enum": [1, 2], "description": "Column of the code asked for: in column 2 it is the one denied."},
        ),
        "indicator": word(("0", "1"), "Whether a modifier may separate the two: never (0) or when justified (1)."),
        "rationale": text("Why the edit was made, in the words of its table."),
    }
    | _ROW,
)
ADD_ON = shape(
    "AddOnRelation",
    {
        "code": text("The other code; CCCCC where the contractor decides."),
        "type": word(("1", "2", "3"), "Only listed primaries (1), the contractor's list (2), or both (3)."),
    }
    | _ROW,
)
ARTICLE = shape(
    "LocalArticle",
    {
        "article": text("Id of a local coverage article that lists the code."),
        "version": text("Its version that is in force."),
        "contractors": texts("Numbers of the Medicare contractors whose it is."),
        "lcds": texts("Ids of the local coverage determinations that it goes with."),
        "decides": word(DECIDES, "Whether its lists of diagnoses decide, or its paragraphs, or its text alone."),
    }
    | _ROW,
)
COVERAGE = shape(
    "CoverageRow",
    {
        "status": word(("covered", "adjunct", "investigational", "unknown"), "What the policy says of the code."),
        "effect": word(("warn", "deny"), "What becomes of a line that fails the policy."),
        "payer": or_null("For this payer only."),
        "lineOfBusiness": or_null("For this line of business only."),
        "plan": or_null("For this plan only."),
        "contractor": or_null("For this Medicare contractor only."),
        "diagnoses": parts(
            shape(
                "PolicyDiagnosis",
                {
                    "code": text("ICD-10-CM code without its dot."),
                    "prefix": flag("Whether every code that begins so is meant."),
                    "test": word(("covered", "excluded"), "What the policy says of it."),
                    "source": text("Where the row is from."),
                },
            ),
            "Diagnoses that the policy names.",
        ),
        "monthsBetween": fields.Integer(
            required=True, allow_none=True, metadata={"description": "Full months between two such services."}
        ),
        "effective": part(WINDOW, "Dates of service that the row holds for."),
        "authority": part(AUTHORITY, "By whose word."),
    },
)
DOCUMENTATION = shape(
    "NeededDocumentation",
    {
        "element": text("What the report has to state."),
        "place": or_null("Its place under `scrubContext.documentation[].elements`."),
        "about": text("In words."),
        "rules": texts("Ids of the rules that need it."),
    },
)
KNOWN_CODE = shape(
    "KnownCode",
    {
        "code": text("The code."),
        "date": text("Date of service, in ISO form."),
        "payer": part(PAYER, "Whose prices these are."),
        "rulebook": text("Digest of every rule and table beside the rules."),
        "procedure": part(
            shape(
                "CodeStanding",
                {
                    "standing": word(KNOWN, "Whether it is a code on the date."),
                    "releases": parts(STANDING, "Tables of codes; the first one that has it decides."),
                },
            ),
            "What the tables of codes say. A code in none of them is unknown, which is no fault.",
        ),
        "feeSchedule": part(
            shape("FeeSchedule", {"rows": parts(FEE_ROW, "One row a part of the service.")} | _RELEASE),
            "What the Medicare physician fee schedule says.",
        ),
        "prices": part(
            shape(
                "Prices",
                {
                    "units": parts(
                        shape("UnitPrice", _COMPONENT | _SETTING | {"allowed": money("What one unit pays.")} | _PRICE),
                        "By part of the service and setting; of the setting of `pos` where that is given.",
                    )
                }
                | _RELEASES,
            ),
            "What one unit pays a participating physician.",
        ),
        "mue": part(
            shape("CodeMue", {"edit": part(MUE, "Null: none is published.", nullable=True)} | _RELEASE),
            "Medically unlikely edit. None published does not mean unlimited: some are confidential.",
        ),
        "ptp": part(
            shape(
                "PtpPartners",
                {
                    "total": number("How many there are on all pages."),
                    "page": number("This page, from 1."),
                    "pageSize": number("Most partners of a page."),
                    "partners": parts(PARTNER, "By column and code."),
                }
                | _RELEASE,
            ),
            "Codes that it is in a procedure-to-procedure edit with on the date.",
        ),
        "addOn": part(
            shape(
                "AddOns",
                {
                    "primaries": parts(ADD_ON, "What it may be billed with, when it is an add-on code."),
                    "addOns": parts(ADD_ON, "Add-on codes that may be billed with it."),
                }
                | _RELEASE,
            ),
            "Add-on relations.",
        ),
        "coverage": parts(
            COVERAGE, "Policy rows. Of those that fit a claim's payer the one that says most counts; it comes first."
        ),
        "localCoverage": part(
            shape("LocalCoverage", _RELEASE | {"articles": parts(ARTICLE, "By article.")}),
            "Loaded articles of the Medicare contractor, or of every one where none was asked for.",
        ),
        "rules": parts(shape("RuleNaming", SUMMARY), "Rules that name the code, by id. Rules for all codes are more."),
        "documentation": parts(DOCUMENTATION, "What a report behind the code has to state, for active rules."),
    },
)
PRICED = shape(
    "Priced",
    {
        "code": text("The code."),
        "modifiers": texts("Modifiers, in order."),
        "units": text("Units."),
        "date": text("Date of service, in ISO form."),
        "zip": or_null("ZIP code where the service is furnished; null: national."),
        "pos": or_null("Place of service."),
        "payer": part(PAYER, "Who pays."),
        "participation": word(("par", "nonpar"), "Whether the provider takes part in Medicare."),
        "qualifyingApm": flag("Whether the provider qualifies in an advanced payment model."),
        "providerClass": or_null("Class of the taxonomy code; null when none is known."),
        "charge": money("Charge of the line."),
        "unitFee": money("What one unit pays."),
        "allowed": money("What the line pays: units times that, and no more than the charge."),
    }
    | _SETTING
    | _PRICE
    | _RELEASES,
)
