"""Finds which known names somebody may have meant by one that is not known, for every message on such a name."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

LIKE = 0.7  # ratio of a misspelt name and the one that was meant
MOST_COMPARED = 60  # of many known names, those that begin and end most alike: comparing one takes 0.1 ms
MOST_NAMED = 3
LONGEST = 100  # characters of a name that are looked at
MOST_ASKED = 200  # names of one file or folder for which likely ones are sought: a broken folder may have thousands


def meant(name: str, known: Iterable[str], most: int = MOST_NAMED) -> list[str]:
    """The known names that a name resembles, whatever their case, the likeliest first."""
    folded = {one.casefold(): one for one in known}
    wanted = name[:LONGEST].casefold()
    candidates: Collection[str] = folded
    if len(folded) > MOST_COMPARED:
        candidates = heapq.nlargest(MOST_COMPARED, folded, key=lambda one: _ends_alike(wanted, one))
    return [folded[one] for one in get_close_matches(wanted, candidates, n=most, cutoff=LIKE)]


def perhaps(name: str, known: Iterable[str], behind: str = "; ") -> str:
    """`; perhaps ``x`` or ``y`` was meant`, to go behind a message; empty where no known name is like it."""
    likely = meant(name, known)
    return f"{behind}perhaps {' or '.join(f'`{one}`' for one in likely)} was meant" if likely else ""


def known_names(name: str, known: Collection[str]) -> str:
    """What was perhaps meant by a name, and all the names that there are, to go behind a message."""
    return f"{perhaps(name, known)}; there are: {', '.join(sorted(known)) or 'none'}"


class Suggestions(Collection[str]):
    """Known names against which many others are held; after MOST_ASKED unknown ones it suggests nothing more."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._left = MOST_ASKED

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def perhaps(self, name: str) -> str:
        """See the function of this name."""
        self._left -= 1
        return perhaps(name, self._known) if self._left >= 0 else ""

    def known_names(self, name: str) -> str:
        """See the function of this name."""
        return f"{self.perhaps(name)}; there are: {', '.join(sorted(self._known)) or 'none'}"


def _ends_alike(one: str, other: str) -> int:
    """How many characters of two names are the same at the beginning and, of what is left, at the end."""
    most = min(len(one), len(other))
    first = 0
    while first < most and one[first] == other[first]:
        first += 1
    last = 0
    while last < most - first and one[-1 - last] == other[-1 - last]:
        last += 1
    return 2 * (first + last) - abs(len(one) - len(other))
