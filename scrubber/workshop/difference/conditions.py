"""Beside the path: conditions by meaning: the order of their parts, groups of one and groups in groups say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scrubber.answer.rules import condition as as_document
from scrubber.rulebook.rule import AllOf, AnyOf, Condition, Has
from scrubber.vocabulary import Field

Fields = Mapping[str, Field]


class Parts(NamedTuple):
    """Conditions that were taken out and put in, in the words of a rule file."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


def settled(condition: Condition, fields: Fields) -> Condition:
    """The condition in the one way of writing it that all ways of writing it share."""
    match condition:
        case Has(fact, op, values):
            return Has(fact, op, tuple(sorted(set(values))))
        case AllOf(parts):
            return _group(AllOf, parts, fields)
        case AnyOf(parts):
            return _group(AnyOf, parts, fields)
    return condition


def parts_changed(before: Condition, after: Condition, fields: Fields) -> Parts | None:
    """What differs between two conditions; None where they mean the same."""
    before, after = settled(before, fields), settled(after, fields)
    if before == after:
        return None
    gone, new = _difference(before, after)
    return Parts(tuple(in_words(each, fields) for each in gone), tuple(in_words(each, fields) for each in new))


def in_words(condition: Condition, fields: Fields) -> str:
    """A condition as its rule file says it, in one line."""
    return _told(as_document(condition, fields))


def _group(kind: type[AllOf | AnyOf], parts: tuple[Condition, ...], fields: Fields) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        inner = settled(part, fields)
        flat |= dict.fromkeys(inner.parts if isinstance(inner, AllOf | AnyOf) and type(inner) is kind else (inner,))
    if len(flat) == 1:
        return next(iter(flat))
    return kind(tuple(sorted(flat, key=lambda each: in_words(each, fields))))


def _difference(before: Condition, after: Condition) -> tuple[list[Condition], list[Condition]]:
    """The smallest conditions that differ: one changed part of a group is looked into, not told as a whole."""
    if type(before) is not type(after) or not isinstance(before, AllOf | AnyOf) or not isinstance(after, AllOf | AnyOf):
        return [before], [after]
    gone = [part for part in before.parts if part not in after.parts]
    new = [part for part in after.parts if part not in before.parts]
    return _difference(gone[0], new[0]) if len(gone) == len(new) == 1 else (gone, new)


def _told(document: Mapping[str, Any]) -> str:
    if "fact" in document:
        return " and ".join(_tests(document))
    [(word, parts)] = document.items()
    return f"{word} of ({'; '.join(map(_told, parts))})" if parts else "always"


def _tests(document: Mapping[str, Any]) -> Iterator[str]:
    for operator, value in document.items():
        if operator != "fact":
            shown = f"[{', '.join(value)}]" if isinstance(value, list | tuple) else value
            yield f"{document['fact']} {operator} {shown}"
