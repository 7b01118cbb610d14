"""`scrubber scrub`: what is printed where, and how it exits."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from tests.support.claims import office_claim, tbs_claim
from tests.support.service import ROOT, write_rules
from tests.support.x12 import (
    BODY,
    CANARY,
    context_line,
    envelope,
    full_of_canaries,
    in_group,
    in_interchange,
    in_set,
    ordinal,
    written,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with rules, a claim that is denied and one that is accepted."""
    write_rules(tmp_path / "rules", ("sample-denied", "deny", "77092"))
    (tmp_path / "denied.json").write_bytes(orjson.dumps(tbs_claim()))
    (tmp_path / "clean.json").write_bytes(orjson.dumps(office_claim()))
    (tmp_path / "broken.json").write_bytes(b'{\n "a": CANARY}')
    (tmp_path / "no-claim.json").write_bytes(b'{"claimInformation": {"serviceLines": "CANARY"}}')
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SCRUBBER_")]:
        monkeypatch.delenv(name)
    return tmp_path


def scrubber(*args: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, args, input=stdin)


def test_a_table_by_default(folder: Path) -> None:
    done = scrubber("scrub", "denied.json", "clean.json")
    assert done.exit_code == 0
    for part in ("denied.json  DENY", "clean.json  ACCEPT", "Fix: Bill another code.", "Sample policy"):
        assert part in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_json_is_one_answer_a_line(folder: Path) -> None:
    done = scrubber("scrub", "--json", "denied.json", "clean.json")
    answers = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [answer["disposition"] for answer in answers] == ["deny", "accept"]


def test_standard_input(folder: Path) -> None:
    done = scrubber("scrub", "-", stdin=orjson.dumps(tbs_claim()))
    assert "standard input  DENY" in done.stdout


def test_the_clearinghouse_view(folder: Path) -> None:
    done = scrubber("scrub", "--view", "clearinghouse", "denied.json")
    assert orjson.loads(done.stdout)["status"] == "ERROR"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["denied.json"], 0),
        (["--strict", "clean.json"], 0),
        (["--strict", "clean.json", "denied.json"], 1),
        (["--strict", "denied.json", "broken.json"], 2),
        (["no-claim.json", "clean.json"], 2),
        (["nowhere.json"], 2),
        (["."], 2),
        ([], 2),
        (["--view", "other", "clean.json"], 2),
        (["--received-on", "20250230", "clean.json"], 2),
    ],
)
def test_exit_codes(folder: Path, args: list[str], code: int) -> None:
    assert scrubber("scrub", *args).exit_code == code


def test_what_is_no_claim_is_told_and_the_rest_scrubbed(folder: Path) -> None:
    done = scrubber("scrub", "--json", "broken.json", "no-claim.json", "nowhere.json", "clean.json")
    assert done.exit_code == 2
    assert orjson.loads(done.stdout)["disposition"] == "accept"
    told = done.stderr.splitlines()
    assert told[0].startswith("broken.json: ")
    assert "line 2, column 7" in told[0]
    assert told[1].startswith("no-claim.json: ")
    assert "/claimInformation/serviceLines" in told[1]
    assert told[2].startswith("nowhere.json: ")
    assert "CANARY" not in done.output


def test_a_packed_file_is_told_from_one_that_is_no_json(folder: Path) -> None:
    (folder / "packed.gz").write_bytes(gzip.compress((folder / "clean.json").read_bytes()))
    done = scrubber("scrub", "packed.gz")
    assert done.exit_code == 2
    assert done.stderr == "packed.gz: is packed; unpack it first: gzip -dk FILE\n"


def test_the_day_of_receipt(folder: Path) -> None:
    def day(*args: str) -> str:
        received_on: str = orjson.loads(scrubber("scrub", "--json", *args).stdout)["receivedOn"]
        return received_on

    assert day("denied.json") == "20250320"
    assert day("--received-on", "20250401", "denied.json") == "20250401"
    assert day("--received-on", "20250401", "clean.json") == "20250401"
    assert len(day("clean.json")) == 8


def test_rules_with_faults_are_told_with_their_place(folder: Path) -> None:
    (folder / "rules" / "sample" / "lines" / "sample-denied.yaml").write_text("id: other\n")
    done = scrubber("scrub", "clean.json")
    assert done.exit_code == 2
    assert "sample/lines/sample-denied.yaml:1" in done.stderr


def test_an_unusable_setting_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUBBER_RULES", "nowhere")
    done = scrubber("scrub", "clean.json")
    assert done.exit_code == 2
    assert "SCRUBBER_RULES" in done.stderr


def test_a_reader_that_leaves_early_gets_no_traceback(folder: Path) -> None:
    command = [sys.executable, "-m", "scrubber", "scrub", "--json", *["denied.json"] * 100]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environ, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_only_where_wanted(folder: Path, no_color: str, coloured: bool) -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    environ = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": no_color}
    command = [sys.executable, "-m", "scrubber", "scrub", "clean.json"]
    subprocess.run(command, env=environ, stdout=child, check=True)
    os.close(child)
    assert (b"\x1b[" in os.read(parent, 10_000)) == coloured
    os.close(parent)


def test_a_failure_of_our_own_tells_its_place_and_no_value(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyError("CANARY")

    monkeypatch.setattr("scrubber.scrub.Scrubber.scrub", crash)
    done = scrubber("scrub", "clean.json")
    assert done.exit_code == 3
    assert "KeyError" in done.stderr
    assert "scrubber/cli/scrub.py:" in done.stderr
    assert "CANARY" not in done.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_cannot_be_written_is_not_taken_for_a_denial(folder: Path) -> None:
    """Buffered, as Python writes where PYTHONUNBUFFERED is not set: what is in the buffer cannot be written either."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "scrubber", "scrub", str(folder / "denied.json")],
            cwd=ROOT,
            env=environ | {"SCRUBBER_RULES": str(folder / "rules")},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, b"scrubber failed: No space left on device\n")


def test_an_x12_file_has_an_answer_a_claim(folder: Path) -> None:
    (folder / "two.837").write_bytes(envelope())
    done = scrubber("scrub", "two.837", "clean.json")
    assert done.exit_code == 0
    verdicts = [line.rpartition("  ")[0] for line in done.stdout.splitlines() if line.startswith(("two", "clean"))]
    assert verdicts == ["two.837 claim 1 (CLAIM-1)", "two.837 claim 2 (CLAIM-2)", "clean.json"]
    rows = [orjson.loads(line) for line in scrubber("scrub", "--json", "two.837").stdout.splitlines()]
    assert [(row["row"], row["claimNumber"]) for row in rows] == [(1, "CLAIM-1"), (2, "CLAIM-2")]
    assert rows[0]["answer"]["disposition"] == "accept"


def test_claims_of_several_interchanges_are_one_row_of_claims(folder: Path) -> None:
    file = written(
        "\n".join(in_interchange(in_group(in_set()), number=number) for number in ("000000001", "000000002"))
    )
    (folder / "four.837").write_bytes(file)
    rows = [orjson.loads(line) for line in scrubber("scrub", "--json", "four.837").stdout.splitlines()]
    assert [row["row"] for row in rows] == [1, 2, 3, 4]


def test_the_only_claim_of_an_x12_file_is_answered_as_one_in_json_is(folder: Path) -> None:
    (folder / "one.837").write_bytes(envelope(BODY.partition("\nHL*3*2*23")[0]).replace(b"SE*", b"SE*1"))
    done = scrubber("scrub", "--json", "one.837")
    assert orjson.loads(done.stdout)["disposition"] == "accept"  # no shipped rule is in force here
    assert scrubber("scrub", "one.837").stdout.startswith("one.837  ACCEPT")


def test_what_is_wrong_with_an_x12_file_is_told_and_its_claims_are_scrubbed(folder: Path) -> None:
    no_lines = BODY.partition("LX*1")[0] + BODY[BODY.index("HL*3*2*23") :]
    (folder / "two.837").write_bytes(envelope(no_lines).replace(b"SE*", b"SE*1"))
    done = scrubber("scrub", "--json", "two.837")
    assert done.exit_code == 2
    assert [orjson.loads(line)["claimNumber"] for line in done.stdout.splitlines()] == ["CLAIM-2"]
    first, second = done.stderr.splitlines()
    where = f"two.837: segment {ordinal('CLM*')}, claim 1 of the file"
    assert first == f"{where}: is no claim: it has no service lines (2400 LX and SV1)"
    assert second.endswith("(SE01): the count is not what was counted")
    (folder / "cut.837").write_bytes(envelope()[:1500] + b"x" * 200_000)
    assert "longer than 100,000 bytes" in scrubber("scrub", "cut.837").stderr


def test_contexts_beside_an_x12_file_are_those_of_its_claims(folder: Path) -> None:
    (folder / "two.837").write_bytes(envelope())
    lines = [context_line("CLAIM-2", {"receivedOn": "20260921"}), context_line("CANARY", {})]
    (folder / "more.ndjson").write_bytes(b"\n".join(lines))
    done = scrubber("scrub", "--json", "--context", "more.ndjson", "two.837")
    rows = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert rows[1]["answer"]["receivedOn"] == "20260921"
    assert rows[0]["answer"]["receivedOn"] != "20260921"
    assert done.stderr == "more.ndjson: line 2 of the context is for no claim of the file\n"
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["clean.json"], "is no X12 file"),
        (["two.837", "clean.json"], "goes with one X12 file"),
        (["-"], "both are on the disk"),
        (["nowhere.837"], "cannot be read"),
    ],
)
def test_a_context_goes_with_one_x12_file(folder: Path, args: list[str], words: str) -> None:
    (folder / "two.837").write_bytes(envelope())
    (folder / "more.ndjson").write_bytes(b"")
    done = scrubber("scrub", "--context", "more.ndjson", *args)
    assert done.exit_code == 2
    assert words in done.stderr


def test_messages_on_an_x12_file_repeat_nothing_of_it(folder: Path) -> None:
    canaries = full_of_canaries()
    for data in (
        canaries.replace(b"ISA*00", b"ISA*0"),
        canaries.replace(b"LX*", b"L9*").replace(b"SV1*", b"SV9*"),
        canaries.replace(b"SE*", b"SE*9"),
        canaries[:-200],
        canaries + canaries + b"GS*" + CANARY.encode() * 20_000,
    ):
        (folder / "canaries.837").write_bytes(data)
        assert CANARY not in scrubber("scrub", "--json", "canaries.837").stderr
        assert CANARY not in scrubber("convert", "canaries.837").stderr
