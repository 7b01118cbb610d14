"""What the `evidence` of a finding holds, by rule: what the rule read, and what look-ups behind it found."""

from __future__ import annotations

from typing import Any

from scrubber.response.claim import Evidence
from scrubber.rulebook.condition_words import compared_names
from scrubber.rulebook.relations import HISTORY, Group, walk
from scrubber.rulebook.rule import Rule, asks, leaves
from scrubber.rulebook.rulebook import Rulebook

_RELEASE = {
    "release": "the release of the table that answered",
    "carriedForward": "whether that release had ended, and was carried forward",
    "source": "where the row comes from",
}
_PTP = {
    "column1": "column 1 code of the NCCI edit",
    "column2": "column 2 code of the NCCI edit",
    "modifierIndicator": "modifier indicator of the NCCI edit",
    "since": "first day of the edit",
} | _RELEASE
_MUE = {"mue": "units of the medically unlikely edit", "adjudicationIndicator": "its adjudication indicator"} | _RELEASE

# By kind of fact, what a look-up may add; only what was found stands in a finding.
_FOUND: dict[str, dict[str, str]] = {
    "pair": _PTP,
    "code-day": _MUE,
    "medicare-edit": _PTP | _MUE,
    "visit": {"globalDays": "global days of the fee schedule"} | _RELEASE,
    "coverage": {
        "article": "number of the local coverage article",
        "version": "its version",
        "since": "its first day",
        "until": "its last day",
        "lcds": "the local coverage determinations that it belongs to",
        "contractor": "the contractor whose article it is",
        "status": "what it says of the code",
        "effect": "what a finding of it comes to",
        "policy": "title of the payer's policy",
        "table": "the table beside the rules that holds the policy",
    },
    "table": {"tables": "the reference tables that do not reach the day", "releases": "the release of each of them"},
    "diagnosis": {"excludes1": "codes of the claim that ICD-10-CM excludes beside it"},
}
_OF_ANY = {"more": "how many more findings of this kind the claim has, where not each is listed"}

COMPONENTS: dict[str, dict[str, Any]] = {
    "EvidenceValue": {
        "anyOf": [
            {"type": "string"},
            {"type": "boolean"},
            {"type": "integer"},
            {"type": "array", "items": {"type": "string"}},
        ]
    },
    "Evidence": {
        "type": "object",
        "description": "What was compared: codes, indicators, releases. Which members there may be depends on the"
        " rule: `x-evidence-by-rule`. Dollars and dates are texts; a fact that is not there has a word (not-supplied).",
        "additionalProperties": {"$ref": "#/components/schemas/EvidenceValue"},
    },
}


def refer_to_evidence(_converter: object, field: object, **_: Any) -> dict[str, Any]:
    """Called by apispec for each field of a schema: the type of evidence, nothing for others."""
    return {"$ref": "#/components/schemas/Evidence"} if isinstance(field, Evidence) else {}


def by_rule(rulebook: Rulebook) -> dict[str, dict[str, str]]:
    """Of each running rule, by id, the members that its evidence may have, each with what it is."""
    return {rule.id: _members(rule) for rule in rulebook.running}


def _members(rule: Rule) -> dict[str, str]:
    fields = rule.kind.fields
    read = dict.fromkeys(leaf.fact.removesuffix("?") for leaf in leaves(rule.when))
    members = {name: fields[name].about for name in read} | _FOUND.get(rule.scope, {}) | _OF_ANY
    members |= {name: "an amount, or a column of a table, that the rule names" for name, _ in rule.names}
    taken = rule.by_row.taken() if rule.by_row is not None else ()
    members |= {each.name: "what the finding takes from a row, or an amount" for each in taken if not each.plain}
    compared = [name for each in asks(rule.when) for name in compared_names(each)]
    members |= {name: "a value that the rule compares" for name in compared if name not in members}
    if any(HISTORY in part.items for part in walk(rule.when) if isinstance(part, Group)):
        members[HISTORY] = "earlier services that made the rule fire: code and day"
    return members


def describe_evidence(document: dict[str, Any], rulebook: Rulebook) -> None:
    """Add to an OpenAPI document what the evidence of each rule's findings holds."""
    document["components"]["schemas"]["Evidence"]["x-evidence-by-rule"] = by_rule(rulebook)
