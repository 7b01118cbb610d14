"""Reads reference tables from CSV files, one for each table, with `releases.csv` beside them; held in memory.

The starter set ships with the program. A folder of the same layout replaces a starter table by having a file for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.dated_rows import in_force, read_rows
from scrubber.errors import Fault, Faults
from scrubber.reference.fee_rows import ZipLocality
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.rows import NEVER, PtpEdit
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, SECOND_KEYS, TABLES, ZIP_PREFIX, R, Table

_Keyed = dict[str, tuple[Any, ...]]


class MemoryBackend:
    """A Backend with rows in dicts by table and key. SHA-256 is ignored: a table has one file."""

    def __init__(self, tables: Mapping[Table[Any], Sequence[Any]], releases: Iterable[Release]) -> None:
        self._releases = tuple(releases)
        self._rows = {table: _by_key(table, rows) for table, rows in tables.items()}
        self._rows |= {
            SECOND_KEYS[table.name]: _by_key(SECOND_KEYS[table.name], rows)
            for table, rows in tables.items()
            if table.name in SECOND_KEYS
        }
        self._partners = _partners(self._rows.get(PTP, {}))

    def rows(self, table: Table[R], _sha256: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._rows.get(table, {}).get(key, ())

    def ptp_among(self, _sha256: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. Most codes are column 1 of no pair, so this costs one look-up for each code."""
        found: dict[Pair, Windows] = {}
        for column1 in codes:
            partners = self._partners.get(column1)
            if partners:
                for column2 in codes & partners.keys():
                    found[column1, column2] = partners[column2]
        return dict(sorted(found.items())) if len(found) > 1 else found

    def ptp_of(self, sha256: str, code: str, day: date) -> Windows:
        """See Backend."""
        windows = (*self.rows(PTP, sha256, code), *self.rows(PTP_BY_COLUMN2, sha256, code))
        return tuple(edit for edit in windows if edit.indicator != NEVER and in_force(edit, day))

    def every(self, table: Table[R], _sha256: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        yield from sorted(self._rows.get(table, {}).items())

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases


def _by_key(table: Table[Any], rows: Iterable[Any]) -> _Keyed:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(table.key(row), []).append(row)
    if table.owner == PTP.name:
        for edits in grouped.values():
            edits.sort(key=_by_codes_and_day)
    return {key: tuple(found) for key, found in grouped.items()}


def _by_codes_and_day(edit: PtpEdit) -> tuple[str, str, date]:
    return edit.column1, edit.column2, edit.since or date.min


def _partners(edits: _Keyed) -> dict[str, dict[str, Windows]]:
    partners: dict[str, dict[str, Windows]] = {}
    for column1, windows in edits.items():
        of_column1 = partners.setdefault(column1, {})
        for edit in windows:
            of_column1[edit.column2] = (*of_column1.get(edit.column2, ()), edit)
    return partners


STARTER = Path(__file__).parent / "starter"
RELEASES = "releases.csv"


class TypedTables(NamedTuple):
    """Rows of every table, and the releases that they came from, by table and first day."""

    tables: Mapping[Table[Any], tuple[Any, ...]]
    releases: tuple[Release, ...]


class ReleaseLine(NamedTuple):
    """A row of `releases.csv`: the publication that a table's rows were taken from."""

    table: str
    name: str
    since: date | None
    until: date | None
    source: str


def read_contents(folder: Path | None) -> TypedTables:
    """The starter tables, replaced by those that `folder` has files of. Raises Faults with all that is wrong."""
    starter = read_folder(STARTER, starter=True)
    if folder is None:
        return starter
    own = read_folder(folder, starter=False)
    replaced = {table.name for table in own.tables}
    others = [release for release in starter.releases if release.table not in replaced]
    return TypedTables({**starter.tables, **own.tables}, _in_order([*others, *own.releases]))


def read_folder(folder: Path, starter: bool) -> TypedTables:
    """The tables that `folder` has files of. Raises Faults with all that is wrong in any of them."""
    faults: list[Fault] = []
    present = [table for table in TABLES.values() if (folder / table.file_name).is_file()]
    tables = {table: _read(folder / table.file_name, table, faults) for table in present}
    counts = {table.name: len(rows) for table, rows in tables.items()}
    releases = _read_releases(folder, counts, starter, faults)
    if faults:
        raise Faults(faults)
    return TypedTables(tables, releases)


def _read(path: Path, table: Table[Any], faults: list[Fault]) -> tuple[Any, ...]:
    try:
        rows = read_rows(path, table.row_type, table.unique)
    except Faults as failure:
        faults += failure.faults
        return ()
    if table.row_type is ZipLocality and not all(map(_is_zip_range, rows)):
        faults.append(Fault(str(path), 0, f"has a ZIP range whose ends do not share their first {ZIP_PREFIX} digits"))
    return rows


def _is_zip_range(row: ZipLocality) -> bool:
    return row.zip_from[:ZIP_PREFIX] == row.zip_to[:ZIP_PREFIX] and row.zip_from <= row.zip_to


def _read_releases(folder: Path, counts: Mapping[str, int], starter: bool, faults: list[Fault]) -> tuple[Release, ...]:
    """The releases in `releases.csv`. `counts`: the number of rows of each table that has a file."""
    path = folder / RELEASES
    if not counts and not path.exists():
        return ()
    try:
        lines = read_rows(path, ReleaseLine, ("table",))
    except Faults as failure:
        faults += failure.faults
        return ()
    faults += [
        Fault(str(path), 0, f"names no release of {name}, whose file is there")
        for name in counts.keys() - {line.table for line in lines}
    ]
    faults += [
        Fault(str(path), 0, f"names a release of {name}, whose file is not there")
        for name in {line.table for line in lines} - counts.keys()
    ]
    digests = {name: _digest(folder, name, [line for line in lines if line.table == name]) for name in counts}
    return _in_order([_release(line, digests, counts.get(line.table, 0), starter) for line in lines])


def _digest(folder: Path, table: str, releases: Iterable[ReleaseLine]) -> str:
    """SHA-256 of a table's file and of the names and days of its releases, which decide results as its rows do."""
    days = "\n".join(f"{line.name},{line.since},{line.until}" for line in releases)
    return hashlib.sha256((folder / f"{table}.csv").read_bytes() + days.encode()).hexdigest()


def _release(line: ReleaseLine, digests: Mapping[str, str], rows: int, starter: bool) -> Release:
    digest = digests.get(line.table, "")
    return Release(line.table, line.name, line.since, line.until, digest, starter, line.source, rows)


def _in_order(releases: list[Release]) -> tuple[Release, ...]:
    return tuple(sorted(releases, key=lambda release: (release.table, release.since or date.min)))
