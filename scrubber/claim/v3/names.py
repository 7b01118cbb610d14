"""Renames the unknown names of a body to those of the model: synonyms, misplaced names and probable misspellings.

Only bodies come here in which the fast path found an unknown name or a wrong container. Synonyms are renamed, names in
the wrong object are moved to their own, and both are reported. A name that only resembles a known one is left; a second
reading of the body takes it for the known one, and where the two readings differ the rules are not checked
(`findings/misspelled_names.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

from scrubber.claim.code_values import OTHER_DIAGNOSIS, PRINCIPAL_DIAGNOSIS
from scrubber.claim.model import MOST_LINES, Normalised, Resembling, as_sent
from scrubber.claim.v3.schema import (
    BODY,
    NAME,
    UNREADABLE_NAME,
    BodySchema,
    ObjectField,
    ObjectListField,
    ObjectOrListField,
)
from scrubber.claim.v3.synonyms import (
    CHILD_OBJECTS,
    IN_SERVICE,
    MODIFIERS,
    NUMBERED,
    PROBABLE_SYNONYMS,
    SYNONYMS,
    TAKEN,
    last_word,
    longer_or_shorter,
    nearest,
    readable,
)
from scrubber.errors import NotAClaim, Problem

MOST_NAMES = 100  # of one object; real ones have up to 50
MOST_COMPARED = 100  # unknown names of one body that are compared with known ones
MOST_LETTERS = 80  # of a name that is compared

_ROLES = {
    **{role: f"{role.title()}Provider" for role in ("billing", "rendering", "ordering", "referring", "supervising")},
}
DIAGNOSES, POINTERS, CODES = "healthCareCodeInformation", "compositeDiagnosisCodePointers", "diagnosisCodes"
_OTHER_CLAIMS = {
    "institutionalService": "an institutional claim (837I)",
    "dentalService": "a dental claim (837D)",
}
_LINES = "/claimInformation/serviceLines"

Object = dict[str, Any]


class RenamedBody(NamedTuple):
    """A body in the model's names. `moved`: by pointer into it, the pointer of the same thing as it was sent.

    `unknown` are the pointers of names that are left out of it.
    """

    body: Any
    moved: Mapping[str, str]
    changes: tuple[Normalised, ...]
    resembling: tuple[Resembling, ...]
    unknown: tuple[str, ...] = ()


class _ObjectKind(NamedTuple):
    """The names that the model has for one kind of object. `near` are all that an unknown name may resemble."""

    name: str
    names: frozenset[str]
    children: Mapping[str, BodySchema]  # schemas of the objects in it and in its lists
    listed: frozenset[str]  # of the children those that are lists of objects
    either: frozenset[str]  # those that may be an object or a list
    near: tuple[str, ...]
    near_read: tuple[str, ...]  # of these the ones that every claim is judged by


def in_model_names(body: object, *, guess: bool) -> RenamedBody:
    """The body in the model's names; with `guess`, names that resemble known ones are read as these.

    Raises NotAClaim where it is a claim of another kind: institutional or dental.
    """
    if type(body) is not dict:
        return RenamedBody(body, {}, (), ())
    renamer = _Renamer(guess=guess)
    renamed = renamer.read(_with_listed_providers(body, renamer), BODY, "", None)
    return RenamedBody(renamed, renamer.moved, tuple(renamer.changes), tuple(renamer.resembling))


class _Renamer:
    def __init__(self, *, guess: bool) -> None:
        self.guess = guess
        self.moved: dict[str, str] = {}
        self.changes: list[Normalised] = []
        self.resembling: list[Resembling] = []
        self._positions: dict[str, str] = {}  # of the claim's diagnoses, by code
        self._compared: dict[tuple[str, str], tuple[str | None, str | None]] = {}

    def read(self, raw: Object, shape: BodySchema, at: str, line: int | None) -> Object:
        """The object in the model's names; `at` is its pointer in the renamed body."""
        kind = _object_kind(shape)
        renamed = raw
        if not kind.names.issuperset(raw) and len(raw) <= MOST_NAMES:
            renamed = dict(raw)
            _refuse_other_claims(renamed, self._sent(at))
            if self.guess:
                self._take_resembling(renamed, kind, at, line)
            self._take_numbered(renamed, kind, at)
            self._take_codes(renamed, kind, at)
            self._take_synonyms(renamed, kind, at)
        if CHILD_OBJECTS.get(kind.name):
            renamed = self._move_to_own_object(renamed, kind, at)
        if DIAGNOSES in kind.names:
            self._positions = _positions(renamed.get(DIAGNOSES))
        return self._inside(renamed, kind, at, line)

    def _inside(self, raw: Object, kind: _ObjectKind, at: str, line: int | None) -> Object:
        """The children of an object in the model's names; the object itself where nothing changes."""
        changed: Object = {}
        for name, shape in kind.children.items():
            value = raw.get(name)
            if type(value) is dict and name not in kind.listed:
                new: object = self.read(value, shape, f"{at}/{name}", line)
            elif type(value) is list and name in kind.listed:
                new = self._entries(value, shape, f"{at}/{name}", line)
            else:
                continue
            if new is not value:
                changed[name] = new
        return raw | changed if changed else raw

    def _entries(self, raw: list[Any], shape: BodySchema, at: str, line: int | None) -> list[Any]:
        lines = at == _LINES
        read = raw[:MOST_LINES] if lines else raw
        renamed = [
            self.read(entry, shape, f"{at}/{index}", index + 1 if lines else line) if type(entry) is dict else entry
            for index, entry in enumerate(read)
        ]
        return (
            renamed + raw[len(read) :] if any(new is not old for new, old in zip(renamed, read, strict=True)) else raw
        )

    def _sent(self, pointer: str) -> str:
        return as_sent(pointer, self.moved)

    def _take_resembling(self, renamed: Object, kind: _ObjectKind, at: str, line: int | None) -> None:
        """Reads each name that resembles a known one as that, unless the known one is there."""
        for name in sorted(renamed.keys() - kind.names):
            found = self._resembled_value(name, kind, renamed)
            if found is None:
                continue
            known_name, value = found
            pointer, sent = f"{at}/{known_name}", self._sent(f"{at}/{name if NAME(name) else UNREADABLE_NAME}")
            self.resembling.append(Resembling(sent, known_name, line))
            if _empty(renamed.get(known_name)):
                renamed[known_name] = value
                self.moved[pointer] = sent
            elif (
                type(renamed[known_name]) is list
                and type(value) is list
                and (known_name == MODIFIERS or known_name in kind.either)
            ):
                renamed[known_name] = [*renamed[known_name], *value]
            del renamed[name]

    def _resembled_value(self, name: str, kind: _ObjectKind, renamed: Object) -> tuple[str, Any] | None:
        """The known name that an unknown one resembles, and its value in the container of that name.

        A name that is only longer or shorter than a known one, or shares its last word, counts as that only where the
        known one is absent: beside procedureCode, procedureCodeDescription is a name of its own. Modifiers may be in
        two objects.
        """
        plainly, remotely = (None, None) if _empty(renamed[name]) else self._resembled(name, kind)
        if remotely is not None and remotely != MODIFIERS and _is_there(renamed, remotely, kind):
            remotely = None
        for known_name in (plainly, remotely):
            if known_name is not None and not _is_in_service(renamed, known_name):
                value = _fitting(renamed[name], kind, known_name)
                if value is not None:
                    return known_name, value
        return None

    def _resembled(self, name: str, kind: _ObjectKind) -> tuple[str | None, str | None]:
        """The known name that a name is a misspelling of, and the known name that it partly matches."""
        if name in NUMBERED or name in kind.near or len(name) > MOST_LETTERS:
            return None, None
        key = kind.name, name
        if key not in self._compared:
            if len(self._compared) >= MOST_COMPARED:
                return None, None
            self._compared[key] = _compare(readable(name), kind)
        return self._compared[key]

    def _take_numbered(self, renamed: Object, kind: _ObjectKind, at: str) -> None:
        """procedureModifier1 to 4 are the entries of one list."""
        if MODIFIERS not in kind.names:
            return
        names = sorted((name for name in renamed if name in NUMBERED), key=lambda name: (NUMBERED[name], name))
        found = [renamed[name] for name in names if not _empty(renamed[name])]
        if found and _empty(renamed.get(MODIFIERS)):
            renamed[MODIFIERS] = found
            self.moved[f"{at}/{MODIFIERS}"] = self._sent(f"{at}/{names[0]}")
        elif found and not _same(renamed.get(MODIFIERS), found):
            self._left_out(f"{at}/{names[0]}", MODIFIERS)
            return
        for name in names:
            self._record(f"{at}/{name}", f"{name} read as an entry of {MODIFIERS}")
            del renamed[name]

    def _take_codes(self, renamed: Object, kind: _ObjectKind, at: str) -> None:
        """Diagnosis codes on a line, all of them the claim's, are pointers to these."""
        if POINTERS not in kind.names or CODES not in renamed or not _empty(renamed.get(POINTERS)):
            return
        codes = renamed[CODES] if type(renamed[CODES]) is list else [renamed[CODES]]
        positions = [self._positions.get(_bare(code), "") for code in codes]
        if positions and all(positions):
            renamed[POINTERS] = positions
            self._record(f"{at}/{CODES}", f"{CODES} read as pointers to the claim's diagnoses")
            self.moved[f"{at}/{POINTERS}"] = self._sent(f"{at}/{CODES}")
            del renamed[CODES]

    def _take_synonyms(self, renamed: Object, kind: _ObjectKind, at: str) -> None:
        synonyms = SYNONYMS.get(kind.name, {})
        for name in sorted(renamed.keys() & synonyms.keys()):
            model = synonyms[name]
            value = _fitting(renamed[name], kind, model)
            if _empty(value):
                continue
            if not _empty(renamed.get(model)):
                if not _same(renamed[model], value):
                    self._left_out(f"{at}/{name}", model)
                continue
            sent = self._sent(f"{at}/{name}")
            renamed[model] = value
            del renamed[name]
            self.changes.append(Normalised(sent, f"{name} read as {model}"))
            self.moved[f"{at}/{model}"] = sent

    def _move_to_own_object(self, renamed: Object, kind: _ObjectKind, at: str) -> Object:
        """Moves names of a child object that are beside it, and names of the object that are in its child."""
        for child in CHILD_OBJECTS[kind.name]:
            child_kind = _object_kind(kind.children[child])
            inner = renamed.get(child)
            if not (inner is None or inner == "" or type(inner) is dict):
                continue
            inside: Object = inner or {}
            down = [name for name in _unknown(renamed, kind) if _belongs(name, child_kind)]
            up = [name for name in _unknown(inside, child_kind) if name in kind.names]
            if not down and not up:
                continue
            renamed, inside = dict(renamed), dict(inside)
            self._move(down, renamed, inside, at, f"{at}/{child}", "beside", child)
            self._move(up, inside, renamed, f"{at}/{child}", at, "in", child)
            if inside:
                renamed[child] = inside
        return renamed

    def _move(self, names: list[str], here: Object, there: Object, at: str, to: str, where: str, child: str) -> None:
        for name in names:
            if not _empty(there.get(name)):
                if not _same(there[name], here[name]):
                    self._left_out(f"{at}/{name}", name)
                continue
            sent = self._sent(f"{at}/{name}")
            there[name] = here.pop(name)
            self.changes.append(Normalised(sent, f"{name} read from {where} {child}"))
            self.moved[f"{to}/{name}"] = sent

    def _record(self, pointer: str, change: str) -> None:
        self.changes.append(Normalised(self._sent(pointer), change))

    def _left_out(self, pointer: str, model: str) -> None:
        self._record(pointer, f"left out: {model} says something else")


def _compare(name: str, kind: _ObjectKind) -> tuple[str | None, str | None]:
    probably, synonyms = PROBABLE_SYNONYMS.get(kind.name, {}), SYNONYMS.get(kind.name, {})
    plainly = probably.get(name) or nearest(name, kind.near)
    remotely = longer_or_shorter(name, kind.near_read)
    if remotely is None and kind.name in IN_SERVICE:
        remotely = probably.get(last_word(name))
    return synonyms.get(plainly or "", plainly), synonyms.get(remotely or "", remotely)


@lru_cache(maxsize=64)
def _object_kind(shape: BodySchema) -> _ObjectKind:
    fields = shape.load_fields
    children = {
        name: cast(BodySchema, field.schema) for name, field in fields.items() if isinstance(field, ObjectField)
    }
    listed = {name: field.inner for name, field in fields.items() if isinstance(field, ObjectListField)}
    children |= {
        name: cast(BodySchema, inner.schema) for name, inner in listed.items() if isinstance(inner, ObjectField)
    }
    either = frozenset(name for name, field in fields.items() if isinstance(field, ObjectOrListField))
    name = type(shape).__name__
    names = frozenset(fields) | shape.unread
    near = {*names, *SYNONYMS.get(name, {})}
    taken = {*TAKEN.get(name, ()), *SYNONYMS.get(name, {})}
    for child in CHILD_OBJECTS.get(name, ()):
        kind = type(children[child]).__name__
        near |= children[child].load_fields.keys() | SYNONYMS.get(kind, {}).keys()
        taken |= {*TAKEN.get(kind, ()), *SYNONYMS.get(kind, {})}
    return _ObjectKind(
        name, names, children, frozenset(listed), either, tuple(sorted(near)), tuple(sorted(near & taken))
    )


def _unknown(raw: Object, kind: _ObjectKind) -> list[str]:
    """The names in an object that have a value and do not belong there."""
    return [name for name in sorted(raw) if name not in kind.names and not _empty(raw[name])]


def _belongs(name: str, child: _ObjectKind) -> bool:
    return name in child.names or name in SYNONYMS.get(child.name, {})


def _empty(value: object) -> bool:
    """Whether a value is empty; real senders fill in empty texts, lists and objects."""
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
        {"diagnosisTypeCode": PRINCIPAL_DIAGNOSIS if index == 0 else OTHER_DIAGNOSIS, "diagnosisCode": code}
        for index, code in enumerate(value)
    ]


def _fitting(value: Any, kind: _ObjectKind, model: str) -> Any:
    """The value in the container that a name of the model has; None where it cannot be converted."""
    if model not in kind.children:
        return None if type(value) is dict else value
    if model in kind.listed:
        entries = [value] if type(value) is dict else _as_entries(value)
        return entries if type(entries) is list and all(type(entry) is dict for entry in entries) else None
    if type(value) is list and len(value) == 1 and type(value[0]) is dict:
        value = value[0]
    return value if type(value) is dict or model in kind.either else None


def _is_there(raw: Object, name: str, kind: _ObjectKind) -> bool:
    """Whether a name of an object has a value, in it or in the child objects whose names may be beside them."""
    children = [raw.get(child) for child in CHILD_OBJECTS.get(kind.name, ())]
    return any(not _empty(one.get(name)) for one in (raw, *children) if type(one) is dict)


def _is_in_service(line: Object, name: str) -> bool:
    """Whether the known name of a name on a line has a value in the line's professionalService."""
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
    """Refuses an institutional or dental claim as such, instead of listing all that it lacks as a professional one."""
    for name, kind in _OTHER_CLAIMS.items():
        if type(raw.get(name)) is dict and raw[name] and not raw.get("professionalService"):
            message = f"this is {kind}; here professional claims (837P) are read, whose lines have professionalService"
            raise NotAClaim((Problem(f"{sent}/{name}", message),))


def _with_listed_providers(body: Object, renamer: _Renamer) -> Object:
    """The body with `providers` as a list, where it is one provider or an object of providers by role."""
    providers = body.get("providers")
    if type(providers) is not dict or not providers:
        return body
    pointer = "/providers"
    if "providerType" in providers:
        renamer.changes.append(Normalised(pointer, "one object read as a list of one"))
        renamer.moved[f"{pointer}/0"] = pointer
        return body | {"providers": [providers]}
    roles = {name: _ROLES.get(name.removesuffix("Provider").lower()) for name in providers}
    if not all(roles.values()) or not all(type(one) is dict for one in providers.values()):
        return body
    renamer.changes.append(Normalised(pointer, "providers by role read as a list"))
    renamer.moved |= {f"{pointer}/{index}": f"{pointer}/{name}" for index, name in enumerate(sorted(providers))}
    return body | {"providers": [{"providerType": roles[name]} | providers[name] for name in sorted(providers)]}
