"""Look-ups of facts and money: reference tables as of any day. `open_reference` is the way in."""

from __future__ import annotations

from pathlib import Path

from scrubber.errors import ConfigError
from scrubber.reference.files import read_contents
from scrubber.reference.memory import MemoryBackend
from scrubber.reference.sqlite import SqliteBackend
from scrubber.reference.store import Reference

__all__ = ["Reference", "open_reference"]


def open_reference(location: str | None) -> Reference:
    """The reference data at `location`: None = the starter set; a folder of CSV files over it; a .sqlite file.

    Raises ConfigError when there is no such place, Faults when a CSV file in it is wrong.
    """
    if location is None:
        return Reference(MemoryBackend(*read_contents(None)))
    path = Path(location)
    if path.is_dir():
        return Reference(MemoryBackend(*read_contents(path)))
    if path.suffix == ".sqlite" and path.is_file():
        return Reference(SqliteBackend(path))
    raise ConfigError(f"reference data: {location} is neither a folder nor a .sqlite file")
