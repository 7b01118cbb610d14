"""Follows the envelope of an X12 file: interchanges, functional groups and transaction sets, with counts and numbers.

As a clearinghouse would: what is wrong with a header (ISA, GS, ST) concerns each claim behind it; what is wrong with a
trailer (SE, GE, IEA) is known only behind the claims, so it is a fault of the set, group or interchange that ends.
A set that is no 837P of 005010X222 is refused by name, and what follows it is read. What a set is, its group says
(GS08): where that is the guide, a set that names another (ST03) is read, and the fault concerns each of its claims;
where it is not, ST03 decides.
"""

from __future__ import annotations

from typing import NamedTuple

from scrubber.claim.x12.faults import X12Fault, add_fault
from scrubber.claim.x12.recognize import VERSIONS, foreign_set

MOST_CONTROL_NUMBERS = 10_000  # of one envelope that are compared with each other


class EndOfSet(NamedTuple):
    """A transaction set that has ended, ST to SE. `foreign` says what it is if it was refused, else it is empty.

    `header` are the elements of ST, `group` those of GS; both may be empty. `first` and `last` are ordinals.
    """

    group: list[str]
    header: list[str]
    first: int
    last: int
    claims: int
    foreign: str
    faults: list[X12Fault]


class EndOfGroup(NamedTuple):
    """A functional group that has ended, GS to GE."""

    header: list[str]
    first: int
    last: int
    sets: int
    faults: list[X12Fault]


class EndOfInterchange(NamedTuple):
    """An interchange that has ended, ISA to IEA."""

    header: list[str]
    first: int
    last: int
    groups: int
    faults: list[X12Fault]


class Frame:
    """An envelope that is open: elements of its header, and what was counted in it."""

    def __init__(self, header: list[str], first: int) -> None:
        self.header = header
        self.first = first
        self.children = 0  # groups of an interchange, sets of a group, claims of a set
        self.numbers: set[str] = set()  # control numbers of its children
        self.header_faults: list[X12Fault] = []  # of each claim in it
        self.faults: list[X12Fault] = []  # of itself
        self.foreign = ""  # what a set is that is not read


Ended = EndOfSet | EndOfGroup | EndOfInterchange


def element(elements: list[str], number: int) -> str:
    """The element with this number, from 1; empty where the segment ends before it."""
    return elements[number].strip() if len(elements) > number else ""


class Envelope:
    """What is open at a segment. Each method takes a segment of the envelope and appends what it ends to `ended`."""

    def __init__(self) -> None:
        self.interchange: Frame | None = None
        self.group: Frame | None = None
        self.set: Frame | None = None
        self.sets_read = 0  # 837P sets of the file
        self.acknowledgments = 0  # TA1
        self._numbers: set[str] = set()  # of interchanges

    def isa(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """A new interchange."""
        self._end_interchange(ordinal - 1, ended, "not-closed")
        frame = Frame(elements, ordinal)
        self.interchange = frame
        if element(elements, 12) != "00501":
            add_fault(frame.header_faults, "version", ordinal, "ISA", "ISA12")
        _check_number(frame, self._numbers, element(elements, 13), "ISA", "ISA13")

    def gs(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """A new functional group."""
        self._end_group(ordinal - 1, ended, "not-closed")
        interchange = self._interchange(ordinal)
        frame = Frame(elements, ordinal)
        self.group = frame
        interchange.children += 1
        if element(elements, 1) != "HC":
            add_fault(frame.header_faults, "functional-group", ordinal, "GS", "GS01")
        _check_number(frame, interchange.numbers, element(elements, 6), "GS", "GS06")

    def st(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """A new transaction set; `set.foreign` says whether it is to be read."""
        self._end_set(ordinal - 1, ended, "not-closed")
        group = self._group(ordinal)
        frame = Frame(elements, ordinal)
        self.set = frame
        group.children += 1
        of_group, of_set = element(group.header, 8), element(elements, 3)
        version = of_group if of_group in VERSIONS or not of_set else of_set
        frame.foreign = foreign_set(element(elements, 1), version)
        if frame.foreign:
            add_fault(frame.faults, "foreign-set", ordinal, "ST", "ST01")
            return
        self.sets_read += 1
        if of_set and group.header and of_set != of_group:
            add_fault(frame.header_faults, "version", ordinal, "ST", "ST03")
        _check_number(frame, group.numbers, element(elements, 2), "ST", "ST02")

    def se(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """The end of a transaction set; SE01 counts its segments, ST and SE among them."""
        frame = self.set
        if frame is None:
            self.stray("not-open", ordinal, "SE")
            return
        _check_trailer(frame, elements, ordinal, ordinal - frame.first + 1, 2)
        self._end_set(ordinal, ended, "")

    def ge(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """The end of a functional group; GE01 counts its sets."""
        self._end_set(ordinal - 1, ended, "not-closed")
        frame = self.group
        if frame is None:
            self.stray("not-open", ordinal, "GE")
            return
        _check_trailer(frame, elements, ordinal, frame.children, 6)
        self._end_group(ordinal, ended, "")

    def iea(self, elements: list[str], ordinal: int, ended: list[Ended]) -> None:
        """The end of an interchange; IEA01 counts its functional groups."""
        self._end_group(ordinal - 1, ended, "not-closed")
        frame = self.interchange
        if frame is None:
            self.stray("not-open", ordinal, "IEA")
            return
        _check_trailer(frame, elements, ordinal, frame.children, 13)
        self._end_interchange(ordinal, ended, "")

    def stray(self, word: str, ordinal: int, segment: str) -> None:
        """A segment that stands in no set, or closes nothing: a fault of the envelope around it."""
        add_fault((self.group or self._interchange(ordinal)).faults, word, ordinal, segment)

    def end(self, ordinal: int, ended: list[Ended]) -> None:
        """The end of the file, behind the segment with this ordinal."""
        self._end_interchange(ordinal, ended, "cut-off")

    def _interchange(self, ordinal: int) -> Frame:
        """The open interchange, or one without a header for what stands outside."""
        if self.interchange is None:
            self.interchange = Frame([], ordinal)
            add_fault(self.interchange.header_faults, "not-in-interchange", ordinal, "")
        return self.interchange

    def _group(self, ordinal: int) -> Frame:
        if self.group is None:
            self._interchange(ordinal)
            self.group = Frame([], ordinal)
            add_fault(self.group.header_faults, "not-in-group", ordinal, "")
        return self.group

    def _end_set(self, ordinal: int, ended: list[Ended], word: str) -> None:
        frame, self.set = self.set, None
        if frame is None:
            return
        if word:
            add_fault(frame.faults, word, frame.first, "ST")
        group = [] if self.group is None else self.group.header
        faults = frame.header_faults + frame.faults
        ended.append(EndOfSet(group, frame.header, frame.first, ordinal, frame.children, frame.foreign, faults))

    def _end_group(self, ordinal: int, ended: list[Ended], word: str) -> None:
        self._end_set(ordinal, ended, word)
        frame, self.group = self.group, None
        if frame is None:
            return
        if word:
            add_fault(frame.faults, word, frame.first, "GS")
        faults = frame.header_faults + frame.faults
        ended.append(EndOfGroup(frame.header, frame.first, ordinal, frame.children, faults))

    def _end_interchange(self, ordinal: int, ended: list[Ended], word: str) -> None:
        self._end_group(ordinal, ended, word)
        frame, self.interchange = self.interchange, None
        if frame is None:
            return
        if word:
            add_fault(frame.faults, word, frame.first, "ISA")
        faults = frame.header_faults + frame.faults
        ended.append(EndOfInterchange(frame.header, frame.first, ordinal, frame.children, faults))


def _check_number(frame: Frame, used: set[str], number: str, segment: str, name: str) -> None:
    if not number:
        add_fault(frame.header_faults, "control-number-missing", frame.first, segment, name)
    elif number in used:
        add_fault(frame.header_faults, "control-number-repeated", frame.first, segment, name)
    elif len(used) < MOST_CONTROL_NUMBERS:
        used.add(number)


def _check_trailer(frame: Frame, elements: list[str], ordinal: int, counted: int, number: int) -> None:
    """The count in a trailer, and its control number, which is element `number` of the header."""
    name = elements[0]
    count = element(elements, 1)
    if not (count.isdecimal() and len(count) < 12 and int(count) == counted):
        add_fault(frame.faults, "count", ordinal, name, name + "01")
    if frame.header and element(elements, 2) != element(frame.header, number):
        add_fault(frame.faults, "control-number", ordinal, name, name + "02")
