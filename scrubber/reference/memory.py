"""Look-ups of facts and money: reference rows in memory, for tables typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import OTHER_WAY, PTP, PTP_BY_COLUMN2, R, Table
from scrubber.reference.edit_rows import NEVER, PtpEdit
from scrubber.reference.releases import Release
from scrubber.tables import in_force

_Keyed = dict[str, tuple[Any, ...]]


class MemoryBackend:
    """Rows in dicts by table and key: one part a table, whatever name it is asked by."""

    def __init__(self, tables: Mapping[Table[Any], Sequence[Any]], releases: Iterable[Release]) -> None:
        self._releases = tuple(releases)
        self._rows = {table: _by_key(table, rows) for table, rows in tables.items()}
        self._rows |= {
            OTHER_WAY[table.name]: _by_key(OTHER_WAY[table.name], rows)
            for table, rows in tables.items()
            if table.name in OTHER_WAY
        }
        self._partners = _partners(self._rows.get(PTP, {}))

    def rows(self, table: Table[R], _part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._rows.get(table, {}).get(key, ())

    def ptp_among(self, _part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. Most codes are column 1 of nothing, so this costs one look-up per code."""
        found: dict[Pair, Windows] = {}
        for column1 in codes:
            partners = self._partners.get(column1)
            if partners:
                for column2 in codes & partners.keys():
                    found[column1, column2] = partners[column2]
        return dict(sorted(found.items())) if len(found) > 1 else found

    def ptp_of(self, part: str, code: str, day: date) -> Windows:
        """See Backend."""
        windows = (*self.rows(PTP, part, code), *self.rows(PTP_BY_COLUMN2, part, code))
        return tuple(edit for edit in windows if edit.indicator != NEVER and in_force(edit, day))

    def every(self, table: Table[R], _part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
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
