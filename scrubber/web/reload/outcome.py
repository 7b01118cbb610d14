"""Around the path: what came of a reload, as the service records it and as people are told."""

from __future__ import annotations

from dataclasses import dataclass

RELOADED, UNCHANGED, REFUSED = "reloaded", "unchanged", "refused"


@dataclass(frozen=True)
class Outcome:
    """What came of a reload: one of the words above. `old` and `new` are digests, None where nothing could be loaded.

    `cases` is how many test cases were run; `reasons` say why it was refused, a line each, and `warnings` what is wrong
    with drafts, which stop nothing. Kept rules that were brought back are in force in the place of `instead_of`, which
    lies in the folder; `asked_by` is the account that asked for that.
    """

    outcome: str
    seconds: float
    old: str
    new: str | None = None
    rules: int = 0
    cases: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    instead_of: str | None = None
    asked_by: str | None = None


def in_a_line(outcome: Outcome) -> str:
    """What came of a reload, for people."""
    if outcome.outcome == REFUSED:
        more = len(outcome.reasons) - 1
        return f"{outcome.reasons[0]}{f' (and {more} more)' if more else ''}: the old rules stay"
    if outcome.outcome != RELOADED:
        return f"unchanged: {short(outcome.old)}, {outcome.rules} rules"
    counts = (f"{len(names)} {word}" for word, names in differences(outcome) if names)
    return (
        f"{short(outcome.old)} -> {short(outcome.new or '')}: {outcome.rules} rules, "
        f"{', '.join(counts) or 'none changed'}, {outcome.seconds:.2f} s"
    )


def differences(outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    """Ids of rules by what happened to them."""
    return [("added", outcome.added), ("removed", outcome.removed), ("changed", outcome.changed)]


def short(digest: str) -> str:
    """A digest as people compare it."""
    return digest[: len("sha256:") + 12]
