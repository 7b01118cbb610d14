"""The catalogue of elements: what a professional claim can say, where in JSON and in X12, and in what words.

`elements.csv` beside this module has a row for each element that the v3 body and the 837P can both carry. Readers and
writers of claims, pointers, findings and documentation all come from it; to add an element is to add a row. Columns:

- `name`: ours, in rules and findings.
- `type`: text, code, digits (may be sent with dashes), two-characters (a code of two: leading zeros come back), yes-no,
  flag (true or false), amount, number, date, zip, sex, procedure, diagnosis, pointer.
- `json`: its path in the v3 body; `*` stands for each entry of a list. Alternatives are separated by ` | `, and so are
  those of `x12`; where both columns have as many, they belong together one by one.
- `x12`: loop, segment with its qualifiers, element, and how it stands there (`Place`).
- `box`: of the CMS-1500. `length`: fewest and most characters. `need`: required (where its segment or loop is there)
  or situational, and `when`. `codes`: the only ones allowed, where they are few. `label`: in our words.

Positions, lengths and codes are those of 005010X222A1.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("elements.csv")
_PLACE = re.compile(
    r"(?P<loop>\S+) (?P<segment>[A-Z0-9]+)(?:\*(?P<qualifiers>\S+))?"
    r" (?:(?P<behind>[A-Z]{2})|(?P<element>\d\d|each)(?:-(?P<component>\d))?(?:\.\.(?P<last>\d+))?"
    r"(?:\+(?P<stride>\d))?)(?P<how>(?: .+)?)"
)


class Place(NamedTuple):
    """Where an element stands in the 837P.

    `qualifiers` are values of the segment's first element (of a composite: of its first component) that make it this
    one. `element` counts from 1; 0: every element of the segment (HI). `component` counts from 1; 0: the whole element.
    `last` is the last element, or component, of a list that begins here, `stride` the distance between the repetitions
    of a group of elements (CAS). `behind`: a communication qualifier, behind which the value stands (PER).
    `how`: `if 02=1` and `if 02=2`: only for persons, for organizations; `is P`: true where the element is P; `from` and
    `to`: the ends of a range of dates; `first` and `more`: the first such segment, and those behind it; `or`: a second
    element that is written here, while what is read here is the first.
    """

    loop: str
    segment: str
    qualifiers: tuple[str, ...]
    element: int
    component: int
    last: int
    stride: int
    behind: str
    how: str

    @property
    def name(self) -> str:
        """As findings name it: REF02, SV101-3."""
        if self.behind or self.how == "whole":
            return self.segment
        component = f"-{self.component}" if self.component and not (self.component == 1 and self.last) else ""
        return f"{self.segment}{self.element or 1:02}{component}"


@dataclass(frozen=True)
class Element:
    """A row of the catalogue. `paths` are its places in the v3 body, as names; `places` those in the 837P."""

    name: str
    type: str
    paths: tuple[tuple[str, ...], ...]
    places: tuple[Place, ...]
    box: str | None
    shortest: int
    longest: int
    need: str
    when: str
    codes: tuple[str, ...]
    label: str

    @property
    def is_are(self) -> str:
        """The verb that goes with the label."""
        return "are" if self.label in _PLURAL else "is"

    @property
    def loop(self) -> str:
        """The loop of its first place; empty for what has no place in the 837P."""
        return self.places[0].loop if self.places else ""

    @property
    def x12(self) -> str:
        """The element of its first place, such as SV101-2; empty for what has no place in the 837P."""
        return self.places[0].name if self.places else ""

    @cached_property
    def owner(self) -> str:
        """Whose it is: claim, line, service, diagnosis, subscriber, patient, facility or the role of a provider."""
        return _owner(self.paths)

    @cached_property
    def path(self) -> str:
        """The JSON pointer from its owner on; `*` stands for an entry of a list, and not for values that are one."""
        names = self.paths[0][len(_OWNERS[self.owner]) :]
        return "".join(f"/{name}" for name in (names[:-1] if names[-1:] == ("*",) else names))

    def pairs(self) -> list[tuple[tuple[str, ...], Place]]:
        """Each path with the place that carries it."""
        if len(self.paths) == len(self.places):
            return [*zip(self.paths, self.places, strict=True)]
        if len(self.paths) == 1:
            return [(self.paths[0], place) for place in self.places]
        return [(self.paths[-1], place) for place in self.places]


_CI = ("claimInformation",)
_LINE = (*_CI, "serviceLines", "*")
# By owner the path to what is his. Of a person in both places, the patient is the dependent, else the subscriber.
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "service": (*_LINE, "professionalService"),
    "line": _LINE,
    "diagnosis": (*_CI, "healthCareCodeInformation", "*"),
    "facility": (*_CI, "serviceFacilityLocation"),
    "subscriber": ("subscriber",),
    "patient": ("dependent",),
    **{role: (role,) for role in ("billing", "rendering", "ordering", "referring", "supervising")},
    "claim": (),
}


def _owner(paths: tuple[tuple[str, ...], ...]) -> str:
    if {path[:1] for path in paths} == {("subscriber",), ("dependent",)}:
        return "patient"
    return next(owner for owner, start in _OWNERS.items() if paths[0][: len(start)] == start)


def read_place(text: str) -> Place:
    """A place as a cell of `x12` writes it, for example `2300 REF*G1 02`. Raises ValueError for anything else."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a place in the 837P: {text}")
    element = found["element"] or ""
    return Place(
        found["loop"],
        found["segment"],
        tuple((found["qualifiers"] or "").split(",")) if found["qualifiers"] else (),
        int(element) if element.isdigit() else 0,
        int(found["component"] or 0),
        int(found["last"] or 0),
        int(found["stride"] or 0),
        found["behind"] or "",
        found["how"].strip(),
    )


def read_elements(file: Path = _FILE) -> dict[str, Element]:
    """The rows of the catalogue by name. Raises ValueError for a name that stands twice, or a place that is none."""
    elements: dict[str, Element] = {}
    with file.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["name"] in elements:
                raise ValueError(f"two elements are called {row['name']}")
            elements[row["name"]] = _element(row)
    return elements


def _element(row: Mapping[str, str]) -> Element:
    shortest, _, longest = row["length"].partition("..")
    return Element(
        row["name"],
        row["type"],
        tuple(tuple(path.split("/")) for path in row["json"].split(" | ")),
        tuple(read_place(place) for place in row["x12"].split(" | ")),
        row["box"] or None,
        int(shortest or 0),
        int(longest or shortest or 0),
        row["need"],
        row["when"],
        tuple(row["codes"].split()),
        row["label"],
    )


def _whole(name: str, path: str, place: str, box: str | None, label: str) -> Element:
    """An object or a list of the claim that findings may be about as a whole."""
    loop, _, segment = place.partition(" ")
    places = (Place(loop, segment, (), 0, 0, 0, 0, "", "whole"),) if place else ()
    names = tuple(path.split("/")) if path else ()
    return Element(name, "object", (names,), places, box, 0, 0, "situational", "", (), label)


_PLURAL = frozenset(
    ("diagnoses", "service lines", "modifiers", "units", "diagnosis pointers", "advance beneficiary notices",
     "earlier services", "related causes", "goals or discharge plans", "ambulance miles", "ambulance conditions",
     "vision conditions", "EPSDT conditions", "surgical procedures of the anesthesia", "condition codes",
     "repriced units", "outpatient adjudication remark codes", "patients in the ambulance",
     "additional obstetric anesthesia units", "goals or discharge plans of the line")
)  # fmt: skip
_OBJECTS = (
    _whole("submitter-contact", "submitter/contactInformation", "1000A PER", None, "submitter contact"),
    _whole("diagnoses", "claimInformation/healthCareCodeInformation", "2300 HI", "21", "diagnoses"),
    _whole("service-lines", "claimInformation/serviceLines", "2400 LX", "24", "service lines"),
    _whole("documentation", "scrubContext/documentation", "", None, "documentation"),
    _whole("abn", "scrubContext/abn", "", None, "advance beneficiary notices"),
    _whole("history", "scrubContext/history", "", None, "earlier services"),
    _whole("eligibility", "scrubContext/eligibility", "", None, "eligibility"),
    _whole("pricing", "scrubContext/pricing", "", None, "pricing"),
    _whole("received-on", "scrubContext/receivedOn", "", None, "received-on date"),
    _whole("body", "", "", None, "body of the claim"),
)
CATALOGUE: Mapping[str, Element] = read_elements()
ELEMENTS: Mapping[str, Element] = {**CATALOGUE, **{element.name: element for element in _OBJECTS}}

# What an element may hold, in words for the sender: by the last name of its pointer, else by what was expected.
READABLE: Mapping[str, str] = {
    "participation": "par or nonpar",
    "locality": "national, or five digits, a hyphen and two digits, such as 10112-00",
    "qualifyingApm": "true or false",
    "qmb": "true or false",
    "historyComplete": "true or false",
    "historyScope": "group, payer or all",
    "refused": "true or false",
    "separateReport": "true or false",
    "modifierSupport": "true or false",
    "plan": "a plan's name in small letters and hyphens, such as original-medicare",
    "lines": "positions of service lines, counted from 1",
    "object": "an object with its names",
    "list": "a list of objects",
    "text": "a text",
    "amount": "dollars as digits with a point",
    "number": "a number as digits",
    "date": "a date as CCYYMMDD",
    "pointer": "the position of a diagnosis, from 1",
    "code": "a code as text",
}
