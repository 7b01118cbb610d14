"""Turns the answers to the questions of `rules new` into a rule file, and checks each answer as it is given.

Answers are texts by question: pack, id, family, title, scope, codes, line-of-business, fact, operator, value, severity,
stage, category, message, fix, not-checked, authority-kind, authority-title, authority-locator, authority-url,
retrieved, binding, owner, from; and those of `new_rule_conditions`. Blank: left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from scrubber.authoring.new_rule_conditions import (
    fault_in_conditions,
    fault_in_items,
    fault_in_same,
    fault_in_table_keys,
    fault_in_window,
    fields_of_scope,
    flow,
    further_conditions,
    known_to,
    look_up_lines,
    relations,
    tables,
)
from scrubber.errors import Fault, Faults
from scrubber.likeness import perhaps
from scrubber.rulebook.conditions import rule_frame, when_condition
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.json_schema import RULE_SCHEMA_FILE
from scrubber.rulebook.lint.content import never_met, table_matters, unquoted_in_rule
from scrubber.rulebook.lint.licensed_text import cpt_wording, personal_data
from scrubber.rulebook.load import load_rule
from scrubber.rulebook.names import TypingContext
from scrubber.rulebook.operators import (
    DAY_OPERATORS,
    IN_LIST_OPERATORS,
    LIST_OPERATORS,
    LISTED,
    ORDER_OPERATORS,
    ORDERED,
)
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.schema import (
    AUTHORITY_KINDS,
    EffectiveDaysSchema,
    PackFileSchema,
    RuleAuthoritySchema,
    RuleYamlSchema,
)
from scrubber.rulebook.test_case import FOLDER
from scrubber.rulebook.vocabulary import KINDS, LINES_OF_BUSINESS
from scrubber.rulebook.yaml_file import read_yaml

Choices = Mapping[str, str]  # an answer and its meaning


MOST_NAMED = 100  # choices that a message lists


class Question(NamedTuple):
    """One question. `choices` (none: any text) and `usual` depend on the answers before it; `asked` may be False."""

    name: str
    text: str
    check: Callable[[str, Answers, Rulebook], str | None] = lambda *_: None
    choices: Callable[[Answers, Rulebook], Choices] = lambda *_: {}
    usual: Callable[[Answers], str | None] = lambda _: None
    asked: Callable[[Answers, Rulebook], bool] = lambda *_: True
    again: bool = False  # at a terminal it is asked until the answer is blank; the answers are joined with semicolons


def fault_in(question: Question, answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with an answer; None when it is valid."""
    choices = question.choices(answers, rulebook)
    if choices and answer not in choices and not _may_be_new(question):
        like = perhaps(answer, choices)
        return (
            f"is none of them{like}" if like and len(choices) > MOST_NAMED else f"is one of: {', '.join(choices)}{like}"
        )
    return question.check(answer, answers, rulebook)


def _may_be_new(question: Question) -> bool:
    return question.name in ("pack", "family")


def _by_schema(schema: Schema, name: str) -> Callable[[str, Answers, Rulebook], str | None]:
    """Checks like the key of a file; the answer for an optional key may be blank."""
    field = schema.fields[name]

    def check(answer: str, _: Answers, __: Rulebook) -> str | None:
        if not answer:
            return "must not be empty" if field.required else None
        try:
            field.deserialize(answer)
        except ValidationError as error:
            return " ".join(map(str, error.messages))
        return None

    return check


_RULE, _AUTHORITY, _WINDOW, _PACK = RuleYamlSchema(), RuleAuthoritySchema(), EffectiveDaysSchema(), PackFileSchema()


def _pack(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    return "is the folder of base claims" if answer == FOLDER else _by_schema(_PACK, "name")(answer, answers, rulebook)


def _id(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    if answer in rulebook.rules:
        return "is taken: `scrubber rules show` prints that rule"
    if not answer.startswith(f"{answers['pack']}-"):
        return f"begins with the name of its pack: {answers['pack']}-…"
    return _by_schema(_RULE, "id")(answer, answers, rulebook)


def _title(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    same = (rule.id for rule in rulebook.rules.values() if rule.title.casefold() == answer.casefold())
    taken = next(same, None)
    return f"is the title of {taken} too" if taken else _by_schema(_RULE, "title")(answer, answers, rulebook)


def _codes(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    return _never_met(code_fact(answers["scope"]) or "", split_codes(answer), rulebook)


def _never_met(fact: str, texts: Iterable[str], rulebook: Rulebook) -> str | None:
    payers = {row.payer for row in rulebook.rows.get("aliases", ())}
    return next((fault for text in texts if (fault := never_met(fact, text, payers))), None)


def _test(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """The value of the one test: typed as a rule file would be."""
    operator, states = answers["operator"], fields_of_scope(answers, rulebook)[answers["fact"]].states
    value: Any = split_codes(answer) if operator in LIST_OPERATORS else answer
    faults: list[str] = []
    raw = {"fact": answers["fact"], operator: value}
    frame = rule_frame(KINDS[answers["scope"]], known_to(rulebook))
    when_condition(raw, (), TypingContext(frame, lambda _, message: faults.append(message)))
    if not faults and operator in IN_LIST_OPERATORS and answer not in rulebook.lists.names:
        faults.append(f"is a list of codes in a table: {', '.join(sorted(rulebook.lists.names))}")
    if not faults and operator in ORDER_OPERATORS and answer not in ("0", "1"):
        faults.append(
            "other limits than 0 and 1 belong in a dated table: say 1, then write {limit: NAME} for it in the file"
        )
    if not faults and operator in ("is", "is-not", *LIST_OPERATORS) and answer not in states:
        fault = _never_met(answers["fact"], split_codes(answer) if operator in LIST_OPERATORS else [answer], rulebook)
        faults += [fault] if fault else []
    return faults[0] if faults else None


def operators(field: Field) -> Choices:
    """The operators that go with a fact, and their meaning."""
    values: dict[str, str] = {} if field.type is Type.CODES else {"is": "it is this", "is-not": "it is something else"}
    if field.type is Type.CODES and field.states:
        values["is"] = "its state is this"
    if field.type in ORDERED:
        values |= {word: f"it is {word.replace('-', ' ')} this" for word in ORDER_OPERATORS}
    if field.type is Type.DAY:
        values |= {word: f"it lies {word.replace('-', ' ')} this" for word in DAY_OPERATORS}
    if field.type in LISTED:
        values |= {"any": "it has one of these", "all": "all it has are among these", "none": "it has none of these"}
        values |= {word: f"the same as {word[:-3]}, against a list in a table" for word in IN_LIST_OPERATORS}
    return values


def _values(answers: Answers, rulebook: Rulebook) -> Choices:
    field = fields_of_scope(answers, rulebook)[answers["fact"]]
    if answers["operator"] in IN_LIST_OPERATORS:
        return dict.fromkeys(sorted(rulebook.lists.names), "")
    if answers["operator"] not in ("is", "is-not"):
        return {}
    states = {state: _STATES.get(state, "") for state in field.states} if answers["operator"] == "is" else {}
    if field.type is Type.FLAG:
        return {"yes": "", "no": "", **states}
    return {**dict.fromkeys(field.words, ""), **states} if field.words else {}


def _facts(answers: Answers, rulebook: Rulebook) -> Choices:
    fields = fields_of_scope(answers, rulebook).values()
    return {field.name: f"{field.about} ({field.type.value})" for field in fields}


def _choices(values: tuple[str, ...], about: Mapping[str, str] | None = None) -> Callable[[Answers, Rulebook], Choices]:
    return lambda *_: {word: (about or {}).get(word, "") for word in values}


_SEVERITY = {"info": "good to know", "warn": "look before you send", "deny": "will be rejected, denied or taken back"}
_STAGE = {"submission": "rejected at once", "adjudication": "denied", "postPayment": "paid, then taken back"}
_STATES = {
    "absent": "the sender states that there is none",
    "not-supplied": "the sender says nothing of it",
    "not-a-number": "what was sent holds no one number",
}
_AUTHORITY_ABOUT = {"house-policy": "your own decision", "advice": "an article or a talk: it never denies"}


def _has(name: str) -> Callable[[Answers, Rulebook], bool]:
    """Asked only where an earlier question has an answer."""
    return lambda answers, _: bool(answers.get(name))


def _new_pack(answers: Answers, rulebook: Rulebook) -> bool:
    return answers["pack"] not in rulebook.packs


QUESTIONS: tuple[Question, ...] = (
    Question(
        "pack", "Which pack is it for? One of these, or a new name", _pack,
        lambda _, rulebook: {name: pack.title for name, pack in rulebook.packs.items()},
    ),
    Question("pack-title", "One line that says what the new pack is", _by_schema(_PACK, "title"), asked=_new_pack),
    Question("pack-about", "Whose rules are in it?", _by_schema(_PACK, "about"), asked=_new_pack),
    Question("id", "Name of the rule, small letters and hyphens", _id, usual=lambda answers: f"{answers['pack']}-"),
    Question("family", "Folder within the pack", _by_schema(_RULE, "id"), usual=lambda _: "rules"),
    Question("title", "One line for lists", _title),
    Question(
        "scope", "What is one finding about?", choices=lambda *_: {kind.name: kind.about for kind in KINDS.values()},
        usual=lambda _: "line",
    ),
    Question(
        "codes", "For which codes? Commas between them; blank for every code", _codes, usual=lambda _: "",
        asked=lambda answers, _: code_fact(answers["scope"]) is not None,
    ),
    Question(
        "line-of-business", "For which kind of payer? Blank for all",
        choices=_choices(("", *LINES_OF_BUSINESS)), usual=lambda _: "",
    ),
    Question("fact", "Which fact shows what is wrong?", choices=_facts),
    Question(
        "operator", "When is it wrong?",
        choices=lambda answers, rulebook: operators(fields_of_scope(answers, rulebook)[answers["fact"]]),
    ),
    Question("value", "Compared with what? Commas between codes", _test, choices=_values),
    Question(
        "more", "What else must hold? Such as `place is 11`; blank for nothing", fault_in_conditions,
        usual=lambda _: "", again=True,
    ),
    Question(
        "beside", "What must stand beside it, or must not? Such as no-other-line; blank for nothing",
        choices=lambda *_: relations(), usual=lambda _: "",
    ),
    Question(
        "beside-same", "What is the same of both? Such as `day, procedure`; blank for nothing", fault_in_same,
        usual=lambda _: "", asked=_has("beside"),
    ),
    Question(
        "beside-within", "Within which days? Such as `30 days before`; blank for any", fault_in_window,
        usual=lambda _: "", asked=_has("beside"),
    ),
    Question(
        "beside-where", "What is it? Such as `procedure any 99213`; blank for anything", fault_in_items,
        usual=lambda _: "", asked=_has("beside"), again=True,
    ),
    Question(
        "table", "In which table is a row looked up for it? Blank for none",
        choices=lambda _, rulebook: tables(rulebook), usual=lambda _: "",
    ),
    Question(
        "table-for", "By which facts? Key and fact, such as `code procedure, payer payer`", fault_in_table_keys,
        asked=_has("table"),
    ),
    Question(
        "table-test", "What of the row? Such as `row is not-found` or `units over fact row.units`",
        fault_in_conditions, asked=_has("table"), again=True,
    ),
    Question("severity", "How bad is it?", choices=_choices(SEVERITIES, _SEVERITY), usual=lambda _: "warn"),
    Question(
        "stage", "When would it cost?", choices=_choices(STAGES, _STAGE),
        usual=lambda answers: usual_stage(answers["scope"]),
    ),
    Question(
        "category", "What kind of fault is it?", choices=_choices(CATEGORIES),
        usual=lambda answers: usual_category(answers["scope"]),
    ),
    Question("message", "What is wrong, in one sentence; {line} and facts in braces", _by_schema(_RULE, "message")),
    Question("fix", "What to do about it", _by_schema(_RULE, "fix")),
    Question(
        "not-checked", "What to say when the fact was not supplied", _by_schema(_RULE, "not_checked"),
        usual=lambda answers: f"Nothing was sent that shows this, so “{answers['title']}” was not checked.",
        asked=lambda answers, rulebook: needs_fact(answers, rulebook),
    ),
    Question("authority-kind", "By whose word?", choices=_choices(AUTHORITY_KINDS, _AUTHORITY_ABOUT)),
    Question("authority-title", "Name of that text", _by_schema(_AUTHORITY, "title")),
    Question("authority-locator", "Where in it? Or blank", _by_schema(_AUTHORITY, "locator"), usual=lambda _: ""),
    Question("authority-url", "Its address; blank if it has none", _by_schema(_AUTHORITY, "url"), usual=lambda _: ""),
    Question(
        "retrieved", "When did you read it? Blank if you did not", _by_schema(_AUTHORITY, "retrieved"),
        usual=lambda _: "",
    ),
    Question(
        "binding", "Does it bind the payer?", choices=_choices(("yes", "no")), usual=lambda _: "no",
        asked=lambda answers, _: answers["authority-kind"] not in ("house-policy", "advice"),
    ),
    Question("owner", "Which role answers for the rule?", _by_schema(_RULE, "owner")),
    Question("from", "First date of service; blank for all", _by_schema(_WINDOW, "since"), usual=lambda _: ""),
)  # fmt: skip


def complete_answers(given: Answers, rulebook: Rulebook) -> tuple[dict[str, str], dict[str, str]]:
    """Answers with the usual ones where none was given, and what is wrong, by question.

    A question that depends on a missing or invalid answer is skipped.
    """
    answers: dict[str, str] = {}
    faults = {name: "is no question" for name in given if name not in {question.name for question in QUESTIONS}}
    for question in QUESTIONS:
        try:
            if not question.asked(answers, rulebook):
                continue
            answer = given.get(question.name, question.usual(answers))
            fault = "must be answered" if answer is None else fault_in(question, answer, answers, rulebook)
        except KeyError:
            continue
        if answer is None or fault:
            faults[question.name] = fault or "must be answered"
        else:
            answers[question.name] = answer
    return answers, faults


Answers = Mapping[str, str]


def usual_stage(scope: str) -> str:
    """The stage of most rules of a scope."""
    return KINDS[scope].stage


def usual_category(scope: str) -> str:
    """The category of most rules of a scope."""
    return KINDS[scope].category


def rule_file(answers: Answers) -> str:
    """Where the rule will lie below the folder of rules."""
    return f"{answers['pack']}/{answers['family']}/{answers['id']}.yaml"


def rule_text(answers: Answers, today: date, rulebook: Rulebook) -> str:
    """The rule's file: a draft, reviewed today."""
    values = {key: answers[key] for key in ("severity", "stage", "category", "scope")}
    lines = [
        f"# yaml-language-server: $schema=../../{RULE_SCHEMA_FILE}",
        f"id: {answers['id']}",
        "version: 1",
        f"title: {_quoted(answers['title'])}",
        "status: draft",
        *(f"{key}: {word}" for key, word in values.items()),
        f"owner: {_quoted(answers['owner'])}",
        f'reviewed: "{today.isoformat()}"',
        f'effective: {{from: "{answers["from"]}"}}' if answers.get("from") else "effective: {}",
        "authority:",
        f"  - {_authority(answers)}",
        *_applies(answers),
        *([f"needs: [{answers['fact']}]"] if needs_fact(answers, rulebook) else []),
        *look_up_lines(answers),
        *_when(answers, rulebook),
        f"message: {_quoted(answers['message'])}",
        f"fix: {_quoted(answers['fix'])}",
        *([f"not-checked: {_quoted(answers['not-checked'])}"] if needs_fact(answers, rulebook) else []),
        "reason: null",
        f"at-risk: {'nothing' if answers['severity'] == 'info' else _at_risk(answers['scope'])}",
    ]
    return "\n".join(lines) + "\n"


def _when(answers: Answers, rulebook: Rulebook) -> list[str]:
    """What is wrong: one test alone, or several that must all hold."""
    tests = [f"{{fact: {answers['fact']}, {answers['operator']}: {_value(answers, rulebook)}}}"]
    tests += [flow(condition) for condition in further_conditions(answers)]
    return [f"when: {tests[0]}"] if len(tests) == 1 else ["when:", "  all:", *(f"    - {test}" for test in tests)]


def needs_fact(answers: Answers, rulebook: Rulebook) -> bool:
    """Whether the sender may leave the tested fact out, so that the rule needs a text for that."""
    field = fields_of_scope(answers, rulebook).get(answers["fact"])
    return field is not None and field.may_be_missing and answers["value"] != "not-supplied"


def _at_risk(scope: str) -> str:
    return "line-allowed" if "procedure" in KINDS[scope].fields or scope == "pair" else "claim-allowed"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _authority(answers: Answers) -> str:
    entries = [f"kind: {answers['authority-kind']}", f"title: {_quoted(answers['authority-title'])}"]
    for key, name in (("locator", "authority-locator"), ("url", "authority-url"), ("retrieved", "retrieved")):
        if answers.get(name):
            entries.append(f"{key}: {_quoted(answers[name])}")
    if answers.get("binding") == "yes":
        entries.append("binding: yes")
    return "{" + ", ".join(entries) + "}"


def _applies(answers: Answers) -> list[str]:
    entries = []
    if answers.get("codes"):
        entries.append(f"{code_fact(answers['scope'])}: {{any: {_list(answers['codes'])}}}")
    if answers.get("line-of-business"):
        entries.append(f"lineOfBusiness: {answers['line-of-business']}")
    return [f"applies: {{{', '.join(entries)}}}"] if entries else []


def code_fact(scope: str) -> str | None:
    """The fact of a scope that holds the code a rule is for; None where it has none."""
    return next((name for name in ("procedure", "code", "second") if name in KINDS[scope].fields), None)


def split_codes(text: str) -> list[str]:
    """Codes of an answer: commas or blanks between them."""
    return text.replace(",", " ").split()


def _list(text: str) -> str:
    return "[" + ", ".join(_quoted(code) for code in split_codes(text)) + "]"


def _value(answers: Answers, rulebook: Rulebook) -> str:
    operator, value = answers["operator"], answers["value"]
    if operator in LIST_OPERATORS:
        return _list(value)
    field: Field | None = fields_of_scope(answers, rulebook).get(answers["fact"])
    plain = operator in IN_LIST_OPERATORS or (
        field is not None and field.type in (Type.FLAG, Type.NUMBER, Type.DECIMAL)
    )
    return value if plain and " " not in value and value else _quoted(value)


def rule_from_text(text: str, file: str, rulebook: Rulebook) -> Rule:
    """The rule in a text, as if it were read from `file`, which may ask the tables of a rulebook.

    Raises Faults with all that is wrong with it alone.
    """
    faults: list[Fault] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rule.yaml"
        path.write_text(text, encoding="utf-8")
        document = read_yaml(path, file)
    loaded = load_rule(document, known_to(rulebook), faults, faults)
    for check in (unquoted_in_rule, table_matters, personal_data, cpt_wording):
        faults += check(document)
    if faults or loaded is None:
        raise Faults(faults)
    return loaded.rule
