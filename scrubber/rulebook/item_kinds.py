"""Declares the things on and beside a claim that relations of rules speak of, and the fields of each, for authors.

A diagnosis, an earlier service, another payer, a decision of his on a line: there may be none of them, one, or several.
Their values are made in `facts/items.py`, when a rule asks. Fields from the catalogue of elements have its types.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Absence
from scrubber.rulebook.element_fields import STATES, element_field
from scrubber.rulebook.field import Field, Type

Path = tuple[str, ...]
ENTRY = "*"  # in a path: each entry of a list

_STATED = (Absence.ABSENT.value, Absence.NOT_SUPPLIED.value)
_CLAIM = ("claimInformation",)
LINE = (*_CLAIM, "serviceLines", ENTRY)
_OTHER_PAYER = (*_CLAIM, "otherSubscriberInformation", ENTRY)
_DECISION = (*LINE, "lineAdjudicationInformation", ENTRY)
_DETAIL = ("adjustmentDetails", ENTRY)


@dataclass(frozen=True, slots=True)
class ItemKind:
    """A kind of thing that relations speak of, by its `name`; `plural` is what sums and counts are `of`.

    `of_lines`: only a service line has them. `context`: `scrubContext` says them, so that there may be none because
    nothing was supplied. `paths` are where each is an entry of a list, or an object, in the body, of the claim or of a
    line, and `elements` what each of the fields is there; other fields are made in `facts/items.py`.
    """

    name: str
    plural: str
    about: str
    fields: Mapping[str, Field]
    of_lines: bool = False
    context: bool = False
    paths: tuple[Path, ...] = ()
    elements: Mapping[str, tuple[Element, ...]] = field(default_factory=dict)


def _kind(
    name: str, plural: str, about: str, *fields: Field, of_lines: bool = False, context: bool = False
) -> ItemKind:
    return ItemKind(name, plural, about, {each.name: each for each in fields}, of_lines, context)


def _listed(
    name: str, plural: str, about: str, *paths: Path, prefixes: str, names: Mapping[str, str], of_lines: bool = False
) -> ItemKind:
    """A kind whose fields are the elements in the entries of a list; of what is around these, the elements in `names`.

    A field's name is that of the element without one of the `prefixes`; `names` has those that are called otherwise.
    """
    fields: dict[str, Field] = {}
    elements: dict[str, tuple[Element, ...]] = {}
    for element, inside in _elements_in(paths, names):
        short = names.get(element.name) or _without(element.name, prefixes.split())
        fields.setdefault(short, element_field(element, short, several=ENTRY in inside))
        elements[short] = (*elements.get(short, ()), element)
    return ItemKind(name, plural, about, fields, of_lines, paths=paths, elements=elements)


def _elements_in(paths: tuple[Path, ...], names: Collection[str]) -> Iterator[tuple[Element, Path]]:
    for element in CATALOGUE.values():
        for start in paths:
            found = path_in_entry(element, start)
            if found is not None and (not found.above or element.name in names):
                yield element, found.inside
                break


class PathInEntry(NamedTuple):
    """How the path of an element goes on `inside` an entry of a list, or of the list that is so many lists `above`."""

    above: int
    inside: Path


def path_in_entry(element: Element, start: Path) -> PathInEntry | None:
    """Where an element is, seen from an entry of the list at `start`. None: in no such entry, nor around it.

    What is around the entry and may be there several times is not one value for it, and what is around all lists of a
    line or claim is theirs.
    """
    ends = [position + 1 for position, each in enumerate(start) if each == ENTRY and start[: position + 1] != LINE]
    levels = ends if start[-1] == ENTRY else [*ends, len(start)]
    for above, length in enumerate(reversed(levels)):
        for path in element.paths:
            if path[:length] == start[:length] and not (above and ENTRY in path[length:]):
                return PathInEntry(above, path[length:])
    return None


def _without(name: str, prefixes: list[str]) -> str:
    return next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)


_PAYER_SUMS = (
    Field("payer", Type.TEXT, "id of the other payer, as in its decisions on the line", states=STATES, private=True),
    Field("paid", Type.AMOUNT, "what the payer paid for the line, all of its decisions on it together", states=STATES),
    Field("adjustments", Type.AMOUNT, "sum of the payer's adjustments of the line; 0 where it made none"),
    Field("patient-liability", Type.AMOUNT, "what the payer left to the patient, together", states=STATES),
    Field("decisions", Type.NUMBER, "how many decisions of the payer the line has"),
)  # fmt: skip
_NOTICE = (
    Field("form", Type.TEXT, "name of the form, as sent", states=_STATED),
    Field("issued", Type.DAY, "day on which the notice was given to the patient", states=_STATED),
    Field("signed", Type.DAY, "day on which the patient signed", states=_STATED),
    Field("option", Type.TEXT, "option that the patient chose, as sent", states=_STATED),
    Field("estimate", Type.AMOUNT, "estimated cost", states=_STATED),
    Field("reason", Type.TEXT, "why Medicare may not pay, as sent", states=_STATED, private=True),
    Field("refused", Type.FLAG, "the patient would not sign", states=_STATED),
    Field("witnesses", Type.DECIMAL, "how many people saw the refusal", states=_STATED),
)
OF_MODIFIERS = ("side", "site", "component")  # fields of an earlier service that are made when a rule asks
_HISTORY = (
    Field("procedure", Type.TEXT, "procedure code of the earlier service"),
    Field("day", Type.DAY, "its date of service"),
    Field("modifiers", Type.CODES, "its modifiers, in order; none where the history says nothing of them"),
    Field("units", Type.DECIMAL, "its units", states=_STATED),
    Field("charge", Type.AMOUNT, "charge for all of its units", states=_STATED),
    Field("allowed", Type.AMOUNT, "what the payer allowed for all of its units", states=_STATED),
    Field("rendering-provider", Type.TEXT, "NPI of who rendered it", states=_STATED, private=True),
    Field("billing-provider", Type.TEXT, "NPI of who billed it: the group", states=_STATED, private=True),
    Field("specialty", Type.TEXT, "taxonomy code of who rendered it", states=_STATED),
    Field("diagnoses", Type.CODES, "its diagnosis codes, in order", states=_STATED),
    Field("care-from", Type.DAY, "day on which its provider took over the patient's care", states=_STATED),
    Field("care-to", Type.DAY, "last day of that care", states=_STATED),
    Field(
        "side", Type.WORD, "side of the body that its modifiers name, as of lines", ("right", "left", "both"), STATES
    ),
    Field("site", Type.TEXT, "modifier of the exact place on the body, as of lines", states=STATES),
    Field("component", Type.WORD, "part of the service that its modifiers name", ("26", "TC", "whole"), STATES),
)
_DIAGNOSIS = (
    Field("code", Type.TEXT, "the code without dot", states=STATES),
    Field("position", Type.NUMBER, "where it stands among the diagnoses of the claim: 1 is the principal one"),
    Field("qualifier", Type.TEXT, "its qualifier: ABK, ABF, or BK and BF of ICD-9", states=STATES),
    Field("pointer", Type.NUMBER, "which pointer of the line leads to it: 1 is the first; absent where none does, and "
          "on rules of the whole claim", states=(Absence.ABSENT.value,)),
)  # fmt: skip

ITEM_KINDS: Mapping[str, ItemKind] = {
    kind.name: kind
    for kind in (
        _kind("diagnosis", "diagnoses", "one diagnosis of the claim", *_DIAGNOSIS),
        _kind("pointed-diagnosis", "pointed-diagnoses", "one diagnosis that the line points to", *_DIAGNOSIS,
              of_lines=True),
        _kind("history", "history", "one service that the patient had before this claim", *_HISTORY, context=True),
        _listed(
            "other-payer", "other-payers", "one other payer of the patient, as the claim says it", _OTHER_PAYER,
            prefixes="other-payer- other-",
            names={"other-payer-id": "payer", "other-payer-adjustment-amount": "adjustments"},
        ),
        _listed(
            "adjudication", "adjudications", "one decision of another payer on the line", _DECISION,
            prefixes="line-decision- line-",
            names={"line-decision-date": "day", "line-adjustment-amount": "adjustments"},
            of_lines=True,
        ),
        _kind("adjusting-payer", "adjusting-payers", "one other payer that has decided on the line, with the sums of "
              "its decisions", *_PAYER_SUMS, of_lines=True),
        _listed(
            "adjustment", "adjustments", "one adjustment of another payer on the line",
            (*_DECISION, "claimAdjustmentInformation", ENTRY, *_DETAIL),
            prefixes="line-adjustment-",
            names={
                "line-adjustment-group": "group", "line-decision-payer": "payer",
                "line-decision-procedure": "procedure", "line-decision-date": "day",
            },
            of_lines=True,
        ),
        _listed(
            "claim-adjustment", "claim-adjustments", "one adjustment of another payer on the claim as a whole",
            (*_OTHER_PAYER, "claimLevelAdjustments", ENTRY, *_DETAIL),
            prefixes="other-payer-adjustment-",
            names={"other-payer-adjustment-group": "group", "other-payer-id": "payer", "other-payer-decided": "day"},
        ),
        _listed(
            "test-result", "test-results", "one test result of the line", (*LINE, "testResults", ENTRY),
            prefixes="test-result-",
            names={"test-result-kind": "reference", "test-result-measure": "qualifier"},
            of_lines=True,
        ),
        _listed(
            "attachment", "attachments", "one attachment: of the line where it has any, else of the claim",
            (*LINE, "serviceLineSupplementalInformation", ENTRY),
            (*_CLAIM, "claimSupplementalInformation", "reportInformation"),
            (*_CLAIM, "claimSupplementalInformation", "reportInformations", ENTRY),
            prefixes="attachment-", names={},
        ),
        _kind("notice", "notices", "one advance beneficiary notice for the line", *_NOTICE, context=True),
    )
}  # fmt: skip
