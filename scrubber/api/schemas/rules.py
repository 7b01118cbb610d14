"""The shape of rules, of releases of reference data, and of what /healthz and /readyz say."""

from __future__ import annotations

from marshmallow import fields

from scrubber.api.schemas import Field, flag, maybe, number, or_null, part, parts, shape, text, texts, word
from scrubber.api.schemas.claim import AUTHORITY, CLAIM_STATUS, REASON, USED_RELEASE, X12_PLACE
from scrubber.response.catalog import NOT_LOADED
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import AT_RISK, STATUSES
from scrubber.rulebook.vocabulary import KINDS

SUMMARY = {
    "id": text("Id: the name of its file."),
    "version": number("Raised on any change of meaning."),
    "title": text("One line."),
    "pack": text("The pack it is in."),
    "status": word(STATUSES, "Only active rules have effect."),
    "severity": word(SEVERITIES, "Severity of its findings."),
    "stage": word(STAGES, "When it would cost."),
    "category": word(CATEGORIES, "What it is about."),
}
PACK = shape(
    "Pack",
    {
        "name": text("Name of its folder."),
        "title": text("One line."),
        "about": text("Whose rules these are."),
    },
)
_DIGEST = {"digest": text("Digest of every rule and table beside the rules.")}
RULE_LIST = shape(
    "RuleList",
    _DIGEST
    | {
        "packs": parts(PACK, "Every pack."),
        "rules": parts(shape("RuleSummary", SUMMARY), "Rules, by id."),
    },
)
WINDOW = shape(
    "Window",
    {
        "from": or_null("First date of service."),
        "to": or_null("First date of service no longer in force."),
    },
)
POINTS_AT = shape(
    "PointsAt",
    {
        "element": text("Name of the element of the claim."),
        "x12": part(X12_PLACE, "Its place in the 837P, if any.", nullable=True),
        "box": or_null("Its box of the CMS-1500."),
    },
)


def _condition(about: str, nullable: bool = False) -> Field:
    told = {"description": f"{about} {{all: […]}}, {{any: […]}} or {{fact: NAME, OPERATOR: VALUE}}."}
    return fields.Dict(keys=fields.String(), required=True, allow_none=nullable, metadata=told)


RULE = shape(
    "Rule",
    _DIGEST
    | SUMMARY
    | {
        "file": text("Its file, within the folder of rules."),
        "scope": word(tuple(KINDS), "What one finding of it is about."),
        "owner": text("The role that answers for it."),
        "reviewed": text("When it was last held against its authority."),
        "effective": part(WINDOW, "Dates of service it holds for."),
        "authority": parts(AUTHORITY, "By whose word."),
        "applies": _condition("Which facts it looks at."),
        "needs": texts("Facts without which it is not judged."),
        "when": _condition("When it fires."),
        "bypassed": _condition("When a modifier or a notice properly answers it instead.", nullable=True),
        "pointsAt": part(POINTS_AT, "What a finding points at."),
        "message": text("What it says; names in braces are filled in."),
        "fix": text("What to do about it."),
        "notChecked": or_null("What it says when a needed fact was not supplied."),
        "reason": part(REASON, "Codes expected on the remittance.", nullable=True),
        "claimStatus": part(CLAIM_STATUS, "What a clearinghouse would answer.", nullable=True),
        "atRisk": word(AT_RISK, "Dollars a finding may cost."),
        "falseAlarms": or_null("When it may fire on a correct claim."),
        "related": texts("Ids of other rules."),
        "supersededBy": or_null("Id of the rule that took over."),
        "backTest": or_null("Record of its back-test, within the folder of its pack."),
    },
)


STANDINGS = ("in-force", "carried-forward", "past-last-release", "before-first-release", NOT_LOADED)

RELEASE = shape(
    "Release",
    {
        "table": text("Name of the reference table."),
        "release": text("Name of the release."),
        "effective": part(WINDOW, "Dates of service that it was published for."),
        "sha256": text("SHA-256 of what it was read from."),
        "rows": number("How many rows it has."),
        "starter": flag("Whether it ships with the program."),
        "complete": flag("Whether it was loaded as complete, so that a code that it lacks is a finding."),
        "source": text("Where it is from."),
        "loaded": or_null("When a published file was loaded (UTC); null for tables typed by hand."),
    },
)
RELEASES = shape("Releases", {"releases": parts(RELEASE, "By table, then by first day.")})
STANDING = shape(
    "TableStanding",
    {
        "table": text("Name of the reference table."),
        "release": or_null("The release that answers for the date, else the first; null when none is loaded."),
        "sha256": or_null("SHA-256 of what it was read from."),
        "standing": word(STANDINGS, "How the date lies to the releases of the table."),
    },
)


_KEYED = "Where keys are demanded, only for who has one."
HEALTH = shape("Health", {"status": text("ok")})
_BATCHES = shape(
    "BatchReadiness",
    {
        "goOn": flag("Whether workers can go on. Single claims are scrubbed all the same."),
        "why": or_null("Why not, such as a full disk; they go on by themselves when there is room."),
    },
)
READINESS = shape(
    "Readiness",
    {
        "status": text("ready"),
        "program": maybe(text(f"Version of this program. {_KEYED}")),
        "rulebook": maybe(text(f"Digest of every rule and table beside the rules. {_KEYED}")),
        "rules": maybe(number(f"How many rules are active. {_KEYED}")),
        "batches": maybe(part(_BATCHES, f"Whether batches go on; null where none are taken. {_KEYED}", nullable=True)),
        "reference": maybe(parts(USED_RELEASE, f"Every reference release that is loaded. {_KEYED}")),
    },
)
