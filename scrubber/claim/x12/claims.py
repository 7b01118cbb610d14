"""Reads the claims of an X12 file, one after another, each with where its elements stand in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from scrubber.claim.elements import CATALOGUE, Place
from scrubber.claim.model import MOST_LINES, Claim, Normalised, Position, StructureFault
from scrubber.claim.v3 import claim_of, read_context
from scrubber.claim.v3.extractor import Extractor
from scrubber.claim.v3.irregular import irregular_in
from scrubber.claim.x12.context import Contexts
from scrubber.claim.x12.envelope import Ended
from scrubber.claim.x12.faults import MOST_FAULTS
from scrubber.claim.x12.loops import ClaimLoops, Item, Loop, read_loops
from scrubber.claim.x12.positions import nearest, positions
from scrubber.claim.x12.read import BodyReader
from scrubber.errors import BadContext, NotAClaim, NotX12, Problem

_NO_LINES = Problem("", "has no service lines (2400 LX and SV1)")
_SEVERAL = Problem("", "holds more than one claim: send it as a batch, or give it to `scrubber scrub`")


class X12Claim(NamedTuple):
    """A claim of a file: the claim, or why it is none. `loops` is what it was read from.

    `alone`: it is known to be the only one of its file.
    """

    claim: Claim | None
    refusal: NotAClaim | None
    loops: ClaimLoops
    alone: bool = False


def read_claims(pieces: Iterable[bytes]) -> Iterator[X12Claim | Ended]:
    """The claims of a file, and the ends of sets, groups and interchanges with what is wrong with these, in order.

    Raises NotX12 as `read_loops` does, behind what could be read before.
    """
    reader = BodyReader()
    for item in read_loops(pieces):
        yield _read(item, reader) if isinstance(item, ClaimLoops) else item


def read_file(pieces: Iterable[bytes], contexts: Contexts | None = None) -> Iterator[X12Claim | Ended]:
    """`read_claims`, but what is wrong with the ends around the only claim of a file is the claim's.

    `contexts` came beside the file, and its claims are counted in it.
    Ends with nothing wrong are left out, and so are those after the first hundred before the second claim.
    """
    reader = BodyReader()
    first: ClaimLoops | None = None
    ends: list[Ended] = []
    several = False
    for item in _with_contexts(read_loops(pieces), contexts):
        if not isinstance(item, ClaimLoops):
            if item.faults and several:
                yield item
            elif item.faults and len(ends) < MOST_FAULTS:
                ends.append(item)
        elif first is None:
            first = item
        else:
            if not several:
                several = True
                yield _read(first, reader)
                yield from ends
            yield _read(item, reader)
    if first is not None and not several:
        for end in ends:
            first.faults += end.faults
        yield _read(first, reader)._replace(alone=True)
    elif first is None:
        yield from ends


def _with_contexts(items: Iterable[Item], contexts: Contexts | None) -> Iterator[Item]:
    """The items, each claim with its context."""
    for item in items:
        if contexts is not None and isinstance(item, ClaimLoops):
            contexts.give(item)
        yield item


def read_one(data: bytes, context: bytes | None = None) -> Claim:
    """The claim of a file with one; `context` came beside it.

    Raises NotX12, NotAClaim for a file with several or a claim that is none, and BadContext.
    """
    contexts = None
    if context is not None:
        contexts = Contexts([context])
        contexts.count([data])
    found: X12Claim | None = None
    for item in read_file([data], contexts):
        if isinstance(item, X12Claim):
            if found is not None:
                raise NotAClaim((_SEVERAL,))
            found = item
    if found is None:
        raise NotX12("no-claim", "the file holds no claim (2300 CLM)", 0, 0)
    if contexts is not None and (without_claim := contexts.without_claim()):
        raise BadContext(without_claim[0])
    return _claim(found)


def holds_several(data: bytes) -> bool:
    """Whether a file has more than one claim; one that cannot be read has none."""
    count = 0
    try:
        for item in read_loops([data]):
            count += isinstance(item, ClaimLoops)
            if count > 1:
                return True
    except NotX12:
        pass
    return False


def read_loops_of_claim(loops: ClaimLoops) -> Claim:
    """The claim in its loops. Raises NotAClaim for one that is none."""
    return _claim(_read(loops, BodyReader()))


def _claim(found: X12Claim) -> Claim:
    if found.claim is None:
        raise found.refusal or NotAClaim((_NO_LINES,))
    return found.claim


def _read(loops: ClaimLoops, reader: BodyReader) -> X12Claim:
    if loops.refusal is not None:
        return X12Claim(None, NotAClaim((loops.refusal,)), loops)
    body, unmapped = reader.body(loops)
    lines: list[Any] = body["claimInformation"].get("serviceLines") or []
    if not lines:
        return X12Claim(None, NotAClaim((_NO_LINES,)), loops)
    body["claimInformation"]["serviceLines"] = lines[:MOST_LINES]
    irregular = irregular_in(body) if reader.irregular else []
    places = [f"segment {ordinal}: {place}" for place, ordinal in unmapped]
    changes: tuple[Normalised, ...] = ()
    if loops.context is not None:
        try:
            context = read_context(loops.context)
        except NotAClaim as refusal:
            return X12Claim(None, refusal, loops)
        body["scrubContext"] = context.loaded
        irregular += context.irregular
        places += context.unknown
        changes = context.changes
    claim = claim_of(body, len(lines), Extractor(), irregular)
    read = replace(
        claim,
        normalised=(*changes, *claim.normalised),
        unmapped=tuple(places),
        position=Positions(loops),
        faults=_faults(loops),
    )
    return X12Claim(read, None, loops)


def _faults(loops: ClaimLoops) -> tuple[StructureFault, ...]:
    """The faults of the claim and of all that it stands under, each with the loop of its segment, where it is read."""
    if not loops.faults:
        return ()
    names: dict[int, str] = {}
    for loop in (loops.header, loops.billing, loops.subscriber, loops.patient, loops.claim):
        if loop is not None:
            _name(loop, names)
    return tuple(
        [
            StructureFault(
                fault.word, Position(names.get(fault.ordinal, ""), fault.element or fault.segment, fault.ordinal)
            )
            for fault in loops.faults
        ]
    )


def _name(loop: Loop, names: dict[int, str]) -> None:
    for ordinal in loop.ordinals:
        names[ordinal] = loop.name
    for inner in loop.loops:
        _name(inner, names)


class Positions:
    """Where the elements of one claim stand in its file. Found when it is first asked for: most claims never are."""

    def __init__(self, loops: ClaimLoops) -> None:
        self._loops = loops
        self._known: dict[str, Position] = {}

    def __call__(self, pointer: str, element: str) -> Position | None:
        """Where an element with this pointer stands; of what is not there, the segment that it would stand in or near.

        None for what does not come in the file.
        """
        if pointer.startswith("/scrubContext"):  # it does not come in the file
            return None
        if not self._known:
            self._known = positions(self._loops)
        if pointer in self._known or element not in CATALOGUE:
            return nearest(pointer, self._known)
        place = CATALOGUE[element].places[0]
        return _beside(pointer, place, self._known) or nearest(pointer, self._known)


def _beside(pointer: str, place: Place, known: Mapping[str, Position]) -> Position | None:
    """The position that an element would have which is not there: in the first segment of its loop and its object."""
    above = pointer
    while above:
        above = above.rpartition("/")[0]
        near = [at for sent, at in known.items() if at.loop == place.loop and sent.startswith(f"{above}/")]
        if near:
            return Position(place.loop, place.name, min(at.segment for at in near))
    return None
