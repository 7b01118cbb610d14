"""Around the path: an upload, received piece by piece, made durable, and entered in the ledger: then it is a batch."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from scrubber.batch.job import CUT, Batch, Body, Options
from scrubber.batch.place import Batches
from scrubber.errors import BadUpload

KEY_HOURS = 24
GZIP = b"\x1f\x8b"
_SPACE = b" \t\r\n\xef\xbb\xbf"


class _Reading:
    """Counts, hashes and looks at the bytes that go by."""

    def __init__(self, pieces: Iterable[bytes], most_bytes: int) -> None:
        self._pieces = pieces
        self._most = most_bytes
        self._hash = hashlib.sha256()
        self._size = 0
        self._start = b""

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._size += len(piece)
            if self._size > self._most:
                raise BadUpload("too-large", f"At most {self._most:,} bytes are taken in one batch.")
            self._hash.update(piece)
            if not self._start:
                self._start = piece.lstrip(_SPACE)[:2]
            yield piece
        if not self._start:
            raise BadUpload("empty", "The body is empty: send claims, one a line, or as a JSON array.")

    def body(self, declared: str | None) -> Body:
        """What was read. `declared` is the format, None where the sender does not say.

        A plain upload shows what it is: an array begins with a bracket.
        """
        gzipped = self._start == GZIP
        shown = "json" if self._start[:1] == b"[" else "ndjson"
        return Body(declared or "ndjson" if gzipped else shown, gzipped, self._size, self._hash.hexdigest())


def receive(
    batches: Batches,
    pieces: Iterable[bytes],
    declared: str | None,
    options: Options,
    key: str | None,
    most_bytes: int,
    clock: Callable[[], datetime],
) -> tuple[Batch, bool]:
    """The batch of an upload, and whether it is a new one; durable when this returns.

    Raises BadUpload, KeyUsed, DepotFull, LedgerDown; then nothing of the upload is kept.
    """
    batch_id = _new_id(clock())
    reading = _Reading(pieces, most_bytes)
    batches.depot.receive(batch_id, reading)
    now = clock()
    batch = Batch(batch_id, "received", now, reading.body(declared), options)
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
