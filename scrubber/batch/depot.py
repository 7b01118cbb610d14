"""Around the path: where the bytes of batches lie: the upload, its rows, the results. The ledger has the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

PIECE = 1 << 20  # bytes read or written at a time


class Depot(Protocol):
    """Bytes by batch. Written once, read often, removed as a whole. Claims are in them: nobody else may read them.

    Every method raises DepotFull when there is no room, LedgerDown when the place cannot be reached.
    """

    def receive(self, batch_id: str, pieces: Iterable[bytes]) -> int:
        """Keep an upload, durably, or nothing of it when `pieces` raises. Returns its bytes."""

    def upload(self, batch_id: str) -> BinaryIO:
        """The upload as it came."""

    def keep_rows(self, batch_id: str, token: str, pieces: Iterable[bytes]) -> None:
        """Keep the rows of an upload that has to be unpacked first, one a line. Another token's attempt is another."""

    def kept_rows(self, batch_id: str) -> BinaryIO:
        """The rows that `keep_rows` kept."""

    def rows(self, batch_id: str, start: int, stop: int) -> bytes:
        """Bytes of the rows; of the upload itself where no rows were kept."""

    def keep_result(self, batch_id: str, number: int, token: str, result: bytes) -> None:
        """Keep what came out of a chunk under a lease."""

    def result(self, batch_id: str, number: int, token: str) -> bytes:
        """What came out of a chunk under a lease."""

    def drop_result(self, batch_id: str, number: int, token: str) -> None:
        """Remove what came out under a lease that was lost."""

    def full(self) -> bool:
        """Whether there is no room for results, as far as that can be seen without writing any."""

    def remove(self, batch_id: str) -> None:
        """Remove all of a batch; it may be gone in part or altogether."""

    def untouched(self, since: datetime) -> Iterator[str]:
        """Batches that there are bytes of, or the rest of them, to which none were added since then."""
