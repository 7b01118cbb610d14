"""Around the path: an upload, received piece by piece, made durable, and entered in the ledger: then it is a batch."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from scrubber.batch.job import CUT, DEFAULT_TENANT, Batch, Body, Options
from scrubber.batch.place import Batches
from scrubber.batch.shown import LOOKED_AT, SPACE, Shown, shown
from scrubber.errors import BadUpload

KEY_HOURS = 24


class _Reading:
    """Counts, hashes and looks at the bytes that go by."""

    def __init__(self, pieces: Iterable[bytes], most_bytes: int) -> None:
        self._pieces = pieces
        self._most = most_bytes
        self._hash = hashlib.sha256()
        self._size = 0
        self._start = b""
        self._shown = Shown("ndjson", gzipped=False)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._size += len(piece)
            if self._size > self._most:
                raise BadUpload("too-large", f"At most {self._most:,} bytes are taken in one batch.")
            self._hash.update(piece)
            if len(self._start) < LOOKED_AT:
                self._look(piece)
            yield piece
        if not self._start:
            raise BadUpload("empty", "Send claims, one a line, or as a JSON array.")
        if len(self._start) < LOOKED_AT:
            self._shown = shown(self._start)

    def _look(self, piece: bytes) -> None:
        self._start = (self._start + piece).lstrip(SPACE)
        if len(self._start) >= LOOKED_AT:
            self._shown = shown(self._start)

    def body(self, declared: str | None) -> Body:
        """What was read. `declared` is the format, None where the sender leaves it to what the upload shows."""
        seen = self._shown
        return Body(declared or seen.format, seen.gzipped, self._size, self._hash.hexdigest())


def receive(
    batches: Batches,
    pieces: Iterable[bytes],
    declared: str | None,
    options: Options,
    key: str | None,
    most_bytes: int,
    clock: Callable[[], datetime],
    tenant: str = DEFAULT_TENANT,
) -> tuple[Batch, bool]:
    """The batch of an upload, and whether it is a new one; durable when this returns.

    Raises BadUpload, KeyUsed, DepotFull, LedgerDown; then nothing of the upload is kept.
    """
    batch_id = _new_id(clock())
    reading = _Reading(pieces, most_bytes)
    batches.depot.receive(batch_id, reading)
    now = clock()
    batch = Batch(batch_id, "received", now, reading.body(declared), options, tenant=tenant)
    accepted = None
    try:
        accepted = batches.ledger.accept(batch, key, now + timedelta(hours=KEY_HOURS) if key else None, now)
    finally:
        if accepted is None or accepted.id != batch_id:
            batches.depot.remove(batch_id)
    if accepted.id == batch_id:
        batches.hint(batch_id, (CUT,))
    return accepted, accepted.id == batch_id


def _new_id(now: datetime) -> str:
    """Later ids sort after earlier ones; nobody can guess one."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
