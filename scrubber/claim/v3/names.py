"""Finds what names of a body mean that the model does not know, and names that stand twice in one object.

Only such bodies come here, once the quick path has found an unknown name or a wrong container. Clear synonyms are
read, names in the object beside their own are put in their place, and both are told. A name that only resembles a known
one is left where it is; a second reading of the body takes it for what it was probably meant to be, and what comes out
otherwise in the two readings is not judged (`findings/misspelled_names.py`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson

from scrubber.claim.model import MOST_LINES, Normalised, Resembling, as_sent
from scrubber.claim.v3.schema import BODY, Part, PartOrList, Parts, Shape
from scrubber.claim.v3.synonyms import (
    IN_SERVICE,
    MODIFIERS,
    NUMBERED,
    PARTS,
    PROBABLY_MEANT,
    SYNONYMS,
    last_word,
    longer_or_shorter,
    nearest,
    readable,
)
from scrubber.errors import NotAClaim, Problem

MOST_NAMES = 100  # of one object; real ones have up to 50
MOST_COMPARED = 100  # unknown names of one body that are compared with known ones
MOST_LETTERS = 80  # of a name that is compared

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII).fullmatch
UNREADABLE_NAME = "(unreadable name)"  # told instead of a name that may be anything, also something of the claim
_ROLES = {
    **{role: f"{role.title()}Provider" for role in ("billing", "rendering", "ordering", "referring", "supervising")},
}
DIAGNOSES, POINTERS, CODES = "healthCareCodeInformation", "compositeDiagnosisCodePointers", "diagnosisCodes"
_PRINCIPAL, _OTHER = "ABK", "ABF"
_OTHER_CLAIMS = {
    "institutionalService": "an institutional claim (837I)",
    "dentalService": "a dental claim (837D)",
}
_LINES = "/claimInformation/serviceLines"

Object = dict[str, Any]


class Named(NamedTuple):
    """A body in the model's names. `moved`: by pointer into it, the pointer of the same thing as it was sent."""

    body: Any
    moved: Mapping[str, str]
    changes: tuple[Normalised, ...]
    resembling: tuple[Resembling, ...]


class _Known(NamedTuple):
    """What the model knows of one kind of object. `near` are all names that an unknown one may be meant as."""

    name: str
    names: frozenset[str]
    parts: Mapping[str, Shape]  # objects in it, and those in its lists
    listed: frozenset[str]  # of its parts those that are lists of objects
    either: frozenset[str]  # those that may be an object or a list
    near: tuple[str, ...]
    near_read: tuple[str, ...]  # of these the ones that something is read from


def in_model_names(body: object, *, guess: bool) -> Named:
    """The body in the model's names; with `guess`, names that resemble known ones are taken for these.

    Raises NotAClaim where it is a claim of another kind: institutional or dental.
    """
    if type(body) is not dict:
        return Named(body, {}, (), ())
    naming = _Naming(guess=guess)
    made = naming.read(_with_listed_providers(body, naming), BODY, "", None)
    return Named(made, naming.moved, tuple(naming.changes), tuple(naming.resembling))


class _Naming:
    def __init__(self, *, guess: bool) -> None:
        self.guess = guess
        self.moved: dict[str, str] = {}
        self.changes: list[Normalised] = []
        self.resembling: list[Resembling] = []
        self._positions: dict[str, str] = {}  # of the claim's diagnoses, by code
        self._compared: dict[tuple[str, str], tuple[str | None, str | None]] = {}

    def read(self, raw: Object, shape: Shape, at: str, line: int | None) -> Object:
        """The object in the model's names; `at` is its pointer in the body that is made."""
        known = _known(shape)
        made = raw
        if not known.names.issuperset(raw) and len(raw) <= MOST_NAMES:
            made = dict(raw)
            _refuse_other_claims(made, self._sent(at))
            if self.guess:
                self._take_resembling(made, known, at, line)
            self._take_numbered(made, known, at)
            self._take_codes(made, known, at)
            self._take_synonyms(made, known, at)
        if PARTS.get(known.name):
            made = self._in_their_place(made, known, at)
        if DIAGNOSES in known.names:
            self._positions = _positions(made.get(DIAGNOSES))
        return self._inside(made, known, at, line)

    def _inside(self, raw: Object, known: _Known, at: str, line: int | None) -> Object:
        """The parts of an object in the model's names; the object itself where nothing changes."""
        changed: Object = {}
        for name, shape in known.parts.items():
            value = raw.get(name)
            if type(value) is dict and name not in known.listed:
                new: object = self.read(value, shape, f"{at}/{name}", line)
            elif type(value) is list and name in known.listed:
                new = self._entries(value, shape, f"{at}/{name}", line)
            else:
                continue
            if new is not value:
                changed[name] = new
        return raw | changed if changed else raw

    def _entries(self, raw: list[Any], shape: Shape, at: str, line: int | None) -> list[Any]:
        lines = at == _LINES
        read = raw[:MOST_LINES] if lines else raw
        made = [
            self.read(entry, shape, f"{at}/{index}", index + 1 if lines else line) if type(entry) is dict else entry
            for index, entry in enumerate(read)
        ]
        return made + raw[len(read) :] if any(new is not old for new, old in zip(made, read, strict=True)) else raw

    def _sent(self, pointer: str) -> str:
        return as_sent(pointer, self.moved)

    def _take_resembling(self, made: Object, known: _Known, at: str, line: int | None) -> None:
        """Take each name that resembles a known one for it, unless what it resembles is there."""
        for name in sorted(made.keys() - known.names):
            found = self._meant(name, known, made)
            if found is None:
                continue
            meant, value = found
            pointer, sent = f"{at}/{meant}", self._sent(f"{at}/{name if NAME(name) else UNREADABLE_NAME}")
            self.resembling.append(Resembling(sent, meant, line))
            if _empty(made.get(meant)):
                made[meant] = value
                self.moved[pointer] = sent
            elif type(made[meant]) is list and type(value) is list and (meant == MODIFIERS or meant in known.either):
                made[meant] = [*made[meant], *value]
            del made[name]

    def _meant(self, name: str, known: _Known, made: Object) -> tuple[str, Any] | None:
        """The known name that an unknown one resembles, and its value in the container that stands there.

        One that is only longer or shorter, or has only its last word from another, is meant as that where there is no
        such name: beside procedureCode, procedureCodeDescription is what it says. Modifiers may stand in two places.
        """
        plainly, remotely = (None, None) if _empty(made[name]) else self._resembled(name, known)
        if remotely is not None and remotely != MODIFIERS and _is_there(made, remotely, known):
            remotely = None
        for meant in (plainly, remotely):
            if meant is not None and not _is_in_service(made, meant):
                value = _fitting(made[name], known, meant)
                if value is not None:
                    return meant, value
        return None

    def _resembled(self, name: str, known: _Known) -> tuple[str | None, str | None]:
        """The known name that a name is a misspelling of, and the one that it has something of."""
        if name in NUMBERED or name in known.near or len(name) > MOST_LETTERS:
            return None, None
        key = known.name, name
        if key not in self._compared:
            if len(self._compared) >= MOST_COMPARED:
                return None, None
            self._compared[key] = _compare(readable(name), known)
        return self._compared[key]

    def _take_numbered(self, made: Object, known: _Known, at: str) -> None:
        """procedureModifier1 to 4 are the entries of one list."""
        if MODIFIERS not in known.names:
            return
        names = sorted((name for name in made if name in NUMBERED), key=lambda name: (NUMBERED[name], name))
        found = [made[name] for name in names if not _empty(made[name])]
        if found and _empty(made.get(MODIFIERS)):
            made[MODIFIERS] = found
            self.moved[f"{at}/{MODIFIERS}"] = self._sent(f"{at}/{names[0]}")
        elif found and not _same(made.get(MODIFIERS), found):
            self._left_out(f"{at}/{names[0]}", MODIFIERS)
            return
        for name in names:
            self._told(f"{at}/{name}", f"{name} read as an entry of {MODIFIERS}")
            del made[name]

    def _take_codes(self, made: Object, known: _Known, at: str) -> None:
        """Diagnosis codes on a line, all of them the claim's, are pointers to these."""
        if POINTERS not in known.names or CODES not in made or not _empty(made.get(POINTERS)):
            return
        codes = made[CODES] if type(made[CODES]) is list else [made[CODES]]
        positions = [self._positions.get(_bare(code), "") for code in codes]
        if positions and all(positions):
            made[POINTERS] = positions
            self._told(f"{at}/{CODES}", f"{CODES} read as pointers to the claim's diagnoses")
            self.moved[f"{at}/{POINTERS}"] = self._sent(f"{at}/{CODES}")
            del made[CODES]

    def _take_synonyms(self, made: Object, known: _Known, at: str) -> None:
        synonyms = SYNONYMS.get(known.name, {})
        for name in sorted(made.keys() & synonyms.keys()):
            model = synonyms[name]
            value = _fitting(made[name], known, model)
            if _empty(value):
                continue
            if not _empty(made.get(model)):
                if not _same(made[model], value):
                    self._left_out(f"{at}/{name}", model)
                continue
            sent = self._sent(f"{at}/{name}")
            made[model] = value
            del made[name]
            self.changes.append(Normalised(sent, f"{name} read as {model}"))
            self.moved[f"{at}/{model}"] = sent

    def _in_their_place(self, made: Object, known: _Known, at: str) -> Object:
        """Names of an object's part that stand beside it, and names of the object that stand in its part."""
        for part in PARTS[known.name]:
            of_part = _known(known.parts[part])
            inner = made.get(part)
            if not (inner is None or inner == "" or type(inner) is dict):
                continue
            inside: Object = inner or {}
            down = [name for name in _unknown(made, known) if _belongs(name, of_part)]
            up = [name for name in _unknown(inside, of_part) if name in known.names]
            if not down and not up:
                continue
            made, inside = dict(made), dict(inside)
            self._put(down, made, inside, at, f"{at}/{part}", "beside", part)
            self._put(up, inside, made, f"{at}/{part}", at, "in", part)
            if inside:
                made[part] = inside
        return made

    def _put(self, names: list[str], here: Object, there: Object, at: str, to: str, where: str, part: str) -> None:
        for name in names:
            if not _empty(there.get(name)):
                if not _same(there[name], here[name]):
                    self._left_out(f"{at}/{name}", name)
                continue
            sent = self._sent(f"{at}/{name}")
            there[name] = here.pop(name)
            self.changes.append(Normalised(sent, f"{name} read from {where} {part}"))
            self.moved[f"{to}/{name}"] = sent

    def _told(self, pointer: str, change: str) -> None:
        self.changes.append(Normalised(self._sent(pointer), change))

    def _left_out(self, pointer: str, model: str) -> None:
        self._told(pointer, f"left out: {model} says something else")


def _compare(name: str, known: _Known) -> tuple[str | None, str | None]:
    probably, synonyms = PROBABLY_MEANT.get(known.name, {}), SYNONYMS.get(known.name, {})
    plainly = probably.get(name) or nearest(name, known.near)
    remotely = longer_or_shorter(name, known.near_read)
    if remotely is None and known.name in IN_SERVICE:
        remotely = probably.get(last_word(name))
    return synonyms.get(plainly or "", plainly), synonyms.get(remotely or "", remotely)


@lru_cache(maxsize=64)
def _known(shape: Shape) -> _Known:
    fields = shape.load_fields
    parts = {name: cast(Shape, field.schema) for name, field in fields.items() if isinstance(field, Part)}
    listed = {name: field.inner for name, field in fields.items() if isinstance(field, Parts)}
    parts |= {name: cast(Shape, inner.schema) for name, inner in listed.items() if isinstance(inner, Part)}
    either = frozenset(name for name, field in fields.items() if isinstance(field, PartOrList))
    name = type(shape).__name__
    names = frozenset(fields) | shape.unread
    near = {*names, *SYNONYMS.get(name, {})}
    for part in PARTS.get(name, ()):
        near |= parts[part].load_fields.keys() | SYNONYMS.get(type(parts[part]).__name__, {}).keys()
    return _Known(
        name, names, parts, frozenset(listed), either, tuple(sorted(near)), tuple(sorted(near - shape.unread))
    )


def _unknown(raw: Object, known: _Known) -> list[str]:
    """The names in an object that say something and do not belong there."""
    return [name for name in sorted(raw) if name not in known.names and not _empty(raw[name])]


def _belongs(name: str, part: _Known) -> bool:
    return name in part.names or name in SYNONYMS.get(part.name, {})


def _empty(value: object) -> bool:
    """Whether nothing is said; real senders fill in empty texts, lists and objects."""
    if type(value) is list:
        return all(map(_empty, value))
    if type(value) is dict:
        return all(map(_empty, value.values()))
    return value is None or (type(value) is str and not value.strip())


def _same(one: object, other: object) -> bool:
    return one == other or (type(one) is list and one == [other]) or (type(other) is list and other == [one])


def _as_entries(value: object) -> object:
    """Diagnosis codes in a list of texts, as the objects that the model has: the first is the principal one."""
    if type(value) is not list or not all(type(entry) is str for entry in value):
        return value
    return [
        {"diagnosisTypeCode": _PRINCIPAL if index == 0 else _OTHER, "diagnosisCode": code}
        for index, code in enumerate(value)
    ]


def _fitting(value: Any, known: _Known, model: str) -> Any:
    """The value in the container that stands under a name of the model; None where it is another one."""
    if model not in known.parts:
        return None if type(value) is dict else value
    if model in known.listed:
        entries = [value] if type(value) is dict else _as_entries(value)
        return entries if type(entries) is list and all(type(entry) is dict for entry in entries) else None
    if type(value) is list and len(value) == 1 and type(value[0]) is dict:
        value = value[0]
    return value if type(value) is dict or model in known.either else None


def _is_there(raw: Object, name: str, known: _Known) -> bool:
    """Whether something is said under a name of an object, in it or in the parts whose names may stand beside them."""
    parts = [raw.get(part) for part in PARTS.get(known.name, ())]
    return any(not _empty(one.get(name)) for one in (raw, *parts) if type(one) is dict)


def _is_in_service(line: Object, name: str) -> bool:
    """Whether what a name on a line may mean stands in the line's professionalService."""
    service = line.get("professionalService")
    return type(service) is dict and not _empty(service.get(name))


def _positions(diagnoses: object) -> dict[str, str]:
    """The positions of a claim's diagnoses, from 1, by their codes."""
    entries = diagnoses if type(diagnoses) is list else []
    codes = [_bare(entry.get("diagnosisCode")) if type(entry) is dict else "" for entry in entries]
    return {code: str(position) for position, code in reversed([*enumerate(codes, start=1)]) if code}


def _bare(code: object) -> str:
    return code.replace(".", "").strip().upper() if type(code) is str else ""


def _refuse_other_claims(raw: Object, sent: str) -> None:
    """Say of an institutional or a dental claim that it is one, instead of all that it lacks as a professional one."""
    for name, kind in _OTHER_CLAIMS.items():
        if type(raw.get(name)) is dict and raw[name] and not raw.get("professionalService"):
            message = f"this is {kind}; here professional claims (837P) are read, whose lines have professionalService"
            raise NotAClaim((Problem(f"{sent}/{name}", message),))


def _with_listed_providers(body: Object, naming: _Naming) -> Object:
    """The body with `providers` as a list, where it is one provider or has one under the name of each role."""
    providers = body.get("providers")
    if type(providers) is not dict or not providers:
        return body
    pointer = "/providers"
    if "providerType" in providers:
        naming.changes.append(Normalised(pointer, "one object read as a list of one"))
        naming.moved[f"{pointer}/0"] = pointer
        return body | {"providers": [providers]}
    roles = {name: _ROLES.get(name.removesuffix("Provider").lower()) for name in providers}
    if not all(roles.values()) or not all(type(one) is dict for one in providers.values()):
        return body
    naming.changes.append(Normalised(pointer, "providers by role read as a list"))
    naming.moved |= {f"{pointer}/{index}": f"{pointer}/{name}" for index, name in enumerate(sorted(providers))}
    return body | {"providers": [{"providerType": roles[name]} | providers[name] for name in sorted(providers)]}


MOST_TOLD = 200
MOST_LEVELS = 254  # of objects and lists in each other, which orjson writes; it reads 1,024. A claim has ten
CHANGE = "this name stands more than once here: the last one was read"
_BLANKS = b" \t\r\n"
_QUOTE_ESCAPED = b"\\u0022"


def repeated_names(data: bytes, body: object) -> tuple[Normalised, ...]:
    """What is to be told of names that repeat in `data`, which was parsed as `body`.

    Raises NotAClaim for a body that is nested too deeply to be read on: what is in it is followed level by level.

    Nearly every body repeats none, and that is seen without parsing it again: each name has a quote and a colon after
    it, and what was parsed, written anew, has as many.
    """
    if _none_repeats(data, body):
        return ()
    try:
        found = json.loads(data, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:  # it is stricter than the parser that read the body
        return (Normalised("", CHANGE),)
    pointers: list[str] = []
    _gather(found, "", pointers)
    return tuple([Normalised(pointer, CHANGE) for pointer in pointers[:MOST_TOLD]])


def _none_repeats(data: bytes, body: object) -> bool:
    try:
        again = orjson.dumps(body)
    except TypeError:  # the only thing that it reads and does not write
        raise NotAClaim((Problem("", f"must be nested at most {MOST_LEVELS} levels deep"),)) from None
    return again == data or (_QUOTE_ESCAPED not in data and _names(data) == _names(again))


def _names(data: bytes) -> int:
    """How many names there are, and how many texts in which a quote and a colon follow each other."""
    return data.translate(None, _BLANKS).count(b'":')


class _Pairs:
    """An object as it was written: names, each with its value, those that repeat among them."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _gather(node: object, pointer: str, pointers: list[str]) -> None:
    if isinstance(node, list):
        for index, entry in enumerate(node):
            _gather(entry, f"{pointer}/{index}", pointers)
    if not isinstance(node, _Pairs):
        return
    last = dict(node.pairs)
    if len(last) < len(node.pairs):
        counts = Counter(name for name, _ in node.pairs)
        repeated = sorted(name for name, count in counts.items() if count > 1)
        pointers += dict.fromkeys(f"{pointer}/{name if NAME(name) else UNREADABLE_NAME}" for name in repeated)
    for name, value in last.items():
        _gather(value, f"{pointer}/{name}", pointers)
