"""Writes one claim of an X12 file, with all it stands under, as a line, so that it can be read apart from the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from scrubber.claim.model import Claim
from scrubber.claim.x12.claims import read_loops_of_claim
from scrubber.claim.x12.context import Contexts
from scrubber.claim.x12.envelope import Ended
from scrubber.claim.x12.faults import MOST_FAULTS, X12Fault, in_words
from scrubber.claim.x12.loops import ClaimLoops, Loop, read_loops
from scrubber.claim.x12.segments import Delimiters
from scrubber.errors import NotAClaim, NotX12, Problem

_LEVELS = ("header", "billing", "subscriber", "patient", "claim")


def claim_row(claim: ClaimLoops) -> bytes:
    """A claim as a line. `read_row` gives the Claim that `read_claims` would."""
    return orjson.dumps(
        {
            "number": claim.number,
            "delimiters": list(claim.delimiters),
            "isa": claim.isa,
            "faults": [list(fault) for fault in claim.faults],
            "context": claim.context,
            **{name: _loop(getattr(claim, name)) for name in _LEVELS},
        }
    )


def rows_of_file(pieces: Iterable[bytes], contexts: Contexts | None = None) -> Iterator[bytes]:
    """A file of claims as lines, without line breaks: one for each claim, and one for each end with something wrong.

    `contexts` came beside the file, and its claims are counted in it; those that are for no claim are told last.
    Raises NotX12 where no claim of it could be read; what is not read behind some that were is a line too.
    """
    begun = False
    ends: list[bytes] = []  # before the first claim
    try:
        for item in read_loops(pieces):
            if isinstance(item, ClaimLoops):
                begun = True
                yield _row(item, contexts)
                yield from ends
                ends.clear()
            elif item.faults and begun:
                yield end_row(item)
            elif item.faults and len(ends) < MOST_FAULTS:
                ends.append(end_row(item))
    except NotX12 as error:
        if not begun:
            raise
        yield refusal_row(error)
    if contexts is not None and (without_claim := contexts.without_claim()):
        yield orjson.dumps({"end": without_claim})


def _row(claim: ClaimLoops, contexts: Contexts | None) -> bytes:
    """A claim with its context, or why it is refused, as a line."""
    if contexts is not None:
        contexts.give(claim)
    return claim_row(claim) if claim.refusal is None else orjson.dumps({"refused": claim.refusal.message})


def end_row(end: Ended) -> bytes:
    """The end of a set, group or interchange as a line: what is wrong with it is told in the place of a claim."""
    return orjson.dumps({"end": [in_words(fault) for fault in end.faults]})


def refusal_row(error: NotX12) -> bytes:
    """Why the rest of a file is not read, as a line."""
    return orjson.dumps({"end": [f"the rest of the file is not read: {error}"]})


def _loop(loop: Loop | None) -> dict[str, Any] | None:
    """An object for each loop: by their number a batch knows how much there is to a row."""
    if loop is None:
        return None
    inside = [_loop(inner) for inner in loop.loops]
    return {"name": loop.name, "segments": loop.segments, "ordinals": loop.ordinals, "loops": inside}


def read_row(data: bytes) -> Claim:
    """The claim of a line. Raises NotAClaim for one that is none, that is refused, and for the end of an envelope."""
    row = orjson.loads(data)
    if "end" in row:
        raise NotAClaim([Problem("", f"the file: {text}") for text in row["end"]])
    if "refused" in row:
        raise NotAClaim([Problem("", row["refused"])])
    header = _read_loop(row["header"])
    claim = ClaimLoops(row["number"], Delimiters(*row["delimiters"]), row["isa"], [], header)
    claim.billing, claim.subscriber, claim.patient = (
        None if row[name] is None else _read_loop(row[name]) for name in ("billing", "subscriber", "patient")
    )
    claim.claim = _read_loop(row["claim"])
    claim.faults = [X12Fault(*fault) for fault in row["faults"]]
    claim.context = row.get("context")  # rows of an earlier program have none
    return read_loops_of_claim(claim)


def _read_loop(row: dict[str, Any]) -> Loop:
    loop = Loop(row["name"])
    loop.segments, loop.ordinals = row["segments"], row["ordinals"]
    loop.loops = [_read_loop(inner) for inner in row["loops"]]
    return loop
