"""All PTP edits of one code, in either column, and add-on relations both ways: alike in every place that keeps rows."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from scrubber.reference import Reference
from scrubber.reference.typed_tables import read_contents
from tests.support.stores import PLACES, kept_in

DAY = date(2025, 3, 12)
TABLES = {
    "releases.csv": """table,name,since,until,source
ncci-ptp,2025Q1,2025-01-01,2025-04-01,made up
ncci-add-on,2025,2025-01-01,,made up
""",
    "ncci-ptp.csv": """column1,column2,indicator,since,deleted,rationale,source
A0001,A0002,0,2020-01-01,2022-12-31,first,made up
A0001,A0002,1,2024-01-01,,again,made up
A0002,A0001,0,2010-01-01,2025-03-12,last day,made up
A0002,A0003,0,2010-01-01,,first,made up
A0003,A0001,9,2021-05-05,,never,made up
0000A,A0001,1,2021-05-05,,first,made up
""",
    "ncci-add-on.csv": """code,primary,kind,since,deleted,source
A0009,A0001,1,2020-01-01,,made up
A0009,A0002,1,2020-01-01,2025-03-11,made up
A0008,A0001,3,2020-01-01,,made up
A0008,CCCCC,3,2020-01-01,,made up
""",
}


@pytest.fixture(scope="module", params=PLACES)
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    folder = tmp_path_factory.mktemp("own")
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    return kept_in(request.param, read_contents(folder), folder, address)


def partners(reference: Reference, code: str, day: date = DAY) -> list[tuple[str, str, str]]:
    return [(edit.column1, edit.column2, edit.indicator) for edit in reference.ptp_of(code, day)]


def test_edits_of_a_code_in_either_column(own: Reference) -> None:
    assert partners(own, "A0001") == [("A0001", "A0002", "1"), ("0000A", "A0001", "1"), ("A0002", "A0001", "0")]
    assert partners(own, "A0003") == [("A0002", "A0003", "0")]


def test_a_page_of_edits_is_cut_from_all_of_them(own: Reference) -> None:
    edits = own.ptp_of("A0001", DAY)
    assert len(edits) == 3
    assert [*edits[1:2], *edits[2:9]] == [*edits][1:]
    assert (edits[-1], tuple(edits[3:])) == ([*edits][2], ())


@pytest.mark.parametrize("day", [date(1979, 12, 31), date(1, 1, 1)])
def test_before_every_edit_there_is_none(own: Reference, day: date) -> None:
    assert partners(own, "A0001", day) == []


def test_far_ahead_open_edits_are_in_force(own: Reference) -> None:
    assert partners(own, "A0003", date(2199, 1, 1)) == [("A0002", "A0003", "0")]


def test_the_last_day_of_an_edit_counts_and_the_next_does_not(own: Reference) -> None:
    assert ("A0002", "A0001", "0") in partners(own, "A0001", date(2025, 3, 12))
    assert ("A0002", "A0001", "0") not in partners(own, "A0001", date(2025, 3, 13))


def test_a_window_of_earlier_years_counts_in_its_years(own: Reference) -> None:
    assert ("A0001", "A0002", "0") in partners(own, "A0001", date(2022, 12, 31))
    assert ("A0001", "A0002", "1") not in partners(own, "A0001", date(2023, 6, 1))


@pytest.mark.parametrize("code", ["A0004", "99999", "", "a0001", "A0001 "])
def test_a_code_in_no_edit_has_no_partner(own: Reference, code: str) -> None:
    assert partners(own, code) == []


def test_all_edits_of_a_code_are_those_that_any_partner_has_with_it(own: Reference) -> None:
    codes = ("A0001", "A0002", "A0003", "0000A")
    for code, other in permutations(codes, 2):
        among = {
            (edit.column1, edit.column2, edit.indicator)
            for windows in own.ptp_among({code, other}, DAY, DAY).values()
            for edit in windows
            if edit.indicator != "9" and (edit.since or DAY) <= DAY <= (edit.deleted or DAY)
        }
        assert {found for found in partners(own, code) if other in found[:2]} == among


def test_add_on_codes_of_a_primary(own: Reference) -> None:
    assert [row.code for row in own.add_ons_of("A0001", DAY)] == ["A0008", "A0009"]
    assert own.add_ons_of("A0002", DAY) == ()
    assert [row.code for row in own.add_ons_of("A0002", date(2025, 3, 11))] == ["A0009"]
    assert [row.primary for row in own.add_ons("A0008", DAY)] == ["A0001", "CCCCC"]


def test_without_a_table_of_add_ons_there_are_none(tmp_path: Path) -> None:
    starter = kept_in("memory", read_contents(None), tmp_path, None)
    assert starter.add_ons_of("99213", DAY) == ()
