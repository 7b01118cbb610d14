"""What several test modules share: the shipped rules and starter tables, opened once."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrubber.scrub import Scrubber, open_scrubber

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shipped() -> Scrubber:
    """The shipped rulebook over the starter tables."""
    return open_scrubber(ROOT / "rules", None)
