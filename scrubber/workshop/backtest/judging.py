"""Beside the path, back-test: the rows of a chunk: each read, judged by both rulebooks, held against its remittance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from scrubber.errors import NotAClaim, NotJson, describe_failure
from scrubber.intake import read_claim
from scrubber.workshop.backtest.bench import Bench
from scrubber.workshop.backtest.chunks import LONGEST_ROW, Chunk
from scrubber.workshop.backtest.counting import count_claim, count_outcome
from scrubber.workshop.backtest.outcome import claim_outcome
from scrubber.workshop.backtest.remittances import Remittances
from scrubber.workshop.backtest.tally import MOST_TOLD, Tally


class Judging:
    """What judges the rows of a file. `run_on` is the day of receipt of claims that state none; `tested` are ids."""

    def __init__(self, bench: Bench, run_on: date, remittances: Remittances | None, tested: Iterable[str]) -> None:
        self._tested = frozenset(tested)
        self._bench = bench
        self._run_on = run_on
        self._remittances = remittances

    def chunk(self, chunk: Chunk) -> Tally:
        """The tally of a chunk. A row that is no claim is counted, and the others go on."""
        tally = Tally()
        for place, data in enumerate(chunk.rows):
            tally.counts["rows"] += 1
            if data != b"":
                trouble = self._row(tally, data, chunk.numbers[place], chunk.first + place)
                if trouble and len(tally.told) < MOST_TOLD:
                    tally.told.append((chunk.first + place, trouble))
        return tally

    def _row(self, tally: Tally, data: bytes | None, number: str | None, row: int) -> str | None:
        """Counts one row; returns what is wrong with it."""
        kind = "no claim"
        try:
            if data is None:
                raise NotJson(LONGEST_ROW, 1, LONGEST_ROW)
            self._claim(tally, data, number, row)
        except NotJson as error:
            trouble = "is too long to be a claim" if data is None else f"is no JSON from column {error.column} on"
        except NotAClaim as error:
            first = error.problems[0]
            trouble = f"is no claim: {first.pointer or 'the body'} {first.message}"
        except Exception as error:  # noqa: BLE001  one claim that we fail on must not lose the others; it is told
            kind, failure = "failed", describe_failure(error)
            trouble = f"made the program fail: {failure['error']} in {failure['frames'][-1]}; please report it"
        else:
            return None
        tally.counts[kind] += 1
        return trouble

    def _claim(self, tally: Tally, data: bytes, number: str | None, row: int) -> None:
        claim = read_claim(data)
        received_on = claim.context.received_on
        judged = self._bench.judge(claim, received_on or self._run_on)
        rows = self._remittances.rows(number) if self._remittances and number else None
        tally.counts["claims"] += 1
        tally.counts["received on the day of the run"] += received_on is None
        count_claim(tally, claim, judged, row)
        if rows:
            count_outcome(tally, claim, judged, claim_outcome(claim, rows), row, self._tested)
        elif self._remittances:
            tally.counts["claims without a remittance"] += 1
            tally.counts["claims without a number"] += claim.patient_control_number is None
