"""Evaluates operands, conditions and questions on a fact of a claim, in three values: yes, no and unknown.

What nobody knows never makes anything true: a line that cannot be read, history that was not supplied or is not
complete, an empty column of a table. What is there counts, whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.relations.days import IsHoliday, in_window, moved, span, window_start
from scrubber.relations.surroundings import Subject, Surroundings
from scrubber.relations.values import Bounds, State, Value, both, bounds, compare, either, exact, value_of
from scrubber.rulebook.field import Type, state_key
from scrubber.rulebook.relations import (
    HISTORY,
    ROW,
    Arithmetic,
    Column,
    Compared,
    Constant,
    Count,
    DayPart,
    Extreme,
    Found,
    Group,
    HowMany,
    LookUp,
    Moved,
    OfClaim,
    OfDocument,
    OfPrice,
    Operand,
    Outer,
    Own,
    Question,
    Related,
    Shaped,
    Shared,
    Span,
    Sum,
    Tested,
    Window,
)
from scrubber.rulebook.rule import NO, NOT_KNOWN, YES, AllOf, AnyOf, Asks, Compare, Condition, Has, InList
from scrubber.rulebook.same import SAME, Sameness

MOST_STEPS = 500_000  # of one claim: a thousand lines against a thousand are refused before


class TooManySteps(Exception):
    """The questions of the rules about one claim take longer than they may."""


class Members(NamedTuple):
    """The items of a group: those that are in it, those of which it is unknown, and whether these are all there are."""

    certain: list[Subject]
    possible: list[Subject]
    complete: bool


class Evaluator:
    """Evaluates on one claim. `missing` collects what was unknown, `seen` the items that counted, until taken."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._lists = surroundings.rulebook.lists
        self.missing: dict[str, None] = {}
        self.seen: dict[int, Subject] = {}
        self._steps = 0

    # Operands

    def value(self, operand: Operand, subject: Subject) -> Value:
        """What an operand is for a subject."""
        match operand:
            case Own(name, kind):
                return self._own(name, kind, subject)
            case Outer(levels, inner):
                return self.value(inner, _outward(subject, levels))
            case Column():
                return self._column(operand, subject)
            case Constant(value, kind):
                return value_of(value, kind)
            case OfClaim(name, kind):
                return self._own(name, kind, Subject("claim", self._around.claim_values()))
            case OfDocument(name, kind):
                found = self._around.document(name, kind, subject.number)
                return self._note(found, name)
            case OfPrice(name):
                return self._note(self._around.price(name, subject.number), "price")
            case Sum() | Count() | Extreme():
                return self._of_group(operand, subject)
            case HowMany():
                return self._how_many(operand, subject)
            case Arithmetic():
                return self._arithmetic(operand, subject)
            case Span() | Moved() | DayPart():
                return self._of_days(operand, subject)

    def _note(self, value: Value, name: str) -> Value:
        if value is State.UNKNOWN:
            self.missing[name] = None
        return value

    def _own(self, name: str, kind: Type, subject: Subject) -> Value:
        raw = subject.values.get(name)
        if raw is not None:
            return value_of(raw, kind)
        state = subject.values.get(state_key(name))
        if name in subject.unreadable or (state is not None and state != State.ABSENT.value):
            return self._note(State.UNKNOWN, name)
        return State.ABSENT

    def _column(self, column: Column, subject: Subject) -> Value:
        rows = self._rows(column.look_up, subject)
        if rows is None:
            return self._note(State.UNKNOWN, column.look_up.table)
        if column.look_up.every:
            return tuple([str(value) for row in rows for value in _texts(row.get(column.name))])
        if not rows:
            return State.NO_ROW
        raw = rows[0].get(column.name)
        return self._note(State.UNKNOWN, column.look_up.table) if raw is None else value_of(raw, column.type)

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
        keys = self._keys(look_up.keys, subject)
        return None if keys is None else self._around.rows(look_up.table, keys, day)

    def _keys(self, keys: Sequence[tuple[str, Operand]], subject: Subject) -> dict[str, Any] | None:
        """Key columns with the values that they are looked up by, as facts hold them; None where one is unknown."""
        found: dict[str, Any] = {}
        for name, operand in keys:
            value = self._raw(operand, subject)
            if value is State.UNKNOWN:
                return None
            found[name] = None if isinstance(value, State) else value
        return found

    def _raw(self, operand: Operand, subject: Subject) -> Any:
        """A value as facts hold it: tables are keyed so."""
        value = self.value(operand, subject)
        if not isinstance(value, Decimal):
            return State.UNKNOWN if isinstance(value, Bounds) else value
        return int(value.scaleb({Type.AMOUNT: 2, Type.DECIMAL: 6}.get(_type_of(operand), 0)))

    def _of_group(self, operand: Sum | Count | Extreme, subject: Subject) -> Value:
        members = self.members(operand.group, subject)
        if isinstance(operand, Count):
            return exact(self._count(operand, members))
        if isinstance(operand, Sum):
            return exact(self._sum(operand, members))
        values = [bounds(self.value(operand.operand, item)) for item in members.certain]
        if members.possible or not members.complete or any(value is None or value.low is None for value in values):
            return State.UNKNOWN
        numbers = [value.low for value in values if value is not None and value.low is not None]
        if not numbers:
            return State.ABSENT
        found = min(numbers) if operand.word == "smallest" else max(numbers)
        return int(found) if operand.type is Type.DAY else found

    def _count(self, operand: Count, members: Members) -> Bounds:
        certain, possible = len(members.certain), len(members.possible)
        if operand.distinct is not None:
            values = {self.value(operand.distinct, item) for item in members.certain}
            unknown = sum(1 for value in values if isinstance(value, State))
            certain, possible = len(values) - unknown, possible + unknown
        high = Decimal(certain + possible) if members.complete else None
        return Bounds(Decimal(certain), high)

    def _sum(self, operand: Sum, members: Members) -> Bounds:
        low, known, negative = Decimal(0), members.complete and not members.possible, False
        for item in members.certain:
            number = bounds(self.value(operand.operand, item))
            if number is None or number.low is None:
                known = False
                continue
            negative = negative or number.low < 0
            low += number.low
            known = known and number.high == number.low
        if known:
            return Bounds(low, low)
        # Of amounts that cannot be negative what is known is the least that there is.
        return Bounds(None if negative else low, None)

    def _how_many(self, operand: HowMany, subject: Subject) -> Value:
        codes, day = self.value(operand.operand, subject), subject.day
        if not isinstance(codes, tuple):
            return codes if isinstance(codes, State) else State.UNKNOWN
        if operand.list is None:
            return Decimal(sum(1 for code in codes if code in operand.values))
        if day is None:
            return State.UNKNOWN
        return Decimal(sum(1 for code in codes if self._lists.contains(operand.list, code, day)))

    def _arithmetic(self, operand: Arithmetic, subject: Subject) -> Value:
        values = [self.value(part, subject) for part in operand.operands]
        if State.NO_ROW in values:
            return State.NO_ROW
        numbers = [bounds(value) for value in values]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers):
            for part in operand.operands:
                self._note_absent(part, subject)
            return State.UNKNOWN
        found = _calculated(operand, known)
        if operand.type is Type.DAY and isinstance(found, Decimal):
            return int(found)
        return found

    def _note_absent(self, operand: Operand, subject: Subject) -> None:
        """Remembers the element that an amount would need and that the claim does not have."""
        inner = operand
        while isinstance(inner, Outer):
            inner = inner.operand
        if isinstance(inner, Own | OfClaim | OfDocument) and self.value(operand, subject) is State.ABSENT:
            self.missing[inner.name] = None

    def _of_days(self, operand: Span | Moved | DayPart, subject: Subject) -> Value:
        parts = (operand.first, operand.last) if isinstance(operand, Span) else (operand.day,)
        days = [self.value(part, subject) for part in parts]
        if State.NO_ROW in days:
            return State.NO_ROW
        known = [day for day in days if type(day) is int]
        if len(known) < len(days):
            for part in parts:
                self._note_absent(part, subject)
            return State.UNKNOWN
        if isinstance(operand, DayPart):
            return Decimal(_day_part(operand.word, known[0]))
        holiday = self._is_holiday(operand.holidays)
        if isinstance(operand, Span):
            return Decimal(span(operand.unit, known[0], known[1], holiday))
        length = self.value(operand.length, subject)
        if not isinstance(length, Decimal) or length != int(length):
            return length if isinstance(length, State) else State.UNKNOWN
        later = moved(known[0], operand.unit, int(length), holiday)
        return State.UNKNOWN if later is None else later

    def _is_holiday(self, table: str | None) -> IsHoliday | None:
        if table is None:
            return None
        typed = self._around.rulebook.typed_tables[table]
        key = next(name for name, column in typed.columns.items() if column.key)
        return lambda day: bool(typed.find({key: day}, None))

    # Conditions

    def holds(self, condition: Condition, subject: Subject) -> str:
        """Whether a condition holds for a subject: yes, no or unknown."""
        match condition:
            case AllOf(parts):
                return _until(NO, (self.holds(part, subject) for part in parts), both)
            case AnyOf(parts):
                return _until(YES, (self.holds(part, subject) for part in parts), either)
            case Asks(_, question):
                return self.answer(question, subject)
            case Compare(fact) if fact.endswith("?"):
                return YES if subject.values.get(fact) == condition.value else NO
            case Compare() | Has() | InList():
                raw = subject.values.get(condition.fact)
                if raw is None:
                    return self._without_value(condition, subject)
                return self._test(condition, raw, subject.day)

    def _without_value(self, condition: Compare | Has | InList, subject: Subject) -> str:
        state = self._own(condition.fact, Type.TEXT, subject)
        return NOT_KNOWN if state is State.UNKNOWN else NO

    def _test(self, test: Compare | Has | InList, raw: Any, day: int | None) -> str:
        if isinstance(test, Compare):
            return compare(value_of(raw, Type.NUMBER), test.op, value_of(test.value, Type.NUMBER))
        codes = raw if isinstance(raw, tuple) else (raw,)
        if isinstance(test, Has):
            among = [code in test.values for code in codes]
        elif day is None:
            return NOT_KNOWN
        else:
            among = [self._lists.contains(test.list, str(code), day) for code in codes]
        return _quantified(test.op, among)

    # Questions

    def answer(self, question: Question, subject: Subject) -> str:
        """The answer to a question about a subject: yes, no or unknown."""
        match question:
            case Related():
                return self._related(question, subject)
            case Compared(left, op, right):
                return compare(self.value(left, subject), op, self.value(right, subject))
            case Found(look_up, found):
                rows = self._rows(look_up, subject)
                if rows is None:
                    self.missing[look_up.table] = None
                    return NOT_KNOWN
                return YES if bool(rows) == found else NO
            case Tested(operand, test):
                return self._tested(operand, test, subject)
            case Shared(left, op, right):
                return _shared(self.value(left, subject), op, self.value(right, subject))
            case Shaped(operand, op, values):
                return _shaped(self.value(operand, subject), op, values)

    def _tested(self, operand: Operand, test: Compare | Has | InList, subject: Subject) -> str:
        value = self.value(operand, subject)
        if isinstance(test, Compare) and test.fact.endswith("?"):
            return YES if isinstance(value, State) and value.value == test.value else NO
        if isinstance(value, State):
            return NOT_KNOWN if value is State.UNKNOWN else NO
        if isinstance(test, Compare):
            return compare(value, test.op, value_of(test.value, _type_of(operand)))
        return self._test(test, value, subject.day)

    def _related(self, question: Related, subject: Subject) -> str:
        members = self.members(question.group, subject)
        if question.quantifier != "every":
            found = YES if members.certain else NOT_KNOWN if members.possible or not members.complete else NO
            if found == YES or question.quantifier == "some":
                self._see(members.certain)
            return found if question.quantifier == "some" else {YES: NO, NO: YES}.get(found, NOT_KNOWN)
        answers = [both(*[self.holds(part, item) for part in question.when]) for item in members.certain]
        if NO in answers:
            return NO
        self._see(members.certain)
        if NOT_KNOWN in answers or not members.complete:
            return NOT_KNOWN
        unsure = [both(*[self.holds(part, item) for part in question.when]) for item in members.possible]
        return YES if all(answer == YES for answer in unsure) else NOT_KNOWN

    def _see(self, found: Iterable[Subject]) -> None:
        for item in found:
            self.seen[id(item.values)] = item

    # Groups

    def members(self, group: Group, subject: Subject) -> Members:
        """The items of a group, as seen from a subject."""
        certain: list[Subject] = []
        possible: list[Subject] = []
        complete = True
        for kind in group.items:
            found = self._items(group, kind, subject)
            if found is None or (kind == HISTORY and not self._is_complete(group, subject)):
                self.missing[group.table or kind] = None
                complete = False
            for item in found or ():
                seat = item.within(subject)
                answer = self._belongs(group, seat)
                if answer == YES:
                    certain.append(seat)
                elif answer == NOT_KNOWN:
                    possible.append(seat)
        return Members(certain, possible, complete)

    def _items(self, group: Group, kind: str, subject: Subject) -> list[Subject] | None:
        if kind != ROW:
            return self._around.items(kind, subject.root.number)
        keys = self._keys(group.keys, subject)
        rows = None if keys is None else self._around.rows(group.table or "", keys, subject.day)
        return None if rows is None else [Subject(ROW, row) for row in rows]

    def _belongs(self, group: Group, item: Subject) -> str:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooManySteps
        answer = YES
        for tests in (self._alike(group, item), self._in_windows(group, item), self._fulfilled(group, item)):
            answer = _until(NO, tests, both, answer)
            if answer == NO:
                return NO
        return answer

    def _alike(self, group: Group, item: Subject) -> Iterable[str]:
        root = item.root
        yield from (self._same(SAME[name], item, root) for name in group.same)
        for name in group.same_modifiers:
            one, two = item.values.get("modifiers"), root.values.get("modifiers")
            if not isinstance(one, tuple) or not isinstance(two, tuple):
                yield NOT_KNOWN
            else:
                yield YES if self._of_list(name, one, root.day) == self._of_list(name, two, root.day) else NO

    def _of_list(self, name: str, codes: tuple[str, ...], day: int | None) -> frozenset[str]:
        return frozenset(code for code in codes if day is not None and self._lists.contains(name, code, day))

    def _same(self, sameness: Sameness, item: Subject, root: Subject) -> str:
        return both(*[self._same_field(names, sameness, item, root) for names in sameness.fields])

    def _same_field(self, names: tuple[str, ...], sameness: Sameness, item: Subject, root: Subject) -> str:
        one, two = self._first(names, item), self._first(names, root)
        if isinstance(one, State) or isinstance(two, State):
            if one is State.ABSENT and two is State.ABSENT and sameness.absent_alike:
                return YES
            if State.UNKNOWN in (one, two) or not sameness.absent_alike:
                self.missing[names[-1]] = None
                return NOT_KNOWN
            return NO
        if isinstance(one, tuple) and isinstance(two, tuple):
            alike = not set(one).isdisjoint(two) if sameness.share else sorted(one) == sorted(two)
            return YES if alike else NO
        return YES if one == two else NO

    def _first(self, names: tuple[str, ...], subject: Subject) -> Value:
        for name in names:
            raw = subject.values.get(name)
            if raw is not None:
                return value_of(raw, Type.TEXT)
        return self._own(names[-1], Type.TEXT, subject)

    def _in_windows(self, group: Group, item: Subject) -> Iterable[str]:
        for window in group.within:
            day, reference = item.values.get("day"), self.value(window.day, item)
            length = Decimal(0) if window.length is None else self.value(window.length, item)
            if State.NO_ROW in (length, reference) or State.ABSENT in (length, reference):
                yield NO
            elif type(day) is not int or type(reference) is not int or not isinstance(length, Decimal):
                yield NOT_KNOWN
            else:
                inside = in_window(day, window.unit, int(length), window.side, reference)
                yield YES if inside else NO

    def _fulfilled(self, group: Group, item: Subject) -> Iterable[str]:
        return (self.holds(part, item) for part in group.where)

    def _is_complete(self, group: Group, subject: Subject) -> bool:
        """Whether the history has every service of the group's windows."""
        since = self._around.covered_since()
        by_group = {"group", "billing-provider", "group-and-specialty", "rendering-provider"}
        if since is None or not self._around.covers(group_alone=not by_group.isdisjoint(group.same)):
            return False
        if since == 0:
            return True
        starts = [self._start(window, subject) for window in group.within]
        if "day" in group.same and subject.root.day is not None:
            starts.append(subject.root.day)
        return any(start is not None and start >= since for start in starts)

    def _start(self, window: Window, subject: Subject) -> int | None:
        """The first day of a window whose length does not depend on the item."""
        if _reads_item(window.day) or (window.length is not None and _reads_item(window.length)):
            return None
        seat = Subject(HISTORY, {}, None, subject)
        day = self.value(window.day, seat)
        length = Decimal(0) if window.length is None else self.value(window.length, seat)
        if type(day) is not int or not isinstance(length, Decimal):
            return None
        return window_start(window.unit, int(length), window.side, day)


def _reads_item(operand: Operand) -> bool:
    """Whether an operand of a window is of the item itself, and not of what encloses it."""
    return not isinstance(operand, Outer | Constant | OfClaim)


def _outward(subject: Subject, levels: int) -> Subject:
    for _ in range(levels):
        if subject.outer is None:
            raise TypeError("a name of an enclosing fact where nothing encloses")
        subject = subject.outer
    return subject


def _until(decisive: str, answers: Iterable[str], joined: Callable[..., str], start: str | None = None) -> str:
    """The answers joined, without asking further once the decisive one is there."""
    found = [] if start is None else [start]
    for answer in answers:
        if answer == decisive:
            return decisive
        found.append(answer)
    return joined(*found)


def _texts(raw: object) -> tuple[object, ...]:
    if raw is None:
        return ()
    return raw if isinstance(raw, tuple) else (raw,)


def _type_of(operand: Operand) -> Type:
    return _type_of(operand.operand) if isinstance(operand, Outer | HowMany) else operand.type


def _quantified(op: str, among: list[bool]) -> str:
    if op == "any":
        return YES if any(among) else NO
    if op == "all":
        return YES if among and all(among) else NO
    return NO if any(among) else YES


def _shared(left: Value, op: str, right: Value) -> str:
    for value in (left, right):
        if isinstance(value, State):
            return NOT_KNOWN if value is State.UNKNOWN else NO
    codes = left if isinstance(left, tuple) else (left,)
    others = right if isinstance(right, tuple) else (right,)
    return _quantified(op, [code in others for code in codes])


def _shaped(value: Value, op: str, patterns: tuple[str, ...]) -> str:
    if isinstance(value, State):
        return NOT_KNOWN if value is State.UNKNOWN else NO
    texts = value if isinstance(value, tuple) else (str(value),)
    if op.startswith("begins"):
        found = any(text.startswith(patterns) for text in texts)
    else:
        found = any(_is_like(text, pattern) for text in texts for pattern in patterns)
    return YES if found == (op in ("begins-with", "like")) else NO


def _is_like(text: str, pattern: str) -> bool:
    return len(text) == len(pattern) and all(map(_character_is_like, text, pattern))


def _character_is_like(character: str, wanted: str) -> bool:
    digit, letter = "0" <= character <= "9", "A" <= character <= "Z"
    if wanted in "#@*":
        return (digit and wanted != "@") or (letter and wanted != "#")
    return character == wanted


def _day_part(word: str, day: int) -> int:
    if word == "weekday":
        return (day - 1) % 7 + 1
    found = date.fromordinal(day)
    return found.year if word == "year" else found.month


def _calculated(operand: Arithmetic, numbers: list[Bounds]) -> Value:
    word = operand.word
    if word == "plus":
        return exact(Bounds(_total([n.low for n in numbers]), _total([n.high for n in numbers])))
    if word == "minus":
        one, two = numbers
        return exact(Bounds(_total([one.low, _negative(two.high)]), _total([one.high, _negative(two.low)])))
    known = [number.low for number in numbers if number.low is not None and number.low == number.high]
    if len(known) < len(numbers):
        return _at_least(word, numbers)
    if word == "times":
        product = Decimal(1)
        for number in known:
            product *= number
        return product
    if word == "divided-by":
        return _divided(known[0], known[1], operand)
    return min(known) if word == "smallest-of" else max(known)


def _at_least(word: str, numbers: list[Bounds]) -> Value:
    """What is certain of numbers of which only the least is known: their product, or the largest of them."""
    lows = [number.low for number in numbers]
    known = [low for low in lows if low is not None and low >= 0]
    if word == "largest-of" and known:
        return Bounds(max(known), None)
    if word != "times" or len(known) < len(lows):
        return State.UNKNOWN
    product = Decimal(1)
    for low in known:
        product *= low
    return Bounds(product, None)


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _negative(value: Decimal | None) -> Decimal | None:
    return None if value is None else -value


def _divided(one: Decimal, two: Decimal, operand: Arithmetic) -> Value:
    """A quotient in whole numbers, of dollars in whole cents, rounded as stated; exact at every step."""
    if two == 0:
        return State.UNKNOWN
    scale = 2 if operand.type is Type.AMOUNT else 0
    sign = 1 if (one < 0) == (two < 0) else -1
    quotient, rest = divmod(abs(one).scaleb(scale), abs(two))
    away = rest > 0 and (operand.rounded == "up") == (sign > 0)
    up = rest * 2 >= abs(two) if operand.rounded == "half-up" else away
    return (sign * (quotient + (1 if up else 0))).scaleb(-scale)
