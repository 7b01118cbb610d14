"""Beside the path: what `rules new` asks: each question with its choices, its usual answer, and what will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from scrubber.rulebook.base_claims import FOLDER
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.conditions import (
    DAY_WORDS,
    IN_WORDS,
    LIST_WORDS,
    LISTED,
    ORDER_WORDS,
    ORDERED,
    when_condition,
)
from scrubber.rulebook.lint_values import never_met
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import AUTHORITY_KINDS, AuthoritySchema, PackSchema, RuleSchema, WindowSchema
from scrubber.vocabulary import KINDS, LINES_OF_BUSINESS, Field, Type
from scrubber.workshop.new import Answers, code_fact, listed, needs_fact, usual_category, usual_stage

Choices = Mapping[str, str]  # a word and what it means


class Question(NamedTuple):
    """One question. `choices` (None: any text) and `usual` depend on the answers before it; `asked` may be False."""

    name: str
    text: str
    check: Callable[[str, Answers, Rulebook], str | None] = lambda *_: None
    choices: Callable[[Answers, Rulebook], Choices] = lambda *_: {}
    usual: Callable[[Answers], str | None] = lambda _: None
    asked: Callable[[Answers, Rulebook], bool] = lambda *_: True


def fault_in(question: Question, answer: str, answers: Answers, book: Rulebook) -> str | None:
    """What is wrong with an answer; None when it will do."""
    choices = question.choices(answers, book)
    if choices and answer not in choices and not _may_be_new(question):
        return f"is one of: {', '.join(choices)}"
    return question.check(answer, answers, book)


def _may_be_new(question: Question) -> bool:
    return question.name in ("pack", "family")


def _by_schema(schema: Schema, name: str) -> Callable[[str, Answers, Rulebook], str | None]:
    """Judged as the key of a file would be; a key that need not be there may be blank."""
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


_RULE, _AUTHORITY, _WINDOW, _PACK = RuleSchema(), AuthoritySchema(), WindowSchema(), PackSchema()


def _pack(answer: str, answers: Answers, book: Rulebook) -> str | None:
    return "is the folder of base claims" if answer == FOLDER else _by_schema(_PACK, "name")(answer, answers, book)


def _id(answer: str, answers: Answers, book: Rulebook) -> str | None:
    if answer in book.rules:
        return "is taken: `scrubber rules show` prints that rule"
    if not answer.startswith(f"{answers['pack']}-"):
        return f"begins with the name of its pack: {answers['pack']}-…"
    return _by_schema(_RULE, "id")(answer, answers, book)


def _title(answer: str, answers: Answers, book: Rulebook) -> str | None:
    same = (rule.id for rule in book.rules.values() if rule.title.casefold() == answer.casefold())
    taken = next(same, None)
    return f"is the title of {taken} too" if taken else _by_schema(_RULE, "title")(answer, answers, book)


def _codes(answer: str, answers: Answers, book: Rulebook) -> str | None:
    return _never_met(code_fact(answers["scope"]) or "", listed(answer), book)


def _never_met(fact: str, texts: Iterable[str], book: Rulebook) -> str | None:
    payers = {row.payer for row in book.rows.get("aliases", ())}
    return next((told for text in texts if (told := never_met(fact, text, payers))), None)


def _test(answer: str, answers: Answers, book: Rulebook) -> str | None:
    """The value of the one test: typed as a rule file would be."""
    operator, states = answers["operator"], KINDS[answers["scope"]].fields[answers["fact"]].states
    value: Any = listed(answer) if operator in LIST_WORDS else answer
    faults: list[str] = []
    raw = {"fact": answers["fact"], operator: value}
    when_condition(raw, KINDS[answers["scope"]], (), lambda _, message: faults.append(message))
    if not faults and operator in IN_WORDS and answer not in book.lists.names:
        faults.append(f"is a list of codes in a table: {', '.join(sorted(book.lists.names))}")
    if not faults and operator in ORDER_WORDS and answer not in ("0", "1"):
        faults.append("other limits than 0 and 1 belong in a dated table: ask for a fact that is judged by one")
    if not faults and operator in ("is", "is-not", *LIST_WORDS) and answer not in states:
        told = _never_met(answers["fact"], listed(answer) if operator in LIST_WORDS else [answer], book)
        faults += [told] if told else []
    return faults[0] if faults else None


def operators(field: Field) -> Choices:
    """The words that go with a fact, and what they say."""
    words: dict[str, str] = {} if field.type is Type.CODES else {"is": "it is this", "is-not": "it is something else"}
    if field.type is Type.CODES and field.states:
        words["is"] = "its state is this"
    if field.type in ORDERED:
        words |= {word: f"it is {word.replace('-', ' ')} this" for word in ORDER_WORDS}
    if field.type is Type.DAY:
        words |= {word: f"it lies {word.replace('-', ' ')} this" for word in DAY_WORDS}
    if field.type in LISTED:
        words |= {"any": "it has one of these", "all": "all it has are among these", "none": "it has none of these"}
        words |= {word: f"the same as {word[:-3]}, against a list in a table" for word in IN_WORDS}
    return words


def _values(answers: Answers, book: Rulebook) -> Choices:
    field = KINDS[answers["scope"]].fields[answers["fact"]]
    if answers["operator"] in IN_WORDS:
        return dict.fromkeys(sorted(book.lists.names), "")
    if answers["operator"] not in ("is", "is-not"):
        return {}
    states = {state: _STATES.get(state, "") for state in field.states} if answers["operator"] == "is" else {}
    if field.type is Type.FLAG:
        return {"yes": "", "no": "", **states}
    return {**dict.fromkeys(field.words, ""), **states} if field.words else {}


def _facts(answers: Answers, _: Rulebook) -> Choices:
    return {field.name: f"{field.about} ({field.type.value})" for field in KINDS[answers["scope"]].fields.values()}


def _words(words: tuple[str, ...], about: Mapping[str, str] | None = None) -> Callable[[Answers, Rulebook], Choices]:
    return lambda *_: {word: (about or {}).get(word, "") for word in words}


_SEVERITY = {"info": "good to know", "warn": "look before you send", "deny": "will be rejected, denied or taken back"}
_STAGE = {"submission": "rejected at once", "adjudication": "denied", "postPayment": "paid, then taken back"}
_STATES = {
    "absent": "the sender states that there is none",
    "not-supplied": "the sender says nothing of it",
    "not-a-number": "what was sent holds no one number",
}
_KIND = {"house-policy": "your own decision", "advice": "an article or a talk: it never denies"}


def _new_pack(answers: Answers, book: Rulebook) -> bool:
    return answers["pack"] not in book.packs


QUESTIONS: tuple[Question, ...] = (
    Question(
        "pack", "Which pack is it for? One of these, or a new name", _pack,
        lambda _, book: {name: pack.title for name, pack in book.packs.items()},
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
        choices=_words(("", *LINES_OF_BUSINESS)), usual=lambda _: "",
    ),
    Question("fact", "Which fact shows what is wrong?", choices=_facts),
    Question(
        "operator", "When is it wrong?",
        choices=lambda answers, _: operators(KINDS[answers["scope"]].fields[answers["fact"]]),
    ),
    Question("value", "Compared with what? Commas between codes", _test, choices=_values),
    Question("severity", "How bad is it?", choices=_words(SEVERITIES, _SEVERITY), usual=lambda _: "warn"),
    Question(
        "stage", "When would it cost?", choices=_words(STAGES, _STAGE),
        usual=lambda answers: usual_stage(answers["scope"]),
    ),
    Question(
        "category", "What kind of fault is it?", choices=_words(CATEGORIES),
        usual=lambda answers: usual_category(answers["scope"]),
    ),
    Question("message", "What is wrong, in one sentence; {line} and facts in braces", _by_schema(_RULE, "message")),
    Question("fix", "What to do about it", _by_schema(_RULE, "fix")),
    Question(
        "not-checked", "What to say when the fact was not supplied", _by_schema(_RULE, "not_checked"),
        usual=lambda answers: f"Nothing was sent that shows this, so “{answers['title']}” was not checked.",
        asked=lambda answers, _: needs_fact(answers),
    ),
    Question("authority-kind", "By whose word?", choices=_words(AUTHORITY_KINDS, _KIND)),
    Question("authority-title", "Name of that text", _by_schema(_AUTHORITY, "title")),
    Question("authority-locator", "Where in it? Or blank", _by_schema(_AUTHORITY, "locator"), usual=lambda _: ""),
    Question("authority-url", "Its address; blank if it has none", _by_schema(_AUTHORITY, "url"), usual=lambda _: ""),
    Question(
        "retrieved", "When did you read it? Blank if you did not", _by_schema(_AUTHORITY, "retrieved"),
        usual=lambda _: "",
    ),
    Question(
        "binding", "Does it bind the payer?", choices=_words(("yes", "no")), usual=lambda _: "no",
        asked=lambda answers, _: answers["authority-kind"] not in ("house-policy", "advice"),
    ),
    Question("owner", "Which role answers for the rule?", _by_schema(_RULE, "owner")),
    Question("from", "First date of service; blank for all", _by_schema(_WINDOW, "since"), usual=lambda _: ""),
)  # fmt: skip


def complete(given: Answers, book: Rulebook) -> tuple[dict[str, str], dict[str, str]]:
    """Answers with the usual ones where none was given, and what is wrong, by question.

    A question that rests on an answer which is missing or will not do is passed over.
    """
    answers: dict[str, str] = {}
    faults = {name: "is no question" for name in given if name not in {question.name for question in QUESTIONS}}
    for question in QUESTIONS:
        try:
            if not question.asked(answers, book):
                continue
            answer = given.get(question.name, question.usual(answers))
            fault = "must be answered" if answer is None else fault_in(question, answer, answers, book)
        except KeyError:
            continue
        if answer is None or fault:
            faults[question.name] = fault or "must be answered"
        else:
            answers[question.name] = answer
    return answers, faults
