"""Around the path: where keys are kept, for all processes of a deployment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from scrubber.access.key import Key
from scrubber.migrations import Store


class KeyStore(Protocol):
    """Keys, in the order in which they were made. Safe for several processes and threads; nothing is kept in memory.

    `store` is what has a schema version, and migrations. Every method raises KeysDown when the store cannot be read or
    written.
    """

    @property
    def store(self) -> Store:
        """What `scrubber migrate` brings up to date."""

    def revision(self) -> int:
        """A number that is another one after every change; 0 where there never was a key."""

    def every(self) -> list[Key]:
        """All keys, expired and revoked ones too."""

    def add(self, key: Key) -> None:
        """Keep a new key, durably."""

    def rotate(self, key_id: str, successor: Callable[[Key], Key], until: datetime) -> Key | None:
        """Keep what takes the place of a key, which expires at `until` or before. None where there is no such key.

        Nothing changes where `successor`, which is given the key as it is, raises.
        """

    def revoke(self, key_id: str, now: datetime) -> Key | None:
        """From now on a key is not accepted; one that was revoked before stays so. None where there is no such key."""
