"""Scrubs a file of claims without a service, on all cores, and goes on where an earlier run stopped.

Results are gathered in `<output>.part`, and what they rest on and how far they are in `<output>.progress`.

Killed at any moment, the next run goes on where the last one left off, and the output is that of a run that was not
disturbed.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fcntl import LOCK_EX, LOCK_NB, lockf
from functools import partial, reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from scrubber import __version__
from scrubber.batch.model import BYTES_A_CHUNK, OBJECTS_A_CHUNK, OBJECTS_A_CLAIM, ROWS_A_CHUNK, BatchTally, Chunk
from scrubber.batch.scrub_chunk import FATAL, FATAL_DEATHS, reject, scrub_chunk
from scrubber.batch.split import Cut, cut_lines, pieces, rows_of
from scrubber.errors import ScrubberError
from scrubber.findings import Switches
from scrubber.processes import ProcessLost, map_forked
from scrubber.scrub import Receipt, Scrubber, scrub_bytes

PARTIAL, PROGRESS = ".part", ".progress"


class CannotContinue(ScrubberError):
    """What lies at the output rests on something else; the message says on what."""


class Mark(NamedTuple):
    """How far a run is: chunks done, bytes of results written, and what came out."""

    chunks: int = 0
    written: int = 0
    tally: BatchTally = BatchTally()


class Checkpoint:
    """The two files beside an output that is not whole yet. They hold claims: nobody else may read them."""

    def __init__(self, output: Path, rests_on: dict[str, Any]) -> None:
        self.partial = output.with_name(output.name + PARTIAL)
        self._file = output.with_name(output.name + PROGRESS)
        self._output = output
        self._rests_on = rests_on

    def rested_on(self) -> dict[str, Any] | None:
        """What an earlier run rested on, if there was any. Raises CannotContinue for a foreign file."""
        content = self._read_progress()
        return content["rests on"] if content else None

    def read(self) -> Mark | None:
        """How far an earlier run was. Raises CannotContinue when it rests on something else."""
        content = self._read_progress()
        if content is None:
            return None
        if other := [name for name, value in self._rests_on.items() if content["rests on"].get(name) != value]:
            raise CannotContinue(
                f"{self._output} was begun with other {' and '.join(other)}; give what it was begun with, or remove "
                f"{self._file} to begin anew"
            )
        tally = content["tally"]
        return Mark(content["chunks"], content["written"], BatchTally(**tally | {"at_risk": Decimal(tally["at_risk"])}))

    def _read_progress(self) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = orjson.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            content = {}
        if not {"rests on", "chunks", "written", "tally"} <= content.keys():
            raise CannotContinue(f"{self._file} is no progress of an earlier run; remove it, or choose another output")
        return content

    def open_partial(self, mark: Mark) -> BinaryIO:
        """The results so far, as far as they are noted, for this run alone.

        Raises CannotContinue when they are not there, or another run is at them.
        """
        self.partial.touch(mode=0o600)
        partial_file = self.partial.open("r+b")
        try:
            lockf(
                partial_file, LOCK_EX | LOCK_NB
            )  # of this process; its forks, which may outlive it a little, have no share
        except (BlockingIOError, PermissionError):
            partial_file.close()
            raise CannotContinue(f"another run writes {self.partial} just now; wait for its end") from None
        if partial_file.seek(0, os.SEEK_END) < mark.written:
            partial_file.close()
            raise CannotContinue(f"{self.partial} is shorter than it was; remove {self._file} to begin anew")
        partial_file.truncate(mark.written)
        partial_file.seek(mark.written)
        return partial_file

    def write(self, partial_file: BinaryIO, mark: Mark) -> None:
        """Note how far it is; the results are on the disk before the note is."""
        partial_file.flush()
        os.fsync(partial_file.fileno())
        content = {"rests on": self._rests_on, **mark._asdict(), "tally": mark.tally._asdict()}
        unfinished = self._file.with_name(self._file.name + ".new")
        unfinished.write_bytes(orjson.dumps(content, default=str))
        unfinished.replace(self._file)

    def remove(self) -> None:
        """The output is whole."""
        self._file.unlink(missing_ok=True)


BYTES_A_MARK = 32_000_000  # of results between two notes of how far it is
MOST_FATAL = 10  # rows of a chunk at which processes ended; where there are more, it is not the rows

ReportProgress = Callable[[int, int, int], None]  # rows done, rows done before this run, rows in all


class ProcessEnded(ScrubberError):
    """Processes end whatever they scrub; the message says at which rows."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is scrubbed. `received_on` stands in for claims that do not say."""

    received_on: date
    switches: Switches
    most_row_bytes: int


class _ScrubbedChunk(NamedTuple):
    """What a process made of a chunk."""

    results: bytes
    tally: BatchTally


def scrub_file(
    claims: Path, output: Path, scrubber: Scrubber, options: FileOptions, jobs: int, report_progress: ReportProgress
) -> BatchTally:
    """Results of every row of NDJSON in `claims`, in `output`; goes on where an earlier run left off.

    Raises CannotContinue, ProcessEnded, OSError.
    """
    cut, sha256 = _cut(claims, options)
    checkpoint = Checkpoint(output, _rests_on(sha256, scrubber, options))
    mark = checkpoint.read()
    if output.exists() and (mark is None or mark.chunks < len(cut.chunks) or checkpoint.partial.exists()):
        raise CannotContinue(f"{output} is there already; remove it, or choose another file")
    mark = mark or Mark()
    if not output.exists():
        mark = _go_on(cut, mark, _Work(claims, scrubber, options), jobs, checkpoint, report_progress)
        checkpoint.partial.rename(output)
    checkpoint.remove()
    return mark.tally


def received_on_before(output: Path) -> date | None:
    """The day of receipt that an earlier run of this output began with. Raises CannotContinue."""
    rests_on = Checkpoint(output, {}).rested_on()
    return date.fromisoformat(rests_on["received on"]) if rests_on else None


def _cut(claims: Path, options: FileOptions) -> tuple[Cut, str]:
    """The chunks of a file, and the SHA-256 of its bytes."""
    hashing = hashlib.sha256()

    def hashed(stream: BinaryIO) -> Iterator[bytes]:
        for piece in pieces(stream):
            hashing.update(piece)
            yield piece

    with claims.open("rb") as stream:
        cut = cut_lines(hashed(stream), options.most_row_bytes, most_rows=None)
    return cut, hashing.hexdigest()


def _rests_on(sha256: str, scrubber: Scrubber, options: FileOptions) -> dict[str, Any]:
    """All that the results depend on, by what it is called in a message."""
    releases = sorted(
        (release.table, release.name, release.sha256) for release in scrubber.reference.backend.releases()
    )
    return {
        "claims": sha256,
        "program": __version__,
        "rules": scrubber.rulebook.digest,
        "reference data": hashlib.sha256(orjson.dumps(releases)).hexdigest(),
        "received on": options.received_on.isoformat(),
        "SCRUBBER_STALE_AFTER": scrubber.stale_after,
        "enabled rules": sorted(options.switches.enable),
        "disabled rules": sorted(options.switches.disable),
        "largest claim": options.most_row_bytes,
        "sizes of chunks": [ROWS_A_CHUNK, BYTES_A_CHUNK, OBJECTS_A_CHUNK, OBJECTS_A_CLAIM],
    }


def _go_on(
    cut: Cut, mark: Mark, work: _Work, jobs: int, checkpoint: Checkpoint, report_progress: ReportProgress
) -> Mark:
    """The chunks that are left. Returns the mark at the end."""
    before, saved = mark.tally.rows, mark
    with checkpoint.open_partial(mark) as partial_file:
        try:
            for scrubbed in _scrubbed_chunks(cut.chunks[mark.chunks :], work, jobs):
                partial_file.write(scrubbed.results)
                mark = Mark(mark.chunks + 1, mark.written + len(scrubbed.results), mark.tally.plus(scrubbed.tally))
                if mark.written - saved.written >= BYTES_A_MARK:
                    checkpoint.write(partial_file, mark)
                    saved = mark
                report_progress(mark.tally.rows, before, cut.rows)
        finally:
            checkpoint.write(partial_file, mark)
    return mark


def _scrubbed_chunks(chunks: Sequence[Chunk], work: _Work, jobs: int) -> Iterator[_ScrubbedChunk]:
    """What comes out of each chunk. One whose process ended is done again, a row at a time. Raises ProcessEnded."""
    done = 0
    while done < len(chunks):
        try:
            for scrubbed in map_forked(work, chunks[done:], jobs):
                done += 1
                yield scrubbed
        except ProcessLost:
            done += 1
            yield _a_row_at_a_time(chunks[done - 1], work)


def _a_row_at_a_time(chunk: Chunk, work: _Work) -> _ScrubbedChunk:
    """A chunk of which a row may end its process; that row is rejected, as in a batch. Raises ProcessEnded."""
    rows = [*work.rows(chunk)]
    scrubbed: list[_ScrubbedChunk] = []
    deaths: Counter[int] = Counter()
    while len(scrubbed) < len(rows):
        try:
            for one in map_forked(lambda place: work.scrubbed([rows[place]]), range(len(scrubbed), len(rows)), 1):
                scrubbed.append(one)
        except ProcessLost:
            number, _ = rows[len(scrubbed)]
            deaths[number] += 1
            if deaths[number] < FATAL_DEATHS:
                continue
            if len(deaths) > MOST_FATAL:
                raise _ended(rows) from None
            scrubbed.append(_ScrubbedChunk(reject(number, FATAL), BatchTally(rejected=1)))
    return _ScrubbedChunk(
        b"".join(one.results for one in scrubbed), reduce(BatchTally.plus, (one.tally for one in scrubbed))
    )


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
    options: FileOptions

    def __call__(self, chunk: Chunk) -> _ScrubbedChunk:
        return self.scrubbed(self.rows(chunk))

    def rows(self, chunk: Chunk) -> Iterator[tuple[int, bytes | None]]:
        """The rows of a chunk, each with its number."""
        with self.claims.open("rb") as stream:
            stream.seek(chunk.start)
            return rows_of(chunk, stream.read(chunk.stop - chunk.start))

    def scrubbed(self, rows: Iterable[tuple[int, bytes | None]]) -> _ScrubbedChunk:
        """What comes out of some of them."""
        receipt = Receipt(self.options.received_on)
        scrub = partial(scrub_bytes, scrubber=self.scrubber, receipt=receipt, switches=self.options.switches)
        outcome = scrub_chunk(iter(rows), scrub, lambda _row: None)
        return _ScrubbedChunk(outcome.results, outcome.tally)
