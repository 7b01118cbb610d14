"""What CMS publishes by locality: cost indices, anesthesia factors, outpatient caps, counties, ZIP codes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.facts.payer import contractor
from scrubber.reference import open_reference
from scrubber.reference.fee_rows import Anesthesia, Gpci, LocalityCounty, OppsCap, ZipLocality
from scrubber.reference.load import localities, mpfs_factors
from scrubber.reference.load.format import BadRow, StatedRelease
from tests.support.published import Published, full_size, published, reader_of, reads_or_refuses, rows_of, typed_folder

ALL = [
    *mpfs_factors.GPCI_FORMATS,
    *mpfs_factors.ANES_FORMATS,
    *mpfs_factors.OPPS_CAP_FORMATS,
    *localities.COUNTY_FORMATS,
    *localities.ZIP_FORMATS,
]

# Figures and places are made up.
GPCI_2025 = [
    "ADDENDUM E. FINAL CY 2025 GEOGRAPHIC PRACTICE COST INDICES (GPCIs) BY STATE AND MEDICARE LOCALITY,,,,,,",
    ",,,,,,",
    "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,2025 PW GPCI (with 1.0 Floor),"
    "2025 PE GPCI,2025 MP GPCI",
    "09999,ZZ,00,SOMEWHERE,1,0.9,0.575",
    "01999,ZY,01,ELSEWHERE**,1.5,1.081,0.592",
    '01999,ZX,02,"ISLE, ISLET",1.002,1.149,0.561',
]
GPCI_NOTES = [
    '"MAC Assignments as of November 22, 2023",,,,,,',
    ",,,,,,",
    "*Work GPCI reflects a floor.,,,,,,",
    '"   Therefore, so it is.",,,,,,',
]


def test_cost_indices_by_locality() -> None:
    source = published(*GPCI_2025, *GPCI_NOTES)
    origin = "CMS geographic practice cost indices 2025"
    work, pe, mp = Decimal("1.002"), Decimal("1.149"), Decimal("0.561")
    rows = rows_of(ALL, source)
    assert len(rows) == 3
    assert rows[2] == Gpci("01999-02", "01999", "ISLE, ISLET", work, pe, mp, None, None, origin)
    assert (rows[1].name, rows[0].locality) == ("ELSEWHERE", "09999-00")
    assert reader_of(ALL, source).stated(source) == StatedRelease("2025", date(2025, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(
    "work", ["2027 PW GPCI", "2027 PW GPCI (with 1.0 Floor)***", "2027 pw gpci (without 1.0 Floor)"]
)
def test_the_words_around_the_work_index_may_change(work: str) -> None:
    header = GPCI_2025[2].replace("2025", "2027").replace("2027 PW GPCI (with 1.0 Floor)", work)
    source = published(*GPCI_2025[:2], header, *GPCI_2025[3:])
    assert [type(row) for row in rows_of(ALL, source)] == [Gpci] * 3
    assert mpfs_factors.stated_of_gpci(source).name == "2027"


def test_work_indices_with_and_without_the_floor_are_refused() -> None:
    header = GPCI_2025[2].replace(",2025 PE", ",2025 PW GPCI (without 1.0 Floor),2025 PE")
    (row,) = rows_of(ALL, published(*GPCI_2025[:2], header, *GPCI_2025[3:]))
    assert (row.line, row.column) == (3, "PW GPCI")
    assert "twice" in row.message


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        ("9999,ZZ,00,SOMEWHERE,1,0.9,0.575", "Contractor"),
        ("09999,ZZ,0,SOMEWHERE,1,0.9,0.575", "Locality Number"),
        ("09999,ZZ,00,,1,0.9,0.575", "Locality Name"),
        ("09999,ZZ,00,SOMEWHERE,,0.9,0.575", "PW GPCI"),
        ("09999,ZZ,00,SOMEWHERE,1,n/a,0.575", "PE GPCI"),
        ("09999,ZZ,00,SOMEWHERE,1,0.9,1e1", "MP GPCI"),
        ("09999,ZZ,00,SOMEWHERE,1,0.9", None),
        ("09999,,,,,,", "Locality Number"),
    ],
)
def test_a_broken_row_of_indices_is_told_by_line_and_column(broken: str, column: str | None) -> None:
    (row,) = [row for row in rows_of(ALL, published(*GPCI_2025, broken, *GPCI_NOTES)) if isinstance(row, BadRow)]
    assert (row.line, row.column) == (7, column)


@pytest.mark.parametrize(("file", "year"), [("GPCI2025.csv", 2025), ("GPCI2026.csv", 2026)])
def test_cost_indices_at_full_size(file: str, year: int) -> None:
    source = full_size(f"mpfs/{file}")
    rows = rows_of(ALL, source)
    assert [type(row) for row in rows] == [Gpci] * 109
    assert len({row.locality for row in rows}) == 109
    assert not any("*" in row.name for row in rows)
    assert "HAWAII, GUAM" in {row.name for row in rows}
    assert mpfs_factors.stated_of_gpci(source) == StatedRelease(str(year), date(year, 1, 1), date(year + 1, 1, 1))
    manhattan = next(row for row in rows if row.locality == "13202-01")
    if year == 2026:
        assert (manhattan.work, manhattan.pe, manhattan.mp) == (Decimal("1.064"), Decimal("1.162"), Decimal("1.586"))


ANES = [
    "Contractor,Locality,Locality Name,National Anes CF of 20.1234",
    "09999 ,00 ,SOMEWHERE,19.31 ",
    "01999 ,01 ,ELSEWHERE*,27.86 ",
    ",,,",
]


def test_anesthesia_factors_and_the_national_one_in_the_header() -> None:
    origin = "CMS anesthesia conversion factors"
    assert rows_of(ALL, published(*ANES)) == [
        Anesthesia("national", "National", Decimal("20.1234"), None, None, origin),
        Anesthesia("09999-00", "SOMEWHERE", Decimal("19.31"), None, None, origin),
        Anesthesia("01999-01", "ELSEWHERE", Decimal("27.86"), None, None, origin),
    ]
    assert mpfs_factors.stated_of_anes(published(*ANES)) == StatedRelease()


def test_anesthesia_factors_at_full_size() -> None:
    rows = rows_of(ALL, full_size("mpfs/ANES2025.csv"))
    assert [type(row) for row in rows] == [Anesthesia] * 110
    assert rows[0].factor == Decimal("20.3178")
    assert len({row.locality for row in rows}) == 110


CAPS = [
    "HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILTY PRICE",
    "X0001,TC,C,09999,05,150.69,151.70",
    "X0001,,A,09999,05,15,16.5",
    ",,,,,,",
]


def test_of_a_cap_the_facility_price_comes_first() -> None:
    first, second = rows_of(ALL, published(*CAPS))
    price = (Decimal("150.69"), Decimal("151.70"))
    assert first == OppsCap("X0001", "TC", "C", "09999-05", *price, None, None, "CMS outpatient caps on imaging prices")
    assert (second.component, second.facility, second.non_facility) == ("", 15, Decimal("16.5"))


def test_the_header_of_caps_may_be_spelled_right() -> None:
    header = CAPS[0].replace("FACILTY", "FACILITY")
    assert rows_of(ALL, published(header, *CAPS[1:])) == rows_of(ALL, published(*CAPS))


def test_caps_at_full_size() -> None:
    rows = rows_of(ALL, full_size("mpfs/OPPSCAP_Oct.csv.xz"))
    assert Counter(map(type, rows)) == {OppsCap: 16_100}
    assert len({(row.code, row.component, row.locality) for row in rows}) == 16_100
    assert not any(row.code.startswith("7708") for row in rows)


COUNTIES = [
    "COUNTIES INCLUDED IN 2025 LOCALITIES. (ALPHABETICALLY BY STATE),,,,",
    ",,,,",
    "Medicare Adminstrative Contractor,Locality Number,State ,Fee Schedule Area ,Counties",
    ",,,,",
    "9999,0,SOMEWHERE ,STATEWIDE ,ALL COUNTIES ",
    " , , , , ",
    '1999,9,ELSEWHERE,HERE*,"THIS, THAT"',
    "11999,99, ,REST OF STATE ,ALL OTHER COUNTIES ",
    "11999,99,,REST OF STATE*,ALL OTHER COUNTIES",
    ",,,,",
    "*  Payment locality is serviced by two carriers.,,,,",
]


def test_counties_get_their_zeros_and_their_state_back() -> None:
    origin = "CMS counties of localities 2025"
    assert rows_of(ALL, published(*COUNTIES)) == [
        LocalityCounty("09999-00", "SOMEWHERE", "STATEWIDE", "ALL COUNTIES", None, None, origin),
        LocalityCounty("01999-09", "ELSEWHERE", "HERE", "THIS, THAT", None, None, origin),
        LocalityCounty("11999-99", "ELSEWHERE", "REST OF STATE", "ALL OTHER COUNTIES", None, None, origin),
    ]
    assert localities.stated_of_counties(published(*COUNTIES)).name == "2025"


def test_a_state_that_is_blank_from_the_start_is_a_bad_row() -> None:
    (row,) = rows_of(ALL, published(*COUNTIES[:3], COUNTIES[7]))
    assert (row.line, row.column) == (4, "State")


def test_counties_at_full_size_name_localities_that_have_indices() -> None:
    rows = rows_of(ALL, full_size("mpfs/25LOCCO.csv"))
    assert {type(row) for row in rows} == {LocalityCounty}
    assert len({(row.locality, row.state) for row in rows}) == len(rows)
    with_indices = {row.locality for row in rows_of(ALL, full_size("mpfs/GPCI2025.csv"))}
    assert len(rows) > 100
    assert {row.locality for row in rows} <= with_indices


def zip5(zip_code: str, locality: str = "00", flag: str = "0", quarter: str = "20254", state: str = "ZZ") -> str:
    return f"{state}{zip_code}09999{locality}R 9R  {flag} A".ljust(75) + quarter


def zip9(zip_code: str, locality: str = "00", flag: str = "1", quarter: str = "20254") -> str:
    return f"ZZ{zip_code[:5]}09999{locality}R     {flag}{zip_code[5:]}      A".ljust(75) + quarter


def test_a_zip_code_has_a_locality_though_it_may_need_four_digits_more() -> None:
    source = published(zip5("00501"), zip5("00502", "01", "1"))
    origin = "CMS ZIP5 carrier-locality file 2025Q4"
    assert rows_of(ALL, source) == [
        ZipLocality("00501", "00501", "09999", "09999-00", "ZZ", False, None, None, origin),
        ZipLocality("00502", "00502", "09999", "09999-01", "ZZ", True, None, None, origin),
    ]
    assert reader_of(ALL, source).stated(source) == StatedRelease("2025Q4", date(2025, 10, 1), date(2026, 1, 1))
    assert localities.stated_of_zips(published(zip5("00501", quarter="20261"))).until == date(2026, 4, 1)


def test_nine_digit_zip_codes_that_follow_one_another_are_one_row() -> None:
    codes = [("005020001", "00"), ("005020002", "00"), ("005020003", "01"), ("005020005", "01"), ("005030006", "01")]
    rows = rows_of(ALL, published(*(zip9(*each) for each in codes)))
    assert [(row.zip_from, row.zip_to, row.locality[-2:]) for row in rows] == [
        ("005020001", "005020002", "00"),
        ("005020003", "005020003", "01"),
        ("005020005", "005020005", "01"),
        ("005030006", "005030006", "01"),
    ]


def test_the_longer_zip_code_decides(tmp_path: Path) -> None:
    five = rows_of(ALL, published(zip5("00502", "07", "1")))[0]
    nine = rows_of(ALL, published(zip9("005020001", "08"), zip9("005020002", "08"), zip9("005020003", "09")))
    loaded = open_reference(str(typed_folder(tmp_path, {"zip-locality": [five, *nine]})))
    day = date(2025, 11, 1)
    asked = ["005020001", "005020002", "005020003", "005020004", "00502", "00503", "005030001"]
    found = {each: loaded.locality_of_zip(each, day) for each in asked}
    told = {each: row and row.locality[-2:] for each, row in found.items()}
    assert told == dict(zip(asked, ["08", "08", "09", "07", "07", None, None], strict=True))


def test_five_digits_of_several_localities_are_certain_only_where_nine_agree(tmp_path: Path) -> None:
    fives = rows_of(ALL, published(zip5("00501", "07", "1"), zip5("00502", "07", "1"), zip5("00503", "07", "1")))
    nines = rows_of(ALL, published(zip9("005020001", "08"), zip9("005020005", "08"), zip9("005030001", "08"),
                                   zip9("005030002", "09")))  # fmt: skip
    loaded = open_reference(str(typed_folder(tmp_path, {"zip-locality": [*fives, *nines]})))
    asked = ["00501", "00502", "00503", "005019999", "005030002", "005039999"]
    found = [loaded.locality_of_zip(each, date(2025, 11, 1)) for each in asked]
    told = [(row.locality[-2:], row.nine_digits_decide) for row in found if row]
    assert told == [("07", True), ("08", False), ("07", True), ("07", True), ("09", False), ("07", True)]


def test_the_contractor_is_not_known_by_five_digits_of_several_localities() -> None:
    def found(zip_code: str, state: str | None) -> str | None:
        return contractor(zip_code, state, date(2025, 11, 1), open_reference(None))

    assert found("35959", None) == "10112"
    assert found("35958", None) is None
    assert found("35958", "AL") == "10112"  # where the service was furnished, says its address


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        (zip5("0050A"), "Zip Code"),
        (zip5("00501", flag="2"), "Plus Four Flag"),
        (zip5("00501", "0 "), "Pricing Locality"),
        (zip5("00501", state="zz"), "State"),
        (zip5("00501", quarter="20261"), "Year/Quarter"),
        (zip5("00501")[:-1], None),
        (zip5("00501") + " ", None),
    ],
)
def test_a_broken_zip_row_is_told_by_line_and_column(broken: str, column: str | None) -> None:
    rows = rows_of(ALL, published(zip5("00500"), broken, zip5("00502")))
    assert [type(row) for row in rows] == [ZipLocality, BadRow, ZipLocality]
    assert (rows[1].line, rows[1].column) == (2, column)


def test_a_quarter_that_is_none_is_told() -> None:
    rows = rows_of(ALL, published(zip5("00500", quarter="20255"), zip5("00501", quarter="20254")))
    assert [row.column for row in rows if isinstance(row, BadRow)] == ["Year/Quarter", "Year/Quarter"]


def test_zip_codes_at_full_size() -> None:
    source = full_size("zip/ZIP5_OCT2025.txt.xz")
    rows = rows_of(ALL, source)
    assert Counter(map(type, rows)) == {ZipLocality: 42_956}
    assert localities.stated_of_zips(source).name == "2025Q4"
    assert len({row.zip_from for row in rows}) == 42_956
    assert sum(row.nine_digits_decide for row in rows) == 580
    manhattan = next(row for row in rows if row[0] == "10001")
    assert (manhattan.locality, manhattan.state) == ("13202-01", "NY")


SAMPLES = [
    published(*GPCI_2025, *GPCI_NOTES),
    published(*ANES),
    published(*CAPS),
    published(*COUNTIES),
    published(zip5("00501"), zip5("00502", flag="1")),
    published(zip9("005020001"), zip9("005020002")),
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_other_format_takes_the_file_for_its_own(sample: Published) -> None:
    assert reader_of(ALL, sample)


@given(st.sampled_from(SAMPLES), st.binary(max_size=400), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(ALL, Published(garbage))
    reads_or_refuses(ALL, Published(sample.content[:at] + garbage + sample.content[at:]))
    reads_or_refuses(ALL, Published(sample.content[:at]))
