"""The shape of the answer for a claim, in both views."""

from __future__ import annotations

from marshmallow import Schema, fields

from scrubber.api.schemas import flag, lines, maybe, money, number, or_null, part, parts, shape, text, texts, word
from scrubber.api.schemas.evidence import Evidence
from scrubber.findings.checks import OUTCOMES
from scrubber.findings.finding import WHYS
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import AUTHORITY_KINDS, STATUSES

RULE_REFERENCE = shape(
    "RuleReference",
    {
        "id": text("Id of the rule; GET /v1/rules/{id} tells all of it."),
        "version": number("Raised on any change of meaning."),
        "status": word(STATUSES, "Only active rules have effect."),
    },
)
X12_PLACE = shape("X12Place", {"loop": text("Loop of the 837P."), "element": text("Element in it.")})
REASON = shape(
    "Reason",
    {
        "group": text("Claim adjustment group code."),
        "carc": text("Claim adjustment reason code."),
        "rarc": texts("Remittance advice remark codes."),
    },
)
CLAIM_STATUS = shape(
    "ClaimStatus",
    {
        "category": text("Claim status category code."),
        "code": text("Claim status code."),
    },
)
AUTHORITY = shape(
    "Authority",
    {
        "kind": word(AUTHORITY_KINDS, "What kind of text it is."),
        "title": text("Name of the text."),
        "locator": maybe(text("Chapter, section, table or row.")),
        "url": maybe(text("Its address.")),
        "retrieved": maybe(text("When it was read, as an ISO date.")),
        "binding": flag("Whether it binds the payer."),
    },
)
_BASIS = {
    "basis": or_null("Which schedule and locality the amounts come from."),
    "steps": texts("The arithmetic."),
    "unknown": maybe(text("Why an amount cannot be known, for example no-schedule.")),
}
IMPACT = shape(
    "Impact",
    {
        "billed": money("The charge."),
        "allowed": money("What the payer allows."),
        "atRisk": money("What the finding may cost."),
        "liability": or_null("Who bears it: provider or patient; null where nothing is at risk or it is not settled."),
    }
    | _BASIS,
)
BY_LIABILITY = shape(
    "ByLiability",
    {
        "provider": money("At risk for the provider."),
        "patient": money("At risk for the patient."),
    },
)
CLAIM_IMPACT = shape(
    "ClaimImpact",
    {
        "billed": money("All charges."),
        "allowed": money("What the payer allows for the claim."),
        "atRisk": money("Per line the greatest amount of its warn and deny findings, counted once."),
        "byLiability": part(BY_LIABILITY, "Who bears what is at risk."),
        "uncountedLines": maybe(lines("Lines at risk whose amount is not known, from 1: at least atRisk is at risk.")),
        "unpricedLines": lines("Lines without an allowed amount, from 1."),
    }
    | _BASIS,
)
FINDING = shape(
    "Finding",
    {
        "id": text(
            "Its name on this claim: rule, codes, and a number where there are several. It stays when the claim is "
            "sent again with its lines in another order."
        ),
        "rule": part(RULE_REFERENCE, "The rule that fired."),
        "severity": word(SEVERITIES, "How bad it is."),
        "stage": word(STAGES, "When it would cost: rejected, denied, or paid and taken back."),
        "category": word(CATEGORIES, "What it is about."),
        "lines": lines("Service lines it is about, from 1; none: the claim."),
        "relatedLines": lines("Lines that take part in it."),
        "pointer": text("JSON pointer into the body that was sent."),
        "x12": part(X12_PLACE, "Place in the 837P, if any.", nullable=True),
        "box": or_null("Box of the CMS-1500."),
        "message": text("What is wrong."),
        "fix": text("What to do about it."),
        "reason": part(REASON, "Codes expected on the remittance.", nullable=True),
        "claimStatus": part(CLAIM_STATUS, "What a clearinghouse would answer.", nullable=True),
        "impact": part(IMPACT, "What it may cost.", nullable=True),
        "authority": parts(AUTHORITY, "By whose word."),
        "evidence": Evidence(required=True),
    },
)
CHECK = shape(
    "Check",
    {
        "rule": part(RULE_REFERENCE, "The rule."),
        "lines": lines("Service lines that it was held against, from 1; none: the claim."),
        "outcome": word(OUTCOMES, "What came of it."),
    },
)
STAGE_CHECKS = shape(
    "StageChecks",
    {
        "fired": number("Checks that found something."),
        "bypassed": number("Checks that a modifier or a notice properly answered."),
        "notChecked": number("Checks that could not be made; `notChecked` of the answer has them."),
        "complete": flag("Whether every rule held here was judged. It does not say that the payer has no others."),
        "passed": maybe(number("Checks that passed. Only when asked for.")),
        "list": maybe(parts(CHECK, "Every check by name. Only when asked for.")),
    },
)
CHECKS = shape(
    "Checks", {stage: part(STAGE_CHECKS, "Checks of this stage: one rule held against one fact.") for stage in STAGES}
)
SETTLED_BY = shape(
    "SettledBy",
    {
        "input": text("What was not supplied or could not be read: a fact, an element or a reference table by name."),
        "why": word(WHYS, "Why it was not checked."),
        "checks": number("How many checks it would settle, alone or with other inputs."),
        "rules": texts("Ids of their rules."),
        "lines": lines("Their service lines, from 1."),
    },
)
NOT_CHECKED = shape(
    "NotChecked",
    {
        "rule": part(RULE_REFERENCE, "The rule that could not be judged."),
        "lines": lines("Service lines it is about, from 1; none: the claim."),
        "why": word(WHYS, "Why it could not be judged."),
        "missing": texts("What would settle it: facts, elements, reference tables, or names of the body."),
        "message": text("What was not checked, and why."),
    },
)
NORMALISED = shape(
    "Normalised",
    {
        "pointer": text("Where it stands in the body."),
        "change": text("How it was understood."),
    },
)
USED_RELEASE = shape(
    "UsedRelease",
    {
        "table": text("Name of the reference table."),
        "release": text("Name of the release."),
        "sha256": text("SHA-256 of the release's file."),
        "complete": maybe(flag("Only where it was loaded as complete: absence from it was a finding.")),
    },
)
VERSIONS = shape(
    "Versions",
    {
        "program": text("Version of this program."),
        "rulebook": text("Digest of every rule and table beside the rules."),
        "reference": parts(USED_RELEASE, "Every reference release that answered."),
    },
)
SWITCHED = shape(
    "Switched",
    {
        "enable": texts("Ids of the rules that counted as active."),
        "disable": texts("Ids of the rules that were left out."),
    },
)
ANSWER = shape(
    "Answer",
    {
        "disposition": word(("accept", "warn", "deny"), "The worst severity; info accepts."),
        "findings": parts(FINDING, "What is wrong, worst first within a line."),
        "checks": part(CHECKS, "What was checked, by the stage at which it would cost."),
        "notChecked": parts(NOT_CHECKED, "What could not be judged."),
        "impact": part(CLAIM_IMPACT, "Dollars of the claim."),
        "normalised": parts(NORMALISED, "What was understood although sent otherwise."),
        "unmapped": texts("JSON pointers to what was not read."),
        "versions": part(VERSIONS, "What the answer was made with."),
        "receivedOn": text("The day used for timely filing: CCYYMMDD."),
        "staleAfter": fields.Integer(
            required=True,
            allow_none=True,
            metadata={"description": "Days past its last release after which a table warns; null: never."},
        ),
        "switched": maybe(part(SWITCHED, "What `enable` and `disable` said, when they said something.")),
        "settledBy": maybe(parts(SETTLED_BY, "What was not checked, by what would settle it. Only when asked for.")),
        "shadow": maybe(parts(FINDING, "What shadow rules found; it counts for nothing. Only when asked for.")),
    },
)


def _shape_of_texts(name: str, **members: str) -> type[Schema]:
    return shape(name, {key: text(about) for key, about in members.items()})


_NOT_CHECKED_IN_TEXTS = shape(
    "ClearinghouseNotChecked",
    {
        "editName": text("Id of the rule."),
        "lines": texts("Service lines it is about, from 1; none: the claim."),
        "why": word(WHYS, "Why it could not be judged."),
        "missing": texts("What would settle it."),
        "description": text("What was not checked, and why."),
    },
)
CLEARINGHOUSE = shape(
    "ClearinghouseAnswer",
    {
        "status": word(("SUCCESS", "ERROR"), "ERROR when something denies."),
        "editStatus": word(("SUCCESS", "ERROR"), "The same."),
        "controlNumber": text("As sent."),
        "tradingPartnerServiceId": text("As sent."),
        "claimReference": part(
            _shape_of_texts(
                "ClaimReference",
                customerClaimNumber="The control number as sent.",
                patientControlNumber="As sent.",
                claimType="PRO.",
                payerID="As sent.",
                formatVersion="5010.",
            ),
            "Which claim this is about.",
        ),
        "unmapped": texts("JSON pointers to what was not read."),
        "notChecked": parts(_NOT_CHECKED_IN_TEXTS, "What could not be judged."),
        "errors": parts(
            _shape_of_texts(
                "ClearinghouseError",
                code="Id of the rule.",
                description="What is wrong.",
                field="What it points at, in words.",
                value="Always empty.",
                location="JSON pointer into the body.",
                followupAction="What to do about it.",
            ),
            "Findings that deny.",
        ),
        "editResponses": parts(
            _shape_of_texts(
                "EditResponse",
                editName="Id of the rule.",
                editActivity="Category of the finding.",
                allowOverride="Y.",
                phaseID="Stage of the finding.",
                errorDescription="What is wrong and what to do about it.",
                loop="Loop of the 837P.",
                segment="Segment in it.",
                element="Element in it.",
                fieldIndex="Always empty.",
                qualifierCode="Always empty.",
                referenceID="Id of the finding.",
                badData="Always empty.",
                claimCorePath="JSON pointer into the body.",
            ),
            "Findings that warn or inform.",
        ),
        "payer": part(
            _shape_of_texts("PayerReference", payerID="As sent.", payerName="As sent."),
            "The payer.",
        ),
    },
)
