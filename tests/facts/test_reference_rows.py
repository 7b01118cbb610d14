"""Published tables asked as an author's own: their declared columns, on a day, and where nobody knows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrubber.facts.reference_rows import reference_rows
from scrubber.reference import Reference
from scrubber.reference.releases import Release
from scrubber.reference.rows import AddOn, HcpcsCode, OrderingProvider
from scrubber.reference.tables import ADD_ON, HCPCS, ORDER_REFERRING
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from scrubber.rulebook.reference_tables import REFERENCE_TABLES

DAY = date(2024, 8, 14)
SINCE = date(2024, 1, 1)


def reference(complete: bool = False) -> Reference:
    """The starter tables, with a few rows of tables that no starter has."""
    tables, releases = read_contents(None)
    added: dict[Any, tuple[Any, ...]] = {
        ADD_ON: (
            AddOn("99417", "99205", "1", SINCE, None, "sample"),
            AddOn("99417", "99215", "1", SINCE, date(2024, 8, 13), "sample"),
            AddOn("0054T", "CCCCC", "2", SINCE, None, "sample"),
        ),
        HCPCS: (HcpcsCode("G0130", SINCE, None, "sample"), HcpcsCode("G0131", SINCE, date(2024, 8, 1), "sample")),
        ORDER_REFERRING: (OrderingProvider("1234567893", True, False, True, False, False, SINCE, None, "sample"),),
    }
    names = {table.name for table in added}
    kept = [each._replace(complete=complete) for each in releases if each.table not in names]
    news = [Release(name, "sample", SINCE, None, name, False, "sample", 1, complete=complete) for name in names]
    return Reference(MemoryBackend({**tables, **added}, [*kept, *news]))


def ask(table: str, day: date = DAY, complete: bool = False, **keys: Any) -> list[dict[str, Any]] | None:
    """The rows without their blank cells; None: nobody knows."""
    rows = reference_rows(REFERENCE_TABLES[table], keys, day.toordinal(), reference(complete))
    if rows is None:
        return None
    return [{name: value for name, value in row.values.items() if value is not None} for row in rows]


@pytest.mark.parametrize(
    ("table", "keys", "expected"),
    [
        ("add-on-edits", {"procedure": "99417"}, [{"procedure": "99417", "type": "1", "primary": "99205"}]),
        ("add-on-edits", {"procedure": "0054T"}, [{"procedure": "0054T", "type": "2"}]),  # the contractor decides
        ("mue", {"procedure": "77080"}, [{"procedure": "77080", "units": 1, "indicator": "2"}]),
        ("place-of-service", {"place": "11"}, [{"place": "11", "setting": "non-facility"}]),
        ("place-of-service", {"place": ("21", "11")}, [
            {"place": "21", "setting": "facility"}, {"place": "11", "setting": "non-facility"},
        ]),
        ("procedures", {"procedure": "G0130"}, [{"procedure": "G0130"}]),
        ("procedures", {"procedure": "G0131"}, []),  # ended
        ("modifiers", {"modifier": ("59",)}, [{"modifier": "59", "ncci": "distinct"}]),
        ("modifiers", {"modifier": ()}, []),
        ("diagnoses", {"diagnosis": None}, []),
        ("taxonomy", {"taxonomy": "207R00000X"}, [
            {"taxonomy": "207R00000X", "class": "physician", "percent": 1_000_000},
        ]),
        ("ordering-providers", {"npi": "1234567893"}, [{
            "npi": "1234567893", "part-b": True, "equipment": False, "home-health": True, "power-mobility": False,
            "hospice": False,
        }]),
    ],
)  # fmt: skip
def test_rows_answer_in_the_declared_columns(table: str, keys: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert ask(table, **keys) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"procedure": "77080"}, {"pc-tc": "1", "supervision": "09", "status": "A", "global-days": "XXX"}),
        ({"procedure": "77080", "modifier": ("59", "TC")}, {"modifier": "TC", "supervision": "01"}),
        ({"procedure": "99213", "modifier": ("26",)}, {"procedure": "99213", "pc-tc": "0"}),  # has no such component
    ],
)
def test_the_fee_schedule_answers_for_a_code_or_its_component(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    found = ask("fee-schedule", **keys)
    assert found is not None
    [row] = found
    assert row.items() >= expected.items()
    assert "days-after" not in row
    assert ("modifier" in row) == ("modifier" in expected)


def test_global_days_are_a_number_where_they_are_days() -> None:
    rows = ask("fee-schedule", procedure="20610")
    assert rows is not None
    assert [(row["global-days"], row["days-after"]) for row in rows] == [("000", 0)]


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("fee-schedule", {"procedure": "99999"}),
        ("place-of-service", {"place": "98"}),
        ("procedures", {"procedure": "G9999"}),
        ("modifiers", {"modifier": "Z9"}),
        ("ordering-providers", {"npi": "1932102084"}),
    ],
)
def test_a_row_that_is_missing_means_something_only_in_a_complete_release(table: str, keys: dict[str, Any]) -> None:
    assert ask(table, **keys) is None
    assert ask(table, complete=True, **keys) == []


def test_a_code_without_an_add_on_edit_has_none() -> None:
    assert ask("add-on-edits", procedure="99213") == []


def test_diagnoses_are_known_on_the_days_of_their_release() -> None:
    day = date(2026, 3, 12)
    assert ask("diagnoses", day=day, diagnosis="M810") == [{"diagnosis": "M810"}]
    assert ask("diagnoses", day=day, diagnosis="Z9999") is None
    assert ask("diagnoses", day=day, complete=True, diagnosis="Z9999") == []
    assert ask("diagnoses", day=date(2019, 1, 1), complete=True, diagnosis="Z9999") is None


@pytest.mark.parametrize(("table", "keys"), [("mue", {"procedure": "99999"}), ("taxonomy", {"taxonomy": "999999999X"})])
def test_some_tables_never_say_that_there_is_nothing(table: str, keys: dict[str, Any]) -> None:
    assert ask(table, complete=True, **keys) is None


def test_before_the_first_release_nobody_knows() -> None:
    assert ask("add-on-edits", day=date(2023, 12, 31), complete=True, procedure="99417") is None
    assert ask("add-on-edits", day=date(2023, 12, 31), complete=True, procedure="99213") is None
    assert ask("ordering-providers", day=date(2020, 1, 1), npi="1234567893") is None
