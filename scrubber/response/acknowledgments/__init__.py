"""Writes acknowledgments of an X12 file of claims: of its sets (999), and of each of its claims (277CA)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from scrubber.response.acknowledgments.envelope import AcknowledgmentHeader
from scrubber.response.acknowledgments.received import Received
from scrubber.response.acknowledgments.write_277ca import write_277ca
from scrubber.response.acknowledgments.write_999 import write_999

__all__ = ["ACKNOWLEDGMENTS", "AcknowledgmentHeader", "Received"]

# What `?view=` may name beside the views in JSON, for claims that came as X12.
ACKNOWLEDGMENTS: Mapping[str, Callable[[Iterable[Received], AcknowledgmentHeader], Iterator[str]]] = {
    "999": write_999,
    "277ca": write_277ca,
}
