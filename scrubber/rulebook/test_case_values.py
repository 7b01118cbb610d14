"""Finds values in test cases of rules that are not of the form that their paths take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrubber.rulebook.test_case_paths import LINE_FIELDS, ValueForm, target
from scrubber.rulebook.yaml_file import Position, iso_day

_POINTER = "; to send something else on purpose, write its JSON pointer"
_DAY = f"is no day of the calendar such as 2025-03-12{_POINTER}"
_FLAG = f"is yes, no or null{_POINTER}"
_FLAGS = ("yes", "no", "true", "false", None, "")


def value_faults(index: int, case: Mapping[str, Any]) -> Iterator[tuple[Position, str]]:
    """Positions in the case number `index` of a file, and what is wrong with the values there."""
    for path, value in case["change"].items():
        position = target(path)
        if position is not None:
            yield from _of_form((index, "change", path), path, value, position.form)
    for number, line in enumerate(case["lines"]):
        for name, value in line.items():
            yield from _of_form((index, "lines", number, name), name, value, LINE_FIELDS[name].form)


def _of_form(position: Position, path: str, value: Any, form: ValueForm) -> Iterator[tuple[Position, str]]:
    if form is ValueForm.DAY and value not in (None, "") and iso_day(value) is None:
        yield position, f"{path}: {_DAY}"
    elif form is ValueForm.FLAG and (isinstance(value, list | dict) or value not in _FLAGS):
        yield position, f"{path}: {_FLAG}"
    elif form is ValueForm.CODES and isinstance(value, Mapping):
        yield position, f"{path}: is one text or a list of texts{_POINTER}"
    elif form is ValueForm.DIAGNOSES and not (value is None or _texts(value)):
        yield position, f"{path}: is a list of codes, the principal one first{_POINTER}"
    elif form is ValueForm.BLOCKS and isinstance(value, str) and value:
        yield position, f"{path}: is one block or a list of blocks{_POINTER}"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
