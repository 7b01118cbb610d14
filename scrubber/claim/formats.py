"""The formats in which a claim may come, and which of them some bytes are in."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scrubber.claim.model import Claim
from scrubber.claim.v3 import read_json_claim
from scrubber.claim.x12.claims import read_one

_PADDING = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"  # blanks and byte order marks before the first character

_BEHIND_ISA = frozenset(name + separator for name in (b"GS", b"ST") for separator in (b"*", b"|", b"^"))


class ClaimFormat(NamedTuple):
    """A format: its `name`, whether bytes are in it by their beginning, and its reader of one claim."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[bytes], Claim]


def is_x12(start: bytes) -> bool:
    """Whether a file begins as an X12 interchange does, in any case and encoding."""
    return start[:64].lstrip(_PADDING).replace(b"\0", b"")[:3].upper() == b"ISA"


def _is_x12_or_part(start: bytes) -> bool:
    """Also for what begins behind the ISA of an X12 file, so that it is refused as such."""
    return is_x12(start) or start[:3].upper() in _BEHIND_ISA


FORMATS = (
    ClaimFormat("x12", _is_x12_or_part, read_one),
    ClaimFormat("v3", lambda _: True, read_json_claim),
)


def read_claim(data: bytes) -> Claim:
    """The claim in some bytes. Raises NotJson, NotX12 and NotAClaim, as the reader of its format does."""
    return next(each for each in FORMATS if each.recognises(data)).read(data)
