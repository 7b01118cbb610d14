"""A file of many claims without a service: the results of a batch, whatever interrupts it."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.scrub import Scrubber
from tests.support.batches import RECEIVED, context, ndjson, result_bytes, submit, work_off
from tests.support.service import ROOT, write_rules
from tests.support.waiting import PATIENCE, until

ROWS_A_CHUNK = 100  # a fifth of what it is for users, so that there are several in a file that is soon scrubbed
ROWS = 3 * ROWS_A_CHUNK + 7
DAY = RECEIVED.isoformat().replace("-", "")
SMALL_CHUNKS = f"""
from scrubber.batch import model
model.ROWS_A_CHUNK = {ROWS_A_CHUNK}
"""
# Notes how far it is after every chunk, as a long run does every few seconds.
EAGER = f"""{SMALL_CHUNKS}
from scrubber.__main__ import main
from scrubber.batch import local_file
local_file.BYTES_A_MARK = 1
main()
"""
# Its processes end at certain claims, as one does whose memory a claim wrecks.
DEADLY = f"""{SMALL_CHUNKS}
import os, signal
from scrubber.__main__ import main
from scrubber.cli import main
from scrubber.scrub import Scrubber
scrub = Scrubber.scrub
def deadly(self, claim, *others):
    if claim.patient_control_number == "DEADLY":
        os.kill(os.getpid(), signal.SIGKILL)
    return scrub(self, claim, *others)
Scrubber.scrub = deadly
main()
"""


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("claims") / "night.ndjson"
    file.write_bytes(b"junk\n\n" + ndjson(ROWS))
    return file


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, claims: Path, rules: Path) -> bytes:
    output = tmp_path_factory.mktemp("undisturbed") / "out.ndjson"
    assert run(claims, output, rules).returncode == 2  # a row is no claim
    return output.read_bytes()


def run(claims: Path, output: Path, rules: Path, *options: str) -> subprocess.CompletedProcess[str]:
    with start(claims, output, rules, *options) as process:
        told, errors = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess([], process.returncode, told, errors)


def start(claims: Path, output: Path, rules: Path, *options: str, program: str = EAGER) -> subprocess.Popen[str]:
    words = ["scrub", str(claims), "-o", str(output), "--received-on", DAY, "--jobs", "2", *options]
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_RULES": str(rules)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def in_this_process(*words: str) -> Result:
    """What is refused before anything is scrubbed needs no process of its own."""
    return CliRunner().invoke(main, words, env={"SCRUBBER_RULES": str(ROOT / "rules")})


def children(process: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_results_are_those_of_a_batch(tmp_path: Path, claims: Path, shipped: Scrubber) -> None:
    output = tmp_path / "out.ndjson"
    done = run(claims, output, ROOT / "rules")
    on = context(tmp_path, shipped)
    submit(on, claims.read_bytes())
    work_off(on)
    assert output.read_bytes() == result_bytes(on)
    assert f"{ROWS + 1:,} rows" in done.stderr
    assert "1 rejected" in done.stderr
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("out")} == {"out.ndjson"}


def test_killed_at_any_moment_it_goes_on(tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes) -> None:
    output, progress = tmp_path / "out.ndjson", tmp_path / "out.ndjson.progress"
    kills = 0
    while not output.exists():
        kills += _killed_on_its_way(start(claims, output, rules), progress)
    assert kills > 1
    if progress.exists():  # it was killed in the very end
        run(claims, output, rules)
    assert output.read_bytes() == undisturbed


def _killed_on_its_way(process: subprocess.Popen[str], progress: Path) -> bool:
    """Kills a run some time after it got on; its processes end with it. False: it came to its end before that."""
    before = _content(progress)
    with process:
        until(lambda: process.poll() is not None or _content(progress) != before)
        theirs = children(process.pid) if process.poll() is None else []
        time.sleep(random.random() / 100)
        process.kill()
        process.communicate()
    until(lambda: not any(map(alive, theirs)))
    return process.returncode == -signal.SIGKILL


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_killed_process_was_at_is_done_again(
    tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes
) -> None:
    output = tmp_path / "out.ndjson"
    with start(claims, output, rules) as process:
        until(lambda: len(children(process.pid)) == 2)
        os.kill(children(process.pid)[1], signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    assert output.read_bytes() == undisturbed


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_row_that_ends_its_process_is_rejected_and_the_rest_go_on(
    tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes, jobs: str
) -> None:
    lines = claims.read_bytes().splitlines(keepends=True)
    output, deadly = tmp_path / "out.ndjson", {4, ROWS_A_CHUNK + 9, len(lines)}
    marked = tmp_path / "marked.ndjson"
    marked.write_bytes(
        b"".join(_marked(line) if number in deadly else line for number, line in enumerate(lines, start=1))
    )
    with start(marked, output, rules, "--jobs", jobs, program=DEADLY) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "4 rejected" in errors  # with the row that is no claim
    results = {orjson.loads(line)["row"]: line for line in output.read_bytes().splitlines(keepends=True)}
    expected = {orjson.loads(line)["row"]: line for line in undisturbed.splitlines(keepends=True)}
    assert results.keys() == expected.keys()
    assert {row for row in results if results[row] != expected[row]} == deadly
    for row in deadly:
        told = orjson.loads(results[row])["rejected"]
        assert told == {"title": "The service ended several times while it scrubbed this row"}


def _marked(line: bytes) -> bytes:
    claim = orjson.loads(line)
    claim["claimInformation"]["patientControlNumber"] = "DEADLY"
    return orjson.dumps(claim) + b"\n"


def test_where_every_row_ends_its_process_the_run_ends_and_goes_on_later(
    tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes
) -> None:
    output = tmp_path / "out.ndjson"
    with start(claims, output, rules, program=DEADLY.replace('== "DEADLY"', "is not None")) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output.exists()) == (2, False)
    assert f"process after process ended while it scrubbed rows 1 to {ROWS_A_CHUNK + 1}" in errors  # row 2 is blank
    run(claims, output, rules)
    assert output.read_bytes() == undisturbed


def test_what_was_begun_is_not_gone_on_with_on_other_terms(
    tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes
) -> None:
    output = tmp_path / "out.ndjson"
    with start(claims, output, rules) as process:
        until((tmp_path / "out.ndjson.progress").exists)
        process.kill()
        process.communicate()
    others = tmp_path / "others.ndjson"
    others.write_bytes(claims.read_bytes() + b"{}\n")
    other_rules = write_rules(tmp_path / "rules", ("sample-other", "warn", "77092"))
    for told, words in (
        (run(others, output, rules), "other claims;"),
        (run(claims, output, other_rules), "other rules;"),
        (run(claims, output, rules, "--received-on", "20250101"), "other received on;"),
        (run(claims, output, rules, "--disable", "sample-denied"), "other disabled rules;"),
    ):
        assert (told.returncode, words in told.stderr) == (2, True), told.stderr
    run(claims, output, rules)
    assert output.read_bytes() == undisturbed
    again = run(claims, output, rules)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_the_day_of_receipt_is_that_of_the_first_run(tmp_path: Path, claims: Path, rules: Path) -> None:
    output, progress = tmp_path / "out.ndjson", tmp_path / "out.ndjson.progress"
    run(claims, output, rules)
    whole = output.read_bytes()
    output.rename(tmp_path / "out.ndjson.part")
    with start(claims, output, rules) as process:  # truncates it, and notes that it is to begin with
        until(progress.exists)
        process.kill()
        process.communicate()
    told = orjson.loads(progress.read_bytes())
    assert told["rests on"]["received on"] == RECEIVED.isoformat()
    command = [sys.executable, "-c", EAGER, "scrub", str(claims), "-o", str(output)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"SCRUBBER_RULES": str(rules)}, check=False, capture_output=True)
    assert output.read_bytes() == whole


def test_two_runs_on_one_output_do_not_mix(tmp_path: Path, claims: Path, rules: Path, undisturbed: bytes) -> None:
    output, progress = tmp_path / "out.ndjson", tmp_path / "out.ndjson.progress"
    with start(claims, output, rules) as first:
        until(progress.exists)
        first.send_signal(signal.SIGSTOP)
        second = run(claims, output, rules)
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=PATIENCE)
    assert (second.returncode, "another run" in second.stderr) == (2, True), second.stderr
    assert output.read_bytes() == undisturbed


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.ndjson.gz", gzip.compress(ndjson(1), mtime=0), "gzip -dk"),
        ("a.ndjson", gzip.compress(ndjson(1), mtime=0), "gzip -dk"),
        ("a.jsonl", b" [" + ndjson(1) + b"]", "jq -c"),
        ("a.ndjson", b"ISA*00*CANARY~", "ISA ends after 14 of its 106 characters"),
    ],
)
def test_a_file_that_has_no_claim_a_line_is_refused(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    done = in_this_process("scrub", str(tmp_path / name))
    assert (done.exit_code, told in done.stderr, "CANARY" in done.stderr) == (2, True, False), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("a.ndjson", "b.ndjson"), "scrubbed alone"),
        (("-", "--jobs", "2"), "on the disk"),
        (("a.ndjson", "--json"), "are for files with one claim"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    (tmp_path / "a.ndjson").write_bytes(ndjson(1))
    placed = [str(tmp_path / word) if word.endswith(".ndjson") else word for word in words]
    done = in_this_process("scrub", *placed)
    assert (done.exit_code, told in done.stderr) == (2, True), done.stderr
