"""Makes the claim of a rule's test case: a base claim with the case's lines, changes and omissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from scrubber.errors import Faults, ScrubberError
from scrubber.rulebook.test_case import Case, read_base_claim
from scrubber.rulebook.test_case_paths import LINE_FIELDS, PATHS, Target, ValueForm, target
from scrubber.rulebook.yaml_file import iso_day

Body = dict[str, Any]

TOTAL = PATHS["claim.total"].pointer
LINES = "/claimInformation/serviceLines"
PLAIN_LINE: Mapping[str, Any] = {"qualifier": "HC", "charge": "50.00", "unit-code": "UN", "units": "1", "pointers": "1"}
DAYS = frozenset(("date", "issued", "signed", "reportDate", "checkedOn"))
FLAGS = frozenset(("separateReport", "modifierSupport", "qmb", "qualifyingApm", "refused"))
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class CaseNotMade(ScrubberError):
    """A case changes or leaves out what is not there; the message says what."""


def base_claim(folder: Path, name: str) -> Body:
    """A fresh copy of the base claim `name` of a folder of rules. Raises CaseNotMade."""
    try:
        return read_base_claim(folder, name)
    except Faults as error:
        raise CaseNotMade(str(error)) from None


def claim_of(case: Case, folder: Path) -> Body:
    """The body that the case is about: lines are added first, then changes made, then paths left out.

    The claim's total is summed up anew unless the case speaks of it. Raises CaseNotMade.
    """
    body = base_claim(folder, case.claim)
    for line in case.lines:
        _add_line(body, line)
    places = []
    for path, value in case.change.items():
        places.append(_target(path))
        with _told_of(path):
            _change(body, places[-1], value)
    for path in case.without:
        places.append(_target(path))
        with _told_of(path):
            _leave_out(body, places[-1].pointer)
    if TOTAL not in (place.pointer for place in places):
        _sum_up(body)
    return body


@contextmanager
def _told_of(path: str) -> Iterator[None]:
    """Says which path of the case could not be followed."""
    try:
        yield
    except CaseNotMade as reason:
        raise CaseNotMade(f"{path}: {reason}") from None


def _target(path: str) -> Target:
    found = target(path)
    if found is None:
        raise CaseNotMade(f"{path} leads nowhere")
    return found


def _add_line(body: Body, line: Mapping[str, Any]) -> None:
    lines = body["claimInformation"]["serviceLines"]
    first_day = lines[0].get("serviceDate") if lines else None
    number = len(lines)
    lines.append({})
    for name, value in {"date": first_day, **PLAIN_LINE, **line}.items():
        field = LINE_FIELDS[name]
        _change(body, Target(f"{LINES}/{number}/{field.pointer}", field.form), value)


def _change(body: Body, place: Target, value: Any) -> None:
    *above, last = _keys(place.pointer)
    node: Any = body
    for index, key in enumerate(above):
        node = _below(node, key, above[: index + 1], body)
    if isinstance(node, list):
        _put_in_list(node, last, written(value, place.form), place.pointer)
    else:
        node[last] = written(value, place.form)


def _keys(pointer: str) -> list[str]:
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _below(node: Any, key: str, path: list[str], body: Body) -> Any:
    """The object or list under `key`, made where there is none."""
    if isinstance(node, list):
        if key.isdecimal() and int(key) >= len(node) and path[-2] == "serviceLines":
            raise CaseNotMade(f"there is no line {int(key) + 1}: add it under `lines`")
        if not (key.isdecimal() and int(key) <= len(node)):
            raise CaseNotMade(f"there is no /{'/'.join(path)}")
        if int(key) == len(node):
            node.append({})
        return node[int(key)]
    if not isinstance(node.get(key), dict | list):
        node[key] = _made(key, body)
    return node[key]


def _made(key: str, body: Body) -> Any:
    if key in ("documentation", "abn", "history"):
        return []
    # The line's rendering provider is the claim's until the case says otherwise.
    return dict(body.get("rendering", {})) if key == "renderingProvider" else {}


def _put_in_list(node: list[Any], key: str, value: Any, pointer: str) -> None:
    if key == "-" or (key.isdecimal() and int(key) == len(node)):
        node.append(value)
    elif key.isdecimal() and int(key) < len(node):
        node[int(key)] = value
    else:
        raise CaseNotMade(f"there is no {pointer}")


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
    raise CaseNotMade(f"there is no {pointer} to leave out")


def written(value: Any, form: ValueForm) -> Any:
    """A value of a test case as it stands in a body."""
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


def _sum_up(body: Body) -> None:
    claim = body["claimInformation"]
    services = [line.get("professionalService") or {} for line in claim["serviceLines"]]
    try:
        total = sum((Decimal(str(service.get("lineItemChargeAmount"))) for service in services), Decimal())
    except ArithmeticError:
        return  # a charge that is no number, or beyond all numbers, is what the case is about
    if total.is_finite():
        claim["claimChargeAmount"] = f"{total:.2f}"
