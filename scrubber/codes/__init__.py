"""Beside the path: what the tables and rules know of a procedure code on a day, and what it pays. Without any claim."""

from scrubber.codes.known import KnownCode, know
from scrubber.codes.priced import Priced, price

__all__ = ["KnownCode", "Priced", "know", "price"]
