"""The shape of an explanation, why rules fired or did not on a claim."""

from __future__ import annotations

from marshmallow import Schema, fields

from scrubber.api.schemas import Field, flag, lines, maybe, number, or_null, part, parts, shape, text, texts, word
from scrubber.api.schemas.claim import FINDING, SWITCHED, VERSIONS
from scrubber.api.schemas.rules import SUMMARY, WINDOW
from scrubber.explain.model import FALSE, NOT_JUDGED, OUTCOMES, TRUE
from scrubber.rulebook.vocabulary import KINDS, LINES_OF_BUSINESS

_OUTCOME = word(OUTCOMES, "How it came out. Rules that do not run would fire, or would not be checked.")
_CANDIDATE = shape(
    "CompetingRow",
    {
        "place": or_null("File and line below the folder of rules."),
        "scope": text("For whom the row is."),
        "says": text("What it says."),
        "days": text("When it is in force."),
        "answered": flag("Whether it is the row that answered."),
        "because": text("Why it did, or did not: the row that says most of the payer wins."),
    },
)
_LOOKUP = shape(
    "Lookup",
    {
        "table": text("Table that was asked."),
        "says": text("Its answer in a sentence."),
        "row": fields.Dict(
            keys=fields.String(),
            values=fields.String(),
            required=True,
            metadata={"description": "Cells of the row that answered, by column; none when no row did."},
        ),
        "place": or_null("File and line, of a table beside the rules."),
        "release": or_null("Release that answered, of a reference table."),
        "standing": or_null("How the day lies to the release: in-force, carried-forward, …"),
    },
)


def _value() -> Field:
    types = {"type": ["string", "integer", "boolean", "array"], "items": {"type": "string"}}
    return fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "The fact's value as people write it; null: it has none here.", **types},
    )


def _conditions(about: str) -> Field:
    return fields.List(fields.Nested(lambda: _CONDITION), metadata={"description": about})


_CONDITION: type[Schema] = shape(
    "JudgedCondition",
    {
        "part": maybe(word(("in-force", "applies", "needs", "when"), "Which part of the rule it is.")),
        "verdict": word((TRUE, FALSE, NOT_JUDGED), "Not judged: not true, as nothing was supplied."),
        "all": _conditions("Conditions that must all be true."),
        "any": _conditions("Conditions of which one must be true."),
        "fact": maybe(text("The fact that is compared, where it is one comparison.")),
        "about": maybe(text("What the fact is.")),
        "value": maybe(_value()),
        "state": maybe(text("Why there is no value: not-supplied, absent, not-a-number, …")),
        "asked": maybe(text("What the rule asks for.")),
    },
)
_FACT = shape(
    "ExplainedFact",
    {
        "kind": word(tuple(KINDS), "Kind of the fact: the rule's scope."),
        "about": text("What one fact of the kind is."),
        "lines": lines("Service lines it is about, from 1; none: the claim."),
        "relatedLines": lines("Lines that take part in it."),
        "outcome": _OUTCOME,
        "because": text("Why, in a sentence: the message, or the first condition that was decisive."),
        "conditions": parts(_CONDITION, "Every condition, whatever the others say."),
        "lookups": parts(_LOOKUP, "Look-ups behind the fact."),
        "competing": parts(_CANDIDATE, "Coverage rows that competed to answer."),
        "missing": parts(
            shape(
                "Missing",
                {"name": text("What is missing."), "settledBy": text("What to send, or which row to add.")},
            ),
            "What was not supplied.",
        ),
        "finding": part(FINDING, "The finding, with its dollars, if it fired or would.", nullable=True),
    },
)
_RULE = shape(
    "ExplainedRule",
    {
        "rule": part(shape("ExplainedRuleSummary", SUMMARY | {"file": text("Its file.")}), "The rule."),
        "outcome": _OUTCOME,
        "because": text("Why: that of the first fact, or why there is none."),
        "effect": text("What the rule's status means here."),
        "effective": part(WINDOW, "Dates of service for which the rule holds."),
        "adoption": part(
            shape(
                "Adoption",
                {
                    "adopted": fields.Boolean(
                        required=True, allow_none=True, metadata={"description": "Null: no row says."}
                    ),
                    "because": text("By which row, or why there is none."),
                    "rows": parts(_CANDIDATE, "Rows that competed."),
                },
            ),
            "Whether the payer applies the rule's pack.",
        ),
        "facts": parts(_FACT, "Facts of its scope, those first on which it fired."),
        "noFact": texts("Why the claim, or the line, has no fact of its scope."),
        "leftOff": number("Facts that are not told, as there are too many."),
    },
)
EXPLANATION = shape(
    "Explanation",
    {
        "rules": parts(_RULE, "The rules asked about, those first that fired."),
        "leftOff": number("Facts that are not told, as there are too many: name a rule and a line."),
        "unexplainedNotChecked": texts("Ids of other rules that were not checked."),
        "payer": part(
            shape(
                "ExplainedPayer",
                {
                    "name": or_null("Our name for the payer."),
                    "lineOfBusiness": word(LINES_OF_BUSINESS, "Kind of payer."),
                    "plan": or_null("The stated plan, if a row knows it."),
                    "contractor": or_null("Medicare contractor."),
                    "day": text("The claim's first date of service, as an ISO date."),
                    "lookups": parts(_LOOKUP, "How the payer was told from the claim."),
                },
            ),
            "Who pays.",
        ),
        "versions": part(VERSIONS, "What the answer was made with."),
        "receivedOn": text("The day used for timely filing: CCYYMMDD."),
        "switched": maybe(part(SWITCHED, "What `enable` and `disable` said, when they said something.")),
    },
)
