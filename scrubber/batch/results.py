"""The results of a batch, read back: all, or those that are asked for; as they lie, or as CSV."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from scrubber.batch.model import Done
from scrubber.batch.result_row import COLUMNS, REJECTED
from scrubber.batch.storage import Batches
from scrubber.errors import DamagedResult, StoredDataGone

SCRUBBED_AGAIN = ("running", "done")  # states of batches whose results are made again
_BEGINNING = b'{"row":'
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # what a spreadsheet would run, also as wide characters


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results: after a row, at most so many; of these dispositions, with a finding of this rule, at risk."""

    after: int = 0
    most: int | None = None
    dispositions: frozenset[str] = frozenset()
    rule: str | None = None
    least_at_risk: Decimal | None = None

    @property
    def everything(self) -> bool:
        """Whether results are filtered by row number only."""
        return not self.dispositions and self.rule is None and self.least_at_risk is None

    def fits(self, result: dict[str, Any]) -> bool:
        """Whether a result is wanted, apart from its row number."""
        answer = result.get("answer")
        if answer is None:
            return self.rule is None and self.least_at_risk is None and self._of(REJECTED)
        return (
            self._of(answer["disposition"])
            and (self.rule is None or any(self.rule == finding["rule"]["id"] for finding in answer["findings"]))
            and (self.least_at_risk is None or self._enough(answer["impact"]["atRisk"]))
        )

    def _of(self, disposition: str) -> bool:
        return not self.dispositions or disposition in self.dispositions

    def _enough(self, at_risk: str | None) -> bool:
        return at_risk is not None and self.least_at_risk is not None and Decimal(at_risk) >= self.least_at_risk


def lines(batches: Batches, batch_id: str, wanted: ResultFilter) -> Iterator[bytes]:
    """Results as NDJSON in the order of the rows, some at a time, as far as they are there without a gap."""
    left = wanted.most
    for piece in _chunks(batches, batch_id, wanted.after):
        found = piece if wanted.everything else _fitting(piece, wanted)
        if left is not None:
            found = found[:left]
            left -= len(found)
        if found:
            yield b"".join(found)
        if left == 0:
            return


def findings_csv(batches: Batches, batch_id: str, wanted: ResultFilter) -> Iterator[bytes]:
    """The findings of the results as CSV with a heading, one a row; a rejected row has its reasons, without a rule."""
    heading = _csv([COLUMNS])
    for piece in lines(batches, batch_id, wanted):
        yield heading + _csv([row for line in piece.splitlines() for row in _rows(orjson.loads(line))])
        heading = b""
    if heading:
        yield heading


def checked_result(batches: Batches, batch_id: str, done: Done) -> bytes:
    """The results of a chunk, as they were made. Raises DamagedResult, and has them made again where that can be."""
    try:
        data = batches.file_store.result(batch_id, done.chunk.number, done.token)
    except StoredDataGone:
        if batches.job_store.batch(batch_id) is None:
            raise  # it was deleted meanwhile
    else:
        if done.sha256 in (None, sha256(data).hexdigest()):
            return data
    if batches.job_store.do_again(batch_id, done):
        batches.notify(batch_id, (done.chunk.number,))
        raise DamagedResult(done.chunk.first_row, again=True)
    batch = batches.job_store.batch(batch_id)  # another reader may have been faster
    raise DamagedResult(done.chunk.first_row, again=batch is not None and batch.state in SCRUBBED_AGAIN)


def _chunks(batches: Batches, batch_id: str, after: int) -> Iterator[list[bytes]]:
    for done in batches.job_store.done(batch_id, after + 1):
        data = checked_result(batches, batch_id, done)
        found = data.splitlines(keepends=True)
        yield found[bisect_right(found, after, key=_row) :]


def _row(line: bytes) -> int:
    """The row that a result is of: it begins with that."""
    return int(line[len(_BEGINNING) : line.index(b",")])


def _fitting(found: list[bytes], wanted: ResultFilter) -> list[bytes]:
    return [line for line in found if wanted.fits(orjson.loads(line))]


def _rows(result: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    row_columns = result["row"], result["claimNumber"]
    answer = result.get("answer")
    if answer is None:
        for message, pointer in _reasons(result[REJECTED]):
            yield (*row_columns, REJECTED, "", "", "", "", "", "", "", message, "", pointer, "", "", "")
        return
    for finding in answer["findings"]:
        impact, reason = finding["impact"] or {}, finding["reason"] or {}
        yield (
            *row_columns,
            answer["disposition"],
            finding["severity"],
            finding["rule"]["id"],
            " ".join(map(str, finding["lines"])),
            finding["category"],
            finding["stage"],
            impact.get("atRisk"),
            impact.get("liability"),
            finding["message"],
            finding["fix"],
            finding["pointer"],
            reason.get("group"),
            reason.get("carc"),
            finding.get("id"),  # results of an earlier version have none
        )


def _reasons(why: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is told of a rejected row, and where."""
    title = why["title"]
    if "column" in why:
        yield f"{title} from column {why['column']} on", ""
    elif "errors" in why:
        yield from ((f"{title}: {problem['detail']}", problem["pointer"]) for problem in why["errors"])
    else:
        yield title, ""


def _csv(rows: list[tuple[object, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
