"""Puts the segments of an X12 file into the loops of its claims.

    for item in read_loops(pieces): ClaimLoops | EndOfSet | EndOfGroup | EndOfInterchange, in the order of the file

A claim is a tree of `Loop`s, each with its own segments (without those of the loops in it). What claims share is the
same object for each of them:

    claim.header        HEADER: ST BHT        in it 1000A, 1000B
    claim.billing       2000A: HL PRV CUR     in it 2010AA, 2010AB, 2010AC
    claim.subscriber    2000B: HL SBR PAT     in it 2010BA, 2010BB
    claim.patient       2000C: HL PAT         in it 2010CA; None where the patient is the subscriber
    claim.claim         2300:  CLM DTP ... HI in it 2310A-F, 2320 (in it 2330A-G),
                                              2400 (in it 2410, 2420A-H, 2430, 2440)

Loops that stand several times (2310A, 2320, 2400, 2430 ...) stand several times in `loops`, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from scrubber.claim.x12.envelope import Ended, Envelope, element
from scrubber.claim.x12.faults import X12Fault, add_fault
from scrubber.claim.x12.guide import LOOPS, REQUIRED, SEGMENTS, LoopGuide, Use
from scrubber.claim.x12.segments import Block, Delimiters, byte_of, read_blocks
from scrubber.errors import NotX12, Problem

# Of one claim, of a level, or of the header. A claim with all that the guide allows, without forms, has about 17,700.
MOST_SEGMENTS: Final = 20_000


class Loop:
    """A loop: its `name` in the guide, its own `segments` (lists of elements, id first), the `ordinals` of these, and
    the `loops` inside it."""

    __slots__ = ("loops", "name", "ordinals", "segments")

    def __init__(self, name: str) -> None:
        self.name = name
        self.segments: list[list[str]] = []
        self.ordinals: list[int] = []
        self.loops: list[Loop] = []


class ClaimLoops:
    """One claim. `number` counts the claims of the file from 1; `isa` and `gs` are the headers it stands under.

    `faults` are those of the claim and of the headers and levels it stands under. `billing` and `subscriber` are None
    where the file has no such level, which is a fault. `context` is the `scrubContext` that came beside the file,
    `refusal` why the claim is not read although it could be.
    """

    def __init__(self, number: int, delimiters: Delimiters, isa: list[str], gs: list[str], header: Loop) -> None:
        self.number = number
        self.delimiters = delimiters
        self.isa = isa
        self.gs = gs
        self.header = header
        self.billing: Loop | None = None
        self.subscriber: Loop | None = None
        self.patient: Loop | None = None
        self.claim = Loop("2300")
        self.faults: list[X12Fault] = []
        self.context: dict[str, Any] | None = None
        self.refusal: Problem | None = None


Item = ClaimLoops | Ended


def read_loops(pieces: Iterable[bytes]) -> Iterator[Item]:
    """Claims, and the ends of sets, groups and interchanges, in the order of the file. See above.

    Raises NotX12, behind what could be read before: the bytes are no X12, a segment is too long, or the file has
    ended and there was no 837P in it.
    """
    reader = _LoopReader()
    for block in read_blocks(pieces):
        yield from reader.take(block)
    yield from reader.end()


class _Level:
    """A hierarchical level, or the header of a set: its loop and what is wrong with it."""

    def __init__(self, name: str) -> None:
        self.loop = Loop(name)
        self.number = ""  # HL01
        self.children = ""  # HL04
        self.claims = 0
        self.faults: list[X12Fault] = []


class _Place:
    """A loop that is open: how far in the order of its guide it is, and how often each segment stood."""

    def __init__(self, loop: Loop, guide: LoopGuide, parent: _Place | None) -> None:
        self.loop = loop
        self.guide = guide
        self.parent = parent
        self.position = 0
        self.counts = [0] * guide.count  # by the index of each use


# Names no loop of the guide: what stands in such a loop or level is not read.
_UNKNOWN_LOOP: Final = LoopGuide("unknown loop", "")
_UNKNOWN_LEVEL: Final = LoopGuide("unknown level", "")
_OF_A_NAME: Final = frozenset(("N2", "N3", "N4", "REF", "PER", "PRV", "DMG"))  # they follow NM1
_LEVELS: Final = {"20": "2000A", "22": "2000B", "23": "2000C"}
_OUTSIDE: Final = _Place(Loop(""), _UNKNOWN_LEVEL, None)
_NO_HEADER: Final = _Level("")
_ENVELOPE: Final = frozenset(("ISA", "GS", "ST", "SE", "GE", "IEA", "TA1"))
_WITH_REQUIRED: Final = frozenset((*REQUIRED, "2400"))
_SEPARATORS: Final = ":><\\^|"  # of components, in files of this kind
_OPENERS: Final = frozenset(("ISA", "GS", "ST", "HL", "CLM"))


def _known(name: str) -> str:
    """The id of a segment, unless the guide does not have it: then it may be text of a claim."""
    return name if name in SEGMENTS else ""


def _check_required(loop: Loop, faults: list[X12Fault]) -> None:
    """Segments that a loop and those inside it should have; of NM1 the fault names no qualifier, but its element."""
    for name in REQUIRED.get(loop.name, ()):
        if name in LOOPS:
            if all(inner.name != name for inner in loop.loops):
                add_fault(faults, "missing-segment", loop.ordinals[0], "NM1", f"{name} NM1")
        elif all(elements[0] != name for elements in loop.segments):
            add_fault(faults, "missing-segment", loop.ordinals[0], name)
    for inner in loop.loops:
        if inner.name in _WITH_REQUIRED:
            _check_required(inner, faults)


def _check_composites(claim: ClaimLoops) -> None:
    """Whether CLM05, which every claim has and which has components, is written with the separator of ISA16."""
    place = element(claim.claim.segments[0], 5)
    if claim.delimiters.component not in place and any(mark in place for mark in _SEPARATORS):
        add_fault(claim.faults, "component-separator", claim.claim.ordinals[0], "CLM", "CLM05")


class _LoopReader:
    """The state between two segments."""

    def __init__(self) -> None:
        self._envelope = Envelope()
        self._reading = False  # an 837P set is open
        self._out: list[Item] = []
        self._delimiters = Delimiters("", "", "", "")
        self._ordinal = 0
        self._claims = 0
        self._foreign: NotX12 | None = None  # the first set that is not read
        self._place = _OUTSIDE
        self._kept = 0  # segments of the claim, level or header that is open
        self._header = _NO_HEADER
        self._billing: _Level | None = None
        self._subscriber: _Level | None = None
        self._patient: _Level | None = None
        self._unknown: _Level | None = None
        self._next_hl = 1
        self._claim: ClaimLoops | None = None
        self._faults = self._header.faults  # of the claim, level or header that is open

    def take(self, block: Block) -> list[Item]:
        """What is whole with these segments."""
        self._out = []
        self._delimiters = block.delimiters
        faulty: dict[int, list[str]] = {}
        for index, word in block.faults:
            faulty.setdefault(index, []).append(word)
        ordinal = block.first - 1
        for elements in block.segments:
            ordinal += 1
            name = elements[0]
            if faulty and name not in _OPENERS:
                self._note(faulty.pop(ordinal - block.first, []), ordinal, name)
            if name in _ENVELOPE:
                self._take_envelope(name, elements, ordinal, block)
            elif self._reading:
                self._segment(name, elements, ordinal)
            elif self._envelope.set is None:
                self._envelope.stray("not-in-set", ordinal, _known(name))
            if faulty and name in _OPENERS:
                self._note(faulty.pop(ordinal - block.first, []), ordinal, name)
        self._ordinal = ordinal
        for words in faulty.values():
            self._note(words, ordinal + 1, "")
        return self._out

    def end(self) -> list[Item]:
        """What is left at the end of the file. Raises NotX12 if the file had no 837P."""
        self._out = []
        self._end_levels("cut-off")
        ended: list[Ended] = []
        self._envelope.end(self._ordinal, ended)
        self._out.extend(ended)
        if self._envelope.sets_read == 0:
            self._refuse()
        return self._out

    def _refuse(self) -> None:
        if self._foreign is not None:
            raise self._foreign
        if self._envelope.acknowledgments:
            raise NotX12("foreign-set", "the file is TA1, an acknowledgment", 0, 1)
        raise NotX12("no-set", "the file has an envelope without any transaction set", 0, 1)

    def _note(self, words: list[str], ordinal: int, name: str) -> None:
        """Faults of how a segment is written, for what it belongs to."""
        for word in words:
            if self._reading:
                add_fault(self._faults, word, ordinal, _known(name))
            else:
                self._envelope.stray(word, ordinal, _known(name))

    def _take_envelope(self, name: str, elements: list[str], ordinal: int, block: Block) -> None:
        envelope = self._envelope
        if name == "TA1":
            self._acknowledgment(ordinal)
            return
        self._end_levels("" if name == "SE" else "not-closed")
        ended: list[Ended] = []
        if name == "ISA":
            envelope.isa(elements, ordinal, ended)
        elif name == "GS":
            envelope.gs(elements, ordinal, ended)
        elif name == "ST":
            envelope.st(elements, ordinal, ended)
        elif name == "SE":
            envelope.se(elements, ordinal, ended)
        elif name == "GE":
            envelope.ge(elements, ordinal, ended)
        else:
            envelope.iea(elements, ordinal, ended)
        self._out.extend(ended)
        if name == "ST":
            self._begin_set(elements, ordinal, block)

    def _acknowledgment(self, ordinal: int) -> None:
        """TA1 of an interchange that was received; it may stand between ISA and the first GS."""
        self._envelope.acknowledgments += 1
        if self._reading:
            add_fault(self._faults, "unexpected-segment", ordinal, "TA1")
        elif self._envelope.group is not None:
            self._envelope.stray("unexpected-segment", ordinal, "TA1")

    def _begin_set(self, elements: list[str], ordinal: int, block: Block) -> None:
        frame = self._envelope.set
        if frame is None:
            return
        if frame.foreign:
            if self._foreign is None:
                byte = byte_of(block, ordinal - block.first)
                self._foreign = NotX12("foreign-set", f"the file holds {frame.foreign}", byte, ordinal)
            return
        self._reading = True
        self._header = _Level("HEADER")
        self._header.loop.segments.append(elements)
        self._header.loop.ordinals.append(ordinal)
        self._next_hl = 1
        self._open(self._header)

    def _open(self, level: _Level) -> None:
        guide = LOOPS.get(level.loop.name, _UNKNOWN_LEVEL)
        self._place = _Place(level.loop, guide, None)
        self._faults = level.faults
        self._kept = 0

    def _level(self, elements: list[str], ordinal: int) -> None:
        """HL: a billing provider, subscriber or patient begins."""
        self._end_claim("")
        code = element(elements, 3)
        level = _Level(_LEVELS.get(code, ""))
        level.number, level.children = element(elements, 1), element(elements, 4)
        level.loop.segments.append(elements)
        level.loop.ordinals.append(ordinal)
        self._check_number(level, ordinal)
        self._check_parent(level, element(elements, 2), ordinal)
        self._replace(level, code)
        self._open(level)

    def _check_number(self, level: _Level, ordinal: int) -> None:
        number = level.number
        told = int(number) if number.isdecimal() and len(number) < 12 else -1
        if told != self._next_hl:
            add_fault(level.faults, "hl-number", ordinal, "HL", "HL01")
        self._next_hl = (told if told >= 0 else self._next_hl) + 1

    def _check_parent(self, level: _Level, parent: str, ordinal: int) -> None:
        name = level.loop.name
        if not name:
            add_fault(level.faults, "hl-level", ordinal, "HL", "HL03")
            return
        above = None
        if name == "2000B":
            above = self._billing
        elif name == "2000C":
            above = self._subscriber
        if parent != ("" if above is None else above.number):
            add_fault(level.faults, "hl-parent", ordinal, "HL", "HL02")
        if above is not None and above.children == "0":
            add_fault(level.faults, "hl-child", ordinal, "HL")

    def _replace(self, level: _Level, code: str) -> None:
        """The level takes the place of the one of its kind, and of those below."""
        if code == "20":
            self._keep_faults(self._billing)
            self._billing = level
        if code in ("20", "22"):
            self._keep_faults(self._subscriber)
            self._subscriber = level if code == "22" else None
        if code in ("20", "22", "23"):
            self._keep_faults(self._patient)
            self._patient = level if code == "23" else None
        self._keep_faults(self._unknown)
        self._unknown = None if level.loop.name else level

    def _keep_faults(self, level: _Level | None) -> None:
        """Faults of a level without claims are told with the set."""
        frame = self._envelope.set
        if level is not None and not level.claims and frame is not None:
            for fault in level.faults:
                add_fault(frame.faults, fault.word, fault.ordinal, fault.segment, fault.element)

    def _end_levels(self, word: str) -> None:
        """The set has ended, and with it the claim; `word` if that is not as it should be."""
        self._end_claim(word)
        self._reading = False
        for level in (self._header, self._billing, self._subscriber, self._patient, self._unknown):
            self._keep_faults(level)
        self._header = _NO_HEADER
        self._billing = self._subscriber = self._patient = self._unknown = None

    def _begin_claim(self, elements: list[str], ordinal: int) -> None:
        self._end_claim("")
        self._claims += 1
        envelope = self._envelope
        isa = [] if envelope.interchange is None else envelope.interchange.header
        gs = [] if envelope.group is None else envelope.group.header
        claim = ClaimLoops(self._claims, self._delimiters, isa, gs, self._header.loop)
        claim.claim.segments.append(elements)
        claim.claim.ordinals.append(ordinal)
        self._claim = claim
        self._faults = claim.faults
        self._kept = 0
        self._place = _Place(claim.claim, LOOPS["2300"], None)
        if self._billing is None:
            add_fault(self._faults, "no-billing-level", ordinal, "CLM")
        if self._subscriber is None or self._unknown is not None:
            add_fault(self._faults, "no-subscriber-level", ordinal, "CLM")

    def _end_claim(self, word: str) -> None:
        """The claim is whole; `word` if the set did not end behind it as it should."""
        claim, self._claim = self._claim, None
        frame = self._envelope.set
        if claim is None or frame is None:
            return
        if word:
            add_fault(claim.faults, word, claim.claim.ordinals[0], "CLM")
        frame.children += 1
        _check_composites(claim)
        for loop in claim.claim.loops:
            _check_required(loop, claim.faults)
        for level in (self._header, self._billing, self._patient):
            if level is not None and not level.claims:
                _check_required(level.loop, level.faults)
        claim.billing = None if self._billing is None else self._billing.loop
        if self._unknown is None:
            claim.subscriber = None if self._subscriber is None else self._subscriber.loop
            claim.patient = None if self._patient is None else self._patient.loop
        above: list[X12Fault] = []
        for outer in (self._envelope.interchange, self._envelope.group, frame):
            above += [] if outer is None else outer.header_faults
        for level in (self._header, self._billing, self._subscriber, self._patient, self._unknown):
            if level is not None:
                level.claims += 1
                above += level.faults
        claim.faults = above + claim.faults if above else claim.faults
        self._out.append(claim)
        self._place = _OUTSIDE
        self._faults = frame.faults

    def _segment(self, name: str, elements: list[str], ordinal: int) -> None:
        """Any segment of an 837P set."""
        place = self._place
        use = place.guide.use(elements)
        while use is None and place.parent is not None and place.guide is not _UNKNOWN_LOOP:
            place = place.parent
            use = place.guide.use(elements)
        if use is not None:
            self._put(place, use, elements, ordinal)
        elif name == "HL":
            self._level(elements, ordinal)
        elif name == "CLM":
            self._begin_claim(elements, ordinal)
        else:
            self._unmatched(name, elements, ordinal)

    def _put(self, place: _Place, use: Use, elements: list[str], ordinal: int) -> None:
        """The segment belongs to this loop, or opens one in it."""
        count = place.counts[use.index] + 1
        if count > 1 and elements[0] == "SV1" and not use.opens:
            self._line_without_lx(elements, ordinal)
            return
        place.counts[use.index] = count
        if count > use.most:
            add_fault(self._faults, "too-many", ordinal, elements[0])
        for number in use.required:
            if number >= len(elements) or not elements[number]:
                add_fault(self._faults, "missing-element", ordinal, elements[0], f"{elements[0]}{number:02}")
        in_order = use.position >= place.position
        if in_order:
            place.position = use.position
        else:
            add_fault(self._faults, "out-of-order", ordinal, elements[0])
        self._kept += 1
        if self._kept > MOST_SEGMENTS:
            if self._kept == MOST_SEGMENTS + 1:
                add_fault(self._faults, "too-many-segments", ordinal, elements[0])
            return
        loop = place.loop
        if use.opens:
            loop = Loop(use.opens)
            place.loop.loops.append(loop)
            self._place = _Place(loop, LOOPS[use.opens], place)
        elif in_order:  # what stands behind it may still belong to the loop that was open
            self._place = place
        loop.segments.append(elements)
        loop.ordinals.append(ordinal)

    def _unmatched(self, name: str, elements: list[str], ordinal: int) -> None:
        """A segment that no open loop has with this qualifier."""
        place: _Place | None = self._place
        if self._place.guide is _UNKNOWN_LEVEL:
            return
        if self._place.guide is _UNKNOWN_LOOP:
            if name in _OF_A_NAME:
                return
            place = self._place = self._place.parent or self._place
            self._segment(name, elements, ordinal)
            return
        if name not in SEGMENTS:
            add_fault(self._faults, "unknown-segment", ordinal, "")
        elif name == "SV1" and self._claim is not None:
            self._line_without_lx(elements, ordinal)
        elif name == "NM1":
            add_fault(self._faults, "unexpected-loop", ordinal, name)
            self._place = _Place(Loop(""), _UNKNOWN_LOOP, self._place)
        else:
            while place is not None and name not in place.guide.names:
                place = place.parent
            if place is None:
                add_fault(self._faults, "unexpected-segment", ordinal, name)
            else:
                add_fault(self._faults, "unknown-qualifier", ordinal, name)
                self._put(place, Use(place.guide.names[name], MOST_SEGMENTS, ""), elements, ordinal)

    def _line_without_lx(self, elements: list[str], ordinal: int) -> None:
        add_fault(self._faults, "no-lx", ordinal, "SV1")
        place = self._place
        while place.parent is not None:
            place = place.parent
        self._put(place, place.guide.uses["LX"], elements, ordinal)
        inner = self._place
        if self._kept > MOST_SEGMENTS:  # no line was opened
            return
        inner.position = inner.guide.names["SV1"]
        inner.counts[inner.guide.uses["SV1"].index] = 1
