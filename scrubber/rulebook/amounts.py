"""Types the amounts that a rule names: sums and counts of items, arithmetic, spans between days, other days.

An amount is written as one mapping, whose words say what it is: {sum: units, of: other-lines, same: [day]},
{plus: [one, other]}, {days-from: document.dischargeDate, to: day}. A text alone is another name for a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from scrubber.rulebook.field import DECIMAL_PLACES, Field, Type
from scrubber.rulebook.line_items import ITEMS, PLURALS
from scrubber.rulebook.names import NameScope, Resolved, resolve
from scrubber.rulebook.relations import (
    ROW,
    Arithmetic,
    Constant,
    CountOf,
    DayPart,
    ExtremeOf,
    Group,
    HowMany,
    Moved,
    Own,
    RunStart,
    SharedTime,
    SumOf,
    TimeBetween,
    number_of_parts,
)
from scrubber.rulebook.yaml_file import Position

ReadGroup = Callable[[tuple[str, ...], Mapping[Any, Any], Position], tuple[Group, NameScope] | None]
ReportFault = Callable[[Position, str], None]

MOST_AMOUNTS = 20
MOST_PARTS = 1_000_000  # of one amount, with those that it names
AMOUNT_WORDS: Mapping[str, str] = {  # descriptions for authors
    "sum": "The sum of a number or amount over items: {sum: units, of: other-lines, same: [day]}.",
    "count": "How many items: {count: history, within: {days: 90, before: this.day}}.",
    "count-days": "On how many different days the items lie.",
    "count-different": "How many different values the items have: {count-different: procedure, of: lines}.",
    "smallest": "The smallest number, or the first day, of items.",
    "largest": "The largest number, or the last day, of items.",
    "plus": "These values added.",
    "minus": "The first value less the second.",
    "times": "These values multiplied.",
    "divided-by": "The first value divided by the second, `rounded` down, up or half-up to whole ones or cents.",
    "smallest-of": "The smallest of these values.",
    "largest-of": "The largest of these values.",
    "days-from": "Days from one day to another; negative where that is earlier.",
    "full-months-from": "Calendar months that lie wholly between the months of two days.",
    "full-years-from": "Full years from one day to another.",
    "months-of-age-from": "Months that are complete from one day to another, as ages are counted.",
    "minutes-from": "Minutes from one time to another.",
    "business-days-from": "Days but Saturdays, Sundays and the `holidays` of a table, after one day up to another.",
    "day": "A day some days, full-months, full-years or business-days later (`plus`) or earlier (`minus`).",
    "days-shared-by": "Days that two spans have in common: {days-shared-by: [FIRST, LAST], and: [FIRST, LAST]}.",
    "minutes-shared-by": "Minutes that two spans of time have in common, such as those of two services.",
    "run-start": "The first day of the unbroken run of items that reaches the day `to`: {run-start: [history, lines], "
    "to: this.day, procedure: {any-in: LIST}}. `apart`: most days from one to the next; 1 where nothing is said.",
    "how-many": "How many codes of a list are among some (`any`), or in a list (`any-in`).",
    "year-of": "The year of a day.",
    "month-of": "The month of a day, 1 to 12.",
    "weekday-of": "The day of the week, 1 (Monday) to 7.",
    "day-of": "The day of a time.",
    "clock-time-of": "The time of the day that a time has, to compare with one such as 22:00.",
}  # fmt: skip
SPANS = {
    "days-from": "days", "full-months-from": "months-between", "full-years-from": "full-years",
    "months-of-age-from": "full-months", "minutes-from": "minutes", "business-days-from": "business-days",
}  # fmt: skip
MOVES = ("days", "full-months", "full-years", "business-days")
ROUNDED = ("down", "up", "half-up")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_SHARED = {"days-shared-by": "days", "minutes-shared-by": "minutes"}
_PARTS = {"day-of": (Type.TIME, Type.DAY), "clock-time-of": (Type.TIME, Type.CLOCK)}
_OF_TIME = (Type.DAY, Type.TIME)
_NUMBERS = (Type.NUMBER, Type.DECIMAL)
_ARITHMETIC = ("plus", "minus", "times", "divided-by", "smallest-of", "largest-of")
_GROUPED = ("sum", "count", "count-days", "count-different", "smallest", "largest")


class _NoAmount(ValueError):
    """What is written is no amount; `position` says where, below the amount."""

    def __init__(self, message: str, *position: str | int) -> None:
        super().__init__(message)
        self.position = position


class AmountGrammar:
    """Reads amounts into the frame of a rule or of a relation, each after those before it."""

    def __init__(self, frame: NameScope, report: ReportFault, read_group: ReadGroup) -> None:
        self._frame = frame
        self._report = report
        self._read_group = read_group

    def declare(self, name: str, raw: object, position: Position) -> None:
        """Adds an amount to the frame; what is wrong with it is reported."""
        frame = self._frame
        if len(frame.amounts) >= MOST_AMOUNTS:
            self._report(position, f"over {MOST_AMOUNTS} amounts in one place: split the rule")
            return
        taken = name in frame.fields or any(name in f.amounts or name in f.look_ups for _, f in frame.chain())
        if taken or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            self._report(position, f"`{name}` is taken, or no name of small letters, digits and hyphens")
            return
        try:
            found = self._read(raw, position)
        except _NoAmount as error:
            self._report((*position, *error.position), str(error))
            return
        if found is not None and number_of_parts(found.operand) > MOST_PARTS:
            self._report(position, f"`{name}` is made of over {MOST_PARTS:,} parts, with all that it names")
        elif found is not None:
            frame.amounts[name] = (found.operand, Field(name, found.field.type, "an amount of the rule"))

    def _read(self, raw: object, position: Position) -> Resolved | None:
        if isinstance(raw, str):
            return self._value(raw)
        if not isinstance(raw, Mapping):
            raise _NoAmount(f"an amount is a mapping with one of: {', '.join(AMOUNT_WORDS)}")
        word = next((key for key in raw if key in AMOUNT_WORDS), None)
        if word is None:
            raise _NoAmount(f"an amount is one of: {', '.join(AMOUNT_WORDS)}")
        return self._of_word(str(word), raw, position)

    def _of_word(self, word: str, raw: Mapping[Any, Any], position: Position) -> Resolved | None:
        if word in _GROUPED:
            return self._of_group(word, raw, position)
        if word == "run-start":
            return self._run_start(raw, position)
        if word in SPANS:
            _only(raw, word, "to", "holidays")
            return self._span(word, raw)
        if word in _SHARED:
            return self._shared(word, raw)
        if word == "day":
            return self._moved(raw)
        if word == "how-many":
            return self._how_many(raw)
        if word in _ARITHMETIC:
            _only(raw, word, "rounded")
            return self._arithmetic(word, raw)
        _only(raw, word)
        part, of, kind = word.removesuffix("-of"), *_PARTS.get(word, (Type.DAY, Type.NUMBER))
        return Resolved(DayPart(part, self._of_type(str(raw[word]), of, word).operand, kind), _field(kind))

    def _value(self, raw: object, *position: str | int) -> Resolved:
        """A number as it stands, or what a name stands for."""
        text = str(raw)
        if _NUMBER.fullmatch(text):
            return Resolved(Constant(int(Decimal(text).scaleb(DECIMAL_PLACES)), Type.DECIMAL), _field(Type.DECIMAL))
        found = resolve(text, self._frame)
        if found is None:
            near = ", ".join(sorted([*self._frame.amounts, *self._frame.look_ups])) or "none yet"
            raise _NoAmount(f"`{text}` stands for nothing here; amounts and look-ups before it: {near}", *position)
        return found

    def _of_type(self, name: str, wanted: Type, *position: str | int) -> Resolved:
        found = self._value(name, *position)
        if found.field.type is not wanted:
            raise _NoAmount(f"`{name}` is no {wanted.value}", *position)
        return found

    def _of_group(self, word: str, raw: Mapping[Any, Any], position: Position) -> Resolved | None:
        counted = word in ("count", "count-days")
        items = _items(raw[word] if counted else raw.get("of"), word if counted else "of")
        rest = {key: value for key, value in raw.items() if key not in (word, "of")}
        value = Own("day", Type.DAY) if word == "count-days" else None
        read = self._read_group(items, rest, position)
        if read is None:
            return None
        group, inner = read
        if word == "count":
            return Resolved(CountOf(group), _field(Type.NUMBER))
        if counted:
            return Resolved(CountOf(group, value), _field(Type.NUMBER))
        found = _in_frame(str(raw[word]), inner)
        kind = found.field.type
        if word == "count-different":
            return Resolved(CountOf(group, found.operand), _field(Type.NUMBER))
        if kind not in (*_NUMBERS, Type.AMOUNT) and not (kind in _OF_TIME and word != "sum"):
            raise _NoAmount(f"`{raw[word]}` is no number or amount", word)
        if word == "sum":
            return Resolved(SumOf(group, found.operand, kind), _field(kind))
        return Resolved(ExtremeOf(word, group, found.operand, kind), _field(kind))

    def _run_start(self, raw: Mapping[Any, Any], position: Position) -> Resolved | None:
        items = _items(raw["run-start"], "run-start")
        if any("day" not in ITEMS[item].fields for item in items if item != ROW):
            raise _NoAmount("a run is of items with a `day`", "run-start")
        if "to" not in raw:
            raise _NoAmount("`run-start` needs `to`: the day that the run reaches", "run-start")
        day = self._of_type(str(raw["to"]), Type.DAY, "to")
        apart = self._value(raw.get("apart", "1"), "apart")
        if apart.field.type not in _NUMBERS:
            raise _NoAmount(f"`{raw['apart']}` is no number", "apart")
        rest = {key: value for key, value in raw.items() if key not in ("run-start", "to", "apart")}
        read = self._read_group(items, rest, position)
        return Resolved(RunStart(read[0], day.operand, apart.operand), _field(Type.DAY)) if read else None

    def _shared(self, word: str, raw: Mapping[Any, Any]) -> Resolved:
        _only(raw, word, "and")
        kind = Type.DAY if word == "days-shared-by" else Type.TIME
        spans = []
        for key in (word, "and"):
            ends = raw.get(key)
            if not isinstance(ends, list) or len(ends) != 2:
                raise _NoAmount(f"needs two spans: {{{word}: [FIRST, LAST], and: [FIRST, LAST]}}", key)
            first, last = (self._of_type(str(end), kind, key, index).operand for index, end in enumerate(ends))
            spans.append((first, last))
        return Resolved(SharedTime(_SHARED[word], spans[0], spans[1]), _field(Type.NUMBER))

    def _arithmetic(self, word: str, raw: Mapping[Any, Any]) -> Resolved:
        values = raw[word]
        if not isinstance(values, list) or len(values) < 2 or (word in ("minus", "divided-by") and len(values) > 2):
            raise _NoAmount(
                f"`{word}` needs a list of {'two' if word in ('minus', 'divided-by') else 'some'} values", word
            )
        found = [self._value(value, word, index) for index, value in enumerate(values)]
        kinds = [each.field.type for each in found]
        for index, kind in enumerate(kinds):
            days = kind in _OF_TIME and word in ("smallest-of", "largest-of")
            if kind not in (*_NUMBERS, Type.AMOUNT) and not days:
                raise _NoAmount(f"`{values[index]}` is no number or amount", word, index)
        rounded = raw.get("rounded")
        if (word == "divided-by") != (rounded is not None) or rounded not in (None, *ROUNDED):
            raise _NoAmount("`divided-by` says how it is rounded: down, up or half-up; nothing else is rounded", word)
        kind = _result(word, [(k, isinstance(f.operand, Constant)) for k, f in zip(kinds, found, strict=True)])
        return Resolved(Arithmetic(word, tuple(each.operand for each in found), kind, rounded), _field(kind))

    def _span(self, word: str, raw: Mapping[Any, Any]) -> Resolved:
        kind = Type.TIME if word == "minutes-from" else Type.DAY
        if "to" not in raw:
            raise _NoAmount(f"`{word}` needs `to`: where it ends", word)
        first, last = self._of_type(str(raw[word]), kind, word), self._of_type(str(raw["to"]), kind, "to")
        span = TimeBetween(SPANS[word], first.operand, last.operand, self._holidays(raw, word == "business-days-from"))
        return Resolved(span, _field(Type.NUMBER))

    def _holidays(self, raw: Mapping[Any, Any], wanted: bool) -> str | None:
        name = raw.get("holidays")
        if name is None or not wanted:
            if (name is None) == wanted:
                raise _NoAmount("business days need `holidays`, a table with a key column of days; others have none")
            return None
        tables = self._frame.known.tables
        if tables is None:
            return str(name)
        if (
            name not in tables
            or not tables[name].keys
            or tables[name].columns[tables[name].keys[0]].type is not Type.DAY
        ):
            raise _NoAmount(f"`{name}` is no table whose first key column is a day", "holidays")
        return str(name)

    def _moved(self, raw: Mapping[Any, Any]) -> Resolved:
        directions = [key for key in ("plus", "minus") if key in raw]
        if len(directions) != 1 or not isinstance(raw[directions[0]], Mapping):
            raise _NoAmount("needs {day: DAY, plus: {days: N}}, or `minus`")
        day, [direction] = self._of_type(str(raw["day"]), Type.DAY, "day"), directions
        shift = raw[direction]
        unit = next(iter(shift), None)
        if unit not in MOVES or shift.keys() - {unit, "holidays"}:
            raise _NoAmount(f"needs one of: {', '.join(MOVES)}", direction)
        length = self._value(shift[unit], direction, str(unit))
        if length.field.type not in _NUMBERS:
            raise _NoAmount(f"`{shift[unit]}` is no number", direction, str(unit))
        amount = length.operand
        if direction == "minus":
            amount = Arithmetic("minus", (Constant(0, Type.NUMBER), amount), Type.NUMBER)
        holidays = self._holidays(shift, unit == "business-days")
        return Resolved(Moved(day.operand, str(unit), amount, holidays), _field(Type.DAY))

    def _how_many(self, raw: Mapping[Any, Any]) -> Resolved:
        _only(raw, "how-many", "any", "any-in")
        found = self._value(raw["how-many"], "how-many")
        codes, name = raw.get("any"), raw.get("any-in")
        if found.field.type is not Type.CODES or (codes is None) == (name is None):
            raise _NoAmount("needs a list of codes, and either `any` (codes) or `any-in` (a list)", "how-many")
        values = tuple(map(str, codes)) if isinstance(codes, list) else ()
        return Resolved(HowMany(found.operand, values, str(name) if name is not None else None), _field(Type.NUMBER))


def _in_frame(name: str, frame: NameScope) -> Resolved:
    found = resolve(name, frame)
    if found is None:
        known = sorted([*frame.amounts, *(name for name, of in frame.fields.items() if not of.element)])
        raise _NoAmount(f"`{name}` is nothing that the items have: {', '.join(known)}")
    return found


def _items(raw: object, word: str) -> tuple[str, ...]:
    names = raw if isinstance(raw, list) else [raw]
    items = [PLURALS.get(str(name)) for name in names]
    if not items or None in items or (ROW in items and len(items) > 1):
        raise _NoAmount(f"needs one or several of: {', '.join(sorted(PLURALS))}", word)
    return tuple(item for item in items if item is not None)


def _only(raw: Mapping[Any, Any], *keys: Any) -> None:
    for key in raw.keys() - set(keys):
        raise _NoAmount(f"`{key}` does not go with `{keys[0]}`", str(key))


def _field(kind: Type) -> Field:
    return Field("it", kind, "")


def _result(word: str, kinds: list[tuple[Type, bool]]) -> Type:
    """The type of what arithmetic gives; a number that the rule states goes with dollars, too."""
    amounts = [kind for kind, _ in kinds if kind is Type.AMOUNT]
    if word in ("times", "divided-by"):
        if word == "times" and len(amounts) > 1:
            raise _NoAmount("dollars times dollars are nothing", word)
        if word == "divided-by" and kinds[1][0] is Type.AMOUNT:
            if kinds[0][0] is not Type.AMOUNT:
                raise _NoAmount("a number divided by dollars is nothing", word)
            return Type.NUMBER
        return Type.AMOUNT if amounts else Type.NUMBER if word == "divided-by" else Type.DECIMAL
    others = {kind for kind, stated in kinds if not stated and kind is not Type.AMOUNT}
    if amounts and others:
        raise _NoAmount("dollars and numbers do not add up", word)
    if not others.isdisjoint(_OF_TIME):
        if len(others) > 1:
            raise _NoAmount("days, times and numbers are not alike", word)
        return others.pop()
    return Type.AMOUNT if amounts else Type.DECIMAL
