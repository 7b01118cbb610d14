"""What each segment of an 837P says, drawn up from the catalogue of elements for the reader of X12 claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from scrubber.claim.elements import CATALOGUE, Element, Place
from scrubber.claim.v3 import readers, values

Reader = Callable[[Any], Any]
Path = tuple[str, ...]

_CI = "claimInformation"
_LINE: Path = (_CI, "serviceLines", "*")
_OTHER: Path = (_CI, "otherSubscriberInformation", "*")
# Loops that stand several times in a claim, each time as a new entry of a list of the v3 body. A path belongs to the
# last of these that it begins with; the root of the body comes first.
ENTRIES: tuple[tuple[str, Path], ...] = (
    ("", ()),
    ("2320", _OTHER),
    ("2400", _LINE),
    ("2430", (*_LINE, "lineAdjudicationInformation", "*")),
    ("2440", (*_LINE, "formIdentification", "*")),
    ("2330C", (*_OTHER, "otherPayerReferringProvider", "*")),
    ("2330D", (*_OTHER, "otherPayerRenderingProvider", "*")),
    ("2330E", (*_OTHER, "otherPayerServiceFacilityLocation", "*")),
    ("2330F", (*_OTHER, "otherPayerSupervisingProvider", "*")),
    ("2330G", (*_OTHER, "otherPayerBillingProvider", "*")),
)
ROOT = 0

# Segments whose first element says which of several they are.
QUALIFIED = frozenset(("REF", "DTP", "AMT", "NTE", "CRC", "QTY"))
COMMUNICATION = (3, 5, 7)  # elements of PER that say what kind of number the next one is
# What says nothing that another element does not say: kinds of entities, formats of dates, units that never differ; of
# a segment wherever it stands, or in one loop.
IMPLIED: dict[str, tuple[int, ...]] = {
    "NM1": (1, 2, 8),
    "1000B NM1": (9,),  # to whom the file goes, of which a claim says nothing
    "PRV": (1, 2),
    "PER": (1, *COMMUNICATION),
    "DTP": (2,),
    "DMG": (1,),
    "PAT": (5, 7),
    "PWK": (5,),
    "CR1": (1, 5),
    "CR3": (2,),
    "SV5": (1, 2),
    "SBR": (2,),
    "CRC": (3,),
    "ST": (1, 3),
    "ISA": tuple(range(1, 17)),
}


class Step:
    """One element of a segment: where it stands there, where it goes in the loaded body, and how it is read."""

    def __init__(self, element: Element, place: Place, inside: Path, read: Reader, *, listed: bool) -> None:
        self.name = element.name
        self.element = place.element
        self.component = place.component
        self.last = place.last
        self.how = place.how
        self.behind = place.behind
        self.inside = inside[:-1]
        self.key = inside[-1]
        self.read = read
        # Under what the values of this reader are kept for the next claims; plain texts are read as quickly.
        self.kept_as = "" if element.type == "text" or place.last else f"{element.name} {place}"
        self.listed = listed  # one more entry of a list
        self.entity = {"if 02=1": "1", "if 02=2": "2"}.get(place.how, "")  # persons alone, or organizations
        self.ends = place.how in ("from", "to")
        # Read from more than one element, or from one that another says the kind of.
        self.wide = bool(place.behind) or (place.last > 0 and not place.component)
        # Nothing to be done but to read its element and to put it in its place.
        self.plain = not (place.component or self.wide or listed or self.entity or self.ends)


class Plan:
    """What one kind of segment says. `entry`: a list that gets one more object for each such segment."""

    def __init__(self, level: int, entry: Path, more: bool) -> None:
        self.level = level  # which of ENTRIES it belongs to
        self.entry = entry
        self.more = more  # only for what a plan for the first such segment leaves over
        self.first = False  # and such a plan there is
        self.steps: list[Step] = []
        self.group = ""  # of repeated elements (CAS): the list of them
        self.stride = 0
        self.grouped: list[Step] = []
        self.each: list[Step] = []  # of every composite of the segment (HI)
        # By element, what is read from it alone; None: nothing is, and nothing is implied by it.
        self.by_element: list[list[Step] | None] = []
        self.wide: list[Step] = []  # what is read from several elements

    def at(self, element: int) -> list[Step] | None:
        """What is read from the element with this number."""
        return self.by_element[element] if element < len(self.by_element) else None


class Plans(NamedTuple):
    """The plans of one segment in one loop. `qualified` by the segment's first element; `others` where it is none."""

    qualified: dict[str, list[Plan]]
    others: list[Plan]


Loops = dict[str, dict[str, Plans]]


class Readers(Protocol):
    """Chooses how an element is read at a place: alone, or as a list where its path ends in one."""

    def __call__(self, element: Element, place: Place, *, listed: bool) -> Reader:  # noqa: D102 -- as the class says
        ...


def plans_of(elements: Iterable[Element], readers: Readers) -> Loops:
    """By loop and segment, the plans for these elements."""
    loops: Loops = {}
    for element in elements:
        for path, place in element.pairs():
            if place.how == "or":  # another name of what is read there already
                continue
            of_loop = loops.setdefault(place.loop, {})
            plans = of_loop.setdefault(place.segment, Plans({}, []))
            _add(plans, element, place, path, readers)
    for loop, of_loop in loops.items():
        for segment, plans in of_loop.items():
            for some, implied in ((plans.others, ()), *((qualified, (1,)) for qualified in plans.qualified.values())):
                for plan in some:
                    plan.first = not plan.more and any(other.more for other in some)
                    _know(plan, (*implied, *IMPLIED.get(segment, ()), *IMPLIED.get(f"{loop} {segment}", ())))
    return loops


def _add(plans: Plans, element: Element, place: Place, path: Path, readers: Readers) -> None:
    level = max(index for index, (_, start) in enumerate(ENTRIES) if path[: len(start)] == start)
    inside = path[len(ENTRIES[level][1]) :]
    listed = inside[-1] == "*"
    inside = inside[:-1] if listed else inside
    entry, inside = split_path(inside)
    group, inside = split_path(inside)
    step = Step(element, place, inside, readers(element, place, listed=listed), listed=listed)
    for plan in _plans(plans, place, level, entry):
        if group:
            plan.group, plan.stride = group[-1], place.stride
            plan.grouped.append(step)
        elif place.segment == "HI":
            plan.each.append(step)
        else:
            plan.steps.append(step)


def split_path(path: Path) -> tuple[Path, Path]:
    """The path to a list of objects, and the path in each of them; no list where there is none."""
    if "*" not in path:
        return (), path
    at = path.index("*")
    return path[:at], path[at + 1 :]


def _plans(plans: Plans, place: Place, level: int, entry: Path) -> Iterable[Plan]:
    """The plans that this place is part of, made where there are none yet."""
    more = place.how == "more"
    lists = [plans.qualified.setdefault(qualifier, []) for qualifier in place.qualifiers] or [plans.others]
    for some in lists:
        same = [plan for plan in some if plan.level == level and plan.entry == entry and plan.more == more]
        if not same:
            some.append(Plan(level, entry, more))
            some.sort(key=lambda plan: plan.more)
        yield (
            same[0]
            if same
            else next(plan for plan in some if plan.level == level and plan.entry == entry and plan.more == more)
        )


def _know(plan: Plan, implied: Iterable[int]) -> None:
    known = {0, *implied}
    for step in plan.steps:
        most = step.last if step.last and not step.component else step.element
        known.update(range(step.element, most + 1))
        if step.behind:
            known.update((4, 6, 8))
    for step in plan.grouped:
        known.update(range(step.element, 20, plan.stride))
    if plan.each:
        known.update(range(1, 13))
    plan.by_element = [[] if position in known else None for position in range(max(known) + 1)]
    containers: dict[Path, Path] = {}  # one object for equal paths, so that they can be told apart at a glance
    for step in sorted(plan.steps, key=lambda step: step.inside):
        step.inside = containers.setdefault(step.inside, step.inside)
        of_element = plan.by_element[step.element]
        if step.wide or of_element is None:
            plan.wide.append(step)
        else:
            of_element.append(step)


def _flag(how: str) -> Reader:
    """True where the element has the code that says so: `is P`, or `is Y not N` where another one says the contrary."""
    words = how.split()
    truth = {words[1]: True} | ({words[3]: False} if len(words) > 2 else {})

    def read(raw: Any) -> Any:
        return truth.get(raw, values.NO_CODE)

    return read


def _reader(element: Element, place: Place, *, listed: bool) -> Reader:
    if element.type == "flag":
        return _flag(place.how)
    if element.type in ("amount", "number"):
        return _without_zero(readers.alone(element))
    return readers.listed(element) if listed and place.last else readers.alone(element)


def _without_zero(read: Reader) -> Reader:
    """Numbers that begin with their point: the transaction writes no zero before it."""

    def read_number(raw: Any) -> Any:
        return read(f"0{raw}" if raw[0] == "." else f"-0{raw[1:]}" if raw[:2] == "-." else raw)

    return read_number


def _as_written(element: Element, place: Place, *, listed: bool) -> Reader:  # noqa: ARG001 -- as _reader
    return _flag(place.how) if element.type == "flag" else _same


def _same(raw: Any) -> Any:
    return raw


READ: Loops = plans_of(CATALOGUE.values(), _reader)  # values as the readers of JSON give them
WRITTEN: Loops = plans_of(CATALOGUE.values(), _as_written)  # texts as they stand in the file: the v3 body
