"""A scrubber for professional medical claims: a claim goes in, findings with dollars come out."""

from __future__ import annotations

__version__ = "0.1.0"
