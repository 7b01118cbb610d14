"""Questions of `rules new` beyond one test: further conditions, what stands beside the fact, a row of a table.

A condition is answered as `place is 11`, `modifiers none 25, 59` or `units over fact row.units`; several with
semicolons between them. A relation is `no-other-line`; what is the same of both, its window and its conditions are
asked apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scrubber.likeness import known_names
from scrubber.rulebook.conditions import applies_condition, declare_names, rule_frame, when_condition
from scrubber.rulebook.field import Field
from scrubber.rulebook.line_items import ITEMS
from scrubber.rulebook.names import DOCUMENT, Known, KnownTable, TypingContext
from scrubber.rulebook.operators import DAY_OPERATORS, LIST_OPERATORS, OPERATORS, ORDER_OPERATORS
from scrubber.rulebook.reference_tables import REFERENCE_TABLES, ReferenceTable
from scrubber.rulebook.relations import QUANTIFIERS, ROW
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.same import SAME
from scrubber.rulebook.same_and_within import SIDES, UNITS
from scrubber.rulebook.table_declaration import ALL
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.vocabulary import KINDS

Answers = Mapping[str, str]
ROW_NAME = "row"  # the look-up of the rule
_WINDOW = re.compile(rf"([0-9]{{1,5}}) ({'|'.join(UNITS)}) ({'|'.join(SIDES)})")
_CALENDAR_YEAR = "calendar-year"


def relations() -> dict[str, str]:
    """Every relation with what it is about; blank: none."""
    words = {"some": "there is at least one", "no": "there is none", "every": "each of them is as follows"}
    items = {name: kind for name, kind in ITEMS.items() if name != ROW}
    found = {f"{word}-{name}": f"{words[word]}: {kind.about}" for word in QUANTIFIERS for name, kind in items.items()}
    return {"": "nothing", **found}


def tables(rulebook: Rulebook) -> dict[str, str]:
    """The tables in which rows can be looked up; blank: none."""
    own = {name: table.declaration.about for name, table in rulebook.typed_tables.items()}
    return {"": "none", **own, **{name: table.about for name, table in REFERENCE_TABLES.items()}}


def known_to(rulebook: Rulebook) -> Known:
    """What a new rule may name: the tables of packs and the published ones."""
    every: dict[str, TypedTable | ReferenceTable] = {**REFERENCE_TABLES, **rulebook.typed_tables}
    return Known({}, {name: _known_table(table) for name, table in every.items()}, rulebook.document_fields, {})


def fields_of_scope(answers: Answers, rulebook: Rulebook) -> Mapping[str, Field]:
    """What a rule of the scope may read: of documents also the elements that families declare."""
    fields = KINDS[answers["scope"]].fields
    return {**rulebook.document_fields, **fields} if answers["scope"] == DOCUMENT else fields


def _known_table(table: TypedTable | ReferenceTable) -> KnownTable:
    columns: dict[str, Field] = {name: column.field for name, column in (*table.keys.items(), *table.columns.items())}
    return KnownTable(columns, tuple(table.keys), table.answers == ALL)


def fault_in_conditions(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with further conditions of the fact, or with a test of the row that was looked up."""
    faults: list[str] = []
    context = _context(answers, rulebook, faults)
    for text in _split(answer):
        raw = _condition(text)
        if isinstance(raw, str):
            return raw
        when_condition(raw, (), context)
        faults += _limits(raw)
    return faults[0] if faults else None


def fault_in_table_keys(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with the facts by which a row is looked up."""
    faults: list[str] = []
    _context({**answers, "table-for": answer}, rulebook, faults)
    return faults[0] if faults else None


def fault_in_same(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with what is the same."""
    unknown = next((name for name in _names(answer) if name not in SAME), None)
    if unknown is not None:
        return f"`{unknown}` is nothing that can be the same{known_names(unknown, SAME)}"
    return fault_in_relation({**answers, "beside-same": answer}, rulebook) if answer else None


def fault_in_window(answer: str, _: Answers, __: Rulebook) -> str | None:
    """What is wrong with a window."""
    if not answer or answer == _CALENDAR_YEAR or _WINDOW.fullmatch(answer):
        return None
    return f"is like `30 days before` ({', '.join(UNITS)}; {', '.join(SIDES)}), or {_CALENDAR_YEAR}"


def fault_in_items(answer: str, answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with the conditions of an item."""
    for text in _split(answer):
        raw = _condition(text)
        if isinstance(raw, str):
            return raw
        if found := _limits(raw):
            return found[0]
    return fault_in_relation({**answers, "beside-where": answer}, rulebook)


def fault_in_relation(answers: Answers, rulebook: Rulebook) -> str | None:
    """What is wrong with a relation as a whole."""
    faults: list[str] = []
    applies_condition(_relation(answers), (), _context(answers, rulebook, faults))
    unfinished = "must say what each of them is"  # asked for later
    return next((fault for fault in faults if unfinished not in fault or "beside-where" in answers), None)


def _context(answers: Answers, rulebook: Rulebook, faults: list[str]) -> TypingContext:
    frame = rule_frame(KINDS[answers["scope"]], known_to(rulebook))
    context = TypingContext(frame, lambda _, message: faults.append(message))
    if answers.get("table-for"):
        declare_names({"look-up": _look_up(answers)}, (), context)
    return context


def _limits(raw: Mapping[str, Any]) -> list[str]:
    stated = [value for key, value in raw.items() if key in ORDER_OPERATORS and isinstance(value, str)]
    beyond = any(value not in ("0", "1") for value in stated)
    return (
        ["other limits than 0 and 1 belong in a dated table: say 1, then write {limit: NAME} for it"] if beyond else []
    )


def _split(answer: str) -> list[str]:
    return [text.strip() for text in answer.split(";") if text.strip()]


def _names(answer: str) -> list[str]:
    return answer.replace(",", " ").split()


def _condition(text: str) -> dict[str, Any] | str:
    """`FACT OPERATOR VALUE` as a rule file writes it; a text says what is wrong with it."""
    name, _, rest = text.partition(" ")
    operator, _, value = rest.strip().partition(" ")
    value = value.strip()
    if operator not in OPERATORS or not value:
        return f"`{text}` is no condition: a fact, an operator and a value, such as `place is 11`"
    if value.startswith("fact "):
        return {"fact": name, operator: {"fact": value.removeprefix("fact ").strip()}}
    return {"fact": name, operator: _names(value) if operator in LIST_OPERATORS else value}


def further_conditions(answers: Answers) -> Iterator[dict[str, Any]]:
    """The conditions beyond the first one, as a rule file writes them."""
    for name in ("more", "table-test"):
        for text in _split(answers.get(name, "")):
            condition = _condition(text)
            if isinstance(condition, dict):
                yield condition
    if answers.get("beside"):
        yield _relation(answers)


def _relation(answers: Answers) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if answers.get("beside-same"):
        content["same"] = _names(answers["beside-same"])
    window = _WINDOW.fullmatch(answers.get("beside-within", ""))
    if window is not None:
        content["within"] = {window[2]: window[1], window[3]: "this.day"}
    elif answers.get("beside-within") == _CALENDAR_YEAR:
        content["within"] = {_CALENDAR_YEAR: "this.day"}
    for text in _split(answers.get("beside-where", "")):
        condition = _condition(text)
        if isinstance(condition, dict):
            name = condition.pop("fact")
            content.setdefault(name, {}).update(condition)
    return {answers["beside"]: content}


def _look_up(answers: Answers) -> dict[str, Any]:
    """The look-up, by `KEY FACT, KEY FACT`; one fact alone is for a table with one key."""
    pairs = [part.split() for part in answers["table-for"].split(",") if part.strip()]
    keys: Any = {pair[0]: pair[-1] for pair in pairs}
    if len(pairs) == 1 and len(pairs[0]) == 1:
        keys = pairs[0][0]
    return {ROW_NAME: {"in": answers["table"], "for": keys}}


def look_up_lines(answers: Answers) -> list[str]:
    """The key `look-up` of the rule's file; nothing where no row is looked up."""
    if not answers.get("table"):
        return []
    return ["look-up:", f"  {ROW_NAME}: {flow(_look_up(answers)[ROW_NAME])}"]


_PLAIN = re.compile(r"[a-z][A-Za-z]*([.-][a-zA-Z-]+)*")
_AS_TEXT = frozenset(("yes", "no", "on", "off", "true", "false", "null", "y", "n"))


def flow(content: Any, number: bool = False) -> str:
    """Content of a file in one line, with codes in quotes."""
    if isinstance(content, Mapping):
        return "{" + ", ".join(f"{key}: {flow(value, _is_number(key))}" for key, value in content.items()) + "}"
    if isinstance(content, list):
        return f"[{', '.join(map(flow, content))}]"
    plain = number or (_PLAIN.fullmatch(content) and content not in _AS_TEXT)
    return content if plain else json.dumps(content, ensure_ascii=False)


def _is_number(key: str) -> bool:
    return key in UNITS or (key in ORDER_OPERATORS and key not in DAY_OPERATORS)
