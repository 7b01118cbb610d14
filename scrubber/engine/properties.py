"""Facts to messages: the names that fields go by in durable_rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product
from string import ascii_lowercase

ID, KIND, END = "id", "k", "end"
_TAKEN = (ID, KIND, END, "sid")


def property_names() -> Iterator[str]:
    """Short names without end, distinct for durable_rules, which knows a property by a hash of its name only."""
    hashes = {_fnv1a(name) for name in _TAKEN}
    for length in count(1):
        for letters in product(ascii_lowercase, repeat=length):
            name = "".join(letters)
            if (value := _fnv1a(name)) not in hashes:
                hashes.add(value)
                yield name


def _fnv1a(name: str) -> int:
    """32-bit FNV-1a."""
    value = 0x811C9DC5
    for byte in name.encode("ascii"):
        value = (value ^ byte) * 16777619 % 2**32
    return value
