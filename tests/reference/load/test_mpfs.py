"""The physician fee schedule as CMS publishes it: stacked headers, two layouts, two sorts, two conversion factors."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scrubber.reference.fee_rows import ConversionFactor, FeeRow
from scrubber.reference.load.format import BadRow, StatedRelease
from scrubber.reference.load.mpfs import FORMATS
from tests.support.published import Published, full_size, published, reader_of, reads_or_refuses, rows_of

TITLES = [
    ",,2025 National Physician Fee Schedule Relative Value File October Release" + "," * 28,
    ',,Notice of whose the codes are, with a ""quote"" in it' + "," * 28,
    ",," + "," * 28,
    ",, " + "," * 28,
    ",,RELEASED 09/11/2025" + "," * 28,
]
HEADER_2025 = [
    ",, , ,,,,,,,,,,,,,,,,,,,,,,,,,NON-FACILITY,FACILITY,",
    ",,,,NOT USED,,,,,,,,,,,,,,,,,,,,,PHYSICIAN,,DIAGNOSTIC,PE USED,PE USED,MP USED",
    ",,,,FOR,,,NON-FAC,,FACILITY ,,,,,,,,,,,,,,,,SUPERVISION OF,,IMAGING,FOR OPPS,FOR OPPS,FOR OPPS",
    ",,,STATUS,MEDICARE ,WORK,NON-FAC,NA,FACILITY,NA,MP,NON-FACILITY,FACILITY,PCTC,GLOB,PRE,INTRA,POST,MULT,BILAT,"
    "ASST,CO-,TEAM,ENDO,CONV,DIAGNOSTIC,CALCULATION,FAMILY,PAYMENT,PAYMENT,PAYMENT",
    "HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,OP,OP,OP,PROC,"
    "SURG,SURG,SURG,SURG,BASE,FACTOR,PROCEDURES,FLAG,INDICATOR,AMOUNT,AMOUNT,AMOUNT",
]
HEADER_2026 = [
    "," + HEADER_2025[0],
    HEADER_2025[1].replace(",PHYSICIAN", ",,PHYSICIAN"),
    HEADER_2025[2].replace(",SUPERVISION", ",,SUPERVISION"),
    HEADER_2025[3].replace("TEAM,", "TEAM,PRIC,"),
    HEADER_2025[4].replace("BASE,", "IND,BASE,"),
]
# Made-up codes and figures.
GLOBAL = (
    'X0001,,"Made, up",A,,0.20,0.97,,0.96,NA,0.03,1.20,1.19,1,XXX,0.10,0.70,0.20,4,0,1,2,9,,'
    "32.3465,09,0,88,3.32,3.31,0.05"
)
TECHNICAL = (
    "X0001,TC,Made up,A,,0.00,0.90,,0.90,NA,0.01,0.91,0.91,1,XXX,0.00,0.00,0.00,4,0,1,2,9,,"
    "32.3465,01,0,88,3.25,3.25,0.04"
)
PROFESSIONAL = (
    "X0001,26,Made up,A,,0.20,0.07,,0.06,,0.02,0.29,0.28,1,XXX,0.00,0.00,0.00,4,0,1,2,9,,32.3465,09,0,88,0.00,0.00,0.00"
)
SCOPE = (
    "12345,,Made up,A,,3.00,1.90,NA,1.90,,0.40,5.30,5.30,0,000,0.00,0.00,0.00,3,1,0,0,0,54321,"
    "32.3465,09,0,99,0.00,0.00,0.00"
)
UNUSED = (
    "X0002,,Made up,N,+,1.00,1.00,,1.00,,0.10,2.10,2.10,9,XXX,0.00,0.00,0.00,9,9,9,9,9,,32.3465,09,0,99,0.00,0.00,0.00"
)
SPLITS = [GLOBAL, TECHNICAL, PROFESSIONAL]


def in_2026(row: str) -> str:
    """A row with the column for PRIC IND, and the factor of 2026."""
    cells = row.replace("32.3465", "33.4009").rsplit(",", 8)
    return ",".join([cells[0], "7", *cells[1:]])


def file_2025(*rows: str, name: str = "PPRRVU2025_Oct.csv") -> Published:
    return published(*TITLES, *HEADER_2025, *rows, name=name)


def file_2026(*rows: str, name: str = "PPRRVU2026_Jul_nonQPP.csv") -> Published:
    titles = [line.replace("2025", "2026").replace("October", "July") for line in TITLES]
    return published(*titles, *HEADER_2026, *map(in_2026, rows), name=name, end="\n")


def fees(source: Published) -> list[FeeRow]:
    return [row for row in rows_of(FORMATS, source) if isinstance(row, FeeRow)]


def factors(source: Published) -> list[ConversionFactor]:
    return [row for row in rows_of(FORMATS, source) if isinstance(row, ConversionFactor)]


def bad(source: Published) -> list[BadRow]:
    return [row for row in rows_of(FORMATS, source) if isinstance(row, BadRow)]


def test_a_row_says_what_the_columns_say() -> None:
    assert fees(file_2025(GLOBAL))[0] == FeeRow(
        code="X0001",
        component="",
        status="A",
        work=Decimal("0.20"),
        non_facility_pe=Decimal("0.97"),
        facility_pe=Decimal("0.96"),
        mp=Decimal("0.03"),
        non_facility_na=False,
        facility_na=True,
        pc_tc="1",
        global_days="XXX",
        multiple="4",
        bilateral="0",
        assistant="1",
        co_surgeon="2",
        team="9",
        endoscopic_base=None,
        imaging_family="88",
        opps_non_facility_pe=Decimal("3.32"),
        opps_facility_pe=Decimal("3.31"),
        opps_mp=Decimal("0.05"),
        preoperative=Decimal("0.10"),
        intraoperative=Decimal("0.70"),
        postoperative=Decimal("0.20"),
        supervision="09",
        since=None,
        until=None,
        release="RVU25D",
        source="CMS RVU25D, released 2025-09-11",
    )
    assert fees(file_2025(SCOPE))[0].endoscopic_base == "54321"
    assert fees(file_2025(SCOPE))[0].non_facility_na


def test_the_layout_with_one_column_more_gives_the_same() -> None:
    now = [row._replace(release="", source="") for row in fees(file_2026(GLOBAL, SCOPE))]
    before = [row._replace(release="", source="") for row in fees(file_2025(GLOBAL, SCOPE))]
    assert now == before


def test_either_sort_gives_the_same_rows() -> None:
    letters_first = fees(file_2025(GLOBAL, TECHNICAL, PROFESSIONAL, SCOPE))
    digits_first = fees(file_2025(SCOPE, GLOBAL, PROFESSIONAL, TECHNICAL))
    assert sorted(letters_first) == sorted(digits_first)
    assert {row.component for row in letters_first} == {"", "26", "TC"}


def test_no_descriptor_is_kept() -> None:
    rows = rows_of(FORMATS, file_2025(*SPLITS, UNUSED))
    assert not any("Made" in str(cell) for row in rows for cell in row)


@pytest.mark.parametrize(
    ("month", "name", "since", "until"),
    [
        ("January", "RVU25A", date(2025, 1, 1), date(2025, 4, 1)),
        ("April", "RVU25B", date(2025, 4, 1), date(2025, 7, 1)),
        ("July", "RVU25C", date(2025, 7, 1), date(2025, 10, 1)),
        ("October", "RVU25D", date(2025, 10, 1), date(2026, 1, 1)),
        ("March", None, None, None),
    ],
)
def test_the_title_names_the_release_and_its_quarter(
    month: str, name: str | None, since: date | None, until: date | None
) -> None:
    source = Published(file_2025(GLOBAL).content.replace(b"October", month.encode()))
    assert reader_of(FORMATS, source).stated(source) == StatedRelease(name, since, until)


def test_an_impossible_day_of_publication_is_not_said() -> None:
    source = Published(file_2025(GLOBAL).content.replace(b"09/11/2025", b"13/45/2025"), "PPRRVU2025_Oct.csv")
    assert fees(source)[0].source == "CMS RVU25D"


def test_one_factor_a_file_whose_it_is_by_year_and_name() -> None:
    assert [(row.qualifying_apm, str(row.factor)) for row in factors(file_2025(*SPLITS))] == [(None, "32.3465")]
    assert [row.qualifying_apm for row in factors(file_2026(*SPLITS))] == [False]
    qpp = file_2026(*SPLITS, name="rvu26c.zip!QPP/PPRRVU2026_Jul_QPP.csv")
    assert [row.qualifying_apm for row in factors(qpp)] == [True]
    non_qpp = file_2026(*SPLITS, name="QPP/PPRRVU2026_Jul_nonQPP.csv")
    assert [row.qualifying_apm for row in factors(non_qpp)] == [False]


def test_since_2026_a_name_that_does_not_tell_is_refused() -> None:
    (refusal,) = rows_of(FORMATS, file_2026(*SPLITS, name="fees.csv"))
    assert refusal.column == "CONV FACTOR"
    assert "nonQPP" in refusal.message


def test_a_second_factor_in_a_file_is_refused() -> None:
    (row,) = bad(file_2025(GLOBAL, SCOPE.replace("32.3465", "32.9999"), TECHNICAL))
    assert (row.line, row.column) == (12, "CONV FACTOR")


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        (GLOBAL.replace("X0001", "X001"), "HCPCS"),
        (TECHNICAL.replace(",TC,", ",ZZ,"), "MOD"),
        (GLOBAL.replace(",A,", ",Active,"), "STATUS CODE"),
        (UNUSED.replace("+", "*"), "NOT USED FOR MEDICARE PAYMENT"),
        (UNUSED.replace(",N,+", ",A,+"), "NOT USED FOR MEDICARE PAYMENT"),
        (GLOBAL.replace("0.20", "NaN"), "WORK RVU"),
        (GLOBAL.replace("0.97", "-0.97"), "NON-FAC PE RVU"),
        (GLOBAL.replace("0.96,NA", "0.96,N"), "FACILITY NA INDICATOR"),
        (GLOBAL.replace("0.96", "1e3"), "FACILITY PE RVU"),
        (GLOBAL.replace("0.03", "\u0661.00"), "MP RVU"),
        (GLOBAL.replace(",1,XXX", ",,XXX"), "PCTC IND"),
        (GLOBAL.replace("XXX", "00"), "GLOB DAYS"),
        (SCOPE.replace("54321", "5432"), "ENDO BASE"),
        (GLOBAL.replace("32.3465", ""), "CONV FACTOR"),
        (GLOBAL.replace("32.3465", "0"), "CONV FACTOR"),
        (GLOBAL.replace("88", "8"), "DIAGNOSTIC IMAGING FAMILY INDICATOR"),
        (GLOBAL[:-5], None),
        (GLOBAL.replace('up"', "up"), None),
        (GLOBAL + ",0", None),
    ],
)
def test_a_broken_row_is_told_by_line_and_column_and_the_others_are_read(broken: str, column: str | None) -> None:
    rows = rows_of(FORMATS, file_2025(TECHNICAL, broken, SCOPE))
    assert [type(row) for row in rows] == [ConversionFactor, FeeRow, BadRow, FeeRow]
    assert (rows[2].line, rows[2].column) == (12, column)


@pytest.mark.parametrize(
    ("was", "now", "column"),
    [("CONV,", "CONVERSION,", "CONV FACTOR"), ("STATUS,", "WORK,", "STATUS CODE"), ("MULT,", "BILAT,", "MULT PROC")],
)
def test_a_changed_header_is_one_bad_row(was: str, now: str, column: str) -> None:
    header = [line.replace(was, now) for line in HEADER_2025]
    (row,) = rows_of(FORMATS, published(*TITLES, *header, GLOBAL, SCOPE, name="PPRRVU2025_Oct.csv"))
    assert (row.line, row.column) == (10, column)


def test_a_column_twice_in_the_header_is_refused() -> None:
    header = [line.replace("CALCULATION,", "CONV,").replace("FLAG,", "FACTOR,") for line in HEADER_2025]
    (row,) = rows_of(FORMATS, published(*TITLES, *header, GLOBAL, name="PPRRVU2025_Oct.csv"))
    assert row.column == "CONV FACTOR"
    assert "twice" in row.message


def test_a_file_without_rows_is_refused() -> None:
    (row,) = rows_of(FORMATS, file_2025())
    assert row.message == "no row follows the header"


def test_rows_without_a_header_are_not_recognised() -> None:
    assert not any(each.recognise(published(GLOBAL, TECHNICAL).content) for each in FORMATS)


# The record layout of RVU25D, by hand.
PLACES = [
    ("HCPCS", 1), ("MOD", 6), ("DESCRIPTION", 8), ("STATUS CODE", 58), ("WORK RVU", 60), ("NON-FAC PE RVU", 67),
    ("NON-FAC NA INDICATOR", 73), ("FACILITY PE RVU", 76), ("FACILITY NA INDICATOR", 82), ("MP RVU", 85),
    ("NON-FACILITY TOTAL", 91), ("FACILITY TOTAL", 97), ("PCTC IND", 103), ("GLOB DAYS", 104), ("PRE OP", 107),
    ("INTRA OP", 110), ("POST OP", 113), ("MULT PROC", 116),
    ("BILAT SURG", 117), ("ASST SURG", 118), ("CO- SURG", 119), ("TEAM SURG", 120), ("ENDO BASE", 128),
    ("CONV FACTOR", 133), ("SUPERVISION", 142), ("CALCULATION FLAG", 144), ("FAMILY", 146), ("OPPS NON-FACILITY", 152),
    ("OPPS FACILITY", 159), ("OPPS MP", 166),
]  # fmt: skip
OF_CSV = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]
NUMBERS = {60: 6, 67: 6, 76: 6, 85: 5, 91: 6, 97: 6, 152: 6, 159: 6, 166: 6}
SHARES = {107, 110, 113}  # .99
HEADER_TEXT = [
    "HDR  2025 National Physician Fee Schedule Relative Value File October Release",
    "HDR  RELEASED 09/11/2025",
]


def as_text(row: str) -> str:
    """A row of the csv layout in that of fixed width."""
    cells = row.replace('"Made, up"', "Made up").split(",")
    line = [" "] * 200
    for (_, place), at in zip(PLACES, OF_CSV, strict=True):
        cell = cells[at].rjust(NUMBERS.get(place, 0))
        cell = cell.removeprefix("0") if place in SHARES else cell
        line[place - 1 : place - 1 + len(cell)] = cell
    return "".join(line)


def test_both_layouts_give_the_same_rows() -> None:
    rows = [*SPLITS, SCOPE, UNUSED]
    text = published(*HEADER_TEXT, *map(as_text, rows), name="PPRRVU2025_Oct.txt")
    assert rows_of(FORMATS, text) == rows_of(FORMATS, file_2025(*rows))
    assert reader_of(FORMATS, text).stated(text).name == "RVU25D"


def test_a_text_row_may_have_lost_the_blanks_at_its_end() -> None:
    text = published(*HEADER_TEXT, as_text(GLOBAL).rstrip(), as_text(TECHNICAL)[:150], as_text(SCOPE))
    kinds = [type(row) for row in rows_of(FORMATS, text)]
    assert kinds == [ConversionFactor, FeeRow, BadRow, FeeRow]


def test_a_text_file_says_its_year_by_its_name_when_no_title_does() -> None:
    untitled = [f"HDR {n}" for n in range(7)]
    assert factors(published(*untitled, as_text(GLOBAL), name="PPRRVU2025_Oct.txt"))[0].qualifying_apm is None
    assert factors(published(*untitled, as_text(GLOBAL), name="PPRRVU25_JAN.txt"))[0].qualifying_apm is None
    assert factors(published(*untitled, as_text(GLOBAL), name="PPRRVU2026_Jan_QPP.txt"))[0].qualifying_apm is True
    assert len(bad(published(*untitled, as_text(GLOBAL), name="fees.txt"))) == 1


@given(st.binary(max_size=2_000))
@example("HCPCS,MOD,DESCRIPTION,\n".encode("utf-16"))
@example(b"HDR\n" + b"X0001" + b"\xff" * 195)
def test_garbage_is_refused_or_told_row_by_row(garbage: bytes) -> None:
    reads_or_refuses(FORMATS, Published(garbage))
    reads_or_refuses(FORMATS, Published(file_2025(GLOBAL).content + garbage))
    reads_or_refuses(FORMATS, Published(published(*HEADER_TEXT, as_text(GLOBAL)).content + garbage))


@given(st.data())
def test_damaged_bytes_are_refused_or_told_row_by_row(data: st.DataObject) -> None:
    content = bytearray(file_2025(*SPLITS).content)
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[at] = data.draw(st.integers(0, 255))
    reads_or_refuses(FORMATS, Published(bytes(content), "PPRRVU2025_Oct.csv"))


def test_the_release_of_october_2025_at_full_size() -> None:
    source = full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")
    rows = rows_of(FORMATS, source)
    assert Counter(type(row) for row in rows) == {FeeRow: 19_090, ConversionFactor: 1}
    assert reader_of(FORMATS, source).stated(source) == StatedRelease("RVU25D", date(2025, 10, 1), date(2026, 1, 1))
    assert rows[0][:2] == (None, Decimal("32.3465"))
    by_key = {(row.code, row.component): row for row in rows[1:]}
    assert len(by_key) == 19_090
    score = by_key["77092", ""]
    units = (score.work, score.non_facility_pe, score.facility_pe, score.mp)
    assert [str(each) for each in units] == ["0.20", "0.08", "0.08", "0.01"]
    assert (score.status, score.pc_tc, score.facility_na) == ("A", "2", False)
    whole = by_key["77089", ""]
    assert (whole.pc_tc, whole.facility_na, whole.non_facility_na) == ("4", True, False)
    assert Counter(row.component for row in rows[1:]) == {"": 16_851, "26": 1_127, "TC": 1_108, "53": 4}


@pytest.mark.proof
def test_the_same_release_at_full_size_in_fixed_width() -> None:
    source = full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")
    data = source.content.decode().split("\r\n")[10:]
    text = published(*HEADER_TEXT, *(as_text(row) for row in data if row and '"' not in row), name="PPRRVU2025_Oct.txt")
    known = set(rows_of(FORMATS, source))
    rows = rows_of(FORMATS, text)
    assert len(rows) > 18_000
    assert set(rows) <= known


def test_the_excerpt_of_july_2026() -> None:
    source = full_size("mpfs/PPRRVU2026_Jul_nonQPP.excerpt.nodesc.csv")
    rows = rows_of(FORMATS, source)
    assert Counter(type(row) for row in rows) == {FeeRow: 44, ConversionFactor: 1}
    assert rows[0][:2] == (False, Decimal("33.4009"))
    (score,) = [row for row in rows[1:] if row.code == "77092"]
    assert score.work + score.non_facility_pe + score.mp == Decimal("0.30")
    assert (score.imaging_family, score.endoscopic_base, score.team, score.release) == ("99", None, "0", "RVU26C")


def test_the_excerpt_of_january_2025_which_has_no_header() -> None:
    excerpt = full_size("mpfs/PPRRVU25_JAN.excerpt.nodesc.csv")
    assert not any(each.recognise(excerpt.content) for each in FORMATS)
    titles = "".join(line + "\n" for line in [*TITLES, *HEADER_2025]).replace("October", "January")
    rows = rows_of(FORMATS, Published(titles.encode() + excerpt.content, "PPRRVU25_JAN.csv"))
    october = {(row.code, row.component): row for row in fees(full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz"))}
    january = [row for row in rows if isinstance(row, FeeRow)]
    assert len(january) == len(rows) - 1 == 15
    assert [row.component for row in january[1:4]] == ["", "TC", "26"]
    for row in january:
        same = october[row.code, row.component]
        assert row._replace(release=same.release, source=same.source) == same
