"""Amounts that CMS publishes, worked out again from rows that the readers read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scrubber.cli.reference import verify
from scrubber.errors import Faults
from scrubber.pricing.verify import verify_mpfs
from scrubber.reference import Reference, open_reference
from scrubber.reference.fee_rows import ConversionFactor, FeeRow, Gpci
from scrubber.reference.load import mpfs, mpfs_factors
from scrubber.reference.load.format import BadRow
from tests.support.published import DATA, Published, full_size, published, rows_of, typed_folder

# The starter tables have this code and this locality; the amount is the one that CMS publishes for them.
ALABAMA = '"2025","10112","00","77092","  ","0000008.90","0000008.90"," ","2","A","0","0.00","0.00","9","0.00","0.00"'
UNKNOWN = ALABAMA.replace("77092", "X9999")
WRONG = ALABAMA.replace('"0000008.90"," "', '"0000008.91"," "')
TRAILER = '"TRL- A NOTICE OF WHOSE THE CODES ARE, WITH A COMMA."'


@pytest.fixture(scope="module")
def starter() -> Reference:
    return open_reference(None)


def test_amounts_are_compared_to_the_cent(starter: Reference) -> None:
    done = verify_mpfs(published(ALABAMA, WRONG, UNKNOWN, TRAILER), starter)
    assert (done.rows, done.amounts, done.exact, done.different, done.bad_rows) == (3, 6, 3, 1, 0)
    assert done.unknown == {"unknown-code": 2}
    assert done.days == {date(2025, 12, 31)}
    (compared,) = done.first_different
    assert (compared.setting, compared.published, compared.ours) == ("facility", Decimal("8.91"), Decimal("8.90"))
    assert not done.all_exact
    assert verify_mpfs(published(ALABAMA), starter).all_exact


def test_a_day_and_a_factor_may_be_chosen(starter: Reference) -> None:
    day = date(2026, 7, 1)
    ours = []
    for qualifying in (False, True):
        done = verify_mpfs(published(ALABAMA), starter, day, qualifying)
        assert (done.days, done.different) == ({day}, 2)
        ours.append(done.first_different[0].ours)
    # (0.20 x 1.000 + 0.09 x 0.875 + 0.01 x 0.566) x 33.4009 and x 33.5675
    assert ours == [Decimal("9.50"), Decimal("9.55")]


def test_nothing_read_is_not_exact(starter: Reference) -> None:
    assert not verify_mpfs(published(TRAILER), starter).all_exact


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        (ALABAMA.replace('"2025"', '"25"'), "Year"),
        (ALABAMA.replace("10112", "1112"), "Carrier"),
        (ALABAMA.replace('"  "', '"QQ"'), "Modifier"),
        (ALABAMA.replace("0000008.90", "8,90", 1), "Non-Facility Fee"),
        (ALABAMA.rsplit(",", 1)[0], None),
        (ALABAMA[:-1], None),
    ],
)
def test_a_broken_row_is_told_by_line_and_column(starter: Reference, broken: str, column: str | None) -> None:
    done = verify_mpfs(published(ALABAMA, broken), starter)
    assert [(row.line, row.column) for row in done.first_bad] == [(2, column)]
    assert (done.rows, done.bad_rows, done.all_exact) == (1, 1, False)


@given(st.binary(max_size=500), st.integers(0, 200))
def test_garbage_is_refused_or_told_row_by_row(garbage: bytes, at: int) -> None:
    content = published(ALABAMA, TRAILER).content
    for damaged in (garbage, content[:at] + garbage + content[at:]):
        try:
            rows = list(mpfs_factors.read_carrier_amounts(Published(damaged)))
        except Faults:
            continue
        assert all(isinstance(row, BadRow | mpfs_factors.CarrierAmount) for row in rows)


def test_the_command_says_what_differs(tmp_path: Path) -> None:
    good, wrong, other = tmp_path / "PFAL25A.txt", tmp_path / "wrong.txt", tmp_path / "other.txt"
    good.write_bytes(published(ALABAMA, TRAILER).content)
    wrong.write_bytes(published(ALABAMA, WRONG, UNKNOWN, ALABAMA[:-1]).content)
    other.write_text("a,b,c\n1,2,3\n")
    told = CliRunner().invoke(verify, ["mpfs", str(good)])
    assert told.exit_code == 0, told.output
    assert "PFAL25A.txt: 2 of 2 amounts of 1 rows exact to the cent" in told.output
    assert "as of 2025-12-31: mpfs RVU25D" in told.output
    told = CliRunner().invoke(verify, ["mpfs", str(wrong), str(good)])
    assert told.exit_code == 1
    assert "77092 in 10112-00, facility: CMS 8.91, here 8.90" in told.output
    assert "2 not known here: unknown-code" in told.output
    assert "line 4: row: has a quote" in told.output
    assert "In all: 5 of 8 amounts of 4 rows exact to the cent" in told.output
    assert CliRunner().invoke(verify, ["mpfs", str(other)]).exit_code == 2
    assert CliRunner().invoke(verify, ["mpfs", str(tmp_path / "none.txt")]).exit_code == 2


def test_all_136_rows_that_cms_published_are_exact_from_rows_of_the_readers(tmp_path: Path) -> None:
    schedule = rows_of(mpfs.FORMATS, full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz"))
    tables: dict[str, Iterable[Any]] = {
        "mpfs": [row for row in schedule if isinstance(row, FeeRow)],
        "conversion-factors": [row for row in schedule if isinstance(row, ConversionFactor)],
        "gpci": [
            row for row in rows_of(mpfs_factors.GPCI_FORMATS, full_size("mpfs/GPCI2025.csv")) if isinstance(row, Gpci)
        ],
    }
    files = [str(DATA / "mpfs" / name) for name in ("PFREV25C.txt", "PFAL25A.excerpt.txt")]
    told = CliRunner().invoke(verify, ["mpfs", *files], env={"SCRUBBER_REFERENCE": str(typed_folder(tmp_path, tables))})
    assert told.exit_code == 0, told.output
    assert "PFREV25C.txt: 218 of 218 amounts of 109 rows" in told.output
    assert "PFAL25A.excerpt.txt: 54 of 54 amounts of 27 rows" in told.output
    assert "In all: 272 of 272 amounts of 136 rows exact to the cent" in told.output
