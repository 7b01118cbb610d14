"""Look-ups of facts and money: loaded tables laid over tables typed by hand, each replaced whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from scrubber.reference.backend import Backend, Pair, Windows
from scrubber.reference.catalogue import PTP, R, Table, rows_lie_in
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.releases import Release


class LayeredBackend:
    """The tables that `over` has a release of, and the others of `under`."""

    def __init__(self, over: Backend, under: Backend) -> None:
        self._under = under
        replaced = {release.table for release in over.releases()}
        # By part as well: of Medicaid's edits and Medicare's, which lie alike, one may be loaded and the other typed.
        self._over = {(rows_lie_in(release.table), release.sha256): over for release in over.releases()}
        kept = [release for release in under.releases() if release.table not in replaced]
        every = (*over.releases(), *kept)
        self._releases = tuple(sorted(every, key=lambda release: (release.table, release.since or date.min)))

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._of(table, part).rows(table, part, key)

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        return self._of(PTP, part).ptp_among(part, codes)

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend."""
        return self._of(PTP, part).ptp_of(part, code, day)

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        return self._of(table, part).every(table, part)

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _of(self, table: Table[R], part: str) -> Backend:
        return self._over.get((table.owner, part), self._under)
