"""Writes the 999 (005010X231) of a file: which of its sets were taken, and what is wrong with their segments.

Each functional group is answered in a set of its own. A set is rejected where its envelope is broken or it is no claim
that is read here, and accepted with errors where its segments have faults. What else is wrong with its claims stands in
the 277CA.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from scrubber.claim.x12.envelope import EndOfGroup, EndOfInterchange, EndOfSet
from scrubber.claim.x12.faults import X12Fault
from scrubber.response.acknowledgments.envelope import (
    COMPONENT,
    AcknowledgmentHeader,
    Segment,
    answered,
    in_interchange,
)
from scrubber.response.acknowledgments.received import Received, ReceivedClaim, completed, element, loop_names

_KIND = ("FA", "999", "005010X231")
MOST_FAULTS = 1_000  # of one set that are told
MOST_CODES = 5  # of one IK5 or AK9
_UNNAMED = "ZZZ"  # for ids that the guide does not have: they may be text of a claim, and are not repeated

# By word of `scrubber.claim.x12.faults`: the code of IK304.
_OF_SEGMENT = {
    "unknown-segment": "1",
    "unexpected-segment": "2",
    "unexpected-loop": "2",
    "unknown-qualifier": "2",
    "no-billing-level": "2",
    "no-subscriber-level": "2",
    "no-lx": "3",
    "missing-segment": "3",
    "too-many": "5",
    "too-many-segments": "5",
    "out-of-order": "7",
}
_DATA = "8"  # of all others: the segment has errors in its data
# IK403
_MISSING = "1"
_INVALID_CODE = "7"
# The codes of IK502, AK905 and TA105.
_OF_SET = {
    "foreign-set": "1",
    "not-closed": "2",
    "cut-off": "2",
    "control-number": "3",
    "count": "4",
    "version": "6",
    "control-number-missing": "7",
    "control-number-repeated": "23",
}
_OF_GROUP = {
    "functional-group": "1",
    "version": "2",
    "not-closed": "3",
    "cut-off": "3",
    "control-number": "4",
    "count": "5",
    "control-number-missing": "6",
    "control-number-repeated": "19",
}
_OF_INTERCHANGE = {
    "control-number": "001",
    "version": "017",
    "control-number-missing": "018",
    "count": "021",
    "not-closed": "023",
    "cut-off": "023",
    "control-number-repeated": "025",
}
_INVALID_CONTENT = "024"
_SEGMENTS_IN_ERROR = "5"
_ENVELOPE_OF = {"ST": "set", "SE": "set", "GS": "group", "GE": "group", "ISA": "interchange", "IEA": "interchange"}


class _FaultInLoop(NamedTuple):
    fault: X12Fault
    loop: str
    claim: str  # CLM01, of what stands in a claim


class _Set:
    """A set while it is read: its faults, each once, in the order of the file."""

    def __init__(self) -> None:
        self.faults: dict[tuple[str, int], _FaultInLoop] = {}
        self.codes: dict[str, None] = {}  # of IK502
        self.group_codes: dict[str, None] = {}

    def add(self, claim: ReceivedClaim) -> None:
        """The faults of a claim, and of what it stands under."""
        loops = claim.loops
        if not loops.faults:
            return
        names = dict(loop_names((loops.header, loops.billing, loops.subscriber, loops.patient, loops.claim)))
        number, begins = element(loops.claim.segments[0], 1), loops.claim.ordinals[0]
        for fault in loops.faults:
            self.take(fault, names.get(fault.ordinal, ""), number if fault.ordinal >= begins else "")

    def take(self, fault: X12Fault, loop: str = "", claim: str = "") -> None:
        """A fault of a segment, or of the envelope."""
        envelope = _ENVELOPE_OF.get(fault.segment)
        if envelope == "set" or fault.word == "foreign-set":
            self.codes.setdefault(_OF_SET.get(fault.word, _SEGMENTS_IN_ERROR))
        elif envelope == "group":
            self.group_codes.setdefault(_OF_GROUP.get(fault.word, ""))
        elif envelope is None and len(self.faults) < MOST_FAULTS:
            self.faults.setdefault((fault.word, fault.ordinal), _FaultInLoop(fault, loop, claim))


class _Counts:
    """Of a group: its sets so far."""

    def __init__(self) -> None:
        self.sets = 0
        self.rejected = 0
        self.faulty = 0
        self.codes: dict[str, None] = {}


def write_999(received: Iterable[Received], header: AcknowledgmentHeader) -> Iterator[str]:
    """The interchange with the 999, segment by segment. Nothing for a file without anything."""
    items = completed(received)
    first = next(items, None)
    if first is None:
        return
    of_interchanges: list[Segment] = []
    groups = [*_groups(chain([first], items), of_interchanges)]
    yield from in_interchange(groups, _KIND, answered(first), header, of_interchanges)


def _groups(items: Iterable[Received], of_interchanges: list[Segment]) -> Iterator[list[Segment]]:
    """For each group the segments of its answer; and TA1 of interchanges with something wrong."""
    segments: list[Segment] = []
    counts = _Counts()
    here = _Set()
    for item in items:
        if isinstance(item, ReceivedClaim):
            here.add(item)
        elif isinstance(item, EndOfSet):
            segments += _answer_to_set(item, here, counts)
            here = _Set()
        elif isinstance(item, EndOfGroup):
            yield _answer_to_group(item, segments, counts)
            segments, counts = [], _Counts()
        elif item.faults:
            of_interchanges.append(_answer_to_interchange(item))


def _answer_to_interchange(end: EndOfInterchange) -> Segment:
    word = end.faults[0].word
    date_and_time = [element(end.header, 9), element(end.header, 10)]
    return ["TA1", element(end.header, 13), *date_and_time, "E", _OF_INTERCHANGE.get(word, _INVALID_CONTENT)]


def _answer_to_set(end: EndOfSet, here: _Set, counts: _Counts) -> list[Segment]:
    for fault in end.faults:
        here.take(fault)
    counts.sets += 1
    rejected, faulty = bool(here.codes), bool(here.faults)
    counts.rejected += rejected
    counts.faulty += faulty and not rejected
    counts.codes |= here.group_codes
    segments = [["AK2", "837", element(end.header, 2), element(end.header, 3)]]
    for found in sorted(here.faults.values(), key=lambda each: each.fault.ordinal):
        segments += _answer_to_fault(found, end.first)
    codes = [*here.codes, *([_SEGMENTS_IN_ERROR] if faulty else [])][:MOST_CODES]
    segments.append(["IK5", "R" if rejected else "E" if faulty else "A", *codes])
    return segments


def _answer_to_fault(found: _FaultInLoop, set_begins: int) -> Iterator[Segment]:
    fault = found.fault
    segment = "LX" if fault.word == "no-lx" else fault.segment or _UNNAMED
    position = str(max(fault.ordinal - set_begins + 1, 1))
    yield ["IK3", segment, position, found.loop[:4], _OF_SEGMENT.get(fault.word, _DATA)]
    if found.claim:
        yield ["CTX", f"CLM01{COMPONENT}{found.claim}"]
    if fault.element and fault.element[-2:].isdigit():
        yield ["IK4", str(int(fault.element[-2:])), "", _MISSING if fault.word == "missing-element" else _INVALID_CODE]


def _answer_to_group(end: EndOfGroup, answers: list[Segment], counts: _Counts) -> list[Segment]:
    for fault in end.faults:
        counts.codes.setdefault(_OF_GROUP.get(fault.word, ""))
    accepted = counts.sets - counts.rejected
    codes = [code for code in counts.codes if code][:MOST_CODES]
    if not accepted:
        verdict = "R"
    elif counts.rejected:
        verdict = "P"
    else:
        verdict = "E" if counts.faulty or codes else "A"
    number = [element(end.header, 1) or "HC", element(end.header, 6), element(end.header, 8)]
    totals = [str(counts.sets), str(counts.sets), str(accepted)]
    return [["AK1", *number], *answers, ["AK9", verdict, *totals, *codes]]
