"""2,000 lines and 300 claims of several lines, priced a second time by a formula that is written here in fractions.

The formula reads the same rows of the relative value file and nothing of the program: its rates are typed below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from scrubber.claim.model import ServiceLine
from scrubber.pricing import LinePrice
from scrubber.reference.fee_rows import FeeRow
from tests.pricing.golden import RVU25D, priced
from tests.support.priced import NURSE_PRACTITIONER, PHYSICIAN, service_line

FACTOR = Fraction("32.3465")
ROWS: dict[tuple[str, str], FeeRow] = {(row.code, row.component): row for row in RVU25D}
WHOLE_CODES = sorted({row.code for row in RVU25D})
OFF = {"technical": {"4": "0.50", "6": "0.25", "7": "0.20"}, "professional": {"4": "0.05"}, "expense": {"5": "0.50"}}
PACKAGE = {"54", "55", "56", "78"}
SECOND = {"62", "80", "81", "82", "AS"}
MODIFIERS: tuple[tuple[str, ...], ...] = (
    *[()] * 14,
    *[
        (one,)
        for one in [
            "RT",
            "LT",
            "50",
            "54",
            "55",
            "56",
            "78",
            "62",
            "80",
            "81",
            "AS",
            "26",
            "TC",
            "FX",
            "FY",
            "CT",
            "22",
            "52",
            "66",
        ]
    ],
    ("50", "62"),
    ("78", "80"),
    ("54", "55"),
)


def cents(amount: Fraction) -> Fraction:
    return Fraction(math.floor(amount * 100 + Fraction(1, 2)), 100)


class Fee:
    """The fee of a unit: None where nobody knows it. `lose(parts)` is the fee without the shares of parts."""

    def __init__(self, code: str, modifiers: tuple[str, ...], of: dict[str, str]) -> None:
        component = next((modifier for modifier in modifiers if modifier in ("26", "TC")), "")
        self.row = ROWS.get((code, component)) or ROWS[code, ""]
        self.known = (code, component) in ROWS or self.row.pc_tc not in (("1", "6") if component == "26" else ("1",))
        self.share = Fraction(1)
        self.parts: dict[str, Fraction] = {}
        self.cut = Fraction(1)
        self._cut(modifiers)
        self._parts()
        self._shares(set(modifiers), of)

    def _units(self, row: Any, capped: bool) -> Fraction:
        units = Fraction(row.work) + Fraction(row.non_facility_pe) + Fraction(row.mp)
        cap = Fraction(row.work) + Fraction(row.opps_non_facility_pe) + Fraction(row.opps_mp)
        return min(units, cap) if capped and row.opps_non_facility_pe else units

    def _cut(self, modifiers: Iterable[str]) -> None:
        for modifier, rate in (("FX", "0.20"), ("FY", "0.10"), ("CT", "0.15")):
            if modifier in modifiers:
                self.cut *= 1 - Fraction(rate)
        self.off_equipment = Fraction(0)
        if self.cut < 1 and self.row.component != "26":
            technical = self.row if self.row.component == "TC" else ROWS.get((self.row.code, "TC"))
            if technical is None:
                self.known = False
            else:
                self.off_equipment = (1 - self.cut) * self._units(technical, True)

    def _parts(self) -> None:
        row = self.row
        if row.multiple == "5":
            self.parts["expense"] = Fraction(row.non_facility_pe)
        for part, component in (("technical", "TC"), ("professional", "26")):
            if row.multiple in OFF[part] and row.component in ("", component):
                units = self._units(ROWS[row.code, component], False)
                self.parts[part] = units * (self.cut if part == "technical" else 1)
        if self.cut < 1 and self._units(row, True) < self._units(row, False):
            self.parts = {}

    def _shares(self, modifiers: set[str], of: dict[str, str]) -> None:
        row = self.row
        if "66" in modifiers or len(modifiers & PACKAGE) > 1 or len(modifiers & SECOND) > 1:
            self.known = False
        if "50" in modifiers:
            self.share *= {"1": Fraction(3, 2), "3": Fraction(2)}.get(row.bilateral, Fraction(1))
        for modifier in modifiers & PACKAGE:
            if row.global_days not in ("010", "090"):
                self.known = False
                return
            before, during, after = (Fraction(x) for x in (row.preoperative, row.intraoperative, row.postoperative))  # type: ignore[arg-type]
            self.share *= {"54": before + during, "55": after, "56": before, "78": during}[modifier]
        for modifier in modifiers & SECOND:
            allowed = row.co_surgeon in ("1", "2") if modifier == "62" else row.assistant == "2"
            self.known = self.known and allowed
            self.share *= Fraction("0.625") if modifier == "62" else Fraction("0.16")
        if of.get("taxonomy") == NURSE_PRACTITIONER or "AS" in modifiers:
            self.share *= Fraction("0.85")
        if of.get("participation") == "nonpar":
            self.share *= Fraction("0.95")

    def lose(self, parts: Iterable[str]) -> Fraction:
        lost = {part: self.parts[part] * Fraction(OFF[part][self.row.multiple]) for part in parts}
        units = self._units(self.row, False) - lost.pop("technical", Fraction(0))
        units = min(units, self._units(self.row, True)) - sum(lost.values()) - self.off_equipment
        return cents(units * FACTOR * self.share)


def expected(lines: list[ServiceLine], of: dict[str, str]) -> dict[int, Fraction | None]:
    """What each line of one provider and day is allowed."""
    fees = {line.number: Fee(line.procedure or "", line.modifiers, of) for line in lines}
    counted = [line for line in lines if fees[line.number].known and not _odd(line)]
    pairs = _pairs(counted, fees)
    second = {other.number: line for line, other in pairs}
    alone = [line for line in counted if line.number not in second]
    amounts: dict[int, Fraction | None] = {line.number: None for line in lines}
    both = {line.number: Fee(line.procedure or "", ("50",), of) for line, _ in pairs}
    used = fees | both
    units = {line.number: int(line.units or 0) for line in alone}
    for line in alone:
        fee = used[line.number]
        amounts[line.number] = units[line.number] * fee.lose(())
    spared: dict[tuple[str, str], ServiceLine] = {}
    for line in alone:
        for part, rank in used[line.number].parts.items():
            key = used[line.number].row.multiple, part
            before = spared.get(key)
            if before is None or rank > used[before.number].parts[part]:
                spared[key] = line
    for line in alone:
        fee = used[line.number]
        lost = [part for part in fee.parts if spared[fee.row.multiple, part] is not line]
        if fee.parts:
            amounts[line.number] = fee.lose(lost) + (units[line.number] - 1) * fee.lose(fee.parts)
    amounts |= _ranked([line for line in alone if used[line.number].row.multiple in "23"], used, units)
    charge = {line.number: cents(Fraction(line.charge or 0)) for line in lines}
    for line, other in pairs:
        whole = amounts[line.number]
        if whole is not None:
            first = cents(whole * fees[line.number].lose(()) / both[line.number].lose(()))
            one = min(first, charge[line.number])
            two = min(whole - one, charge[other.number])
            amounts[other.number], amounts[line.number] = two, whole - two
    return {n: None if amount is None else min(amount, charge[n]) for n, amount in amounts.items()}


def _odd(line: ServiceLine) -> bool:
    return line.units != 1 and ("50" in line.modifiers or "55" in line.modifiers)


def _pairs(lines: list[ServiceLine], fees: dict[int, Fee]) -> list[tuple[ServiceLine, ServiceLine]]:
    found: list[tuple[ServiceLine, ServiceLine]] = []
    open_sides: dict[tuple[str | None, str], ServiceLine] = {}
    for line in lines:
        if line.modifiers in (("RT",), ("LT",)) and line.units == 1 and fees[line.number].row.bilateral in "012":
            side = line.modifiers[0]
            other = open_sides.pop((line.procedure, "LT" if side == "RT" else "RT"), None)
            if other is None:
                open_sides[line.procedure, side] = line
            else:
                found.append((other, line))
    return found


def _ranked(lines: list[ServiceLine], fees: dict[int, Fee], units: dict[int, int]) -> dict[int, Fraction | None]:
    bases = {fees[line.number].row.endoscopic_base for line in lines} - {None}
    groups: dict[object, list[tuple[ServiceLine, Fraction]]] = {}
    for line in lines:
        base = fees[line.number].row.endoscopic_base or (line.procedure if line.procedure in bases else None)
        for each in range(units[line.number]):
            key = base or (line.number, each)
            groups.setdefault(key, []).append((line, fees[line.number].lose(())))
    entities: list[list[tuple[ServiceLine, Fraction]]] = []
    for family, group in groups.items():
        members = sorted((each for each in group if each[0].procedure != family), key=lambda each: -each[1])
        if isinstance(family, str) and members:
            values = [members[0]]
            for line, value in members[1:]:
                of_base = Fee(family, (), {})
                of_base.share = fees[line.number].share
                values.append((line, max(value - of_base.lose(()), Fraction(0))))
            values += [(line, Fraction(0)) for line, _ in group if line.procedure == family]
            entities.append(values)
        else:
            entities.append(group)
    entities.sort(key=lambda entity: -sum(value for _, value in entity))
    amounts: dict[int, Fraction | None] = {line.number: Fraction(0) for line in lines}
    for rank, entity in enumerate(entities):
        for line, value in entity:
            before = amounts[line.number]
            if before is not None:
                paid = value if rank == 0 else cents(value / 2)
                amounts[line.number] = None if rank > 4 and value else before + paid
    return amounts


def made(random: Random, number: int) -> ServiceLine:
    charge = Decimal(random.randint(100, 300_000)) / 100
    return service_line(
        number,
        random.choice(WHOLE_CODES),
        *random.choice(MODIFIERS),
        units=Decimal(random.choice((1, 1, 1, 1, 2, 3))),
        charge=charge,
    )


def circumstances(random: Random) -> dict[str, str]:
    return {
        "taxonomy": random.choice((PHYSICIAN, NURSE_PRACTITIONER)),
        "participation": random.choice(("par", "nonpar")),
    }


def compare(lines: list[ServiceLine], of: dict[str, str]) -> dict[int, LinePrice]:
    found = priced(*lines, **of)
    ours = {number: None if price.allowed is None else Fraction(price.allowed) for number, price in found.items()}
    assert ours == expected(lines, of), [(line.procedure, line.modifiers, line.units, line.charge) for line in lines]
    for price in found.values():
        assert price.allowed is None or price.billed is None or 0 <= price.allowed <= price.billed
    return found


def test_two_thousand_lines_by_themselves() -> None:
    random = Random("lines by another formula")
    known = sum(compare([made(random, 1)], circumstances(random))[1].allowed is not None for _ in range(2_000))
    assert 1_000 < known < 2_000


def test_three_hundred_claims_of_several_lines() -> None:
    random = Random("claims by another formula")
    reduced = 0
    for _ in range(300):
        lines = [made(random, number) for number in range(1, random.randint(3, 7))]
        of = circumstances(random)
        together = compare(lines, of)
        alone = {line.number: priced(line, **of)[line.number].allowed for line in lines}
        reduced += any(together[number].allowed != alone[number] for number in together)
        for number, price in together.items():
            one = alone[number]
            assert price.allowed is None or one is None or price.allowed <= one
    assert reduced > 120
