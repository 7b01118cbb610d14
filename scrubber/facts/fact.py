"""One fact: a flat set of typed values that a rule may read, and what a finding on it needs to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scrubber.reference import Reference
from scrubber.rulebook.rule import Authority


@dataclass(slots=True, repr=False)
class Fact:
    """A fact of one kind of vocabulary.KINDS.

    `values` by field name, typed as the vocabulary says (cents, millionths, day ordinals; states under `field?`).
    `lines` are the lines a finding on it stands on, `related` the others it is about, both 1-based.
    `pointer` overrides the place that the rule's element would give. `element` names the element when the fact, not
    the rule, knows it. `says` are further words for messages, `evidence` look-up results to show, `authority` the
    sources of table rows behind it.
    """

    kind: str
    values: dict[str, Any]
    lines: tuple[int, ...] = ()
    related: tuple[int, ...] = ()
    pointer: str | None = None
    element: str | None = None
    says: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str | int | bool | tuple[str, ...]] = field(default_factory=dict)
    authority: tuple[Authority, ...] = ()


# A row of the nearest earlier release answers: of the starter tables, or of a table that was loaded.
PAST_LAST = "past-last-release"
CARRIED = ("carried-forward", PAST_LAST)


def release_evidence(table: str, day: date, source: str, reference: Reference) -> dict[str, str | bool]:
    """By which release of a table a row answers on a day, and where the row comes from."""
    standing = reference.standing(table, day)
    return {
        "release": standing.release.name if standing.release else "",
        "carriedForward": standing.word in CARRIED,
        "source": source,
    }
