from __future__ import annotations

import pytest

from scrubber.claim.x12 import EndOfGroup, EndOfInterchange, EndOfSet, read_loops
from scrubber.claim.x12.envelope import MOST_CONTROL_NUMBERS
from scrubber.claim.x12.faults import MOST_FAULTS
from tests.support.x12 import (
    BODY,
    claims,
    envelope,
    faults,
    in_group,
    in_interchange,
    in_set,
    outcome,
    refusal,
    written,
)

LINES = in_interchange(in_group(in_set())).split("\n")
SE, GE, IEA = len(LINES) - 2, len(LINES) - 1, len(LINES)  # ordinals


def changed(old: str, new: str) -> bytes:
    text = "\n".join(LINES)
    assert text.count(old) == 1, old
    return written(text.replace(old, new))


def without(*ordinals: int) -> bytes:
    return written("\n".join(line for ordinal, line in enumerate(LINES, start=1) if ordinal not in ordinals))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("SE*70*", "SE*71*", ("count", SE, "SE", "SE01")),
        ("SE*70*", "SE*x*", ("count", SE, "SE", "SE01")),
        ("SE*70*", "SE**", ("count", SE, "SE", "SE01")),
        ("SE*70*", f"SE*{'9' * 5000}*", ("count", SE, "SE", "SE01")),
        ("SE*70*0001", "SE*70*0002", ("control-number", SE, "SE", "SE02")),
        ("SE*70*0001", "SE*70", ("control-number", SE, "SE", "SE02")),
        ("GE*1*1", "GE*2*1", ("count", GE, "GE", "GE01")),
        ("GE*1*1", "GE*1*2", ("control-number", GE, "GE", "GE02")),
        ("IEA*1*", "IEA*0*", ("count", IEA, "IEA", "IEA01")),
        ("IEA*1*000000001", "IEA*1*000000002", ("control-number", IEA, "IEA", "IEA02")),
    ],
)
def test_a_trailer_that_is_wrong_is_a_fault_of_its_envelope(
    old: str, new: str, fault: tuple[str, int, str, str]
) -> None:
    data = changed(old, new)
    assert faults(data) == [fault]
    assert not any(claim.faults for claim in claims(data))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("*00501*", "*00401*", ("version", 1, "ISA", "ISA12")),
        ("GS*HC*", "GS*HP*", ("functional-group", 2, "GS", "GS01")),
        ("ST*837*0001*005010X222A1", "ST*837*0001*005010X222A2", ("version", 3, "ST", "ST03")),
        ("ST*837*0001*005010X222A1", "ST*837*0001*005010X223A2", ("version", 3, "ST", "ST03")),
        ("X*005010X222A1", "X*005010X223A2", ("version", 3, "ST", "ST03")),
        ("X*005010X222A1", "X*", ("version", 3, "ST", "ST03")),
    ],
)
def test_a_header_that_is_wrong_is_a_fault_of_each_claim_behind_it(
    old: str, new: str, fault: tuple[str, int, str, str]
) -> None:
    assert [claim.faults for claim in claims(changed(old, new))] == [[fault], [fault]]


def test_a_set_without_st03_is_what_its_group_says() -> None:
    assert faults(changed("ST*837*0001*005010X222A1", "ST*837*0001")) == []


@pytest.mark.parametrize(
    ("old", "new", "segment", "ordinal"),
    [("*0*T*:", "*0*T*:", "ISA", 1), ("*1200*1*X", "*1200**X", "GS", 2), ("ST*837*0001*", "ST*837**", "ST", 3)],
)
def test_a_control_number_that_is_missing_is_told(old: str, new: str, segment: str, ordinal: int) -> None:
    data = changed(old, new) if segment != "ISA" else changed("*000000001*0*T", "*         *0*T")
    element = {"ISA": "ISA13", "GS": "GS06", "ST": "ST02"}[segment]
    assert ("control-number-missing", ordinal, segment, element) in claims(data)[0].faults


def test_a_control_number_that_is_used_twice_is_told_the_second_time() -> None:
    group = in_group(in_set(), in_set())
    first, second, third, fourth = (
        claims(written(in_interchange(group) + "\n" + in_interchange(in_group(in_set()))))[at] for at in (0, 2, 4, 5)
    )
    assert not first.faults
    assert [fault[0::2] for fault in second.faults] == [("control-number-repeated", "ST")]
    assert [fault[0::2] for fault in third.faults] == [("control-number-repeated", "ISA")]
    assert third.faults == fourth.faults


def test_control_numbers_are_compared_up_to_a_bound() -> None:
    sets = [
        f"ST*837*{at}*005010X222A1\nSE*2*{at}" for at in [*range(MOST_CONTROL_NUMBERS + 5), 3, MOST_CONTROL_NUMBERS + 2]
    ]
    told = faults(written(in_interchange(in_group(*sets))))
    assert [fault[0] for fault in told] == ["control-number-repeated"]


def test_several_interchanges_groups_and_sets_are_counted_each() -> None:
    one = in_group(in_set(number="0001"), in_set(number="0002"))
    two = in_group(in_set(number="0001"), number="2")
    data = written(in_interchange(one, two) + "\n" + in_interchange(one, number="000000002"))
    items = list(read_loops([data]))
    assert [(end.claims, end.header[2], end.group[6]) for end in items if isinstance(end, EndOfSet)] == [
        (2, "0001", "1"), (2, "0002", "1"), (2, "0001", "2"), (2, "0001", "1"), (2, "0002", "1"),
    ]  # fmt: skip
    assert [(end.sets, end.header[6]) for end in items if isinstance(end, EndOfGroup)] == [(2, "1"), (1, "2"), (2, "1")]
    ends = [end for end in items if isinstance(end, EndOfInterchange)]
    assert [(end.groups, end.header[13]) for end in ends] == [(2, "000000001"), (1, "000000002")]
    assert [claim.number for claim in claims(data)] == list(range(1, 11))
    assert claims(data)[-1].isa[13] == "000000002"
    assert faults(data) == []
    assert ends[0].last + 1 == ends[1].first


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ((SE,), {("not-closed", "ST"), ("not-closed", "CLM")}),
        ((GE,), {("not-closed", "GS")}),
        ((SE, GE), {("not-closed", "GS"), ("not-closed", "ST"), ("not-closed", "CLM")}),
        ((2,), {("not-in-group", ""), ("count", "IEA")}),
        ((IEA,), {("not-closed", "ISA")}),
    ],
)
def test_what_is_missing_of_an_envelope_is_told(missing: tuple[int, ...], told: set[tuple[str, str]]) -> None:
    data = without(*missing) + written(in_interchange(in_group(in_set()), number="000000002"))
    assert {(word, segment) for word, _, segment, _ in faults(data)} == told
    assert len(claims(data)) == 4
    assert not any(claim.faults for claim in claims(data)[-2:])


def test_segments_without_their_set_are_told_and_not_read() -> None:
    data = without(3) + written(in_interchange(in_group(in_set()), number="000000002"))
    found = faults(data)
    assert found[0] == ("not-in-set", 3, "BHT", "")
    assert [fault[:3:2] for fault in found[-2:]] == [("not-open", "SE"), ("count", "GE")]
    assert {fault[0] for fault in found[:-2]} == {"not-in-set"}
    assert len(claims(data)) == 2


def test_more_faults_than_are_kept_are_told_as_one() -> None:
    data = written(in_interchange(in_group(*["N3*1"] * 500, in_set())).replace("GE*501", "GE*1"))
    told = faults(data)
    assert [fault[0] for fault in told] == ["not-in-set"] * (MOST_FAULTS - 1) + ["more-faults"]


def test_an_interchange_in_an_interchange_closes_the_first() -> None:
    inner = in_interchange(in_group(in_set()), number="000000002").split("\n")
    cut = 30  # in the first claim
    data = written("\n".join((*LINES[:cut], *inner, *LINES[cut:])))
    broken, *sound = claims(data)
    assert ("not-closed", "CLM") in [(fault.word, fault.segment) for fault in broken.faults]
    assert [claim.claim.segments[0][1] for claim in sound] == ["CLAIM-1", "CLAIM-2"]
    assert not any(claim.faults for claim in sound)
    words = [fault[0] for fault in faults(data)]
    assert words[4] == "not-in-interchange"
    assert words.count("not-in-set") == SE - 1 - cut
    assert words[-3:] == ["not-open", "not-open", "count"]


def test_the_end_of_a_file_before_the_end_of_an_envelope_is_told_with_each() -> None:
    data = written("\n".join(LINES[:-6]))
    told = [(fault[0], fault[2]) for fault in faults(data)]
    assert told == [("cut-off", "CLM"), ("cut-off", "ST"), ("cut-off", "GS"), ("cut-off", "ISA")]
    assert not claims(data)[0].faults


def test_a_set_of_another_kind_is_refused_by_name_and_the_rest_is_read() -> None:
    other = "ST*837*0001*005010X223A2\nBHT*0019\nCLM*SECRET\nSE*4*0001"
    data = written(in_interchange(in_group(other, version="005010X223A2"), in_group(in_set(), number="2")))
    items = list(read_loops([data]))
    ends = [end for end in items if isinstance(end, EndOfSet)]
    assert [(end.foreign, end.claims, end.first, end.last) for end in ends] == [
        ("837I", 0, 3, 6),
        ("", 2, 9, 8 + 70),
    ]
    assert ends[0].faults == [("foreign-set", 3, "ST", "ST01")]
    assert len(claims(data)) == 2
    assert not any(claim.faults for claim in claims(data))


def test_an_acknowledgment_beside_claims_is_passed_over() -> None:
    ta1 = "TA1*000000019*250101*1200*A*000"
    data = written("\n".join((LINES[0], ta1, *LINES[1:])))
    assert faults(data) == []
    assert len(claims(data)) == 2
    assert (
        faults(written("\n".join((*LINES[:4], ta1, *LINES[4:-3], "SE*71*0001", *LINES[-2:]))))
        == [("unexpected-segment", 5, "TA1", "")] * 2
    )


def test_a_file_without_a_set_is_refused() -> None:
    assert refusal(written(in_interchange())).word == "no-set"
    assert refusal(written(in_interchange(in_group()))).word == "no-set"
    assert outcome([written(in_interchange(in_group(in_set(""))))])[0][0] == "EndOfSet"


def test_segments_behind_iea_are_told_once_and_do_not_stop_the_next_interchange() -> None:
    text = "NTE*ADD*ZQXCANARY"
    data = envelope() + written(text) + written(in_interchange(in_group(in_set()), number="000000002"))
    assert len(claims(data)) == 4
    assert [fault for fault in faults(data) if fault[0] != "not-closed"] == [
        ("not-in-interchange", IEA + 1, "", ""),
        ("not-in-set", IEA + 1, "NTE", ""),
    ]


def test_a_group_without_an_interchange_is_read_by_the_delimiters_before_and_told_with_each_claim() -> None:
    data = envelope() + written(in_group(in_set(BODY)))
    last = claims(data)[-1]
    assert last.isa == []
    assert [fault.word for fault in last.faults] == ["not-in-interchange"]
