"""Remittance files as practices export them: what is understood, and what is told of the rest."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from scrubber.backtest.files import opened
from scrubber.backtest.remittances import BadRemitRow, RemitRow, remit_rows
from scrubber.errors import Faults


def rows(folder: Path, content: bytes) -> list[RemitRow | BadRemitRow]:
    file = folder / "remits"
    file.write_bytes(content)
    with opened(file) as source:
        return list(remit_rows(source))


HEADER = b"claim,line,charge,paid,group,reason,amount\n"
ONE = RemitRow("C1", "1", "100.00", "0.00", "CO", "97", "100.00")


@pytest.mark.parametrize(
    "content",
    [
        HEADER + b"C1,1,100.00,0.00,CO,97,100.00\n",
        HEADER + b'"C1","1","$100.00",0,co,097,"100.0"',
        b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b"C1,1,100,0.00,,CO-97,100.00\r\n\r\n",
        b"Claim Number;Line;Billed;Paid Amount;Group Code;CARC;Adjustment Amount\nC1;1;100.00;0.00;CO;97;100.00\n",
        b"note\tpaid\tPatient Control Number\treason\tgroup\tline\tcharge\tamount\nx\t0\tC1\t97\tCO\t1\t100\t100\t\t\n",
        b'{"claim": "C1", "line": 1, "charge": "100.00", "paid": 0, "group": "CO", "reason": "97", "amount": 100}\n',
        b'\n{"claimNumber": "C1", "line": "1", "charge": 100.0, "paid": "0", '
        b'"adjustments": [{"group": "CO", "reason": "97", "amount": "100.00"}]}\n',
        gzip.compress(HEADER + b"C1,1,100.00,0.00,CO,97,100.00\n", mtime=0),
    ],
)
def test_one_row_in_many_forms(tmp_path: Path, content: bytes) -> None:
    assert rows(tmp_path, content) == [ONE]


def test_thousands_and_parentheses(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + b'C1,1,"1,234.50",(1.00),CO,45,"$1,000.00"\n')
    assert found == [RemitRow("C1", "1", "1234.50", "-1.00", "CO", "45", "1000.00")]


def test_what_is_left_out_says_nothing(tmp_path: Path) -> None:
    assert rows(tmp_path, b"claim,paid,reason\nC1,12.50,\n") == [RemitRow("C1", "", "", "12.50", "", "", "")]
    assert rows(tmp_path, b'{"claim": "C1", "paid": null, "adjustments": []}') == [RemitRow("C1", *[""] * 6)]


def test_bad_rows_are_told_by_number_and_the_rest_go_on(tmp_path: Path) -> None:
    bad = b"C1,1,many,0,CO,97,1\n,1,1,0,CO,97,1\nC1,1,1,0,CO,SECRET,1\nC1,1,1,0,CO,97,1,000.00\n"
    found = rows(tmp_path, HEADER + bad + b"C1,1,100.00,0.00,CO,97,100.00\n")
    assert found[-1] == ONE
    told = found[:-1]
    assert [each.row for each in told if isinstance(each, BadRemitRow)] == [2, 3, 4, 5]
    assert "SECRET" not in str(told)
    json = b'{"claim": "C1"\n[1]\n{"claim": "C1", "paid": "0", "adjustments": 7}\n{"paid": 1}\n'
    assert [each.row for each in rows(tmp_path, json) if isinstance(each, BadRemitRow)] == [1, 2, 3, 4]


def test_a_quote_that_is_not_closed_loses_no_other_rows(tmp_path: Path) -> None:
    lines = b"C1,1,100.00,0.00,CO,97,100.00\n" * 20_000
    found = rows(tmp_path, HEADER + b'C1,"1\n' + lines)
    assert isinstance(found[0], BadRemitRow)
    assert found[-1] == ONE
    assert len(found) > 10_000


def test_a_missing_or_doubled_column_is_told_and_no_cell_of_the_first_row(tmp_path: Path) -> None:
    with pytest.raises(Faults) as missing:
        rows(tmp_path, b"SECRET,1,100.00\n")
    assert "no column claim" in str(missing.value)
    assert "no column paid" in str(missing.value)
    assert "SECRET" not in str(missing.value)
    with pytest.raises(Faults, match="two columns for paid"):
        rows(tmp_path, b"claim,paid,Paid Amount,reason\n")
    with pytest.raises(Faults, match="no column"):
        rows(tmp_path, b"")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="damaged"):
        rows(tmp_path, gzip.compress(HEADER * 1000)[:-20])


def test_a_stream_is_told() -> None:
    """A file is read from its beginning again, which a pipe cannot be."""
    reading, writing = os.pipe()
    os.write(writing, HEADER)
    os.close(writing)
    path = Path(f"/dev/fd/{reading}")
    try:
        with pytest.raises(Faults, match="cannot be read: it is a stream; save it as a file"), opened(path):
            pass
    finally:
        os.close(reading)
