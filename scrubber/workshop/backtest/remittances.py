"""Beside the path, back-test: remittances by claim number, on the disk: a million claims need no memory for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scrubber.workshop.backtest.chunks import Chunk
from scrubber.workshop.backtest.reading import InputFile, opened
from scrubber.workshop.backtest.remits import BadRow, RemitRow, remit_rows

MOST_ROWS_OF_A_CLAIM = 20_000
MOST_TOLD = 20  # bad rows
_ROWS_AT_ONCE = 10_000
_FIELDS = ", ".join(f'"{field}"' for field in RemitRow._fields)


class RemitFile(NamedTuple):
    """A remittance file that was read: good rows, claims in them, and what is wrong with the others."""

    file: InputFile
    rows: int
    claims: int
    bad: int
    told: tuple[BadRow, ...]


def load_remits(path: Path, place: Path) -> RemitFile:
    """Writes the rows of a remittance file into a new database. Raises Faults for a file that cannot be read."""
    told: list[BadRow] = []
    with closing(sqlite3.connect(place)) as database, opened(path) as file:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE remits ({_FIELDS});")
        rows = bad = 0
        for batch in _batches(remit_rows(file)):
            good = [row for row in batch if isinstance(row, RemitRow)]
            wrong = [row for row in batch if isinstance(row, BadRow)]
            database.executemany(f"INSERT INTO remits VALUES ({', '.join('?' * len(RemitRow._fields))})", good)  # noqa: S608
            rows, bad, told = rows + len(good), bad + len(wrong), (told + wrong)[:MOST_TOLD]
        database.execute("CREATE INDEX by_claim ON remits (claim)")
        (claims,) = database.execute("SELECT count(DISTINCT claim) FROM remits").fetchone()
        database.commit()
        return RemitFile(file.finished(), rows, claims, bad, tuple(told))


def _batches(rows: Iterable[RemitRow | BadRow]) -> Iterator[list[RemitRow | BadRow]]:
    batch: list[RemitRow | BadRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= _ROWS_AT_ONCE:
            yield batch
            batch = []
    yield batch


class Remittances:
    """The rows of a claim's remittance, for a process that judges claims."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)

    def rows(self, number: str) -> list[RemitRow]:
        """All that the file says of the claim, in its order."""
        wanted = f"SELECT {_FIELDS} FROM remits WHERE claim = ? ORDER BY rowid LIMIT {MOST_ROWS_OF_A_CLAIM}"  # noqa: S608
        return [RemitRow(*row) for row in self._database.execute(wanted, (number,))]

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class Unjoined(NamedTuple):
    """What could not be brought together: claims whose number an earlier one bears, and claim numbers of remittances
    that no claim bears."""

    repeated: int
    remits_without_claim: int


class Numbers:
    """Claim numbers as they are met, on the disk: the first claim of a number gets the remittance of it."""

    def __init__(self, place: Path) -> None:
        self._database = sqlite3.connect(place.with_suffix(".numbers"))
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE numbers (claim TEXT PRIMARY KEY) WITHOUT ROWID;"
        )
        self._database.execute("ATTACH ? AS kept", (f"{place.as_uri()}?mode=ro",))
        self._repeated = 0

    def given(self, chunk: Chunk) -> Chunk:
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
        """What could not be brought together, when every chunk was given its numbers."""
        asked = "SELECT count(DISTINCT claim) FROM kept.remits WHERE claim NOT IN (SELECT claim FROM numbers)"
        self._database.commit()
        (left,) = self._database.execute(asked).fetchone()
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
