"""Evaluates conditions, questions and groups of items on a fact of a claim, in three values: yes, no and unknown.

What nobody knows never makes anything true: a line that cannot be read, history that was not supplied or is not
complete, an empty column of a table. What is there counts, whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from scrubber.relations.days import MOST_DAYS, in_window, period, window_start
from scrubber.relations.operands import Members, OperandEvaluator, outward, type_of
from scrubber.relations.surroundings import PROCEDURE, CodeTest, Subject, Surroundings
from scrubber.relations.values import NoValue, SomeCodes, Value, both, compare, either, value_of, without_value
from scrubber.rulebook.field import Type, state_key
from scrubber.rulebook.line_items import LINE_ITEMS
from scrubber.rulebook.relations import (
    HISTORY,
    ROW,
    Compared,
    Constant,
    Group,
    LookUp,
    OfClaim,
    Operand,
    Outer,
    Own,
    Question,
    Related,
    RowFound,
    Shaped,
    Shared,
    ValueTested,
    Window,
)
from scrubber.rulebook.rule import NO, NOT_KNOWN, YES, AllOf, AnyOf, Asks, Compare, Condition, Has, InList
from scrubber.rulebook.same import SAME, Sameness
from scrubber.rulebook.typed_table import TableRow

MOST_STEPS = 500_000  # of one claim: a thousand lines against a thousand are refused before


class TooManySteps(Exception):
    """The questions of the rules about one claim take longer than they may."""


DAY, BOTH_SIDES, ZERO = "day", "both", Decimal(0)
_AT_LEAST, _AT_MOST = {"from": "at-least", "after": "over"}, {"up-to": "at-most", "before": "under"}
OF_THE_GROUP = frozenset(("group", "billing-provider", "group-and-specialty"))


class Evaluator(OperandEvaluator):
    """Evaluates on one claim. `seen` collects the items that counted, until it is taken.

    `compared` has the values that the last comparison held against each other, with their operands.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.seen: dict[int, Subject] = {}
        self.compared: tuple[tuple[Value, Operand], ...] = ()
        self._steps = 0

    def reset(self) -> None:
        """Forgets what the last question has left."""
        self.missing, self.seen, self.compared = {}, {}, ()

    # Conditions

    def holds(self, condition: Condition, subject: Subject) -> str:
        """Whether a condition holds for a subject: yes, no or unknown."""
        if isinstance(condition, AllOf):
            return self._every(condition.parts, subject)
        if isinstance(condition, AnyOf):
            return self._some(condition.parts, subject)
        if isinstance(condition, Asks):
            return self.answer(condition.question, subject)
        name = condition.fact
        if isinstance(condition, Compare) and name.endswith("?"):
            return YES if self.state(Own(name[:-1], Type.TEXT), subject) == condition.value else NO
        raw = self._raw_value(name, subject)
        if raw is None and name == DAY and _has_no_day(subject):
            raw = subject.day  # of what has no day of its own, the day of what it belongs to
        if raw is None:
            return self._without_value(condition, subject)
        return self._test(condition, raw, subject.day)

    def _every(self, parts: tuple[Condition, ...], subject: Subject) -> str:
        found = YES
        for part in parts:
            answer = self.holds(part, subject)
            if answer == NO:
                return NO
            if answer == NOT_KNOWN:
                found = NOT_KNOWN
        return found

    def _some(self, parts: tuple[Condition, ...], subject: Subject) -> str:
        found = NO
        for part in parts:
            answer = self.holds(part, subject)
            if answer == YES:
                return YES
            if answer == NOT_KNOWN:
                found = NOT_KNOWN
        return found

    def _without_value(self, condition: Compare | Has | InList, subject: Subject) -> str:
        state = self._own(condition.fact, Type.TEXT, subject)
        return NOT_KNOWN if state is NoValue.UNKNOWN else NO

    def _test(self, test: Compare | Has | InList, raw: Any, day: int | None) -> str:
        if isinstance(test, Compare):
            if type(raw) is int and type(test.value) is int:
                return compare(raw, test.op, test.value)
            return compare(value_of(raw, Type.NUMBER), test.op, value_of(test.value, Type.NUMBER))
        if isinstance(test, InList):
            if day is None:
                return NOT_KNOWN
            name, on = test.list, day
            if type(raw) is str:
                return YES if self._lists.contains(name, raw, on) is (test.op != "none") else NO
            return _quantified(test.op, _answers(raw, lambda code: self._lists.contains(name, code, on)))
        if type(raw) is str:
            return YES if (raw in test.values) is (test.op != "none") else NO
        return _quantified(test.op, _answers(raw, test.values.__contains__))

    # Questions

    def answer(self, question: Question, subject: Subject) -> str:
        """The answer to a question about a subject: yes, no or unknown."""
        match question:
            case Related():
                return self._related(question, subject)
            case Compared(left, op, right):
                one, two = self.value(left, subject), self.value(right, subject)
                self.compared = ((one, left), (two, right))
                return compare(one, op, two)
            case RowFound(look_up, found, levels):
                rows = self._rows(look_up, outward(subject, levels))
                if rows is None:
                    self.missing[look_up.table] = None
                    return NOT_KNOWN
                return YES if bool(rows) == found else NO
            case ValueTested(operand, test):
                return self._tested(operand, test, subject)
            case Shared(left, op, right):
                return _shared(self.value(left, subject), op, self.value(right, subject))
            case Shaped(operand, op, values):
                return _shaped(self.value(operand, subject), op, values)

    def _tested(self, operand: Operand, test: Compare | Has | InList, subject: Subject) -> str:
        value = self.value(operand, subject)
        self.compared = ((value, operand),)
        if isinstance(test, Compare) and test.fact.endswith("?"):
            return YES if self.state(operand, subject) == test.value else NO
        if isinstance(value, NoValue):
            return NOT_KNOWN if value is NoValue.UNKNOWN else NO
        if isinstance(test, Compare):
            return compare(value, test.op, value_of(test.value, type_of(operand)))
        owner = outward(subject, operand.levels) if isinstance(operand, Outer) else subject
        return self._test(test, value, owner.day)

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

    def competing(self, look_up: LookUp, subject: Subject) -> tuple[tuple[TableRow, ...], int | None, tuple[str, ...]]:
        """For explanations: the rows of a pack's table that fit on any day, the most specific first; the day on which
        they are looked up; and the keys whose value nobody knows.
        """
        day = subject.day if look_up.on is None else self.value(look_up.on, subject)
        keys, unknown = self._keys(look_up.keys, subject)
        known = {name: value for name, value in keys.items() if name not in unknown}
        return self._around.fitting(look_up.table, known), day if type(day) is int else None, tuple(sorted(unknown))

    def answers_of_items(self, group: Group, subject: Subject) -> Iterator[tuple[str, ...]]:
        """For each item of the kinds of a group, what each part of the group comes to: same, within, conditions."""
        for kind in group.items:
            if kind == HISTORY or kind in LINE_ITEMS:  # also those of other codes, which questions leave out
                found = self._around.items(kind, None if kind == HISTORY else subject.root.number)
            else:
                found = self._items(group, kind, subject)
            for each in found or ():
                item = each.within(subject)
                answers = (self._alike(group, item), self._in_windows(group, item), self._fulfilled(group, item))
                yield tuple([answer for part in answers for answer in part])

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
            if group.is_whole:
                self._count_steps(len(found or ()))
                certain += [item.within(subject) for item in found or ()]
                continue
            for item in found or ():
                seat = item.within(subject)
                answer = self._belongs(group, seat)
                if answer == YES:
                    certain.append(seat)
                elif answer == NOT_KNOWN:
                    possible.append(seat)
        return Members(certain, possible, complete)

    def _items(self, group: Group, kind: str, subject: Subject) -> list[Subject] | None:
        if kind == HISTORY:
            return self._around.history(self._of_codes(group, subject) or self._of_code_list(group))
        if kind in LINE_ITEMS:
            return self._around.lines_of_code(self._of_codes(group, subject), kind, subject.root.number)
        if kind != ROW:
            return self._around.items(kind, subject.nearest_line)
        rows = self._around.rows(group.table or "", *self._keys(group.keys, subject), subject.day)
        if rows is None:
            return None
        # An empty cell is not known.
        return [Subject(ROW, row, unreadable=frozenset([name for name in row if row[name] is None])) for row in rows]

    def _of_codes(self, group: Group, subject: Subject) -> CodeTest | None:
        """A test that the procedure code of each item of a group passes, with a key for it; None: it may be any.

        A rule is about a few of the lines, and of the thousands of services of a history: others are not looked at.
        """
        if "procedure" in group.same:
            code = subject.root.values.get(PROCEDURE)
            if type(code) is str:
                return ("is", code), frozenset((code,)).__contains__
        for part in group.where:
            if isinstance(part, Has) and part.fact == PROCEDURE and part.op in ("any", "all"):
                return ("any", *part.values), frozenset(part.values).__contains__
            if isinstance(part, Compare) and part.fact == PROCEDURE and part.op == "is":
                return ("is", str(part.value)), frozenset((str(part.value),)).__contains__
        return None

    def _of_code_list(self, group: Group) -> CodeTest | None:
        """The same for a group of the codes of a list, of which earlier services alone are picked: they have a day."""
        for part in group.where:
            if isinstance(part, InList) and part.fact == PROCEDURE and part.op in ("any", "all"):
                return ("in", part.list), partial(self._lists.may_contain, part.list)
        return None

    def _count_steps(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise TooManySteps

    def _belongs(self, group: Group, item: Subject) -> str:
        self._count_steps(1)
        answer = YES
        if group.same or group.same_modifiers:
            answer = _until_no(self._alike(group, item))
        if answer != NO and group.within:
            answer = both(answer, _until_no(self._in_windows(group, item)))
        if answer != NO and group.where:
            answer = both(answer, self._every(group.where, item))
        return answer

    def _alike(self, group: Group, item: Subject) -> Iterable[str]:
        root = item.root
        # No generator expressions: compiled, they are worked out to the end, and note as missing what decides nothing.
        for name in group.same:
            yield self._same(SAME[name], item, root)
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
        if isinstance(one, NoValue) or isinstance(two, NoValue):
            if one is NoValue.ABSENT and two is NoValue.ABSENT and sameness.absent_alike:
                return YES
            if NoValue.UNKNOWN in (one, two) or not sameness.absent_alike:
                self.missing[names[-1]] = None
                return NOT_KNOWN
            return NO
        if sameness.first and isinstance(one, tuple) and isinstance(two, tuple):
            one, two = tuple([code[: sameness.first] for code in one]), tuple([code[: sameness.first] for code in two])
        if isinstance(one, tuple) and isinstance(two, tuple):
            alike = not set(one).isdisjoint(two) if sameness.share else sorted(one) == sorted(two)
            return YES if alike else NO
        return YES if one == two or (sameness.share and BOTH_SIDES in (one, two)) else NO

    def _first(self, names: tuple[str, ...], subject: Subject) -> Value:
        for name in names:
            raw = self._raw_value(name, subject)
            if raw is not None:
                return value_of(raw, Type.TEXT)
        return self._own(names[-1], Type.TEXT, subject)

    def _in_windows(self, group: Group, item: Subject) -> Iterable[str]:
        for window in group.within:
            yield self._in_window(window, item.values.get(DAY), item)

    def _in_window(self, window: Window, day: object, item: Subject) -> str:
        if window.until is not None:
            since = compare(_day_or_unknown(day), _AT_LEAST[window.side], self.value(window.day, item))
            until = compare(_day_or_unknown(day), _AT_MOST[window.until_side], self.value(window.until, item))
            return both(since, until)
        reference = self.value(window.day, item)
        length = ZERO if window.length is None else self.value(window.length, item)
        if NoValue.NO_ROW in (length, reference) or NoValue.ABSENT in (length, reference):
            return NO
        if window.length is None:
            if type(reference) is not int:
                return NOT_KNOWN
            found = period(window.unit, reference, window.begins, window.ends)
            if found is None:
                return NO
            return NOT_KNOWN if type(day) is not int else YES if found[0] <= day <= found[1] else NO
        if (
            type(day) is not int
            or type(reference) is not int
            or not isinstance(length, Decimal)
            or not _is_whole(length)
        ):
            return NOT_KNOWN
        return YES if in_window(day, window.unit, int(length), window.side, reference) else NO

    def _fulfilled(self, group: Group, item: Subject) -> Iterable[str]:
        for part in group.where:
            yield self.holds(part, item)

    def complete_since(self, group: Group) -> int | None:
        """The first day from which every item of a group is known to be there; None: from no day on."""
        if HISTORY not in group.items or not self._covers(group):
            return 0 if HISTORY not in group.items and set(group.items) <= LINE_ITEMS.keys() else None
        return self._around.covered_since()

    def _covers(self, group: Group) -> bool:
        return self._around.covers(group_alone=not OF_THE_GROUP.isdisjoint(group.same))

    def _is_complete(self, group: Group, subject: Subject) -> bool:
        """Whether the history has every service of the group's windows."""
        since = self._around.covered_since()
        if since is None or not self._covers(group):
            return False
        if since == 0:
            return True
        starts = [self._start(window, subject) for window in group.within]
        if "day" in group.same and subject.root.day is not None:
            starts.append(subject.root.day)
        return any(start is not None and start >= since for start in starts)

    def _start(self, window: Window, subject: Subject) -> int | None:
        """The first day of a window whose length does not depend on the item; None: not known."""
        if _reads_item(window.day) or (window.length is not None and _reads_item(window.length)):
            return None
        seat = Subject(HISTORY, {}, None, subject)
        day = self.value(window.day, seat)
        if type(day) is not int:
            return None
        if window.until is not None:
            return day + 1 if window.side == "after" else day
        if window.length is None:
            found = period(window.unit, day, window.begins, window.ends)
            return MOST_DAYS if found is None else found[0]
        length = self.value(window.length, seat)
        if not isinstance(length, Decimal) or not _is_whole(length):
            return None
        return window_start(window.unit, int(length), window.side, day)


def _reads_item(operand: Operand) -> bool:
    """Whether an operand of a window is of the item itself, and not of what encloses it."""
    return not isinstance(operand, Outer | Constant | OfClaim)


def _until_no(answers: Iterable[str]) -> str:
    """Whether all of them are yes, without asking further once one is no."""
    found = YES
    for answer in answers:
        if answer == NO:
            return NO
        if answer == NOT_KNOWN:
            found = NOT_KNOWN
    return found


def _has_no_day(subject: Subject) -> bool:
    """Whether there is no day of its own, so that its day is that of what it belongs to."""
    return DAY not in subject.unreadable and state_key(DAY) not in subject.values


def _day_or_unknown(day: object) -> Value:
    return day if type(day) is int else NoValue.UNKNOWN


def _is_whole(value: Value) -> bool:
    return isinstance(value, Decimal) and value == value.to_integral_value()


def _answers(value: Any, test: Callable[[str], bool]) -> list[str]:
    """The answer of a test for each of some codes; unknown for those that nobody knows."""
    codes = value.codes if isinstance(value, SomeCodes) else value if isinstance(value, tuple) else (value,)
    answers = [YES if test(str(code)) else NO for code in codes]
    return [*answers, NOT_KNOWN] if isinstance(value, SomeCodes) else answers


def _quantified(op: str, among: list[str]) -> str:
    if op == "all":
        return both(*among) if among else NO
    found = either(*among)
    return found if op == "any" else {YES: NO, NO: YES}.get(found, NOT_KNOWN)


def _shared(left: Value, op: str, right: Value) -> str:
    if isinstance(left, NoValue) or isinstance(right, NoValue):
        return without_value(left, right)
    codes = right.codes if isinstance(right, SomeCodes) else right
    others = codes if isinstance(codes, tuple) else (codes,)
    among = _answers(left, others.__contains__)
    if isinstance(right, SomeCodes):
        among = [answer if answer == YES else NOT_KNOWN for answer in among]
    return _quantified(op, among)


def _shaped(value: Value, op: str, patterns: tuple[str, ...]) -> str:
    if isinstance(value, NoValue):
        return NOT_KNOWN if value is NoValue.UNKNOWN else NO
    if op.startswith("begins"):
        answers = _answers(value, lambda text: text.startswith(patterns))
    else:
        answers = _answers(value, lambda text: any(_is_like(text, pattern) for pattern in patterns))
    return _quantified("any" if op in ("begins-with", "like") else "none", answers)


def _is_like(text: str, pattern: str) -> bool:
    return len(text) == len(pattern) and all(map(_character_is_like, text, pattern))


def _character_is_like(character: str, wanted: str) -> bool:
    digit, letter = "0" <= character <= "9", "A" <= character <= "Z"
    if wanted in "#@*":
        return (digit and wanted != "@") or (letter and wanted != "#")
    return character == wanted
