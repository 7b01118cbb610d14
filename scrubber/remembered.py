"""Caches look-ups from one claim to the next, until other rules or tables are in force.

The keys of the caches contain the rulebook or the reference data that was looked up in, and keep it in memory: unless
the caches are emptied on a reload, a service would keep every rulebook it ever had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_caches: list[_lru_cache_wrapper[Any]] = []


def remembered(most: int) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorates a function with a cache of so many results. Its arguments must be hashable."""

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        cached = lru_cache(most)(cast(Callable[..., Any], function))
        _caches.append(cached)
        return cast(Callable[Arguments, Result], cached)

    return decorate


def forget() -> None:
    """Empties all caches. Claims under way go on, with new look-ups."""
    for cached in _caches:
        cached.cache_clear()
