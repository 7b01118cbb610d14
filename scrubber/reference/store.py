"""Look-ups of facts and money: what the reference tables say of a code, a place or a provider on one day.

How dates combine: a row answers on its own days (`since`, `until`); `standing` tells whether the day lies in a release,
so that an answer carried past the last release can say so. Before the first release nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from scrubber.reference.backend import Backend, Pair, Windows
from scrubber.reference.catalogue import (
    CONTRACTORS,
    CONVERSION_FACTORS,
    EVERY_ROW,
    GPCI,
    ICD10CM,
    MODIFIERS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PROCEDURES,
    TABLES,
    TAXONOMY,
    ZIP_LOCALITY,
    ZIP_PREFIX,
    R,
    Table,
    fee_key,
)
from scrubber.reference.rows import (
    ConversionFactor,
    FeeRow,
    Gpci,
    Known,
    Modifier,
    Mue,
    Place,
    Release,
    TableStanding,
    Taxonomy,
    ZipLocality,
)
from scrubber.tables import in_force, on

ROWS_KEPT = 16_384  # keys whose rows a process remembers, about 10 MB
PAIRS_KEPT = 4_096  # sets of codes whose PTP pairs a process remembers
CLASSES_KEPT = 4_096  # taxonomy codes, by day
DAYS_KEPT = 16_384  # days, by table
TAXONOMY_LENGTHS = range(10, 1, -1)  # longest first: the most exact row wins


class Reference:
    """Reference data as of any day. Never changes, so what it once found it remembers; safe for threads and forks."""

    def __init__(self, backend: Backend) -> None:
        self._releases = backend.releases()
        self._releases_of = {
            name: tuple(release for release in self._releases if release.table == name) for name in TABLES
        }
        self._kept_rows: Callable[[Table[Any], str], tuple[Any, ...]] = lru_cache(ROWS_KEPT)(backend.rows)
        self._kept_pairs = lru_cache(PAIRS_KEPT)(backend.ptp_among)
        self._kept_classes = lru_cache(CLASSES_KEPT)(self._find_class)
        self._kept_standing = lru_cache(DAYS_KEPT)(self._find_standing)

    def ptp_among(self, codes: Collection[str]) -> Mapping[Pair, Windows]:
        """Every window, of any date, of the PTP pairs with both codes in `codes`, by (column 1, column 2)."""
        return self._kept_pairs(frozenset(codes))

    def mue(self, code: str, day: date) -> Mue | None:
        """Medically unlikely edit of a code; None does not mean unlimited, some are confidential."""
        return on(self._rows(MUE, code), day)

    def fee(self, code: str, component: str, day: date) -> FeeRow | None:
        """Fee schedule row of a code's component: "" (all of it), 26, TC or 53."""
        return on(self._rows(MPFS, fee_key(code, component)), day)

    def conversion_factor(self, day: date, qualifying_apm: bool) -> ConversionFactor | None:
        """Dollars for one relative value unit, for a qualifying APM participant or any other provider."""
        for row in self._rows(CONVERSION_FACTORS, EVERY_ROW):
            if row.qualifying_apm in (None, qualifying_apm) and in_force(row, day):
                return row
        return None

    def gpci(self, locality: str, day: date) -> Gpci | None:
        """Practice cost indices of a locality "CCCCC-LL"."""
        return on(self._rows(GPCI, locality), day)

    def locality_of_zip(self, zip: str, day: date) -> ZipLocality | None:
        """Contractor and locality of a ZIP code of 5 or 9 digits."""
        zip5 = zip[:5]
        rows = self._rows(ZIP_LOCALITY, zip5[:ZIP_PREFIX])
        return on((row for row in rows if row.zip_from <= zip5 <= row.zip_to), day)

    def contractors_of_state(self, state: str, day: date) -> tuple[str, ...]:
        """Numbers of the Part B contractors of a state; several where it is split, none where it is unknown."""
        return tuple(row.contractor for row in self._rows(CONTRACTORS, state) if in_force(row, day))

    def procedure(self, code: str, day: date) -> Known:
        """What the tables know of a CPT or HCPCS code on a day."""
        return self._known(PROCEDURES, code, day)

    def diagnosis(self, code: str, day: date) -> Known:
        """What the tables know of an ICD-10-CM code (no dot) on a day; only billable codes are known."""
        return self._known(ICD10CM, code, day)

    def modifier(self, code: str, day: date) -> Modifier | None:
        """A modifier that is in force."""
        return on(self._rows(MODIFIERS, code), day)

    def place_of_service(self, code: str, day: date) -> Place | None:
        """A place of service that is in force, with the rate that it pays."""
        return on(self._rows(PLACE_OF_SERVICE, code), day)

    def taxonomy(self, code: str, day: date) -> Taxonomy | None:
        """Class of a provider by the row with the longest prefix of the taxonomy code; None: no class is known."""
        return self._kept_classes(code, day)

    def standing(self, table: str, day: date) -> TableStanding:
        """How `day` lies to the releases of a table, by the table's name in `catalogue.TABLES`."""
        return self._kept_standing(table, day)

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""
        return self._releases

    def _rows(self, table: Table[R], key: str) -> tuple[R, ...]:
        return self._kept_rows(table, key)

    def _known(self, table: Table[Any], code: str, day: date) -> Known:
        rows = self._rows(table, code)
        if not rows or self.standing(table.name, day).word == "before-first-release":
            return "unknown"
        if on(rows, day) is not None:
            return "in-force"
        begun = any(row.since is None or row.since <= day for row in rows)
        return "ended" if begun else "not-yet-in-force"

    def _find_class(self, code: str, day: date) -> Taxonomy | None:
        for length in TAXONOMY_LENGTHS:
            found = on(self._rows(TAXONOMY, code[:length]), day)
            if found is not None:
                return found
        return None

    def _find_standing(self, table: str, day: date) -> TableStanding:
        releases = self._releases_of[table]
        begun = [release for release in releases if release.since is None or release.since <= day]
        if not begun:
            return TableStanding("before-first-release", releases[0] if releases else None)
        last = begun[-1]
        if in_force(last, day):
            return TableStanding("in-force", last)
        return TableStanding("carried-forward" if last.starter else "past-last-release", last)
