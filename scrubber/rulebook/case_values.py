"""Beside the path: what a test case may write behind a path, so that a slip is told by lint and not by the claim.

A value that is wrong on purpose is written behind a JSON pointer, which takes everything as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrubber.rulebook.case_paths import LINE_FIELDS, Form, target
from scrubber.rulebook.yaml_file import Place, iso_day

_POINTER = "; to send something else on purpose, write its JSON pointer"
_DAY = f"is no day of the calendar such as 2025-03-12{_POINTER}"
_FLAG = f"is yes, no or null{_POINTER}"
_FLAGS = ("yes", "no", "true", "false", None, "")


def value_faults(index: int, case: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Places in the case number `index` of a file, and what is wrong with the values there."""
    for path, value in case["change"].items():
        place = target(path)
        if place is not None:
            yield from _of_form((index, "change", path), path, value, place.form)
    for number, line in enumerate(case["lines"]):
        for name, value in line.items():
            yield from _of_form((index, "lines", number, name), name, value, LINE_FIELDS[name].form)


def _of_form(place: Place, path: str, value: Any, form: Form) -> Iterator[tuple[Place, str]]:
    if form is Form.DAY and value not in (None, "") and iso_day(value) is None:
        yield place, f"{path}: {_DAY}"
    elif form is Form.FLAG and (isinstance(value, list | dict) or value not in _FLAGS):
        yield place, f"{path}: {_FLAG}"
    elif form is Form.CODES and isinstance(value, Mapping):
        yield place, f"{path}: is one text or a list of texts{_POINTER}"
    elif form is Form.DIAGNOSES and not (value is None or _texts(value)):
        yield place, f"{path}: is a list of codes, the principal one first{_POINTER}"
    elif form is Form.BLOCKS and isinstance(value, str) and value:
        yield place, f"{path}: is one block or a list of blocks{_POINTER}"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
