"""Types the conditions of a rule file: `applies`, `when`, `bypassed`, with their relations, look-ups and comparisons.

A test of the fact's own field stays one comparison. Everything that reads more becomes a question (see `relations`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.likeness import perhaps
from scrubber.rulebook.amounts import AmountGrammar
from scrubber.rulebook.definitions import DEFINITION, DEFINITIONS_FILE, Definition
from scrubber.rulebook.definitions import MOST_NESTED as MOST_DEFINITIONS
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.line_items import ITEMS, LINE_ITEMS
from scrubber.rulebook.names import FOUND, NOT_FOUND, Known, NameScope, Resolved, look_up_named, names_in, resolve
from scrubber.rulebook.operators import (
    DAY_OPERATORS,
    LIST_OPERATORS,
    LISTED,
    MULTIPLES,
    NEVER,
    OPERATORS,
    ORDER_OPERATORS,
    ORDERED,
    SHAPES,
    scalar,
    typed_test,
)
from scrubber.rulebook.relations import (
    ROW,
    Compared,
    Constant,
    Group,
    LookUp,
    Operand,
    Question,
    Related,
    RowFound,
    Shaped,
    Shared,
    ValueTested,
    Window,
    question_key,
)
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList
from scrubber.rulebook.same import SAME, SAME_MODIFIERS
from scrubber.rulebook.vocabulary import KINDS, FactKind
from scrubber.rulebook.yaml_file import Document, Position

ReportFault = Callable[[Position, str], None]

MOST_NESTED = 3  # relations within each other
FACT = "fact"
UNITS = ("days", "full-months", "full-years")
SIDES = ("before", "after", "up-to", "from", "either")
_GROUP_KEYS = ("same", "within", "in", "for", "look-up", "amounts", "which")
_RELATION = re.compile(r"(some|no|every)-([a-z][a-z-]*)")
_PATTERN = re.compile(r"[0-9A-Z#@* .-]{1,30}")


class Conditions(NamedTuple):
    """The conditions of a rule, `bypassed` None where it has none; and the frame with the names that it declares."""

    applies: Condition
    when: Condition
    bypassed: Condition | None = None
    frame: NameScope | None = None


class TypingContext(NamedTuple):
    """What typing a condition needs: what it is about, with all that it may name, and where faults are reported.

    Where tables could not be read a limit is NEVER, and no fault of the rule.
    """

    frame: NameScope
    report: ReportFault
    used: tuple[str, ...] = ()  # the definitions within which it is typed

    def within(self, frame: NameScope) -> TypingContext:
        """The same for conditions of an item."""
        return self._replace(frame=frame)


def rule_frame(kind: FactKind, known: Known) -> NameScope:
    """The frame of a rule about facts of a kind, before it declares names."""
    return NameScope(kind.name, kind.fields, known)


def rule_conditions(document: Document, known: Known, report: ReportFault) -> Conditions:
    """The conditions of a rule file, whatever else is wrong with it; NEVER for what cannot be typed."""
    content = document.content if isinstance(document.content, Mapping) else {}
    scope = content.get("scope")
    kind = KINDS.get(scope) if isinstance(scope, str) else None
    if kind is None or content.get("when") is None:
        return Conditions(NEVER, NEVER)
    context = TypingContext(rule_frame(kind, known), report)
    declare_names(content, (), context)
    return Conditions(
        applies_condition(content.get("applies"), ("applies",), context),
        when_condition(content["when"], ("when",), context),
        when_condition(content["bypassed"], ("bypassed",), context) if content.get("bypassed") is not None else None,
        context.frame,
    )


def declare_names(content: Mapping[Any, Any], position: Position, context: TypingContext) -> None:
    """Adds the look-ups and amounts of a rule, or of a relation, to its frame."""
    look_ups = content.get("look-up")
    if look_ups is not None and not isinstance(look_ups, Mapping):
        context.report((*position, "look-up"), "must be a mapping of names, such as {limit: {in: TABLE, for: {...}}}")
    elif look_ups:
        for name, raw in look_ups.items():
            _declare_look_up(str(name), raw, (*position, "look-up", str(name)), context)
    amounts = content.get("amounts")
    if amounts is not None and not isinstance(amounts, Mapping):
        context.report((*position, "amounts"), "must be a mapping of names, such as {total: {sum: units, of: lines}}")
    elif amounts:
        grammar = AmountGrammar(context.frame, context.report, lambda items, raw, at: _group(items, raw, at, context))
        for name, raw in amounts.items():
            grammar.declare(str(name), raw, (*position, "amounts", str(name)))


def _declare_look_up(name: str, raw: object, position: Position, context: TypingContext) -> None:
    frame = context.frame
    if not _is_new_name(name, position, context):
        return
    if not isinstance(raw, Mapping) or not isinstance(raw.get("in"), str):
        context.report(position, "must say which table: {in: TABLE, for: {COLUMN: FACT}}")
        return
    for key in raw.keys() - {"in", "for", "on", "every"}:
        context.report((*position, str(key)), f"`{key}` is no key of a look-up; there are: in, for, on, every")
    table = raw["in"]
    keys = _table_keys(table, raw.get("for"), position, context)
    if keys is None:
        return
    on = _operand(str(raw["on"]), (*position, "on"), context, Type.DAY) if "on" in raw else None
    known = (frame.known.tables or {}).get(table)
    frame.look_ups[name] = LookUp(table, keys, on, every=raw.get("every") == "yes" or bool(known and known.every))


def _is_new_name(name: str, position: Position, context: TypingContext) -> bool:
    frame = context.frame
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        context.report(position, f"`{name}` is no name: small letters, digits and hyphens")
        return False
    taken = name in frame.fields or any(name in f.amounts or name in f.look_ups for _, f in frame.chain())
    if taken or name in ("this", "claim", "document"):
        context.report(position, f"`{name}` is taken: choose another name")
        return False
    return True


def _table_keys(
    table: str, raw: object, position: Position, context: TypingContext
) -> tuple[tuple[str, Operand], ...] | None:
    """The key columns that a look-up gives, each with the operand that it is looked up by."""
    tables = context.frame.known.tables
    if tables is None:
        return ()
    known = tables.get(table)
    if known is None:
        context.report((*position, "in"), f"there is no table `{table}`; {_meant(table, tables)}")
        return None
    if isinstance(raw, str) and len(known.keys) == 1:
        raw = {known.keys[0]: raw}
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        context.report((*position, "for"), f"needs the key columns of `{table}`: {', '.join(known.keys)}")
        return None
    keys: list[tuple[str, Operand]] = []
    for column, value in raw.items():
        at = (*position, "for", str(column))
        if column not in known.keys:
            context.report(at, f"`{column}` is no key column of `{table}`; {_meant(str(column), known.keys)}")
            continue
        operand = _key_operand(known.columns[str(column)], value, at, context)
        if operand is not None:
            keys.append((str(column), operand))
    return tuple(keys)


def _key_operand(column: Field, value: object, position: Position, context: TypingContext) -> Operand | None:
    if isinstance(value, Mapping):
        if set(value) != {"is"}:
            context.report(position, "needs the name of a fact, or a value: {is: VALUE}")
            return None
        try:
            return Constant(_typed_constant(column, scalar(value["is"])), column.type)
        except ValueError as error:
            context.report(position, str(error))
            return None
    found = resolve(str(value), context.frame)
    if found is not None and _KEY_KINDS.get(found.field.type) != _KEY_KINDS.get(column.type):
        context.report(position, f"`{value}` is a {found.field.type.value}, and `{column.name}` a {column.type.value}")
        return None
    return _operand(str(value), position, context)


# What can be held against each other in a key; others only against their own type.
_KEY_KINDS: Mapping[Type, str] = {each: each.value for each in Type} | {
    **dict.fromkeys((Type.TEXT, Type.WORD, Type.CODES), "text"),
    **dict.fromkeys((Type.NUMBER, Type.DECIMAL), "number"),
}


def _typed_constant(field: Field, text: str) -> str | int | bool:
    test = typed_test(replace(field, type=Type.TEXT) if field.type is Type.CODES else field, "is", text, None)
    return test.value if isinstance(test, Compare) else text


def _operand(name: str, position: Position, context: TypingContext, wanted: Type | None = None) -> Operand | None:
    found = resolve(name, context.frame)
    if found is None:
        context.report(position, unknown_name(name, context.frame))
        return None
    if wanted is not None and found.field.type is not wanted:
        context.report(position, f"`{name}` is no {wanted.value}")
        return None
    return found.operand


def applies_condition(raw: object, position: Position, context: TypingContext) -> Condition:
    """`applies`: a mapping of facts to a value (`is`) or to operators, and relations, all of which must hold.

    None: always.
    """
    if raw is None:
        return AllOf(())
    if not isinstance(raw, Mapping):
        context.report(position, "must be a mapping of facts, such as {procedure: {any: [...]}}")
        return NEVER
    return AllOf(tuple(_conditions_of(raw, (), position, context)))


def _conditions_of(
    raw: Mapping[Any, Any], reserved: Sequence[str], position: Position, context: TypingContext
) -> Iterator[Condition]:
    """Each condition of a mapping of facts and relations."""
    for key, wanted in raw.items():
        name = str(key)
        if name in reserved:
            continue
        if name in ("all", "any") and isinstance(wanted, list):
            yield _list_of(name, wanted, (*position, name), context)
        elif name == DEFINITION:
            yield _defined(wanted, (*position, name), context)
        elif name not in context.frame.fields and _RELATION.fullmatch(name):
            yield _relation(name, wanted, (*position, name), context)
        else:
            tests = wanted if isinstance(wanted, Mapping) and set(wanted) != {FACT} else {"is": wanted}
            yield from _tests(name, tests, (*position, name), context)


def is_relation(key: str) -> bool:
    """Whether a key of a condition is a relation, such as `some-other-line`."""
    found = _RELATION.fullmatch(key)
    return found is not None and found[2] in ITEMS


def when_condition(raw: object, position: Position, context: TypingContext) -> Condition:
    """`when`: {all: [...]}, {any: [...]}, {fact: NAME, OPERATOR: VALUE} or a relation, {some-history: {...}}."""
    if not isinstance(raw, Mapping):
        context.report(position, "must be {all: [...]}, {any: [...]} or {fact: NAME, OPERATOR: VALUE}")
        return NEVER
    if FACT in raw:
        tests = {key: value for key, value in raw.items() if key != FACT}
        return _one(list(_tests(str(raw[FACT]), tests, position, context)))
    if len(raw) == 1:
        word = str(next(iter(raw)))
        if word in ("all", "any"):
            return _list_of(word, raw[word], (*position, word), context)
        if word == DEFINITION:
            return _defined(raw[word], (*position, word), context)
        if _RELATION.fullmatch(word):
            return _relation(word, raw[word], (*position, word), context)
    context.report(position, "needs exactly one of `all`, `any`, `fact` or a relation such as `some-other-line`")
    return NEVER


def _list_of(word: str, raw: object, position: Position, context: TypingContext) -> Condition:
    if not isinstance(raw, list) or not raw:
        context.report(position, f"`{word}` needs a list of at least one condition")
        return NEVER
    parts = tuple(when_condition(part, (*position, index), context) for index, part in enumerate(raw))
    return AllOf(parts) if word == "all" else AnyOf(parts)


def _defined(raw: object, position: Position, context: TypingContext) -> Condition:
    """What definitions stand for, one or several of which all hold."""
    names = [str(name) for name in raw] if isinstance(raw, list) else [str(raw)]
    parts = []
    for name in names:
        definition = context.frame.known.definitions.get(name)
        if definition is None:
            meant = _meant(name, context.frame.known.definitions)
            context.report(position, f"there is no definition `{name}` in any {DEFINITIONS_FILE}; {meant}")
        elif name in context.used or len(context.used) >= MOST_DEFINITIONS:
            context.report(position, f"definition `{name}` names itself, or stands in over {MOST_DEFINITIONS} others")
        else:
            parts.append(_of_definition(definition, position, context))
    return _one(parts) if parts else NEVER


def _of_definition(definition: Definition, position: Position, context: TypingContext) -> Condition:
    def report(_: Position, message: str) -> None:
        context.report(position, f"definition `{definition.name}`: {message}")

    inner = context._replace(report=report, used=(*context.used, definition.name))
    return applies_condition(definition.means, (), inner)


def check_definitions(known: Known) -> Iterator[Fault]:
    """What is wrong with definitions, whether or not a rule uses them: each is tried on all that it can be said of."""
    for definition in known.definitions.values():
        document, faults = definition.document, dict[Position, str]()

        def report(position: Position, message: str, found: dict[Position, str] = faults) -> None:
            found.setdefault(position, message)

        for subject in definition.of:
            fields = KINDS[subject].fields if subject in KINDS else ITEMS[subject].fields
            context = TypingContext(NameScope(subject, fields, known), report, (definition.name,))
            applies_condition(definition.means, (definition.name, "means"), context)
        yield from (document.fault(position, message) for position, message in faults.items())


def _one(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _ask(question: Question, source: Mapping[str, Any]) -> Asks:
    return Asks(question_key(question), question, json.dumps(source))


# Relations


def _relation(word: str, raw: object, position: Position, context: TypingContext) -> Condition:
    found = _RELATION.fullmatch(word)
    quantifier, item = (found[1], found[2]) if found else ("", word)
    if item not in ITEMS:
        context.report(position, f"`{item}` is nothing that a claim has; {_meant(item, ITEMS)}")
        return NEVER
    if not isinstance(raw, Mapping):
        context.report(position, f"`{word}` needs a mapping: which {ITEMS[item].plural} count, and what they are")
        return NEVER
    built = _items((item,), raw, position, context, split=quantifier == "every")
    if built is None:
        return NEVER
    group, when, _ = built
    if quantifier == "every" and not when:
        context.report(position, f"`{word}` must say what each of them is: add a condition")
        return NEVER
    return _ask(Related(quantifier, group, when), {word: raw})


def _group(
    items: tuple[str, ...], raw: Mapping[Any, Any], position: Position, context: TypingContext
) -> tuple[Group, NameScope] | None:
    built = _items(items, raw, position, context, split=False)
    return (built[0], built[2]) if built else None


def _items(
    items: tuple[str, ...], raw: Mapping[Any, Any], position: Position, context: TypingContext, *, split: bool
) -> tuple[Group, tuple[Condition, ...], NameScope] | None:
    """A group of items and the frame of one; with `split`, its conditions apart from those under `which`."""
    outer = context.frame
    if sum(1 for _ in outer.chain()) > MOST_NESTED:
        context.report(position, f"relations are nested more than {MOST_NESTED} deep: name a part of it as an amount")
        return None
    table, fields = _item_fields(items, raw, position, context)
    if fields is None:
        return None
    inner = context.within(NameScope(items[0], fields, outer.known, outer))
    keys = _table_keys(table, raw.get("for"), position, context) if table else ()
    if keys is None:
        return None
    declare_names(raw, position, inner)
    own = tuple(_conditions_of(raw, _GROUP_KEYS, position, inner))
    which = raw.get("which")
    chosen = (applies_condition(which, (*position, "which"), inner),) if which is not None else ()
    same, same_modifiers = _same(raw.get("same"), items, (*position, "same"), inner)
    windows = _windows(raw.get("within"), (*position, "within"), inner)
    where = chosen if split else (*own, *chosen)
    return Group(items, same, same_modifiers, windows, where, table, keys), own if split else (), inner.frame


def _item_fields(
    items: tuple[str, ...], raw: Mapping[Any, Any], position: Position, context: TypingContext
) -> tuple[str | None, Mapping[str, Field] | None]:
    """The table of rows, and the fields that items of all these kinds have."""
    if items != (ROW,):
        if "in" in raw or "for" in raw:
            context.report(position, "`in` and `for` are for rows of tables: some-row, no-row, every-row")
        fields = [_fields_of(item) for item in items]
        return None, {name: of for name, of in fields[0].items() if all(name in others for others in fields)}
    table = raw.get("in")
    tables = context.frame.known.tables
    if tables is None:
        return str(table), {}
    if not isinstance(table, str) or table not in tables:
        context.report((*position, "in"), f"rows of which table? {_meant(str(table or ''), tables)}")
        return None, None
    return table, tables[table].columns


def _fields_of(item: str) -> Mapping[str, Field]:
    return KINDS["line"].fields if item in LINE_ITEMS else ITEMS[item].fields


def _same(
    raw: object, items: tuple[str, ...], position: Position, context: TypingContext
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if raw is None:
        return (), ()
    if not isinstance(raw, list) or not raw:
        context.report(position, "needs a list of what is the same, such as [day, procedure]")
        return (), ()
    *_, (_, root) = context.frame.chain()
    # Each kind of item by itself: two kinds may have the same thing under different names.
    compared = [root.fields, *(context.frame.fields if item == ROW else _fields_of(item) for item in items)]
    names: list[str] = []
    lists: list[str] = []
    for index, entry in enumerate(raw):
        by_list = isinstance(entry, Mapping) and set(entry) == {SAME_MODIFIERS}
        name = "modifiers" if by_list else entry
        if not isinstance(name, str) or name not in SAME:
            context.report((*position, index), f"`{entry}` is nothing that can be the same; {_meant(str(entry), SAME)}")
        elif not all(map(SAME[name].known_of, compared)):
            context.report((*position, index), f"`{name}` is not known of both: {' and '.join(items)}, and {root.kind}")
        elif by_list:
            lists.append(str(entry[SAME_MODIFIERS]))
        else:
            names.append(name)
    return tuple(names), tuple(lists)


def _windows(raw: object, position: Position, context: TypingContext) -> tuple[Window, ...]:
    if raw is None:
        return ()
    entries = raw if isinstance(raw, list) else [raw]
    found = [_window(entry, position, context) for entry in entries]
    return tuple(window for window in found if window is not None)


def _window(raw: object, position: Position, context: TypingContext) -> Window | None:
    wrong = (
        "needs a number of days, full-months or full-years and a side: {days: 90, before: this.day}; "
        "or {calendar-year: this.day}"
    )
    if not isinstance(raw, Mapping):
        context.report(position, wrong)
        return None
    if set(raw) == {"calendar-year"}:
        day = _operand(str(raw["calendar-year"]), (*position, "calendar-year"), context, Type.DAY)
        return Window("calendar-year", None, "either", day) if day else None
    units, sides = [key for key in raw if key in UNITS], [key for key in raw if key in SIDES]
    if len(units) != 1 or len(sides) != 1 or len(raw) != 2:
        context.report(position, wrong)
        return None
    day = _operand(str(raw[sides[0]]), (*position, sides[0]), context, Type.DAY)
    length = _length(raw[units[0]], (*position, units[0]), context)
    return Window(units[0], length, sides[0], day) if day and length else None


def _length(raw: object, position: Position, context: TypingContext) -> Operand | None:
    text = str(raw)
    if text.isascii() and text.isdigit() and len(text) < 6:
        return Constant(int(text), Type.NUMBER)
    found = resolve(text, context.frame)
    if found is None or found.field.type not in (Type.NUMBER, Type.DECIMAL):
        context.report(position, f"needs a whole number, or the name of one; {unknown_name(text, context.frame)}")
        return None
    return found.operand


# Tests of one name


def _tests(name: str, tests: Mapping[Any, Any], position: Position, context: TypingContext) -> Iterator[Condition]:
    found = resolve(name, context.frame)
    if found is None:
        look_up = look_up_named(name, context.frame)
        if look_up is not None:
            yield _found(name, look_up, tests, position, context)
            return
        context.report(position, unknown_name(name, context.frame))
        return
    if not tests:
        context.report(position, f"says nothing of `{name}`: add one of {', '.join(OPERATORS)}")
    for operator, value in tests.items():
        yield _test(name, found, str(operator), value, (*position, str(operator)), context)


def _found(
    name: str, look_up: tuple[int, LookUp], tests: Mapping[Any, Any], position: Position, context: TypingContext
) -> Condition:
    if set(tests) != {"is"} or tests["is"] not in (FOUND, NOT_FOUND):
        context.report(position, f"`{name}` is a look-up: ask `is: found`, `is: not-found`, or one of its columns")
        return NEVER
    levels, rows = look_up
    return _ask(RowFound(rows, tests["is"] == FOUND, levels), {FACT: name, **tests})


def _test(
    name: str, found: Resolved, operator: str, value: object, position: Position, context: TypingContext
) -> Condition:
    source = {FACT: name, operator: value}
    try:
        if isinstance(value, Mapping) and set(value) == {FACT}:
            return _ask(_comparison(found, operator, str(value[FACT]), context), source)
        if operator in MULTIPLES:
            return _ask(Compared(found.operand, MULTIPLES[operator], _whole(found.field, value)), source)
        if operator in SHAPES:
            return _ask(Shaped(found.operand, operator, _patterns(found.field, operator, value)), source)
        condition = typed_test(found.field, operator, value, context.frame.known.limits)
    except ValueError as error:
        context.report(position, str(error))
        return NEVER
    return condition if found.plain else _asked(condition, found, source)


def _asked(condition: Condition, found: Resolved, source: Mapping[str, Any]) -> Condition:
    """A typed test, with each comparison of the name as a question about its operand."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(_asked(part, found, source) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_asked(part, found, source) for part in parts))
        case Compare() | Has() | InList() if condition.fact.removesuffix("?") == found.field.name:
            return _ask(ValueTested(found.operand, condition), source)
        case _:
            return condition


def _whole(field: Field, value: object) -> Constant:
    if field.type not in ORDERED:
        raise ValueError(f"`{field.name}` is no number")
    constant = typed_test(replace(field, type=Type.DECIMAL), "is", value, None)
    if not isinstance(constant, Compare) or not isinstance(constant.value, int) or constant.value <= 0:
        raise ValueError("needs a number above zero")
    return Constant(constant.value, Type.DECIMAL)


def _patterns(field: Field, operator: str, value: object) -> tuple[str, ...]:
    if field.type not in LISTED:
        raise ValueError(f"`{operator}` is for texts and codes")
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and _PATTERN.fullmatch(text) for text in texts):
        raise ValueError(f"`{operator}` needs texts of up to 30 capitals and digits; in `like` also # @ *")
    return tuple(texts)


_KINDS = {Type.NUMBER: "number", Type.DECIMAL: "number", Type.AMOUNT: "amount"}


def _comparison(found: Resolved, operator: str, name: str, context: TypingContext) -> Question:
    other = resolve(name, context.frame)
    if other is None:
        raise ValueError(unknown_name(name, context.frame))
    one, two = found.field, other.field
    if operator in LIST_OPERATORS:
        if one.type not in LISTED or two.type not in LISTED:
            raise ValueError(f"`{operator}` is for codes and words, and compares them with codes and words")
        return Shared(found.operand, operator, other.operand)
    if _KINDS.get(one.type, one.type) != _KINDS.get(two.type, two.type) and not _texts(one, two):
        raise ValueError(f"`{one.name}` and `{two.name}` are not alike: {one.type.value} and {two.type.value}")
    if operator in MULTIPLES and one.type in ORDERED:
        return Compared(found.operand, MULTIPLES[operator], other.operand)
    words = ORDER_OPERATORS if one.type in ORDERED else DAY_OPERATORS if one.type in (Type.DAY, Type.TIME) else {}
    if operator in ("is", "is-not") or operator in words:
        return Compared(found.operand, words.get(operator, operator), other.operand)
    raise ValueError(f"`{operator}` does not go with `{one.name}` and another fact")


def _texts(one: Field, two: Field) -> bool:
    return {one.type, two.type} <= {Type.TEXT, Type.WORD}


# Names that are none


def unknown_name(name: str, frame: NameScope) -> str:
    """What an author may have meant by a name that stands for nothing."""
    kind = KINDS.get(frame.kind)
    if kind is not None and frame.outer is None:
        return f"`{name}` is no fact of {kind.name}; {known_fields(name, kind, *names_in(frame))}"
    return f"`{name}` is nothing that a {frame.kind} has; {_meant(name, [*frame.fields, *names_in(frame)])}"


def _meant(name: str, names: Mapping[str, Any] | Sequence[str]) -> str:
    known = [str(each) for each in names]
    like = perhaps(name, known, "")
    return f"{like}{'; ' if like else ''}there are: {', '.join(sorted(known)[:60]) or 'none'}"


def known_fields(name: str, kind: FactKind, *others: str) -> str:
    """What an author may have meant by a name that is no field of a kind: names like it, and the names there are.

    `others` are names beside the fields. Of elements of the catalogue only those are named that are like it.
    """
    like = perhaps(name, (*kind.fields, *others), "")
    names = sorted((*others, *(field.name for field in kind.fields.values() if not field.element)))
    elements = ", and the elements of docs/elements.md" if any(field.element for field in kind.fields.values()) else ""
    return f"{like}{'; ' if like else ''}there are: {', '.join(names)}{elements}"
