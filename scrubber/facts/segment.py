"""Facts of what is wrong with the segments of a claim that came as X12."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.claim.model import Claim, StructureFault
from scrubber.claim.x12.faults import FAULTS
from scrubber.facts.fact import Fact
from scrubber.facts.service_lines import payer_fields
from scrubber.rulebook.rule_tables import Payer

MOST_NUMBERS = 5  # of segments that a message names


def segment_facts(claim: Claim, payer: Payer, day: date) -> Iterator[Fact]:
    """One fact for each kind of fault, with all segments that have it. `day` is the claim's first date of service."""
    by_word: dict[str, list[StructureFault]] = {}
    for fault in claim.faults:
        by_word.setdefault(fault.word, []).append(fault)
    for word, faults in by_word.items():
        yield Fact(
            "segment",
            payer_fields(payer) | {"day": day.toordinal(), "fault": word},
            pointer="",
            element="body",
            message_words={"where": _where(faults), "what": FAULTS[word]},
            position=faults[0].at,
        )


def _where(faults: list[StructureFault]) -> str:
    """The segments by their numbers in the file, and by their ids where the guide has such."""
    told = [
        f"{fault.at.segment} ({fault.at.element})" if fault.at.element else str(fault.at.segment) for fault in faults
    ]
    more = f" and {len(told) - MOST_NUMBERS} more" if len(told) > MOST_NUMBERS else ""
    return f"Segment{'s' if len(told) > 1 else ''} {', '.join(told[:MOST_NUMBERS])}{more}"
