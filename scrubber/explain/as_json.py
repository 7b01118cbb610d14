"""Declares and writes an explanation as JSON; its members are promised to callers."""

from __future__ import annotations

from typing import Any

import orjson
from marshmallow import fields, missing

from scrubber.explain.model import (
    FALSE,
    NOT_JUDGED,
    OUTCOMES,
    TRUE,
    Candidate,
    ConditionGroup,
    ConditionLeaf,
    ConditionNode,
    Explanation,
    FactExplained,
    MissingInput,
    RuleExplained,
)
from scrubber.response.claim import FindingResponse, VersionsResponse, switched
from scrubber.response.rules import RuleSummaryResponse, window
from scrubber.response.schema import (
    AnyValue,
    CompactDay,
    Flag,
    IsoDay,
    Lines,
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
from scrubber.rulebook.vocabulary import KINDS, LINES_OF_BUSINESS


def _outcome() -> OneOf:
    return OneOf(OUTCOMES, "How it came out. Rules that do not run would fire, or would not be checked.")


class CompetingRowResponse(ResponseSchema):
    """A row of those that competed to answer."""

    instance_of = Candidate

    place = Text("File and line below the folder of rules.", nullable=True)
    scope = Text("For whom the row is.")
    says = Text("What it says.")
    days = Text("When it is in force.")
    answered = Flag("Whether it is the row that answered.")
    because = Text("Why it did, or did not: the row that says most of the payer wins.")


class LookupResponse(ResponseSchema):
    """A look-up behind a fact."""

    table = Text("Table that was asked.")
    says = Text("Its answer in a sentence.")
    row = Mapped("Cells of the row that answered, by column; none when no row did.", values=fields.String())
    place = Text("File and line, of a table beside the rules.", nullable=True)
    release = Text("Release that answered, of a reference table.", nullable=True)
    standing = Text("How the day lies to the release: in-force, carried-forward, …", nullable=True)


def _value(node: ConditionNode) -> Any:
    return node.value if isinstance(node, ConditionLeaf) else missing


def _of_comparison(name: str, about: str) -> Text:
    return Text(
        about, compute=lambda node: getattr(node, name) if isinstance(node, ConditionLeaf) else None, optional=True
    )


def _conditions(word: str, about: str) -> Objects:
    def of_group(node: ConditionNode) -> tuple[ConditionNode, ...] | None:
        return node.parts if isinstance(node, ConditionGroup) and node.word == word else None

    return Objects(lambda: JudgedConditionResponse(), about, compute=of_group, optional=True)


class JudgedConditionResponse(ResponseSchema):
    """A comparison, or a group of conditions, and how it came out."""

    verdict = OneOf((TRUE, FALSE, NOT_JUDGED), "Not judged: not true, as nothing was supplied.")
    all = _conditions("all", "Conditions that must all be true.")
    any = _conditions("any", "Conditions of which one must be true.")
    fact = _of_comparison("fact", "The fact that is compared, where it is one comparison.")
    about = _of_comparison("about", "What the fact is.")
    value = AnyValue(
        "The fact's value as people write it; null: it has none here.",
        compute=_value,
        optional=True,
        nullable=True,
        metadata={"type": ["string", "integer", "boolean", "array"], "items": {"type": "string"}},
    )
    state = _of_comparison("state", "Why there is no value: not-supplied, absent, not-a-number, …")
    asked = _of_comparison("asked", "What the rule asks for.")


JudgedPartResponse = ResponseSchema.from_dict(
    {
        "part": OneOf(("in-force", "applies", "needs", "when"), "Which part of the rule it is.", path="name"),
        **members_of(JudgedConditionResponse, "node"),
    },
    name="JudgedPartResponse",
)


class MissingResponse(ResponseSchema):
    """Something that was not supplied."""

    instance_of = MissingInput

    name = Text("What is missing.")
    settled_by = Text("What to send, or which row to add.")


class ExplainedFactResponse(ResponseSchema):
    """One fact under a rule."""

    instance_of = FactExplained

    kind = OneOf(tuple(KINDS), "Kind of the fact: the rule's scope.")
    about = Text("What one fact of the kind is.")
    lines = Lines("Service lines it is about, from 1; none: the claim.")
    related_lines = Lines("Lines that take part in it.", path="related")
    outcome = _outcome()
    because = Text("Why, in a sentence: the message, or the first condition that was decisive.")
    conditions = Objects(JudgedPartResponse, "Every condition, whatever the others say.", path="parts")
    lookups = Objects(LookupResponse, "Look-ups behind the fact.")
    competing = Objects(CompetingRowResponse, "Coverage rows that competed to answer.")
    missing = Objects(MissingResponse, "What was not supplied.")
    finding = Object(FindingResponse, "The finding, with its dollars, if it fired or would.", nullable=True)


class ExplainedRuleSummaryResponse(RuleSummaryResponse):
    """A rule, and the file that it is in."""

    file = Text("Its file.")


class AdoptionResponse(ResponseSchema):
    """Whether a payer applies the pack of a rule."""

    adopted = Flag("Null: no row says.", nullable=True)
    because = Text("By which row, or why there is none.")
    rows = Objects(CompetingRowResponse, "Rows that competed.")


class ExplainedRuleResponse(ResponseSchema):
    """One rule on a claim."""

    instance_of = RuleExplained

    rule = Object(ExplainedRuleSummaryResponse, "The rule.")
    outcome = _outcome()
    because = Text("Why: that of the first fact, or why there is none.")
    effect = Text("What the rule's status means here.")
    effective = window("Dates of service for which the rule holds.", path="rule")
    adoption = Object(AdoptionResponse, "Whether the payer applies the rule's pack.")
    facts = Objects(ExplainedFactResponse, "Facts of its scope, those first on which it fired.")
    no_fact = Texts("Why the claim, or the line, has no fact of its scope.", path="nothing")
    left_off = Number("Facts that are not told, as there are too many.")


class ExplainedPayerResponse(ResponseSchema):
    """Who pays, and how that was found out."""

    name = Text("Our name for the payer.", path="payer.name", nullable=True)
    line_of_business = OneOf(LINES_OF_BUSINESS, "Kind of payer.", path="payer.line_of_business")
    plan = Text("The stated plan, if a row knows it.", path="payer.plan", nullable=True)
    contractor = Text("Medicare contractor.", path="payer.contractor", nullable=True)
    day = IsoDay("The claim's first date of service, as an ISO date.")
    lookups = Objects(LookupResponse, "How the payer was told from the claim.", path="payer_lookups")


class ExplanationResponse(ResponseSchema):
    """Why rules fired or did not on a claim."""

    instance_of = Explanation

    rules = Objects(ExplainedRuleResponse, "The rules asked about, those first that fired.")
    left_off = Number("Facts that are not told, as there are too many: name a rule and a line.")
    unexplained_not_checked = Texts("Ids of other rules that were not checked.", path="unchecked")
    payer = Object(ExplainedPayerResponse, "Who pays.", compute=itself)
    versions = Object(VersionsResponse, "What the answer was made with.")
    received_on = CompactDay("The day used for timely filing: CCYYMMDD.")
    switched = switched()


_write = writer(ExplanationResponse())


def to_bytes(explanation: Explanation) -> bytes:
    """The explanation as compact JSON; the same claim, question and versions give the same bytes."""
    return orjson.dumps(_write(explanation))
