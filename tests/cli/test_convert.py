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
    file.write_bytes(envelope(BODY.replace("***11:B:1", f"*{CANARY}**11:B:1")))
    done = convert(file)
    bodies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [body["claimInformation"]["patientControlNumber"] for body in bodies] == ["CLAIM-1", "CLAIM-2"]
    where = f"segment {ordinal('CLM*')}: 2300 CLM03"
    assert done.stderr == f"{where}: the v3 body has no place for it, and 1 more times\n"
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("*1200*CH", "*1200*RP", "HEADER BHT06"),
        ("BHT*0019*00", "BHT*0019*18", "HEADER BHT02"),
        ("****MI*SYN00000001", "****II*SYN00000001", "2010BA NM108"),
        ("*****PI*SMPMB", "*****XV*SMPMB", "2010BB NM108"),
        ("NM1*DN*", "NM1*P3*", "2310A NM101"),
    ],
)
def test_codes_that_json_cannot_say_are_listed(file: Path, old: str, new: str, place: str) -> None:
    file.write_bytes(envelope(BODY.replace(old, new)))
    done = convert(file)
    assert done.exit_code == 1
    assert f": {place}: the v3 body has no place for it" in done.stderr
    file.write_bytes(envelope())
    assert convert(file).stderr == ""


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


IDS = ("--sender", "SENDER", "--receiver", "RECEIVER", "--date", "20260915", "--time", "1200")
PARTS = {"claimInformation": {"patientControlNumber": "SYN1", "serviceLines": [{"serviceDate": "20260901"}]}}


def to_x12(content: bytes, *options: str) -> Result:
    return CliRunner().invoke(main, ["convert", "-", *(options or IDS)], input=content)


def test_json_becomes_x12_and_comes_back(file: Path) -> None:
    file.write_bytes(envelope())
    lines = convert(file).stdout_bytes
    done = to_x12(lines)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260915*1200*")
    file.write_text(done.stdout)
    assert convert(file).stdout_bytes == lines


@pytest.mark.parametrize(
    "form", ["{0}\n{0}\n", "[{0},\n {0}]", "\n{0}\n\n{0}", "\ufeff{0}\n{0}"], ids=["lines", "array", "blanks", "mark"]
)
def test_claims_of_a_file_may_stand_in_lines_or_in_an_array(form: str) -> None:
    done = to_x12(form.replace("{0}", json.dumps(PARTS)).encode())
    assert done.exit_code == 0
    assert done.stdout.count("CLM*SYN1") == 2


def test_a_file_may_be_one_claim_over_several_lines() -> None:
    assert to_x12(json.dumps(PARTS, indent=2).encode()).stdout.count("CLM*SYN1") == 1


def test_what_is_left_out_and_what_is_no_claim_is_listed_without_values() -> None:
    body = json.dumps(PARTS | {"favourite": CANARY, "scrubContext": {"receivedOn": CANARY}})
    done = to_x12("\n".join((body, body, "{", json.dumps({CANARY: CANARY}))).encode())
    assert done.exit_code == 1
    assert done.stdout.count("CLM*SYN1") == 2
    assert done.stderr == (
        "claim 1: /favourite: the 837P has no place for it, and 1 more times\n"
        "claim 1: /scrubContext: the 837P has no place for it, and 1 more times\n"
        "claim 3: is no JSON in UTF-8\n"
        "claim 4: is no claim: /claimInformation must be an object\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sender", "A1"], "X12 needs --sender and --receiver"),
        ([*IDS, "--to", "json"], "is not X12"),
        (["--sender", "A", "--receiver", "B1"], "2 to 15 letters"),
        (["--sender", "A" * 16, "--receiver", "B1"], "2 to 15 letters"),
        ([*IDS, "--time", "2460"], "for example 0930"),
        ([*IDS, "--control-number", "0"], "not in the range"),
    ],
)
def test_an_option_that_cannot_be_used_is_explained(options: list[str], words: str) -> None:
    done = to_x12(json.dumps(PARTS).encode(), *options)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert words in done.stderr


def test_x12_is_not_turned_into_x12(file: Path) -> None:
    file.write_bytes(envelope())
    done = CliRunner().invoke(main, ["convert", str(file), "--to", "x12", *IDS])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is X12 already" in done.stderr
