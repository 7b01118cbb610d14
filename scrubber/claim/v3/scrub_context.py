"""Reads a loaded `scrubContext`, each thing in it present, absent or not supplied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrubber.claim.model import ABSENT, NOT_SUPPLIED, Abn, Absence, Context, Documentation, EarlierService
from scrubber.claim.v3.schema import STATED_PARTS
from scrubber.claim.v3.values import Loaded, Notes, Odd

_ROOT = "/scrubContext"
_NOTHING = Context()
# Parts of a report, each with the member without which there is none: stated absent, the part is.
_CORE = {"signature": "name", "sourceStudy": "code", "tbsSoftware": "name", "order": "npi"}
_PARTS = tuple(sorted(STATED_PARTS))


def context(loaded: Loaded | None, line_count: int, notes: Notes) -> Context:
    """What `scrubContext` says, for a claim of `line_count` lines."""
    if not loaded:
        return _NOTHING
    eligibility, pricing = loaded.get("eligibility") or {}, loaded.get("pricing") or {}
    take = notes.take
    return Context(
        documentation=_documentation(loaded, line_count, notes),
        abn=_abn(loaded, line_count, notes),
        history=_history(loaded, notes),
        plan=take(eligibility, "plan", f"{_ROOT}/eligibility", "eligibility"),
        qmb=take(eligibility, "qmb", f"{_ROOT}/eligibility", "eligibility"),
        eligibility_checked=take(eligibility, "checkedOn", f"{_ROOT}/eligibility", "eligibility"),
        locality=take(pricing, "locality", f"{_ROOT}/pricing", "pricing"),
        participation=take(pricing, "participation", f"{_ROOT}/pricing", "pricing"),
        qualifying_apm=take(pricing, "qualifyingApm", f"{_ROOT}/pricing", "pricing"),
        received_on=take(loaded, "receivedOn", _ROOT, "received-on"),
    )


def _documentation(loaded: Loaded, line_count: int, notes: Notes) -> tuple[Documentation, ...]:
    blocks = []
    for index, block in enumerate(loaded.get("documentation") or ()):
        pointer = f"{_ROOT}/documentation/{index}"
        lines = _lines(block, pointer, "documentation", line_count, notes)
        elements = _elements(block.get("elements") or {}, f"{pointer}/elements", notes)
        blocks.append(Documentation(pointer, lines, elements))
    return tuple(blocks)


def _elements(loaded: Loaded, pointer: str, notes: Notes) -> Mapping[str, str | Absence]:
    """Statements by flat name, in an order that does not depend on the order sent."""
    stated = _statements(loaded, "", pointer, notes)
    for name in _PARTS:
        part = loaded.get(name)
        if part:
            stated |= _statements(part, f"{name}.", f"{pointer}/{name}", notes)
            if _given(part):
                stated[name] = "given"
            elif _CORE[name] in part:
                stated[name] = ABSENT
    return stated


def _statements(loaded: Loaded, prefix: str, place: str, notes: Notes) -> dict[str, str | Absence]:
    """Texts, and ABSENT. What is unreadable is not among them: nothing is known of it."""
    stated: dict[str, str | Absence] = {}
    for name in sorted(loaded):
        value = loaded[name]
        if type(value) is Odd:
            value = notes.tell(value, f"{place}/{name}", "documentation")
            if value is None:
                continue
        if type(value) is not dict:
            stated[prefix + name] = ABSENT if value is None else value
    return stated


def _unreadable(sent: object) -> bool:
    return type(sent) is Odd and sent.expected is not None


def _given(part: Loaded) -> bool:
    return any(value is not None for value in part.values())


def _abn(loaded: Loaded, line_count: int, notes: Notes) -> tuple[Abn, ...] | None:
    if "abn" not in loaded:
        return None
    return tuple(
        _notice(notice, f"{_ROOT}/abn/{index}", line_count, notes) for index, notice in enumerate(loaded["abn"] or ())
    )


def _notice(loaded: Loaded, pointer: str, line_count: int, notes: Notes) -> Abn:
    def said(name: str) -> Any:
        value, sent = notes.take(loaded, name, pointer, "abn"), loaded.get(name)
        if value is None:
            return NOT_SUPPLIED if name not in loaded or _unreadable(sent) else ABSENT
        return value

    return Abn(
        pointer,
        _lines(loaded, pointer, "abn", line_count, notes),
        form=said("form"),
        issued=said("issued"),
        signed=said("signed"),
        option=said("option"),
        estimate=said("estimate"),
        reason=said("reason"),
        refused=said("refused"),
        witnesses=said("witnesses"),
    )


def _lines(loaded: Loaded, pointer: str, element: str, line_count: int, notes: Notes) -> tuple[int, ...]:
    """The lines that a block is about; every line when it names none, no line when it names none that is there."""
    named = notes.take_several(loaded, "lines", pointer, element)
    if not named and not loaded.get("lines"):
        return tuple(range(1, line_count + 1))
    if not all(0 < number <= line_count for number in named):
        notes.tell(Odd(None, None, "number"), f"{pointer}/lines", element)
    return tuple(sorted({number for number in named if 0 < number <= line_count}))


def _history(loaded: Loaded, notes: Notes) -> tuple[EarlierService, ...] | None:
    """Earlier services. One without a readable code or date says nothing that can be used, and is left out."""
    if "history" not in loaded:
        return None
    services = []
    for index, row in enumerate(loaded["history"] or ()):
        pointer = f"{_ROOT}/history/{index}"
        code = _needed(row, "code", "code", pointer, notes)
        day = _needed(row, "date", "date", pointer, notes)
        modifiers = notes.take_several(row, "modifiers", pointer, "history")
        npi = notes.take(row, "renderingNpi", pointer, "history")
        if code is not None and day is not None:
            code, _, component = code.partition("-")  # senders write 77080-TC
            services.append(EarlierService(code, day, (*modifiers, component) if component else modifiers, npi))
    return tuple(services)


def _needed(row: Loaded, name: str, expected: str, pointer: str, notes: Notes) -> Any:
    value, sent = notes.take(row, name, pointer, "history"), row.get(name)
    if value is None and not _unreadable(sent):
        notes.tell(Odd(None, None, expected), f"{pointer}/{name}", "history")
    return value
