"""Lists of codes that are not CMS's release files: places of service, adjustment codes."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.reference.fee_rows import PlaceOfService
from scrubber.reference.load import code_lists
from scrubber.reference.load.format import BadRow
from scrubber.reference.rows import AdjustmentCode
from tests.support.published import Published, full_size, published, reads_or_refuses, rows_of

ALL = [*code_lists.PLACE_OF_SERVICE_FORMATS, *code_lists.ADJUSTMENT_FORMATS]
PLACES = ["pos,pfs_rate,name", '01,Non-Facility,"Some, place"', "21,Facility,Another place"]
CODES = [
    "code,type,start_date,last_modified,end_date,description",
    "CO,Group,,,,A text that is not ours",
    '4,CARC,1995-01-01,2020-03-01,,"A text, too"',
    "N115,RARC,2002-05-30,2010-07-01,2012-03-01,",
]


def test_a_place_has_a_rate_and_no_name() -> None:
    origin = "CMS place of service code set"
    places = [
        PlaceOfService("01", "non-facility", None, None, origin),
        PlaceOfService("21", "facility", None, None, origin),
    ]
    assert rows_of(ALL, published(*PLACES)) == places
    assert rows_of(ALL, published("pos,pfs_rate", "01,Non-Facility", "21,facility")) == places
    assert rows_of(ALL, published("name,pfs_rate,pos", "x,Non-Facility,01", "y,Facility,21")) == places


@pytest.mark.parametrize(
    ("broken", "column"), [("1,Facility,x", "pos"), ("01,both,x", "pfs_rate"), ("01,,x", "pfs_rate"), ("01", None)]
)
def test_a_broken_place_is_told_by_line_and_column(broken: str, column: str | None) -> None:
    rows = rows_of(ALL, published(*PLACES, broken))
    assert [type(row) for row in rows] == [PlaceOfService, PlaceOfService, BadRow]
    assert (rows[2].line, rows[2].column) == (4, column)


def test_places_at_full_size() -> None:
    rows = rows_of(ALL, full_size("pos/place_of_service.csv"))
    assert {type(row) for row in rows} == {PlaceOfService}
    settings = {row.code: row.setting for row in rows}
    assert len(settings) == len(rows)
    assert (settings["11"], settings["22"], settings["10"]) == ("non-facility", "facility", "non-facility")


def test_adjustment_codes_have_days_and_no_texts() -> None:
    origin = "X12 claim adjustment codes"
    assert rows_of(ALL, published(*CODES)) == [
        AdjustmentCode("CO", "group", None, None, origin),
        AdjustmentCode("4", "carc", date(1995, 1, 1), None, origin),
        AdjustmentCode("N115", "rarc", date(2002, 5, 30), date(2012, 3, 1), origin),
    ]


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        (",CARC,1995-01-01,,,", "code"),
        ("co,Group,,,,", "code"),
        ("4,Reason,,,,", "type"),
        ("4,CARC,1995-02-30,,,", "start_date"),
        ("4,CARC,,,03/01/2020,", "end_date"),
        ('4,CARC,,,,"open', None),
    ],
)
def test_a_broken_adjustment_code_is_told_by_line_and_column(broken: str, column: str | None) -> None:
    (row,) = [row for row in rows_of(ALL, published(*CODES, broken)) if isinstance(row, BadRow)]
    assert (row.line, row.column) == (5, column)


def test_adjustment_codes_at_full_size() -> None:
    rows = rows_of(ALL, full_size("carc/adjustment_codes_2024-06.csv"))
    assert Counter(row.kind for row in rows) == {"group": 5, "carc": 405, "rarc": 1_171}
    assert len({(row.kind, row.code) for row in rows}) == len(rows)


@given(st.sampled_from([published(*PLACES), published(*CODES)]), st.binary(max_size=300), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(ALL, Published(garbage))
    reads_or_refuses(ALL, Published(sample.content[:at] + garbage + sample.content[at:]))
