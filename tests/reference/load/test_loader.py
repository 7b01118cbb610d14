"""Loading: files as they come, refused in one sentence or loaded whole; and what is left when it is stopped."""

from __future__ import annotations

import gzip
import lzma
import multiprocessing
import os
import signal
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scrubber.errors import ConfigError, Faults
from scrubber.reference import open_reference
from scrubber.reference.live import open_storage
from scrubber.reference.load import archive as opening
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.load.loader import LoadOutcome, LoadRequest, load
from scrubber.reference.lookup import Reference
from scrubber.reference.rows import Mue
from scrubber.reference.storage import ReleaseStorage
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.reference.tables import MUE
from tests.support.ncci_files import (
    PTP_HEADER,
    PTP_LINES,
    add_on_text,
    mue_text,
    ptp_file,
    ptp_line,
    ptp_text,
    workbook,
    zip_bytes,
    zipped,
)

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
DAY = date(2024, 8, 1)  # in 2024Q3
SPRING = date(2024, 5, 1)  # in 2024Q2


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def load_into(
    store: Path | ReleaseStorage,
    kind: str,
    *files: Path,
    chosen: StatedRelease | None = None,
    skip_bad_rows: bool = False,
) -> LoadOutcome:
    place = FolderStorage(store) if isinstance(store, Path) else store
    wanted = LoadRequest(kind, [str(file) for file in files], chosen or StatedRelease(), NOW, skip_bad_rows)
    return load(place, wanted, lambda rows, share: None)


def pairs(reference: Reference, day: date = DAY) -> list[tuple[str, str]]:
    return list(reference.ptp_among({"A0001", "A0002", "A0003", "A0004", "A0009"}, day, day))


def names(store: Path) -> list[str]:
    return [each.name for each in FolderStorage(store).loaded()]


def snapshot(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file() and path.name != "lock"}


# Files as they come


def test_a_release_is_loaded_with_what_is_known_of_it(store: Path, tmp_path: Path) -> None:
    outcome = load_into(store, "ncci-ptp", ptp_file(tmp_path))
    assert outcome.status == "loaded"
    [release] = [each for each in open_reference(str(store)).releases() if each.table == "ncci-ptp"]
    assert (release.name, release.since, release.until) == ("2024Q3", date(2024, 7, 1), date(2024, 10, 1))
    assert (release.rows, release.loaded, release.starter) == (4, NOW, False)
    assert len(release.sha256) == 64


def test_windows_of_a_pair_stay_apart(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path))
    found = open_reference(str(store)).ptp_among({"A0001", "A0002", "A0003"}, DAY, DAY)
    assert [(edit.since, edit.deleted, edit.indicator) for edit in found["A0001", "A0002"]] == [
        (date(2020, 1, 1), date(2022, 12, 31), "0"),
        (date(2024, 1, 1), None, "1"),
    ]
    assert [edit.indicator for edit in found["A0001", "A0003"]] == ["9"]
    assert found["A0001", "A0002"][0].rationale == "mutually-exclusive"


def _plain(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packing", ["plain", "gz", "xz", "zip", "zip in zip", "odd name"])
def test_however_a_file_is_packed_it_says_the_same(store: Path, tmp_path: Path, packing: str) -> None:
    text = ptp_text().encode()
    inner = {"ccipra-v302r0.txt": text, "readme.pdf": b"%PDF-1.4 nothing", "empty.txt": b""}
    files = {
        "plain": lambda: _plain(tmp_path / "ccipra-v302r0.TXT", text),
        "gz": lambda: _plain(tmp_path / "ccipra-v302r0.txt.gz", gzip.compress(text)),
        "xz": lambda: _plain(tmp_path / "ccipra-v302r0.txt.xz", lzma.compress(text)),
        "zip": lambda: zipped(tmp_path / "some.zip", inner),
        "zip in zip": lambda: zipped(tmp_path / "some.zip", {"a.zip": zip_bytes(inner), "b.zip": zip_bytes({})}),
        "odd name": lambda: _plain(tmp_path / "download (3)", text),
    }
    chosen = StatedRelease("2024Q3") if packing == "odd name" else StatedRelease()
    load_into(store, "ncci-ptp", files[packing](), chosen=chosen)
    assert names(store) == ["2024Q3"]
    assert pairs(open_reference(str(store))) == [("A0001", "A0002"), ("A0001", "A0003"), ("A0004", "A0001")]


def _parts(folder: Path, *numbers: int) -> list[Path]:
    lines = (*PTP_LINES, ptp_line("A0005", "A0001", "20200101"), ptp_line("A0006", "A0001", "20200101"))
    texts = {number: ptp_text([lines[number - 1]]).encode() for number in numbers}
    return [_plain(folder / f"ccipra-v302r0-f{number}.txt", text) for number, text in texts.items()]


def test_the_parts_of_a_release_come_in_any_order(store: Path, tmp_path: Path) -> None:
    files = _parts(tmp_path, 3, 1, 4, 2)
    assert load_into(store, "ncci-ptp", *files).release.rows == {"ncci-ptp": 4}
    assert load_into(store, "ncci-ptp", *reversed(files)).status == "there-already"
    assert pairs(open_reference(str(store))) == [("A0001", "A0002"), ("A0001", "A0003"), ("A0004", "A0001")]


@pytest.mark.parametrize(
    ("given", "missing"),
    [((1,), "f2, f3, f4"), ((1, 2, 4), "f3"), ((2, 3, 4), "f1"), ((1, 2, 3), "f4"), ((1, 2, 3, 4, 6), "f5")],
)
@pytest.mark.parametrize("packing", ["plain", "zip of all", "zip of each"])
def test_a_release_without_one_of_its_parts_is_refused(
    store: Path, tmp_path: Path, given: tuple[int, ...], missing: str, packing: str
) -> None:
    files = _parts(tmp_path, *given)
    if packing == "zip of all":
        files = [zipped(tmp_path / "all.zip", {path.name: path.read_bytes() for path in files})]
    elif packing == "zip of each":
        files = [zipped(path.with_suffix(".zip"), {"edits.txt": path.read_bytes()}) for path in files]
    told = refusal(store, "ncci-ptp", *files)
    assert f"is one part of several, of which {missing} must be given with it" in told


def test_what_else_is_in_an_archive_is_passed_over_and_told(store: Path, tmp_path: Path) -> None:
    members = {"mue.csv": mue_text().encode(), "ccipra-v302r0.txt": ptp_text().encode()}
    outcome = load_into(store, "ncci-ptp", zipped(tmp_path / "both.zip", members))
    assert outcome.passed_over == ("both.zip!mue.csv",)
    load_into(store, "ncci-mue", tmp_path / "both.zip", chosen=StatedRelease("2024Q3"))
    reference = open_reference(str(store))
    edit = reference.mue("A0001", DAY)
    assert edit is not None
    assert (edit.units, edit.indicator) == (2, "3")
    assert pairs(reference)


def test_a_workbook_says_what_the_text_says(store: Path, tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [
        ("A notice.",),
        ("Column1/Column2 Edits",),
        (
            "Column 1", "Column 2", "*=in existence\nprior to 1996", "Effective\nDate", "Deletion\nDate\n*=no data",
            "Modifier\n0=not allowed\n1=allowed\n9=not applicable", "PTP Edit Rationale",
        ),
        ("A0001", "A0002", None, 20200101, "20221231", 0, "Mutually exclusive procedures"),
        ("A0001", "A0002", None, "20240101", "*", "1", "Mutually exclusive procedures"),
    ]  # fmt: skip
    load_into(store, "ncci-ptp", workbook(tmp_path / "ccipra-v302r0.xlsx", rows))
    [windows] = open_reference(str(store)).ptp_among({"A0001", "A0002"}, DAY, DAY).values()
    assert [(edit.since, edit.deleted, edit.indicator) for edit in windows] == [
        (date(2020, 1, 1), date(2022, 12, 31), "0"),
        (date(2024, 1, 1), None, "1"),
    ]


def test_a_table_that_an_archive_holds_both_ways_is_read_once(store: Path, tmp_path: Path) -> None:
    rows = [("A notice.",), ("HCPCS/\nCPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator",
            "MUE Rationale"), ("A0001", 2, "3 Date of Service Edit: Clinical", "Made Up")]  # fmt: skip
    sheet = workbook(tmp_path / "MUE_Eff_07-01-2024.xlsx", rows)
    members = {"a/MUE_Eff_07-01-2024.xlsx": sheet.read_bytes(), "a/MUE_Eff_07-01-2024.csv": mue_text().encode()}
    outcome = load_into(store, "ncci-mue", zipped(tmp_path / "both.zip", members))
    assert outcome.release.rows == {"ncci-mue": 1}
    assert outcome.passed_over == ("both.zip!a/MUE_Eff_07-01-2024.xlsx",)
    other = tmp_path / "other"
    assert load_into(other, "ncci-mue", sheet).release.rows == {"ncci-mue": 1}
    assert [open_reference(str(folder)).mue("A0001", DAY) for folder in (store, other)] == [
        Mue("A0001", 2, "3", None, None, "CMS NCCI practitioner MUE")
    ] * 2


def _fill_the_disk(store: Path) -> None:
    with FolderStorage(store).change() as change:
        change.new_segment()
        raise sqlite3.OperationalError("database or disk is full")


def test_a_full_disk_is_told_plainly(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path, "v301r0"))
    before = snapshot(store)
    with pytest.raises(ConfigError, match="cannot be written"):
        _fill_the_disk(store)
    assert snapshot(store) == before


def test_progress_goes_up_to_the_end(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrubber.reference.load.loader.ROWS_PER_STEP", 50)
    lines = [ptp_line("A0001", f"B{number:04}", "20200101") for number in range(400)]
    told: list[tuple[int, float]] = []
    wanted = LoadRequest("ncci-ptp", [str(ptp_file(tmp_path, lines=lines))], StatedRelease(), NOW)
    load(FolderStorage(store), wanted, lambda rows, share: told.append((rows, share)))
    assert told == sorted(told)
    assert told[-1] == (400, 1.0)
    assert len(told) > 4


# Refused, and nothing is changed


def test_a_broken_row_names_its_place_and_loads_nothing(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path, "v301r0"))
    before = snapshot(store)
    broken = ptp_file(tmp_path, lines=(*PTP_LINES, ptp_line("A0001", "A0009", "20241301"), "A0001\r\n"))
    with pytest.raises(Faults) as raised:
        load_into(store, "ncci-ptp", broken)
    assert [str(fault) for fault in raised.value.faults] == [
        "ccipra-v302r0.txt:11: Effective Date: is no day of the calendar",
        "ccipra-v302r0.txt:12: has 1 cells where the header has 7",
    ]
    assert snapshot(store) == before


def test_bad_rows_are_skipped_and_listed_when_that_is_wanted(store: Path, tmp_path: Path) -> None:
    broken = ptp_file(tmp_path, lines=(*PTP_LINES, ptp_line("A0001", "a0009", "20240101")))
    outcome = load_into(store, "ncci-ptp", broken, skip_bad_rows=True)
    [fault] = outcome.bad
    assert str(fault) == "ccipra-v302r0.txt:11: Column 2: expected a code of five digits and capitals"
    assert (outcome.release.skipped, outcome.release.rows) == (1, {"ncci-ptp": 4})


def test_a_million_bad_rows_are_not_told_one_by_one(store: Path, tmp_path: Path) -> None:
    with pytest.raises(Faults) as raised:
        load_into(store, "ncci-ptp", ptp_file(tmp_path, lines=[*PTP_LINES, *["nothing\r\n"] * 1000]))
    assert len(raised.value.faults) == 51
    assert "and 950 more" in str(raised.value)


def refusal(store: Path, kind: str, *files: Path, chosen: StatedRelease | None = None) -> str:
    before = snapshot(store)
    with pytest.raises(Faults) as raised:
        load_into(store, kind, *files, chosen=chosen)
    assert snapshot(store) == before
    [fault] = raised.value.faults
    return str(fault)


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (mue_text().encode(), "the NCCI MUE table for practitioners (ncci-mue)"),
        (add_on_text().encode(), "the NCCI add-on code edits (ncci-add-on)"),
        (b"%PDF-1.7 and so on", "a PDF document"),
        (ptp_text().encode("utf-16"), "UTF-16"),
        (b"<!DOCTYPE html><html>Please accept", "a web page"),
        (b"\x00\x01\x02" * 100, "no text"),
        (b"something,else\n1,2\n", "its header has changed"),
        (PTP_HEADER.replace("Column 1", "First column").encode(), "its header has changed"),
    ],
)
def test_a_wrong_file_is_told_what_it_looks_like(store: Path, tmp_path: Path, content: bytes, looks: str) -> None:
    for path in (
        _plain(tmp_path / "ccipra-v302r0.txt", content),
        zipped(tmp_path / "z.zip", {"ccipra-v302r0.txt": content}),
    ):
        told = refusal(store, "ncci-ptp", path)
        assert "is no file of ncci-ptp" in told
        assert looks in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Modifier", "Indicator", "its column 6 is not"),
        ("Effective\tDeletion", "Deletion\tEffective", "its column 4 is not"),
        ("PTP Edit Rationale", "PTP Edit Rationale\tMore", "has 8 columns"),
    ],
)
def test_a_changed_header_is_refused(store: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    path = _plain(tmp_path / "ccipra-v302r0.txt", ptp_text().replace(old, new).encode())
    assert told in refusal(store, "ncci-ptp", path)


@pytest.mark.parametrize("name", ["ccioph-v302r0.txt", "hospital-ptp-2024q3.txt"])
def test_the_table_of_hospitals_is_refused(store: Path, tmp_path: Path, name: str) -> None:
    assert "of hospitals" in refusal(store, "ncci-ptp", _plain(tmp_path / name, ptp_text().encode()))


def test_the_units_of_hospitals_are_refused(store: Path, tmp_path: Path) -> None:
    text = mue_text().replace("Practitioner Services", "Outpatient Hospital Services")
    path = _plain(tmp_path / "MUE_Eff_07-01-2024.csv", text.encode())
    assert "another setting (Outpatient Hospital)" in refusal(store, "ncci-mue", path)


def test_text_in_another_encoding_is_refused(store: Path, tmp_path: Path) -> None:
    text = ptp_text((*PTP_LINES, *PTP_LINES)).encode().replace(b"procedures", b"proc\xe9dures")
    assert "is not UTF-8 text" in refusal(store, "ncci-ptp", _plain(tmp_path / "ccipra-v302r0.txt", text))


@pytest.mark.parametrize("packing", ["zip", "gz", "xz"])
def test_a_file_that_is_cut_off_is_refused(store: Path, tmp_path: Path, packing: str) -> None:
    lines = [ptp_line(f"A{number % 9999:04}", f"B{number % 7919:04}", "20200101") for number in range(20_000)]
    text = ptp_text(lines).encode()
    whole = {
        "zip": lambda: zip_bytes({"ccipra-v302r0.txt": text}),
        "gz": lambda: gzip.compress(text),
        "xz": lambda: lzma.compress(text),
    }[packing]()
    path = _plain(tmp_path / f"ccipra-v302r0.txt.{packing}", whole[: len(whole) * 3 // 4])
    assert "cut off or damaged" in refusal(store, "ncci-ptp", path)


def test_an_empty_zip_is_refused_by_its_name(store: Path, tmp_path: Path) -> None:
    assert refusal(store, "ncci-ptp", _plain(tmp_path / "z.zip", zip_bytes({}))) == "z.zip: is empty"


def test_a_damaged_member_is_refused(store: Path, tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"ccipra-v302r0.txt": ptp_text().encode()}))
    data[120] ^= 0xFF
    assert "damaged" in refusal(store, "ncci-ptp", _plain(tmp_path / "z.zip", bytes(data)))


@pytest.mark.parametrize("packing", ["zip", "gz", "zip in zip"])
def test_a_file_that_unpacks_to_far_too_much_is_refused(
    store: Path, tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "DENSE_FROM", 1 << 20)
    bomb = ptp_text().encode() + b"\0" * (64 << 20)
    packed = {
        "zip": lambda: zip_bytes({"ccipra-v302r0.txt": bomb}),
        "gz": lambda: gzip.compress(bomb),
        "zip in zip": lambda: zip_bytes({"a.zip": zip_bytes({"ccipra-v302r0.txt": bomb})}),
    }[packing]()
    assert "far more than such a file" in refusal(store, "ncci-ptp", _plain(tmp_path / "ccipra-v302r0", packed))


def test_a_file_beyond_all_size_is_refused(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 1_000)
    lines = [ptp_line("A0001", f"B{number:04}", "20200101") for number in range(400)]
    assert "unpacks to more than" in refusal(store, "ncci-ptp", ptp_file(tmp_path, lines=lines))
    assert "unpacks to more than" in refusal(
        store, "ncci-ptp", zipped(tmp_path / "z.zip", {"a": ptp_text(lines).encode()})
    )


@pytest.mark.parametrize("name", ["../ccipra-v302r0.txt", "/etc/ccipra.txt", "a/../../b.txt", "C:\\ccipra.txt"])
def test_a_member_that_points_out_of_its_archive_is_refused(store: Path, tmp_path: Path, name: str) -> None:
    assert "points out" in refusal(store, "ncci-ptp", zipped(tmp_path / "z.zip", {name: ptp_text().encode()}))


def test_an_encrypted_archive_is_refused(store: Path, tmp_path: Path) -> None:
    data = bytearray(zip_bytes({"ccipra-v302r0.txt": ptp_text().encode()}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(store, "ncci-ptp", _plain(tmp_path / "z.zip", bytes(data)))


def test_archives_in_archives_have_an_end(store: Path, tmp_path: Path) -> None:
    content = zip_bytes({"ccipra-v302r0.txt": ptp_text().encode()})
    for _ in range(3):
        content = zip_bytes({"a.zip": content})
    assert "a zip in a zip in a zip" in refusal(store, "ncci-ptp", _plain(tmp_path / "z.zip", content))


def test_a_workbook_with_macros_is_refused(store: Path, tmp_path: Path) -> None:
    path = workbook(tmp_path / "ccipra-v302r0.xlsm", [("a", "b")])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    assert "with macros" in refusal(store, "ncci-ptp", path)


def test_addresses_folders_and_files_that_are_not_there_are_refused(store: Path, tmp_path: Path) -> None:
    for file, told in (
        ("https://example.org/a.zip", "an address"),
        (str(tmp_path), "a folder"),
        ("none.txt", "No such"),
    ):
        with pytest.raises(Faults, match=told):
            load(FolderStorage(store), LoadRequest("ncci-ptp", [file], StatedRelease(), NOW), lambda rows, share: None)


def test_a_file_given_twice_is_refused(store: Path, tmp_path: Path) -> None:
    path = ptp_file(tmp_path)
    assert "given twice" in refusal(store, "ncci-ptp", path, path)


def test_a_file_without_rows_is_refused(store: Path, tmp_path: Path) -> None:
    assert "holds no rows" in refusal(store, "ncci-ptp", ptp_file(tmp_path, lines=()))


def test_rows_that_say_the_same_are_kept_once(store: Path, tmp_path: Path) -> None:
    path = _plain(
        tmp_path / "units.csv", mue_text(*["A0001,2,3 Date of Service Edit: Clinical,Made Up\n"] * 3).encode()
    )
    assert load_into(store, "ncci-mue", path, chosen=StatedRelease("2024Q3")).release.rows == {"ncci-mue": 1}
    twice = ptp_file(tmp_path, lines=(*PTP_LINES, *PTP_LINES))
    assert load_into(store, "ncci-ptp", twice).release.rows == {"ncci-ptp": 4}
    reference = open_reference(str(store))
    counts = {each.table: each.rows for each in reference.releases() if not each.starter}
    assert counts == {"ncci-mue": 1, "ncci-ptp": 4}
    every = [row for each in reference.releases() if each.table == "ncci-mue"
             for _, rows in reference.backend.every(MUE, each.sha256) for row in rows]  # fmt: skip
    assert [row.code for row in every] == ["A0001"]


def test_rows_that_contradict_each_other_are_told_with_both_lines(store: Path, tmp_path: Path) -> None:
    units = mue_text("A0001,2,1 Line Edit,Made Up\n", "A0002,2,1 Line Edit,Made Up\n", "A0001,9,1 Line Edit,Made Up\n")
    path = _plain(tmp_path / "units.csv", units.encode())
    told = refusal(store, "ncci-mue", path, chosen=StatedRelease("2024Q3"))
    assert told == "units.csv:8: says of ncci-mue A0001 something else than line 6, for days that both have"
    lines = (ptp_line("A0001", "A0002", "20200101"), ptp_line("A0001", "A0002", "20200101", indicator="1"))
    told = refusal(store, "ncci-ptp", ptp_file(tmp_path, lines=lines))
    assert told == (
        "ccipra-v302r0.txt:8: says of ncci-ptp A0001 A0002 something else than line 7, for days that both have"
    )


@pytest.mark.parametrize(
    ("since", "deleted", "indicator", "refused"),
    [
        ("20210101", "*", "1", True),
        ("20221231", "*", "1", True),
        ("20230101", "*", "1", False),
        ("20190101", "20200101", "1", True),
        ("20210101", "*", "0", False),
        ("20210101", "20220101", "9", False),
        ("20210101", "20210101", "1", False),
        ("20210101", "20200101", "1", False),
    ],
)
def test_windows_of_a_pair_with_a_day_in_common_must_agree(
    store: Path, tmp_path: Path, since: str, deleted: str, indicator: str, refused: bool
) -> None:
    windows = (
        *PTP_LINES[:1],
        ptp_line("A0001", "A0002", since, deleted, indicator),
        ptp_line("A0001", "A0009", "20210101"),
    )
    path = ptp_file(tmp_path, lines=windows)
    if refused:
        told = refusal(store, "ncci-ptp", path)
        assert (
            told
            == "ccipra-v302r0.txt:8: says of ncci-ptp A0001 A0002 something else than line 7, for days that both have"
        )
    else:
        assert load_into(store, "ncci-ptp", path).release.rows == {"ncci-ptp": 3}


def test_an_edit_deleted_on_its_first_day_was_never_in_force(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path, lines=[ptp_line("A0001", "A0002", "20240801", "20240801")]))
    reference = open_reference(str(store))
    assert not reference.ptp_of("A0001", date(2024, 8, 1))


def test_add_on_edits_with_a_day_in_common_must_agree(store: Path, tmp_path: Path) -> None:
    def rows(*windows: str) -> Path:
        return _plain(tmp_path / "a.txt", add_on_text(*(f"{row}\t\r\n" for row in windows)).encode())

    one = "1\tA0001\t\tA0002\t\t2020001\t2024001"
    told = refusal(store, "ncci-add-on", rows(one, "2\tA0001\t\tA0002\t\t2023001\t"), chosen=StatedRelease("2024Q3"))
    assert "says of ncci-add-on A0001 A0002 something else than" in told
    after = "2\tA0001\t\tA0002\t\t2024002\t"
    assert load_into(store, "ncci-add-on", rows(one, after), chosen=StatedRelease("2024Q3")).release.rows == {
        "ncci-add-on": 2
    }


def test_rows_of_two_files_that_contradict_each_other_are_told(store: Path, tmp_path: Path) -> None:
    files = [
        _plain(tmp_path / f"{letter}.csv", mue_text(f"A0001,{units},1 Line Edit,Made Up\n").encode())
        for letter, units in (("a", 2), ("b", 3))
    ]
    told = refusal(store, "ncci-mue", *files, chosen=StatedRelease("2024Q3"))
    assert told == "b.csv:6: says of ncci-mue A0001 something else than a.csv:6, for days that both have"


def test_an_edit_may_be_listed_with_two_rationales(store: Path, tmp_path: Path) -> None:
    never = ptp_line("A0001", "A0002", "19960101", "19960101", "9")
    lines = (never, never.replace("Mutually exclusive procedures", "Sequential procedure"))
    assert load_into(store, "ncci-ptp", ptp_file(tmp_path, lines=lines)).release.rows == {"ncci-ptp": 2}


# Releases


def test_the_same_bytes_are_loaded_once(store: Path, tmp_path: Path) -> None:
    path = ptp_file(tmp_path)
    load_into(store, "ncci-ptp", path)
    before = snapshot(store)
    assert load_into(store, "ncci-ptp", path).status == "there-already"
    assert snapshot(store) == before
    assert "is loaded already as 2024Q3" in refusal(store, "ncci-ptp", path, chosen=StatedRelease("2025Q1"))


def test_a_release_replaces_the_one_that_it_is_named_after(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path))
    other = ptp_file(tmp_path, lines=PTP_LINES[:1])
    assert "give --release 2024Q3" in refusal(store, "ncci-ptp", other)
    assert load_into(store, "ncci-ptp", other, chosen=StatedRelease("2024Q3")).status == "replaced"
    assert names(store) == ["2024Q3"]
    assert pairs(open_reference(str(store))) == [("A0001", "A0002")]


def test_a_release_that_begins_on_the_day_of_another_is_refused(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-ptp", ptp_file(tmp_path))
    other = ptp_file(tmp_path, "v300r0", PTP_LINES[:1])
    told = refusal(store, "ncci-ptp", other, chosen=StatedRelease("revised", date(2024, 7, 1), date(2025, 1, 1)))
    assert "revised begins on 2024-07-01 as 2024Q3 does" in told
    load_into(store, "ncci-ptp", other)
    assert sorted(names(store)) == ["2024Q1", "2024Q3"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_revision_named_after_a_release_takes_over_from_its_first_day_on(
    store: Path, tmp_path: Path, order: tuple[int, int]
) -> None:
    year = StatedRelease("FY2026", date(2025, 10, 1), date(2026, 10, 1))
    april = StatedRelease("FY2026-April", date(2026, 4, 1), date(2026, 10, 1))
    texts = (mue_text(), mue_text("A0001,9,1 Line Edit,Made Up\n"))
    loads = [
        (_plain(tmp_path / f"{stated.name}.csv", text.encode()), stated)
        for text, stated in zip(texts, (year, april), strict=True)
    ]
    for at in order:
        load_into(store, "ncci-mue", loads[at][0], chosen=loads[at][1])
    reference = open_reference(str(store))
    windows = [(each.name, each.since, each.until) for each in reference.releases() if each.table == "ncci-mue"]
    assert windows == [("FY2026", date(2025, 10, 1), date(2026, 4, 1)), april]
    found = [reference.mue("A0001", day) for day in (date(2026, 3, 31), date(2026, 4, 1))]
    assert [edit and edit.units for edit in found] == [2, 9]
    with FolderStorage(store).change() as change:
        change.commit([each for each in change.loaded if each.name == "FY2026"])
    [left] = [each for each in open_reference(str(store)).releases() if each.table == "ncci-mue"]
    assert left.until == date(2026, 10, 1)


def _units(folder: Path, units: int) -> Path:
    return _plain(folder / f"{units}.csv", mue_text(f"A0001,{units},1 Line Edit,Made Up\n").encode())


def test_a_release_that_begins_before_the_stated_end_of_another_is_refused(store: Path, tmp_path: Path) -> None:
    load_into(store, "ncci-mue", _units(tmp_path, 2), chosen=StatedRelease("2026Q3"))
    before = snapshot(store)
    mine = StatedRelease("mine", date(2026, 8, 15))
    told = refusal(store, "ncci-mue", _units(tmp_path, 3), chosen=mine)
    assert told == (
        "the release: mine begins on 2026-08-15, while 2026Q3, which is loaded, states that it holds until 2026-10-01;"
        " if it revises that from then on, give --release 2026Q3-revised; if it stands in its place, --release 2026Q3;"
        " else drop that, and load it with --until 2026-08-15"
    )
    early = StatedRelease("early", date(2026, 6, 1), date(2026, 7, 2))
    told = refusal(store, "ncci-mue", _units(tmp_path, 4), chosen=early)
    assert "early holds until 2026-07-02, while 2026Q3, which is loaded, begins on 2026-07-01; give --until" in told
    assert snapshot(store) == before
    named_wrong = _units(tmp_path, 7).rename(tmp_path / "MCR_MUE_Eff_07-01-2026.csv")
    told = refusal(store, "ncci-mue", named_wrong, chosen=StatedRelease("2026Q4-revised", date(2026, 11, 1)))
    assert "is of 2026Q3, and --release says 2026Q4-revised" in told
    # What the refusals say to do, each in turn.
    load_into(store, "ncci-mue", _units(tmp_path, 4), chosen=early._replace(until=date(2026, 7, 1)))
    load_into(store, "ncci-mue", _units(tmp_path, 3), chosen=mine._replace(name="2026Q3-revised"))
    assert load_into(store, "ncci-mue", _units(tmp_path, 5), chosen=StatedRelease("2026Q3")).status == "replaced"
    reference = open_reference(str(store))
    days = (date(2026, 6, 30), date(2026, 8, 14), date(2026, 8, 15))
    assert [edit and edit.units for edit in (reference.mue("A0001", day) for day in days)] == [4, 5, 3]


@pytest.mark.parametrize(
    "sequence",
    [
        [StatedRelease("2026Q2"), StatedRelease("2026Q3"), StatedRelease("2026Q1")],
        [
            StatedRelease("2025", date(2025, 1, 1), date(2026, 1, 1)),
            StatedRelease("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ],
        [
            StatedRelease("2026-05-04", date(2026, 5, 4)),
            StatedRelease("2026-06-01", date(2026, 6, 1)),
            StatedRelease("x", date(2026, 1, 1)),
        ],
        [
            StatedRelease("open", date(2024, 1, 1)),
            StatedRelease("2026Q3"),
            StatedRelease("2026Q3-a", date(2026, 8, 1), date(2026, 10, 1)),
        ],
    ],
)
def test_what_is_published_in_sequence_is_loaded_in_sequence(
    store: Path, tmp_path: Path, sequence: list[StatedRelease]
) -> None:
    for units, stated in enumerate(sequence, start=1):
        assert load_into(store, "ncci-mue", _units(tmp_path, units), chosen=stated).status == "loaded"
    assert len(names(store)) == len(sequence)


def test_a_release_without_an_end_gives_way_to_the_next(store: Path, tmp_path: Path) -> None:
    open_ended = StatedRelease("early", date(2024, 1, 1))
    load_into(store, "ncci-mue", _plain(tmp_path / "a.csv", mue_text().encode()), chosen=open_ended)
    later = mue_text("A0001,9,1 Line Edit,Made Up\n").encode()
    load_into(store, "ncci-mue", _plain(tmp_path / "b.csv", later), chosen=StatedRelease("2024Q3"))
    reference = open_reference(str(store))
    found = [reference.mue("A0001", day) for day in (SPRING, DAY)]
    assert [edit and edit.units for edit in found] == [2, 9]


def test_files_of_two_releases_are_refused(store: Path, tmp_path: Path) -> None:
    files = ptp_file(tmp_path, "v301r0", PTP_LINES[:2]), ptp_file(tmp_path, "v302r0")
    assert "is of another release (2024Q3) than ccipra-v301r0.txt (2024Q2)" in refusal(store, "ncci-ptp", *files)


def test_files_of_two_quarters_under_a_name_of_ones_own_are_refused(store: Path, tmp_path: Path) -> None:
    files = ptp_file(tmp_path, "v301r0", PTP_LINES[:2]), ptp_file(tmp_path, "v302r0")
    told = refusal(store, "ncci-ptp", *files, chosen=StatedRelease("mine", date(2024, 4, 1)))
    assert "is of another release (2024Q3) than ccipra-v301r0.txt (2024Q2)" in told


def test_a_file_of_another_quarter_than_the_one_named_is_refused(store: Path, tmp_path: Path) -> None:
    names = "v303r0-f1", "v303r0-f2", "v302r0-f3", "v303r0-f4"
    parts = [ptp_file(tmp_path, name, [line]) for name, line in zip(names, PTP_LINES, strict=True)]
    told = "ccipra-v302r0-f3.txt: is of 2024Q3, and --release says 2024Q4"
    assert told in refusal(store, "ncci-ptp", *parts, chosen=StatedRelease("2024Q4"))
    path = _plain(tmp_path / "edits.txt", ptp_text().encode())
    assert load_into(store, "ncci-ptp", path, chosen=StatedRelease("2024Q4")).release.name == "2024Q4"


def test_a_release_that_nobody_names_is_refused(store: Path, tmp_path: Path) -> None:
    path = _plain(tmp_path / "edits.txt", ptp_text().encode())
    assert "--release" in refusal(store, "ncci-ptp", path)
    assert "--since" in refusal(store, "ncci-ptp", path, chosen=StatedRelease("mine"))
    assert "ends before it begins" in refusal(
        store, "ncci-ptp", path, chosen=StatedRelease("mine", date(2024, 1, 1), date(2024, 1, 1))
    )


# Stopped


def _load_and_stop(store: Path, file: Path, stop_at: int) -> None:
    def progress(rows: int, _share: float) -> None:
        if rows >= stop_at:
            os.kill(os.getpid(), signal.SIGKILL)

    load(FolderStorage(store), LoadRequest("ncci-ptp", [str(file)], StatedRelease(), NOW), progress)


@pytest.mark.parametrize("stop_at", [1, 400])
def test_a_killed_load_leaves_the_old_release_and_no_debris(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    monkeypatch.setattr("scrubber.reference.load.loader.ROWS_PER_STEP", 50)
    load_into(store, "ncci-ptp", ptp_file(tmp_path, "v301r0"))
    before = snapshot(store)
    lines = [ptp_line("A0001", f"B{number:04}", "20200101") for number in range(400)]
    child = multiprocessing.get_context("fork").Process(
        target=_load_and_stop, args=(store, ptp_file(tmp_path, lines=lines), stop_at)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert snapshot(store).items() >= before.items()
    assert names(store) == ["2024Q2"]
    assert pairs(open_reference(str(store)))
    load_into(store, "ncci-mue", _plain(tmp_path / "mue.csv", mue_text().encode()), chosen=StatedRelease("2024Q3"))
    assert not [name for name in snapshot(store) if "unfinished" in name]
    assert len(list(store.rglob("*.sqlite"))) == 2


def test_one_change_at_a_time(store: Path, tmp_path: Path) -> None:
    with FolderStorage(store).change(), pytest.raises(ConfigError, match="under way"):
        load_into(store, "ncci-ptp", ptp_file(tmp_path))


# PostgreSQL


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """A database of its own, by its address."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE loading")
        yield urlsplit(postgres)._replace(path="/loading").geturl()
        connection.execute("DROP DATABASE loading WITH (FORCE)")


def test_a_database_keeps_releases_as_a_folder_does(database: str, tmp_path: Path) -> None:
    place = open_storage(database)
    generation = place.generation()
    load_into(place, "ncci-ptp", ptp_file(tmp_path, "v251r0", PTP_LINES[3:]))
    load_into(place, "ncci-ptp", ptp_file(tmp_path, "v252r0"))
    load_into(place, "ncci-add-on", _plain(tmp_path / "a.txt", add_on_text().encode()), chosen=StatedRelease("2019Q3"))
    assert place.generation() != generation
    reference = open_reference(database)
    assert pairs(reference, date(2019, 5, 1)) == [("A0004", "A0001")]
    assert len(pairs(reference, date(2019, 8, 1))) == 3
    [add_on] = reference.add_ons("A0001", date(2025, 1, 1))
    assert (add_on.primary, add_on.kind, add_on.since) == ("A0002", "1", date(2024, 2, 1))
    broken = ptp_file(tmp_path, "v303r0", (*PTP_LINES, "broken\r\n"))
    before = place.loaded()
    with pytest.raises(Faults):
        load_into(place, "ncci-ptp", broken)
    assert place.loaded() == before
    rows = "A0001,2,1 Line Edit,Made Up\n", "A0002,3,1 Line Edit,Made Up\n", "A0001,2,1 Line Edit,Made Up\n"
    units = _plain(tmp_path / "units.csv", mue_text(*rows).encode())
    assert load_into(place, "ncci-mue", units, chosen=StatedRelease("2019Q3")).release.rows == {"ncci-mue": 2}
    edit = open_reference(database).mue("A0001", date(2019, 8, 1))
    assert edit is not None
    assert edit.units == 2
    with place.change() as change:
        change.commit([replace(each, layout=3) for each in change.loaded])
    with pytest.raises(ConfigError, match="has layout 3, this program reads 4: drop it and load it again"):
        place.backend()
    with place.change() as change:
        change.commit([each for each in change.loaded if each.name not in ("2019Q2", "2019Q3")])


def test_a_database_that_is_away_is_told_without_its_address() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError) as raised:
        open_reference("postgresql://somebody:secret@127.0.0.1:1/none")
    assert "secret" not in str(raised.value)


# Complete releases

DIAGNOSES = b"E119    Made up\nM810    Made up\n"


def load_diagnoses(store: Path, folder: Path, complete: bool) -> LoadOutcome:
    file = _plain(folder / "icd10cm_codes_2026.txt", DIAGNOSES)
    wanted = LoadRequest("icd10cm", [str(file)], StatedRelease("FY2026"), NOW, complete=complete)
    return load(FolderStorage(store), wanted, lambda rows, share: None)


@pytest.mark.parametrize("complete", [True, False])
def test_absence_means_something_only_where_it_was_said_and_on_its_own_days(
    store: Path, tmp_path: Path, complete: bool
) -> None:
    load_diagnoses(store, tmp_path, complete)
    reference = open_reference(str(store))
    days = [date(2025, 9, 30), date(2025, 10, 1), date(2026, 9, 30), date(2026, 10, 1)]
    assert [reference.is_complete("icd10cm", day) for day in days] == [False, complete, complete, False]
    assert not reference.is_complete("mpfs", date(2025, 10, 1))


def test_the_same_bytes_are_not_loaded_again_under_another_word_for_complete(store: Path, tmp_path: Path) -> None:
    load_diagnoses(store, tmp_path, complete=False)
    with pytest.raises(Faults, match="loaded already as FY2026; drop that"):
        load_diagnoses(store, tmp_path, complete=True)
    assert load_diagnoses(store, tmp_path, complete=False).status == "there-already"


def test_a_catalogue_without_complete_releases_is_as_programs_before_wrote_it(store: Path, tmp_path: Path) -> None:
    load_diagnoses(store, tmp_path, complete=False)
    assert b"complete" not in (store / "loaded" / "catalogue.json").read_bytes()
