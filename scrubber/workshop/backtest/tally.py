"""Beside the path, back-test: what is counted over all claims, claim by claim, and how the counts of chunks add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from scrubber.workshop.backtest.outcome import DENIED, NOT_DENIED, PARTLY, Outcome

MOST_SAMPLES = 10  # claims of one kind
MOST_TOLD = 20  # rows that are no claims
GAINED, LOST, BASELINE, CANDIDATE, TESTED = "gained", "lost", "baseline", "candidate", "tested"
ALL, RULE, PAYER, CODE, SEVERITY = "all", "rule", "payer", "code", "severity"
NOTHING = Decimal("0.00")

Key = tuple[str, str, str]  # side, what it is grouped by, which group


@dataclass(slots=True)
class Sum:
    """Findings of a group, the claims they stand on, and what the lines they put at risk may lose.

    A line counts once a claim. `known` and `unknown` count the lines whose amount is, and is not, known. `charged` is
    what the claims charge for these lines, `uncharged` counts those whose charge cannot be read.
    """

    findings: int = 0
    claims: int = 0
    dollars: Decimal = NOTHING
    known: int = 0
    unknown: int = 0
    charged: Decimal = NOTHING
    uncharged: int = 0

    def add(self, other: Sum) -> None:
        """Counts the other's, too."""
        self.findings += other.findings
        self.claims += other.claims
        self.dollars += other.dollars
        self.known += other.known
        self.unknown += other.unknown
        self.charged += other.charged
        self.uncharged += other.uncharged


@dataclass(slots=True)
class Flagged:
    """Lines that findings flag and remittances speak of: how many, and in dollars.

    `denied_dollars` are those that the remittances denied, in full or in part; `unstated` counts denied lines whose
    amount no remittance states; `paid_dollars` were paid on lines that were not denied in full. `predicted` of the
    denied lines were denied for the reason that the rule says.
    """

    denied: int = 0
    partly: int = 0
    not_denied: int = 0
    unclear: int = 0
    predicted: int = 0
    denied_dollars: Decimal = NOTHING
    unstated: int = 0
    paid_dollars: Decimal = NOTHING

    def count(self, outcome: Outcome, *, predicted: bool = False) -> None:
        """Counts one line."""
        self.denied += outcome.word == DENIED
        self.partly += outcome.word == PARTLY
        self.not_denied += outcome.word == NOT_DENIED
        self.unclear += outcome.word not in (DENIED, PARTLY, NOT_DENIED)
        self.predicted += predicted and outcome.word == DENIED
        if outcome.word in (DENIED, PARTLY):
            self.denied_dollars += outcome.denied or NOTHING
            self.unstated += outcome.denied is None
        self.paid_dollars += outcome.paid

    def add(self, other: Flagged) -> None:
        """Counts the other's, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Missed:
    """Denied lines that nothing flagged, and what was denied of them. `unstated` counts lines without an amount."""

    lines: int = 0
    dollars: Decimal = NOTHING
    unstated: int = 0

    def count(self, denied: Decimal | None) -> None:
        """Counts one line."""
        self.lines += 1
        self.dollars += denied or NOTHING
        self.unstated += denied is None

    def add(self, other: Missed) -> None:
        """Counts the other's, too."""
        self.lines += other.lines
        self.dollars += other.dollars
        self.unstated += other.unstated


_Key = TypeVar("_Key")
_Count = TypeVar("_Count", Sum, Flagged, Missed)


@dataclass(slots=True)
class Tally:
    """All counts over some claims. Adding up the tallies of the chunks of a file in their order gives that of the file.

    `counts` has rows, claims, and how the remittances fitted. `samples` are claims by kind, `told` rows that are none.
    """

    counts: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: dict[Key, Sum] = field(default_factory=dict)
    flagged: dict[str, Flagged] = field(default_factory=dict)
    missed: dict[tuple[str, str], Missed] = field(default_factory=dict)
    samples: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    told: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Counts the other's, too, which comes after all that was counted."""
        self.counts += other.counts
        self.dispositions += other.dispositions
        _add_each(self.sums, other.sums)
        _add_each(self.flagged, other.flagged)
        _add_each(self.missed, other.missed)
        for kind, names in other.samples.items():
            kept = self.samples.setdefault(kind, [])
            kept += names[: MOST_SAMPLES - len(kept)]
        self.told += other.told[: MOST_TOLD - len(self.told)]

    def sample(self, name: Callable[[], str], *kind: str) -> None:
        """Remembers a claim of a kind, once, while there is room."""
        names = self.samples.setdefault(kind, [])
        if len(names) < MOST_SAMPLES and (shown := name()) not in names:
            names.append(shown)

    def sum(self, *key: str) -> Sum:
        """The sum of a group; to be read."""
        side, by, group = key
        return self.sums.get((side, by, group), Sum())


def _add_each(mine: dict[_Key, _Count], others: Mapping[_Key, _Count]) -> None:
    for key, each in others.items():
        if key in mine:
            mine[key].add(each)
        else:
            mine[key] = each
