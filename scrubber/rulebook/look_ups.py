"""Types the look-ups of a rule or relation: which rows of which table answer, by which of its key columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.names import TypingContext, meant, operand_named, resolve
from scrubber.rulebook.operators import scalar, typed_test
from scrubber.rulebook.relations import Constant, LookUp, Operand
from scrubber.rulebook.rule import Compare
from scrubber.rulebook.yaml_file import Position


def declare_look_up(name: str, raw: object, position: Position, context: TypingContext) -> None:
    """Adds one look-up to the names of a rule or relation."""
    frame = context.frame
    if not _is_new_name(name, position, context):
        return
    if not isinstance(raw, Mapping) or not isinstance(raw.get("in"), str):
        context.report(position, "must say which table: {in: TABLE, for: {COLUMN: FACT}}")
        return
    for key in raw.keys() - {"in", "for", "on", "every"}:
        context.report((*position, str(key)), f"`{key}` is no key of a look-up; there are: in, for, on, every")
    table = raw["in"]
    keys = table_keys(table, raw.get("for"), position, context)
    if keys is None:
        return
    on = operand_named(str(raw["on"]), (*position, "on"), context, Type.DAY) if "on" in raw else None
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


def table_keys(
    table: str, raw: object, position: Position, context: TypingContext
) -> tuple[tuple[str, Operand], ...] | None:
    """The key columns that a look-up gives, each with the operand that it is looked up by."""
    tables = context.frame.known.tables
    if tables is None:
        return ()
    known = tables.get(table)
    if known is None:
        context.report((*position, "in"), f"there is no table `{table}`; {meant(table, tables)}")
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
            context.report(at, f"`{column}` is no key column of `{table}`; {meant(str(column), known.keys)}")
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
    return operand_named(str(value), position, context)


# What can be held against each other in a key; others only against their own type.
_KEY_KINDS: Mapping[Type, str] = {each: each.value for each in Type} | {
    **dict.fromkeys((Type.TEXT, Type.WORD, Type.CODES), "text"),
    **dict.fromkeys((Type.NUMBER, Type.DECIMAL), "number"),
}


def _typed_constant(field: Field, text: str) -> str | int | bool:
    test = typed_test(replace(field, type=Type.TEXT) if field.type is Type.CODES else field, "is", text, None)
    return test.value if isinstance(test, Compare) else text
