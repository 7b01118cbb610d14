"""Writes a result as JSON, as a clearinghouse answer, and as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from scrubber.claim.model import Claim
from scrubber.findings import ScrubResult
from scrubber.response import claim, clearinghouse


class View(NamedTuple):
    """A form of the answer: what writes it, and whether it needs every check by name (`ScrubResult.every_check`)."""

    write: Callable[[Claim, ScrubResult], bytes]
    every_check: bool = False


def _scrubber(_claim: Claim, result: ScrubResult) -> bytes:
    return claim.to_bytes(result)


def including(included: Collection[str]) -> View:
    """Our own answer with parts of INCLUDES."""
    names = frozenset(included)
    return View(lambda _claim, result: claim.with_included(result, names), claim.CHECKS in names)


DEFAULT_VIEW = "scrubber"

# What `?view=` and `--view` may name. Every view is compact JSON, UTF-8, without a line break.
VIEWS: Mapping[str, View] = {
    DEFAULT_VIEW: View(_scrubber),
    "clearinghouse": View(clearinghouse.to_bytes),
}

# What `?include=` may name, more than once: parts of our own answer that are there only when asked for.
INCLUDES = (claim.SHADOW, claim.CHECKS, claim.SETTLED_BY, claim.REMEDIES)
