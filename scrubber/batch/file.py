"""The whole path for a file of claims without a service: chunks in several processes, one file of results in order.

Killed at any moment, the next run goes on where the last one left off, and the output is that of a run that was not
disturbed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from scrubber import __version__
from scrubber.batch.crew import Lost, in_order
from scrubber.batch.cut import Cut, cut_lines, pieces, rows_of
from scrubber.batch.job import BYTES_A_CHUNK, OBJECTS_A_CHUNK, OBJECTS_A_CLAIM, ROWS_A_CHUNK, Chunk, Tally
from scrubber.batch.notes import CannotContinue, Mark, Notes
from scrubber.batch.run import FATAL, FATAL_DEATHS, reject, scrub_rows
from scrubber.claim import Claim
from scrubber.errors import ScrubberError
from scrubber.findings import ScrubResult, Switches
from scrubber.scrub import Scrubber

BYTES_A_MARK = 32_000_000  # of results between two notes of how far it is
MOST_FATAL = 10  # rows of a chunk at which processes ended; where there are more, it is not the rows

Told = Callable[[int, int, int], None]  # rows done, rows done before this run, rows in all


class ProcessEnded(ScrubberError):
    """Processes end whatever they scrub; the message says at which rows."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a file is scrubbed. `received_on` stands in for claims that do not say."""

    received_on: date
    switches: Switches
    most_row_bytes: int


class _Scrubbed(NamedTuple):
    """What a process made of a chunk."""

    results: bytes
    tally: Tally


def scrub_file(claims: Path, output: Path, scrubber: Scrubber, terms: Terms, jobs: int, told: Told) -> Tally:
    """Results of every row of NDJSON in `claims`, in `output`; goes on where an earlier run left off.

    Raises CannotContinue, ProcessEnded, OSError.
    """
    cut, sha256 = _cut(claims, terms)
    notes = Notes(output, _rests_on(sha256, scrubber, terms))
    mark = notes.read()
    if output.exists() and (mark is None or mark.chunks < len(cut.chunks) or notes.part.exists()):
        raise CannotContinue(f"{output} is there already; remove it, or choose another file")
    mark = mark or Mark()
    if not output.exists():
        mark = _go_on(cut, mark, _Work(claims, scrubber, terms), jobs, notes, told)
        notes.part.rename(output)
    notes.remove()
    return mark.tally


def received_on_before(output: Path) -> date | None:
    """The day of receipt that an earlier run of this output began with. Raises CannotContinue."""
    rests_on = Notes(output, {}).rested_on()
    return date.fromisoformat(rests_on["received on"]) if rests_on else None


def _cut(claims: Path, terms: Terms) -> tuple[Cut, str]:
    """The chunks of a file, and the SHA-256 of its bytes."""
    hashing = hashlib.sha256()

    def hashed(stream: BinaryIO) -> Iterator[bytes]:
        for piece in pieces(stream):
            hashing.update(piece)
            yield piece

    with claims.open("rb") as stream:
        cut = cut_lines(hashed(stream), terms.most_row_bytes, most_rows=None)
    return cut, hashing.hexdigest()


def _rests_on(sha256: str, scrubber: Scrubber, terms: Terms) -> dict[str, Any]:
    """All that the results depend on, by what it is called in a message."""
    releases = sorted(
        (release.table, release.name, release.sha256) for release in scrubber.reference.backend.releases()
    )
    return {
        "claims": sha256,
        "program": __version__,
        "rules": scrubber.rulebook.digest,
        "reference data": hashlib.sha256(orjson.dumps(releases)).hexdigest(),
        "received on": terms.received_on.isoformat(),
        "SCRUBBER_STALE_AFTER": scrubber.stale_after,
        "enabled rules": sorted(terms.switches.enable),
        "disabled rules": sorted(terms.switches.disable),
        "largest claim": terms.most_row_bytes,
        "sizes of chunks": [ROWS_A_CHUNK, BYTES_A_CHUNK, OBJECTS_A_CHUNK, OBJECTS_A_CLAIM],
    }


def _go_on(cut: Cut, mark: Mark, work: _Work, jobs: int, notes: Notes, told: Told) -> Mark:
    """The chunks that are left. Returns the mark at the end."""
    before, noted = mark.tally.rows, mark
    with notes.open_part(mark) as part:
        try:
            for made in _made(cut.chunks[mark.chunks :], work, jobs):
                part.write(made.results)
                mark = Mark(mark.chunks + 1, mark.written + len(made.results), mark.tally.plus(made.tally))
                if mark.written - noted.written >= BYTES_A_MARK:
                    notes.write(part, mark)
                    noted = mark
                told(mark.tally.rows, before, cut.rows)
        finally:
            notes.write(part, mark)
    return mark


def _made(chunks: Sequence[Chunk], work: _Work, jobs: int) -> Iterator[_Scrubbed]:
    """What comes out of each chunk. One whose process ended is done again, a row at a time. Raises ProcessEnded."""
    done = 0
    while done < len(chunks):
        try:
            for made in in_order(work, chunks[done:], jobs):
                done += 1
                yield made
        except Lost:
            done += 1
            yield _a_row_at_a_time(chunks[done - 1], work)


def _a_row_at_a_time(chunk: Chunk, work: _Work) -> _Scrubbed:
    """A chunk of which a row may end its process; that row is rejected, as in a batch. Raises ProcessEnded."""
    rows = [*work.rows(chunk)]
    made: list[_Scrubbed] = []
    deaths: Counter[int] = Counter()
    while len(made) < len(rows):
        try:
            for one in in_order(lambda place: work.scrubbed([rows[place]]), range(len(made), len(rows)), 1):
                made.append(one)
        except Lost:
            number, _ = rows[len(made)]
            deaths[number] += 1
            if deaths[number] < FATAL_DEATHS:
                continue
            if len(deaths) > MOST_FATAL:
                raise _ended(rows) from None
            made.append(_Scrubbed(reject(number, FATAL), Tally(rejected=1)))
    return _Scrubbed(b"".join(one.results for one in made), reduce(Tally.plus, (one.tally for one in made)))


def _ended(rows: Sequence[tuple[int, bytes | None]]) -> ProcessEnded:
    (first, _), (last, _) = rows[0], rows[-1]
    return ProcessEnded(
        f"process after process ended while it scrubbed rows {first} to {last}; see whether the machine has "
        "memory left, and run it again to go on"
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process does with a chunk."""

    claims: Path
    scrubber: Scrubber
    terms: Terms

    def __call__(self, chunk: Chunk) -> _Scrubbed:
        return self.scrubbed(self.rows(chunk))

    def rows(self, chunk: Chunk) -> Iterator[tuple[int, bytes | None]]:
        """The rows of a chunk, each with its number."""
        with self.claims.open("rb") as stream:
            stream.seek(chunk.start)
            return rows_of(chunk, stream.read(chunk.stop - chunk.start))

    def scrubbed(self, rows: Iterable[tuple[int, bytes | None]]) -> _Scrubbed:
        """What comes out of some of them."""
        outcome = scrub_rows(iter(rows), self._scrub, lambda _row: None)
        return _Scrubbed(outcome.results, outcome.tally)

    def _scrub(self, claim: Claim) -> ScrubResult:
        terms = self.terms
        return self.scrubber.scrub(claim, claim.context.received_on or terms.received_on, terms.switches)
