"""Opens the published tables (edits, fees, codes) for look-ups as of any day: `open_reference`."""

from __future__ import annotations

from scrubber.reference.live import LiveReference
from scrubber.reference.lookup import Reference

__all__ = ["LiveReference", "Reference", "open_reference"]


def open_reference(location: str | None) -> Reference:
    """The reference data at `location` as it is now: None = the starter set; a folder; a PostgreSQL address.

    Raises ConfigError when the location does not exist, Faults when a CSV file in it is wrong.
    """
    return LiveReference(location).current()
