from __future__ import annotations

from scrubber.claim.x12 import ClaimLoops, EndOfGroup, EndOfInterchange, EndOfSet, Loop, read_loops
from tests.support.x12 import envelope


def claims(data: bytes) -> list[ClaimLoops]:
    return [item for item in read_loops([data]) if isinstance(item, ClaimLoops)]


def tree(loop: Loop) -> list[object]:
    """The loop's name, the ids of its segments, and the same of the loops in it."""
    return [loop.name, " ".join(segment[0] for segment in loop.segments), *(tree(inner) for inner in loop.loops)]


def test_a_claim_is_a_tree_of_loops_and_shares_its_levels_with_the_next() -> None:
    first, second = claims(envelope())
    assert tree(first.header) == ["HEADER", "ST BHT", ["1000A", "NM1 PER"], ["1000B", "NM1"]]
    assert first.billing is not None
    assert tree(first.billing) == ["2000A", "HL PRV", ["2010AA", "NM1 N3 N4 REF PER"], ["2010AB", "NM1 N3 N4"]]
    assert first.subscriber is not None
    assert tree(first.subscriber) == ["2000B", "HL SBR", ["2010BA", "NM1 N3 N4 DMG"], ["2010BB", "NM1"]]
    assert first.patient is None
    assert tree(first.claim) == [
        "2300",
        "CLM DTP REF NTE HI",
        ["2310A", "NM1"],
        ["2310B", "NM1 PRV"],
        ["2310C", "NM1 N3 N4"],
        ["2320", "SBR CAS AMT OI", ["2330A", "NM1 N3 N4"], ["2330B", "NM1 DTP REF"]],
        ["2400", "LX SV1 DTP REF", ["2410", "LIN CTP REF"], ["2420A", "NM1 PRV"], ["2430", "SVD CAS DTP"]],
        ["2400", "LX SV1 DTP"],
    ]
    assert second.patient is not None
    assert tree(second.patient) == ["2000C", "HL PAT", ["2010CA", "NM1 N3 N4 DMG"]]
    assert tree(second.claim) == ["2300", "CLM HI", ["2400", "LX SV1 DTP"]]
    assert second.billing is first.billing
    assert second.header is first.header
    assert [claim.number for claim in (first, second)] == [1, 2]
    assert not first.faults
    assert not second.faults


def test_the_ends_of_envelopes_follow_their_claims_with_what_was_counted() -> None:
    _, _, of_set, of_group, of_interchange = read_loops([envelope()])
    assert isinstance(of_set, EndOfSet)
    assert isinstance(of_group, EndOfGroup)
    assert isinstance(of_interchange, EndOfInterchange)
    assert (of_set.claims, of_group.sets, of_interchange.groups) == (2, 1, 1)
    assert not of_set.faults + of_group.faults + of_interchange.faults
