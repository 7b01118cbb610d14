"""Loads a body as `schema.load` does, ten times as fast, where its containers are right.

marshmallow pays for each declared field, also for those that are not there. The functions made here, once, from the
bound schema walk over the names that are. They accept the body or give up; then marshmallow finds the errors. They also
collect the unknown names, which marshmallow would drop, and the values that were not sent as the model says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from marshmallow import ValidationError
from marshmallow import fields as marshmallow_fields

from scrubber.claim.model import MOST_LINES
from scrubber.claim.v3.names import MOST_NAMES
from scrubber.claim.v3.schema import (
    BODY,
    FURTHER,
    NAME,
    UNREADABLE_NAME,
    BodySchema,
    KeepingSchema,
    ObjectField,
    ObjectListField,
    ObjectOrListField,
    ScalarField,
)
from scrubber.claim.v3.values import NO_LIST, NO_OBJECT, IrregularList, IrregularValue
from scrubber.errors import NotAClaim, Problem

MOST_PROBLEMS = 50
MOST_UNMAPPED = 200
MOST_ELEMENTS = 1_000  # of one documentation block
_DOCUMENTATION = "/scrubContext/documentation/"
LoadedDict = dict[str, Any]
Irregular = IrregularValue | IrregularList
ALONE = IrregularValue(None, "single value read as a list")


class Found:
    """What was met on the way through a body: pointers of unknown names, and values not sent as the model says."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.irregular: list[tuple[str, Irregular]] = []
        self.moved: dict[str, str] = {}  # by pointer in the loaded body, the pointer of what was sent


class Loaded(NamedTuple):
    """A body with its scalars read, in the containers of the schema, and what was met on the way."""

    body: LoadedDict
    found: Found

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<Loaded>"


Acceptor = Callable[[object, str, Found], Any]  # value, its pointer, what was found so far


class _WrongContainer(Exception):
    """A value is not the object or list that the schema requires; marshmallow finds out which."""


def load_regular(body: object) -> Loaded | None:
    """A parsed body whose names the model knows, as `load` gives it: nearly all. None: a name or container is not."""
    found = Found()
    try:
        loaded = _accept(body, "", found)
    except _WrongContainer:
        return None
    return None if found.unknown else Loaded(cast(LoadedDict, loaded), found)


def load(body: object) -> Loaded:
    """A parsed body with its scalars read, and what was found in it.

    Raises NotAClaim with one problem for each value, at most MOST_PROBLEMS, when a container is wrong.
    """
    found = Found()
    try:
        return Loaded(_accept(body, "", found), found)
    except _WrongContainer:
        pass
    problems: tuple[Problem, ...]
    try:
        return Loaded(cast(LoadedDict, BODY.load(cast(Any, body))), found)
    except ValidationError as error:
        problems = tuple(_problems(error.messages))
    raise NotAClaim(problems)  # outside the handler: marshmallow's error holds the body


def unmapped_pointers(unknown: list[str]) -> tuple[str, ...]:
    """Pointers to unknown names, each once, sorted, at most MOST_UNMAPPED.

    Those of documentation come last into account: families of the rulebook may know them.
    """
    if not unknown:
        return ()
    known_last = sorted(set(unknown), key=lambda pointer: (pointer.startswith(_DOCUMENTATION), pointer))
    return tuple(sorted(known_last[:MOST_UNMAPPED]))


def _problems(messages: object) -> list[Problem]:
    found = sorted(_flat(messages, ()), key=lambda one: [_natural(key) for key in one[0]])
    return [Problem("".join(f"/{key}" for key in path), text) for path, text in found[:MOST_PROBLEMS]]


def _flat(messages: Any, path: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, key))
    else:
        yield path, "; ".join(messages)


def _natural(key: str | int) -> tuple[int, str]:
    return (key, "") if isinstance(key, int) else (0, key)


def _object(shape: BodySchema, *, optional: bool, refused: bool = True) -> Acceptor:
    scalars = {name: field.read for name, field in _fields(shape) if isinstance(field, ScalarField)}
    objects = {name: _acceptor(field) for name, field in _fields(shape) if name not in scalars}
    required = {name for name, field in _fields(shape) if field.required}
    unread, keep = shape.unread, _keep if isinstance(shape, KeepingSchema) else _leave_out
    most = MOST_ELEMENTS if isinstance(shape, KeepingSchema) else MOST_NAMES

    def accept(raw: object, pointer: str, found: Found) -> Any:
        if type(raw) is not dict:
            return _nothing(raw, optional) if refused else _unreadable(raw, NO_OBJECT, pointer, found)
        if required and not required <= raw.keys():
            raise _WrongContainer
        raw = _thinned(raw, {*scalars, *objects, *unread}, pointer, found.unknown) if len(raw) > most else raw
        loaded: LoadedDict = {}
        for name, value in raw.items():
            read = scalars.get(name)
            if read is not None:
                loaded[name] = taken = None if value is None else read(value)
                if type(taken) is IrregularValue or type(taken) is IrregularList:
                    found.irregular.append((f"{pointer}/{name}", taken))
            elif name in objects:
                loaded[name] = objects[name](value, f"{pointer}/{name}", found)
            elif name not in unread:
                found.unknown.append(f"{pointer}/{name if NAME(name) else UNREADABLE_NAME}")
                keep(name, value, loaded)
        return loaded

    return accept


def _keep(name: str, value: object, loaded: LoadedDict) -> None:
    """Keeps a value as it was sent, under a name that is none of the schema's."""
    if NAME(name):
        loaded.setdefault(FURTHER, {})[name] = value


def _leave_out(name: str, value: object, loaded: LoadedDict) -> None:
    """Keeps nothing: what the schema does not know is only listed."""


def _nothing(raw: object, optional: bool) -> Any:
    """None where null or "" may mean that there is no container; any other value is a wrong one."""
    if optional and (raw is None or raw == ""):
        return None
    raise _WrongContainer


def _unreadable(raw: object, odd: IrregularValue, pointer: str, found: Found) -> IrregularValue | None:
    """None for null and ""; any other value is no container, and is listed as such."""
    if raw is None or raw == "":
        return None
    found.irregular.append((pointer, odd))
    return odd


def _fields(shape: BodySchema) -> Iterable[tuple[str, marshmallow_fields.Field[Any]]]:
    return shape.load_fields.items()


def _thinned(raw: LoadedDict, known: set[str], pointer: str, unknown: list[str]) -> LoadedDict:
    """The known members of an object with too many names to list them."""
    thin = {name: raw[name] for name in known if name in raw}
    if len(thin) < len(raw):
        unknown.append(f"{pointer}/(many unknown names)")
    return thin


def _acceptor(field: marshmallow_fields.Field[Any]) -> Acceptor:
    if isinstance(field, ObjectListField):
        return _list(field)
    if isinstance(field, ObjectOrListField):
        return _either(field)
    if isinstance(field, ObjectField):
        return _object(cast(BodySchema, field.schema), optional=not field.required, refused=field.refused)
    raise TypeError(f"no accept path for {type(field).__name__}")


def _list(field: ObjectListField) -> Acceptor:
    accept = _acceptor(field.inner)
    optional = not field.required

    def accept_each(raw: object, pointer: str, found: Found) -> Any:
        if not field.fits(raw):
            return _nothing(raw, optional)
        entries = cast(list[object], raw)
        if not optional and len(entries) > MOST_LINES:
            entries = _first_lines(entries)
        return [accept(entry, f"{pointer}/{index}", found) for index, entry in enumerate(entries)]

    def accept_any(raw: object, pointer: str, found: Found) -> Any:
        if type(raw) is dict:
            found.irregular.append((pointer, ALONE))
            found.moved[f"{pointer}/0"] = pointer
            raw = [raw]
        if not field.fits(raw):
            return _unreadable(raw, NO_LIST, pointer, found)
        return [
            accept(
                entry if type(entry) is dict else _emptied(entry, f"{pointer}/{index}", found),
                f"{pointer}/{index}",
                found,
            )
            for index, entry in enumerate(cast(list[object], raw))
        ]

    return accept_each if field.refused else accept_any


def _emptied(entry: object, pointer: str, found: Found) -> LoadedDict:
    """An entry that is no object, as an empty one; it is listed unless it was sent empty."""
    _unreadable(entry, NO_OBJECT, pointer, found)
    return {}


def _first_lines(entries: list[object]) -> list[object]:
    """The service lines that a claim can hold: of a claim with more, only their number is judged."""
    if any(type(entry) is not dict for entry in entries):
        raise _WrongContainer
    return entries[:MOST_LINES]


def _either(field: ObjectOrListField) -> Acceptor:
    accept = _object(cast(BodySchema, field.schema), optional=True)

    def accept_either(raw: object, pointer: str, found: Found) -> Any:
        if type(raw) is dict or raw is None or raw == "":
            return accept(raw, pointer, found)
        return field.read(raw)

    return accept_either


_accept = _object(BODY, optional=False)
