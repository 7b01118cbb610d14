from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from scrubber.dated_rows import in_force, on, read_rows
from scrubber.errors import Fault, Faults
from scrubber.rulebook.rule_tables import FrequencyRow


class Limit(NamedTuple):
    code: str
    kind: Literal["daily", "yearly", ""]
    most: int
    share: Decimal | None
    binding: bool
    plans: tuple[str, ...]
    since: date | None
    until: date | None


HEADER = "code,kind,most,share,binding,plans,since,until\n"


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "limits.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(path: Path, *unique: str) -> list[tuple[int, str]]:
    with pytest.raises(Faults) as raised:
        read_rows(path, Limit, unique)
    assert all(fault.file == str(path) for fault in raised.value.faults)
    return [(fault.line, fault.message) for fault in raised.value.faults]


def test_cells_are_typed_by_the_row_type(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "0450,daily,3,0.85,no,ppo hmo,2024-01-01,2025-01-01\n")
    assert read_rows(path, Limit) == (
        Limit("0450", "daily", 3, Decimal("0.85"), False, ("ppo", "hmo"), date(2024, 1, 1), date(2025, 1, 1)),
    )


def test_blank_means_open_or_none_or_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "NO,,3,,yes,,,\n")
    assert read_rows(path, Limit) == (Limit("NO", "", 3, None, True, (), None, None),)


def test_comments_blank_lines_bom_crlf_and_order_of_columns_do_not_matter(tmp_path: Path) -> None:
    text = (
        '# limits, "odd\r\n\r\nuntil,since,plans,binding,share,most,kind,code\r\n,,"a  b",yes,,1,daily,X\r\n# end\r\n'
    )
    path = table(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert read_rows(path, Limit) == (Limit("X", "daily", 1, None, True, ("a", "b"), None, None),)


def test_every_bad_cell_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        HEADER
        + ",weekly,3.0,1e3,YES,,2024-02-30,20250101\n"
        + "A,daily,1,,no,,2025-01-01,2025-01-01\n"
        + "A,daily,1\n"
        + 'A,daily,1,,no,,,"\n',
    )
    assert faults(path) == [
        (2, "binding: expected yes or no"),
        (2, "code: must not be blank"),
        (2, "kind: expected one of daily, yearly, blank"),
        (2, "most: expected a whole number"),
        (2, "share: expected a number such as 1250.85: digits with a point, no comma and no $"),
        (2, "since: is no day of the calendar"),
        (2, "until: expected a day such as 2025-01-31"),
        (3, "until: must be a later day than since"),
        (4, "has 3 cells where the header has 8"),
        (5, "has a quote that is not closed, text after a closing quote, or a cell of over 131,072 characters"),
    ]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1_000", "٣", "1.", ".5", "+1"])
def test_a_number_is_plain_digits(tmp_path: Path, number: str) -> None:
    path = table(tmp_path, HEADER + f"A,daily,1,{number},no,,,\n")
    assert faults(path) == [(2, "share: expected a number such as 1250.85: digits with a point, no comma and no $")]


def test_the_header_holds_exactly_the_columns(tmp_path: Path) -> None:
    path = table(tmp_path, "# top\ncode,kind,most,share,binding,plans,since,code,note\n")
    assert faults(path) == [
        (2, "has an unknown column 'note'; known are code, kind, most, share, binding, plans, since, until"),
        (2, "has the column code twice"),
        (2, "lacks the column until"),
    ]


class Marked(NamedTuple):
    code: str
    verified: bool = True


def test_frequencies_of_before_there_were_exceptions_can_still_be_read(tmp_path: Path) -> None:
    path = table(tmp_path, "name,code_list,months,since,until,source\nscreening,screening-codes,23,2020-01-01,,house\n")
    expected = FrequencyRow("screening", "screening-codes", 23, date(2020, 1, 1), None, "house", None, None)
    assert read_rows(path, FrequencyRow, ("name",)) == (expected,)


def test_a_column_with_a_default_may_be_left_out(tmp_path: Path) -> None:
    assert read_rows(table(tmp_path, "code\nA\n"), Marked) == (Marked("A"),)
    assert read_rows(table(tmp_path, "verified,code\nno,A\n"), Marked) == (Marked("A", verified=False),)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_table_that_a_spreadsheet_saved_without_commas(tmp_path: Path, mark: str) -> None:
    path = table(tmp_path, (HEADER + "A,daily,1,,no,,,\n").replace(",", mark))
    assert faults(path) == [(1, "is no CSV with commas: save it again with a comma between the cells")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: a header with the columns is needed"),
        (b"# nothing\n", "is empty: a header with the columns is needed"),
        ("code\nÄ".encode("latin-1"), "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    assert faults(table(tmp_path, content)) == [(0, message)]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults) as raised:
        read_rows(tmp_path / "none.csv", Limit)
    assert raised.value.faults == (Fault(str(tmp_path / "none.csv"), 0, "cannot be read: No such file or directory"),)


def test_rows_of_one_key_may_not_be_in_force_together(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        HEADER
        + "A,daily,1,,no,,2025-01-01,\n"
        + "A,daily,2,,no,,,2025-01-01\n"
        + "A,yearly,3,,no,,,\n"
        + "A,daily,4,,no,,2025-06-01,\n",
    )
    assert faults(path, "code", "kind") == [(5, "is in force on a day on which line 2 is, too")]


def test_since_is_in_force_and_until_no_longer() -> None:
    early = Limit("A", "daily", 1, None, True, (), None, date(2025, 1, 1))
    late = Limit("A", "daily", 2, None, True, (), date(2025, 1, 1), None)
    assert not in_force(early, date(2025, 1, 1))
    assert in_force(late, date(2025, 1, 1))
    assert on([early, late], date(2024, 12, 31)) == early
    assert on([early, late], date(2025, 1, 1)) == late
    assert on([early], date(2025, 1, 1)) is None
