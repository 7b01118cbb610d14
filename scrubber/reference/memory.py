"""Look-ups of facts and money: reference rows in memory, for tables typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import PTP, R, Table
from scrubber.reference.rows import PtpEdit, Release


class MemoryBackend:
    """Rows in dicts by table and key."""

    def __init__(self, tables: Mapping[Table[Any], Sequence[Any]], releases: Iterable[Release]) -> None:
        self._releases = tuple(releases)
        self._rows = {table: _by_key(table, rows) for table, rows in tables.items()}
        self._partners = _partners(tables.get(PTP, ()))

    def rows(self, table: Table[R], key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._rows[table].get(key, ())

    def ptp_among(self, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. Most codes are column 1 of nothing, so this costs one look-up per code."""
        found: dict[Pair, Windows] = {}
        for column1 in codes:
            partners = self._partners.get(column1)
            if partners:
                for column2 in codes & partners.keys():
                    found[column1, column2] = partners[column2]
        return dict(sorted(found.items())) if len(found) > 1 else found

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases


def _by_key(table: Table[Any], rows: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    grouped: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        key = table.key(row)
        grouped[key] = (*grouped.get(key, ()), row)
    return grouped


def _partners(edits: Iterable[PtpEdit]) -> dict[str, dict[str, Windows]]:
    partners: dict[str, dict[str, Windows]] = {}
    for edit in edits:
        of_column1 = partners.setdefault(edit.column1, {})
        of_column1[edit.column2] = (*of_column1.get(edit.column2, ()), edit)
    return partners
