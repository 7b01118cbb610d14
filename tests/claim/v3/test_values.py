from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from scrubber.claim.v3 import values as read
from scrubber.claim.v3 import values as several
from scrubber.claim.v3.values import IrregularList, IrregularValue
from tests.support.bodies import JSON


def _value(found: Any) -> Any:
    return found.value if isinstance(found, IrregularValue) else found


def _is_unreadable(found: Any) -> bool:
    return isinstance(found, IrregularValue) and found.expected is not None and found.value is None


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ("60.00", "60.00"),
        ("60", "60"),
        ("60.5", "60.5"),
        ("60.005", "60.005"),
        ("0", "0"),
        ("0.00", "0.00"),
        ("-5.00", "-5.00"),
        ("007.00", "7.00"),
    ],
)
def test_amounts_as_the_model_writes_them(raw: str, amount: str) -> None:
    assert read.amount(raw) == Decimal(amount)
    assert type(read.amount(raw)) is Decimal


@pytest.mark.parametrize(
    ("raw", "amount"), [(60, "60"), (60.0, "60.0"), (60.25, "60.25"), (0.1, "0.1"), (-5, "-5"), (" 5 ", "5")]
)
def test_amounts_that_are_understood_with_a_note(raw: object, amount: str) -> None:
    found = read.amount(raw)
    assert isinstance(found, IrregularValue)
    assert found.value == Decimal(amount)
    assert str(found.value) == amount
    assert found.change


@pytest.mark.parametrize(
    "raw",
    [
        "1e3", "-0", "-0.00", "1,000.00", "$5", "5.", ".5", "+5", "5 0", "NaN", "Infinity", "٣", "1" * 13, "0.1234567",
        0.1 + 0.2, 60.005, -0.0, 1e300, 10**12, True, [], {}, ["5"], "5" * 5_000,
    ],
)  # fmt: skip
def test_amounts_that_are_unreadable(raw: object) -> None:
    assert read.amount(raw) == IrregularValue(None, None, "amount")


def test_units_may_have_six_places() -> None:
    assert read.number("1.123456") == Decimal("1.123456")
    assert _value(read.number(0.123456)) == Decimal("0.123456")
    assert _is_unreadable(read.number("1e2"))
    assert _is_unreadable(read.number("-0"))


@pytest.mark.parametrize(
    "reader", [read.amount, read.number, read.day, read.text, read.code, read.flag, read.statement]
)
def test_an_empty_text_is_nothing(reader: read.Reader) -> None:
    assert reader("") is None
    assert _value(reader("  ")) is None
    assert not _is_unreadable(reader("  "))


@pytest.mark.parametrize("raw", ["20250312", "2025-03-12", " 20250312", "2025-03-12 ", 20250312])
def test_dates(raw: object) -> None:
    assert _value(read.day(raw)) == date(2025, 3, 12)


@pytest.mark.parametrize(
    "raw",
    ["20250229", "2025-02-29", "2025W103", "00000000", "2025-3-12", "03/12/2025", "٢٠٢٥٠٣١٢", 20250229, 1.5, True, []],
)
def test_dates_that_are_none(raw: object) -> None:
    assert read.day(raw) == IrregularValue(None, None, "date")


def test_a_range_is_split() -> None:
    assert read.days("20250312-20250314") == IrregularValue(
        (date(2025, 3, 12), date(2025, 3, 14)), "range of dates split in two"
    )
    assert _is_unreadable(read.days("20250312-20250229"))
    assert read.days("20250312") == date(2025, 3, 12)


@pytest.mark.parametrize(
    ("reader", "raw", "value"),
    [
        (read.code, "hc", "HC"),
        (read.procedure, "g0130", "G0130"),
        (read.procedure, 100, "00100"),
        (read.procedure, 99213, "99213"),
        (read.two_digits, 2, "02"),
        (read.zip_code, "35233-0001", "352330001"),
        (read.zip_code, 2139, "02139"),
        (read.zip_code, "K1A 0B1", "K1A 0B1"),
        (read.dashed_digits, "12-3456789", "123456789"),
        (read.dashed_digits, 1234567893, "1234567893"),
        (read.diagnosis, "m81.0", "M810"),
        (read.diagnosis, "M810", "M810"),
        (read.yes_no_code, True, "Y"),
        (read.yes_no_code, False, "N"),
        (read.yes_no_code, "y", "Y"),
        (read.text, "  Sample  Street ", "Sample  Street"),
        (read.text, "Zoë\nÅ", "Zoë\nÅ"),
        (read.flag, "Y", True),
        (read.flag, "false", False),
        (read.flag_statement, True, "true"),
        (read.flag_statement, "no", "false"),
        (read.statement, 1.285, "1.285"),
        (read.statement, 2, "2"),
        (read.statement, False, "false"),
        (read.locality, "10112-00", "10112-00"),
        (read.locality, "National", "national"),
        (read.participation, "nonpar", "nonpar"),
    ],
)
def test_what_is_understood(reader: read.Reader, raw: object, value: object) -> None:
    assert _value(reader(raw)) == value


@pytest.mark.parametrize(
    ("reader", "raw"),
    [
        (read.text, "x" * 1_001), (read.text, 1.5), (read.text, True), (read.text, {}), (read.text, 10**20),
        (read.code, []), (read.procedure, 99213.0), (read.yes_no_code, []), (read.flag, "perhaps"), (read.flag, 1),
        (read.flag_statement, "see chart"), (read.statement, {}), (read.statement, "x" * 10_001),
        (read.locality, "10112"), (read.locality, 5), (read.participation, "yes"), (read.participation, True),
    ],
)  # fmt: skip
def test_what_is_unreadable(reader: read.Reader, raw: object) -> None:
    assert _is_unreadable(reader(raw))


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (["1", "2"], (1, 2)),
        ([["1"]], (1,)),
        ([1, 3], (1, 3)),
        (["A", "l"], (1, 12)),
        (["13"], (13,)),
        (["1", ""], (1,)),
        ("2", (2,)),
        ("", ()),
        ([], ()),
        ([["1", "2"], "C"], (1, 2, 3)),
    ],
)
def test_pointers(raw: object, values: tuple[int, ...]) -> None:
    found = several.pointers(raw)
    assert (found.values if isinstance(found, IrregularList) else found) == values


@pytest.mark.parametrize("raw", [["0"], ["M"], ["-1"], [0], [True], [1.0], [{}], ["1.0"], {}, [[["1"]]], ["1000"]])
def test_pointers_that_are_none(raw: object) -> None:
    found = several.pointers(raw)
    assert found.values == ()
    assert any(odd.expected == "pointer" for _, odd in found.odd)


def test_a_list_beyond_reason_is_unreadable_as_a_whole() -> None:
    assert several.pointers(["1"] * 51) == IrregularList((), (("", IrregularValue(None, None, "pointer")),))
    assert several.modifiers(["26"] * 100_000).values == ()


def test_modifiers() -> None:
    found = several.modifiers(["26", "", "xs", 59, None, {}])
    assert found.values == ("26", "XS", "59")
    assert [suffix for suffix, _ in found.odd] == ["/1", "/2", "/3", "/4", "/5"]
    assert found.odd[-1][1].expected == "code"
    assert several.modifiers(["26", "59"]) == ("26", "59")


@given(JSON)
def test_no_reader_raises_or_keeps_what_it_cannot_read(raw: object) -> None:
    for reader in (
        read.amount, read.number, read.day, read.days, read.text, read.code, read.diagnosis, read.zip_code, read.flag,
        read.flag_statement, read.statement, read.locality, read.participation, read.dashed_digits, read.yes_no_code,
    ):  # fmt: skip
        found = reader(raw)
        assert found is None or type(found) in (str, bool, Decimal, date, IrregularValue)
        if isinstance(found, IrregularValue):
            assert (found.change is None) != (found.expected is None)
    for list_reader in (several.pointers, several.modifiers, several.line_numbers):
        assert type(list_reader(raw)) in (tuple, IrregularList)
