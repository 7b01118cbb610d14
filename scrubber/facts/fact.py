"""Defines a fact: a flat set of typed values that a rule may read, and where a finding on it points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from scrubber.claim.code_values import ICD9_QUALIFIERS
from scrubber.claim.elements import ELEMENTS
from scrubber.claim.model import Claim, Position, ServiceLine
from scrubber.reference import Reference
from scrubber.rulebook.rule import Authority


class QuestionAnswer(NamedTuple):
    """The answer to a question of rules about a fact: `answer` is yes, no or unknown.

    `missing` is what was not known, `lines` the other lines that counted, `services` earlier ones: code and day.
    `values` are the values that were compared, as people write them: of the name, and of the one it is held against.
    """

    answer: str
    missing: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    services: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The answer alone: a claim must not reach a log through a repr."""
        return f"<QuestionAnswer {self.answer}>"


class RowValue(NamedTuple):
    """A value that a finding takes from a row, as people write it. None: there is no such row, or nobody knows it.

    `row` has the cells of the row that was found, by column.
    """

    text: str | None
    known: bool
    row: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        """Nothing of the value: a claim must not reach a log through a repr."""
        return "<RowValue>"


@dataclass(slots=True, repr=False)
class Fact:
    """A fact of one kind of vocabulary.KINDS.

    `values` by field name, typed as the vocabulary says (cents, millionths, day ordinals; states under `field?`).
    `lines` are the lines a finding on it stands on, `related` the others it is about, both 1-based.
    `pointer` overrides the place that the rule's element would give. `element` names the element when the fact, not
    the rule, knows it. `says` are further words for messages, `evidence` look-up results to show, `authority` the
    sources of table rows behind it. `position` is where it stands in an X12 file, when the fact knows. `answers` are
    those to the questions of rules, by field; `names` by rule the values of the names that its texts use, `row_values`
    by rule those that its findings take from rows, by name.
    """

    kind: str
    values: dict[str, Any]
    lines: tuple[int, ...] = ()
    related: tuple[int, ...] = ()
    pointer: str | None = None
    element: str | None = None
    message_words: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str | int | bool | tuple[str, ...]] = field(default_factory=dict)
    authority: tuple[Authority, ...] = ()
    position: Position | None = None
    answers: Mapping[str, QuestionAnswer] | None = None
    names: Mapping[str, Mapping[str, str]] | None = None
    row_values: Mapping[str, Mapping[str, RowValue]] | None = None

    def named(self, rule_id: str) -> Mapping[str, str]:
        """What the names that the texts of a rule use stand for on this fact."""
        return self.names.get(rule_id, {}) if self.names is not None else {}


# What a field of a fact is made from, for explanations: a method of `Reference` or `Rulebook`, and the field that holds
# the code it is asked by ("": any). Of what is BY_NAME, the name of the list, limit, pack or reference table instead.
LookUp = tuple[str, str]
LookUps = Mapping[str, tuple[LookUp, ...]]  # by field
EVERY_FIELD = ""  # in place of a field: what decides whether the fact is made at all
LIST, ROWS = "list", "rows"
BY_NAME = frozenset((LIST, ROWS, "limit", "adopted"))

# A row of the nearest earlier release answers: of the starter tables, or of a table that was loaded.
PAST_LAST = "past-last-release"
CARRIED = ("carried-forward", PAST_LAST)


def release_evidence(table: str, day: date, source: str, reference: Reference) -> dict[str, str | bool]:
    """By which release of a table a row answers on a day, and where the row comes from."""
    standing = reference.table_status(table, day)
    return {
        "release": standing.release.name if standing.release else "",
        "carriedForward": standing.state in CARRIED,
        "source": source,
    }


DIAGNOSES = "/claimInformation/healthCareCodeInformation"


def pointer_to(element: str, claim: Claim, line: ServiceLine | None = None) -> str:
    """The pointer of an element of ELEMENTS, on a line where it belongs to one, where it stands or would stand."""
    if element == "line-place" and line is not None and line.place is None:
        element = "claim-place"  # the claim's holds for the line
    place = ELEMENTS[element]
    pointer = _base(place.owner, claim, line) + place.path
    return pointer if "*" not in pointer else _of_an_entry(pointer.split("/"), claim.body)


def _of_an_entry(names: list[str], body: Any) -> str:
    """The pointer without `*`: of each list the first entry that lacks what is named behind it, else its first one."""
    at = names.index("*") if "*" in names else None
    if at is None:
        return "/".join(names)
    entries = _value_at(body, names[1:at])
    behind = names[at + 1 :]
    count = len(entries) if isinstance(entries, list | tuple) else 0
    lacking = (each for each in range(count) if "*" in behind or _value_at(entries[each], behind) in (None, ""))
    return _of_an_entry([*names[:at], str(next(lacking, 0)), *behind], body)


def _value_at(value: Any, names: Sequence[str]) -> Any:
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _base(owner: str, claim: Claim, line: ServiceLine | None) -> str:
    if owner == "claim":
        return ""
    if owner in ("line", "service"):
        if line is None:
            return "/claimInformation/serviceLines"
        return line.pointer if owner == "line" else line.service_pointer
    if owner in ("subscriber", "patient"):
        return claim.subscriber.pointer if owner == "subscriber" else claim.patient.pointer
    if owner == "diagnosis":
        return _of_icd9(claim)
    on_line = getattr(line, owner, None) if line is not None else None
    provider = on_line or getattr(claim, owner, None)
    if provider is not None:
        return str(provider.pointer)
    return "/claimInformation/serviceFacilityLocation" if owner == "facility" else "/" + owner


def _of_icd9(claim: Claim) -> str:
    """The pointer of the first diagnosis with a qualifier of ICD-9; without one, of the first diagnosis."""
    found = [diagnosis for diagnosis in claim.diagnoses if diagnosis.qualifier in ICD9_QUALIFIERS] or claim.diagnoses
    return found[0].pointer if found else DIAGNOSES
