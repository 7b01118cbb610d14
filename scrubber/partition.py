"""Scrubs a partition of many claims: a pure function for engines that map one over a data set.

Dask, Spark, Ray and a plain `map` call it alike: rows in, results out, in the same order, nothing kept but the scrubber
that a process opened once. docs/batches.md has an example that reads and writes files in a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache, partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson

from scrubber.batch.scrub_chunk import scrub_chunk
from scrubber.config import STALE_AFTER
from scrubber.findings import read_switches
from scrubber.scrub import Receipt, open_scrubber, scrub_bytes

Row = Mapping[str, Any] | str | bytes | None
ROWS_AT_ONCE = 100  # whose results are held in memory
SCRUBBERS_KEPT = 2  # of a process


def scrub_rows(
    rows: Iterable[Row],
    received_on: str,
    rules: str = "rules",
    reference: str | None = None,
    enable: tuple[str, ...] = (),
    disable: tuple[str, ...] = (),
    stale_after: int | None = STALE_AFTER,
) -> Iterator[dict[str, Any]]:
    """Results of claims, each as JSON text or as the mapping that its JSON stands for, in their order: one a row.

    A result is one of a batch: `row`, counted from 1 within the partition, `claimNumber`, and `answer` or, where the
    row is no claim, `rejected`; a blank line and None are none, either. `received_on` (CCYYMMDD) stands in for claims
    that do not say. `rules` is a folder of packs, `reference` a place of reference data (None: the starter tables);
    both are opened once a process, and other rules at the same place need other processes.

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
    """`scrub_rows` with each result as JSON, without a line break: what is to be written anyway."""
    scrubber = _scrubber(Path(rules), reference, stale_after)
    switches = read_switches(enable, disable, scrubber.rulebook)
    receipt = Receipt(date.fromisoformat(received_on))
    scrub = partial(scrub_bytes, scrubber=scrubber, receipt=receipt, switches=switches)
    numbered = zip(count(1), map(_bytes, rows), strict=False)
    while some := list(islice(numbered, ROWS_AT_ONCE)):
        yield from scrub_chunk(iter(some), scrub, _go_on).results.splitlines()


_scrubber = lru_cache(SCRUBBERS_KEPT)(open_scrubber)


def _bytes(row: Row) -> bytes:
    match row:
        case bytes():
            return row
        case str():
            return row.encode(errors="surrogatepass")  # which then is no JSON
        case None:  # as a column of Parquet may have it
            return b"null"
        case Mapping():
            return orjson.dumps(dict(row))
    raise TypeError(f"a row is JSON text or a mapping, not {type(row).__name__}")


def _go_on(_row: int) -> None:
    """Nobody waits to be told of a row."""
