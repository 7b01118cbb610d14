"""ICD-10-CM: code list, order file, and the notes of the tabular list."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.errors import Faults
from scrubber.reference.load.format import BadRow, StatedRelease
from scrubber.reference.load.icd10cm import FORMATS, mentions
from scrubber.reference.rows import BillableDiagnosis, DiagnosisHeader, DiagnosisNote
from tests.support.published import Published, full_size, published, reader_of, reads_or_refuses, rows_of

CODES = published("Z780    Words that are dropped", "M8008XA Words", "M8008XD Words", "M810    ", "QA000")
ORDER = published(
    f"{'00001 M80     0 Short':<77}Long words",
    f"{'00002 M80.08XA 1 Short':<77}Long words".replace("M80.08XA", "M8008XA"),
    f"{'00003 M810    1 Short':<77}Long words",
)
TABULAR = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular><version>2026</version>
<chapter><name>13</name><desc>A chapter (M00-M99)</desc>
 <excludes2><note>certain conditions (P04-P96)</note></excludes2>
 <section id="M80-M85"><desc>A block (M80-M85)</desc>
  <excludes1><note>a condition of the block (Q78.0)</note></excludes1>
  <diag><name>M80</name><desc>First category</desc>
   <excludes1><note>one thing (M48.5-)</note><note>no code named</note></excludes1>
   <useAdditionalCode><note>code, if applicable, to identify more (M89.7-)</note></useAdditionalCode>
   <sevenChrNote><note>The 7th character is to be added</note></sevenChrNote>
   <sevenChrDef><extension char="A">first</extension><extension char="D">later</extension></sevenChrDef>
   <diag><name>M80.0</name><desc>Below it</desc><codeAlso><note>another (Z87.310)</note></codeAlso></diag>
  </diag>
  <diag><name>M90</name><desc>Something in diseases classified elsewhere</desc>
   <codeFirst><note>underlying disease, such as:</note>
    <note>this (E85.-)</note><note>or these (E15-E16)</note></codeFirst>
  </diag>
  <diag><name>M91</name><desc>Something</desc>
   <codeFirst><note>underlying disease, if known</note></codeFirst>
  </diag>
 </section>
</chapter>
<chapter><name>15</name><desc>Another (O00-O9A)</desc>
 <notes><note>CODES FROM THIS CHAPTER ARE FOR USE ONLY ON MATERNAL RECORDS, NEVER ON NEWBORN RECORDS</note></notes>
 <section id="O00-O08"><desc>A block (O00-O08)</desc><diag><name>O00</name><desc>Something</desc></diag></section>
</chapter>
<chapter><name>20</name><desc>Causes (V00-Y99)</desc>
 <section id="Y00-Y09"><desc>A block</desc><diag><name>Y07</name><desc>Male partner</desc></diag></section>
</chapter>
<chapter><name>21</name><desc>Factors (Z00-Z99)</desc>
 <section id="Z00-Z99"><desc>A block</desc>
  <diag><name>N41</name><desc>Something of male organs</desc></diag>
  <diag><name>N95</name><desc>Menopausal disorders</desc></diag>
  <diag><name>N96</name><desc>Male and female things</desc></diag>
  <diag><name>Z68</name><desc>An index</desc>
   <notes><note>BMI adult codes are for use for persons 20 years of age or older</note>
    <note>BMI pediatric codes are for use for persons 2-19 years of age.</note></notes>
   <diag><name>Z68.1</name><desc>An index, adult</desc></diag>
   <diag><name>Z68.5</name><desc>An index pediatric</desc></diag>
  </diag>
 </section>
</chapter>
</ICD10CM.tabular>
"""
XML = Published(TABULAR.encode())


def notes_of(rows: list[Any], code: str) -> list[tuple[Any, ...]]:
    return [(row.kind, row.other, row.through, row.conditional) for row in rows if row.code == code]


def test_codes_are_billable_and_what_they_begin_with_is_not() -> None:
    rows = rows_of(FORMATS, CODES)
    assert [row.code for row in rows if isinstance(row, BillableDiagnosis)] == [
        "Z780",
        "M8008XA",
        "M8008XD",
        "M810",
        "QA000",
    ]
    headers = [row.code for row in rows if isinstance(row, DiagnosisHeader)]
    assert headers == ["Z78", "M80", "M800", "M8008", "M8008X", "M81", "QA0", "QA00"]


def test_the_order_file_tells_headers_by_its_flag() -> None:
    rows = rows_of(FORMATS, ORDER)
    assert [(type(row), row.code) for row in rows] == [
        (DiagnosisHeader, "M80"), (BillableDiagnosis, "M8008XA"), (BillableDiagnosis, "M810"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        (published("M810    x", "m811    x"), 2, "code"),
        (published("M810    x", "M8112345x"), 2, "code"),
        (published("00001 M810    1 x", "00002 M811    7 x"), 2, "valid flag"),
        (published("00001 M810    1 x", "00002 M8.1    1 x"), 2, "code"),
        (published("00001 M810    1 x", "00002"), 2, "code"),
    ],
)
def test_a_broken_line_is_told_by_line_and_column(source: Published, line: int, column: str) -> None:
    whole = Published(source.content.splitlines(keepends=True)[0])
    (bad,) = [row for row in reader_of(FORMATS, whole).read(source) if isinstance(row, BadRow)]
    assert (bad.line, bad.column) == (line, column)


@pytest.mark.parametrize(
    ("name", "content", "release"),
    [
        ("icd10cm_codes_2026.txt", CODES, StatedRelease("FY2026", date(2025, 10, 1), date(2026, 10, 1))),
        ("2026.zip!x/icd10cm-order-2027.txt", ORDER, StatedRelease("FY2027", date(2026, 10, 1), date(2027, 10, 1))),
        ("icd10cm-codes-April-1-2026.txt", CODES, StatedRelease("FY2026-April", date(2026, 4, 1), date(2026, 10, 1))),
        ("codes.txt", CODES, StatedRelease()),
        ("tabular.xml", XML, StatedRelease("FY2026", date(2025, 10, 1), date(2026, 10, 1))),
        ("icd10c-tabular-April-1-2026.xml", XML, StatedRelease("FY2026-April", date(2026, 4, 1), date(2026, 10, 1))),
    ],
)
def test_the_fiscal_year_is_in_the_name_and_in_the_list(name: str, content: Published, release: StatedRelease) -> None:
    source = content._replace(name=name)
    assert reader_of(FORMATS, source).stated(source) == release


def test_notes_stand_at_the_code_that_they_hold_for() -> None:
    rows = rows_of(FORMATS, XML)
    assert {type(row) for row in rows} == {DiagnosisNote}
    assert notes_of(rows, "M80") == [
        ("excludes2", "P04", "P96", False),
        ("excludes1", "Q780", None, False),
        ("excludes1", "M485", None, False),
        ("use-additional", "M897", None, True),
        ("seventh-character", "A", None, False),
        ("seventh-character", "D", None, False),
    ]
    assert notes_of(rows, "M800") == [("code-also", "Z87310", None, False)]


def test_code_first_holds_always_or_only_if() -> None:
    rows = rows_of(FORMATS, XML)
    always = [note for note in notes_of(rows, "M90") if note[0] == "code-first"]
    assert always == [("code-first", "E85", None, False), ("code-first", "E15", "E16", False)]
    assert notes_of(rows, "M91")[-1] == ("code-first", None, None, True)


def test_sex_and_age_are_kept_where_the_list_states_them() -> None:
    rows = rows_of(FORMATS, XML)
    sexes = {row.code: row.other for row in rows if row.kind == "sex"}
    assert sexes == {"O00": "female", "N41": "male", "N95": "female"}
    ages = {row.code: (row.other, row.through) for row in rows if row.kind == "age"}
    assert ages == {"Z681": ("20", None), "Z685": ("2", "19")}


@pytest.mark.parametrize(
    ("note", "named"),
    [
        ("tuberculosis of any type in A15 (J65)", [("J65", None, False)]),
        ("infections (A04.0-A04.4, A05.-)", [("A040", "A044", False), ("A05", None, False)]),
        ("injuries (S06.1- to S06.6-)", [("S061", "S066", False)]),
        ("apnea (adult) (pediatric) (G47.33)", [("G4733", None, False)]),
        ("drugs (T36-T50 with fifth or sixth character 5)", [("T36", "T50", True)]),
        ("loss as classified in H90.-", [("H90", None, False)]),
        ("see categories E08-E10, E11 with ketoacidosis", [("E08", "E10", True), ("E11", None, True)]),
        ("vitamin B12 deficiency anemia", []),
        ("influenza A/H1N1 (J10.-) or (J11)", [("J10", None, False), ("J11", None, False)]),
    ],
)
def test_codes_in_the_words_of_a_note(note: str, named: list[tuple[str, str | None, bool]]) -> None:
    assert list(mentions(note)) == named


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + TABULAR.split("\n", 1)[1], "document type"),
        (TABULAR[:700], "no well-formed XML"),
        ("<ICD10CM.tabular>" + "<diag>" * 40, "deep"),
        ("<ICD10CM.tabular><note>" + "a " * 40_000 + "</note></ICD10CM.tabular>", "text of over"),
    ],
)
def test_unsafe_and_broken_xml_is_refused(content: str, word: str) -> None:
    source = Published(content.encode())
    with pytest.raises(Faults) as refused:
        rows_of(FORMATS, source)
    (fault,) = refused.value.faults
    assert word in fault.message
    assert fault.file == "file"


def test_a_name_that_is_no_code_is_told_and_its_notes_are_dropped() -> None:
    rows = rows_of(FORMATS, Published(TABULAR.replace("<name>M90<", "<name>90<").encode()))
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    assert bad.column == "name"
    assert TABULAR.splitlines()[bad.line - 1].strip().startswith("<diag><name>M90")
    assert not [row for row in rows if isinstance(row, DiagnosisNote) and not row.code]


def test_each_file_is_recognised_as_itself_only() -> None:
    titles = [reader_of(FORMATS, source).title for source in (CODES, ORDER, XML)]
    assert titles == [each.title for each in FORMATS]


def test_codes_at_full_size() -> None:
    rows = rows_of(FORMATS, full_size("icd10cm/icd10cm_codes_2026.txt.xz"))
    assert Counter(type(row) for row in rows) == {BillableDiagnosis: 74_719, DiagnosisHeader: 28_020}
    billable = {row.code for row in rows if isinstance(row, BillableDiagnosis)}
    headers = {row.code for row in rows if isinstance(row, DiagnosisHeader)}
    assert len(billable) == 74_719
    assert len(headers) == 28_020
    assert not billable & headers
    assert {"M810", "Z780", "M8000XA"} <= billable
    assert {"M81", "M80", "M800", "M8000"} <= headers


def test_the_published_order_layout() -> None:
    rows = rows_of(FORMATS, full_size("icd10cm/icd10cm_order_2026.excerpt.txt"))
    assert [row.code for row in rows if isinstance(row, DiagnosisHeader)][:4] == ["A00", "A010", "M54", "M545"]
    assert {"A000", "A0472", "M5451"} <= {row.code for row in rows if isinstance(row, BillableDiagnosis)}


@given(st.sampled_from([CODES, ORDER, XML]), st.binary(max_size=300), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(FORMATS, Published(garbage))
    reads_or_refuses(FORMATS, Published(sample.content[:at] + garbage + sample.content[at:]))
