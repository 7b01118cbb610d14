"""Around the path: hints: word to whoever may be idle that there is work. The ledger knows what it is.

Nothing depends on a hint: it may be lost, come late, or come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Hint = Callable[[str, Sequence[int]], None]  # of a batch, these chunks wait; CUT among them: it waits to be cut


def nobody(batch_id: str, numbers: Sequence[int]) -> None:
    """Where workers ask the ledger by themselves."""
