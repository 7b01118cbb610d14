"""Public sample files of many systems, and generated files, where ../shared is at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim.x12 import ClaimLoops, EndOfGroup, EndOfInterchange, EndOfSet, Loop, read_loops
from tests.support.published import DATA
from tests.support.x12 import claims, faults, outcome, refusal

SAMPLES = DATA / "x12"
GENERATOR = DATA.parent / "scripts" / "make_837p.py"

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample files are not at hand: no part of the project")
needs_generator = pytest.mark.skipif(
    not GENERATOR.is_file(), reason="the generator is not at hand: no part of the project"
)


def expected() -> dict[str, Any]:
    file = SAMPLES / "expected-837p.json"
    return json.loads(file.read_text())["files"] if file.is_file() else {"none": {}}


def others() -> list[str]:
    return sorted(str(path.relative_to(SAMPLES)) for kind in ("835", "other") for path in (SAMPLES / kind).glob("*"))


def counts(data: bytes) -> dict[str, object]:
    """What `expected-837p.json` says of a file, as it is read here."""
    items = list(read_loops([data]))
    read = [item for item in items if isinstance(item, ClaimLoops)]
    lines = [
        segment[0] for claim in read for loop in claim.claim.loops if loop.name == "2400" for segment in loop.segments
    ]
    return {
        "interchanges": sum(isinstance(item, EndOfInterchange) for item in items),
        "groups": sum(isinstance(item, EndOfGroup) for item in items),
        "sets": sum(isinstance(item, EndOfSet) for item in items),
        "claims": len(read),
        "lx": lines.count("LX"),
        "sv1": lines.count("SV1"),
        "clm02_sum": f"{sum(Decimal(claim.claim.segments[0][2]) for claim in read):.2f}",
        "first_clm01": read[0].claim.segments[0][1] if read else None,
        "last_clm01": read[-1].claim.segments[0][1] if read else None,
    }


@needs_samples
@pytest.mark.parametrize("name", sorted(expected()))
def test_a_sample_is_read_as_three_other_readers_read_it(name: str) -> None:
    sample = expected()[name]
    data = (SAMPLES / sample["file"]).read_bytes()
    if sample.get("must_be_refused"):
        assert refusal(data).word in ("no-isa", "isa-length")
        return
    assert counts(data) == sample["expected"]
    segments = sum(item.last - item.first + 1 for item in read_loops([data]) if isinstance(item, EndOfInterchange))
    assert segments == sample["traits"]["segments"]
    delimiters = {claim.delimiters for claim in claims(data)}
    for marks in delimiters:
        named = {**marks._asdict(), "repetition": marks.repetition or None}
        assert named == {key: value for key, value in sample["traits"]["delimiters"].items() if key != "isa11"}


@needs_samples
@pytest.mark.parametrize("name", others())
def test_a_sample_of_another_kind_is_refused_by_name(name: str) -> None:
    refused = refusal((SAMPLES / name).read_bytes())
    kind = name.rpartition("/")[2]
    if kind in ("stupidedi__X221_HP835_case_1.edi", "uhin__TA1.edi"):  # prose before ISA; ISA with blanks left out
        assert refused.word in ("text-before-isa", "isa-length")
        return
    names = {
        "835/": "835", "999": "999", "lui_id": "997", "ta1": "TA1", "277ca": "277CA", "277_x212": "277 claim status",
        "X291": "a predetermination", "X224": "837D", "004010X096": "837I", "004010X098": "837P of 4010",
        "simple_837p": "837P of 4010", "demo.837i": "837I", "sample_837_": "837I",
    }  # fmt: skip
    what = next(what for part, what in names.items() if part in name)
    assert what in refused.reason


@needs_samples
def test_one_claim_in_two_writings_is_read_the_same() -> None:
    pairs = {
        "ambulance": "ambulance.example5",
        "chiropractic": "cob.2ndary.example4",
        "encounter": "example2",
        "wheelchair": "example8",
    }
    for one, other in pairs.items():
        first = claims((SAMPLES / "837p" / f"stupidedi__X222A1_HC837_pass_{one}.edi").read_bytes())
        second = claims((SAMPLES / "837p" / f"lfh__837_005010X222A2_demo.{other}.837").read_bytes())
        assert [shape(claim.claim) for claim in first] == [shape(claim.claim) for claim in second]


def shape(loop: Loop) -> list[object]:
    return [loop.name, [segment[0] for segment in loop.segments], [shape(inner) for inner in loop.loops]]


def generated(folder: Path, *options: str) -> tuple[bytes, list[dict[str, Any]], dict[str, Any]]:
    """A file of generated claims, the same claims as JSON, and what was counted."""
    out = folder / "made"
    subprocess.run([sys.executable, GENERATOR, "--out", out, *options], check=True, capture_output=True)
    bodies = [json.loads(line) for line in out.with_suffix(".ndjson").read_text().splitlines()]
    return out.with_suffix(".837").read_bytes(), bodies, json.loads(out.with_suffix(".summary.json").read_text())


WRITINGS = [
    ("--element", "|"), ("--component", "<"), ("--component", "\\"), ("--repetition", "!"), ("--terminator", "\\n"),
    ("--terminator", "\x1c", "--element", "\x1d", "--component", "\x1f", "--line-break", "none"),
    ("--line-break", "none"), ("--line-break", "crlf"), ("--money", "cents"), ("--mixed-case",),
    ("--interchanges", "2", "--groups", "3", "--sets", "2"),
]  # fmt: skip


@needs_generator
@pytest.mark.parametrize("writing", WRITINGS)
def test_generated_claims_are_read_whole_in_any_writing(writing: tuple[str, ...], tmp_path: Path) -> None:
    data, bodies, summary = generated(tmp_path, "--claims", "200", "--seed", "5", *writing)
    read = counts(data)
    assert read == {key: summary[key] for key in read if key in summary} | {
        "lx": summary["lines"],
        "sv1": summary["lines"],
    }
    assert not [fault for item in read_loops([data]) for fault in item.faults]
    for claim, body in zip(claims(data), bodies, strict=True):
        assert summed(claim) == of_body(body)


def summed(claim: ClaimLoops) -> dict[str, object]:
    """What a claim has, by its loops."""
    loops = [loop.name for loop in claim.claim.loops]
    decided = [inner.name for loop in claim.claim.loops for inner in loop.loops]
    assert claim.subscriber is not None
    return {
        "number": claim.claim.segments[0][1],
        "set": claim.header.segments[0][2],
        "member": claim.subscriber.loops[0].segments[0][9],
        "dependent": None if claim.patient is None else claim.patient.loops[0].segments[0][4],
        "lines": loops.count("2400"),
        "other payers": loops.count("2320"),
        "rendering": loops.count("2310B"),
        "drugs": decided.count("2410"),
        "decisions": decided.count("2430"),
    }


def of_body(body: dict[str, Any]) -> dict[str, object]:
    """The same by its JSON."""
    info = body["claimInformation"]
    lines = info["serviceLines"]
    return {
        "number": info["patientControlNumber"],
        "set": body["controlNumber"],
        "member": body["subscriber"]["memberId"],
        "dependent": body["dependent"]["firstName"] if "dependent" in body else None,
        "lines": len(lines),
        "other payers": len(info.get("otherSubscriberInformation", [])),
        "rendering": int("rendering" in body),
        "drugs": sum("drugIdentification" in line for line in lines),
        "decisions": sum(len(line.get("lineAdjudicationInformation", [])) for line in lines),
    }


@needs_generator
def test_generated_claims_are_read_the_same_in_pieces(tmp_path: Path) -> None:
    data, _, _ = generated(tmp_path, "--claims", "300", "--interchanges", "3")
    whole = outcome([data])
    assert outcome(data[at : at + 977] for at in range(0, len(data), 977)) == whole
    for blanks in (1, 2, 5, 9, 14):  # other places of segments stand at the borders of chunks
        assert outcome([b"\n" * blanks + data]) == whole


@needs_samples
def test_what_is_missing_is_not_missed_in_a_sample_that_is_sound() -> None:
    for name, sample in expected().items():
        verdict = (sample.get("pyx12") or {}).get("verdict")
        if sample.get("must_be_refused"):
            continue
        words = {fault.word for fault in faults((SAMPLES / sample["file"]).read_bytes())}
        if verdict == "valid":
            assert not words & {"missing-segment", "missing-element", "component-separator"}, name
        assert ("component-separator" in words) == any(odd in name for odd in ("2ndary", "example11", "example12")), (
            name
        )
