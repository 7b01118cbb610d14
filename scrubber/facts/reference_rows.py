"""Asks published tables as an author's own: rows for keys on a day, in the columns that `reference_tables` declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from scrubber.dated_rows import in_force
from scrubber.facts.service_lines import millionths
from scrubber.reference import Reference
from scrubber.reference.fee_rows import COMPONENTS, FeeRow
from scrubber.reference.rows import AddOn, Mue, OrderingProvider
from scrubber.reference.tables import ADD_ON, ICD10CM, MODIFIERS, MPFS, ORDER_REFERRING, PLACE_OF_SERVICE
from scrubber.remembered import remembered
from scrubber.rulebook.reference_tables import REFERENCE_TABLES, ReferenceTable
from scrubber.rulebook.typed_table import TableRow

Rows = tuple[TableRow, ...]

CONTRACTOR_DECIDES = "CCCCC"  # in place of a primary code
REMEMBERED = 16_384  # look-ups that a process remembers


def reference_rows(table: ReferenceTable, keys: Mapping[str, Any], day: int, reference: Reference) -> Rows | None:
    """The rows for these values on a day (an ordinal); None where nobody knows.

    Keys and values are as of `TypedTable.find`; a modifier that is not given is none. Nobody knows where no release
    reaches the day, and of a code that a release lacks which is not complete.
    """
    asked = [_several(keys.get(name)) for name in table.keys]
    first, others = asked[0], tuple(value for more in asked[1:] for value in more)
    found: list[TableRow] = []
    for value in first:
        rows = _remembered(table.name, value, others, date.fromordinal(day), reference)
        if rows is None:
            return None
        found += rows
    return tuple(found)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


@remembered(REMEMBERED)
def _remembered(table: str, value: str, others: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    tables = REFERENCE_TABLES[table].tables
    if all(reference.silent(each, day) is not None for each in tables):
        return None
    return _FINDERS[table](value, others, day, reference)


def _fees(code: str, modifiers: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    """The row of the component, else that of the whole code: what is not split has no rows of components."""
    component = next((modifier for modifier in modifiers if modifier in COMPONENTS), "")
    row = reference.fee(code, component, day) or reference.fee(code, "", day)
    if row is None:
        return _none(MPFS.name, day, reference)
    return (_row(row, {"procedure": code, "modifier": row.component or None, **_indicators(row)}),)


def _indicators(row: FeeRow) -> dict[str, Any]:
    return {
        "status": row.status,
        "global-days": row.global_days,
        "days-after": int(row.global_days) if row.global_days.isdecimal() else None,
        "bilateral": row.bilateral or None,
        "multiple": row.multiple or None,
        "assistant": row.assistant or None,
        "co-surgeon": row.co_surgeon or None,
        "team": row.team or None,
        "pc-tc": row.pc_tc or None,
        "supervision": row.supervision,
        "endoscopic-base": row.endoscopic_base,
        "imaging-family": row.imaging_family or None,
        "facility-not-applicable": row.facility_na,
        "non-facility-not-applicable": row.non_facility_na,
    }


def _add_ons(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    """A code without a row has no such edit, as PTP pairs have none; before the first release nobody knows."""
    if reference.table_status(ADD_ON.name, day).state == "before-first-release":
        return None
    rows: tuple[AddOn, ...] = reference.add_ons(code, day)
    return tuple(
        _row(row, {"procedure": code, "type": row.kind, "primary": None if _undecided(row) else row.primary})
        for row in rows
    )


def _undecided(row: AddOn) -> bool:
    return row.primary == CONTRACTOR_DECIDES


def _mue(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    """A code without a row may have an edit that CMS does not publish, so nobody knows."""
    row: Mue | None = reference.mue(code, day)
    if row is None:
        return None
    return (_row(row, {"procedure": code, "units": row.units, "indicator": row.indicator}),)


def _place(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    row = reference.place_of_service(code, day)
    if row is None:
        return _none(PLACE_OF_SERVICE.name, day, reference)
    return (_row(row, {"place": code, "setting": row.setting}),)


def _procedure(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    status = reference.procedure(code, day)
    if status == "unknown":
        return None if reference.absence(code, day) == "unknown" else ()
    return (_plain({"procedure": code}),) if status == "in-force" else ()


def _modifier(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    row = reference.modifier(code, day)
    if row is None:
        return _none(MODIFIERS.name, day, reference)
    return (_row(row, {"modifier": code, "ncci": row.ncci or None}),)


def _diagnosis(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    status = reference.diagnosis(code, day)
    if status == "unknown":
        return _none(ICD10CM.name, day, reference)
    return (_plain({"diagnosis": code}),) if status == "in-force" else ()


def _taxonomy(code: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    """A class is known by the beginning of a code; of a code without one nobody knows the class."""
    row = reference.taxonomy(code, day)
    if row is None:
        return None
    values = {"taxonomy": code, "class": row.provider_class, "percent": millionths(row.percent)}
    return (_row(row, values),)


def _ordering_provider(npi: str, _: tuple[str, ...], day: date, reference: Reference) -> Rows | None:
    rows: Iterable[OrderingProvider] = reference.rows(ORDER_REFERRING, npi, day)
    found = [row for row in rows if in_force(row, day)]
    if not found:
        return _none(ORDER_REFERRING.name, day, reference)
    return tuple(
        _row(
            row,
            {
                "npi": npi,
                "part-b": row.part_b,
                "equipment": row.equipment,
                "home-health": row.home_health,
                "power-mobility": row.power_mobility,
                "hospice": row.hospice,
            },
        )
        for row in found
    )


def _none(table: str, day: date, reference: Reference) -> Rows | None:
    """No rows where the release is complete on the day, so that what it lacks does not exist; else nobody knows."""
    return () if reference.is_complete(table, day) else None


def _row(row: Any, values: Mapping[str, Any]) -> TableRow:
    return TableRow(values, 0, row.since, row.until, row.source)


def _plain(values: Mapping[str, Any]) -> TableRow:
    return TableRow(values, 0, None, None, "")


_FINDERS: Mapping[str, Callable[[str, tuple[str, ...], date, Reference], Rows | None]] = {
    "fee-schedule": _fees,
    "add-on-edits": _add_ons,
    "mue": _mue,
    "place-of-service": _place,
    "procedures": _procedure,
    "modifiers": _modifier,
    "diagnoses": _diagnosis,
    "taxonomy": _taxonomy,
    "ordering-providers": _ordering_provider,
}
