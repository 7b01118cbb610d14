"""Evaluates operands on a fact of a claim: its fields, rows of tables, sums and counts, arithmetic, days.

Numbers of which only the bounds are known stay so: a sum that is past a limit is past it, whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.relations.arithmetic import calculated, least, most, total
from scrubber.relations.days import Holidays, day_part, moved, run_start, shared, span
from scrubber.relations.surroundings import Subject, Surroundings
from scrubber.relations.values import (
    Bounds,
    NoValue,
    SomeCodes,
    Value,
    bounds,
    exact,
    is_known,
    value_of,
)
from scrubber.rulebook.field import Type, state_key
from scrubber.rulebook.relations import (
    Arithmetic,
    Column,
    Constant,
    CountOf,
    DayPart,
    ExtremeOf,
    Group,
    HowMany,
    LookUp,
    Moved,
    OfClaim,
    OfDocument,
    OfLimit,
    OfPrice,
    Operand,
    Outer,
    Own,
    RunStart,
    SharedTime,
    SumOf,
    TimeBetween,
)
from scrubber.rulebook.typed_table import names_of_payer

UNREADABLE = "unreadable"
PAYER, ORIGINAL_MEDICARE = "payer", "original-medicare"


NOTHING_KNOWN = Bounds(None, None)
# Numbers of claims and items that cannot be negative. What a payer paid or adjusted can be: it may take back.
NEVER_NEGATIVE = frozenset(("units", "charge", "allowed", "position", "pointer", "decisions"))


class Members(NamedTuple):
    """The items of a group: those that are in it, those of which it is unknown, and whether these are all there are."""

    certain: list[Subject]
    possible: list[Subject]
    complete: bool


class OperandEvaluator:
    """Evaluates operands on one claim. `missing` collects what was unknown, until it is taken."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._lists = surroundings.rulebook.lists
        self.missing: dict[str, None] = {}

    def members(self, group: Group, subject: Subject) -> Members:
        """The items of a group, as seen from a subject."""
        raise NotImplementedError

    def complete_since(self, group: Group) -> int | None:
        """The first day from which every item of a group is known to be there; None: from no day on."""
        raise NotImplementedError

    def value(self, operand: Operand, subject: Subject) -> Value:
        """What an operand is for a subject."""
        match operand:
            case Own(name, kind):
                return self._own(name, kind, subject)
            case Outer(levels, inner):
                return self.value(inner, outward(subject, levels))
            case Constant(value, kind):
                return value_of(value, kind)
            case SumOf() | CountOf() | ExtremeOf():
                return self._of_group(operand, subject)
            case HowMany():
                return self._how_many(operand, subject)
            case Arithmetic():
                return self._arithmetic(operand, subject)
            case TimeBetween() | Moved() | DayPart() | SharedTime():
                return self._of_days(operand, subject)
            case RunStart():
                return self._run_start(operand, subject)
            case _:
                return self._from_elsewhere(operand, subject)

    def _from_elsewhere(self, operand: Column | OfClaim | OfDocument | OfLimit | OfPrice, subject: Subject) -> Value:
        match operand:
            case Column():
                return self._column(operand, subject)
            case OfClaim(name, kind):
                return self._own(name, kind, Subject("claim", self._around.claim_values()))
            case OfDocument(name, kind):
                return self._note(self._around.document(name, kind, subject.number), name)
            case OfLimit(name):
                return self._note(self._around.limit(name, subject.day), name)
            case OfPrice(name):
                return self._note(self._around.price(name, subject.number), "price")

    def _note(self, value: Value, name: str) -> Value:
        if value is NoValue.UNKNOWN:
            self.missing[name] = None
        return value

    def _raw_value(self, name: str, subject: Subject) -> Any:
        """The value of a field as facts hold it; of one that facts have on request it is made now."""
        raw = subject.values.get(name)
        if raw is None:
            self._around.add(subject, name)
            raw = subject.values.get(name)
        return raw

    def _own(self, name: str, kind: Type, subject: Subject) -> Value:
        raw = self._raw_value(name, subject)
        if raw is not None:
            return value_of(raw, kind)
        state = subject.values.get(state_key(name))
        if name == PAYER and subject.values.get("lineOfBusiness") == ORIGINAL_MEDICARE:
            return NoValue.ABSENT  # it has no row among the names of payers, and no row for another payer is for it
        if name in subject.unreadable or (state is not None and state != NoValue.ABSENT.value):
            return self._note(NoValue.UNKNOWN, name)
        return NoValue.ABSENT

    def state(self, operand: Operand, subject: Subject) -> str | None:
        """Why there is no value, in the word of the field: absent, not-supplied, unreadable, unknown; else None."""
        match operand:
            case Outer(levels, inner):
                return self.state(inner, outward(subject, levels))
            case OfClaim(name, kind):
                return self.state(Own(name, kind), Subject("claim", self._around.claim_values()))
            case OfDocument(name):
                return self._around.document_state(name, subject.number)
            case Own(name):
                raw = self._raw_value(name, subject)
                found = subject.values.get(state_key(name))
                if found is None and name in subject.unreadable and raw is None:
                    return UNREADABLE
                return None if found is None else str(found)
        return None

    def _column(self, column: Column, subject: Subject) -> Value:
        rows = self._rows(column.look_up, subject)
        if rows is None:
            return self._note(NoValue.UNKNOWN, column.look_up.table)
        if column.look_up.every:
            codes = tuple([str(value) for row in rows for value in _texts(row.get(column.name))])
            if all(row.get(column.name) is not None for row in rows):
                return codes
            return self._some_codes(codes, column.look_up.table)
        if not rows:
            return NoValue.NO_ROW
        raw = rows[0].get(column.name)
        return self._note(NoValue.UNKNOWN, column.look_up.table) if raw is None else value_of(raw, column.type)

    def _some_codes(self, codes: tuple[str, ...], table: str) -> Value:
        self.missing[table] = None
        return SomeCodes(codes)

    def _rows(self, look_up: LookUp, subject: Subject) -> tuple[Mapping[str, Any], ...] | None:
        if look_up not in subject.rows:
            subject.rows[look_up] = self._find(look_up, subject)
        found: tuple[Mapping[str, Any], ...] | None = subject.rows[look_up]
        return found

    def _find(self, look_up: LookUp, subject: Subject) -> tuple[Mapping[str, Any], ...] | None:
        day = subject.day
        if look_up.on is not None:
            on = self.value(look_up.on, subject)
            if type(on) is not int:
                return None
            day = on
        return self._around.rows(look_up.table, *self._keys(look_up.keys, subject), day)

    def _keys(self, keys: Sequence[tuple[str, Operand]], subject: Subject) -> tuple[dict[str, Any], frozenset[str]]:
        """Key columns with the values that they are looked up by, as facts hold them, and those whose value is unknown.

        What is missing is remembered only where the table's answer depends on it.
        """
        before = dict(self.missing)
        found = {name: self._names_of_payer(operand, subject, self._raw(operand, subject)) for name, operand in keys}
        self.missing = before
        unknown = frozenset(name for name, value in found.items() if value is NoValue.UNKNOWN)
        return {name: None if isinstance(value, NoValue) else value for name, value in found.items()}, unknown

    def _names_of_payer(self, operand: Operand, subject: Subject, value: Value) -> Value:
        """The claim's payer as a key: its name and its line of business, which a table may have in its place."""
        if isinstance(operand, Outer):
            return self._names_of_payer(operand.operand, outward(subject, operand.levels), value)
        business = subject.values.get("lineOfBusiness")
        if not isinstance(operand, Own) or operand.name != PAYER or business is None or value is NoValue.UNKNOWN:
            return value
        return names_of_payer(value if isinstance(value, str) else None, business)

    def _raw(self, operand: Operand, subject: Subject) -> Value:
        """A value to look up by."""
        value = self.value(operand, subject)
        return NoValue.UNKNOWN if isinstance(value, Bounds | SomeCodes) else value

    def _of_group(self, operand: SumOf | CountOf | ExtremeOf, subject: Subject) -> Value:
        members = self.members(operand.group, subject)
        if isinstance(operand, CountOf):
            return exact(self._count(operand, members))
        if isinstance(operand, SumOf):
            return exact(self._sum(operand, members))
        if not members.certain:
            return NoValue.UNKNOWN if members.possible or not members.complete else NoValue.ABSENT
        found = exact(self._extreme(operand, members))
        return int(found) if operand.type is Type.DAY and isinstance(found, Decimal) else found

    def _extreme(self, operand: ExtremeOf, members: Members) -> Bounds:
        """The smallest number is no more than the smallest that is known to be there, whatever else there is."""
        certain = self._bounds(operand.operand, members.certain)
        every = [*certain, *self._bounds(operand.operand, members.possible)]
        if operand.word == "smallest":
            low = least([number.low for number in every]) if members.complete else None
            return Bounds(low, min([number.high for number in certain if number.high is not None], default=None))
        high = most([number.high for number in every]) if members.complete else None
        return Bounds(max([number.low for number in certain if number.low is not None], default=None), high)

    def _bounds(self, operand: Operand, subjects: Iterable[Subject]) -> list[Bounds]:
        return [bounds(self.value(operand, item)) or NOTHING_KNOWN for item in subjects]

    def _count(self, operand: CountOf, members: Members) -> Bounds:
        certain, most = len(members.certain), len(members.certain) + len(members.possible)
        if operand.distinct is not None:
            values = [self.value(operand.distinct, item) for item in members.certain]
            others = [self.value(operand.distinct, item) for item in members.possible]
            found = {value for value in values if is_known(value)}
            certain = len(found)
            unknown = sum(1 for value in (*values, *others) if not is_known(value))
            if unknown:
                for item in (*members.certain, *members.possible):
                    self._note_absent(operand.distinct, item)
            most = len(found.union(value for value in others if is_known(value))) + unknown
        return Bounds(Decimal(certain), Decimal(most) if members.complete else None)

    def _sum(self, operand: SumOf, members: Members) -> Bounds:
        """The sum of the items that are certain, with what the others may add to it or take from it.

        What nobody knows takes nothing away where it cannot be negative, as units and charges cannot.
        """
        zero = Decimal(0)
        lowest = zero if self._is_never_negative(operand.operand, operand.group.table) else None
        lows: list[Decimal | None] = []
        highs: list[Decimal | None] = []
        for number in self._bounds(operand.operand, members.certain):
            lows.append(lowest if number.low is None else number.low)
            highs.append(number.high)
        for number in self._bounds(operand.operand, members.possible):
            lows.append(lowest if number.low is None else min(number.low, zero))
            highs.append(None if number.high is None else max(number.high, zero))
        if not members.complete:
            lows.append(lowest)
            highs.append(None)
        return Bounds(total(lows), total(highs))

    def _is_never_negative(self, operand: Operand, table: str | None) -> bool:
        """Whether an amount cannot be negative, also where nobody knows it. `table`: it is of rows of that table."""
        match operand:
            case Outer(_, inner):
                return self._is_never_negative(inner, None)
            case Own(name):
                return self._around.is_never_negative(table, name) if table else name in NEVER_NEGATIVE
            case Column(look_up, name):
                return self._around.is_never_negative(look_up.table, name)
            case Constant(value):
                return not isinstance(value, int) or value >= 0
            case Arithmetic(word, operands):
                return word in ("plus", "times") and all(self._is_never_negative(part, table) for part in operands)
            case CountOf() | HowMany() | DayPart() | OfPrice():
                return True
        return False

    def _how_many(self, operand: HowMany, subject: Subject) -> Value:
        value, day = self.value(operand.operand, subject), subject.day
        codes = value.codes if isinstance(value, SomeCodes) else value
        if not isinstance(codes, tuple):
            return codes if isinstance(codes, NoValue) else NoValue.UNKNOWN
        if operand.list is None:
            count = Decimal(sum(1 for code in codes if code in operand.values))
        elif day is None:
            return NoValue.UNKNOWN
        else:
            count = Decimal(sum(1 for code in codes if self._lists.contains(operand.list, code, day)))
        return Bounds(count, None) if isinstance(value, SomeCodes) else count

    def _run_start(self, operand: RunStart, subject: Subject) -> Value:
        """The first day of a run; of what is unknown it may be an earlier one."""
        reached, apart = self.value(operand.day, subject), self.value(operand.apart, subject)
        if NoValue.NO_ROW in (reached, apart):
            return NoValue.NO_ROW
        if type(reached) is not int or not isinstance(apart, Decimal) or apart != int(apart):
            for part in (operand.day, operand.apart):
                self._note_absent(part, subject)
            return NoValue.UNKNOWN
        missing = dict(self.missing)
        members = self.members(operand.group, subject)
        certain = [item.values.get("day") for item in members.certain]
        every = [*certain, *[item.values.get("day") for item in members.possible]]
        high = run_start(reached, int(apart), [day for day in certain if type(day) is int])
        low = run_start(reached, int(apart), [day for day in every if type(day) is int])
        since = self.complete_since(operand.group)
        complete = members.complete or (since is not None and low - int(apart) >= since)
        if not complete or None in every:
            return Bounds(None, Decimal(high))
        self.missing = missing
        return high if low == high else Bounds(Decimal(low), Decimal(high))

    def _arithmetic(self, operand: Arithmetic, subject: Subject) -> Value:
        values = [self.value(part, subject) for part in operand.operands]
        if NoValue.NO_ROW in values:
            return NoValue.NO_ROW
        numbers = [bounds(value) for value in values]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers):
            for part in operand.operands:
                self._note_absent(part, subject)
            return NoValue.UNKNOWN
        found = calculated(operand, known)
        if operand.type is Type.DAY and isinstance(found, Decimal):
            return int(found)
        return found

    def _note_absent(self, operand: Operand, subject: Subject) -> None:
        """Remembers the element that an amount would need and that the claim does not have."""
        inner = operand
        while isinstance(inner, Outer):
            inner = inner.operand
        if isinstance(inner, Own | OfClaim | OfDocument) and self.value(operand, subject) is NoValue.ABSENT:
            self.missing[inner.name] = None

    def _of_days(self, operand: TimeBetween | Moved | DayPart | SharedTime, subject: Subject) -> Value:
        parts = _days_of(operand)
        days = [self.value(part, subject) for part in parts]
        if NoValue.NO_ROW in days:
            return NoValue.NO_ROW
        known = [day for day in days if type(day) is int]
        if len(known) < len(days):
            for part in parts:
                self._note_absent(part, subject)
            return NoValue.UNKNOWN
        if isinstance(operand, DayPart):
            return value_of(day_part(operand.word, known[0]), operand.type)
        if isinstance(operand, SharedTime):
            return Decimal(shared(operand.unit, *known))
        holidays = self._holidays(operand.holidays)
        if isinstance(operand, TimeBetween):
            return Decimal(span(operand.unit, known[0], known[1], holidays))
        length = self.value(operand.length, subject)
        if not isinstance(length, Decimal) or length != int(length):
            return length if isinstance(length, NoValue) else NoValue.UNKNOWN
        later = moved(known[0], operand.unit, int(length), holidays)
        return NoValue.UNKNOWN if later is None else later

    def _holidays(self, table: str | None) -> Holidays:
        return () if table is None else self._around.rulebook.typed_tables[table].weekdays_of_key


def outward(subject: Subject, levels: int) -> Subject:
    """What encloses a subject, so many levels further out."""
    for _ in range(levels):
        if subject.outer is None:
            raise TypeError("a name of an enclosing fact where nothing encloses")
        subject = subject.outer
    return subject


def _texts(raw: object) -> tuple[object, ...]:
    if raw is None:
        return ()
    return raw if isinstance(raw, tuple) else (raw,)


def type_of(operand: Operand) -> Type:
    """The type of an operand's values."""
    return type_of(operand.operand) if isinstance(operand, Outer | HowMany) else operand.type


def _days_of(operand: TimeBetween | Moved | DayPart | SharedTime) -> tuple[Operand, ...]:
    """The days or times that it is calculated from."""
    if isinstance(operand, TimeBetween):
        return operand.first, operand.last
    if isinstance(operand, SharedTime):
        return *operand.span, *operand.other
    return (operand.day,)
