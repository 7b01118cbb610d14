"""What a process remembers of look-ups from one claim to the next, until other rules or tables are in force.

What is remembered is known by the rulebook or the reference data that it was looked up in, and keeps that in memory:
without forgetting, a service that is given new rules would keep every rulebook it ever had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, ParamSpec, TypeVar, cast

Asked = ParamSpec("Asked")
Found = TypeVar("Found")

_kept: list[_lru_cache_wrapper[Any]] = []


def remembered(most: int) -> Callable[[Callable[Asked, Found]], Callable[Asked, Found]]:
    """A function that remembers so many of its results. Its arguments must be hashable."""

    def keep(function: Callable[Asked, Found]) -> Callable[Asked, Found]:
        kept = lru_cache(most)(cast(Callable[..., Any], function))
        _kept.append(kept)
        return cast(Callable[Asked, Found], kept)

    return keep


def forget() -> None:
    """All that was remembered. Claims under way go on, and look up anew."""
    for kept in _kept:
        kept.cache_clear()
