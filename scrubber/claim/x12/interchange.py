"""Writes claims as X12 files: interchanges with groups, sets and levels around the segments of each claim.

Claims stay in their order. Neighbours share what they have in common: the interchange those of one usage, the set those
of one control number, submitter and receiver, the levels those of one billing provider, subscriber and patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from scrubber.claim.x12.segments import Delimiters
from scrubber.claim.x12.write import Segment, WrittenClaim

VERSION = "005010X222A1"
MOST_CLAIMS = 5_000  # of one interchange: as many as the guide advises for one set
_NUMBERS = 10**9  # ISA13 and GS06 have up to nine digits

# What may stand between elements, components, repetitions and segments: the first that no value contains.
_MARKS = ("*|", ":><", "^`", "~")
_OTHER_MARKS = "!+;=?@_{}#$%&\"'()/\\[]\x1c\x1d\x1e\x1f"


class Header(NamedTuple):
    """What stands in the envelope: ids of sender and receiver with their qualifiers, when, the first control number.

    `usage`: P or T, for claims that do not say it. Ids have 2 to 15 characters.
    """

    sender: str
    receiver: str
    moment: datetime
    control_number: int
    usage: str
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"


def write_interchanges(claims: Iterable[WrittenClaim], header: Header) -> Iterator[str]:
    """Interchanges, each with up to MOST_CLAIMS claims, which are held until it is whole: their values decide on its
    delimiters. Control numbers are counted on from the header's."""
    number = header.control_number
    waiting: list[WrittenClaim] = []
    for claim in claims:
        if waiting and (len(waiting) == MOST_CLAIMS or _usage(claim, header) != _usage(waiting[0], header)):
            yield _interchange(waiting, header, number)
            number = number % (_NUMBERS - 1) + 1
            waiting = []
        waiting.append(claim)
    if waiting:
        yield _interchange(waiting, header, number)


def _usage(claim: WrittenClaim, header: Header) -> str:
    return claim.usage or header.usage


def _interchange(claims: list[WrittenClaim], header: Header, number: int) -> str:
    groups = _Groups(header, number)
    for claim in claims:
        groups.add(claim)
    segments = groups.ended()
    return "".join(_lines(segments, choose_delimiters(segments), header, _usage(claims[0], header), number))


class _Groups:
    """The segments of an interchange between ISA and IEA, as claims are added."""

    def __init__(self, header: Header, number: int) -> None:
        self._header = header
        self._number = number
        self._segments: list[Segment] = []
        self._groups = 0
        self._sets = 0  # of the group
        self._set_numbers: set[str] = set()  # of the group
        self._set_begins = 0  # index of ST
        self._set_number = ""
        self._set: tuple[str, list[Segment]] | None = None  # what the claims of the set have in common
        self._levels = 0
        self._above: dict[str, tuple[list[Segment], str]] = {}  # by level: its segments and its number

    def add(self, claim: WrittenClaim) -> None:
        """A claim, under what it shares with the one before and what is its own."""
        if self._set != (claim.control_number, claim.header):
            self._begin_set(claim)
        self._level("20", "", claim.billing, has_children=True)
        self._level("22", self._above["20"][1], claim.subscriber, has_children=claim.patient is not None)
        if claim.patient is not None:
            self._level("23", self._above["22"][1], claim.patient, has_children=False)
        self._segments += claim.claim

    def _begin_set(self, claim: WrittenClaim) -> None:
        self._end_set()
        if not self._groups or claim.control_number in self._set_numbers:
            self._begin_group()
        self._set = (claim.control_number, claim.header)
        self._set_number = claim.control_number or self._free_number()
        self._set_numbers.add(self._set_number)
        self._sets += 1
        self._set_begins = len(self._segments)
        moment = self._header.moment
        self._segments.append(["ST", "837", self._set_number, VERSION])
        reference = f"{self._number}-{self._set_number}"
        self._segments.append(["BHT", "0019", "00", reference, f"{moment:%Y%m%d}", f"{moment:%H%M}", "CH"])
        self._segments += [self._with_id(segment) for segment in claim.header]
        self._levels = 0
        self._above = {}

    def _free_number(self) -> str:
        """The next number of a set whose claims do not say it."""
        return next(text for text in map("{:04}".format, range(1, _NUMBERS)) if text not in self._set_numbers)

    def _with_id(self, segment: Segment) -> Segment:
        """The submitter's and the receiver's name with the ids of the envelope, where the body has none."""
        if segment[0] != "NM1" or len(segment) > _ID:
            return segment
        party = self._header.sender if segment[1] == "41" else self._header.receiver
        return [*segment, *[""] * (_ID - 1 - len(segment)), "46", party]

    def _level(self, code: str, parent: str, segments: list[Segment], *, has_children: bool) -> None:
        """A level, unless the claim before stands under the same one."""
        above = self._above.get(code)
        children = "1" if has_children else "0"
        if above is not None and above[0] == [[children], *segments]:
            return
        self._levels += 1
        number = str(self._levels)
        for below in ("20", "22", "23")[("20", "22", "23").index(code) :]:
            self._above.pop(below, None)
        self._above[code] = ([[children], *segments], number)
        self._segments.append(["HL", number, parent, code, children])
        self._segments += segments

    def _begin_group(self) -> None:
        self._end_group()
        self._groups += 1
        header, moment = self._header, self._header.moment
        when = [f"{moment:%Y%m%d}", f"{moment:%H%M}"]
        self._segments.append(["GS", "HC", header.sender, header.receiver, *when, str(self._groups), "X", VERSION])

    def _end_set(self) -> None:
        if self._set is not None:
            self._segments.append(["SE", str(len(self._segments) - self._set_begins + 1), self._set_number])
            self._set = None

    def _end_group(self) -> None:
        if self._groups:
            self._segments.append(["GE", str(self._sets), str(self._groups)])
        self._sets = 0
        self._set_numbers = set()

    def ended(self) -> list[Segment]:
        """All segments, with the ends of the last set and group."""
        self._end_set()
        self._end_group()
        return self._segments


_ID = 9  # the element of NM1 that is an id


def _lines(segments: list[Segment], delimiters: Delimiters, header: Header, usage: str, number: int) -> Iterator[str]:
    """An interchange: ISA, the segments of its groups, and IEA, each on a line."""
    end = f"{delimiters.terminator}\n"
    groups = sum(segment[0] == "GS" for segment in segments)
    for segment in ([_isa(header, usage, number, delimiters)], segments, [["IEA", str(groups), f"{number:09}"]]):
        for each in segment:
            yield delimiters.element.join([_joined(element, delimiters.component) for element in each]) + end


def _joined(element: str | list[str], component: str) -> str:
    return element if type(element) is str else component.join(element).rstrip(component)


def _isa(header: Header, usage: str, number: int, delimiters: Delimiters) -> Segment:
    blanks = " " * 10
    parties = [
        header.sender_qualifier,
        f"{header.sender:15}",
        header.receiver_qualifier,
        f"{header.receiver:15}",
    ]
    when = [f"{header.moment:%y%m%d}", f"{header.moment:%H%M}"]
    marks = [delimiters.repetition, "00501", f"{number:09}", "0", usage]
    # The component separator is the last element, and the only one that is a delimiter.
    return ["ISA", "00", blanks, "00", blanks, *parties, *when, *marks, delimiters.component]


def choose_delimiters(segments: Iterable[Segment]) -> Delimiters:
    """Delimiters that stand in no value."""
    used: set[str] = set()
    for segment in segments:
        for element in segment:
            for text in (element,) if type(element) is str else element:
                used.update(text)
    chosen: list[str] = []
    for marks in _MARKS:
        chosen.append(next(mark for mark in marks + _OTHER_MARKS if mark not in used and mark not in chosen))
    element, component, repetition, terminator = chosen
    return Delimiters(element, repetition, component, terminator)
