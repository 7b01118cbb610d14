"""What each scalar of a claim is to be sent as, and what else is read there: JSON types for the documentation."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from scrubber.claim.elements import ELEMENTS, Element
from scrubber.claim.v3 import values
from scrubber.claim.v3.schema import ScalarField
from scrubber.claim.v3.synonyms import SYNONYMS
from scrubber.claim.v3.values import Reader


class ScalarTypes(NamedTuple):
    """JSON types of one kind of scalar: the one of the v3 model, and those that are read as well.

    The document declares the first alone: a union for each of a hundred members makes generated clients unusable.
    """

    type: str
    also: tuple[str, ...] = ()
    entries: str | None = None  # the type of the entries of a list; those of `also` may be entries, or stand alone


_TEXT = ScalarTypes("string", ("integer",))
TYPES: dict[Reader, ScalarTypes] = {
    values.text: _TEXT,
    values.dashed_digits: _TEXT,
    values.zip_code: _TEXT,
    values.code: _TEXT,
    values.sex: _TEXT,
    values.two_digits: _TEXT,
    values.procedure: _TEXT,
    values.diagnosis: _TEXT,
    values.yes_no_code: ScalarTypes("string", ("integer", "boolean")),
    values.keyword: _TEXT,
    values.amount: ScalarTypes("string", ("integer", "number")),
    values.number: ScalarTypes("string", ("integer", "number")),
    values.day: _TEXT,
    values.days: _TEXT,
    values.flag: ScalarTypes("boolean", ("string",)),
    values.flag_statement: ScalarTypes("boolean", ("string",)),
    values.statement: ScalarTypes("string", ("integer", "number", "boolean")),
    values.locality: ScalarTypes("string"),
    values.participation: ScalarTypes("string"),
    values.history_scope: ScalarTypes("string"),
    values.modifiers: ScalarTypes("array", ("string", "integer"), "string"),
    values.diagnosis_codes: ScalarTypes("array", ("string", "integer"), "string"),
    values.pointers: ScalarTypes("array", ("string", "integer"), "string"),
    values.line_numbers: ScalarTypes("array", ("string", "integer"), "integer"),
}


def describe_scalar(_converter: object, field: object, **_: Any) -> dict[str, Any]:
    """Called by apispec for each field of a schema: type and words for a scalar of the body, nothing for others."""
    if not isinstance(field, ScalarField):
        return {}
    types = TYPES[field.like]
    schema: dict[str, Any] = {"type": [types.type, "null"]}
    if types.entries is not None:
        schema["items"] = {"type": types.entries}
    name = str(field.data_key or field.name)
    about = "; ".join(_description_of(name))
    return schema | {"description": ". ".join(filter(None, (about, *_also(types), *_other_names(field, name))))}


def _also(types: ScalarTypes) -> list[str]:
    others = [kind for kind in types.also if not (kind == "integer" and "number" in types.also)]
    if not others:
        return []
    named = " or ".join("text" if kind == "string" else kind for kind in others)
    if types.entries is None:
        return [f"Also read: {named}"]
    return [f"Also read: {named} alone, or as an entry"]


def _other_names(field: ScalarField, name: str) -> list[str]:
    """Names that are beyond doubt read as this one."""
    names = SYNONYMS.get(type(field.parent).__name__, {})
    others = [other for other, model in names.items() if model == name]
    return [f"Other names that are read: {', '.join(others)}"] if others else []


def _description_of(name: str) -> list[str]:
    return _DESCRIPTIONS.get(name) or _CONTEXT_DESCRIPTIONS.get(name) or []


# Scalars of `scrubContext` that do not explain themselves.
_CONTEXT_DESCRIPTIONS = {
    "form": ["of a notice (ABN): the form's name, with or without its printed footer"],
    "issued": ["of a notice (ABN): the day on which it was given to the patient"],
    "signed": ["of a notice (ABN): the day on which the patient signed it"],
    "option": ["of a notice (ABN): the option that the patient chose, 1, 2 or 3"],
    "estimate": ["of a notice (ABN): the estimated cost"],
    "reason": ["of a notice (ABN): why Medicare may not pay for this service to this patient"],
    "historyFrom": ["the day from which on the history has the patient's services"],
    "historyComplete": [
        "true: from that day on it has every service of its scope, so that what is not in it was not done"
    ],
    "historyScope": [
        "whose services the history has: group (of the billing group), payer (all that the payer knows of), or all"
    ],
    "code": ["of an earlier service, or of the study behind a score: the procedure code"],
    "date": ["day as CCYYMMDD; of an earlier service its first date of service"],
    "units": ["of an earlier service: its units"],
    "charge": ["of an earlier service: the charge for all of its units, in dollars"],
    "allowed": ["of an earlier service: the amount that the payer allowed for all of its units, in dollars"],
    "renderingNpi": ["of an earlier service: NPI of the rendering provider"],
    "billingNpi": ["of an earlier service: NPI of the billing provider, by which services of the group are known"],
    "diagnoses": ["of an earlier service: its diagnosis codes, in order"],
    "careFrom": ["of an earlier service: the day on which its provider took over the patient's care"],
    "careTo": ["of an earlier service: the last day of that care"],
    "plan": ["of the eligibility: the kind of plan, such as original-medicare or medicare-advantage"],
    "product": ["of the eligibility: the payer's product, by the payer's own name"],
    "qmb": ["of the eligibility: true for a qualified Medicare beneficiary"],
    "checkedOn": ["of the eligibility: the day on which it was asked"],
    "from": ["of a hospice election: its first day"],
    "to": ["of a hospice election: its last day; left out while it goes on"],
    "refused": ["of a notice (ABN): true where the patient refused to sign it"],
    "witnesses": ["of a refused notice (ABN): how many people saw the refusal; a number, no names"],
}


MOST_PLACES = 3  # of a name, such as npi, that stands in many places; docs/elements.md has them all


def _descriptions() -> dict[str, list[str]]:
    """By name of the scalar, what it is and where it goes."""
    by_name = defaultdict(list)
    for element in ELEMENTS.values():
        by_name[element.path.rpartition("/")[2]].append(element)
    return {name: _first_places(elements) for name, elements in by_name.items()}


def _first_places(elements: list[Element]) -> list[str]:
    places = [_description(element) for element in elements[:MOST_PLACES]]
    more = len(elements) - len(places)
    return [*places, f"and {more} more places"] if more else places


def _description(element: Element) -> str:
    box = f", box {element.box}" if element.box else ""
    return f"{element.label} ({element.loop} {element.x12}{box})"


_DESCRIPTIONS = _descriptions()
