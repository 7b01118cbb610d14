"""`scrubber convert`: an X12 file as v3 JSON, and all that is to be said of it, without a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from tests.support.x12 import BODY, CANARY, envelope, ordinal


def convert(file: Path | str, content: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["convert", str(file)], input=content)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claims.837"


def test_each_claim_is_a_line_of_v3_json(file: Path) -> None:
    file.write_bytes(envelope())
    done = convert(file)
    bodies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [body["claimInformation"]["patientControlNumber"] for body in bodies] == ["CLAIM-1", "CLAIM-2"]
    where = f"segment {ordinal('NM1*40')}: 1000B NM109"
    assert done.stderr == f"{where}: the v3 body has no place for it, and 1 more times\n"
    assert done.exit_code == 1


def test_standard_input_is_read(file: Path) -> None:
    file.write_bytes(envelope())
    assert convert("-", envelope()).stdout == convert(file).stdout


def test_faults_are_told_by_segment_and_the_claims_are_written_all_the_same(file: Path) -> None:
    file.write_bytes(envelope(BODY.replace("HI*ABK", f"{CANARY}*{CANARY}\nHI*ABK", 1)))
    done = convert(file)
    assert len(done.stdout.splitlines()) == 2
    assert "segment 29: the guide has no segment with this id; it is not read\n" in done.stderr
    assert CANARY not in done.output


def test_a_file_of_another_kind_is_refused_by_its_name(file: Path) -> None:
    file.write_bytes(envelope().replace(b"005010X222A1", b"005010X223A2"))
    done = convert(file)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the file holds 837I" in done.stderr


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    done = convert(tmp_path / "nothing.837")
    assert done.exit_code == 2
    assert "nothing.837: cannot be read" in done.stderr
