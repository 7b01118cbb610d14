"""A claim that was cut out of its X12 file as a line is the claim that it was in the file."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scrubber.claim.x12 import read_loops
from scrubber.claim.x12.claims import X12Claim, read_claims
from scrubber.claim.x12.row import read_row, rows_of_file
from scrubber.errors import NotAClaim, NotX12
from tests.support.x12 import BODY, CANARY, envelope, in_group, in_interchange, in_set, written


def test_a_line_holds_the_claim_its_faults_and_its_positions() -> None:
    data = envelope(BODY.replace("HI*ABK", "ZZZ*1\nHI*ABK", 1))
    rows = list(rows_of_file([data]))
    claims = [item.claim for item in read_claims([data]) if isinstance(item, X12Claim)]
    assert len(rows) == len(claims) == 2
    for row, claim in zip(rows, claims, strict=True):
        again = read_row(row)
        assert claim is not None
        assert claim.position is not None
        assert again.position is not None
        pointer = "/claimInformation/serviceLines/0/professionalService/procedureCode"
        assert again.position(pointer, "procedure") == claim.position(pointer, "procedure")
        assert replace(again, position=None) == replace(claim, position=None)
        assert b"\n" not in row
    assert read_row(rows[0]).faults


def test_what_is_wrong_with_the_end_of_a_set_is_a_line_of_its_own() -> None:
    rows = list(rows_of_file([envelope().replace(b"SE*", b"SE*1")]))
    assert len(rows) == 3
    with pytest.raises(NotAClaim) as refused:
        read_row(rows[-1])
    assert "(SE01): the count is not what was counted" in refused.value.problems[0].message


def test_a_set_that_is_not_read_is_told_also_where_it_stands_before_the_claims() -> None:
    foreign = in_set("BPR*I", number="0009").replace("ST*837*0009*005010X222A1", "ST*835*0009")
    first, told, second = rows_of_file([written(in_interchange(in_group(foreign), in_group(in_set(), number="2")))])
    assert b"no professional claim that is read here" in told
    assert (read_row(first).patient_control_number, read_row(second).patient_control_number) == ("CLAIM-1", "CLAIM-2")


def test_a_file_of_which_nothing_can_be_read_is_refused_whole() -> None:
    with pytest.raises(NotX12):
        list(rows_of_file([b"ISA*" + CANARY.encode()]))


def test_no_more_than_one_claim_is_held_at_a_time() -> None:
    """The lines come while the file is read: the first before the last piece of the file is asked for."""
    data = envelope("\n".join([BODY] * 200).replace("HL*3*2*23*0", "HL*3*2*23*0"))
    asked = 0

    def pieces() -> object:
        nonlocal asked
        for start in range(0, len(data), 50_000):
            asked += 1
            yield data[start : start + 50_000]

    rows = rows_of_file(pieces())  # type: ignore[arg-type]
    next(rows)
    before = asked
    list(rows)
    assert before < asked


def test_loops_are_objects_so_that_a_batch_weighs_a_row_by_its_lines() -> None:
    row = next(rows_of_file([envelope()]))
    loops = next(iter(read_loops([envelope()])))
    assert row.count(b"{") > len(loops.claim.loops)  # type: ignore[union-attr]
