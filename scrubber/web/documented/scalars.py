"""Beside the path: what the scalars of the claim's body are, out of the vocabulary that findings point with."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from scrubber.intake.fields import Scalar
from scrubber.vocabulary import ELEMENTS, Element


def describe_scalar(_converter: object, field: object, **_: Any) -> dict[str, str]:
    """Called by apispec for each field of a schema: words for a scalar of the body, nothing for other fields."""
    words = _words_of(str(field.data_key or field.name)) if isinstance(field, Scalar) else None
    return {"description": "; ".join(words)} if words else {}


def _words_of(name: str) -> list[str] | None:
    return _WORDS.get(name) or _STATED.get(name)


# Scalars of `scrubContext` that do not explain themselves.
_STATED = {
    "form": ["of a notice (ABN): the form's name, with or without its printed footer"],
    "issued": ["of a notice (ABN): the day on which it was given to the patient"],
    "signed": ["of a notice (ABN): the day on which the patient signed it"],
    "option": ["of a notice (ABN): the option that the patient chose, 1, 2 or 3"],
    "estimate": ["of a notice (ABN): the estimated cost"],
    "reason": ["of a notice (ABN): why Medicare may not pay for this service to this patient"],
    "refused": ["of a notice (ABN): true where the patient refused to sign it"],
    "witnesses": ["of a refused notice (ABN): how many people saw the refusal; a number, no names"],
}


def _words() -> dict[str, list[str]]:
    """By name of the scalar. A name that stands in several places, such as npi, has words for each of them."""
    by_name = defaultdict(list)
    for element in ELEMENTS.values():
        by_name[element.path.rpartition("/")[2]].append(_place(element))
    return by_name


def _place(element: Element) -> str:
    box = f", box {element.box}" if element.box else ""
    return f"{element.label} ({element.loop} {element.x12}{box})"


_WORDS = _words()
