"""`scrubber reference load` on a file of every kind, and on what is no such file: one sentence, and nothing changed."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

from scrubber.cli import main
from scrubber.reference import open_reference
from scrubber.reference.load.formats import FORMATS, KINDS, looks_like
from scrubber.reference.tables import CONVERSION_FACTORS
from tests.reference.load.test_mpfs import GLOBAL, PROFESSIONAL, TECHNICAL, as_text, file_2025, file_2026
from tests.support.kinds import SAMPLES, Sample
from tests.support.ncci_files import PTP_LINES, ptp_file, ptp_line, zip_bytes, zipped
from tests.support.published import Published
from tests.support.waiting import until

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one release in it."""
    folder = tmp_path / "store"
    folder.mkdir()
    assert load(folder, "ncci-ptp", ptp_file(tmp_path, "v301r0", PTP_LINES[:1])).exit_code == 0
    return folder


def load(store: Path, kind: str, *args: Path | str) -> Result:
    words = ["reference", "load", kind, *map(str, args)]
    return CliRunner().invoke(main, words, env={"SCRUBBER_REFERENCE": str(store)})


def state(store: Path) -> dict[str, str]:
    """Digests of all that lies in a store."""
    files = [path for path in store.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refusal(store: Path, kind: str, *args: Path | str) -> str:
    before = state(store)
    result = load(store, kind, *args)
    assert result.exit_code == 2, result.output
    assert state(store) == before
    head, *told = result.output.splitlines()
    assert (head, len(told)) == ("Error: 1 fault(s)", 1), result.output
    return told[0]


def put(folder: Path, sample: Sample, content: bytes) -> Path:
    (folder / "given").mkdir(exist_ok=True)
    return sample.put(folder / "given", content)


@every_kind
def test_a_file_of_each_kind_is_loaded_once(store: Path, tmp_path: Path, kind: str) -> None:
    sample = SAMPLES[kind]
    path = put(tmp_path, sample, sample.content)
    first = load(store, kind, path, *sample.says)
    assert (first.exit_code, "is loaded: " in first.output) == (0, True), first.output
    before = state(store)
    assert "is loaded already, nothing is changed" in load(store, kind, path, *sample.says).output
    assert state(store) == before


def test_a_file_of_each_kind_is_refused_as_any_other_and_named(store: Path, tmp_path: Path) -> None:
    before = state(store)
    for kind in KINDS:
        for other, sample in SAMPLES.items():
            if other != kind:
                told = refusal(store, kind, put(tmp_path, sample, sample.content), *sample.says)
                assert f"is no file of {kind}: it looks like " in told
                assert told.endswith(f"({other})")
    assert state(store) == before


@every_kind
def test_one_format_at_most_knows_a_file(kind: str) -> None:
    known = [each.kind for each in FORMATS if each.recognise(SAMPLES[kind].content)]
    assert known == [kind]
    assert looks_like(SAMPLES[kind].content).endswith(f"({kind})")


@every_kind
def test_an_empty_file_is_refused(store: Path, tmp_path: Path, kind: str) -> None:
    assert refusal(store, kind, put(tmp_path, SAMPLES[kind], b"")).endswith("is empty")


HEADERS = {kind: sample.content.splitlines(keepends=True)[:-1] for kind, sample in SAMPLES.items()}
HEADERS |= {"ncci-ptp": HEADERS["ncci-ptp"][:6], "gpci": HEADERS["gpci"][:3]}
WITHOUT_HEADER = ("icd10cm", "zip-locality")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WITHOUT_HEADER])
def test_a_file_with_only_a_header_is_refused(store: Path, tmp_path: Path, kind: str) -> None:
    lines = HEADERS[kind][:1] if kind in ("place-of-service", "adjustment-codes") else HEADERS[kind]
    told = refusal(store, kind, put(tmp_path, SAMPLES[kind], b"".join(lines)), *SAMPLES[kind].says)
    assert "no row" in told


# A column of each kind that is needed, as its header says it; and the one beside it.
COLUMNS = {
    "ncci-ptp": (b"Column 2", b"Effective"),
    "ncci-mue": (b"Practitioner Services MUE Values", b"MUE Rationale"),
    "ncci-add-on": (b"Primary_Code_DelDT", b"AOC_Edit_EffDT"),
    "mpfs": (b"CONV", b"ENDO"),
    "gpci": (b"Locality Number", b"2025 PE GPCI"),
    "anes": (b"Locality Name", None),
    "opps-cap": (b"PROCSTAT", None),
    "locality-county": (b"Fee Schedule Area", None),
    "hcpcs": (b"TERM DT", b"ACTION CD"),
    "place-of-service": (b"pos", None),
    "adjustment-codes": (b"start_date", None),
    "mcd": (b"article_rev_end_date", b"status"),
    "order-referring": (b"PARTB", b"DME"),
    "nppes": (b"NPI Deactivation Date", None),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_renamed_column_is_refused(store: Path, tmp_path: Path, kind: str) -> None:
    content = SAMPLES[kind].content.replace(COLUMNS[kind][0], b"Something else", 1)
    path = put(tmp_path, SAMPLES[kind], content)
    for more in ((), ("--skip-bad-rows",)):
        assert "has changed" in refusal(store, kind, path, *SAMPLES[kind].says, *more)


@pytest.mark.parametrize("kind", [kind for kind, names in COLUMNS.items() if names[1]])
def test_columns_in_another_order_are_refused_or_read_by_name(store: Path, tmp_path: Path, kind: str) -> None:
    one, other = COLUMNS[kind]
    assert other is not None
    content = SAMPLES[kind].content.replace(one, b"\0", 1).replace(other, one, 1).replace(b"\0", other, 1)
    path = put(tmp_path, SAMPLES[kind], content)
    before = state(store)
    result = load(store, kind, path, *SAMPLES[kind].says)
    assert result.exit_code == 2
    assert state(store) == before


@every_kind
def test_bytes_that_are_no_text_are_refused(store: Path, tmp_path: Path, kind: str) -> None:
    told = refusal(store, kind, put(tmp_path, SAMPLES[kind], SAMPLES[kind].content.decode().encode("utf-16")))
    assert "UTF-16 text: save it as UTF-8" in told


@every_kind
@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (lambda sample: zip_bytes({sample.name: sample.content * 50})[:-30], "cut off or damaged"),
        (lambda sample: zip_bytes({f"../{sample.name}": sample.content}), "points out of the archive"),
        (lambda sample: zip_bytes({"a.zip": zip_bytes({"b.zip": zip_bytes({"c.zip": b"PK"})})}), "zip in a zip in a"),
        (lambda _: zip_bytes({}), "is empty"),
    ],
    ids=["truncated", "traversal", "nested", "empty"],
)
def test_archives_that_are_no_such_thing_are_refused(
    store: Path, tmp_path: Path, kind: str, archive: object, told: str
) -> None:
    assert callable(archive)
    path = put(tmp_path, SAMPLES[kind], archive(SAMPLES[kind]))
    assert told in refusal(store, kind, path)


def test_archives_that_unpack_without_end_are_refused(store: Path, tmp_path: Path) -> None:
    bomb = zip_bytes({"nppes.csv": b"\0" * (200 << 20)})
    for packed in (bomb, zip_bytes({"a.zip": bomb})):
        told = refusal(store, "nppes", put(tmp_path, SAMPLES["nppes"], packed))
        assert "far more than such a file can hold" in told


def test_what_is_no_file_is_refused(store: Path, tmp_path: Path) -> None:
    assert refusal(store, "gpci", tmp_path).endswith("is a folder: give the files in it")
    assert refusal(store, "gpci", "https://example.org/GPCI.csv").endswith("is an address: fetch it, and give the file")
    assert refusal(store, "gpci", tmp_path / "none.csv").endswith("cannot be read: No such file or directory")


# A whole release of the fee schedule


def as_text_file(source: Published) -> bytes:
    """The rows in fixed width, below notices that say nothing of the release. It has no place for PRIC IND."""
    rows = source.content.decode().replace('"Made, up"', "Made up").splitlines()[10:]
    cells = [row.split(",") for row in rows]
    texts = [as_text(",".join(each[:23] + each[-8:])).rstrip() for each in cells]
    return "\r\n".join([*["HDR A NOTICE"] * 7, *texts, ""]).encode()


def as_workbook(source: Published) -> bytes:
    book = Workbook()
    for line in source.content.decode().splitlines():
        book.worksheets[0].append(next(csv.reader([line])))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def factors(store: Path) -> list[tuple[bool | None, str]]:
    reference = open_reference(str(store))
    loaded = [each for each in reference.releases() if each.table == CONVERSION_FACTORS.name and not each.starter]
    found = [
        row for each in loaded for _, rows in reference.backend.every(CONVERSION_FACTORS, each.sha256) for row in rows
    ]
    return sorted((row.qualifying_apm, str(row.factor)) for row in found)


def rvu_zip(folder: Path, name: str, *files: Published) -> Path:
    """Files of a fee schedule in each of the forms that they are published in, with what lies beside them."""
    members = {"GPCI2025.csv": SAMPLES["gpci"].content, f"{name}.pdf": b"%PDF-1.7", "GPCI2025.txt": b"ADDENDUM E"}
    for each in files:
        stem = each.name.removesuffix(".csv")
        members |= {each.name: each.content, f"{stem}.txt": as_text_file(each), f"{stem}.xlsx": as_workbook(each)}
    return zipped(folder / f"{name}.zip", members)


def test_a_whole_release_of_2025_has_one_factor(store: Path, tmp_path: Path) -> None:
    path = rvu_zip(tmp_path, "RVU25D", file_2025(GLOBAL, TECHNICAL, PROFESSIONAL))
    told = load(store, "mpfs", path).output
    assert "mpfs RVU25D (2025-10-01 to 2026-01-01) is loaded: 1 row of conversion-factors, 3 rows of mpfs" in told
    for other in ("PPRRVU2025_Oct.txt", "PPRRVU2025_Oct.xlsx", "GPCI2025.csv", "RVU25D.pdf"):
        assert other in told.splitlines()[0]
    assert factors(store) == [(None, "32.3465")]
    assert "is loaded: 3 rows of gpci" in load(store, "gpci", path).output


def test_a_whole_release_of_2026_has_two_factors(store: Path, tmp_path: Path) -> None:
    others = file_2026(GLOBAL, TECHNICAL)
    qualifying = Published(others.content.replace(b"33.4009", b"33.5675"), "PPRRVU2026_Jul_QPP.csv")
    told = load(store, "mpfs", rvu_zip(tmp_path, "RVU26C", others, qualifying)).output
    assert "is loaded: 2 rows of conversion-factors, 2 rows of mpfs" in told
    assert factors(store) == [(False, "33.4009"), (True, "33.5675")]


def test_a_difference_tells_whose_factor_is_new(store: Path, tmp_path: Path) -> None:
    others = file_2026(GLOBAL, TECHNICAL)
    for source in (file_2025(GLOBAL, TECHNICAL), others):
        path = tmp_path / source.name
        path.write_bytes(source.content)
        assert load(store, "mpfs", path).exit_code == 0
    words = ["reference", "diff", "mpfs", "RVU25D", "RVU26C"]
    told = CliRunner().invoke(main, words, env={"SCRUBBER_REFERENCE": str(store)}).stdout.splitlines()
    assert told[:2] == [
        "+ conversion-factors all other providers: 33.4009",
        "- conversion-factors every provider: 32.3465",
    ]


@pytest.mark.parametrize("suffix", ["txt", "xlsx"])
def test_each_form_of_the_fee_schedule_says_the_same(store: Path, tmp_path: Path, suffix: str) -> None:
    source = file_2025(GLOBAL, TECHNICAL, PROFESSIONAL)
    content = as_text_file(source) if suffix == "txt" else as_workbook(source)
    path = tmp_path / f"PPRRVU2025_Oct.{suffix}"
    path.write_bytes(content)
    assert load(store, "mpfs", path, "--release", "RVU25D", "--since", "2025-10-01").exit_code == 0
    fee = open_reference(str(store)).fee("X0001", "26", date(2025, 10, 1))
    assert fee is not None
    assert (str(fee.work), str(fee.facility_pe), fee.pc_tc) == ("0.20", "0.06", "1")


# Stopped from outside


def _process(store: Path, *args: str, **more: Any) -> subprocess.Popen[str]:
    environ = os.environ | {"SCRUBBER_REFERENCE": str(store)}
    command = [sys.executable, "-m", "scrubber", "reference", "load", *args]
    process: subprocess.Popen[str] = subprocess.Popen(
        command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    )
    return process


def _large(folder: Path) -> Path:
    lines = (ptp_line(f"A{one:04}", f"B{two:04}", "20200101") for one in range(100) for two in range(1000))
    return ptp_file(folder, "v302r0", lines)


def test_a_second_load_and_a_killed_one_change_nothing(store: Path, tmp_path: Path) -> None:
    before = state(store)
    large = _large(tmp_path)
    running = _process(store, "ncci-ptp", str(large))
    unfinished = store / "loaded" / ".unfinished"
    until(lambda: unfinished.exists() or running.poll() is not None)
    running.send_signal(signal.SIGSTOP)  # on a loaded machine it might be done before the second one begins
    assert running.poll() is None
    second = load(store, "gpci", SAMPLES["gpci"].put(tmp_path))
    assert second.exit_code == 2
    assert "another change" in second.output
    running.send_signal(signal.SIGKILL)
    running.communicate()
    after = state(store)
    assert {name: digest for name, digest in after.items() if "unfinished" not in name} == before
    assert load(store, "gpci", SAMPLES["gpci"].put(tmp_path)).exit_code == 0
    assert not unfinished.exists()
    assert load(store, "ncci-ptp", large).exit_code == 0


def test_a_disk_that_is_full_is_told_in_one_sentence(store: Path, tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    before = state(store)
    running = _process(store, "ncci-ptp", str(_large(tmp_path)), preexec_fn=limit)
    told, _ = running.communicate()
    assert running.returncode == 2, told
    assert "cannot be written" in told
    assert len(told.splitlines()) == 1
    assert state(store) == before


def test_bad_rows_are_skipped_and_told(store: Path, tmp_path: Path) -> None:
    sample = SAMPLES["gpci"]
    path = put(tmp_path, sample, sample.content.replace(b"1.081", b"one"))
    assert "GPCI2025.csv:5: PE GPCI: expected an amount such as 12.34" in refusal(store, "gpci", path)
    skipped = load(store, "gpci", path, "--skip-bad-rows")
    assert skipped.exit_code == 0
    assert skipped.output.startswith("skipped: GPCI2025.csv:5: PE GPCI: expected an amount")
    assert "2 rows of gpci" in skipped.output


def test_a_workbook_with_macros_is_refused_for_every_kind(store: Path, tmp_path: Path) -> None:
    content = io.BytesIO(as_workbook(file_2025(GLOBAL)))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    path = tmp_path / "GPCI2025.xlsm"
    path.write_bytes(content.getvalue())
    for kind in KINDS:
        assert "is a workbook with macros" in refusal(store, kind, path)
