"""Beside the path: in what two answers differ. Findings are held against each other by rule and lines, not by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NOTHING = object()  # stands where one of two answers has nothing


class Difference(NamedTuple):
    """A place in both answers, outermost name first, and what stands there in each; NOTHING where nothing does."""

    place: tuple[str, ...]
    before: Any
    after: Any


def differences(before: object, after: object, place: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Every smallest place in which two JSON documents differ; the order of keys is no difference."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _within(before, after, place)
    elif isinstance(before, list) and isinstance(after, list) and (name := _NAMES.get(place[-1] if place else "")):
        yield from _within(_by_name(before, name), _by_name(after, name), place)
    elif before != after:
        yield Difference(place, before, after)


def _within(before: Mapping[str, Any], after: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        yield from differences(before.get(key, NOTHING), after.get(key, NOTHING), (*place, key))


def _by_name(items: Sequence[Any], name: Callable[[Any], str]) -> dict[str, Any]:
    """Items of a list by what they are about; a second one of the same name is told by a number."""
    named: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    for item in items:
        known = _or_plain(name, item)
        counts[known] += 1
        named[known if counts[known] == 1 else f"{known} ({counts[known]})"] = item
    return named


def _or_plain(name: Callable[[Any], str], item: object) -> str:
    try:
        return name(item)
    except (KeyError, TypeError, AttributeError):
        return "?"  # no answer that we wrote


def _finding(item: Mapping[str, Any]) -> str:
    lines = ", ".join(map(str, (*item["lines"], *item.get("relatedLines", ()))))
    return f"{item['rule']['id']}, line {lines}" if lines else str(item["rule"]["id"])


def _release(item: Mapping[str, Any]) -> str:
    return f"{item['table']} {item['release']}"


def _pointer(item: Mapping[str, Any]) -> str:
    return str(item["pointer"])


_NAMES: Mapping[str, Callable[[Any], str]] = {
    "findings": _finding,
    "shadow": _finding,
    "notChecked": _finding,
    "reference": _release,
    "normalised": _pointer,
}
