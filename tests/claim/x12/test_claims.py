"""A claim from X12 is scrubbed as the same claim from JSON is, and its findings say where in the file they are."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_claim
from scrubber.claim.model import Position, StructureFault
from scrubber.claim.x12.claims import X12Claim, read_claims
from scrubber.errors import NotAClaim, NotX12
from scrubber.scrub import Scrubber
from tests.claim.x12.test_read import MAKE_837P, bodies
from tests.support.x12 import BODY, envelope

ONE_CLAIM = BODY.partition("\nHL*3*2*23")[0]
RECEIVED = date(2026, 9, 20)


def ordinals(data: bytes, start: str) -> list[int]:
    """The numbers of the segments that begin so, from 1."""
    segments = data.decode().split("~")
    return [number for number, segment in enumerate(segments, start=1) if segment.strip().startswith(start)]


def found(data: bytes, scrubber: Scrubber) -> list[tuple[Any, ...]]:
    """What the rules find, without where."""
    result = scrubber.scrub(read_claim(data), RECEIVED)
    return [
        (finding.rule.id, finding.lines, finding.related_lines, finding.message, finding.fix, finding.impact)
        for finding in result.findings
    ]


def test_the_claim_of_a_file_is_read_as_its_json_is(shipped: Scrubber) -> None:
    data = envelope(ONE_CLAIM)
    as_json = json.dumps(bodies(data)[0]).encode()
    assert found(data, shipped) == found(as_json, shipped)
    assert len(found(data, shipped)) > 2


@pytest.mark.skipif(not MAKE_837P.exists(), reason="the papers of the project are not here")
def test_claims_written_twice_have_the_same_findings(tmp_path: Path, shipped: Scrubber) -> None:
    out = tmp_path / "claims"
    seed = str(random.randrange(10**6))
    command = [sys.executable, str(MAKE_837P), "--claims", "60", "--seed", seed, "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    claims = [item.claim for item in read_claims([out.with_suffix(".837").read_bytes()]) if isinstance(item, X12Claim)]
    for claim, line in zip(claims, out.with_suffix(".ndjson").read_bytes().splitlines(), strict=True):
        assert claim is not None
        result = shipped.scrub(claim, RECEIVED)
        ours = [(finding.rule.id, finding.lines, finding.message, finding.impact) for finding in result.findings]
        other = shipped.scrub(read_claim(line), RECEIVED)
        assert ours == [(each.rule.id, each.lines, each.message, each.impact) for each in other.findings], seed
        assert all(finding.position is not None for finding in result.findings)


def test_a_finding_says_where_in_the_file_it_is(shipped: Scrubber) -> None:
    data = envelope(ONE_CLAIM.replace("XX*1000000020", "XX*1000000021"))
    result = shipped.scrub(read_claim(data), RECEIVED)
    places = [finding.position for finding in result.findings if finding.rule.id == "x12-837p-npi-check-digit"]
    claim, line = ordinals(data, "NM1*82")
    assert places == [Position("2310B", "NM109", claim), Position("2420A", "NM109", line)]


def test_what_is_missing_is_told_at_the_segment_where_it_would_stand(shipped: Scrubber) -> None:
    data = envelope(ONE_CLAIM.replace("DTP*472*D8*20260902\n", "", 1).replace("*250.00*", "**", 1))
    result = shipped.scrub(read_claim(data), RECEIVED)
    missing = {
        finding.element: finding.position
        for finding in result.findings
        if finding.rule.id == "x12-837p-element-missing"
    }
    assert missing["total"] == Position("2300", "CLM02", ordinals(data, "CLM")[0])
    assert missing["service-date"] == Position("2400", "DTP03", ordinals(data, "LX*1")[0])


def test_faults_of_segments_are_findings(shipped: Scrubber) -> None:
    data = envelope(ONE_CLAIM.replace("HI*ABK", "ZZZ*1\nHI*ABK").replace("DTP*431", "CLM2*1\nDTP*431"))
    claim = read_claim(data)
    first, second = ordinals(data, "CLM2*") + ordinals(data, "ZZZ")
    assert claim.faults == (
        StructureFault("unknown-segment", Position("", "", first)),
        StructureFault("unknown-segment", Position("", "", second)),
    )
    result = shipped.scrub(claim, RECEIVED)
    finding = next(each for each in result.findings if each.rule.id == "x12-837p-segment-not-in-guide")
    assert finding.message == f"Segments {first}, {second}: the guide has no segment with this id; it is not read."
    assert finding.position == Position("", "", first)


def test_a_file_with_several_claims_is_no_single_claim() -> None:
    with pytest.raises(NotAClaim) as refused:
        read_claim(envelope())
    assert "more than one claim" in refused.value.problems[0].message


def test_a_claim_without_lines_is_none_and_the_next_is_read() -> None:
    start = BODY.index("LX*1\nSV1*HC:J0897")
    without = BODY[:start] + BODY[BODY.index("HL*3*2*23") :]
    first, second = [item for item in read_claims([envelope(without)]) if isinstance(item, X12Claim)]
    assert first.claim is None
    assert first.refusal is not None
    assert second.claim is not None
    with pytest.raises(NotAClaim) as refused:
        read_claim(envelope(BODY[:start].strip()))
    assert "has no service lines" in refused.value.problems[0].message


def test_an_envelope_without_a_claim_is_refused() -> None:
    with pytest.raises(NotX12, match="holds no claim"):
        read_claim(envelope("BHT*0019*00*BATCH1*20260915*1200*CH"))


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b" \r\n"])
def test_x12_is_recognised_by_its_beginning(start: bytes) -> None:
    assert read_claim(start + envelope(ONE_CLAIM)).position is not None


def test_x12_in_utf_16_is_read() -> None:
    assert read_claim(envelope(ONE_CLAIM).decode().encode("utf-16")).patient_control_number == "CLAIM-1"
