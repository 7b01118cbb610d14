"""The file of a batch as it was sent, its claims each with its result, for what answers the file as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from scrubber.batch import results
from scrubber.batch.model import X12_WITH_CONTEXT, Batch
from scrubber.batch.results import ResultFilter
from scrubber.batch.split import claims_behind_context, pieces, unpacked
from scrubber.batch.storage import Batches
from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.claim.x12.envelope import Ended
from scrubber.claim.x12.faults import MOST_FAULTS
from scrubber.errors import NotX12

ClaimWithAnswer = tuple[ClaimLoops, dict[str, Any] | None]


def claims_with_answers(batches: Batches, batch: Batch, most_bytes: int) -> Iterator[ClaimWithAnswer | Ended]:
    """The claims of an X12 file with our answers, None for those that were rejected, and the ends around them.

    The batch is done. `most_bytes`: the most that its upload may unpack to. Ends where the file could not be read on.
    """
    answers = _answers(batches, batch.id)
    begun = False
    ends = 0  # before the first claim
    with batches.file_store.upload(batch.id) as upload:
        data = pieces(upload)
        if batch.body.gzipped:
            data = unpacked(data, most_bytes)
        items = read_loops(claims_behind_context(data) if batch.body.format == X12_WITH_CONTEXT else data)
        try:
            for item in items:
                if isinstance(item, ClaimLoops):
                    yield item, next(answers, None)
                    _skip(answers, 0 if begun else ends)
                    begun = True
                    continue
                if item.faults:  # a row of its own, see `rows_of_file`
                    _skip(answers, begun)
                    ends = min(ends + 1, MOST_FAULTS)
                yield item
        except NotX12:
            return


def _skip(answers: Iterator[dict[str, Any] | None], count: int) -> None:
    for _ in range(count):
        next(answers, None)


def _answers(batches: Batches, batch_id: str) -> Iterator[dict[str, Any] | None]:
    for piece in results.lines(batches, batch_id, ResultFilter()):
        for line in piece.splitlines():
            yield orjson.loads(line).get("answer")
