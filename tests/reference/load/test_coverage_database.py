"""The Medicare Coverage Database's csv exports, table by table."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.errors import Faults
from scrubber.reference.coverage_rows import (
    ArticleContractor,
    ArticleDiagnosis,
    ArticleGroup,
    ArticleList,
    ArticlePolicy,
    ArticleProcedure,
    ContractorRegion,
    CoverageArticle,
    CoverageContractor,
    CoveragePolicy,
    CoverageRegion,
)
from scrubber.reference.load.coverage_database import (
    BLANK_PARAGRAPHS,
    FORMATS,
    NAMING_WORDS,
    OF_EXCLUDED,
    SOURCE,
    read_paragraph,
)
from scrubber.reference.load.format import BadRow
from tests.support.coverage_export import HEADERS, table_bytes
from tests.support.published import Published, published, reader_of, reads_or_refuses, rows_of

VERSION = {"article_id": "90001", "article_version": "7"}
KEY = {"contractor_id": "268", "contractor_type_id": "12", "contractor_version": "3"}
UNDATED = (None, None, SOURCE)


def table(name: str, *rows: dict[str, str]) -> Published:
    """A table as the database exports it, web pages in cells."""
    assert not {key for row in rows for key in row} - set(HEADERS[name])
    return Published(table_bytes(name, rows), f"current_article.zip!{name}.csv")


def rows(name: str, *cells: dict[str, str]) -> list[Any]:
    return rows_of(FORMATS, table(name, *cells))


def test_an_article_has_days_and_no_web_page() -> None:
    page = '<p>Line one "quoted",\n\nand more, é</p>' * 5_000
    found = rows(
        "article",
        VERSION | {"title": "Bone test", "article_eff_date": "2019-09-26 00:00:00", "status": "A", "description": page},
        VERSION | {"article_eff_date": "01/02/2020", "article_end_date": "12/31/2021", "date_retired": "2022-05-01",
                   "title": "Old one", "status": "R"},
        VERSION | {"title": "A draft", "article_eff_date": "2030-01-01", "status": "P"},
        VERSION | {"title": "Never", "article_eff_date": "2020-01-01", "article_end_date": "2019-12-31", "status": "R"},
    )  # fmt: skip
    assert found == [
        CoverageArticle("A90001", "7", "Bone test", False, date(2019, 9, 26), None, SOURCE),
        CoverageArticle("A90001", "7", "Old one", True, date(2020, 1, 2), date(2022, 1, 1), SOURCE),
    ]


def test_a_policy_begins_with_its_revision() -> None:
    version = {"lcd_id": "90002", "lcd_version": "1", "title": "Bone test", "status": "A"}
    dates = {"orig_det_eff_date": "2016-02-01", "rev_eff_date": "2024-01-04", "rev_end_date": "2025-06-30"}
    assert rows("lcd", version | dates) == [
        CoveragePolicy("L90002", "1", "Bone test", False, date(2024, 1, 4), date(2025, 7, 1), SOURCE)
    ]


def test_procedures_without_descriptors() -> None:
    found = rows(
        "article_x_hcpc_code",
        VERSION | {"hcpc_code_id": "77080", "hcpc_code_group": "1", "long_description": "dropped"},
        VERSION | {"hcpc_code_id": "G0130", "hcpc_code_group": "2"},
        VERSION | {"hcpc_code_id": "XX000", "hcpc_code_group": "3"},
    )
    assert found == [
        ArticleProcedure("A90001", "7", "77080", "1", *UNDATED),
        ArticleProcedure("A90001", "7", "G0130", "2", *UNDATED),
    ]


def test_diagnoses_by_group_and_test() -> None:
    found = rows(
        "article_x_icd10_covered",
        VERSION | {"icd10_code_id": "M81.0 ", "icd10_covered_group": "1", "description": "dropped", "asterisk": "N"},
        VERSION | {"icd10_code_id": "Z78.0", "icd10_covered_group": "2", "asterisk": "Y"},
        VERSION | {"icd10_code_id": "XX000", "icd10_covered_group": "3"},
    )
    assert found == [
        ArticleList("A90001", "7", "covered", *UNDATED),
        ArticleDiagnosis("A90001", "7", "covered", "1", "M810", False, *UNDATED),
        ArticleDiagnosis("A90001", "7", "covered", "2", "Z780", True, *UNDATED),
    ]
    excluded = VERSION | {"icd10_code_id": "M85.80", "icd10_noncovered_group": "1"}
    assert rows("article_x_icd10_noncovered", excluded) == [
        ArticleList("A90001", "7", "excluded", *UNDATED),
        ArticleDiagnosis("A90001", "7", "excluded", "1", "M8580", False, *UNDATED),
    ]


GROUPS = (
    ("article_x_hcpc_code_group", "hcpc_code_group", "procedure"),
    ("article_x_icd10_covered_group", "icd10_covered_group", "covered"),
    ("article_x_icd10_noncovered_group", "icd10_noncovered_group", "excluded"),
)


def group_of(test: str, paragraph: str) -> ArticleGroup:
    """Group 2 of an article, with this paragraph."""
    [(name, column)] = [(name, column) for name, column, each in GROUPS if each == test]
    [found] = rows(name, VERSION | {column: "2", "paragraph": paragraph})
    assert isinstance(found, ArticleGroup)
    assert found == ArticleGroup("A90001", "7", test, "2", found.worded, found.names, *UNDATED)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("", ""),
        ("<p>&nbsp;</p>", ""),
        ("<p>N/A.</p>", ""),
        ("Group 2 Paragraph:", ""),
        ("<p>Group 2 Codes:</p>", ""),
        ("The following ICD-10-CM codes:", ""),
        ("<p>For <b>77080</b>,\n77078 or G0130; 77080.</p>", "77080 77078 G0130"),
        ("Codes 77080&#8211;77081 and 77085 through 77086, 0554T-0557T", "77080-77081 77085-77086 0554T-0557T"),
    ],
)
def test_a_paragraph_that_only_names_is_no_condition(paragraph: str, names: str) -> None:
    for test in ("procedure", "covered", "excluded"):
        assert group_of(test, paragraph)[4:6] == (False, names)


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("The following ICD-10-CM codes support medical necessity for CPT code 77080:", "77080"),
        ("<p>ICD-10 Codes that Support Medical Necessity</p>", ""),
        ("These are the ICD-10 diagnosis codes that support medical necessity for HCPCS code(s) G0130", "G0130"),
        ("ICD-10-CM codes that support medical necessity for CPT/HCPCS codes listed in Group 1.", "group-1"),
        ("Group 1 CPT codes are covered for the following diagnoses.", "group-1"),
        ("Group 2: the following support medical necessity for CPT and HCPCS codes in Group 1", "group-1"),
    ],
)
def test_a_list_of_covered_diagnoses_may_be_for_some_procedures(paragraph: str, names: str) -> None:
    assert group_of("covered", paragraph)[4:6] == (False, names)


def test_a_list_of_excluded_diagnoses_says_that_it_excludes() -> None:
    denies = "The following ICD-10-CM codes do not support medical necessity for CPT code 77080."
    assert group_of("excluded", denies)[4:6] == (False, "77080")
    assert group_of("excluded", "Non-covered diagnosis codes for 77080:")[4:6] == (False, "77080")
    assert group_of("excluded", denies.replace("do not ", "")).worded
    assert group_of("covered", denies).worded


@pytest.mark.parametrize(
    "paragraph",
    [
        "Use with 77080 and 77078.",
        "A code of group 1 and one of group 2 must be billed.",
        "Codes of group 1 and of group 2",
        "All of the following ICD-10-CM codes",
        "Group 1 Codes:",
        "The following codes support medical necessity for 77080 when the patient is a woman",
        "The following codes support medical necessity for 77080 if M81.0 is listed",
        "The following codes* support medical necessity for 77080",
        "Secondary diagnosis codes for 77080",
        "Codes 77086-77080",
        "Codes 0554T-05570",
        "See the policy",
        "77080 twice in 2 years",
    ],
)
@pytest.mark.parametrize("test", ["procedure", "covered", "excluded"])
def test_any_other_word_is_a_condition(paragraph: str, test: str) -> None:
    assert group_of(test, paragraph).worded


@given(st.text(max_size=40), st.sampled_from(sorted(NAMING_WORDS)))
def test_a_paragraph_with_a_foreign_word_is_never_a_list(foreign: str, word: str) -> None:
    letters = "".join(each for each in foreign if each.isalpha())
    if letters.lower() not in OF_EXCLUDED and letters.upper() not in BLANK_PARAGRAPHS:
        assert read_paragraph(f"The {word} {letters} codes", "covered", "1").worded


def test_whose_article_it_is_and_where() -> None:
    assert rows("article_x_contractor", VERSION | KEY) == [ArticleContractor("A90001", "7", "268-12-3", *UNDATED)]
    assert rows("contractor", KEY | {"contractor_bus_name": "Some, Inc.", "contractor_number": "15102"}, KEY) == [
        CoverageContractor("268-12-3", "15102", "Some, Inc.", *UNDATED)
    ]
    regions = rows(
        "contractor_jurisdiction",
        KEY | {"state_id": "42", "active_date": "2015-10-01"},
        KEY | {"state_id": "43", "active_date": "2015-10-01", "term_date": "2018-06-30"},
    )
    assert regions == [
        ContractorRegion("268-12-3", "42", date(2015, 10, 1), None, SOURCE),
        ContractorRegion("268-12-3", "43", date(2015, 10, 1), date(2018, 7, 1), SOURCE),
    ]
    assert rows("state_lookup", {"state_id": "42", "state_abbrev": "DN"}) == [CoverageRegion("42", "DN", *UNDATED)]


def test_which_policy_an_article_goes_with() -> None:
    related = rows("article_related_documents", VERSION | {"r_lcd_id": "90002"}, VERSION | {"r_article_id": "90003"})
    assert related == [ArticlePolicy("A90001", "7", "L90002", *UNDATED)]


@pytest.mark.parametrize("name", HEADERS)
def test_each_table_is_recognised_as_itself_only(name: str) -> None:
    assert reader_of(FORMATS, table(name)).title == f"Medicare Coverage Database table {name}"


def test_other_tables_of_an_export_and_one_without_a_header_are_passed_over() -> None:
    for line in ("article_id,article_version,bill_code_id", "lcd_id,lcd_version,hcpc_code_id", "33252,40,A letter"):
        assert not any(each.recognise(published(line).content) for each in FORMATS)


@pytest.mark.parametrize("name", HEADERS)
def test_a_changed_header_is_refused(name: str) -> None:
    source = table(name)
    changed = Published(source.content.replace(b"\r\n", b',"new"\r\n'))
    with pytest.raises(Faults, match="unknown column 'new'"):
        rows_of(FORMATS, changed)


@pytest.mark.parametrize(
    ("name", "cells", "column"),
    [
        ("article", VERSION | {"article_version": "x", "status": "A"}, "article_version"),
        ("article", VERSION | {"article_eff_date": "2024-02-30", "status": "A"}, "article_eff_date"),
        ("article_x_hcpc_code", VERSION | {"hcpc_code_id": "7708", "hcpc_code_group": "1"}, "hcpc_code_id"),
        ("article_x_icd10_covered", VERSION | {"icd10_code_id": "m81", "icd10_covered_group": "1"}, "icd10_code_id"),
        ("article_x_icd10_covered", VERSION | {"icd10_code_id": "M81"}, "icd10_covered_group"),
        ("contractor_jurisdiction", KEY | {"state_id": "42", "term_date": "soon"}, "term_date"),
        ("lcd", {"lcd_id": "L1", "lcd_version": "1", "status": "A"}, "lcd_id"),
    ],
)
def test_a_broken_row_is_told_by_line_and_column(name: str, cells: dict[str, str], column: str) -> None:
    (bad,) = rows(name, cells)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.column) == (2, column)


def test_lines_are_those_of_the_file_though_cells_have_several() -> None:
    page = VERSION | {"status": "A", "description": "one\ntwo\nthree"}
    broken = VERSION | {"article_id": "", "status": "A"}
    assert [row.line for row in rows("article", page, broken, page, broken) if isinstance(row, BadRow)] == [5, 9]


def test_a_quote_that_is_never_closed_is_told() -> None:
    source = table("state_lookup", {"state_id": "1", "state_abbrev": "AL"})
    found = rows_of(FORMATS, Published(source.content + b'"2","AK\r\n"3"'))
    assert [type(row) for row in found] == [CoverageRegion, BadRow]


SAMPLES = [table("state_lookup", {"state_id": "1", "state_abbrev": "AL"}), table("article", VERSION | {"status": "A"})]


@given(st.sampled_from(SAMPLES), st.binary(max_size=300), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(FORMATS, Published(garbage))
    reads_or_refuses(FORMATS, Published(sample.content[:at] + garbage + sample.content[at:]))
