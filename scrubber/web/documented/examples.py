"""Beside the path: a made-up claim, for the API's documentation and to try the path with."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson

from scrubber.findings import ScrubResult
from scrubber.intake.v3 import read_v3
from scrubber.scrub import Scrubber

_FILE = Path(__file__).parents[1] / "static" / "example-claim.json"

CLAIM_EXAMPLE: dict[str, Any] = orjson.loads(_FILE.read_bytes())
_RECEIVED_ON = date(2025, 3, 20)  # as the claim says; a fixed day, so that the answer stays the same


def scrub_example(scrubber: Scrubber) -> ScrubResult:
    """What the example comes to: with this rulebook, reference data and engine."""
    return scrubber.scrub(read_v3(CLAIM_EXAMPLE), _RECEIVED_ON)
