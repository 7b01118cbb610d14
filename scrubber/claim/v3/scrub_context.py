"""Reads a loaded `scrubContext`: each of its values is present, stated absent, or not supplied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrubber.claim.model import ABSENT, NOT_SUPPLIED, Abn, Absence, Context, Documentation, EarlierService
from scrubber.claim.v3.extractor import Extractor, LoadedObject
from scrubber.claim.v3.schema import DOCUMENTATION_OBJECTS
from scrubber.claim.v3.values import IrregularValue

_ROOT = "/scrubContext"
_NOTHING = Context()
# Nested objects of a report, each with its main member: where that is stated absent, so is the object.
_CORE = {"signature": "name", "sourceStudy": "code", "tbsSoftware": "name", "order": "npi"}
_NESTED = tuple(sorted(DOCUMENTATION_OBJECTS))


def context(loaded: LoadedObject | None, line_count: int, extractor: Extractor) -> Context:
    """The context in `scrubContext`, for a claim of `line_count` lines."""
    if not loaded:
        return _NOTHING
    eligibility, pricing = loaded.get("eligibility") or {}, loaded.get("pricing") or {}
    take = extractor.take
    return Context(
        documentation=_documentation(loaded, line_count, extractor),
        abn=_abn(loaded, line_count, extractor),
        history=_history(loaded, extractor),
        plan=take(eligibility, "plan", f"{_ROOT}/eligibility", "eligibility"),
        qmb=take(eligibility, "qmb", f"{_ROOT}/eligibility", "eligibility"),
        eligibility_checked=take(eligibility, "checkedOn", f"{_ROOT}/eligibility", "eligibility"),
        locality=take(pricing, "locality", f"{_ROOT}/pricing", "pricing"),
        participation=take(pricing, "participation", f"{_ROOT}/pricing", "pricing"),
        qualifying_apm=take(pricing, "qualifyingApm", f"{_ROOT}/pricing", "pricing"),
        received_on=take(loaded, "receivedOn", _ROOT, "received-on"),
    )


def _documentation(loaded: LoadedObject, line_count: int, extractor: Extractor) -> tuple[Documentation, ...]:
    blocks = []
    for index, block in enumerate(loaded.get("documentation") or ()):
        pointer = f"{_ROOT}/documentation/{index}"
        lines = _lines(block, pointer, "documentation", line_count, extractor)
        elements = _elements(block.get("elements") or {}, f"{pointer}/elements", extractor)
        blocks.append(Documentation(pointer, lines, elements))
    return tuple(blocks)


def _elements(loaded: LoadedObject, pointer: str, extractor: Extractor) -> Mapping[str, str | Absence]:
    """Statements by flat name, in an order that does not depend on the order sent."""
    stated = _statements(loaded, "", pointer, extractor)
    for name in _NESTED:
        nested = loaded.get(name)
        if nested:
            stated |= _statements(nested, f"{name}.", f"{pointer}/{name}", extractor)
            if _given(nested):
                stated[name] = "given"
            elif _CORE[name] in nested:
                stated[name] = ABSENT
    return stated


def _statements(loaded: LoadedObject, prefix: str, pointer: str, extractor: Extractor) -> dict[str, str | Absence]:
    """Texts, and ABSENT. Unreadable values are left out: nothing is known of them."""
    stated: dict[str, str | Absence] = {}
    for name in sorted(loaded):
        value = loaded[name]
        if type(value) is IrregularValue:
            value = extractor.record(value, f"{pointer}/{name}", "documentation")
            if value is None:
                continue
        if type(value) is not dict:
            stated[prefix + name] = ABSENT if value is None else value
    return stated


def _unreadable(sent: object) -> bool:
    return type(sent) is IrregularValue and sent.expected is not None


def _given(nested: LoadedObject) -> bool:
    return any(value is not None for value in nested.values())


def _abn(loaded: LoadedObject, line_count: int, extractor: Extractor) -> tuple[Abn, ...] | None:
    if "abn" not in loaded:
        return None
    return tuple(
        _notice(notice, f"{_ROOT}/abn/{index}", line_count, extractor)
        for index, notice in enumerate(loaded["abn"] or ())
    )


def _notice(loaded: LoadedObject, pointer: str, line_count: int, extractor: Extractor) -> Abn:
    def stated_value(name: str) -> Any:
        value, sent = extractor.take(loaded, name, pointer, "abn"), loaded.get(name)
        if value is None:
            return NOT_SUPPLIED if name not in loaded or _unreadable(sent) else ABSENT
        return value

    return Abn(
        pointer,
        _lines(loaded, pointer, "abn", line_count, extractor),
        form=stated_value("form"),
        issued=stated_value("issued"),
        signed=stated_value("signed"),
        option=stated_value("option"),
        estimate=stated_value("estimate"),
        reason=stated_value("reason"),
        refused=stated_value("refused"),
        witnesses=stated_value("witnesses"),
    )


def _lines(loaded: LoadedObject, pointer: str, element: str, line_count: int, extractor: Extractor) -> tuple[int, ...]:
    """The lines that a block is about: all lines when it names none, no line when it names only unknown ones."""
    numbers = extractor.take_several(loaded, "lines", pointer, element)
    if not numbers and not loaded.get("lines"):
        return tuple(range(1, line_count + 1))
    if not all(0 < number <= line_count for number in numbers):
        extractor.record(IrregularValue(None, None, "number"), f"{pointer}/lines", element)
    return tuple(sorted({number for number in numbers if 0 < number <= line_count}))


def _history(loaded: LoadedObject, extractor: Extractor) -> tuple[EarlierService, ...] | None:
    """Earlier services. One without a readable code or date cannot be used, and is left out."""
    if "history" not in loaded:
        return None
    services = []
    for index, row in enumerate(loaded["history"] or ()):
        pointer = f"{_ROOT}/history/{index}"
        code = _needed(row, "code", "code", pointer, extractor)
        day = _needed(row, "date", "date", pointer, extractor)
        modifiers = extractor.take_several(row, "modifiers", pointer, "history")
        npi = extractor.take(row, "renderingNpi", pointer, "history")
        if code is not None and day is not None:
            code, _, component = code.partition("-")  # senders write 77080-TC
            services.append(EarlierService(code, day, (*modifiers, component) if component else modifiers, npi))
    return tuple(services)


def _needed(row: LoadedObject, name: str, expected: str, pointer: str, extractor: Extractor) -> Any:
    value, sent = extractor.take(row, name, pointer, "history"), row.get(name)
    if value is None and not _unreadable(sent):
        extractor.record(IrregularValue(None, None, expected), f"{pointer}/{name}", "history")
    return value
