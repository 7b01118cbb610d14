"""Reads a file of remittances (CSV or NDJSON) into a database of adjustments, for look-ups by claim number."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scrubber.backtest.files import FileChunk, InputFile, OpenedFile, opened
from scrubber.errors import Fault, Faults

LONGEST_ROW = 1 << 20
LONGEST_CELL = 80  # characters
MOST_ADJUSTMENTS = 100  # of one NDJSON row

# Column -> other names by which exports call it. Case, blanks and punctuation do not count.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "claim": ("claimnumber", "patientcontrolnumber", "pcn", "claimid", "clp01"),
    "line": ("linenumber", "linecontrolnumber", "lineitemcontrolnumber", "serviceline"),
    "charge": ("charged", "billed", "chargeamount", "linecharge", "billedamount"),
    "paid": ("paidamount", "amountpaid", "payment", "linepaid"),
    "group": ("groupcode", "adjustmentgroup", "adjustmentgroupcode"),
    "reason": ("reasoncode", "carc", "adjustmentreason", "adjustmentreasoncode"),
    "amount": ("adjustment", "adjustmentamount", "adjusted"),
}
NEEDED = ("claim", "paid", "reason")
_NAMES = {name: column for column, others in COLUMNS.items() for name in (column, *others)}
_REASON = re.compile(r"(?:(CO|PR|OA|PI|CR)[- ]?)?([A-Z]?[0-9]{1,3})", re.ASCII)
_GROUP = re.compile(r"CO|PR|OA|PI|CR", re.ASCII)
_MONEY = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2}0*)?|-?\.[0-9]{1,2}", re.ASCII)


class RemitRow(NamedTuple):
    """One adjustment of one line; texts, "" where nothing was stated. Amounts are dollars as plain decimals.

    `line` is the line's own control number or its position from 1; "" for an adjustment of the whole claim. A line that
    was paid as charged has one row, without reason.
    """

    claim: str
    line: str
    charge: str
    paid: str
    group: str
    reason: str
    amount: str


class BadRemitRow(NamedTuple):
    """A row that cannot be used: its number in the file, and what is expected there."""

    row: int
    message: str


class _UnusableRow(Exception):
    """The row cannot be used; the message has what is expected, never the content of the row."""


def remit_rows(file: OpenedFile) -> Iterator[RemitRow | BadRemitRow]:
    """Every row of the file, in order. Raises Faults for a CSV file without a column that is needed."""
    head = file.stream.peek(LONGEST_ROW)[:64].removeprefix(b"\xef\xbb\xbf").lstrip()  # type: ignore[attr-defined]
    return _from_json(file) if head.startswith(b"{") else _from_csv(file)


def _from_json(file: OpenedFile) -> Iterator[RemitRow | BadRemitRow]:
    number = 0
    while data := file.stream.readline(LONGEST_ROW):
        number += 1
        if text := data.removeprefix(b"\xef\xbb\xbf").strip():
            try:
                yield from _of_object(text)
            except _UnusableRow as wrong:
                yield BadRemitRow(number, str(wrong))


def _of_object(text: bytes) -> list[RemitRow]:
    try:
        loaded = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _UnusableRow("must be one JSON object on one line") from None
    if not isinstance(loaded, dict):
        raise _UnusableRow("must be one JSON object on one line")
    values = _known_columns(loaded)
    adjustments = loaded.get("adjustments", [{}])
    if not isinstance(adjustments, list) or not all(isinstance(one, dict) for one in adjustments):
        raise _UnusableRow("adjustments: must be a list of objects")
    return [_row(values | _known_columns(one)) for one in (adjustments or [{}])[:MOST_ADJUSTMENTS]]


def _known_columns(loaded: Mapping[str, Any]) -> dict[str, str]:
    """The known names of an object, their values as text."""
    values = {}
    for name, value in loaded.items():
        column = _NAMES.get(_plain(name))
        if column and value is not None and not isinstance(value, dict | list):
            values[column] = str(value)
    return values


def _from_csv(file: OpenedFile) -> Iterator[RemitRow | BadRemitRow]:
    text = io.TextIOWrapper(file.stream, "utf-8-sig", errors="replace", newline="")
    lines = (line for line in iter(lambda: text.readline(LONGEST_ROW), ""))
    header = next(lines, "")
    reader = csv.reader(lines, delimiter=_delimiter(header))
    names = [_NAMES.get(_plain(cell)) for cell in next(csv.reader([header], delimiter=_delimiter(header)), [])]
    _check_header(names, file)
    while True:
        try:
            cells = next(reader)
            if any(map(str.strip, cells)):
                yield _of_cells(cells, names)
        except StopIteration:
            return
        except (_UnusableRow, csv.Error) as wrong:
            message = str(wrong) if isinstance(wrong, _UnusableRow) else "cannot be read as CSV: a quote is not closed"
            yield BadRemitRow(reader.line_num + 1, message)


def _of_cells(cells: list[str], names: list[str | None]) -> RemitRow:
    if len(cells) > len(names) and any(map(str.strip, cells[len(names) :])):
        raise _UnusableRow("has more cells than the header: put an amount such as 1,000.00 in quotes")
    return _row({name: cell for name, cell in zip(names, cells, strict=False) if name})


def _check_header(names: list[str | None], file: OpenedFile) -> None:
    # The content of the first row is not repeated: without a header it would be a patient's data.
    missing = [column for column in NEEDED if column not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    faults = [Fault(file.name, 1, f"has no column {column}: the first row must name the columns") for column in missing]
    faults += [Fault(file.name, 1, f"has two columns for {column}: keep one") for column in twice]
    if faults:
        raise Faults(faults)


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _row(values: Mapping[str, str]) -> RemitRow:
    cells = {column: values.get(column, "").strip() for column in COLUMNS}
    if any(len(cell) > LONGEST_CELL for cell in cells.values()):
        raise _UnusableRow(f"has a cell of over {LONGEST_CELL} characters")
    if not cells["claim"]:
        raise _UnusableRow("claim: is missing")
    group, reason = _reason(cells["group"].upper(), cells["reason"].upper())
    charge, paid, amount = (_money(cells[name], name) for name in ("charge", "paid", "amount"))
    return RemitRow(cells["claim"], cells["line"], charge, paid, group, reason, amount)


def _reason(group: str, reason: str) -> tuple[str, str]:
    """Group and reason code; the group may precede the reason, as in CO-97."""
    if not reason:
        return group, ""
    found = _REASON.fullmatch(reason)
    if found is None or (group and not _GROUP.fullmatch(group)):
        raise _UnusableRow("group, reason: must be codes, such as CO and 97, or CO-97")
    return group or found[1] or "", found[2].lstrip("0") or "0"


def _money(text: str, column: str) -> str:
    """Dollars as a plain decimal; $, commas between thousands and (1.00) for -1.00 are understood."""
    bare = text.replace("$", "").replace(",", "").strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"
    if not bare:
        return ""
    if not _MONEY.fullmatch(bare):
        raise _UnusableRow(f"{column}: must be dollars, such as 1234.50")
    return f"{Decimal(bare):.2f}"


MOST_ROWS_OF_A_CLAIM = 20_000
MOST_REPORTED = 20  # bad rows
_BATCH_ROWS = 10_000
_FIELDS = ", ".join(f'"{field}"' for field in RemitRow._fields)


class RemitFile(NamedTuple):
    """A remittance file that was read: good rows, claims in them, and what is wrong with the others."""

    file: InputFile
    rows: int
    claims: int
    bad: int
    reported: tuple[BadRemitRow, ...]


def load_remits(path: Path, database_path: Path) -> RemitFile:
    """Writes the rows of a remittance file into a new database. Raises Faults for a file that cannot be read."""
    reported: list[BadRemitRow] = []
    with closing(sqlite3.connect(database_path)) as database, opened(path) as file:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE remits ({_FIELDS});")
        rows = bad = 0
        for batch in _batches(remit_rows(file)):
            good = [row for row in batch if isinstance(row, RemitRow)]
            wrong = [row for row in batch if isinstance(row, BadRemitRow)]
            database.executemany(f"INSERT INTO remits VALUES ({', '.join('?' * len(RemitRow._fields))})", good)  # noqa: S608
            rows, bad, reported = rows + len(good), bad + len(wrong), (reported + wrong)[:MOST_REPORTED]
        database.execute("CREATE INDEX by_claim ON remits (claim)")
        (claims,) = database.execute("SELECT count(DISTINCT claim) FROM remits").fetchone()
        database.commit()
        return RemitFile(file.finished(), rows, claims, bad, tuple(reported))


def _batches(rows: Iterable[RemitRow | BadRemitRow]) -> Iterator[list[RemitRow | BadRemitRow]]:
    batch: list[RemitRow | BadRemitRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= _BATCH_ROWS:
            yield batch
            batch = []
    yield batch


class Remittances:
    """The rows of a claim's remittance, for a process that judges claims."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)

    def rows(self, number: str) -> list[RemitRow]:
        """All rows of the claim, in the order of the file."""
        query = f"SELECT {_FIELDS} FROM remits WHERE claim = ? ORDER BY rowid LIMIT {MOST_ROWS_OF_A_CLAIM}"  # noqa: S608
        return [RemitRow(*row) for row in self._database.execute(query, (number,))]

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class Unjoined(NamedTuple):
    """What could not be joined: claims whose number an earlier claim has, and claim numbers of remittances that no
    claim has."""

    repeated: int
    remits_without_claim: int


class ClaimNumbers:
    """The claim numbers of a file, in a database on disk: the first claim of a number gets its remittance."""

    def __init__(self, database_path: Path) -> None:
        self._database = sqlite3.connect(database_path.with_suffix(".numbers"))
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE numbers (claim TEXT PRIMARY KEY) WITHOUT ROWID;"
        )
        self._database.execute("ATTACH ? AS loaded", (f"{database_path.as_uri()}?mode=ro",))
        self._repeated = 0

    def with_numbers(self, chunk: FileChunk) -> FileChunk:
        """The chunk with the numbers under which its claims are looked up."""
        return chunk._replace(numbers=tuple([self._number(row) for row in chunk.rows]))

    def _number(self, row: bytes | None) -> str | None:
        if not row:
            return None
        number = claim_number(row)
        if number is None:
            return None
        if not self._database.execute("INSERT OR IGNORE INTO numbers VALUES (?)", (number,)).rowcount:
            self._repeated += 1
            return None
        return number

    def close(self) -> Unjoined:
        """What could not be joined, once every chunk has its numbers."""
        query = "SELECT count(DISTINCT claim) FROM loaded.remits WHERE claim NOT IN (SELECT claim FROM numbers)"
        self._database.commit()
        (left,) = self._database.execute(query).fetchone()
        self._database.close()
        return Unjoined(self._repeated, left)


def claim_number(row: bytes) -> str | None:
    """The patient control number of a body that may be anything."""
    try:
        body: Any = orjson.loads(row)
        number = body["claimInformation"]["patientControlNumber"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return None
    return number.strip() or None if isinstance(number, str) else str(number) if type(number) is int else None
