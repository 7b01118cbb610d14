"""Runs a back-test: judges the claims of a file by both rulebooks, and compares findings with remittances."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scrubber.backtest.compare import RulebookComparison, open_comparison
from scrubber.backtest.denials import claim_outcome
from scrubber.backtest.files import LONGEST_ROW, FileChunk, InputFile, opened, read_chunks
from scrubber.backtest.remittances import ClaimNumbers, RemitFile, Remittances, Unjoined, load_remits
from scrubber.backtest.rulebooks import Choice, Rulebooks, open_rulebooks
from scrubber.backtest.tally import MOST_REPORTED, Tally, count_claim, count_outcome
from scrubber.claim import read_claim
from scrubber.errors import BackTestStopped, ConfigError, Faults, NotAClaim, NotJson, describe_failure
from scrubber.processes import ProcessLost, map_spawned
from scrubber.reference import open_reference
from scrubber.reference.releases import Release
from scrubber.scrub import Receipt


class ChunkJudge:
    """Judges the rows of a file by chunks. `run_on` is the day of receipt for claims without one; `tested` are ids."""

    def __init__(
        self, comparison: RulebookComparison, run_on: date, remittances: Remittances | None, tested: Iterable[str]
    ) -> None:
        self._tested = frozenset(tested)
        self._comparison = comparison
        self._run_on = run_on
        self._remittances = remittances

    def chunk(self, chunk: FileChunk) -> Tally:
        """The tally of a chunk. A row that is no claim is counted, and the others go on."""
        tally = Tally()
        for index, data in enumerate(chunk.rows):
            tally.counts["rows"] += 1
            if data != b"":
                trouble = self._row(tally, data, chunk.numbers[index], chunk.first + index)
                if trouble and len(tally.reported) < MOST_REPORTED:
                    tally.reported.append((chunk.first + index, trouble))
        return tally

    def _row(self, tally: Tally, data: bytes | None, number: str | None, row: int) -> str | None:
        """Counts one row; returns what is wrong with it."""
        counter = "no claim"
        try:
            if data is None:
                raise NotJson(LONGEST_ROW, 1, LONGEST_ROW)
            self._claim(tally, data, number, row)
        except NotJson as error:
            trouble = "is too long to be a claim" if data is None else f"is no JSON from column {error.column} on"
        except NotAClaim as error:
            first = error.problems[0]
            trouble = f"is no claim: {first.pointer or 'the body'} {first.message}"
        except Exception as error:  # noqa: BLE001  one claim that we fail on must not lose the others; it is reported
            counter, failure = "failed", describe_failure(error)
            trouble = f"made the program fail: {failure['error']} in {failure['frames'][-1]}; please report it"
        else:
            return None
        tally.counts[counter] += 1
        return trouble

    def _claim(self, tally: Tally, data: bytes, number: str | None, row: int) -> None:
        claim = read_claim(data)
        judged = self._comparison.judge(claim, Receipt(self._run_on).day(claim))
        rows = self._remittances.rows(number) if self._remittances and number else None
        tally.counts["claims"] += 1
        tally.counts["received on the day of the run"] += claim.context.received_on is None
        count_claim(tally, claim, judged, row)
        if rows:
            count_outcome(tally, claim, judged, claim_outcome(claim, rows), row, self._tested)
        elif self._remittances:
            tally.counts["claims without a remittance"] += 1
            tally.counts["claims without a number"] += claim.patient_control_number is None


ReportProgress = Callable[[int, float], None]  # rows so far, how much of the file (0 to 1)


class Setup(NamedTuple):
    """What each process opens for itself. `digests` are of the rulebooks that the first process opened."""

    choice: Choice
    reference: str | None
    run_on: date
    remittances: Path | None
    digests: tuple[str, str | None]


class BackTestRun(NamedTuple):
    """The result of a back-test. `shared_facts`: both rulebooks judged the same facts. `run_on` is its day."""

    rulebooks: Rulebooks
    releases: tuple[Release, ...]
    shared_facts: bool
    run_on: date
    claims: InputFile
    remits: RemitFile | None
    unjoined: Unjoined | None
    tally: Tally


def back_test(
    choice: Choice,
    reference: str | None,
    claims: Path,
    remits: Path | None,
    run_on: date,
    jobs: int,
    progress: ReportProgress,
) -> BackTestRun:
    """Runs the claims of a file through the rulebooks of a choice, and holds the findings against remittances.

    `run_on` is the day of receipt of claims that state none. The result does not depend on `jobs`. Raises Faults for
    rules and files that cannot be read, ConfigError for a reference store that cannot be opened, BackTestStopped when a
    process ends by itself.
    """
    rulebooks = open_rulebooks(choice)
    tables = open_reference(reference)
    digests = rulebooks.candidate.digest, rulebooks.baseline.digest if rulebooks.baseline else None
    with tempfile.TemporaryDirectory(prefix="scrubber-back-test-") as folder:
        database_path = Path(folder) / "remits.sqlite"
        loaded = load_remits(remits, database_path) if remits else None
        numbers = ClaimNumbers(database_path) if remits else None
        setup = Setup(choice, reference, run_on, database_path if remits else None, digests)
        comparison = open_comparison(rulebooks, tables)
        remittances = Remittances(database_path) if remits and jobs == 1 else None
        judge = ChunkJudge(comparison, run_on, remittances, rulebooks.tested) if jobs == 1 else None
        with opened(claims) as file:
            numbered = (numbers.with_numbers(chunk) if numbers else chunk for chunk in read_chunks(file))
            tallies = _in_this_process(judge, numbered) if judge else _on_processes(setup, numbered, jobs)
            tally = _added(tallies, progress)
            read = file.finished()
        unjoined = numbers.close() if numbers else None
        return BackTestRun(rulebooks, tables.releases(), comparison.shared_facts, run_on, read, loaded, unjoined, tally)


def _added(tallies: Iterable[tuple[Tally, float]], progress: ReportProgress) -> Tally:
    """The tallies of all chunks, in the order of the file."""
    total = Tally()
    for tally, share in tallies:
        total.add(tally)
        progress(total.counts["rows"], share)
    return total


def _in_this_process(judge: ChunkJudge, numbered: Iterable[FileChunk]) -> Iterator[tuple[Tally, float]]:
    for chunk in numbered:
        yield judge.chunk(chunk), chunk.share


def _on_processes(setup: Setup, numbered: Iterable[FileChunk], jobs: int) -> Iterator[tuple[Tally, float]]:
    # Spawned, not forked: a fork would share file positions of reference data and locks of the engine.
    try:
        yield from map_spawned(partial(_open_work, setup), numbered, jobs)
    except ProcessLost:
        stopped = "a process of the back-test was ended from outside; if memory was short, give fewer --jobs"
        raise BackTestStopped(stopped) from None


def _open_work(setup: Setup) -> Callable[[FileChunk], tuple[Tally, float]]:
    """What a process does with each chunk, once it has opened the rulebooks for itself. Raises BackTestStopped."""
    try:
        judge = _new_judge(setup)
    except (Faults, ConfigError) as error:
        raise BackTestStopped(str(error)) from None
    return lambda chunk: (judge.chunk(chunk), chunk.share)


def _new_judge(setup: Setup) -> ChunkJudge:
    rulebooks = open_rulebooks(setup.choice)
    digests = rulebooks.candidate.digest, rulebooks.baseline.digest if rulebooks.baseline else None
    if digests != setup.digests:
        raise BackTestStopped("the rules changed while the back-test began: run it again")
    remittances = Remittances(setup.remittances) if setup.remittances else None
    return ChunkJudge(
        open_comparison(rulebooks, open_reference(setup.reference)), setup.run_on, remittances, rulebooks.tested
    )
