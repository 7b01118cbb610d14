"""HCPCS Level II, as csv and as fixed-width text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.errors import Faults
from scrubber.reference.load.code_lists import HCPCS_FORMATS, HCPCS_HEADER
from scrubber.reference.load.format import BadRow, StatedRelease
from scrubber.reference.rows import HcpcsCode, HcpcsModifier
from tests.support.published import Published, full_size, published, reader_of, reads_or_refuses, rows_of

CODES = [  # code, record, description, added, ended
    ("   G1", "7", "Words, dropped", "19980101", ""),
    ("   G9", "7", "Words", "20200101", "20211231"),
    ("A0021", "3", 'Words with "quotes" and é', "19850101", ""),
    ("A0021", "4", "that go on", "", ""),
    ("G0130", "3", "Words", "20010101", "99991231"),
    ("G0131", "3", "Words", "20250101", "20241231"),
]
ROWS = [
    HcpcsModifier("G1", date(1998, 1, 1), None, "CMS HCPCS Level II"),
    HcpcsModifier("G9", date(2020, 1, 1), date(2022, 1, 1), "CMS HCPCS Level II"),
    HcpcsCode("A0021", date(1985, 1, 1), None, "CMS HCPCS Level II"),
    HcpcsCode("G0130", date(2001, 1, 1), None, "CMS HCPCS Level II"),
]


def as_csv(codes: Sequence[tuple[str, ...]], header: tuple[str, ...] = HCPCS_HEADER) -> Published:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, extrasaction="ignore")
    writer.writeheader()
    for code, record, words, added, ended in codes:
        cells = {"HCPC": code, "RECID": record, "LONG DESCRIPTION": words, "ADD DT": added, "TERM DT": ended}
        writer.writerow(cells)
    return Published(text.getvalue().encode("latin-1"))


def as_text(codes: Sequence[tuple[str, ...]]) -> Published:
    lines = [
        f"{code}00100{record}{words:<80}".ljust(268) + f"{added:<8}20250101{ended:<8}N".ljust(52)
        for code, record, words, added, ended in codes
    ]
    return Published("".join(line + "\r\n" for line in lines).encode("latin-1") + b"\x1a")


@pytest.mark.parametrize("source", [as_csv(CODES), as_text(CODES)])
def test_procedures_and_modifiers_have_days_and_no_words(source: Published) -> None:
    assert rows_of(HCPCS_FORMATS, source) == ROWS


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        (("A002", "3", "", "19850101", ""), "HCPC"),
        (("A0021", "7", "", "19850101", ""), "HCPC"),
        (("A0021", "5", "", "19850101", ""), "RECID"),
        (("A0021", "3", "", "19850231", ""), "ADD DT"),
        (("A0021", "3", "", "19850101", "2025"), "TERM DT"),
    ],
)
def test_a_broken_row_is_told_by_line_and_column(broken: tuple[str, ...], column: str) -> None:
    (bad,) = [row for row in rows_of(HCPCS_FORMATS, as_csv([*CODES, broken])) if isinstance(row, BadRow)]
    assert (bad.line, bad.column) == (8, column)
    padded = (f"{broken[0]:<5}", *broken[1:])
    (bad,) = [row for row in rows_of(HCPCS_FORMATS, as_text([*CODES, padded])) if isinstance(row, BadRow)]
    assert (bad.line, bad.column) == (7, column)


def test_a_line_that_is_cut_off_is_told() -> None:
    source = as_text(CODES)
    (bad,) = [row for row in rows_of(HCPCS_FORMATS, Published(source.content[:-70])) if isinstance(row, BadRow)]
    assert (bad.line, bad.column) == (6, "TERM DT")


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (tuple(name for name in HCPCS_HEADER if name != "TERM DT"), "lacks the column TERM DT"),
        ((*HCPCS_HEADER, "NEW"), "unknown column 'NEW'"),
        ((*HCPCS_HEADER[:-2], HCPCS_HEADER[-1], HCPCS_HEADER[-2]), "another order"),
    ],
)
def test_a_changed_header_is_refused(header: tuple[str, ...], word: str) -> None:
    with pytest.raises(Faults, match=word):
        rows_of(HCPCS_FORMATS, as_csv(CODES, header))


def test_the_quarter_is_in_the_published_name() -> None:
    source = as_csv(CODES)._replace(name="oct.zip!HCPC2026_OCT_ANWEB.csv")
    quarter = StatedRelease("2026Q4", date(2026, 10, 1), date(2027, 1, 1))
    assert reader_of(HCPCS_FORMATS, source).stated(source) == quarter
    assert reader_of(HCPCS_FORMATS, source).stated(as_csv(CODES)) == StatedRelease()


def test_the_published_layout() -> None:
    rows = rows_of(HCPCS_FORMATS, full_size("hcpcs/HCPC2026_OCT_ANWEB.excerpt.csv"))
    assert {type(row) for row in rows} == {HcpcsModifier}
    ended = {row.code: row.until for row in rows}
    assert ended == {"A1": None, "AA": None, "AS": None, "CP": date(2018, 1, 1), "GD": date(2020, 1, 1)}


@given(st.sampled_from([as_csv(CODES), as_text(CODES)]), st.binary(max_size=300), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(HCPCS_FORMATS, Published(garbage))
    reads_or_refuses(HCPCS_FORMATS, Published(sample.content[:at] + garbage + sample.content[at:]))


def test_other_lists_are_not_taken_for_it() -> None:
    for other in (published("code,since", "A0021,"), published("A0021"), published("M8100   Words")):
        assert not any(each.recognise(other.content) for each in HCPCS_FORMATS)
