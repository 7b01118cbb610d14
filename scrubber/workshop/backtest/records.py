"""Beside the path, back-test: puts the figures of each tested rule on record, so that lint lets it deny."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from scrubber.rulebook.back_test_record import BackTestRecord, record_path, write_record
from scrubber.rulebook.meaning import meaning
from scrubber.workshop.backtest.report import precision, rule_flags
from scrubber.workshop.backtest.run import Run
from scrubber.workshop.backtest.tally import CANDIDATE, RULE

PLACES = Decimal("0.0001")


def records(run: Run) -> Iterator[BackTestRecord]:
    """The figures of each tested rule. Its precision is None without remittances, or with too few of them."""
    for name in run.books.tested:
        rule = run.books.candidate.rules[name]
        found = run.tally.sum(CANDIDATE, RULE, name)
        share = precision(rule_flags(run.tally, name))
        yield BackTestRecord(
            name,
            meaning(rule),
            run.tally.counts["claims"],
            found.findings,
            found.dollars if found.known or not found.unknown else None,
            None if share is None else share.quantize(PLACES, ROUND_DOWN),
            run.run_on,
            run.books.candidate.digest,
        )


def write_records(run: Run, folder: Path) -> list[Path]:
    """Writes the records into the folder of rules that the candidate was loaded from; the paths written."""
    written = []
    for record in records(run):
        path = record_path(run.books.candidate.rules[record.rule], folder)
        write_record(record, path)
        written.append(path)
    return written
