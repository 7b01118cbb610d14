"""Reads a loaded `scrubContext`: each of its values is present, stated absent, or not supplied."""

from __future__ import annotations

from datetime import date
from typing import Any

from scrubber.claim.model import (
    ABSENT,
    NOT_SUPPLIED,
    Abn,
    Absence,
    Context,
    Documentation,
    EarlierService,
    Span,
    UnusableService,
)
from scrubber.claim.v3.extractor import Extractor, LoadedObject
from scrubber.claim.v3.statements import read_statements
from scrubber.claim.v3.values import IrregularList, IrregularValue

_ROOT = "/scrubContext"
_NOTHING = Context()


def context(loaded: LoadedObject | None, line_count: int, extractor: Extractor) -> Context:
    """The context in `scrubContext`, for a claim of `line_count` lines."""
    if not loaded:
        return _NOTHING
    eligibility, pricing = loaded.get("eligibility") or {}, loaded.get("pricing") or {}
    take = extractor.take
    history, unusable = _history(loaded, extractor)
    return Context(
        documentation=_documentation(loaded, line_count, extractor),
        abn=_abn(loaded, line_count, extractor),
        history=history,
        unusable_history=unusable,
        history_from=take(loaded, "historyFrom", _ROOT, "history"),
        history_complete=take(loaded, "historyComplete", _ROOT, "history"),
        history_scope=take(loaded, "historyScope", _ROOT, "history"),
        plan=take(eligibility, "plan", f"{_ROOT}/eligibility", "eligibility"),
        product=take(eligibility, "product", f"{_ROOT}/eligibility", "eligibility"),
        qmb=take(eligibility, "qmb", f"{_ROOT}/eligibility", "eligibility"),
        hospice=_hospice(eligibility, extractor),
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
        statements = read_statements(block.get("elements") or {}, f"{pointer}/elements", extractor)
        blocks.append(
            Documentation(
                pointer, lines, statements.stated, frozenset(statements.unreadable), tuple(statements.further)
            )
        )
    return tuple(blocks)


def _unreadable(sent: object) -> bool:
    """Whether a value was sent that cannot be read, or a list with such a value."""
    if type(sent) is IrregularList:
        return any(odd.expected is not None for _, odd in sent.odd)
    return type(sent) is IrregularValue and sent.expected is not None


def _abn(loaded: LoadedObject, line_count: int, extractor: Extractor) -> tuple[Abn, ...] | None:
    if "abn" not in loaded:
        return None
    return tuple(
        _notice(notice, f"{_ROOT}/abn/{index}", line_count, extractor)
        for index, notice in enumerate(loaded["abn"] or ())
    )


def _notice(loaded: LoadedObject, pointer: str, line_count: int, extractor: Extractor) -> Abn:
    def stated(name: str) -> Any:
        return _three_valued(loaded, name, pointer, "abn", extractor)

    return Abn(
        pointer,
        _lines(loaded, pointer, "abn", line_count, extractor),
        form=stated("form"),
        issued=stated("issued"),
        signed=stated("signed"),
        option=stated("option"),
        estimate=stated("estimate"),
        reason=stated("reason"),
        refused=stated("refused"),
        witnesses=stated("witnesses"),
    )


def _three_valued(loaded: LoadedObject, name: str, pointer: str, element: str, extractor: Extractor) -> Any:
    """A value, ABSENT where it was sent empty, NOT_SUPPLIED where it was left out or cannot be read."""
    value, sent = extractor.take(loaded, name, pointer, element), loaded.get(name)
    if value is None:
        return NOT_SUPPLIED if name not in loaded or _unreadable(sent) else ABSENT
    return value


def _lines(loaded: LoadedObject, pointer: str, element: str, line_count: int, extractor: Extractor) -> tuple[int, ...]:
    """The lines that a block is about: all lines when it names none, no line when it names only unknown ones."""
    numbers = extractor.take_several(loaded, "lines", pointer, element)
    if not numbers and not loaded.get("lines"):
        return tuple(range(1, line_count + 1))
    if not all(0 < number <= line_count for number in numbers):
        extractor.record(IrregularValue(None, None, "number"), f"{pointer}/lines", element)
    return tuple(sorted({number for number in numbers if 0 < number <= line_count}))


_FURTHER = ("renderingNpi", "units", "charge", "allowed", "billingNpi", "taxonomyCode", "careFrom", "careTo")


def _history(
    loaded: LoadedObject, extractor: Extractor
) -> tuple[tuple[EarlierService, ...] | None, tuple[UnusableService, ...]]:
    """Earlier services, and the rows without a readable code or date. None: there is no history."""
    if "history" not in loaded:
        return None, ()
    services, unusable = [], []
    for index, row in enumerate(loaded["history"] or ()):
        pointer = f"{_ROOT}/history/{index}"
        code: str | None = _needed(row, "code", "code", pointer, extractor)
        day: date | None = _needed(row, "date", "date", pointer, extractor)
        component = ""
        if code is not None:
            code, _, component = code.partition("-")  # senders write 77080-TC
        if code is None or day is None:
            unusable.append(UnusableService(pointer, code, day))
        else:
            services.append(_earlier_service(row, code, day, component, pointer, extractor))
    return tuple(services), tuple(unusable)


def _earlier_service(
    row: LoadedObject, code: str, day: date, component: str, pointer: str, extractor: Extractor
) -> EarlierService:
    modifiers = extractor.take_several(row, "modifiers", pointer, "history")
    further = {name: _three_valued(row, name, pointer, "history", extractor) for name in _FURTHER}
    diagnoses: tuple[str, ...] | Absence = NOT_SUPPLIED
    if "diagnoses" in row:
        diagnoses = extractor.take_several(row, "diagnoses", pointer, "history")
    return EarlierService(
        code,
        day,
        (*modifiers, component) if component else modifiers,
        rendering_npi=further["renderingNpi"],
        units=further["units"],
        charge=further["charge"],
        allowed=further["allowed"],
        billing_npi=further["billingNpi"],
        taxonomy=further["taxonomyCode"],
        diagnoses=diagnoses,
        care_from=further["careFrom"],
        care_to=further["careTo"],
        pointer=pointer,
        unreadable=frozenset(name for name, sent in row.items() if _unreadable(sent)),
    )


def _hospice(eligibility: LoadedObject, extractor: Extractor) -> tuple[Span, ...] | None:
    """The patient's elections of hospice care; None when nothing is said of them."""
    if "hospice" not in eligibility:
        return None
    spans = []
    for index, span in enumerate(eligibility["hospice"] or ()):
        pointer = f"{_ROOT}/eligibility/hospice/{index}"
        first, last = (extractor.take(span, name, pointer, "eligibility") for name in ("from", "to"))
        spans.append(Span(first, last))
    return tuple(spans)


def _needed(row: LoadedObject, name: str, expected: str, pointer: str, extractor: Extractor) -> Any:
    value, sent = extractor.take(row, name, pointer, "history"), row.get(name)
    if value is None and not _unreadable(sent):
        extractor.record(IrregularValue(None, None, expected), f"{pointer}/{name}", "history")
    return value
