"""Types the conditions of a rule file: `applies`, `when`, `bypassed`, with the definitions and relations in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.amounts import AmountGrammar
from scrubber.rulebook.definitions import DEFINITION, DEFINITIONS_FILE, Definition
from scrubber.rulebook.definitions import MOST_NESTED as MOST_DEFINITIONS
from scrubber.rulebook.field import Field
from scrubber.rulebook.line_items import ITEMS
from scrubber.rulebook.look_ups import declare_look_up, table_keys
from scrubber.rulebook.name_tests import FACT, ask, tests_of
from scrubber.rulebook.names import DOCUMENT, Known, NameScope, ReportFault, TypingContext, meant
from scrubber.rulebook.operators import NEVER
from scrubber.rulebook.relations import ROW, Group, Related
from scrubber.rulebook.rule import AllOf, AnyOf, Condition
from scrubber.rulebook.same_and_within import fields_of, same_of, windows
from scrubber.rulebook.vocabulary import KINDS, FactKind
from scrubber.rulebook.yaml_file import Document, Position, read_yaml

MOST_NESTED = 3  # relations within each other
_GROUP_KEYS = ("same", "within", "in", "for", "look-up", "amounts", "which")
_RELATION = re.compile(r"(some|no|every)-([a-z][a-z-]*)")


class Conditions(NamedTuple):
    """The conditions of a rule, `bypassed` None where it has none; and the frame with the names that it declares."""

    applies: Condition
    when: Condition
    bypassed: Condition | None = None
    frame: NameScope | None = None


def rule_frame(kind: FactKind, known: Known) -> NameScope:
    """The frame of a rule about facts of a kind, before it declares names."""
    fields = kind.fields
    if kind.name == DOCUMENT:
        fields = {**known.documents, **known.derived, **fields}
    return NameScope(kind.name, fields, known)


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
    """Adds the look-ups and amounts of a rule, or of a relation, to its frame: each after those that it names."""
    grammar = AmountGrammar(context.frame, context.report, lambda items, raw, at: _group(items, raw, at, context))
    pending: dict[tuple[str, str], object] = {}
    for word, example in _DECLARED.items():
        raw = content.get(word)
        if raw is not None and not isinstance(raw, Mapping):
            context.report((*position, word), f"must be a mapping of names, such as {example}")
        elif raw:
            pending |= {(word, str(name)): each for name, each in raw.items()}
    while pending:
        names = {name for _, name in pending}
        free = (key for key, raw in pending.items() if names.isdisjoint(_heads(raw) - {key[1]}))
        word, name = key = next(free, next(iter(pending)))
        raw = pending.pop(key)
        if word == "amounts":
            grammar.declare(name, raw, (*position, word, name))
        else:
            declare_look_up(name, raw, (*position, word, name), context)


_DECLARED = {"look-up": "{limit: {in: TABLE, for: {...}}}", "amounts": "{total: {sum: units, of: lines}}"}


def _heads(raw: object) -> set[str]:
    """What stands before the dot of each text in a look-up or amount: among them are the names that it uses."""
    if isinstance(raw, Mapping):
        return set[str]().union(*(_heads(part) for item in raw.items() for part in item))
    if isinstance(raw, list):
        return set[str]().union(*map(_heads, raw))
    return {str(raw).partition(".")[0]}


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
            yield from _tests_of(name, tests, (*position, name), context)


def _tests_of(name: str, tests: Mapping[Any, Any], position: Position, context: TypingContext) -> Iterator[Condition]:
    """Each test of a name in a mapping of operators to values."""
    means = _earlier_facts().get(context.frame.kind, {}).get(name)
    if means is None:
        yield from tests_of(name, tests, position, context)
        return
    for operator, value in tests.items():
        words = {str(each) for each in value} if isinstance(value, list) else {str(value)}
        if operator not in _OF_WORDS or not words <= means.keys():
            context.report(position, f"`{name}` is one of {', '.join(means)}: ask `is`, `is-not`, `any` or `none`")
            yield NEVER
            continue
        # A fact without a value failed every test, so another word than these is one of the others.
        wanted = [word for word in means if (word in words) == (operator in ("is", "any"))]
        yield AnyOf(tuple(when_condition(means[word], position, context) for word in wanted))


_OF_WORDS = ("is", "is-not", "any", "none")
_EARLIER_FACTS = Path(__file__).parent / "earlier" / "facts.yaml"


@lru_cache(1)
def _earlier_facts() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """By kind of fact and name, what each word of a fact of an earlier time stands for."""
    content: Mapping[str, Mapping[str, Mapping[str, Any]]] = read_yaml(_EARLIER_FACTS, _EARLIER_FACTS.name).content
    return content


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
        return _one(list(_tests_of(str(raw[FACT]), tests, position, context)))
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
            known = context.frame.known.definitions
            context.report(position, f"there is no definition `{name}` in any {DEFINITIONS_FILE}; {meant(name, known)}")
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


def _relation(word: str, raw: object, position: Position, context: TypingContext) -> Condition:
    found = _RELATION.fullmatch(word)
    quantifier, item = (found[1], found[2]) if found else ("", word)
    if item not in ITEMS:
        context.report(position, f"`{item}` is nothing that a claim has; {meant(item, ITEMS)}")
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
    return ask(Related(quantifier, group, when), {word: raw})


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
    keys = table_keys(table, raw.get("for"), position, context) if table else ()
    if keys is None:
        return None
    declare_names(raw, position, inner)
    own = tuple(_conditions_of(raw, _GROUP_KEYS, position, inner))
    which = raw.get("which")
    chosen = (applies_condition(which, (*position, "which"), inner),) if which is not None else ()
    same, same_modifiers = same_of(raw.get("same"), items, (*position, "same"), inner)
    within = windows(raw.get("within"), (*position, "within"), inner)
    where = chosen if split else (*own, *chosen)
    group = Group(items, same, same_modifiers, within, where, table, keys, position)
    return group, own if split else (), inner.frame


def _item_fields(
    items: tuple[str, ...], raw: Mapping[Any, Any], position: Position, context: TypingContext
) -> tuple[str | None, Mapping[str, Field] | None]:
    """The table of rows, and the fields that items of all these kinds have."""
    if items != (ROW,):
        if "in" in raw or "for" in raw:
            context.report(position, "`in` and `for` are for rows of tables: some-row, no-row, every-row")
        fields = [fields_of(item) for item in items]
        return None, {name: of for name, of in fields[0].items() if all(name in others for others in fields)}
    table = raw.get("in")
    tables = context.frame.known.tables
    if tables is None:
        return str(table), {}
    if not isinstance(table, str) or table not in tables:
        context.report((*position, "in"), f"rows of which table? {meant(str(table or ''), tables)}")
        return None, None
    return table, tables[table].columns
