"""Looks up codes, localities and providers in the reference tables as of a day, for facts and prices.

Two dates decide. The release in force on the day is used, else the nearest one before it, which `table_status` says.
Of that release, a row is used on its own days (`since`, `until`). Before its first release a loaded table has no rows,
while the rows of a CSV table are used on the days that they state themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from scrubber.dated_rows import in_force, on
from scrubber.reference.fee_rows import (
    ConversionFactor,
    FeeRow,
    Gpci,
    MultipleReduction,
    PaymentShare,
    PlaceOfService,
    ZipLocality,
)
from scrubber.reference.local_coverage import DiagnosisResult, LocalArticle, diagnosis_result, local_articles
from scrubber.reference.releases import Backend, Pair, Release, Silence, TableStatus, Timeline, Windows, within
from scrubber.reference.rows import AddOn, CodeStatus, DiagnosisNote, MeaningOfAbsence, Modifier, Mue, PtpEdit, Taxonomy
from scrubber.reference.tables import (
    ADD_ON,
    ADD_ON_BY_PRIMARY,
    ARTICLE_PROCEDURES,
    CONTRACTORS,
    CONVERSION_FACTORS,
    EVERY_ROW,
    GPCI,
    HCPCS,
    HCPCS_MODIFIERS,
    ICD10CM,
    ICD10CM_HEADERS,
    ICD10CM_NOTES,
    MODIFIERS,
    MPFS,
    MUE,
    MULTIPLE_REDUCTIONS,
    OWN_DAYS_ONLY,
    PAYMENT_SHARES,
    PLACE_OF_SERVICE,
    PROCEDURES,
    PTP,
    TAXONOMY,
    ZIP_DIGITS,
    ZIP_LOCALITY,
    R,
    Table,
    fee_key,
    zip_key,
)

ROWS_CACHED = 16_384  # keys, and keys by day, in each process: about 10 MB each
PAIRS_CACHED = 4_096  # sets of codes with their PTP pairs
PARTNERS_CACHED = 16  # codes with their edits, by day: 100 kB for some
CLASSES_CACHED = 4_096  # taxonomy codes, by day
CATEGORY = 3  # characters of a diagnosis category
TAXONOMY_LENGTHS = range(10, 1, -1)  # longest first: the most exact row wins
_HCPCS_CODE = re.compile(r"[A-CE-V][0-9]{4}").fullmatch  # D is dental, a code set that CMS does not publish
_CPT_CODE = re.compile(r"[0-9]{4}[0-9T]").fullmatch  # not category II (F) and not proprietary laboratory codes (U)


class Reference:
    """Reference data as of any day. It never changes, so results are cached; safe for threads and forks.

    `timeline`, where given, replaces that of the backend's releases. `has_articles`: whether `coverage` can find any.
    """

    def __init__(self, backend: Backend, timeline: Timeline | None = None) -> None:
        self.backend = backend
        self._timeline = timeline or Timeline(backend.releases())
        self.has_articles = self._timeline.has(ARTICLE_PROCEDURES.name)
        self._cached_rows = lru_cache(ROWS_CACHED)(backend.rows)
        self._cached_row = lru_cache(ROWS_CACHED)(self._find_row)
        self._cached_pairs = lru_cache(PAIRS_CACHED)(backend.ptp_among)
        self._cached_edits = lru_cache(PARTNERS_CACHED)(backend.ptp_of)
        self._cached_classes = lru_cache(CLASSES_CACHED)(self._find_class)
        self._cached_articles = lru_cache(ROWS_CACHED)(self._find_articles)

    @cached_property
    def medicaid(self) -> Reference:
        """The same tables, with Medicaid's own NCCI edits in place of Medicare's; none where none are loaded."""
        return Reference(self.backend, self._timeline.for_medicaid())

    def ptp_among(self, codes: Collection[str], first: date, last: date) -> Mapping[Pair, Windows]:
        """The windows of the PTP pairs with both codes in `codes`, by (column 1, column 2).

        They answer for the days from `first` to `last`; windows may be among them that run on other days only.
        """
        spans = self._timeline.spans(PTP.name, first, last)  # none has the days before the first release
        wanted = frozenset(codes)
        if spans and spans[0].first <= first and len({span.release.sha256 for span in spans}) == 1:
            return self._cached_pairs(spans[0].release.sha256, wanted)
        found: dict[Pair, Windows] = {}
        for span in spans:
            for pair, windows in self._cached_pairs(span.release.sha256, wanted).items():
                found[pair] = (*found.get(pair, ()), *within(windows, span))
        return dict(sorted(found.items()))

    def ptp_of(self, code: str, day: date) -> Sequence[PtpEdit]:
        """The PTP edits in force on a day with the code in column 1, by column 2; then in column 2, by column 1."""
        sha256 = self._timeline.sha256_on(PTP.name, day)
        return () if sha256 is None else self._cached_edits(sha256, code, day)

    def add_ons(self, code: str, day: date) -> tuple[AddOn, ...]:
        """The primary codes that an add-on code may be billed with on a day; none when it is no add-on code."""
        return tuple(row for row in self.rows(ADD_ON, code, day) if in_force(row, day))

    def add_ons_of(self, primary: str, day: date) -> tuple[AddOn, ...]:
        """The add-on codes that name a code among those they may be billed with on a day, by code."""
        rows = (row for row in self.rows(ADD_ON_BY_PRIMARY, primary, day) if in_force(row, day))
        return tuple(sorted(rows, key=lambda row: row.code))

    def mue(self, code: str, day: date) -> Mue | None:
        """Medically unlikely edit of a code; None does not mean unlimited, some are confidential."""
        return self._row(MUE, code, day)

    def fee(self, code: str, component: str, day: date) -> FeeRow | None:
        """Fee schedule row of a code's component: "" (all of it), 26, TC or 53."""
        return self._row(MPFS, fee_key(code, component), day)

    def conversion_factor(self, day: date, qualifying_apm: bool) -> ConversionFactor | None:
        """Dollars for one relative value unit, for a qualifying APM participant or any other provider."""
        for row in self.rows(CONVERSION_FACTORS, EVERY_ROW, day):
            if row.qualifying_apm in (None, qualifying_apm) and in_force(row, day):
                return row
        return None

    def multiple_reduction(self, multiple: str, part: str, day: date) -> MultipleReduction | None:
        """What is taken off a part of all but the first service of a day with a multiple procedure indicator."""
        for row in self.rows(MULTIPLE_REDUCTIONS, multiple, day):
            if row.part == part and in_force(row, day):
                return row
        return None

    def payment_share(self, name: str, day: date) -> PaymentShare | None:
        """A share of a fee by what it is for."""
        return self._row(PAYMENT_SHARES, name, day)

    def gpci(self, locality: str, day: date) -> Gpci | None:
        """Practice cost indices of a locality "CCCCC-LL"."""
        return self._row(GPCI, locality, day)

    def locality_of_zip(self, zip: str, day: date) -> ZipLocality | None:
        """Contractor and locality of a ZIP code of 5 or 9 digits; rows of nine digits go before rows of five.

        A row with `nine_digits_decide` is uncertain. It is not returned where all rows of nine digits that begin with
        these five agree: then one of those is.
        """
        for code in dict.fromkeys((zip, zip[:ZIP_DIGITS])):
            rows = self.rows(ZIP_LOCALITY, zip_key(code), day)
            found = on((row for row in rows if row.zip_from <= code <= row.zip_to), day)
            if found is not None:
                return (self._agreed(code, day) or found) if found.nine_digits_decide else found
        return None

    def _agreed(self, five: str, day: date) -> ZipLocality | None:
        """A row of nine digits, where all rows in force that begin with these five are of one locality."""
        rows = [row for row in self.rows(ZIP_LOCALITY, five, day) if in_force(row, day)]
        return rows[0] if len({row.locality for row in rows}) == 1 else None

    def contractors_of_state(self, state: str, day: date) -> tuple[str, ...]:
        """Numbers of the Part B contractors of a state; several where it is split, none where it is unknown."""
        return tuple(row.contractor for row in self.rows(CONTRACTORS, state, day) if in_force(row, day))

    def procedure(self, code: str, day: date) -> CodeStatus:
        """The status of a CPT or HCPCS code on a day; a row of the fee schedule alone makes it in force."""
        known = self._known(PROCEDURES, code, day)
        if known == "unknown":
            known = self._known(HCPCS, code, day)
        return "in-force" if known == "unknown" and self.fee(code, "", day) is not None else known

    def absence(self, code: str, day: date) -> MeaningOfAbsence:
        """What it means that `procedure` finds a code unknown on a day, by the releases that are complete for the day.

        HCPCS Level II is a code set: its table lists every code of its form. The fee schedule is not: laboratory codes
        have only units edits, and proprietary ones (four digits and U) are in neither table.
        """
        if _HCPCS_CODE(code):
            return "not-listed" if self.is_complete(HCPCS.name, day) else "unknown"
        if _CPT_CODE(code) and self.is_complete(MPFS.name, day) and self.mue(code, day) is None:
            return "not-on-fee-schedule"
        return "unknown"

    def is_complete(self, table: str, day: date) -> bool:
        """Whether a code that the table lacks does not exist on a day: its release is complete for the day."""
        table_status = self.table_status(table, day)
        return table_status.state == "in-force" and table_status.release is not None and table_status.release.complete

    def diagnosis(self, code: str, day: date) -> CodeStatus:
        """The status of an ICD-10-CM code (no dot) on a day; codes that are not billable are unknown."""
        return self._known(ICD10CM, code, day)

    def is_diagnosis_header(self, code: str, day: date) -> bool:
        """Whether other ICD-10-CM codes begin with this one (no dot), which is then not billable."""
        return self._row(ICD10CM_HEADERS, code, day) is not None

    def diagnosis_notes(self, code: str, day: date) -> tuple[DiagnosisNote, ...]:
        """The notes of the tabular list at an ICD-10-CM code (no dot) and at all its leading parts."""
        beginnings = (code[:length] for length in range(CATEGORY, len(code) + 1))
        return tuple(note for key in beginnings for note in self.rows(ICD10CM_NOTES, key, day) if in_force(note, day))

    def modifier(self, code: str, day: date) -> Modifier | None:
        """A modifier that is in force."""
        found = self._row(MODIFIERS, code, day)
        listed = self._row(HCPCS_MODIFIERS, code, day) if found is None else None
        return found if listed is None else Modifier(code, "", listed.since, listed.until, listed.source)

    def place_of_service(self, code: str, day: date) -> PlaceOfService | None:
        """A place of service that is in force, with the rate that it pays."""
        return self._row(PLACE_OF_SERVICE, code, day)

    def taxonomy(self, code: str, day: date) -> Taxonomy | None:
        """Class of a provider by the row with the longest prefix of the taxonomy code; None: no class is known."""
        return self._cached_classes(code, day)

    def coverage(self, code: str, contractor: str | None, day: date) -> tuple[LocalArticle, ...]:
        """The local coverage articles of a contractor (number; None: of any) in force that list a code, by id."""
        every = self._cached_articles(code, day)
        return tuple(each for each in every if contractor is None or contractor in each.contractors)

    def article_diagnoses(self, article: LocalArticle, diagnoses: Collection[str], day: date) -> DiagnosisResult:
        """Diagnoses (no dots) compared with the lists of an article; `decides` of the article is not considered."""
        return diagnosis_result(article, diagnoses, day, self.rows)

    def table_status(self, table: str, day: date) -> TableStatus:
        """Whether a table, by its name in `tables.TABLES`, has a release in force on a day."""
        return self._timeline.status(table, day)

    def silent(self, table: str, day: date) -> Silence | None:
        """Why a table cannot be used for a day; None: it can, if only by rows that are carried forward.

        A list of diagnoses is used on its own days only, since codes come and go every year.
        """
        table_status = self._timeline.status(table, day)
        if table_status.release is None:
            return "no-table"
        reached = table_status.state == "in-force" or (
            table_status.state != "before-first-release" and table not in OWN_DAYS_ONLY
        )
        return None if reached else "table-does-not-reach"

    def answering(self, table: str, first: date, last: date) -> tuple[Release, ...]:
        """The releases of a table in use on a day from `first` to `last`, and those that `table_status` names."""
        ends = [self._timeline.status(table, day).release for day in (first, last)]
        between = [span.release for span in self._timeline.spans(table, first, last)]
        return tuple(dict.fromkeys(release for release in (ends[0], *between, ends[1]) if release is not None))

    def unchanged_since(self, day: date) -> date:
        """The first day since which no release of any table has begun until `day`: `answering` is the same for both."""
        return self._timeline.unchanged_since(day)

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""
        return self._timeline.releases

    def answering_everywhere(self, releases: Iterable[Release]) -> Reference:
        """The same tables, except that each of these releases is the only one of its table, on all days."""
        return Reference(self.backend, self._timeline.with_alone(releases))

    def rows(self, table: Table[R], key: str, day: date) -> tuple[R, ...]:
        """Every row under a key of the release in use on a day, whatever days the rows themselves state."""
        sha256 = self._timeline.sha256_on(table.owner, day)
        return () if sha256 is None else self._cached_rows(table, sha256, key)

    def _row(self, table: Table[R], key: str, day: date) -> R | None:
        found: R | None = self._cached_row(table, key, day)
        return found

    def _find_row(self, table: Table[Any], key: str, day: date) -> Any:
        return on(self.rows(table, key, day), day)

    def _known(self, table: Table[Any], code: str, day: date) -> CodeStatus:
        rows = self.rows(table, code, day)
        if not rows or self.table_status(table.name, day).state == "before-first-release":
            return "unknown"
        if on(rows, day) is not None:
            return "in-force"
        begun = any(row.since is None or row.since <= day for row in rows)
        return "ended" if begun else "not-yet-in-force"

    def _find_articles(self, code: str, day: date) -> tuple[LocalArticle, ...]:
        return local_articles(code, day, self.rows)

    def _find_class(self, code: str, day: date) -> Taxonomy | None:
        for length in TAXONOMY_LENGTHS:
            found = on(self.rows(TAXONOMY, code[:length], day), day)
            if found is not None:
                return found
        return None
