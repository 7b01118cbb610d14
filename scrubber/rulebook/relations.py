"""The model of what a condition asks beside the fields of its own fact: relations, rows of tables, amounts.

An operand stands for a value, a question for yes, no or unknown. Both are trees of frozen parts, so that equal
questions of several rules are one question, answered once a fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING

from scrubber.rulebook.field import Type
from scrubber.rulebook.yaml_file import Position

if TYPE_CHECKING:
    from scrubber.rulebook.rule import Compare, Condition, Has, InList

QUANTIFIERS = ("some", "no", "every")
ROW = "row"  # the item that stands for a row of a table
HISTORY = "history"
BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class Own:
    """A field of the fact or item in hand."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Outer:
    """A value of an enclosing fact or item, `levels` further out."""

    levels: int
    operand: Operand


@dataclass(frozen=True, slots=True)
class OfClaim:
    """A field of the claim as a whole."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class OfDocument:
    """An element of the documentation of the line in hand."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class OfPrice:
    """What the line in hand is priced at: `allowed` for the line, or the `fee` of one unit."""

    name: str
    type: Type = Type.AMOUNT


@dataclass(frozen=True, slots=True)
class OfLimit:
    """A limit of a table, as it is on the day of the fact in hand."""

    name: str
    type: Type = Type.DECIMAL


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the rule states, as a fact of its type holds it."""

    value: str | int | bool
    type: Type


@dataclass(frozen=True, slots=True)
class LookUp:
    """Rows of a table: by the values of some of its key columns, in force on a day (None: the day of the fact)."""

    table: str
    keys: tuple[tuple[str, Operand], ...]
    on: Operand | None = None
    every: bool = False  # every row that fits, not the most specific alone


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row that a look-up finds; of every row, the texts of them all."""

    look_up: LookUp
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Window:
    """Days around another day. `unit`: days, full-months or full-years, so many (`length`) on one `side` of it:
    before, after (both without the day itself), up-to, from (both with it) or either.

    Or one of PERIODS, that in which the day lies: a week begins on weekday `begins` (1 = Monday); a season of each year
    begins and ends on days of the year (month x 100 + day), over New Year where it ends on an earlier one. Or BETWEEN:
    from `day` (`side`: from, or after without it) to `until` (`until_side`: up-to, or before without it).
    """

    unit: str
    length: Operand | None
    side: str
    day: Operand
    begins: int = 0
    ends: int = 0
    until: Operand | None = None
    until_side: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Items of some kinds, and which of them count: alike in `same`, within the windows, and fulfilling `where`.

    `keys` are the columns by which rows of `table` are found. `position` is where the rule's file says it, for faults.
    """

    items: tuple[str, ...]
    same: tuple[str, ...] = ()
    same_modifiers: tuple[str, ...] = ()  # lists: the modifiers of the list that both have are the same
    within: tuple[Window, ...] = ()
    where: tuple[Condition, ...] = ()
    table: str | None = None
    keys: tuple[tuple[str, Operand], ...] = ()
    position: Position = field(default=(), compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether every item of the kinds counts."""
        return not (self.where or self.same or self.within or self.same_modifiers)


@dataclass(frozen=True, slots=True)
class SumOf:
    """The sum of an operand over the items of a group."""

    group: Group
    operand: Operand
    type: Type


@dataclass(frozen=True, slots=True)
class CountOf:
    """How many items a group has, or how many different values of an operand."""

    group: Group
    distinct: Operand | None = None
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class ExtremeOf:
    """The smallest or largest (`word`) of an operand over the items of a group; of days the first or last."""

    word: str
    group: Group
    operand: Operand
    type: Type


@dataclass(frozen=True, slots=True)
class HowMany:
    """How many codes of a list value are among some codes, or in a list of codes."""

    operand: Operand
    values: tuple[str, ...] = ()
    list: str | None = None
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`word`: plus, minus, times, divided-by, smallest-of, largest-of. `rounded`: down, up or half-up to a whole."""

    word: str
    operands: tuple[Operand, ...]
    type: Type
    rounded: str | None = None


@dataclass(frozen=True, slots=True)
class TimeBetween:
    """From one day or time to another, in `unit`: days, months-between (calendar months that lie wholly between),
    full-months, full-years, minutes, or business-days (after the first day, less Saturdays, Sundays and `holidays`).
    """

    unit: str
    first: Operand
    last: Operand
    holidays: str | None = None
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class Moved:
    """A day, some days, full-months, full-years or business-days later (or earlier, where the length is negative)."""

    day: Operand
    unit: str
    length: Operand
    holidays: str | None = None
    type: Type = Type.DAY


@dataclass(frozen=True, slots=True)
class SharedTime:
    """How much two spans have in common, in `unit`: days (with the first and the last of each) or minutes."""

    unit: str
    span: tuple[Operand, Operand]
    other: tuple[Operand, Operand]
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class RunStart:
    """The first day of the unbroken run of items that reaches a day: each at most `apart` days after the one before."""

    group: Group
    day: Operand
    apart: Operand
    type: Type = Type.DAY


@dataclass(frozen=True, slots=True)
class DayPart:
    """What a day has: year, month, weekday (1 = Monday); of a time its day or clock-time."""

    word: str
    day: Operand
    type: Type = Type.NUMBER


Operand = (
    Own | Outer | OfClaim | OfDocument | OfPrice | OfLimit | Constant | Column | SumOf | CountOf | ExtremeOf | HowMany
    | Arithmetic | TimeBetween | Moved | DayPart | SharedTime | RunStart
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Related:
    """Whether some, no or every item of a group is there. Of `every`, `when` is what each of them must fulfil."""

    quantifier: str
    group: Group
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values held against each other: is, is-not, over, at-least, under, at-most, multiple, no-multiple."""

    left: Operand
    op: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Shared:
    """Codes held against other codes: any, all or none of the left ones are among the right ones."""

    left: Operand
    op: str
    right: Operand


@dataclass(frozen=True, slots=True)
class ValueTested:
    """A value held against what a rule states, as if it were a field of the name that the test reads."""

    operand: Operand
    test: Compare | Has | InList


@dataclass(frozen=True, slots=True)
class Shaped:
    """Whether a text, or each or any code, begins with one of some texts, or looks like one of some patterns.

    `op`: begins-with, begins-with-none-of, like, unlike. In a pattern # is a digit, @ a letter, * either.
    """

    operand: Operand
    op: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowFound:
    """Whether a look-up finds a row, or none. `levels`: of an enclosing fact or item, so much further out."""

    look_up: LookUp
    found: bool
    levels: int = 0


Question = Related | Compared | Shared | ValueTested | Shaped | RowFound


def question_key(question: Question) -> str:
    """The name of the field of a fact that holds the answer to a question; equal questions have one name."""
    return "=" + hashlib.sha256(repr(question).encode()).hexdigest()[:16]


def walk(part: object) -> Iterator[object]:
    """Every part of a question or operand, the outermost first."""
    yield part
    if is_dataclass(part) and not isinstance(part, type):
        for each in fields(part):
            yield from walk(getattr(part, each.name))
    elif isinstance(part, tuple):
        for item in part:
            yield from walk(item)


def number_of_parts(part: object, known: dict[int, int] | None = None) -> int:
    """How many parts a question or operand has, each as often as it is named. `known`: those counted before, by id."""
    counted = {} if known is None else known
    if id(part) in counted:
        return counted[id(part)]
    found = 0
    if is_dataclass(part) and not isinstance(part, type):
        found = 1 + sum(number_of_parts(getattr(part, each.name), counted) for each in fields(part))
    elif isinstance(part, tuple):
        found = sum(number_of_parts(item, counted) for item in part)
    counted[id(part)] = found
    return found


def tables_asked(question: object) -> Iterator[str]:
    """The tables whose rows a question asks for."""
    for part in walk(question):
        if isinstance(part, LookUp) or (isinstance(part, Group) and part.table):
            yield part.table or ""
        elif isinstance(part, TimeBetween | Moved) and part.holidays:
            yield part.holidays


def lists_asked(question: object) -> Iterator[str]:
    """The lists of codes that a question asks."""
    for part in walk(question):
        if isinstance(part, HowMany) and part.list:
            yield part.list
        elif isinstance(part, Group):
            yield from part.same_modifiers
