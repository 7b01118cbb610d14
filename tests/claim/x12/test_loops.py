from __future__ import annotations

import pytest

from scrubber.claim.x12 import FAULTS, EndOfGroup, EndOfInterchange, EndOfSet, Loop, X12Fault, read_loops
from scrubber.claim.x12.faults import MOST_FAULTS
from scrubber.claim.x12.loops import MOST_SEGMENTS
from tests.support.x12 import BODY, CANARY, claims, envelope, faults, ordinal


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


def test_each_segment_has_its_ordinal_in_the_file() -> None:
    lines = ["", "", "", *BODY.split("\n")]

    def check(loop: Loop) -> int:
        assert len(loop.segments) == len(loop.ordinals)
        for segment, at in zip(loop.segments, loop.ordinals, strict=True):
            assert segment[0] == "ST" or "*".join(segment) == lines[at - 1]
        return len(loop.segments) + sum(check(inner) for inner in loop.loops)

    first, second = claims(envelope())
    assert first.billing is not None
    assert first.subscriber is not None
    assert second.patient is not None
    shared = (first.header, first.billing, first.subscriber, second.patient, first.claim, second.claim)
    assert sum(check(loop) for loop in shared) == len(lines) - 3 + 1


def changed(old: str, new: str, body: str = BODY) -> str:
    assert body.count(old) == 1, old
    return body.replace(old, new)


def told(body: str) -> list[X12Fault]:
    """Faults of the claims only: their counts in SE are not minded."""
    found = [fault for claim in claims(envelope(body)) for fault in claim.faults]
    assert all(fault[0] in FAULTS for fault in found)
    return found


def first_loops(body: str, *path: str) -> list[Loop]:
    """The loops at this path below the first claim's 2300."""
    loops = [claims(envelope(body))[0].claim]
    for name in path:
        loops = [inner for loop in loops for inner in loop.loops if inner.name == name]
    return loops


@pytest.mark.parametrize(
    ("old", "new", "told_of"),
    [
        ("HL*1**20*1", "HL*5**20*1", [("hl-number", "HL01"), ("hl-number", "HL01"), ("hl-parent", "HL02")]),
        ("HL*1**20*1", "HL*1*1*20*1", [("hl-parent", "HL02")]),
        ("HL*2*1*22*1", "HL*2*2*22*1", [("hl-parent", "HL02")]),
        ("HL*2*1*22*1", "HL*2*3*22*1", [("hl-parent", "HL02")]),
        ("HL*2*1*22*1", "HL*2**22*1", [("hl-parent", "HL02")]),
        ("HL*2*1*22*1", "HL*2*1*22*0", []),
        ("HL*2*1*22*1", "HL*x*1*22*1", [("hl-number", "HL01")]),
        ("HL*2*1*22*1", f"HL*{'9' * 5000}*1*22*1", [("hl-number", "HL01")]),
        ("HL*1**20*1", "HL*1**20*0", [("hl-child", "")]),
    ],
)
def test_a_level_that_does_not_hang_together_is_told_with_each_claim_under_it(
    old: str, new: str, told_of: list[tuple[str, str]]
) -> None:
    first, second = claims(envelope(changed(old, new)))
    assert [(fault.word, fault.element) for fault in first.faults] == told_of
    assert {fault.word for fault in second.faults} >= {fault.word for fault in first.faults}
    assert first.billing is not None
    assert first.subscriber is not None
    assert second.patient is not None


def test_levels_that_are_each_others_parents_are_told_and_read() -> None:
    body = changed("HL*1**20*1", "HL*1*3*20*1").replace("HL*2*1*22*1", "HL*2*1*22*1")
    words = [[fault.word for fault in claim.faults] for claim in claims(envelope(body))]
    assert words == [["hl-parent"], ["hl-parent"]]


def test_a_level_the_guide_does_not_have_is_told_and_nothing_of_it_is_read() -> None:
    body = changed("HL*3*2*23*0\nPAT*19", "HL*3*2*21*0\nPAT*19")
    first, second = claims(envelope(body))
    assert not first.faults
    assert [fault.word for fault in second.faults] == ["hl-level", "no-subscriber-level"]
    assert (second.subscriber, second.patient) == (None, None)
    assert second.billing is first.billing


def test_claims_without_levels_are_told_and_read() -> None:
    lines = [line for line in BODY.split("\n") if not line.startswith("HL")]
    both = claims(envelope("\n".join(lines)))
    assert [(claim.billing, claim.subscriber, claim.patient) for claim in both] == [(None, None, None)] * 2
    assert {"no-billing-level", "no-subscriber-level"} <= {fault.word for fault in both[1].faults}
    orphan = "\n".join(line for line in BODY.split("\n") if not line.startswith("HL*2"))
    _, second = claims(envelope(orphan))
    assert second.patient is not None
    assert [fault.word for fault in second.faults if fault.segment != "SBR"][-1] == "no-subscriber-level"


def test_faults_of_a_level_without_claims_are_told_with_the_set() -> None:
    body = changed("HL*3*2*23*0", "HL*3*9*22*0\nHL*4*1*22*1\nHL*5*4*23*0")
    ends = [item for item in read_loops([envelope(body)]) if isinstance(item, EndOfSet)]
    assert [fault.word for fault in ends[0].faults] == ["hl-parent"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("NTE*ADD", "XYZ*1\nNTE*ADD", ("unknown-segment", "XYZ*1", "")),
        ("NTE*ADD", "*1\nNTE*ADD", ("unknown-segment", "*1", "")),
        ("NTE*ADD", "OI***Y\nNTE*ADD", ("unexpected-segment", "OI***Y", "OI")),
        ("NTE*ADD", "SVD*A*1\nNTE*ADD", ("unexpected-segment", "SVD*A*1", "SVD")),
        ("NTE*ADD", "REF*ZZ*1\nNTE*ADD", ("unknown-qualifier", "REF*ZZ*1", "REF")),
        ("NTE*ADD", "REF\nNTE*ADD", ("unknown-qualifier", "REF", "REF")),
        ("NTE*ADD", "NTE*TPO*A\nNTE*ADD", ("too-many", "NTE*ADD*SYNTHETIC NOTE", "NTE")),
        ("NTE*ADD", "REF*G1*A\nNTE*ADD", ("too-many", "REF*G1*A", "REF")),
        ("NTE*ADD", "NTE*ADD*A\nDTP*454*D8*20260901\nXTE*ADD", ("out-of-order", "DTP*454*D8*20260901", "DTP")),
        ("LIN**", "HCP*00\nPS1*A\nLIN**", ("out-of-order", "PS1*A", "PS1")),
        ("LX*2", "LX*2\nSV1*HC:1*1*UN*1", ("no-lx", "SV1*HC:96372:59*50.00*UN*1***1", "SV1")),
        ("LX*2\n", "", ("no-lx", "SV1*HC:96372:59*50.00*UN*1***1", "SV1")),
        ("NM1*DN", "NM1*ZZ*1*A\nNM1*DN", ("unexpected-loop", "NM1*ZZ*1*A", "NM1")),
        ("NM1*DN", "NM1\nNM1*DN", ("unexpected-loop", "NM1", "NM1")),
        ("NM1*77*2", "NM1*82*1*A\nNM1*77*2", ("too-many", "NM1*82*1*A", "NM1")),
    ],
)
def test_a_segment_that_does_not_fit_is_a_fault_of_its_claim(old: str, new: str, fault: tuple[str, str, str]) -> None:
    body = changed(old, new)
    word, line, segment = fault
    assert (word, body.split("\n").index(line) + 4, segment, "") in told(body)
    whole = [claim.claim.segments[0][1] for claim in claims(envelope(body))]
    assert whole == ["CLAIM-1", "CLAIM-2"]
    assert not claims(envelope(body))[1].faults


def test_what_follows_an_unexpected_name_is_not_read_as_something_else() -> None:
    body = changed("NM1*77*2", "NM1*ZZ*1*SECRET\nN3*SECRET\nN4*SECRET\nREF*G1*SECRET\nPER*IC*SECRET\nNM1*77*2")
    assert told(body) == [("unexpected-loop", ordinal("NM1*ZZ", body), "NM1", "")]
    assert "SECRET" not in str([tree_with_values(claim.claim) for claim in claims(envelope(body))])


def tree_with_values(loop: Loop) -> list[object]:
    return [loop.segments, [tree_with_values(inner) for inner in loop.loops]]


def test_a_segment_behind_the_loops_of_its_loop_belongs_to_it_and_is_out_of_order() -> None:
    body = changed("PRV*PE*PXC*207R00000X\nNM1*77", "REF*F8*LATE\nPRV*PE*PXC*207R00000X\nNM1*77")
    assert told(body) == [("out-of-order", ordinal("REF*F8*LATE", body), "REF", "")]
    assert ["REF", "F8", "LATE"] in first_loops(body)[0].segments
    assert first_loops(body, "2310B")[0].segments[-1][0] == "PRV"


def test_lines_without_lx_are_lines() -> None:
    body = "\n".join(line for line in BODY.split("\n") if not line.startswith("LX"))
    lines = first_loops(body, "2400")
    assert [[segment[0] for segment in line.segments] for line in lines] == [["SV1", "DTP", "REF"], ["SV1", "DTP"]]
    assert [fault[0] for fault in told(body)] == ["no-lx"] * 3


def test_loops_that_repeat_stand_in_the_order_of_the_file() -> None:
    other = "SBR*T*18*******CI\nOI***Y***Y\nNM1*IL*1*TESTER*CASEY****MI*T3\nNM1*PR*2*THIRD*****PI*THIRD"
    body = changed("LX*1\nSV1*HC:J0897", other + "\nLX*1\nSV1*HC:J0897")
    body = changed("LX*2", "SVD*THIRD*1*HC:J0897**60\nDTP*573*D8*20260911\nLX*2", body)
    assert [loop.segments[0][1] for loop in first_loops(body, "2320")] == ["P", "T"]
    assert [loop.segments[0][1] for loop in first_loops(body, "2400", "2430")] == ["EXHP1", "THIRD"]
    assert told(body) == []


def test_more_lines_than_the_guide_allows_are_read_and_told() -> None:
    lines = "\n".join(f"LX*{at}\nSV1*HC:99213*1*UN*1***1\nDTP*472*D8*20260903" for at in range(3, 60))
    body = changed("HL*3*2*23*0", lines + "\nHL*3*2*23*0")
    assert len(first_loops(body, "2400")) == 59
    assert [fault[0] for fault in told(body)] == ["too-many"] * 9


def test_of_a_claim_without_end_no_more_than_a_bound_is_kept() -> None:
    body = changed("HL*3*2*23*0", "LX*3\n" * (MOST_SEGMENTS + 10) + "SV1*HC:99213*1*UN*1\nHL*3*2*23*0")
    first, second = claims(envelope(body))
    assert sum(1 for _ in segments_of(first.claim)) == MOST_SEGMENTS + 1
    assert len(first.faults) == MOST_FAULTS
    assert first.faults[-1].word == "more-faults"
    assert not second.faults
    once = changed("REF*G1*AUTH0001", "\n".join(["K3*X"] * (MOST_SEGMENTS + 10)))
    assert sum(1 for _ in segments_of(claims(envelope(once))[0].claim)) == MOST_SEGMENTS + 1


def segments_of(loop: Loop) -> list[list[str]]:
    return loop.segments + [segment for inner in loop.loops for segment in segments_of(inner)]


def test_the_faults_of_a_claim_are_its_own_and_of_what_it_stands_under() -> None:
    body = changed("PRV*BI*PXC*207Q00000X", "XYZ*1").replace("PAT*19", "XYZ*2").replace("HI*ABK:J209", "XYZ*3")
    at = [ordinal(f"XYZ*{number}", body) for number in (1, 2, 3)]
    first, second = claims(envelope(body))
    assert [fault.ordinal for fault in first.faults] == at[:1]
    assert [fault.ordinal for fault in second.faults] == at


def test_no_fault_has_a_value_of_the_claim() -> None:
    lines = BODY.split("\n")
    for at, line in enumerate(lines):
        elements = line.split("*")
        for number in range(len(elements)):
            damaged = "*".join((*elements[:number], CANARY, *elements[number + 1 :]))
            told_of = faults(envelope("\n".join((*lines[:at], damaged, *lines[at + 1 :]))))
            assert CANARY not in str(told_of)
            assert number or told_of


@pytest.mark.parametrize(
    ("without", "opens", "element"),
    [
        ("BHT*0019*00*BATCH1*20260915*1200*CH\n", "ST*", ""),
        ("OI***Y***Y\n", "SBR*P*18*******CI", ""),
        ("NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*EXHP1\nDTP*573*D8*20260910\nREF*F8*PRIOR0001\n", "SBR*P*18", "2330B NM1"),
        ("CTP****60*ML\n", "LIN*", ""),
    ],
)
def test_a_segment_that_is_required_and_missing_is_told_where_its_loop_begins(
    without: str, opens: str, element: str
) -> None:
    assert without in BODY + "\n"
    data = envelope(BODY.replace(without, "", 1))
    found = [fault for fault in claims(data)[0].faults if fault.word == "missing-segment"]
    name = without.partition("*")[0]
    start = 1 + [line.startswith(opens) for line in data.decode().split("~\n")].index(True)
    assert found == [X12Fault("missing-segment", start, name, element)]


@pytest.mark.parametrize(
    ("sent", "written", "element"),
    [
        ("OI***Y***Y", "OI***Y", "OI06"),
        ("CAS*PR*1*20", "CAS*PR**20", "CAS02"),
        ("REF*XZ*RX0001", "REF*XZ", "REF02"),
        ("NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*EXHP1", "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI", "NM109"),
        ("SVD*EXHP1*80*HC:J0897**60", "SVD*EXHP1**HC:J0897**60", "SVD02"),
        ("DTP*431*D8*20260901", "DTP*431**20260901", "DTP02"),
        ("BHT*0019*00*BATCH1*20260915*1200*CH", "BHT*0019*00*BATCH1*20260915*1200", "BHT06"),
        ("NM1*77*2*SAMPLE FACILITY*****XX*1000000038", "NM1*77*2******XX*1000000038", "NM103"),
    ],
)
def test_an_element_that_is_required_and_missing_is_told_in_its_segment(sent: str, written: str, element: str) -> None:
    data = envelope(changed(sent, written))
    start = 1 + [line == written for line in data.decode().split("~\n")].index(True)
    assert claims(data)[0].faults == [X12Fault("missing-element", start, sent.partition("*")[0], element)]


@pytest.mark.parametrize("mark", [">", "<", "|"])
def test_composites_with_another_separator_than_isa_says_are_a_fault_of_their_claim(mark: str) -> None:
    head, body = envelope().decode().split("\nGS*")
    for claim in claims((head + "\nGS*" + body.replace(":", mark)).encode()):
        first = claim.claim.ordinals[0]
        assert X12Fault("component-separator", first, "CLM", "CLM05") in claim.faults
