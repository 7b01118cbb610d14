"""Around the path: whether a service demands keys, and what it knows of those that are sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scrubber.access.known import KnownKeys, Tell
from scrubber.access.limits import Allowed, Limits
from scrubber.access.place import open_keys
from scrubber.access.store import KeyStore
from scrubber.config import Settings
from scrubber.errors import ConfigError, KeysDown


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may ask. `always`: a key is demanded even where none was ever made. `known` is None where no key can be."""

    always: bool
    known: KnownKeys | None
    limits: Limits
    each: Allowed

    def demands_keys(self) -> bool:
        """Whether nobody is let in without a key. Raises KeysDown."""
        return self.always or (self.known is not None and self.known.any())


def open_policy(settings: Settings, now: datetime, tell: Tell) -> Policy:
    """The policy that the settings state. `tell` is told when keys cannot be read.

    Raises ConfigError where a key is demanded and nobody has one.
    """
    always = not (settings.on_loopback if settings.open is None else settings.open)
    store = None if settings.open else open_keys(settings.state, settings.database)
    if always:
        _check_keys(settings, store, now)
    known = None if store is None else KnownKeys(store, tell)
    if known is not None:
        known.read_or_tell()
    return Policy(always, known, Limits(settings.workers), Allowed(settings.key_rate, settings.key_concurrent))


def _check_keys(settings: Settings, store: KeyStore | None, now: datetime) -> None:
    why = "SCRUBBER_OPEN is no" if settings.on_loopback else f"other machines can reach {settings.address}"
    if store is None:
        raise ConfigError(f"{why}, and there is no place for API keys: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL")
    try:
        keys = store.every()
    except KeysDown as down:
        raise ConfigError(str(down)) from None
    if not any(key.state(now) == "valid" for key in keys):
        raise ConfigError(
            f"{why}, and no API key is valid. Make one with the same settings: `scrubber keys create --tenant NAME"
            " --scope scrub`. Or listen on 127.0.0.1 (SCRUBBER_BIND); or let everybody ask who reaches the service:"
            " SCRUBBER_OPEN=yes"
        )
