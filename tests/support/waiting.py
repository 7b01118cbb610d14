"""How tests wait: for a condition, however long a loaded machine takes to bring it about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

Held = TypeVar("Held")

# Seconds, and only a last resort: what has not happened by then never will, and the test says so instead of hanging.
PATIENCE = 300


def until(holds: Callable[[], Held | Literal[False] | None], wanted: str = "it did not come true") -> Held:
    """Waits until `holds` returns something true, and returns that. Raises AssertionError with what was wanted."""
    latest = time.monotonic() + PATIENCE
    while not (held := holds()):
        assert time.monotonic() < latest, wanted
        time.sleep(0.01)
    return held
