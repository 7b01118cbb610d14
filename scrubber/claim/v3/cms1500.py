"""Turns claim JSON that follows the boxes of the CMS-1500 into the v3 body, for readers of claims.

Practice systems send this shape to clearinghouses that offer it beside v3: `payer`, `submitter`, `insured`, `patient`,
`authorization`, `encounter`, `billing`, `serviceLines`, `otherInsured`. Its days are ISO dates, its codes words, and
its service lines name diagnoses instead of pointing to them. `cms1500.csv` has a row for each element: where it stands
there and in v3, and in which list of `cms1500_words.csv` its words are. `day` is an ISO date, `=HC` a code that goes
without saying where the element is there, `*` each entry of a list, `+` one more entry, and a number that entry.

Of an insurance type that says no more than "other", the filing indicator is ZZ, which the guide has for a type of
insurance that is not known. The receiver of the claim is the payer, since this shape names none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard, cast

from scrubber.claim.code_values import MINUTES, OTHER_DIAGNOSIS, PRINCIPAL_DIAGNOSIS, WHOLE_UNITS
from scrubber.claim.model import MOST_LINES, Normalised, Resembling
from scrubber.claim.v3.names import MOST_COMPARED, MOST_LETTERS, MOST_NAMES, RenamedBody
from scrubber.claim.v3.schema import MOST_ENTRIES, NAME, UNREADABLE_NAME
from scrubber.claim.v3.synonyms import nearest, readable
from scrubber.errors import NotAClaim, Problem

Object = dict[str, Any]
_PLACES, _WORDS = (Path(__file__).with_name(name) for name in ("cms1500.csv", "cms1500_words.csv"))
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII).fullmatch
_ANESTHESIA = re.compile(r"0(?:0[1-9]|1[0-9])\d\d", re.ASCII).fullmatch  # its units are minutes
_LINES, _CI = "serviceLines", "claimInformation"
_ONE_MORE = -1  # as the key of a list: behind its last entry
_OUTSIDE = frozenset(("scrubContext", "idempotencyKey"))  # beside the claim, or no part of it
_READ_APART = {"encounter": ("primaryDiagnosisCode", "additionalDiagnosisCodes"), "line": ("diagnosisCodes",)}
_OBJECT, _LIST = "must be an object", f"must be a list of at most {MOST_ENTRIES} entries"


class _PlaceInV3(NamedTuple):
    """Where an element goes in v3, and the list in which its words are."""

    path: tuple[str, ...]
    words: str


@dataclass
class _Node:
    """What may stand at one place of the body: names with their own nodes, entries of a list (`*`), or a value."""

    targets: list[_PlaceInV3] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)


def is_cms1500(body: object) -> TypeGuard[Object]:
    """Whether a parsed body has this shape: service lines beside what only it has, and nothing of v3 around them."""
    return type(body) is dict and "claimInformation" not in body and "encounter" in body and _LINES in body


def in_v3_names(body: Object, *, guess: bool) -> RenamedBody:
    """The v3 body of a claim in this shape; with `guess`, names that resemble known ones are read as these.

    Raises NotAClaim where an object or a list stands for something else.
    """
    reading = _FormReader(guess=guess)
    reading.read(body, _places(), "", (), None)
    if reading.problems:
        raise NotAClaim(tuple(reading.problems))
    claim = reading.v3.setdefault(_CI, {})
    sent = body[_LINES]
    read = claim.get(_LINES, [])
    claim[_LINES] = read + [{} for _ in sent[len(read) :]] if type(sent) is list else sent
    reading.moved |= {f"/{_CI}": "", f"/{_CI}/{_LINES}": f"/{_LINES}"}
    _read_diagnoses(body, claim, reading)
    if not claim.get("claimFrequencyCode"):
        claim["claimFrequencyCode"] = "1"
    if "scrubContext" in body:
        reading.v3["scrubContext"] = body["scrubContext"]
    changes = (Normalised("", "claim in the shape of the CMS-1500 read as v3"),)
    return RenamedBody(reading.v3, reading.moved, changes, tuple(reading.resembling), tuple(reading.unknown))


class _FormReader:
    """The v3 body that grows while a body is walked through, and what is to be reported about the walk."""

    def __init__(self, *, guess: bool) -> None:
        self.guess = guess
        self.v3: Object = {}
        self.moved: dict[str, str] = {}
        self.resembling: list[Resembling] = []
        self.unknown: list[str] = []
        self.problems: list[Problem] = []
        self._compared = 0

    def read(self, raw: object, node: _Node, at: str, entries: tuple[int, ...], line: int | None) -> None:
        """Takes what stands at a place; `at` is its pointer, `entries` the positions in the lists it is in."""
        for target in node.targets:
            self._take(raw, target, at, entries)
        if "*" in node.children:
            self._read_entries(raw, node.children["*"], at, entries, line)
        elif node.children:
            self._read_object(raw, node, at, entries, line)

    def _read_entries(self, raw: object, node: _Node, at: str, entries: tuple[int, ...], line: int | None) -> None:
        if raw is None or raw == "":
            return
        if type(raw) is not list or len(raw) > MOST_ENTRIES:
            self.problems.append(Problem(at, _LIST))
            return
        lines = at == f"/{_LINES}"
        for index, entry in enumerate(raw[:MOST_LINES] if lines else raw):
            if node.children and type(entry) is not dict:
                self.problems.append(Problem(f"{at}/{index}", _OBJECT))
            else:
                self.read(entry, node, f"{at}/{index}", (*entries, index), index + 1 if lines else line)

    def _read_object(self, raw: object, node: _Node, at: str, entries: tuple[int, ...], line: int | None) -> None:
        if not (raw is None or raw == "" or type(raw) is dict):
            self.problems.append(Problem(at, _OBJECT))
            return
        sent = cast(Object, raw or {})
        instead = self._unknown(sent, node, at, line)
        for name, child in node.children.items():
            name_sent = instead.get(name, name)
            self.read(sent.get(name_sent), child, f"{at}/{name_sent}", entries, line)

    def _unknown(self, sent: Object, node: _Node, at: str, line: int | None) -> Mapping[str, str]:
        """Reports the names that this shape does not have; gives those to be read as known ones, by the known name."""
        instead: dict[str, str] = {}
        known = node.children.keys() | (_OUTSIDE if not at else ())
        unknown = [name for name in sorted(sent.keys() - known) if not _empty(sent[name])]
        if len(sent) > MOST_NAMES:
            self.unknown.append(f"{at}/(many unknown names)")
            return instead
        for name in unknown:
            pointer = f"{at}/{name if NAME(name) else UNREADABLE_NAME}"
            self.unknown.append(pointer)
            meant = self._meant(name, sent, node)
            if meant is not None:
                self.resembling.append(Resembling(pointer, meant, line))
                instead[meant] = name
        return instead if self.guess else {}

    def _meant(self, name: str, sent: Object, node: _Node) -> str | None:
        """The known name that an unknown one is probably a misspelling of, where that one is not there."""
        self._compared += 1
        if self._compared > MOST_COMPARED or len(name) > MOST_LETTERS:
            return None
        return nearest(readable(name), sorted(known for known in node.children if _empty(sent.get(known))))

    def _take(self, raw: object, target: _PlaceInV3, at: str, entries: tuple[int, ...]) -> None:
        """Puts a value where it belongs in v3. Where one would stand is recorded for a missing value, too."""
        value = None if _empty(raw) else _in_codes(raw, target.words)
        keys = _keys(target.path, entries)
        if value is None:
            self.moved.setdefault(_pointer(keys), at)
            return
        holder: Any = self.v3
        for key, inside in pairwise(keys):
            holder = _inner(holder, key, {} if isinstance(inside, str) else [])
        *names, last = keys
        if last is _ONE_MORE:
            holder.append(value)
            last = len(holder) - 1
        else:
            holder[last] = value
        self.moved[_pointer((*names, last))] = at


def _keys(path: tuple[str, ...], entries: tuple[int, ...]) -> tuple[str | int, ...]:
    """The names of a path in one body: for a list the position of its entry, from 0, or _ONE_MORE."""
    positions = iter(entries)
    return tuple(
        next(positions) if name == "*" else _ONE_MORE if name == "+" else int(name) if name.isdigit() else name
        for name in path
    )


def _pointer(keys: Iterable[str | int]) -> str:
    return "".join(f"/{key}" for key in keys if key is not _ONE_MORE)


def _inner(holder: Any, key: str | int, empty: Any) -> Any:
    """The object or list under a key, made where it is not there yet. `empty` is what it is made of."""
    if isinstance(key, str):
        return holder.setdefault(key, empty)
    holder.extend({} for _ in range(len(holder), key + 1))
    return holder[key]


def _empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _in_codes(value: Any, words: str) -> Any:
    """A value as v3 has it. A word that is in no list stays as it is, and is no code of that element then."""
    if not words:
        return value
    if words.startswith("="):
        return words[1:]
    if words == "day":
        found = _DAY(value.strip()) if type(value) is str else None
        return "".join(found.groups()) if found else value
    known = _word_lists()[words]
    word = str(value).lower() if type(value) is bool else str(value).strip().upper() if type(value) is str else ""
    return (known[word] or None) if word in known else value


def _read_diagnoses(body: Object, claim: Object, reading: _FormReader) -> None:
    """The claim's diagnoses are those of the encounter, then those that only lines name; lines point to them."""
    encounter = body.get("encounter")
    found: dict[str, int] = {}
    diagnoses: list[Object] = []
    at = f"/{_CI}/healthCareCodeInformation"

    def position(code: object, sent: str) -> str:
        key = _bare(code)
        if key not in found:
            found[key] = len(found) + 1
            kind = OTHER_DIAGNOSIS if diagnoses else PRINCIPAL_DIAGNOSIS
            diagnoses.append({"diagnosisTypeCode": kind, "diagnosisCode": code})
            reading.moved[f"{at}/{found[key] - 1}"] = sent
            reading.moved[f"{at}/{found[key] - 1}/diagnosisCode"] = sent
        return str(found[key])

    reading.moved[at] = "/encounter/primaryDiagnosisCode"
    for code, sent in _codes(encounter, "/encounter", _READ_APART["encounter"]):
        position(code, sent)
    lines = body.get(_LINES)
    for index, line in enumerate(lines[:MOST_LINES] if type(lines) is list else ()):
        service = f"/{_CI}/{_LINES}/{index}/professionalService"
        sent = f"/{_LINES}/{index}"
        reading.moved |= {f"/{_CI}/{_LINES}/{index}": sent, service: sent}
        pointers = [position(code, at_code) for code, at_code in _codes(line, sent, _READ_APART["line"])]
        v3_service = claim[_LINES][index].setdefault("professionalService", {})
        v3_service["compositeDiagnosisCodePointers"] = {"diagnosisCodePointers": pointers}
        by_minutes = _ANESTHESIA(str(v3_service.get("procedureCode", "")))
        v3_service["measurementUnit"] = MINUTES if by_minutes else WHOLE_UNITS
        reading.moved[f"{service}/compositeDiagnosisCodePointers"] = f"{sent}/diagnosisCodes"
        reading.moved[f"{service}/compositeDiagnosisCodePointers/diagnosisCodePointers"] = f"{sent}/diagnosisCodes"
    if diagnoses:
        claim["healthCareCodeInformation"] = diagnoses


def _codes(holder: object, at: str, names: tuple[str, ...]) -> Iterator[tuple[object, str]]:
    """The diagnosis codes under some names of an object, with their pointers."""
    for name in names:
        value = holder.get(name) if type(holder) is dict else None
        if type(value) is list:
            yield from ((code, f"{at}/{name}/{index}") for index, code in enumerate(value) if not _empty(code))
        elif not _empty(value):
            yield value, f"{at}/{name}"


def _bare(code: object) -> str:
    """A diagnosis code by which to tell whether two are the same."""
    return code.replace(".", "").strip().upper() if type(code) is str else repr(code)


@cache
def _places() -> _Node:
    """The places of this shape, from the top of the body."""
    top = _Node()
    with _PLACES.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            _node(top, row["sent"]).targets.append(_PlaceInV3(tuple(row["v3"].split("/")), row["words"]))
    for name in _READ_APART["encounter"]:
        _node(top, f"encounter/{name}")
    for name in _READ_APART["line"]:
        _node(top, f"{_LINES}/*/{name}")
    return top


def _node(top: _Node, path: str) -> _Node:
    node = top
    for name in path.split("/"):
        node = node.children.setdefault(name, _Node())
    return node


@cache
def _word_lists() -> Mapping[str, Mapping[str, str]]:
    """By list the codes of its words."""
    lists: dict[str, dict[str, str]] = {}
    with _WORDS.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            lists.setdefault(row["list"], {})[row["word"]] = row["code"]
    return lists
