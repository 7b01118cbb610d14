"""Acknowledgments of an X12 file: what they say of sets and claims, and that pyx12 takes both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import pytest

from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.response.acknowledgments import ACKNOWLEDGMENTS, AcknowledgmentHeader
from scrubber.response.acknowledgments.received import Received, ReceivedClaim
from tests.support.pyx12_map import complaints
from tests.support.x12 import BODY, CANARY, envelope, in_group, in_interchange, in_set, written

HEADER = AcknowledgmentHeader(datetime(2026, 9, 20, 9, 30, tzinfo=UTC), 77, date(2026, 9, 19))
ACCEPT = {"disposition": "accept", "findings": []}


def finding(status: str, *lines: int, severity: str = "deny") -> Any:
    category, _, code = status.partition(":")
    return {
        "severity": severity,
        "lines": list(lines),
        "claimStatus": {"category": category, "code": code} if status else None,
    }


def denied(*findings: Any) -> Any:
    return {"disposition": "deny", "findings": list(findings)}


def received(data: bytes, answers: list[Any]) -> Iterator[Received]:
    waiting = iter(answers)
    for item in read_loops([data]):
        yield ReceivedClaim(item, next(waiting)) if isinstance(item, ClaimLoops) else item


def acknowledged(view: str, data: bytes, *answers: Any) -> list[str]:
    """The segments of the answer, which pyx12 takes."""
    text = "".join(ACKNOWLEDGMENTS[view](received(data, [*answers] or [ACCEPT] * 10), HEADER))
    assert complaints(text) == []
    return text.removesuffix("~\n").split("~\n")


def only(segments: list[str], *names: str) -> list[str]:
    return [segment for segment in segments if segment.split("*")[0] in names]


def test_sender_and_receiver_change_places() -> None:
    for view, kind in (("999", "FA"), ("277ca", "HN")):
        isa, gs = acknowledged(view, envelope())[:2]
        assert isa.startswith(
            f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'RECEIVER':15}*ZZ*{'SENDER':15}*260920*0930*^*00501*"
        )
        assert isa.endswith("*000000077*0*T*:")
        assert gs.startswith(f"GS*{kind}*RECEIVER*SENDER*20260920*0930*77*X*005010X2")


def test_a_file_without_faults_is_accepted() -> None:
    assert only(acknowledged("999", envelope()), "AK1", "AK2", "IK3", "IK5", "AK9") == [
        "AK1*HC*1*005010X222A1",
        "AK2*837*0001*005010X222A1",
        "IK5*A",
        "AK9*A*1*1*1",
    ]


def test_faults_of_segments_are_told_by_their_place_in_the_set_and_the_claim() -> None:
    body = BODY.replace("HI*ABK:M810", f"{CANARY}*{CANARY}\nHI*ABK:M810", 1)
    body = body.replace("REF*G1*AUTH0001", "REF*G1*AUTH0001\nREF*G1*AUTH0002").replace("HL*2*1*22", "HL*2*9*22")
    segments = acknowledged("999", envelope(body))
    assert only(segments, "IK3", "CTX", "IK4", "IK5", "AK9") == [
        "IK3*HL*16*2000*8",
        "IK4*2**7",
        "IK3*REF*26*2300*5",
        "CTX*CLM01:CLAIM-1",
        "IK3*ZZZ*28**1",
        "CTX*CLM01:CLAIM-1",
        "IK5*E*5",
        "AK9*E*1*1*1",
    ]
    assert CANARY not in "".join(segments)


def test_what_is_missing_is_told_as_missing() -> None:
    without = BODY.replace("OI***Y***Y\n", "", 1).replace("CAS*PR*1*20", "CAS*PR**20", 1)
    found = only(acknowledged("999", envelope(without)), "IK3", "IK4")
    segments = without.split("\n")
    sbr, cas = (1 + [line.startswith(start) for line in segments].index(True) + 1 for start in ("SBR*P", "CAS*PR"))
    assert found == [f"IK3*CAS*{cas}*2320*8", "IK4*2**1", f"IK3*OI*{sbr}*2320*3"] or found == [
        f"IK3*OI*{sbr}*2320*3", f"IK3*CAS*{cas}*2320*8", "IK4*2**1",
    ]  # fmt: skip


def test_a_set_whose_envelope_is_broken_is_rejected_and_the_others_are_not() -> None:
    broken = in_set(number="0002").replace("SE*", "SE*9")
    data = written(in_interchange(in_group(in_set(), broken, in_set(number="0003"))))
    segments = acknowledged("999", data)
    assert only(segments, "AK2", "IK5", "AK9") == [
        "AK2*837*0001*005010X222A1", "IK5*A",
        "AK2*837*0002*005010X222A1", "IK5*R*4",
        "AK2*837*0003*005010X222A1", "IK5*A",
        "AK9*P*3*3*2",
    ]  # fmt: skip


def test_sets_of_another_kind_are_rejected_and_each_group_has_its_answer() -> None:
    other = in_group(in_set(version="005010X223A2"), version="005010X223A2", number="2")
    segments = acknowledged("999", written(in_interchange(in_group(in_set()), other)))
    assert only(segments, "ST", "AK1", "IK5", "AK9") == [
        "ST*999*0001*005010X231", "AK1*HC*1*005010X222A1", "IK5*A", "AK9*A*1*1*1",
        "ST*999*0002*005010X231", "AK1*HC*2*005010X223A2", "IK5*R*1", "AK9*R*1*1*0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("GE*1*1", "GE*2*1", ["AK9*E*1*1*1*5"]),
        ("GE*1*1", "GE*1*7", ["AK9*E*1*1*1*4"]),
        ("IEA*1*000000001", "IEA*3*000000001", ["TA1*000000001*260915*1200*E*021", "AK9*A*1*1*1"]),
    ],
)
def test_faults_of_groups_and_interchanges(old: str, new: str, told: list[str]) -> None:
    text = "".join(
        ACKNOWLEDGMENTS["999"](received(envelope().replace(old.encode(), new.encode()), [ACCEPT] * 2), HEADER)
    )
    assert only(text.split("~\n"), "AK9", "TA1") == told


def test_a_file_that_is_cut_off_is_answered_all_the_same() -> None:
    items = [*received(envelope(), [ACCEPT] * 2)]
    for count in range(1, len(items)):
        text = "".join(ACKNOWLEDGMENTS["999"](islice(items, count), HEADER))
        assert complaints(text) == []
        assert only(text.split("~\n"), "AK9") != []


def test_claims_that_are_taken() -> None:
    segments = acknowledged("277ca", envelope())
    assert only(segments, "TRN", "STC", "QTY", "AMT", "DTP") == [
        "TRN*1*77", "DTP*050*D8*20260919", "DTP*009*D8*20260920",
        "TRN*2*BATCH1", "STC*A1:19:AY*20260920*WQ*325.00", "QTY*90*2", "AMT*YU*325.00",
        "TRN*1*0", "STC*A1:19:AY**WQ*325.00", "QTY*QA*2", "AMT*YU*325.00",
        "TRN*2*CLAIM-1", "STC*A2:20*20260920*WQ*250.00", "DTP*472*D8*20260902",
        "TRN*2*CLAIM-2", "STC*A2:20*20260920*WQ*75", "DTP*472*D8*20260903",
    ]  # fmt: skip
    assert only(segments, "HL", "NM1") == [
        "HL*1**20*1", "NM1*AY*2*SAMPLE CLEARINGHOUSE*****46*REC001",
        "HL*2*1*21*1", "NM1*41*2*SAMPLE BILLING SERVICE*****46*SUB001",
        "HL*3*2*19*1", "NM1*85*2*SAMPLE CLINIC*****XX*1000000004",
        "HL*4*3*PT", "NM1*QC*1*TESTER*CASEY****MI*SYN00000001",
        "HL*5*3*PT", "NM1*QC*1*TESTER*DANA****MI*SYN00000001",
    ]  # fmt: skip


def test_claims_and_lines_that_are_rejected_say_why() -> None:
    """By the statuses of the rules; of a rule without one, that something is missing or invalid. No warning counts."""
    of_lines = denied(finding("A7:477", 1), finding("A3:21", 1, 2), finding("A7:85", severity="warn"))
    segments = acknowledged("277ca", envelope(), of_lines, denied(finding(""), finding("A6:158")))
    claims = segments[segments.index("HL*4*3*PT") : segments.index(next(iter(only(segments, "SE"))))]
    assert [segment for segment in claims if not segment.startswith(("HL", "NM1"))] == [
        "TRN*2*CLAIM-1", "STC*A7:477*20260920*U*250.00", "DTP*472*D8*20260902",
        "SVC*HC:J0897*200.00*****60", "STC*A7:477*20260920*U*******A3:21", "REF*FJ*LINE-1", "DTP*472*D8*20260902",
        "SVC*HC:96372:59*50.00*****1", "STC*A3:21*20260920*U", "REF*FJ*2", "DTP*472*D8*20260902",
        "TRN*2*CLAIM-2", "STC*A3:21*20260920*U*75", "STC*A6:158*20260920*U*75", "DTP*472*D8*20260903",
    ]  # fmt: skip
    assert only(segments, "QTY", "AMT") == ["QTY*AA*2", "AMT*YY*325.00", "QTY*QC*2", "AMT*YY*325.00"]


def test_more_statuses_than_a_line_may_have_are_said_of_the_claim() -> None:
    codes = [f"A7:{code}" for code in (21, 22, 23, 24)]
    segments = acknowledged("277ca", envelope(), denied(*(finding(code, 1) for code in codes)), ACCEPT)
    assert "STC*A7:21*20260920*U*******A7:22*A7:23" in segments
    assert "STC*A7:24*20260920*U*250.00" in segments


def test_a_claim_that_cannot_be_read_is_rejected() -> None:
    segments = acknowledged("277ca", envelope(), None, ACCEPT)
    assert "STC*A3:21*20260920*U*250.00" in segments
    assert only(segments, "QTY") == ["QTY*90*1", "QTY*AA*1", "QTY*QA*1", "QTY*QC*1"]


def test_each_set_and_each_billing_provider_has_its_claims() -> None:
    second = (
        BODY[BODY.index("HL*1") :].replace("HL*3*2", "HL*6*5").replace("HL*2*1", "HL*5*4").replace("HL*1**", "HL*4**")
    )
    data = written(in_interchange(in_group(in_set(f"{BODY}\n{second}"), in_set(number="0002"))))
    segments = acknowledged("277ca", data)
    assert [segment[:3] + segment[-4:] for segment in only(segments, "ST", "HL")] == [
        "ST*X214", "HL*20*1", "HL*21*1", "HL*19*1", "HL*3*PT", "HL*3*PT", "HL*19*1", "HL*6*PT", "HL*6*PT",
        "ST*X214", "HL*20*1", "HL*21*1", "HL*19*1", "HL*3*PT", "HL*3*PT",
    ]  # fmt: skip


def test_the_delimiters_are_those_of_the_file() -> None:
    data = written(in_interchange(in_group(in_set())), element="|", component=">", end="!")
    text = "".join(ACKNOWLEDGMENTS["277ca"](received(data, [denied(finding("A7:477", 1)), ACCEPT]), HEADER))
    assert "SVC|HC>J0897|200.00|||||60!" in text
    assert complaints(text) == []
