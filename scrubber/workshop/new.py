"""Beside the path: a new rule from answers to questions: the text of its file, read back before it lies there.

Answers are texts by question: pack, id, family, title, scope, codes, line-of-business, fact, operator, value, severity,
stage, category, message, fix, not-checked, authority-kind, authority-title, authority-locator, authority-url,
retrieved, binding, owner, from. Blank: left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from scrubber.errors import Fault, Faults
from scrubber.rulebook.conditions import IN_WORDS, LIST_WORDS
from scrubber.rulebook.json_schema import RULE_SCHEMA_FILE
from scrubber.rulebook.lint_codes import table_matters, unquoted_in_rule
from scrubber.rulebook.lint_texts import cpt_wording, personal_data
from scrubber.rulebook.load import load_rule
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.vocabulary import KINDS, Field, Type

Answers = Mapping[str, str]

_STAGES = {"document": "postPayment", "element": "submission"}
_CATEGORIES = {
    "document": "documentation", "element": "structure", "abn": "abn", "coverage": "coverage", "pair": "bundling",
    "code-day": "units", "repeat": "duplicate", "visit": "bundling", "table": "freshness",
    "medicare-edit": "bundling",
}  # fmt: skip


def usual_stage(scope: str) -> str:
    """When most rules of a scope would cost."""
    return _STAGES.get(scope, "adjudication")


def usual_category(scope: str) -> str:
    """What most rules of a scope are about."""
    return _CATEGORIES.get(scope, "coding")


def rule_file(answers: Answers) -> str:
    """Where the rule will lie below the folder of rules."""
    return f"{answers['pack']}/{answers['family']}/{answers['id']}.yaml"


def rule_text(answers: Answers, today: date) -> str:
    """The rule's file: a draft, reviewed today, whose meaning is one test of one fact."""
    words = {key: answers[key] for key in ("severity", "stage", "category", "scope")}
    lines = [
        f"# yaml-language-server: $schema=../../{RULE_SCHEMA_FILE}",
        f"id: {answers['id']}",
        "version: 1",
        f"title: {_quoted(answers['title'])}",
        "status: draft",
        *(f"{key}: {word}" for key, word in words.items()),
        f"owner: {_quoted(answers['owner'])}",
        f'reviewed: "{today.isoformat()}"',
        f'effective: {{from: "{answers["from"]}"}}' if answers.get("from") else "effective: {}",
        "authority:",
        f"  - {_authority(answers)}",
        *_applies(answers),
        *([f"needs: [{answers['fact']}]"] if needs_fact(answers) else []),
        f"when: {{fact: {answers['fact']}, {answers['operator']}: {_value(answers)}}}",
        f"message: {_quoted(answers['message'])}",
        f"fix: {_quoted(answers['fix'])}",
        *([f"not-checked: {_quoted(answers['not-checked'])}"] if needs_fact(answers) else []),
        "reason: null",
        f"at-risk: {'nothing' if answers['severity'] == 'info' else _at_risk(answers['scope'])}",
    ]
    return "\n".join(lines) + "\n"


def needs_fact(answers: Answers) -> bool:
    """Whether the sender may leave the tested fact out, so that the rule must say what then."""
    field = KINDS[answers["scope"]].fields.get(answers["fact"])
    return field is not None and field.may_be_missing and answers["value"] != "not-supplied"


def _at_risk(scope: str) -> str:
    return "line-allowed" if "procedure" in KINDS[scope].fields or scope == "pair" else "claim-allowed"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _authority(answers: Answers) -> str:
    told = [f"kind: {answers['authority-kind']}", f"title: {_quoted(answers['authority-title'])}"]
    for key, name in (("locator", "authority-locator"), ("url", "authority-url"), ("retrieved", "retrieved")):
        if answers.get(name):
            told.append(f"{key}: {_quoted(answers[name])}")
    if answers.get("binding") == "yes":
        told.append("binding: yes")
    return "{" + ", ".join(told) + "}"


def _applies(answers: Answers) -> list[str]:
    told = []
    if answers.get("codes"):
        told.append(f"{code_fact(answers['scope'])}: {{any: {_list(answers['codes'])}}}")
    if answers.get("line-of-business"):
        told.append(f"lineOfBusiness: {answers['line-of-business']}")
    return [f"applies: {{{', '.join(told)}}}"] if told else []


def code_fact(scope: str) -> str | None:
    """The fact of a scope that holds the code a rule is for; None where it has none."""
    return next((name for name in ("procedure", "code", "second") if name in KINDS[scope].fields), None)


def listed(text: str) -> list[str]:
    """Codes of an answer: commas or blanks between them."""
    return text.replace(",", " ").split()


def _list(text: str) -> str:
    return "[" + ", ".join(_quoted(code) for code in listed(text)) + "]"


def _value(answers: Answers) -> str:
    operator, value = answers["operator"], answers["value"]
    if operator in LIST_WORDS:
        return _list(value)
    field: Field | None = KINDS[answers["scope"]].fields.get(answers["fact"])
    plain = operator in IN_WORDS or (field is not None and field.type in (Type.FLAG, Type.NUMBER, Type.DECIMAL))
    return value if plain and " " not in value and value else _quoted(value)


def read_text(text: str, file: str) -> Rule:
    """The rule that a text says, as if it lay in `file`. Raises Faults with all that is wrong with it alone."""
    faults: list[Fault] = []
    with TemporaryDirectory() as place:
        path = Path(place) / "rule.yaml"
        path.write_text(text, encoding="utf-8")
        document = read_yaml(path, file)
    loaded = load_rule(document, {}, faults)
    for check in (unquoted_in_rule, table_matters, personal_data, cpt_wording):
        faults += check(document)
    if faults or loaded is None:
        raise Faults(faults)
    return loaded.rule
