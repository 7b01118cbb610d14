"""Builds the claim of a rule's test case: a base claim with the case's lines, changes and omissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scrubber.claim.model import Claim, Position, StructureFault
from scrubber.errors import Faults, ScrubberError
from scrubber.rulebook.test_case import Case, read_base_claim
from scrubber.rulebook.test_case_paths import LINE_FIELDS, PATHS, Target, ValueForm, target
from scrubber.rulebook.yaml_file import iso_day

Body = dict[str, Any]

TOTAL = PATHS["claim.total"].pointer
LINES = "/claimInformation/serviceLines"
PLAIN_LINE: Mapping[str, Any] = {"qualifier": "HC", "charge": "50.00", "unit-code": "UN", "units": "1", "pointers": "1"}
DAYS = frozenset(("date", "careFrom", "careTo", "from", "to", "issued", "signed", "reportDate", "checkedOn"))
FLAGS = frozenset(("separateReport", "modifierSupport", "qmb", "qualifyingApm", "refused"))
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class InvalidCase(ScrubberError):
    """A case changes or leaves out something that its claim does not have, as the message describes."""


def base_claim(folder: Path, name: str) -> Body:
    """A fresh copy of the base claim `name` of a folder of rules. Raises InvalidCase."""
    try:
        return read_base_claim(folder, name)
    except Faults as error:
        raise InvalidCase(str(error)) from None


def claim_of(case: Case, folder: Path) -> Body:
    """The request body of the case: lines are added first, then changes made, then paths left out.

    The claim's total is recomputed unless the case changes it. Raises InvalidCase.
    """
    body = base_claim(folder, case.claim)
    for line in case.lines:
        _add_line(body, line)
    destinations = []
    for path, value in case.change.items():
        destinations.append(_target(path))
        with _with_path_in_errors(path):
            change_at(body, destinations[-1], value)
    for path in case.without:
        destinations.append(_target(path))
        with _with_path_in_errors(path):
            _leave_out(body, destinations[-1].pointer)
    if TOTAL not in (destination.pointer for destination in destinations):
        sum_up(body)
    return body


def with_x12_faults(claim: Claim, case: Case) -> Claim:
    """The claim as if it had come in an X12 file with the faults of the case, each at a segment of its own."""
    faults = [
        StructureFault(word, Position("2300", "NTE", number)) for number, word in enumerate(case.x12_faults, start=1)
    ]
    return replace(claim, faults=tuple(faults)) if faults else claim


@contextmanager
def _with_path_in_errors(path: str) -> Iterator[None]:
    """Prefixes errors with the path of the case that caused them."""
    try:
        yield
    except InvalidCase as reason:
        raise InvalidCase(f"{path}: {reason}") from None


def _target(path: str) -> Target:
    found = target(path)
    if found is None:
        raise InvalidCase(f"{path} leads nowhere")
    return found


def _add_line(body: Body, line: Mapping[str, Any]) -> None:
    lines = body["claimInformation"]["serviceLines"]
    first_day = lines[0].get("serviceDate") if lines else None
    number = len(lines)
    lines.append({})
    for name, value in {"date": first_day, **PLAIN_LINE, **line}.items():
        field = LINE_FIELDS[name]
        change_at(body, Target(f"{LINES}/{number}/{field.pointer}", field.form), value)


def change_at(body: Body, destination: Target, value: Any) -> None:
    """Puts a value of a case at its place in a body. Raises InvalidCase where there is no such place."""
    *above, last = _keys(destination.pointer)
    node: Any = body
    for index, key in enumerate(above):
        node = _below(node, key, above[: index + 1], body)
    if isinstance(node, list):
        _put_in_list(node, last, body_value(value, destination.form), destination.pointer)
    else:
        node[last] = body_value(value, destination.form)


def _keys(pointer: str) -> list[str]:
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _below(node: Any, key: str, path: list[str], body: Body) -> Any:
    """The object or list under `key`, created where there is none."""
    if isinstance(node, list):
        if key.isdecimal() and int(key) >= len(node) and path[-2] == "serviceLines":
            raise InvalidCase(f"there is no line {int(key) + 1}: add it under `lines`")
        if not (key.isdecimal() and int(key) <= len(node)):
            raise InvalidCase(f"there is no /{'/'.join(path)}")
        if int(key) == len(node):
            node.append({})
        return node[int(key)]
    if not isinstance(node.get(key), dict | list):
        node[key] = _new_node(key, body)
    return node[key]


def _new_node(key: str, body: Body) -> Any:
    if key in ("documentation", "abn", "history", "hospice"):
        return []
    # The line's rendering provider is a copy of the claim's, for the case to change.
    return dict(body.get("rendering", {})) if key == "renderingProvider" else {}


def _put_in_list(node: list[Any], key: str, value: Any, pointer: str) -> None:
    if key == "-" or (key.isdecimal() and int(key) == len(node)):
        node.append(value)
    elif key.isdecimal() and int(key) < len(node):
        node[int(key)] = value
    else:
        raise InvalidCase(f"there is no {pointer}")


def _leave_out(body: Body, pointer: str) -> None:
    *above, last = _keys(pointer)
    node: Any = body
    for key in above:
        node = _there(node, key, pointer)
    _there(node, last, pointer)
    del node[int(last) if isinstance(node, list) else last]


def _there(node: Any, key: str, pointer: str) -> Any:
    if isinstance(node, dict) and key in node:
        return node[key]
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        return node[int(key)]
    raise InvalidCase(f"there is no {pointer} to leave out")


def body_value(value: Any, form: ValueForm) -> Any:
    """A value of a test case, converted for a request body."""
    if form is ValueForm.DAY:
        return _day(value)
    if form is ValueForm.FLAG:
        return _flag(value)
    if form is ValueForm.CODES:
        return [value] if isinstance(value, str) else value
    if form is ValueForm.DIAGNOSES:
        return _diagnoses(value) if isinstance(value, list) else value
    if form is ValueForm.BLOCKS:
        return [_block(block) for block in ([value] if isinstance(value, dict) else value)] if value else value
    return value


def _day(value: Any) -> Any:
    day = iso_day(value)
    return f"{day:%Y%m%d}" if day else value


def _flag(value: Any) -> Any:
    return _YES_NO.get(value, value) if isinstance(value, str) else value


def _diagnoses(codes: Iterable[str]) -> list[Body]:
    return [
        {"diagnosisTypeCode": "ABF" if index else "ABK", "diagnosisCode": code.replace(".", "")}
        for index, code in enumerate(codes)
    ]


def _block(block: Any) -> Any:
    """A block of scrubContext, with its dates and flags as JSON has them."""
    if not isinstance(block, dict):
        return block
    return {
        name: _day(value) if name in DAYS else _flag(value) if name in FLAGS else _block(value)
        for name, value in block.items()
    }


def sum_up(body: Body) -> None:
    """Makes the claim's total the sum of the charges of its lines."""
    claim = body["claimInformation"]
    services = [line.get("professionalService") or {} for line in claim["serviceLines"]]
    try:
        total = sum((Decimal(str(service.get("lineItemChargeAmount"))) for service in services), Decimal())
    except ArithmeticError:
        return  # the case tests a charge that is no number, or too large a one
    if total.is_finite():
        claim["claimChargeAmount"] = f"{total:.2f}"
