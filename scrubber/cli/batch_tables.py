"""Around the path: batches, and what they come to, as tables to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrubber.cli.columns import columns, fitting

_NUMBERS = frozenset(("rows", "done", "accept", "warn", "deny", "rejected", "at risk", "claims", "findings", "rows/s"))
_COLUMNS = ("id", "state", "rows", "done", "accept", "warn", "deny", "rejected", "at risk", "rows/s", "submitted")
_SPARE = (
    "rows/s",
    "submitted",
    "accept",
    "warn",
    "rejected",
    "done",
)  # left out on a narrow terminal, the first ones first
_GROUPS = {"rules": "rule", "payers": "payer", "codes": "code", "providers": "provider"}


def batches_table(batches: list[Any]) -> Iterator[str]:
    """A line a batch, and below them why any failed, or stands still."""
    yield from fitting(_COLUMNS, [_row(batch) for batch in batches], _NUMBERS, _SPARE)
    for batch in batches:
        if batch["why"]:
            yield f"{batch['id']} {'failed' if batch['ended'] else 'stands still'}: {batch['why']}."


def _row(batch: Any) -> list[object]:
    counts = batch["counts"]
    return [
        batch["id"],
        batch["state"],
        batch["rows"],
        batch["rowsDone"],
        *(counts[name] for name in ("accept", "warn", "deny", "rejected")),
        dollars(batch["atRisk"]),
        batch["rowsPerSecond"] and round(batch["rowsPerSecond"]),
        batch["submitted"][:19].replace("T", " "),
    ]


def summary_tables(summary: Any, most: int) -> Iterator[str]:
    """By rule, payer, code and provider, the most dollars first."""
    for group, name in _GROUPS.items():
        found = summary[group]
        rows = [
            [row["key"] or "(none)", row["claims"], row["findings"], dollars(row["atRisk"])] for row in found[:most]
        ]
        yield from columns((name, "claims", "findings", "at risk"), rows, _NUMBERS)
        if len(found) > most:
            yield f"... and {len(found) - most:,} more; --top shows them"
        yield ""


def dollars(amount: str | None) -> str:
    """An amount with commas; a dash for one that is not known."""
    if amount is None:
        return "-"
    whole, _, cents = amount.partition(".")
    return f"{int(whole):,}.{cents}"
