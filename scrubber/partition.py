"""Scrubs a partition of many claims, for engines such as Dask or Spark that map a pure function over a data set.

Dask, Spark, Ray and a plain `map` call it alike: rows in, results out, in the same order, nothing kept but the scrubber
that a process opened once. docs/batches.md has an example that reads and writes files in a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache, partial
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scrubber.batch.scrub_chunk import scrub_chunk
from scrubber.claim.formats import is_x12
from scrubber.claim.x12.claims import holds_several
from scrubber.claim.x12.row import read_row, rows_of_file
from scrubber.config import STALE_AFTER
from scrubber.findings import read_switches
from scrubber.scrub import Receipt, open_scrubber, scrub_bytes

Row = Mapping[str, Any] | str | bytes | None
ROWS_IN_MEMORY = 100  # rows whose results are held in memory
SCRUBBERS_CACHED = 2  # of a process


def scrub_rows(
    rows: Iterable[Row],
    received_on: str,
    rules: str = "rules",
    reference: str | None = None,
    enable: tuple[str, ...] = (),
    disable: tuple[str, ...] = (),
    stale_after: int | None = STALE_AFTER,
) -> Iterator[dict[str, Any]]:
    """Results of claims, each as JSON text or as the mapping of its JSON, in their order: one a row.

    A row may be an X12 file (837P), too. One with several claims gives as many results, as it does in a batch, and one
    more for each end of a set, group or interchange that has something wrong.

    A result has the form of a batch's: `row`, counted from 1 within the partition, `claimNumber`, and `answer` or,
    where the row is no claim, `rejected`; a blank line and None are no claims, either. `received_on` (CCYYMMDD) is the
    default for claims without one. `rules` is a folder of packs, `reference` a reference store (None: the starter
    tables); both are opened once a process: changed rules in the same folder need new processes.

    Raises Faults, ConfigError, WrongSwitch; TypeError for a row of another kind.
    """
    yield from map(orjson.loads, scrub_lines(rows, received_on, rules, reference, enable, disable, stale_after))


def scrub_lines(
    rows: Iterable[Row],
    received_on: str,
    rules: str = "rules",
    reference: str | None = None,
    enable: tuple[str, ...] = (),
    disable: tuple[str, ...] = (),
    stale_after: int | None = STALE_AFTER,
) -> Iterator[bytes]:
    """`scrub_rows` with each result as JSON without a line break, for callers that write it to a file."""
    scrubber = _scrubber(Path(rules), reference, stale_after)
    switches = read_switches(enable, disable, scrubber.rulebook)
    receipt = Receipt(date.fromisoformat(received_on))
    scrub = partial(scrub_bytes, scrubber=scrubber, receipt=receipt, switches=switches)
    scrub_of_file = partial(scrub, read=read_row)
    numbers = count(1)
    for of_file, claims in groupby(_claims(rows), key=_is_of_file):
        numbered = ((next(numbers), claim.data) for claim in claims)
        while some := list(islice(numbered, ROWS_IN_MEMORY)):
            chunk = scrub_chunk(iter(some), scrub_of_file if of_file else scrub, _ignore_progress)
            yield from chunk.results.splitlines()


_scrubber = lru_cache(SCRUBBERS_CACHED)(open_scrubber)


class _ClaimBytes(NamedTuple):
    """A claim as its sender wrote it, or, `of_file`, cut out of an X12 file with several."""

    data: bytes
    of_file: bool


def _is_of_file(claim: _ClaimBytes) -> bool:
    return claim.of_file


def _claims(rows: Iterable[Row]) -> Iterator[_ClaimBytes]:
    for data in map(_bytes, rows):
        if is_x12(data) and holds_several(data):
            for claim in rows_of_file((data,)):
                yield _ClaimBytes(claim, of_file=True)
        else:
            yield _ClaimBytes(data, of_file=False)


def _bytes(row: Row) -> bytes:
    match row:
        case bytes():
            return row
        case str():
            return row.encode(errors="surrogatepass")  # a lone surrogate is no JSON
        case None:  # as a column of Parquet may have it
            return b"null"
        case Mapping():
            return orjson.dumps(dict(row))
    raise TypeError(f"a row is JSON text or a mapping, not {type(row).__name__}")


def _ignore_progress(_row: int) -> None:
    """A no-op callback: a partition reports no progress."""
