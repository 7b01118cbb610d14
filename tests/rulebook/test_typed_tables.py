"""Tables that a pack declares itself: which rows answer for which values on a day, and what a wrong cell is told."""

from __future__ import annotations

import pickle
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.errors import Faults
from scrubber.rulebook.history import archive, open_archived
from scrubber.rulebook.load import digest, load_rulebook
from scrubber.rulebook.table_index import fits
from scrubber.rulebook.typed_table import TypedTable, names_of_payer
from tests.support.own_tables import folder_with, table_of
from tests.support.rule_folders import put

DAY = date(2024, 8, 14).toordinal()
SOURCE = "source: sample"


def found(table: TypedTable, **keys: Any) -> list[dict[str, Any]]:
    """The rows that answer, as their values without those of blank cells."""
    rows = table.find(keys, DAY)
    return [{name: value for name, value in row.values.items() if value is not None} for row in rows]


def lines(table: TypedTable, day: int | None = DAY, **keys: Any) -> list[int]:
    """The lines of the file with the rows that answer."""
    return [row.line for row in table.find(keys, day)]


# ---- the tables that a rule author is handed with the sentences

FILING_LIMITS = """\
keys: {payer: payer, frequency: x12-code}
columns: {amount: number, counted: {words: [days, years]}}
source: sample
"""
FILING_ROWS = """\
payer,frequency,amount,counted
COMMERCIAL-SAMPLE,1,90,days
COMMERCIAL-SAMPLE,7,180,days
COMMERCIAL-SAMPLE,8,180,days
original-medicare,1,1,years
"""


def test_a_filing_limit_is_found_by_payer_and_frequency(tmp_path: Path) -> None:
    table = table_of(tmp_path, "about: Limits.\n" + FILING_LIMITS, FILING_ROWS)
    assert found(table, payer="COMMERCIAL-SAMPLE", frequency="7") == [
        {"payer": "COMMERCIAL-SAMPLE", "frequency": "7", "amount": 180, "counted": "days"}
    ]
    assert found(table, payer=names_of_payer(None, "original-medicare"), frequency="1") == [
        {"payer": "original-medicare", "frequency": "1", "amount": 1, "counted": "years"}
    ]
    assert found(table, payer=names_of_payer(None, "original-medicare"), frequency="7") == []
    assert found(table, payer="OTHER-SAMPLE", frequency="1") == []


def test_a_line_of_business_is_less_specific_than_a_payer(tmp_path: Path) -> None:
    rows = "payer,amount\ncommercial,365\nCOMMERCIAL-SAMPLE,90\n"
    declared = "about: Limits.\nkeys: {payer: payer}\ncolumns: {amount: number}\nsource: sample\n"
    table = table_of(tmp_path, declared, rows)
    assert lines(table, payer=names_of_payer("COMMERCIAL-SAMPLE", "commercial")) == [3]
    assert lines(table, payer=names_of_payer("OTHER-SAMPLE", "commercial")) == [2]
    assert lines(table, payer=names_of_payer(None, "unknown")) == []


TELEHEALTH = """\
about: Where and how a payer takes telehealth.
keys: {payer: payer, place: place, modifier: {type: modifier, among: ["93", "95", GT]}}
source: sample
"""
TELEHEALTH_ROWS = """\
payer,place,modifier,since,until
COMMERCIAL-SAMPLE,02,95,2023-01-01,
COMMERCIAL-SAMPLE,10,95,2023-01-01,
COMMERCIAL-SAMPLE,11,95,2020-03-01,2023-01-01
original-medicare,02,none,2024-01-01,
original-medicare,10,none,2024-01-01,
original-medicare,11,95,2020-03-01,2024-01-01
"""


@pytest.mark.parametrize(
    ("payer", "place", "modifiers", "day", "expected"),
    [
        ("COMMERCIAL-SAMPLE", "02", ("95",), DAY, [2]),
        ("COMMERCIAL-SAMPLE", "11", ("95",), DAY, []),  # ended
        ("COMMERCIAL-SAMPLE", "11", ("95",), date(2022, 12, 31).toordinal(), [4]),
        ("COMMERCIAL-SAMPLE", "11", ("95",), date(2023, 1, 1).toordinal(), []),
        ("COMMERCIAL-SAMPLE", "10", (), DAY, []),  # wants a modifier
        ("original-medicare", "02", (), DAY, [5]),
        ("original-medicare", "02", ("25",), DAY, [5]),  # of which the key does not speak
        ("original-medicare", "02", ("25", "93"), DAY, []),
    ],
)
def test_none_is_a_line_without_the_modifiers_of_the_key(
    tmp_path: Path, payer: str, place: str, modifiers: tuple[str, ...], day: int, expected: list[int]
) -> None:
    table = table_of(tmp_path, TELEHEALTH, TELEHEALTH_ROWS)
    assert lines(table, day, payer=payer, place=place, modifier=modifiers) == expected


@pytest.mark.parametrize(
    ("declared", "rows", "keys", "expected"),
    [
        (
            "keys: {code: procedure}\ncolumns: {units_in_smallest_vial: decimal}",
            "code,units_in_smallest_vial,since,until\nJ9035,10,2005-01-01,\nJ0878,350,2005-01-01,\n",
            {"code": "J0878"},
            [{"code": "J0878", "units_in_smallest_vial": 350_000_000}],
        ),
        (
            "keys: {year: number}\ncolumns: {amount: amount}",
            "year,amount\n2023,2230.00\n2024,2330.00\n2025,2410.00\n",
            {"year": 2024},
            [{"year": 2024, "amount": 233_000}],
        ),
        (
            "keys: {code: procedure, earlier_code: procedure}\ncolumns: {full_months: number}",
            "code,earlier_code,full_months\nG0121,G0121,119\nG0121,G0104,47\nG0105,G0104,47\n",
            {"code": "G0121", "earlier_code": "G0104"},
            [{"code": "G0121", "earlier_code": "G0104", "full_months": 47}],
        ),
        (
            "keys: {panel: procedure}\ncolumns: {component: procedure}\nanswers: all",
            "panel,component\n80048,82310\n80048,82374\n80053,82310\n",
            {"panel": "80048"},
            [{"panel": "80048", "component": "82310"}, {"panel": "80048", "component": "82374"}],
        ),
        (
            "keys: {number: text}\ncolumns: {kind: {words: [waiver, compliance]}}",
            "number,kind,since,until\n06D9999991,waiver,2020-01-01,\n06D9999992,compliance,2020-01-01,\n",
            {"number": "06D9999992"},
            [{"number": "06D9999992", "kind": "compliance"}],
        ),
        (
            "keys: {payer: payer, code: {type: procedure, through: through}}",
            "payer,code,through,since,until\nCOMMERCIAL-SAMPLE,70551,70553,2022-01-01,\n",
            {"payer": "COMMERCIAL-SAMPLE", "code": "70552"},
            [{"payer": "COMMERCIAL-SAMPLE", "code": "70551", "through": "70553"}],
        ),
        (
            "keys: {day: day}",
            "day\n2024-07-04\n2024-08-14\n",
            {"day": DAY},
            [{"day": DAY}],
        ),
    ],
    ids=["vials", "thresholds", "intervals", "panels", "certificates", "authorizations", "holidays"],
)
def test_tables_of_the_sentences_answer(
    tmp_path: Path, declared: str, rows: str, keys: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    table = table_of(tmp_path, f"about: Sample.\n{declared}\n{SOURCE}\n", rows)
    assert found(table, **keys) == expected


# ---- which row wins

PRECEDENCE = """\
about: Sample.
keys: {payer: payer, contractor: contractor, procedure: {type: procedure, through: last}}
columns: {units: number}
source: sample
"""


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"payer": "COMMERCIAL-SAMPLE", "contractor": "10112", "procedure": "77080"}, 3),  # the first key decides
        ({"payer": "OTHER-SAMPLE", "contractor": "10112", "procedure": "77080"}, 4),
        ({"payer": "OTHER-SAMPLE", "contractor": None, "procedure": "77080"}, 6),  # one code before a range
        ({"payer": "OTHER-SAMPLE", "contractor": None, "procedure": "77081"}, 5),
        ({"payer": None, "contractor": None, "procedure": "99213"}, 2),
    ],
)
def test_the_most_specific_row_wins_by_the_order_of_the_keys(
    tmp_path: Path, keys: dict[str, Any], expected: int
) -> None:
    rows = """\
    payer,contractor,procedure,last,units
    ,,,,1
    COMMERCIAL-SAMPLE,,,,2
    ,10112,77080,,3
    ,,77080,77089,4
    ,,77080,,5
    """
    assert lines(table_of(tmp_path, PRECEDENCE, rows), **keys) == [expected]


def test_every_row_that_fits_is_kept_for_explanations_the_most_specific_first(tmp_path: Path) -> None:
    rows = "payer,contractor,procedure,last,units\n,,,,1\n,10112,,,2\nCOMMERCIAL-SAMPLE,,,,3\n"
    table = table_of(tmp_path, PRECEDENCE, rows)
    keys = {"payer": "COMMERCIAL-SAMPLE", "contractor": "10112", "procedure": "77080"}
    assert [row.line for row in table.fitting(keys, DAY)] == [4, 3, 2]


@pytest.mark.parametrize(
    ("diagnosis", "expected"), [("M8008XA", [4]), ("M810", [3]), ("M25", [2]), ("N20", []), ("M", [2])]
)
def test_the_longest_beginning_of_a_diagnosis_wins(tmp_path: Path, diagnosis: str, expected: list[int]) -> None:
    declared = f"about: Sample.\nkeys: {{diagnosis: diagnosis-prefix}}\ncolumns: {{word: text}}\n{SOURCE}\n"
    table = table_of(tmp_path, declared, "diagnosis,word\nM,one\nM8,two\nM800,three\n")
    assert lines(table, diagnosis=diagnosis) == expected


def test_any_of_several_diagnoses_may_fit(tmp_path: Path) -> None:
    declared = f"about: Sample.\nkeys: {{diagnosis: diagnosis-prefix}}\nanswers: all\n{SOURCE}\n"
    table = table_of(tmp_path, declared, "diagnosis\nM80\nN20\nZ13\nM800\n")
    assert lines(table, diagnosis=("N200", "M8008XA")) == [5, 2, 3]  # the longer beginning goes before


@pytest.mark.parametrize(
    ("minutes", "expected"), [(7, []), (8, [2]), (22, [2]), (23, [3]), (37, [3]), (38, [4]), (400, [4]), (None, [])]
)
def test_a_band_holds_from_its_first_to_its_last_value(
    tmp_path: Path, minutes: int | None, expected: list[int]
) -> None:
    declared = (
        "about: Sample.\nkeys: {minutes: {type: minutes, from: at_least, to: at_most}}\n"
        f"columns: {{units: number}}\n{SOURCE}\n"
    )
    table = table_of(tmp_path, declared, "at_least,at_most,units\n8,22,1\n23,37,2\n38,,3\n")
    assert lines(table, minutes=minutes) == expected


@pytest.mark.parametrize(("kilograms", "expected"), [("9.999999", [2]), ("10", [3]), ("19.999999", [3]), ("20", [])])
def test_a_band_may_end_below_a_value(tmp_path: Path, kilograms: str, expected: list[int]) -> None:
    declared = f"about: Sample.\nkeys: {{weight: {{type: decimal, from: first, below: beyond}}}}\n{SOURCE}\n"
    table = table_of(tmp_path, declared, "first,beyond\n,10\n10,20\n")
    assert lines(table, weight=round(float(kilograms) * 1_000_000)) == expected


def test_lists_in_cells_hold_for_each_of_their_values(tmp_path: Path) -> None:
    declared = (
        "about: Sample.\nkeys: {modifiers: {type: modifier, list: yes}}\n"
        f"columns: {{partners: {{type: procedure, list: yes}}}}\n{SOURCE}\n"
    )
    table = table_of(tmp_path, declared, "modifiers,partners\nRT LT,77080 77081\nnone,\n")
    assert found(table, modifiers=("59", "LT")) == [{"modifiers": ("RT", "LT"), "partners": ("77080", "77081")}]
    assert lines(table, modifiers=()) == [3]
    assert lines(table, modifiers=("59",)) == []


def test_what_nobody_knows_leaves_the_answer_open_only_where_it_matters(tmp_path: Path) -> None:
    rows = "payer,contractor,procedure,last,units\n,,77080,,1\n,10112,77080,,2\nCOMMERCIAL-SAMPLE,,77081,,3\n"
    table = table_of(tmp_path, PRECEDENCE, rows)

    def answer(unknown: tuple[str, ...], **keys: Any) -> list[int] | None:
        rows = table.find_where_known(keys, unknown, DAY)
        return None if rows is None else [row.line for row in rows]

    known = {"payer": "OTHER-SAMPLE", "contractor": "20202", "procedure": "77080"}
    assert answer((), **known) == [2]
    assert answer(("payer",), **known) == [2]  # no row for that code names a payer
    assert answer(("contractor",), **known) is None
    assert answer(("payer",), **known | {"procedure": "77081"}) is None
    assert answer(("payer", "contractor"), **known | {"procedure": "99213"}) == []


def test_all_rows_answer_only_where_each_of_them_is_known(tmp_path: Path) -> None:
    declared = f"about: Sample.\nkeys: {{payer: payer, code: procedure}}\nanswers: all\n{SOURCE}\n"
    table = table_of(tmp_path, declared, "payer,code\n,77080\nOTHER-SAMPLE,77080\n,77081\n")
    assert table.find_where_known({"code": "77080"}, ("payer",), DAY) is None
    rows = table.find_where_known({"code": "77081"}, ("payer",), DAY)
    assert rows is not None
    assert [row.line for row in rows] == [4]


def test_a_key_that_the_table_does_not_have_is_an_error(tmp_path: Path) -> None:
    table = table_of(tmp_path, PRECEDENCE, "payer,contractor,procedure,last,units\n")
    with pytest.raises(KeyError, match="no key code"):
        table.find({"code": "77080"}, DAY)


def test_rows_have_their_days_line_and_source(tmp_path: Path) -> None:
    declared = "about: Sample.\nkeys: {code: procedure}\nsource: the table's\n"
    rows = "# a comment\nsource,code,until,since\nits own,77080,2025-01-01,2024-01-01\n,77081,,\n"
    table = table_of(tmp_path, declared, rows)
    row, other = table.rows(None)
    assert (row.line, row.since, row.until, row.source) == (3, date(2024, 1, 1), date(2025, 1, 1), "its own")
    assert (other.line, other.since, other.until, other.source) == (4, None, None, "the table's")
    assert table.rows(date(2025, 1, 1).toordinal()) == (other,)


# ---- an index finds what a look at every row finds

KINDS = """\
about: Sample.
keys:
  payer: payer
  code: {type: procedure, through: last}
  modifier: {type: modifier, list: yes}
  dx: diagnosis-prefix
  age: {type: number, from: from_age, to: to_age}
  minutes: {type: minutes, from: least, below: beyond}
answers: all
source: sample
"""
_CODES = ("77080", "77081", "77085", "99213", "0042T", "0055T")


def _random_row(draw: random.Random) -> str:
    low, high = sorted(draw.sample(_CODES[:3], 2))
    code, last = draw.choice([("", ""), (draw.choice(_CODES), ""), (low, high), ("0042T", "0055T"), ("none", "")])
    ages = sorted((draw.randrange(90), draw.randrange(90)))
    cells = (
        draw.choice(["", "", "COMMERCIAL-SAMPLE", "OTHER-SAMPLE", "commercial", "none"]),
        code,
        last,
        draw.choice(["", "none", "26", "26 TC", "TC 59"]),
        draw.choice(["", "M", "M80", "M8000", "N2"]),
        draw.choice(["", str(ages[0])]),
        draw.choice(["", str(ages[1])]),
        draw.choice(["", "8"]),
        draw.choice(["", "30"]),
        draw.choice(["", "2024-01-01", "2024-08-14", "2024-08-15"]),
        draw.choice(["", "2024-08-15", "2026-01-01"]),
    )
    wrong = cells[-2] and cells[-1] and cells[-1] <= cells[-2]
    return ",".join((*cells[:-1], "") if wrong else cells)


def _random_keys(draw: random.Random) -> dict[str, Any]:
    every = {
        "payer": draw.choice([None, "COMMERCIAL-SAMPLE", ("OTHER-SAMPLE", "commercial"), ("commercial",)]),
        "code": draw.choice([None, *_CODES]),
        "modifier": draw.choice([(), ("26",), ("59", "26"), ("GT",)]),
        "dx": draw.choice([None, "M8000XA", ("N20", "M80"), "Z13"]),
        "age": draw.choice([None, 0, 17, 45, 89]),
        "minutes": draw.choice([None, 7, 8, 29, 30]),
    }
    return {name: value for name, value in every.items() if draw.random() < 0.8}


@pytest.mark.parametrize("seed", range(8))
def test_an_index_finds_what_a_look_at_every_row_finds(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    header = "payer,code,last,modifier,dx,from_age,to_age,least,beyond,since,until"
    text = "\n".join([header, *(_random_row(draw) for _ in range(300))]) + "\n"
    table = table_of(tmp_path, KINDS, text)
    positions = {row.line: number for number, row in enumerate(table.stored)}
    for _ in range(300):
        keys = _random_keys(draw)
        day = draw.choice([None, DAY])
        wanted = [
            row.line
            for row in table.rows(day)
            if all(fits(row.values, table.keys[name], value) for name, value in keys.items())
        ]
        got = [row.line for row in table.find(keys, day)]
        assert sorted(got) == wanted
        ranks = [table.rank(positions[line]) for line in got]
        assert ranks == sorted(ranks, reverse=True)


# ---- what is wrong with a table is told with file, line and column

EVERY_TYPE = """own.csv:
  about: Sample.
  keys:
    procedure: {type: procedure, through: last}
    modifier: {type: modifier, among: ["26", TC]}
    dx: diagnosis
    begins: diagnosis-prefix
    place: place
    payer: payer
    business: line-of-business
    contractor: contractor
    state: state
    taxonomy: taxonomy
    age: {type: number, from: from_age, to: to_age}
    weight: {type: decimal, from: first, below: beyond}
  columns:
    class: taxonomy-prefix
    npi: npi
    plan: plan
    frequency: x12-code
    kind: {words: [waiver, compliance]}
    note: text
    number: {type: number, required: yes}
    share: decimal
    amount: amount
    minutes: minutes
    day: day
    flag: yes-no
    codes: {type: procedure, list: yes}
"""
GOOD = {
    "procedure": "77080", "last": "77089", "modifier": "26", "dx": "M810", "begins": "M8", "place": "11",
    "payer": "COMMERCIAL-SAMPLE", "business": "medicaid", "contractor": "10112", "state": "AL",
    "taxonomy": "207R00000X", "from_age": "0", "to_age": "17", "first": "0.5", "beyond": "10", "class": "207",
    "npi": "1234567893", "plan": "medicaid", "frequency": "7", "kind": "waiver", "note": '"one, two"', "number": "-3",
    "share": "0.85", "amount": "-12.5", "minutes": "15", "day": "2024-02-29", "flag": "yes",
    "codes": "77080 G0130", "since": "2024-01-01", "until": "2025-01-01", "source": "sample",
}  # fmt: skip


def own_table(path: Path, declaration: str, text: str) -> TypedTable:
    """The table `own` of a folder of rules. Raises Faults."""
    return load_rulebook(folder_with(path, declaration, {"own.csv": text})).typed_tables["own"]


def with_cells(**changed: str) -> str:
    """A table of every type with a row that is right, and one with other cells."""
    rows = (GOOD | {"procedure": "77080", "last": "", "dx": "N200"}, GOOD | changed)
    return "\n".join([",".join(GOOD), *(",".join(row.values()) for row in rows)]) + "\n"


def test_cells_are_typed_as_facts_are(tmp_path: Path) -> None:
    row = own_table(tmp_path, EVERY_TYPE, with_cells()).rows(None)[1]
    assert row.values == {
        "procedure": "77080", "last": "77089", "modifier": "26", "dx": "M810", "begins": "M8", "place": "11",
        "payer": "COMMERCIAL-SAMPLE", "business": "medicaid", "contractor": "10112", "state": "AL",
        "taxonomy": "207R00000X", "from_age": 0, "to_age": 17, "first": 500_000, "beyond": 10_000_000, "class": "207",
        "npi": "1234567893", "plan": "medicaid", "frequency": "7", "kind": "waiver", "note": "one, two", "number": -3,
        "share": 850_000, "amount": -1250, "minutes": 15, "day": date(2024, 2, 29).toordinal(), "flag": True,
        "codes": ("77080", "G0130"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("procedure", "7708O", "`77080` is probably meant"),
        ("last", "77079", "must be a later code than procedure"),
        ("last", "0089T", "must be a later code than procedure"),
        ("modifier", "59", "`59` is none of the column's words: there are: 26, TC"),
        ("modifier", "tc", "`TC` is probably meant; there are: 26, TC"),
        ("dx", "M81.0", "`M810` is probably meant"),
        ("begins", "m8", "`M8` is probably meant"),
        ("place", "1", "`01` is probably meant"),
        ("payer", "COMMERCIAL-SAMPEL", "`COMMERCIAL-SAMPLE` is probably meant"),
        ("payer", "Nobody", "no row of aliases names the payer `Nobody`"),
        ("business", "medicade", "`medicaid` is probably meant"),
        ("business", "unknown", "is none of the column's words"),
        ("contractor", "1011", "`01011` is probably meant"),
        ("state", "Alabama", "two capitals"),
        ("taxonomy", "207R00000", "is no taxonomy code"),
        ("to_age", "-1", "lies before from_age"),
        ("to_age", "17.5", "is no whole number"),
        ("beyond", "0.5", "lies before first"),
        ("class", "R", "is no beginning of a taxonomy code"),
        ("npi", "1234567890", "is no NPI"),
        ("plan", "Medicaid Plan", "`medicaid-plan` is probably meant"),
        ("frequency", "seven", "is no code of the transaction"),
        ("kind", "Waiver", "`waiver` is probably meant; there are: waiver, compliance"),
        ("note", '"' + "x" * 2001 + '"', "over 2,000 characters"),
        ("number", "", "must not be blank"),
        ("number", "1e3", "is no whole number"),
        ("share", "85 %", "is no number such as 12.5"),
        ("amount", '"$1,250"', "no comma and no $"),
        ("amount", "1.005", "is no amount"),
        ("minutes", "-15", "is no number of minutes"),
        ("day", "2023-02-29", "is no day of the calendar"),
        ("flag", "Y", "neither yes nor no"),
        ("codes", "77080 7708l", "`77081` is probably meant"),
        ("codes", "77080 77080", "lists a value twice"),
        ("codes", " ".join(f"{number:05}" for number in range(1001)), "over 1,000 values"),
        ("since", "2024-1-1", "is no day of the calendar"),
        ("until", "2024-01-01", "must be a later day than since"),
        ("source", "", "must not be blank"),
    ],
)
def test_a_wrong_cell_is_told_with_file_line_and_column(tmp_path: Path, column: str, cell: str, message: str) -> None:
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, EVERY_TYPE, with_cells(**{column: cell}))
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("sample/tables/own.csv", 3)
    assert fault.message.startswith(f"{column}: ")
    assert message in fault.message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("payer,unit", "has a column `unit` that pack.yaml does not declare: `units` is probably meant;"),
        ("payer", "lacks the column units"),
        ("payer,units,units", "has the column units twice"),
        ("payer;units", "is no CSV with commas"),
    ],
)
def test_a_wrong_header_is_told(tmp_path: Path, header: str, message: str) -> None:
    declared = "own.csv: {about: Sample., keys: {payer: payer}, columns: {units: number}, source: sample}\n"
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, declared, header + "\n")
    assert any(message in fault.message and fault.line == 1 for fault in caught.value.faults)


def test_a_header_may_write_hyphens_as_underscores(tmp_path: Path) -> None:
    declared = f"about: Sample.\nkeys: {{line-of-business: line-of-business}}\n{SOURCE}\n"
    table = table_of(tmp_path, declared, "line_of_business\nmedicaid\n")
    assert found(table, **{"line-of-business": "medicaid"}) == [{"line-of-business": "medicaid"}]


def test_a_table_without_any_source_is_a_fault(tmp_path: Path) -> None:
    declared = "own.csv: {about: Sample., keys: {payer: payer}}\n"
    with pytest.raises(Faults, match="names no source"):
        own_table(tmp_path, declared, "payer\n")


@pytest.mark.parametrize(
    ("declared", "line", "message"),
    [
        ("about: Sample.", 8, "keys: is missing"),
        ("about: Sample.\nkeys: {}", 10, "must have from 1 to 12 entries"),
        ("about: Sample.\nkeys:\n  payer: payor", 11, "`payer` is probably meant; there are: procedure"),
        ("about: Sample.\nkeys:\n  payer:\n    words: []", 12, "must have from 1 to 500 entries"),
        ("about: Sample.\nkeys:\n  payer: {list: maybe, type: payer}", 11, "Must be yes or no"),
        ("about: Sample.\nkeys:\n  a: {type: payer, words: [x]}", 11, "`words` go with the type word alone"),
        ("about: Sample.\nkeys:\n  a: {about: What.}", 11, "needs a type, or `words`"),
        ("about: Sample.\nkeys:\n  a: {type: number, list: yes}", 11, "holds one value: take `list` out"),
        ("about: Sample.\nkeys:\n  a: {type: modifier, through: b}", 11, "is of procedure, diagnosis, place"),
        ("about: Sample.\nkeys:\n  a: {type: place, from: b}", 11, "a band (`from`, `to`) is of number"),
        ("about: Sample.\nkeys:\n  a: {type: number, from: b, to: c, below: d}", 11, "either `to` or `below`"),
        ("about: Sample.\nkeys:\n  a: {type: modifier, among: [2G6]}", 11, "is no modifier"),
        ("about: Sample.\nkeys:\n  a: payer\ncolumns:\n  a: number", 13, "`a` is the name of a column above"),
        ("about: Sample.\nkeys:\n  since: day", 11, "`since` is the name of a column of every table"),
        ("about: Sample.\nkeys:\n  Payer: payer", 11, "Must look like line-of-business"),
        ("about: Sample.\nkeys: {a: payer}\nanswers: first", 11, "Must be one of: one, all"),
        ("about: Sample.\nkeys: {a: payer}\nanswer: one", 11, "perhaps `answers` was meant"),
        ("about: Sample.\nkeys: [payer]", 10, "must be keys with values"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_line(tmp_path: Path, declared: str, line: int, message: str) -> None:
    text = "own.csv:\n" + "".join(f"  {each}\n" for each in declared.split("\n"))
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, text, "a\n")
    assert [(fault.file, fault.line) for fault in caught.value.faults if message in fault.message] == [
        ("sample/pack.yaml", line)
    ], caught.value.faults


def test_an_unknown_kind_of_table_is_told_with_what_is_meant(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="perhaps `limits` was meant"):
        own_table(tmp_path, "own.csv: limit\n", "a\n")


# ---- names

DECLARED = "{file}: {{about: Sample., keys: {{code: procedure}}, source: sample}}\n"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("tbs.csv", "bears the name of a code list, `tbs`"),
        ("fee-schedule.csv", "bears the name of a reference table, `fee-schedule`"),
    ],
)
def test_a_table_has_a_name_of_its_own(tmp_path: Path, file: str, message: str) -> None:
    with pytest.raises(Faults) as caught:
        load_rulebook(folder_with(tmp_path, DECLARED.format(file=file), {file: "code\n77080\n"}))
    (fault,) = caught.value.faults
    assert fault.file == f"sample/tables/{file}"
    assert message in fault.message


def test_two_packs_with_tables_of_one_name_are_a_fault(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, DECLARED.format(file="vials.csv"), {"vials.csv": "code\n77080\n"})
    text = (folder / "sample/pack.yaml").read_text(encoding="utf-8").replace("name: sample", "name: second")
    put(folder, "second/pack.yaml", text.replace("  lists.csv: code-lists\n", ""))
    put(folder, "second/tables/vials.csv", "code\n77081\n")
    with pytest.raises(Faults) as caught:
        load_rulebook(folder)
    assert [(fault.file, fault.message) for fault in caught.value.faults] == [
        (
            "second/tables/vials.csv",
            "bears the name of the table sample/tables/vials.csv, `vials`: give the file another name",
        )
    ]


# ---- part of the rulebook


def test_tables_are_part_of_the_digest_of_archives_and_of_what_processes_share(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "rules", DECLARED.format(file="vials.csv"), {"vials.csv": "code\n77080\n"})
    book = load_rulebook(folder)
    before = digest(folder)
    assert book.with_others(rules={}).typed_tables is book.typed_tables
    copied = pickle.loads(pickle.dumps(book))  # noqa: S301
    assert copied.typed_tables["vials"].rows(None) == book.typed_tables["vials"].rows(None)
    assert lines(copied.typed_tables["vials"], code="77080") == [2]
    archive(folder, before, tmp_path / "state")
    put(folder, "sample/tables/vials.csv", "code\n77081\n")
    assert digest(folder) != before
    kept = load_rulebook(open_archived(tmp_path / "state", before))
    assert lines(kept.typed_tables["vials"], code="77080") == [2]
    assert lines(load_rulebook(folder).typed_tables["vials"], code="77080") == []


# ---- bounds

BIG = """own.csv:
  about: Sample.
  keys: {payer: payer, code: {type: procedure, through: last}, modifier: modifier}
  columns: {units: number}
  source: sample
"""


def big_rows(count: int) -> str:
    """Rows that differ in their codes and modifiers, a tenth of them ranges."""
    rows = ["payer,code,last,modifier,units"]
    for number in range(count):
        code, modifier = number // 10, "ABCDEFGHKJ"[number % 10] + "5"
        last = f"{code * 2 % 90_000 + 1:05}" if number % 10 == 9 else ""
        rows.append(f"COMMERCIAL-SAMPLE,{code * 2 % 90_000:05},{last},{modifier},{number}")
    return "\n".join(rows) + "\n"


def test_two_hundred_thousand_rows_are_found_without_a_look_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = own_table(tmp_path, BIG, big_rows(199_990))
    keys = {"payer": "COMMERCIAL-SAMPLE", "code": "00023", "modifier": ("C5", "J5")}
    table.prepare(keys)
    looked_at: list[int] = []

    def in_force(table: TypedTable, number: int, day: int | None) -> bool:
        looked_at.append(number)
        return True

    monkeypatch.setattr(TypedTable, "in_force", in_force)
    assert [row.values["units"] for row in table.find(keys, DAY)] == [119]
    assert [row.values["units"] for row in table.find(keys | {"code": "00022"}, DAY)] == [112]
    assert 0 < len(looked_at) < 10


@pytest.mark.parametrize(
    ("count", "message"),
    [(200_000, "has over 200,000 rows"), (1_000_000, "is larger than 32 MB")],
)
def test_a_larger_table_is_a_fault(tmp_path: Path, count: int, message: str) -> None:
    with pytest.raises(Faults, match=message):
        own_table(tmp_path, BIG, big_rows(count))


def test_very_many_wrong_cells_are_told_in_part(tmp_path: Path) -> None:
    text = "payer,code,last,modifier,units\n" + "nobody,7708O,,26,1\n" * 50_000
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, BIG, text)
    assert len(caught.value.faults) == 201
    assert caught.value.faults[-1].message == "was read no further: mend what stands above first"


# ---- where one row answers, two that are alike are a fault

TIES = """\
own.csv:
  about: Sample.
  keys:
    payer: payer
    code: {type: procedure, through: last}
    modifier: {type: modifier, list: yes}
    place: {type: place, list: yes}
    age: {type: number, from: from_age, to: to_age}
  columns: {units: number}
  answers: one
  source: sample
"""
TIES_HEADER = "payer,code,last,modifier,place,from_age,to_age,units,since,until"


@pytest.mark.parametrize(
    ("one", "other", "ties"),
    [
        (",77080,,,,,,1,,", ",77080,,,,,,2,,", True),
        (",77080,,,,,,1,,", ",77081,,,,,,2,,", False),
        (",77080,,,,,,1,,2024-01-01", ",77080,,,,,,2,2024-01-01,", False),
        (",77080,,,,,,1,,2024-01-02", ",77080,,,,,,2,2024-01-01,", True),
        (",77080,,,,,,1,,", "COMMERCIAL-SAMPLE,77080,,,,,,2,,", False),  # more specific
        (",77080,77089,,,,,1,,", ",77085,77099,,,,,2,,", True),
        (",77080,77089,,,,,1,,", ",77090,77099,,,,,2,,", False),
        (",77080,77089,,,,,1,,", ",77085,,,,,,2,,", False),  # one code is more specific than a range
        (",0042T,0055T,,,,,1,,", ",00420,00550,,,,,2,,", False),
        (",,,26 TC,,,,1,,", ",,,TC 59,,,,2,,", True),
        (",,,26 TC,,,,1,,", ",,,59,,,,2,,", False),
        (",,,none,,,,1,,", ",,,none,,,,2,,", True),
        (",,,none,,,,1,,", ",,,26,,,,2,,", False),
        (",,,26 TC,11 22,,,1,,", ",,,TC,22 23,,,2,,", True),
        (",,,26 TC,11,,,1,,", ",,,TC,22 23,,,2,,", False),
        (",,,26,none,,,1,,", ",,,26,none,,,2,,", True),
        (",,,,,0,17,1,,", ",,,,,17,,2,,", True),
        (",,,,,0,17,1,,", ",,,,,18,,2,,", False),
        (",,,,,,17,1,,", ",,,,,,5,2,,", True),
        (",77080,77089,,,0,17,1,,", ",77085,77099,,,18,,2,,", False),
        (",77080,77089,,,0,17,1,,", ",77085,77099,,,10,,2,,", True),
    ],
)  # fmt: skip
def test_two_rows_that_answer_for_the_same_on_one_day_are_a_fault(
    tmp_path: Path, one: str, other: str, ties: bool
) -> None:
    text = f"{TIES_HEADER}\n{one}\n{other}\n"
    if not ties:
        assert len(own_table(tmp_path, TIES, text).stored) == 2
        return
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, TIES, text)
    (fault,) = caught.value.faults
    assert fault == ("sample/tables/own.csv", 3, "answers for the same on the same day as line 2")


def test_rows_alike_are_fine_where_all_answer(tmp_path: Path) -> None:
    rows = ",77080,,,,,,1,,"
    text = f"{TIES_HEADER}\n{rows}\n{rows}\n"
    assert len(own_table(tmp_path, TIES.replace("answers: one", "answers: all"), text).stored) == 2


def test_rows_by_the_thousand_that_tie_are_told_in_part(tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        own_table(tmp_path, TIES, TIES_HEADER + "\n" + ",77080,,,,,,1,,\n" * 3_000)
    assert len(caught.value.faults) == 201
    assert any("cannot all be held against each other" in fault.message for fault in caught.value.faults)
