"""From what of a v3 body each segment of an 837P is written, in the order of the guide, drawn up from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from scrubber.claim.elements import CATALOGUE, Element, Place
from scrubber.claim.v3 import readers
from scrubber.claim.x12.guide import LOOPS, QUALIFIED, Use
from scrubber.claim.x12.plans import ENTRIES, Path, Reader, split_path

# Loops by the segment that opens them; of all others it is NM1.
_OPENED_BY = {"2300": "CLM", "2320": "SBR", "2400": "LX", "2410": "LIN", "2430": "SVD", "2440": "LQ"}
# Where an element of the patient stands when he is a dependent, and where when he is the subscriber.
_OF_DEPENDENT, _OF_SUBSCRIBER = ("2000C", "2010CA"), ("2000B", "2010BA")
_IN_ENVELOPE = ("HEADER", "ISA")


class Step(NamedTuple):
    """One element of a segment: from where in the object it comes (`inside`), and where in the segment it goes.

    `listed`: from a list, whose entries stand beside each other if the place has a `last`, else in a segment each.
    `either`: the same element has another place in this loop, and this one is for ranges of days.
    `of_subscriber`: only for a patient who is the subscriber.
    """

    element: Element
    place: Place
    inside: Path
    read: Reader
    listed: bool
    either: bool
    of_subscriber: bool


class SegmentLayout:
    """One kind of segment. `level`: of ENTRIES, whose object it is written from; `entry`: the list in that object of
    which each entry is a segment; `more`: what stands behind the first such segment; `group`: the list in the entry
    that stands in repeated elements (CAS)."""

    def __init__(self, place: Place, level: int, entry: Path) -> None:
        self.segment = place.segment
        self.qualifiers = place.qualifiers
        self.more = place.how == "more"
        self.level = level
        self.entry = entry
        self.steps: list[Step] = []
        self.group: Path = ()
        self.grouped: list[Step] = []

    @cached_property
    def names(self) -> frozenset[str]:
        """Names in the object without any of which it gives no such segment."""
        return frozenset([self.entry[0]]) if self.entry else frozenset(step.inside[0] for step in self.steps)


class Position(NamedTuple):
    """What comes next in a loop: segments, or the loop that is opened with a qualifier; at most `most` of them."""

    layouts: tuple[SegmentLayout, ...]
    opens: str
    qualifier: str
    most: int

    def takes(self, layout: SegmentLayout, code: str) -> bool:
        """Whether a segment whose first element is this code is read back as one of this layout."""
        if layout.qualifiers:
            return code in layout.qualifiers
        return not any(code in other.qualifiers for other in self.layouts)


class LoopLayout(NamedTuple):
    """A loop: its first segment, and what follows, in order. `all` are the segments of the loop itself."""

    opener: str
    first: tuple[SegmentLayout, ...]
    positions: tuple[Position, ...]
    all: tuple[SegmentLayout, ...]


def layouts_of(elements: Iterable[Element]) -> dict[str, LoopLayout]:
    """By loop, what is written of these elements."""
    by_loop: dict[str, list[SegmentLayout]] = {name: [] for name in LOOPS}
    for element in elements:
        pairs = element.pairs()
        for path, place in pairs:
            if place.loop not in _IN_ENVELOPE:
                loops = {other.loop for along, other in pairs if along == path and other != place}
                _add(by_loop[place.loop], element, path, place, loops)
    return {name: _loop(name, layouts) for name, layouts in by_loop.items()}


def _add(layouts: list[SegmentLayout], element: Element, path: Path, place: Place, other_loops: set[str]) -> None:
    level = max(index for index, (_, start) in enumerate(ENTRIES) if path[: len(start)] == start)
    inside = path[len(ENTRIES[level][1]) :]
    listed = inside[-1] == "*"
    entry, inside = split_path(inside[:-1] if listed else inside)
    group, inside = split_path(inside)
    of_subscriber = place.loop in _OF_SUBSCRIBER and not other_loops.isdisjoint(_OF_DEPENDENT)
    either = place.how in ("from", "to") and place.loop in other_loops
    step = Step(element, place, inside, _reader(element, place, listed=listed), listed, either, of_subscriber)
    layout = _layout(layouts, place, level, entry)
    if group:
        layout.group = group
        layout.grouped.append(step)
    else:
        layout.steps.append(step)


def _reader(element: Element, place: Place, *, listed: bool) -> Reader:
    """How a value is understood, of whatever length and not only those of its list; a pointer alone is a text."""
    if listed and place.last and element.type in readers.LISTED:
        return readers.LISTED[element.type]
    return readers.ALONE.get(element.type, readers.ALONE["text"])


def _layout(layouts: list[SegmentLayout], place: Place, level: int, entry: Path) -> SegmentLayout:
    """The layout that this place is part of."""
    same = (place.segment, place.qualifiers, place.how == "more", level, entry)
    for layout in layouts:
        if (layout.segment, layout.qualifiers, layout.more, layout.level, layout.entry) == same:
            return layout
    layouts.append(SegmentLayout(place, level, entry))
    return layouts[-1]


def _loop(name: str, layouts: list[SegmentLayout]) -> LoopLayout:
    opener = _OPENED_BY.get(name, "HL" if name.startswith("2000") else "NM1")
    first = tuple(layout for layout in layouts if layout.segment == opener)
    uses: dict[Use, list[str]] = {}
    for key, use in LOOPS[name].uses.items():
        uses.setdefault(use, []).append(key)
    return LoopLayout(opener, first, tuple(_position(use, keys, layouts) for use, keys in uses.items()), tuple(layouts))


def _position(use: Use, keys: list[str], layouts: list[SegmentLayout]) -> Position:
    segment, _, qualifier = keys[0].partition("*")
    if use.opens:
        return Position((), use.opens, qualifier, use.most)
    qualifiers = {key.partition("*")[2] for key in keys}
    here = [
        layout
        for layout in layouts
        if layout.segment == segment and (segment not in QUALIFIED or qualifiers & set(layout.qualifiers))
    ]
    here.sort(key=_order(keys))
    return Position(tuple(here), "", qualifier, use.most)


def _order(keys: list[str]) -> Any:
    """Lists behind what stands once, and qualifiers in the order of the guide."""
    names = [key.partition("*")[2] for key in keys]
    return lambda layout: (
        layout.more or bool(layout.entry),
        names.index(layout.qualifiers[0]) if layout.qualifiers and layout.qualifiers[0] in names else 0,
    )


LAYOUT = layouts_of(CATALOGUE.values())
