"""Makes functions that write objects as their schemas declare it: JSON's own types, for orjson.

marshmallow's `dump` asks each field of each object what it is to do, which takes twenty times as long. Here the answers
to these questions, which are the same for all objects, become the text of a function, once a process.
tests/response/test_writer.py holds both to the same bytes. Why this is done at run time: docs/decisions.md, the layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

import orjson
from marshmallow import Schema, fields, missing

from scrubber.response.schema import Member, Object, Objects

MOST_CACHED = 4_096  # objects of one schema; then all of them are forgotten


def writer(schema: Schema) -> Callable[[Any], dict[str, Any]]:
    """The function that gives for an object what `schema.dump` gives, save for tuples and JSON made before."""
    return _globals[_functions(schema).one]  # type: ignore[no-any-return]


class _Functions(NamedTuple):
    """The names of the functions that write one object of a schema, and a list of them."""

    one: str
    many: str


_globals: dict[str, Any] = {
    "Fragment": orjson.Fragment,
    "dumps": orjson.dumps,
    "missing": missing,
}  # of all functions that are made
_made: dict[object, _Functions] = {}
_numbers = count()


def _name(stem: str, thing: object = None) -> str:
    """A name that nothing has yet; the functions know the thing by it."""
    name = f"{stem}_{next(_numbers)}"
    if thing is not None:
        _globals[name] = thing
    return name


def _functions(schema: Schema) -> _Functions:
    """The functions of a schema, made where there are none. They are named first: it may hold objects of its kind."""
    members = schema.dump_fields.items()
    key = type(schema), tuple((name, frozenset(getattr(field, "exclude", ()))) for name, field in members)
    if key not in _made:
        one = _name(f"write_{type(schema).__name__}")
        _made[key] = functions = _Functions(one, f"{one}_many")
        text = "\n".join(_Source(schema).text(functions))
        exec(compile(text, f"<{one}>", "exec"), _globals)  # noqa: S102 -- of declarations alone
    return _made[key]


class _Source:
    """The text of a schema's functions, in which the object is called `value`."""

    def __init__(self, schema: Schema) -> None:
        self._cached_by: str = getattr(schema, "cached_by", None) or ""
        self._cache = _name("cache", {})
        # A tuple's items are unpacked at once, which takes a fifth of the time.
        self._items: tuple[str, ...] = getattr(getattr(schema, "instance_of", None), "_fields", ())
        self._cached: list[str] = []  # what is written once for each object of `cached_by`
        self._after: list[str] = []  # statements for the members from the first on that may be left out
        self._literal = self._members(schema.dump_fields)

    def text(self, functions: _Functions) -> Iterator[str]:
        """The lines of the functions."""
        body = [*self._unpack(), *self._read_cache(functions.one)]
        result = self._literal
        if self._after:
            body += [f"written = {self._literal}", *self._after]
            result = "written"
        yield from self._fill_cache(functions.one)
        yield f"def {functions.one}(value):"
        yield from (f" {line}" for line in [*body, f"return {result}"])
        yield f"def {functions.many}(values):"
        yield " listed = []"
        yield " for value in values:"
        yield from (f"  {line}" for line in [*body, f"listed.append({result})"])
        yield " return listed"

    def _unpack(self) -> Iterator[str]:
        if self._items:
            yield f"{', '.join(f'value_{name}' for name in self._items)}, = value"

    def _read_cache(self, function: str) -> Iterator[str]:
        if self._cached:
            names = ", ".join(f"cached_{n}" for n in range(len(self._cached)))
            yield f"cached = {self._attribute(self._cached_by)}"
            yield "try:"
            yield f" _, {names} = {self._cache}[id(cached)]"
            yield "except KeyError:"
            yield f" _, {names} = fill_{function}(cached)"

    def _fill_cache(self, function: str) -> Iterator[str]:
        """The function that adds an entry, by identity.

        A rule's hash would read its whole condition tree, and two rulebooks may hold different rules of one id. An
        entry keeps its object alive, so that no other one gets its identity.
        """
        if self._cached:
            yield f"def fill_{function}(cached):"
            yield f" if len({self._cache}) >= {MOST_CACHED}:"
            yield f"  {self._cache}.clear()"
            yield f" {self._cache}[id(cached)] = entry = cached, {', '.join(self._cached)}"
            yield " return entry"

    def _members(self, members: Mapping[str, fields.Field[Any]]) -> str:
        """The literal of the members up to the first that may be left out; the others become statements."""
        literal = []
        for name, field in members.items():
            key = repr(field.data_key or name)
            if isinstance(field, Member) and field.optional:
                absent = "missing" if field.nullable else "None"
                self._after += [
                    f"item = {self._converted(field, self._value(name, field))}",
                    f"if item is not {absent}:",
                ]
                self._after.append(f" written[{key}] = {self._nested(field, 'item')}")
            elif self._after:
                self._after.append(f"written[{key}] = {self._member(name, field)}")
            else:
                literal.append(f"{key}: {self._member(name, field)}")
        return f"{{{', '.join(literal)}}}"

    def _member(self, name: str, field: fields.Field[Any]) -> str:
        """The expression of what is written of a member."""
        if not isinstance(field, Member):
            return self._attribute(name)
        if field.same_as:
            value, usual = self._value(name, field), self._through_cached(field.same_as)
            return f"{self._add_cached(field, usual)} if (item := {value}) is {usual} else {self._json(field, 'item')}"
        path = field.path or name
        if self._cached_by and not field.compute and f"{path}.".startswith(f"{self._cached_by}."):
            return self._add_cached(field, self._through_cached(path))
        return self._json(field, self._value(name, field))

    def _value(self, name: str, field: Member) -> str:
        """The expression of a member's value."""
        return f"{_name('compute', field.compute)}(value)" if field.compute else self._attribute(field.path or name)

    def _attribute(self, path: str) -> str:
        return f"value_{path}" if path.partition(".")[0] in self._items else f"value.{path}"

    def _through_cached(self, path: str) -> str:
        return "cached" + path.removeprefix(self._cached_by)

    def _add_cached(self, field: Member, value: str) -> str:
        json = self._json(field, value)
        self._cached.append(json if json == value else f"Fragment(dumps({json}))")
        return f"cached_{len(self._cached) - 1}"

    def _json(self, field: Member, value: str) -> str:
        """The expression of what is written of a value."""
        return self._nested(field, self._converted(field, value))

    def _converted(self, field: Member, value: str) -> str:
        if field.convert is None:
            return value
        return _unless_none(_name("convert", field.convert), value, field.nullable or field.optional)

    def _nested(self, field: Member, value: str) -> str:
        if isinstance(field, Objects):
            return _unless_none(_functions(field.nested).many, value, field.nullable)
        if isinstance(field, Object):
            return _unless_none(_functions(field.schema).one, value, field.nullable)
        return value


def _unless_none(function: str, value: str, may_be_none: bool) -> str:
    """A call of the function, which is not called with None."""
    if not may_be_none:
        return f"{function}({value})"
    if value.isidentifier():
        return f"None if {value} is None else {function}({value})"
    return f"None if (item := {value}) is None else {function}(item)"
