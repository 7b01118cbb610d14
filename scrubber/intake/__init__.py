"""Step 1 of a claim's path: whatever a sender writes -> one Claim."""

from scrubber.intake.parse import parse_json
from scrubber.intake.v3 import read_claim, read_v3

__all__ = ["parse_json", "read_claim", "read_v3"]
