"""Beside the path, back-test: a file of claims, one JSON body a row, in chunks of rows that processes judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from scrubber.workshop.backtest.reading import Opened

MOST_ROWS = 250  # of a chunk
MOST_BYTES = 1 << 20  # of a chunk, but for its last row
LONGEST_ROW = 10_000_000  # bytes: what the service takes


class Chunk(NamedTuple):
    """Rows of the file from the 1-based row `first` on: their bytes, None for one that is too long to be a claim.

    `numbers` has, for each row, the claim number under which its remittance is looked up, None for none. `share` is how
    much of the file is read.
    """

    first: int
    rows: tuple[bytes | None, ...]
    numbers: tuple[str | None, ...]
    share: float


def chunks(file: Opened) -> Iterator[Chunk]:
    """The whole file, in order, without numbers. Blank rows count as rows and say nothing."""
    rows: list[bytes | None] = []
    first, held = 1, 0
    for row in _rows(file.stream):
        rows.append(row)
        held += len(row or b"")
        if len(rows) >= MOST_ROWS or held >= MOST_BYTES:
            yield Chunk(first, tuple(rows), (None,) * len(rows), file.share)
            first, held, rows = first + len(rows), 0, []
    if rows:
        yield Chunk(first, tuple(rows), (None,) * len(rows), 1.0)


def _rows(stream: BinaryIO) -> Iterator[bytes | None]:
    while row := stream.readline(LONGEST_ROW):
        if row.endswith(b"\n") or len(row) < LONGEST_ROW:
            yield row.strip()
        else:
            while row and not row.endswith(b"\n"):
                row = stream.readline(LONGEST_ROW)
            yield None
