"""Reads the body of a request into one Claim, in any of the forms that senders use."""

from __future__ import annotations

from scrubber.claim.formats import read_claim
from scrubber.claim.parse import parse_json
from scrubber.claim.v3 import read_v3

__all__ = ["parse_json", "read_claim", "read_v3"]
