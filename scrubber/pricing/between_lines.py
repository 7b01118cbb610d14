"""Prices lines by their unit fees: how many units, beside which others of their day, and no more than their charge.

Three rules hold between lines (RVU25D documentation, Multiple Procedure and Bilateral Surgery). The right and the left
side on two lines are one service. Operations of a day are ranked by their fee; of an endoscopy family the others are
first paid what they exceed its base. Of tests and therapy each part of the fee is ranked by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.claim.code_values import MINUTES
from scrubber.claim.model import ServiceLine
from scrubber.pricing.amounts import NOTHING, LinePrice, Operation, Parts, UnitFee, to_cents

LARGEST = Decimal(10**15)  # no charge or count of a real claim comes near; arithmetic stays exact below it
MOST_RANKED = 5  # operations of a day; from the sixth on the contractor decides by the report
MOST_COMPARED = 12  # lines of a claim that may reduce each other, of which it is shown what they come to without one
REDUCTION_REMARK = "before multiple-procedure reduction"
CARE_AFTER = "55"  # its units may be days of care
SESSIONS = frozenset(("59", "XE"))  # may say that a test was done in another session of the day
SESSION_REMARK = "reduced as of one session"


class Billed(NamedTuple):
    """A line with the fee of a unit, and who furnished it when. `both_sides`: the fee of both sides where it is one."""

    line: ServiceLine
    unit: UnitFee
    provider: str
    day: date | None
    both_sides: UnitFee | None


class _PaidAsOne(NamedTuple):
    """What is paid as one: a line, or the lines of both sides. `fee` is that of a unit."""

    lines: tuple[Billed, ...]
    unit: UnitFee
    fee: Decimal
    units: Decimal

    @property
    def number(self) -> int:
        """The number of its first line."""
        return self.lines[0].line.number


class _Amount(NamedTuple):
    """What an item is allowed before its charge is looked at; None: by report."""

    amount: Decimal | None
    steps: tuple[str, ...]
    remark: str = ""


class _RankedService(NamedTuple):
    """One operation of a line: its value after the rule of its endoscopy family, and the arithmetic."""

    item: _PaidAsOne
    off: Decimal
    value: Decimal
    text: str


Operations = list[tuple[_PaidAsOne, Operation]]
Tests = list[tuple[_PaidAsOne, Parts]]
ProviderAndDay = tuple[str, date | None]


def line_alone(line: ServiceLine, unit: UnitFee) -> LinePrice:
    """The price of a line without others beside it."""
    return price_together([Billed(line, unit, "", line.first_day, None)])[line.number]


def price_together(billed: list[Billed]) -> dict[int, LinePrice]:
    """The price of each line by its number, with what others are allowed without it."""
    prices = _priced_together(billed)
    reduced = [each for each in billed if each.unit.operation is not None or each.unit.parts is not None]
    if 1 < len(reduced) <= MOST_COMPARED:
        for each in reduced:
            number = each.line.number
            prices[number] = prices[number]._replace(without_it=_without(each, reduced, prices))
    return prices


def _without(
    fallen: Billed, reduced: list[Billed], prices: dict[int, LinePrice]
) -> tuple[tuple[int, Decimal | None], ...]:
    """What the other lines are allowed where one falls, of those whose amount is then another."""
    others = _priced_together([each for each in reduced if each is not fallen])
    return tuple(
        [(number, price.allowed) for number, price in others.items() if price.allowed != prices[number].allowed]
    )


def _priced_together(billed: list[Billed]) -> dict[int, LinePrice]:
    items = [item for item in map(_item, billed) if item is not None]
    if any(item.lines[0].both_sides is not None for item in items):
        items = _with_both_sides(items)
    amounts = _amounts(items)
    together = Counter([(item.unit.reduction, item.lines[0].day) for item in items])
    prices: dict[int, LinePrice] = {}
    for item in items:
        found = amounts.get(item.number)
        if found is None:
            found = _unreduced(item, together[item.unit.reduction, item.lines[0].day] == 1)
        prices.update(_prices(item, found))
    return {each.line.number: prices.get(each.line.number) or _unpriced(each) for each in billed}


def _item(billed: Billed) -> _PaidAsOne | None:
    """A line by itself; None where no amount can be known."""
    line, unit = billed.line, billed.unit
    if unit.fee is None or line.units is None or line.unit_code == MINUTES or not 0 < line.units < LARGEST:
        return None
    if line.units != 1 and ("50" in line.modifiers or CARE_AFTER in line.modifiers):
        return None
    return _PaidAsOne((billed,), unit, unit.fee, line.units)


def _unpriced(billed: Billed) -> LinePrice:
    line, unit = billed.line, billed.unit
    charge = _charge(line.charge)
    if unit.fee is None:
        return LinePrice(charge, None, None, None, (), unit.unknown)
    if line.units is None or line.unit_code == MINUTES or not 0 < line.units < LARGEST:
        return LinePrice(charge, None, unit.fee, unit.basis, unit.steps, "no-units")
    # both sides are one unit, more are returned and not paid; days of care are no operations
    return LinePrice(charge, None, unit.fee, unit.basis, unit.steps, "modifier-not-priced")


def _amounts(items: list[_PaidAsOne]) -> dict[int, _Amount]:
    """What items are allowed, by the number of their first line; without those that nothing reduces."""
    operations: dict[ProviderAndDay, Operations] = {}
    tests: dict[ProviderAndDay, Tests] = {}
    for item in items:
        billed, operation, parts = item.lines[0], item.unit.operation, item.unit.parts
        if operation is not None and item.units == item.units.to_integral_value():
            operations.setdefault((billed.provider, billed.day), []).append((item, operation))
        elif parts is not None:
            tests.setdefault((parts.group, billed.day), []).append((item, parts))
    found: dict[int, _Amount] = {}
    for of_provider in operations.values():
        found.update(_ranked_operations(of_provider))
    for of_group in tests.values():
        found.update(_ranked_parts(of_group))
    return found


# Both sides on two lines.


def _with_both_sides(items: list[_PaidAsOne]) -> list[_PaidAsOne]:
    """The items, with the right and the left side of one service as one."""
    waiting: dict[tuple[object, ...], _PaidAsOne] = {}
    merged: dict[int, _PaidAsOne | None] = {}
    for item in items:
        side = _side(item)
        if side is None:
            continue
        other = waiting.pop((*_service(item), "LT" if side == "RT" else "RT"), None)
        if other is None:
            waiting[(*_service(item), side)] = item
            continue
        both = other.lines[0].both_sides
        if both is not None and both.fee is not None:
            merged[other.number] = _PaidAsOne((*other.lines, *item.lines), both, both.fee, Decimal(1))
            merged[item.number] = None
    chosen = [merged.get(item.number, item) for item in items]
    return [item for item in chosen if item is not None]


def _side(item: _PaidAsOne) -> str | None:
    """The only side that a line of one unit names; None of what may be no pair with another line."""
    billed = item.lines[0]
    if item.units != 1 or billed.both_sides is None or billed.both_sides.fee is None or not item.fee:
        return None
    sides = [modifier for modifier in billed.line.modifiers if modifier in ("RT", "LT")]
    return sides[0] if len(sides) == 1 else None


def _service(item: _PaidAsOne) -> tuple[object, ...]:
    """What two lines have in common that bill the two sides of one service."""
    billed = item.lines[0]
    others = frozenset([modifier for modifier in billed.line.modifiers if modifier not in ("RT", "LT")])
    return billed.line.procedure, billed.provider, billed.day, others, billed.unit.fee


# Operations.


def _ranked_operations(operations: Operations) -> dict[int, _Amount]:
    """The amounts of the operations of one day and provider."""
    families = {operation.family for _, operation in operations}
    groups: dict[str, Operations] = {}
    for item, operation in operations:
        code = item.lines[0].line.procedure or ""
        family = code if code in families else operation.family
        groups.setdefault(family or f"line {item.number}", []).append((item, operation))
    entities: list[list[_RankedService]] = []
    for group in groups.values():
        if any(operation.base_fee is not None for _, operation in group):
            entities.append(_of_family(group))
        else:
            entities += [[service] for item, operation in group for service in _services(item, operation)]
    entities.sort(key=lambda entity: -sum([service.value for service in entity], NOTHING))
    found: dict[int, list[tuple[_RankedService, int]]] = {}
    for rank, entity in enumerate(entities, start=1):
        for service in entity:
            found.setdefault(service.item.number, []).append((service, rank))
    return {number: _of_operations(ranked) for number, ranked in found.items()}


def _services(item: _PaidAsOne, operation: Operation) -> list[_RankedService]:
    """Each unit is an operation; beyond those that have a rank, their number changes nothing."""
    return [_RankedService(item, operation.off, item.fee, "")] * min(int(item.units), MOST_RANKED + 1)


def _of_family(group: Operations) -> list[_RankedService]:
    """The endoscopies of a family: the dearest in full, the others what they exceed the base, and the base nothing."""
    members = [
        (service, operation.base_fee)
        for item, operation in group
        if operation.base_fee is not None
        for service in _services(item, operation)
    ]
    members.sort(key=lambda member: -member[0].value)
    found = [members[0][0]]
    for service, base_fee in members[1:]:
        value = max(service.value - base_fee, NOTHING)
        text = f"{service.value} - {base_fee} (base of the endoscopy family) = {value}"
        found.append(service._replace(value=value, text=text))
    for item, operation in group:
        if operation.base_fee is None:
            text = "the base of an endoscopy family is paid with the other endoscopy = 0.00"
            found += [_RankedService(item, operation.off, NOTHING, text)] * len(_services(item, operation))
    return found


def _of_operations(ranked: list[tuple[_RankedService, int]]) -> _Amount:
    """The sum of a line's operations by their ranks; None where one of them is by report."""
    item = ranked[0][0].item
    steps = list(item.unit.steps)
    values: list[Decimal] = []
    for service, rank in ranked:
        value = service.value
        if service.text:
            steps.append(service.text)
        if rank > MOST_RANKED and value:
            return _Amount(None, item.unit.steps)
        if rank > 1 and value:
            paid = 1 - service.off
            value = to_cents(value * paid)
            steps.append(f"{service.value} x {paid} (multiple-procedure reduction, rank {rank}) = {value}")
        values.append(value)
    total = sum(values, NOTHING)
    if len(values) > 1:
        steps.append(f"{' + '.join(map(str, values))} = {total}")
    first = ranked[0][1] == 1 and "51" in item.lines[0].line.modifiers
    return _Amount(total, tuple(steps), REDUCTION_REMARK if first else "")


# Parts of a fee.


def _ranked_parts(tests: Tests) -> dict[int, _Amount]:
    """The amounts of tests, or of therapy, of one day: of each part one service loses nothing, a line's first."""
    spared: dict[str, tuple[Decimal, int]] = {}
    for item, parts in tests:
        for name, rank in parts.ranked:
            if name not in spared or rank > spared[name][0]:
                spared[name] = rank, item.number
    return {item.number: _of_parts(item, parts, spared) for item, parts in tests}


def _of_parts(item: _PaidAsOne, parts: Parts, spared: Mapping[str, tuple[Decimal, int]]) -> _Amount:
    every = tuple([name for name, _ in parts.ranked])
    lost = tuple([name for name in every if spared[name][1] != item.number])
    first, steps = _fee_without(item, parts, lost)
    units = item.units
    remark = SESSION_REMARK if lost and not SESSIONS.isdisjoint(item.lines[0].line.modifiers) else ""
    if units == 1:
        return _Amount(first, steps, remark)
    if units < 1 or lost == every:
        amount = to_cents(units * first)
        return _Amount(amount, (*steps, f"{units.normalize():f} units x {first} = {amount}"), remark)
    further, further_steps = _fee_without(item, parts, every)
    others = units - 1
    amount = to_cents(first + others * further)
    text = f"{others.normalize():f} further unit{'' if others == 1 else 's'}"
    return _Amount(amount, (*steps, *further_steps, f"{first} + {text} x {further} = {amount}"), remark)


def _fee_without(item: _PaidAsOne, parts: Parts, lost: tuple[str, ...]) -> tuple[Decimal, tuple[str, ...]]:
    """The fee of a unit that loses something of these parts, and its arithmetic."""
    for reduced in parts.reduced:
        if reduced.parts == lost:
            return reduced.fee, (reduced.step,)
    return item.fee, item.unit.steps


def _unreduced(item: _PaidAsOne, alone: bool) -> _Amount:
    """Units times the fee; where others of the day would reduce it by what is not known, with a remark."""
    unit, units = item.unit, item.units
    remark = REDUCTION_REMARK if unit.reduction and (units > 1 or not alone) else ""
    if units == 1:
        return _Amount(item.fee, unit.steps, remark)
    amount = to_cents(units * item.fee)
    return _Amount(amount, (*unit.steps, f"{units.normalize():f} units x {item.fee} = {amount}"), remark)


# Charges.


def _prices(item: _PaidAsOne, found: _Amount) -> Iterable[tuple[int, LinePrice]]:
    """The prices of an item's lines: no more than their charge."""
    if len(item.lines) > 1:
        return _of_sides(item, found)
    line = item.lines[0].line
    return ((line.number, _price(item, found, _charge(line.charge))),)


def _price(item: _PaidAsOne, found: _Amount, charge: Decimal | None) -> LinePrice:
    basis = _remarked(item.unit.basis, found.remark)
    if found.amount is None:
        return LinePrice(charge, None, item.fee, basis, found.steps, "by-report")
    if charge is not None and charge < found.amount:
        return LinePrice(charge, charge, item.fee, basis, (*found.steps, f"charge {charge} is lower"), None)
    return LinePrice(charge, found.amount, item.fee, basis, found.steps, None)


def _remarked(basis: str | None, remark: str) -> str | None:
    """The basis with a remark, which it has once."""
    return f"{basis}, {remark}" if remark and basis and not basis.endswith(remark) else basis


def _of_sides(item: _PaidAsOne, found: _Amount) -> Iterable[tuple[int, LinePrice]]:
    """The prices of both sides on two lines: together no more than both charges, each no more than its own."""
    charges = [_charge(billed.line.charge) for billed in item.lines]
    numbers = [billed.line.number for billed in item.lines]
    fee = item.lines[0].unit.fee
    if found.amount is None or fee is None:
        return [(number, _price(item, found, charge)) for number, charge in zip(numbers, charges, strict=True)]
    divided = _divided(found.amount, to_cents(found.amount * fee / item.fee), charges)
    shared = f"of {found.amount} for both sides, lines {numbers[0]} and {numbers[1]}"
    basis = _remarked(item.unit.basis, found.remark)
    return [
        (number, LinePrice(charge, part, fee, basis, (*found.steps, f"{shared}: {part}"), None))
        for number, charge, part in zip(numbers, charges, divided, strict=True)
    ]


def _divided(amount: Decimal, first: Decimal, charges: list[Decimal | None]) -> tuple[Decimal, Decimal]:
    """An amount for two lines, divided so that neither gets more than its charge; `first` is what the first should."""
    most = [amount if charge is None else min(charge, amount) for charge in charges]
    of_first = min(first, most[0])
    of_second = min(amount - of_first, most[1])
    return min(amount - of_second, most[0]), of_second


def _charge(charge: Decimal | None) -> Decimal | None:
    """A charge in whole cents; None when it is no amount that can be billed."""
    return to_cents(charge) if charge is not None and 0 <= charge < LARGEST else None
