"""Evaluates a rule as its YAML says it on a claim, by brute force: what the product's answers are held against.

Nothing of it is shared with `scrubber.relations`: it reads the raw mapping of a rule file, the values of facts and
items, and the rows of tables as their CSV files have them. Numbers are fractions, days are dates, and an answer is
True, False or None: not known.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from scrubber.facts.fact import Fact
from scrubber.facts.items import items
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.item_kinds import ITEM_KINDS
from scrubber.rulebook.vocabulary import KINDS

Raw = Mapping[str, Any]


class No(Enum):
    """Why there is no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    ROW = "no row"


@dataclass(frozen=True)
class Range:
    """A number, or a day, that lies between two; None: without end."""

    low: Any
    high: Any


@dataclass(frozen=True)
class SomeCodes:
    """These codes, and others that nobody knows."""

    codes: tuple[str, ...]


@dataclass
class Table:
    """A table as its file has it. `rows` are typed by column; None: blank. `keys`: exact, or a band `(from, to)`."""

    name: str
    keys: Mapping[str, tuple[str, str] | None]
    every: bool
    rows: Sequence[Raw]
    whole: frozenset[str] = frozenset()  # columns of whole numbers, as such typed


@dataclass
class Thing:
    """A fact or an item, and what stands around it."""

    kind: str
    values: Mapping[str, Any]
    number: int | None
    states: Mapping[str, str]
    outer: Thing | None = None
    look_ups: Mapping[str, Raw] = field(default_factory=dict)
    amounts: Mapping[str, Any] = field(default_factory=dict)

    def chain(self) -> list[Thing]:
        """This, and what is around it."""
        return [self] if self.outer is None else [self, *self.outer.chain()]

    @property
    def day(self) -> date | None:
        """The date of service that tables and lists are asked for."""
        if self.outer is None or self.kind == "history" or self.kind in LINES:
            day = self.values.get("day", No.ABSENT)
            return day if isinstance(day, date) else None
        return self.outer.day


class Members(NamedTuple):
    """The items of a group."""

    certain: list[Thing]
    possible: list[Thing]
    complete: bool


LINES = ("line", "other-line", "earlier-line", "later-line", "line-up-to-this")
PLURALS = {"lines": "line", "other-lines": "other-line", "earlier-lines": "earlier-line", "later-lines": "later-line",
           "lines-up-to-this": "line-up-to-this", "rows": "row",
           **{kind.plural: kind.name for kind in ITEM_KINDS.values()}}  # fmt: skip
SAME_FIELDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "day": (("day",),), "procedure": (("procedure",),), "modifiers": (("modifiers",),), "units": (("units",),),
    "charge": (("charge",),), "place": (("place",),),
    "rendering-provider": (("renderingProvider", "rendering-provider"),),
    "billing-provider": (("billingProvider", "billing-provider"),),
    "group": (("billingProvider", "billing-provider"),),
    "specialty": (("specialty",),),
    "group-and-specialty": (("billingProvider", "billing-provider"), ("specialty",)),
    "shared-side": (("side",),), "diagnosis-category": (("diagnoses",),),
    "side": (("side",),), "site": (("site",),), "component": (("component",),),
    "diagnosis": (("diagnoses",),), "first-diagnosis": (("firstDiagnosis",),), "payer": (("payer",),),
}  # fmt: skip
WITHOUT_IS_ALIKE = ("modifiers", "side", "site", "shared-side")
OF_THE_GROUP = ("group", "billing-provider", "group-and-specialty")
NEVER_NEGATIVE = ("units", "charge", "allowed", "position", "pointer", "decisions")
PARTS = ("26", "TC")
PERIODS = ("calendar-year", "calendar-quarter", "calendar-month", "week", "season")
GROUP_KEYS = ("same", "within", "in", "for", "look-up", "amounts", "which", "of")
AMOUNTS_OF_ITEMS = ("sum", "count", "count-days", "count-different", "smallest", "largest")


def both(answers: Iterable[bool | None]) -> bool | None:
    found: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        found = found and answer
    return found


def either(answers: Iterable[bool | None]) -> bool | None:
    found: bool | None = False
    for answer in answers:
        if answer:
            return True
        found = None if answer is None else found
    return found


def other(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


class Naive:
    """One claim with the facts and tables around it. `facts` are those that the product made, before any question."""

    def __init__(
        self,
        claim: Any,
        facts: Sequence[Fact],
        tables: Mapping[str, Table],
        lists: Mapping[str, frozenset[str]],
        prices: Callable[[], Mapping[int, tuple[Any, Any]]],
    ) -> None:
        self.claim, self.tables, self.lists, self.price_lines = claim, tables, lists, prices
        self.lines = [_of_fact(fact, claim) for fact in facts if fact.kind == "line"]
        self.claim_thing = next(_of_fact(fact, claim) for fact in facts if fact.kind == "claim")
        self.prices: Mapping[int, tuple[Any, Any]] = {}
        self.kept: dict[tuple[str, int | None], list[Thing] | None] = {}

    def outcome(self, rule: Raw, number: int | None) -> str:
        """`fires`, `not checked` or `silent`, of a rule on a line, or on the claim as a whole."""
        plain = self.claim_thing if number is None else self.lines[number - 1]
        fact = Thing(plain.kind, plain.values, number, plain.states, None,
                     rule.get("look-up") or {}, rule.get("amounts") or {})  # fmt: skip
        if not isinstance(plain.values["day"], date):
            return "silent"  # rules are in force on days: what the line lacks is listed by itself
        answer = both((self.mapping(rule.get("applies") or {}, fact), self.when(rule["when"], fact)))
        return {True: "fires", False: "silent", None: "not checked"}[answer]

    # Conditions

    def when(self, raw: Raw, thing: Thing) -> bool | None:
        if "fact" in raw:
            name = raw["fact"]
            return both(self.test(name, op, value, thing) for op, value in raw.items() if op != "fact")
        [(word, parts)] = raw.items()
        if word == "all":
            return both(self.when(part, thing) for part in parts)
        if word == "any":
            return either(self.when(part, thing) for part in parts)
        return self.relation(word, parts, thing)

    def mapping(self, raw: Raw, thing: Thing, left_out: Sequence[str] = ()) -> bool | None:
        return both(self.entry(name, wanted, thing) for name, wanted in raw.items() if name not in left_out)

    def entry(self, name: str, wanted: Any, thing: Thing) -> bool | None:
        """What stands under one name of a mapping."""
        if name in ("all", "any") and isinstance(wanted, list):
            return self.when({name: wanted}, thing)
        if name.split("-")[0] in ("some", "no", "every") and isinstance(wanted, dict):
            return self.relation(name, wanted, thing)
        tests = wanted if isinstance(wanted, dict) and set(wanted) != {"fact"} else {"is": wanted}
        return both(self.test(name, op, value, thing) for op, value in tests.items())

    def test(self, name: str, op: str, wanted: Any, thing: Thing) -> bool | None:
        look_up = next((each for each in thing.chain() if name in each.look_ups), None)
        if look_up is not None:
            rows = self.rows(look_up.look_ups[name], look_up)
            return None if rows is None else bool(rows) == (wanted == "found")
        value = self.value(name, thing)
        if isinstance(wanted, dict) and set(wanted) == {"fact"}:
            return held_against(value, op, self.value(wanted["fact"], thing))
        if op == "is" and wanted in ("absent", "not-supplied", "unreadable"):
            holder, plain = self.holder(name, thing)
            return bool(holder.states.get(plain) == wanted)
        root = thing.outer is None and name in thing.values
        if root and isinstance(value, No) and op in PLAIN:
            return False  # the engine: a field that is not there fails every test
        if op in ("any-in", "all-in", "none-in"):
            if isinstance(value, No):
                return None if value is No.UNKNOWN else False
            if self.owner(name, thing).day is None:
                return False if root else None
            return among(value, op.removesuffix("-in"), self.lists[wanted])
        return held_against(value, op, typed(wanted, value, op))

    def owner(self, name: str, thing: Thing) -> Thing:
        """The fact or item that a name is of."""
        head, dot, _ = name.partition(".")
        if name in thing.values:
            return thing
        if head == "this":
            return thing.chain()[-1]
        for each in thing.chain():
            if (not dot and name in each.amounts) or (dot and head in each.look_ups):
                return each
        return next((each for each in thing.chain()[1:] if each.kind == head), thing)

    def holder(self, name: str, thing: Thing) -> tuple[Thing, str]:
        if name.startswith("this."):
            return thing.chain()[-1], name.removeprefix("this.")
        return thing, name

    # Names

    def value(self, name: Any, thing: Thing) -> Any:
        text = str(name)
        if _is_number(text):
            return Fraction(text)
        if text in thing.values:
            return thing.values[text]
        head, dot, tail = text.partition(".")
        for each in thing.chain():
            if not dot and text in each.amounts:
                return self.amount(each.amounts[text], each)
            if dot and head in each.look_ups:
                return self.column(each.look_ups[head], tail, each)
        if head == "this":
            return self.value(tail, thing.chain()[-1])
        if head == "claim":
            return self.claim_thing.values[tail]
        if head == "price":
            if thing.number is None:
                return No.UNKNOWN
            self.prices = self.prices or self.price_lines()
            allowed, fee = self.prices[thing.number]
            found = allowed if tail == "allowed" else fee
            return No.UNKNOWN if found is None else Fraction(found)
        enclosing = next(each for each in thing.chain()[1:] if each.kind == head)
        return self.value(tail, enclosing)

    # Tables

    def column(self, look_up: Raw, name: str, thing: Thing) -> Any:
        rows = self.rows(look_up, thing)
        if rows is None:
            return No.UNKNOWN
        if look_up.get("every") == "yes" or self.tables[look_up["in"]].every:
            found = tuple(text for row in rows for text in _texts(row[name]))
            return SomeCodes(found) if any(row[name] is None for row in rows) else found
        if not rows:
            return No.ROW
        return No.UNKNOWN if rows[0][name] is None else rows[0][name]

    def rows(self, look_up: Raw, thing: Thing) -> list[Raw] | None:
        day = thing.day
        if "on" in look_up:
            on = self.value(look_up["on"], thing)
            if not isinstance(on, date):
                return None
            day = on
        return self.fitting(self.tables[look_up["in"]], look_up.get("for"), day, thing)

    def fitting(self, table: Table, keys: Any, day: date | None, thing: Thing) -> list[Raw] | None:
        """The rows that answer; None: what is not known, a key or the day, decides which."""
        if isinstance(keys, str):
            keys = {next(iter(table.keys)): keys}
        asked: dict[str, Any] = {}
        for key, name in (keys or {}).items():
            asked[key] = name["is"] if isinstance(name, dict) else self.value(name, thing)
        choices: list[dict[str, Any]] = [{}]
        for key, value in asked.items():
            values = [value]
            if value is No.UNKNOWN or isinstance(value, Range | SomeCodes):
                values = [*_cells(table, key), OTHER]
            choices = [{**choice, key: each} for choice in choices for each in values]
        answers = [self.answering(table, choice, None) for choice in choices]
        if day is None and any(row["since"] or row["until"] for choice in choices for row in _fit(table, choice, None)):
            return None
        if day is not None:
            answers = [self.answering(table, choice, day) for choice in choices]
        return answers[0] if all(answer == answers[0] for answer in answers) else None

    def answering(self, table: Table, asked: Mapping[str, Any], day: date | None) -> list[Raw]:
        found = sorted(_fit(table, asked, day), key=lambda row: _rank(table, row), reverse=True)
        return found if table.every else found[:1]

    # Relations

    def relation(self, word: str, raw: Raw, thing: Thing) -> bool | None:
        quantifier, _, item = word.partition("-")
        if quantifier == "every":
            conditions = {name: each for name, each in raw.items() if name not in GROUP_KEYS}
            members = self.members((item,), {k: v for k, v in raw.items() if k in GROUP_KEYS}, thing)
            certain = [self.mapping(conditions, each) for each in members.certain]
            possible = [self.mapping(conditions, each) for each in members.possible]
            if False in certain:
                return False
            sure = all(certain + possible) and members.complete
            return True if sure else None
        members = self.members((item,), raw, thing)
        found = True if members.certain else None if members.possible or not members.complete else False
        return found if quantifier == "some" else other(found)

    def members(self, kinds: Sequence[str], raw: Raw, thing: Thing) -> Members:
        certain: list[Thing] = []
        possible: list[Thing] = []
        complete = True
        for kind in kinds:
            found = self.items(kind, raw, thing)
            if found is None or (kind == "history" and not self.covered(raw, thing)):
                complete = False
            for each in found or ():
                # Items of several kinds have the name of the first of them.
                one = Thing(kinds[0], each.values, each.number, each.states, thing,
                            raw.get("look-up") or {}, raw.get("amounts") or {})  # fmt: skip
                answer = self.belongs(raw, one)
                if answer is not False:
                    (certain if answer else possible).append(one)
        return Members(certain, possible, complete)

    def items(self, kind: str, raw: Raw, thing: Thing) -> list[Thing] | None:
        number = thing.chain()[-1].number
        if kind not in LINES:
            number = next((each.number for each in thing.chain() if each.number is not None), None)
        if kind == "row":
            rows = self.fitting(self.tables[raw["in"]], raw.get("for"), thing.day, thing)
            if rows is None:
                return None
            return [Thing("row", {k: No.UNKNOWN if v is None else v for k, v in row.items() if k not in DAYS}, None, {})
                    for row in rows]  # fmt: skip
        if kind in LINES:
            choose: Mapping[str, Callable[[int], bool]] = {
                "line": lambda n: True,
                "other-line": lambda n: n != number,
                "earlier-line": lambda n: number is None or n < number,
                "later-line": lambda n: number is None or n > number,
                "line-up-to-this": lambda n: number is None or n <= number,
            }
            return [each for each in self.lines if each.number is not None and choose[kind](each.number)]
        if (kind, number) not in self.kept:
            line = self.claim.lines[number - 1] if number is not None else None
            found = items(ITEM_KINDS[kind], self.claim, line)
            self.kept[kind, number] = None if found is None else [self.marked(_of_item(each)) for each in found]
        return self.kept[kind, number]

    def marked(self, thing: Thing) -> Thing:
        """An earlier service with what its modifiers say."""
        if thing.kind != "history":
            return thing
        codes, names = thing.values["modifiers"], ("side", "site", "component")
        found: dict[str, Any] = dict.fromkeys(names, No.UNKNOWN)
        if not isinstance(codes, No):
            sites, parts = [each for each in codes if each in ("RT", "LT")], [each for each in codes if each in PARTS]
            sides = {"RT": "right", "LT": "left"}
            side = "both" if len(set(sites)) == 2 else sides[sites[0]] if sites else No.ABSENT
            found = {
                "side": side,
                "site": sites[0] if sites else No.ABSENT,
                "component": parts[0] if parts else "whole",
            }
        states = {name: "absent" for name, value in found.items() if value is No.ABSENT}
        if isinstance(codes, No):
            states = dict.fromkeys(names, "unreadable")
        return Thing(thing.kind, {**thing.values, **found}, thing.number, {**thing.states, **states})

    def belongs(self, raw: Raw, one: Thing) -> bool | None:
        return both(self.reasons(raw, one))

    def reasons(self, raw: Raw, one: Thing) -> Iterator[bool | None]:
        yield from (self.same(each, one) for each in raw.get("same", ()))
        windows = raw.get("within", [])
        yield from (self.window(each, one) for each in (windows if isinstance(windows, list) else [windows]))
        yield self.mapping(raw.get("which") or {}, one)
        yield self.mapping(raw, one, (*GROUP_KEYS, *AMOUNTS_OF_ITEMS))

    def same(self, what: Any, one: Thing) -> bool | None:
        root = one.chain()[-1]
        if isinstance(what, dict):
            codes = [each.values["modifiers"] for each in (one, root)]
            if any(isinstance(each, No) for each in codes):
                return None
            chosen = self.lists[what["modifiers-of"]]
            mine, its = ({code for code in each if code in chosen and root.day} for each in codes)
            return mine == its
        return both([_same_field(names, what, one, root) for names in SAME_FIELDS[what]])

    def window(self, raw: Raw, one: Thing) -> bool | None:
        day = one.values["day"]
        day = day if isinstance(day, date) else No.UNKNOWN
        if not {"up-to", "before"}.isdisjoint(raw) and not {"from", "after"}.isdisjoint(raw):
            ops = {"from": "on-or-after", "after": "after", "up-to": "on-or-before", "before": "before"}
            return both(held_against(day, ops[side], self.value(name, one)) for side, name in raw.items())
        word = next((each for each in raw if each in PERIODS), None)
        if word is not None:
            around = self.value(raw[word], one)
            if around in (No.ROW, No.ABSENT):
                return False
            if not isinstance(around, date):
                return None
            days = period(word, around, raw)
            if not days:
                return False
            return days[0] <= day <= days[-1] if isinstance(day, date) else None
        [(unit, length), (side, name)] = raw.items()
        around, count = self.value(name, one), self.value(length, one)
        if any(each in (No.ROW, No.ABSENT) for each in (around, count)):
            return False
        if not isinstance(day, date) or not isinstance(around, date) or not isinstance(count, Fraction):
            return None
        if count.denominator != 1:
            return None
        return in_window(day, unit, int(count), side, around)

    def covered(self, raw: Raw, thing: Thing) -> bool:
        """Whether the history that was supplied has every service that a relation speaks of."""
        context, root = self.claim.context, thing.chain()[-1]
        if context.history is None:
            return False
        same = [each for each in raw.get("same", ()) if isinstance(each, str)]
        if context.history_scope == "group" and not any(each in OF_THE_GROUP for each in same):
            return False
        if context.history_complete is None and not context.history:
            return True
        if not context.history_complete:
            return False
        born = self.claim.patient.birth_date
        since = context.history_from
        if since is None or (born is not None and since <= born):
            return True
        if "day" in same and root.day is not None and root.day >= since:
            return True
        windows = raw.get("within", [])
        nothing = dict.fromkeys(self.names_of("history", raw), No.UNKNOWN)
        empty = Thing("history", nothing, None, {}, thing, raw.get("look-up") or {}, raw.get("amounts") or {})
        starts = [self.start(each, empty) for each in (windows if isinstance(windows, list) else [windows])]
        return any(start is not None and start >= since for start in starts)

    def start(self, raw: Raw, seat: Thing) -> date | None:
        word = next((each for each in raw if each in PERIODS), None)
        opens = next((each for each in ("from", "after") if each in raw), None)
        if word is None and opens is not None and not {"up-to", "before"}.isdisjoint(raw):
            around = self.value(raw[opens], seat) if self.is_around(raw[opens], seat) else None
            return around + timedelta(opens == "after") if isinstance(around, date) else None
        if word is not None:
            around = self.value(raw[word], seat) if self.is_around(raw[word], seat) else None
            return next(iter(period(word, around, raw)), date.max) if isinstance(around, date) else None
        [(unit, length), (side, name)] = raw.items()
        if not self.is_around(name, seat) or not (_is_number(length) or self.is_around(length, seat)):
            return None
        around, count = self.value(name, seat), self.value(length, seat)
        if not isinstance(around, date) or not isinstance(count, Fraction) or count.denominator != 1:
            return None
        if side in ("after", "from"):
            return around
        first = later(around, unit, -int(count))
        return first + timedelta(1) if side == "up-to" else first

    def is_around(self, name: str, seat: Thing) -> bool:
        """Whether a name is of what is around the item, so that it is the same for every item."""
        return name.startswith("claim.") or self.owner(name, seat) is not seat

    # Amounts

    def amount(self, raw: Any, thing: Thing) -> Any:
        if not isinstance(raw, dict):
            return self.value(raw, thing)
        word = next(each for each in raw if each in AMOUNT_WORDS)
        if word in AMOUNTS_OF_ITEMS:
            return self.of_items(word, raw, thing)
        if word in ("run-start", "how-many", "day"):
            special = {"run-start": self.run_start, "how-many": self.how_many, "day": self.moved}
            return special[word](raw, thing)
        if word in OF_DAYS:
            return self.of_days(word, raw, thing)
        return calculated(
            word, [self.value(each, thing) for each in raw[word]], raw.get("rounded"), self.places(raw, thing)
        )

    def of_days(self, word: str, raw: Raw, thing: Thing) -> Any:
        """A number that is made of days."""
        names = (
            [*raw[word], *raw["and"]]
            if word == "days-shared-by"
            else [raw[word], *([raw["to"]] if "to" in raw else [])]
        )
        days = [self.value(each, thing) for each in names]
        if No.ROW in days:
            return No.ROW
        if not all(isinstance(each, date) for each in days):
            return No.UNKNOWN
        if word == "days-shared-by":
            return Fraction(len(_days(days[0], days[1]) & _days(days[2], days[3])))
        if "to" in raw:
            return Fraction(span(word, days[0], days[1], self.holidays(raw)))
        day = days[0]
        return Fraction({"year-of": day.year, "month-of": day.month, "weekday-of": day.isoweekday()}[word])

    def run_start(self, raw: Raw, thing: Thing) -> Any:
        plural = raw["run-start"]
        kinds = [PLURALS[each] for each in (plural if isinstance(plural, list) else [plural])]
        day, apart = self.value(raw["to"], thing), self.value(raw.get("apart", "1"), thing)
        if No.ROW in (day, apart):
            return No.ROW
        if not isinstance(day, date) or not isinstance(apart, Fraction) or apart.denominator != 1:
            return No.UNKNOWN
        rest = {key: each for key, each in raw.items() if key not in ("run-start", "to", "apart")}
        members = self.members(kinds, rest, thing)
        starts = []
        for them in (members.certain, [*members.certain, *members.possible]):
            days, start = {each.values["day"] for each in them}, day
            while earlier := [each for each in days if isinstance(each, date)
                              and each < start and (start - each).days <= apart]:  # fmt: skip
                start = min(earlier)
            starts.append(start)
        complete = members.complete
        if not complete:
            far = {**rest, "within": {"from": "the-first", "up-to": "the-last"}}
            seat = Thing(thing.kind, {**thing.values, "the-first": starts[1] - timedelta(int(apart)),
                                      "the-last": day}, thing.number, thing.states, thing.outer)  # fmt: skip
            complete = apart >= 0 and self.covered(far, seat)
        unclear = any(not isinstance(each.values["day"], date) for each in (*members.certain, *members.possible))
        return exact(None if unclear or not complete else starts[1], starts[0])

    def places(self, raw: Raw, thing: Thing) -> int:
        """Cents where dollars are divided by a number. The generator says which they are."""
        return 2 if raw.get("rounded") and self.is_money(raw["divided-by"][0], thing) and not self.is_money(
            raw["divided-by"][1], thing) else 0  # fmt: skip

    def is_money(self, name: Any, thing: Thing) -> bool:
        """Whether a name stands for dollars."""
        text = str(name)
        if _is_number(text):
            return False
        head, dot, tail = text.partition(".")
        if text in thing.values:
            return text in MONEY
        for each in thing.chain():
            if not dot and text in each.amounts:
                return self.is_amount_of_money(each.amounts[text], each)
            if dot and head in each.look_ups:
                return tail in MONEY
        if head == "this":
            return self.is_money(tail, thing.chain()[-1])
        if head in ("claim", "price"):
            return head == "price" or tail in MONEY
        return self.is_money(tail, next(each for each in thing.chain()[1:] if each.kind == head))

    def is_amount_of_money(self, raw: Any, thing: Thing) -> bool:
        if not isinstance(raw, dict):
            return self.is_money(raw, thing)
        word = next(each for each in raw if each in AMOUNT_WORDS)
        if word in ("sum", "smallest", "largest"):
            item = PLURALS[raw["of"][0] if isinstance(raw["of"], list) else raw["of"]]
            names = raw.get("amounts") or {}
            inner = Thing(item, dict.fromkeys(self.names_of(item, raw), No.UNKNOWN), None, {}, thing,
                          raw.get("look-up") or {}, names)  # fmt: skip
            return self.is_money(raw[word], inner)
        if word == "divided-by":
            one, two = (self.is_money(each, thing) for each in raw[word])
            return one and not two
        if word in ("plus", "minus", "times", "smallest-of", "largest-of"):
            return any(self.is_money(each, thing) for each in raw[word])
        return False

    def names_of(self, item: str, raw: Raw) -> Iterable[str]:
        if item == "row":
            return self.tables[raw["in"]].rows[0]
        return _fields("line" if item in LINES else item)

    def of_items(self, word: str, raw: Raw, thing: Thing) -> Any:
        plural = raw[word] if word in ("count", "count-days") else raw["of"]
        kinds = [PLURALS[each] for each in (plural if isinstance(plural, list) else [plural])]
        members = self.members(kinds, {key: each for key, each in raw.items() if key != word}, thing)
        certain, possible = members.certain, members.possible
        if word == "count":
            return exact(Fraction(len(certain)),
                         Fraction(len(certain) + len(possible)) if members.complete else None)  # fmt: skip
        name = "day" if word == "count-days" else raw[word]
        ours, perhaps = ([self.value(name, each) for each in them] for them in (certain, possible))
        if word in ("count-days", "count-different"):
            low = {each for each in ours if is_known(each)}
            most = low.union(each for each in perhaps if is_known(each))
            unknown = sum(1 for each in (*ours, *perhaps) if not is_known(each))
            return exact(Fraction(len(low)), Fraction(len(most) + unknown) if members.complete else None)
        if word == "sum":
            negative = not self.never_negative(name, raw, kinds, thing)
            return self.total([bounds(each) for each in ours], [bounds(each) for each in perhaps], members, negative)
        return extreme(word, [bounds(each) for each in ours], [bounds(each) for each in perhaps], members.complete)

    def total(self, ours: list[Range], perhaps: list[Range], members: Members, negative: bool) -> Any:
        least = None if negative else Fraction(0)
        lows = [least if each.low is None else each.low for each in ours]
        lows += [least if each.low is None else min(each.low, Fraction(0)) for each in perhaps]
        highs = [each.high for each in ours]
        highs += [None if each.high is None else max(each.high, Fraction(0)) for each in perhaps]
        if not members.complete:
            lows.append(least)
            highs.append(None)
        return exact(_added(lows), _added(highs))

    def never_negative(self, name: Any, raw: Raw, kinds: Sequence[str], thing: Thing) -> bool:
        """Whether an amount of the items cannot be negative, whoever they are."""
        inner = Thing(kinds[0], dict.fromkeys(self.names_of(kinds[0], raw), No.UNKNOWN), None, {}, thing,
                      raw.get("look-up") or {}, raw.get("amounts") or {})  # fmt: skip
        return self._never_negative(name, inner, raw.get("in"))

    def _never_negative(self, name: Any, thing: Thing, table: str | None = None) -> bool:
        text = str(name)
        if _is_number(text):
            return not text.startswith("-")
        if text in thing.values:
            return self._positive(table, text) if table else text in NEVER_NEGATIVE
        head, dot, tail = text.partition(".")
        for each in thing.chain():
            if not dot and text in each.amounts:
                return self._amount_never_negative(each.amounts[text], each, table if each is thing else None)
            if dot and head in each.look_ups:
                return self._positive(each.look_ups[head]["in"], tail)
        return head == "price" or (head != "claim" and tail in NEVER_NEGATIVE)

    def _amount_never_negative(self, raw: Any, thing: Thing, table: str | None) -> bool:
        if not isinstance(raw, dict):
            return self._never_negative(raw, thing, table)
        word = next(each for each in raw if each in AMOUNT_WORDS)
        if word in ("count", "count-days", "count-different", "how-many", "year-of", "month-of", "weekday-of"):
            return True
        if word in ("plus", "times"):
            return all(self._never_negative(each, thing, table) for each in raw[word])
        return False

    def _positive(self, table: str, column: str) -> bool:
        return all(row[column] is None or row[column] >= 0 for row in self.tables[table].rows)

    def how_many(self, raw: Raw, thing: Thing) -> Any:
        codes = self.value(raw["how-many"], thing)
        if isinstance(codes, No):
            return codes
        wanted = raw["any"] if "any" in raw else self.lists[raw["any-in"]]
        if "any-in" in raw and thing.day is None:
            return No.UNKNOWN
        known = codes.codes if isinstance(codes, SomeCodes) else codes
        count = Fraction(sum(1 for code in known if code in wanted))
        return Range(count, None) if isinstance(codes, SomeCodes) else count

    def moved(self, raw: Raw, thing: Thing) -> Any:
        day = self.value(raw["day"], thing)
        direction = "plus" if "plus" in raw else "minus"
        unit = next(each for each in raw[direction] if each != "holidays")
        count = self.value(raw[direction][unit], thing)
        if day is No.ROW or count is No.ROW:
            return No.ROW
        if not isinstance(day, date) or not isinstance(count, Fraction) or count.denominator != 1:
            return No.UNKNOWN
        steps = int(count) if direction == "plus" else -int(count)
        return later(day, unit, steps, self.holidays(raw[direction]))

    def holidays(self, raw: Raw) -> frozenset[date]:
        if "holidays" not in raw:
            return frozenset()
        return frozenset(row["day"] for row in self.tables[raw["holidays"]].rows)


AMOUNT_WORDS = (
    *AMOUNTS_OF_ITEMS, "plus", "minus", "times", "divided-by", "smallest-of", "largest-of", "days-from",
    "full-months-from", "full-years-from", "months-of-age-from", "business-days-from", "day", "how-many", "year-of",
    "month-of", "weekday-of", "run-start", "days-shared-by",
)  # fmt: skip
OF_DAYS = tuple(word for word in AMOUNT_WORDS if word.endswith("-from") or word in (
    "days-shared-by", "year-of", "month-of", "weekday-of"))  # fmt: skip
PLAIN = ("is", "is-not", "over", "at-least", "under", "at-most", "before", "on-or-after", "after", "on-or-before",
         "any", "all", "none", "any-in", "all-in", "none-in")  # fmt: skip
DAYS = ("since", "until")
OTHER = "another one"


@cache
def _fields(kind: str) -> Mapping[str, Field]:
    if kind in ("line", "claim"):
        return {name: each for name, each in KINDS[kind].fields.items() if not each.element}
    return ITEM_KINDS[kind].fields


MONEY = frozenset(
    name for kind in ("line", "claim", *ITEM_KINDS) for name, each in _fields(kind).items() if each.type is Type.AMOUNT
) | {"price"}


def _native(value: Any, kind: Type) -> Any:
    if kind is Type.DAY:
        return date.fromordinal(value)
    scale = {Type.NUMBER: 1, Type.AMOUNT: 100, Type.DECIMAL: 1_000_000}.get(kind)
    return value if scale is None else Fraction(value, scale)


# Facts of a line that nobody knows where these elements were sent and cannot be read.
UNREAD = {"procedure": ("procedure",), "modifiers": ("modifiers", "side", "site", "component", "firstModifier"),
          "units": ("units",), "charge": ("charge",), "service-date": ("day",), "line-place": ("place", "setting"),
          "diagnosis-pointers": ("diagnoses", "firstDiagnosis")}  # fmt: skip


def _of_fact(fact: Fact, claim: Any) -> Thing:
    number = fact.lines[0] if fact.kind == "line" else None
    odd = {name for each in claim.unreadable if each.line in (None, number) for name in UNREAD.get(each.element, ())}
    return _thing(fact.kind, fact.values, odd if number else set(), number)


def _of_item(item: Any) -> Thing:
    return _thing(item.kind, item.values, item.unreadable, item.lines[0] if item.lines else None)


def _thing(kind: str, raw: Mapping[str, Any], odd: Iterable[str], number: int | None) -> Thing:
    values, states = {}, {}
    for name, each in _fields(kind).items():
        state = raw.get(name + "?")
        if raw.get(name) is not None:
            values[name] = _native(raw[name], each.type)
        elif name == "payer" and raw.get("lineOfBusiness") == "original-medicare":
            values[name] = No.ABSENT
        else:
            values[name] = No.UNKNOWN if name in odd or state not in (None, "absent") else No.ABSENT
        if state is not None:
            states[name] = state
        elif name in odd and "unreadable" in each.states:
            states[name] = "unreadable"
    return Thing(kind, values, number, states)


def _is_number(text: Any) -> bool:
    return str(text).removeprefix("-").replace(".", "", 1).isdigit()


def _texts(cell: Any) -> tuple[str, ...]:
    return () if cell is None else cell if isinstance(cell, tuple) else (str(cell),)


def is_known(value: Any) -> bool:
    return not isinstance(value, No | Range | SomeCodes)


# Tables


def _cells(table: Table, key: str) -> set[Any]:
    band = table.keys[key]
    if band is None:
        return {text for row in table.rows for text in (_texts(row[key]))}
    ends = [row[name] for row in table.rows for name in band if row[name] is not None]
    return {each for end in ends for each in (end, end - 1, end + 1)} | {Fraction(-(10**12)), Fraction(10**12)}


def _fit(table: Table, asked: Mapping[str, Any], day: date | None) -> list[Raw]:
    found = []
    for row in table.rows:
        if day is not None and not ((row["since"] or date.min) <= day < (row["until"] or date.max)):
            continue
        if all(_key_fits(table.keys[key], row, key, value) for key, value in asked.items()):
            found.append(row)
    return found


def _key_fits(band: tuple[str, str] | None, row: Raw, key: str, value: Any) -> bool:
    values = () if isinstance(value, No) else value if isinstance(value, tuple) else (value,)
    if band is None:
        return row[key] is None or any(each in _texts(row[key]) for each in values)
    low, high = (row[name] for name in band)
    if low is None and high is None:
        return True
    return any(
        not isinstance(each, str) and (low is None or low <= each) and (high is None or each <= high) for each in values
    )


def _rank(table: Table, row: Raw) -> tuple[int, ...]:
    ranks = []
    for key, band in table.keys.items():
        if band is None:
            ranks.append(0 if row[key] is None else 2)
        else:
            ranks.append(0 if all(row[name] is None for name in band) else 1)
    return tuple(ranks)


# Comparisons


def typed(wanted: Any, value: Any, op: str) -> Any:
    """What a rule states, as the value has it."""
    if isinstance(value, No) or isinstance(wanted, list):
        return wanted
    if isinstance(value, Fraction):
        return Fraction(str(wanted))
    if isinstance(value, Range):
        return Fraction(str(wanted)) if _is_number(wanted) else date.fromisoformat(wanted)
    if isinstance(value, bool):
        return wanted == "yes"
    return date.fromisoformat(wanted) if isinstance(value, date) else wanted


def _same_field(names: Sequence[str], what: str, one: Thing, root: Thing) -> bool | None:
    found = []
    for each in (one, root):
        name = next(name for name in names if name in each.values)
        found.append(each.values[name])
    mine, its = found
    missing = [each for each in found if isinstance(each, No)]
    if missing:
        if what in WITHOUT_IS_ALIKE and No.UNKNOWN not in missing:
            return len(missing) == 2
        return None
    if what == "shared-side":
        return mine == its or "both" in (mine, its)
    if what == "diagnosis-category":
        return bool({code[:3] for code in mine} & {code[:3] for code in its})
    if isinstance(mine, tuple):
        return bool(set(mine) & set(its)) if what == "diagnosis" else sorted(mine) == sorted(its)
    return bool(mine == its)


def bounds(value: Any) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, Fraction | date):
        return Range(value, value)
    return Range(None, None)


def _added(numbers: Sequence[Any]) -> Any:
    return None if None in numbers else sum(numbers, Fraction(0))


def exact(low: Any, high: Any) -> Any:
    return low if low is not None and low == high else Range(low, high)


def among(value: Any, op: str, codes: Iterable[str]) -> bool | None:
    known = value.codes if isinstance(value, SomeCodes) else value if isinstance(value, tuple) else (value,)
    inside = [code in codes for code in known]
    open_end = isinstance(value, SomeCodes)
    if op == "all":
        return False if False in inside else None if open_end else bool(inside)
    found = True if True in inside else None if open_end else False
    return found if op == "any" else other(found)


def held_against(value: Any, op: str, wanted: Any) -> bool | None:
    missing = [each for each in (value, wanted) if isinstance(each, No)]
    if missing:
        return None if all(each is No.UNKNOWN for each in missing) else False
    if op in ("any", "all", "none"):
        return _against_codes(value, op, wanted)
    if op.startswith("begins") or op in ("like", "unlike"):
        return _looks(value, op, wanted if isinstance(wanted, list) else [wanted])
    if op.startswith("is-") and op.endswith("multiple-of"):
        if not isinstance(value, Fraction) or not isinstance(wanted, Fraction) or wanted == 0:
            return None
        whole = (value / wanted).denominator == 1
        return whole if op == "is-multiple-of" else not whole
    if isinstance(value, Fraction | Range | date):
        return _ordered(bounds(value), op, bounds(wanted))
    return bool(value == wanted) if op == "is" else bool(value != wanted)


def _against_codes(value: Any, op: str, wanted: Any) -> bool | None:
    """Codes against codes, either of which may have others that nobody knows."""
    if not isinstance(wanted, SomeCodes):
        return among(value, op, wanted if isinstance(wanted, tuple | list) else (wanted,))
    known = value.codes if isinstance(value, SomeCodes) else value if isinstance(value, tuple) else (value,)
    inside = [True if code in wanted.codes else None for code in known]
    if isinstance(value, SomeCodes):
        inside.append(None)
    if op == "all":
        return both(inside) if inside else False
    return either(inside) if op == "any" else other(either(inside))


def _ordered(one: Range, op: str, two: Range) -> bool | None:
    def over(a: Range, b: Range) -> bool | None:
        if a.low is not None and b.high is not None and a.low > b.high:
            return True
        return False if a.high is not None and b.low is not None and a.high <= b.low else None

    if op in ("over", "after"):
        return over(one, two)
    if op in ("under", "before"):
        return over(two, one)
    if op in ("at-most", "on-or-before"):
        return other(over(one, two))
    if op in ("at-least", "on-or-after"):
        return other(over(two, one))
    apart = over(one, two) or over(two, one)
    alike = one.low is not None and one.low == one.high == two.low == two.high
    is_it = False if apart else True if alike else None
    return is_it if op == "is" else other(is_it)


def _looks(value: Any, op: str, wanted: Sequence[str]) -> bool | None:
    texts = value.codes if isinstance(value, SomeCodes) else value if isinstance(value, tuple) else (value,)
    if op.startswith("begins"):
        found = any(text[: len(each)] == each for text in texts for each in wanted)
    else:
        found = any(len(text) == len(each) and all(map(_is_like, text, each)) for text in texts for each in wanted)
    answer = True if found else None if isinstance(value, SomeCodes) else False
    return answer if op in ("begins-with", "like") else other(answer)


def _is_like(letter: str, wanted: str) -> bool:
    digits, capitals = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return letter in {"#": digits, "@": capitals, "*": digits + capitals}.get(wanted, wanted)


# Numbers


def calculated(word: str, values: Sequence[Any], rounded: str | None, places: int) -> Any:
    if No.ROW in values:
        return No.ROW
    if any(isinstance(each, No) for each in values):
        return No.UNKNOWN
    ranges = [bounds(each) for each in values]
    lows, highs = [each.low for each in ranges], [each.high for each in ranges]
    if word == "plus":
        return exact(*(None if None in ends else sum(ends, Fraction(0)) for ends in (lows, highs)))
    if word == "minus":
        low = None if lows[0] is None or highs[1] is None else lows[0] - highs[1]
        high = None if highs[0] is None or lows[1] is None else highs[0] - lows[1]
        return exact(low, high)
    if word == "smallest-of":
        return exact(
            None if None in lows else min(lows), min((each for each in highs if each is not None), default=None)
        )
    if word == "largest-of":
        return exact(
            max((each for each in lows if each is not None), default=None), None if None in highs else max(highs)
        )
    if word == "times":
        return _product(lows, highs)
    if lows[1] is None or lows[1] != highs[1] or lows[1] == 0:
        return No.UNKNOWN
    ends = [None if each is None else _rounded(each / lows[1], rounded, places) for each in (lows[0], highs[0])]
    return exact(*(ends if lows[1] > 0 else reversed(ends)))


def _product(lows: Sequence[Any], highs: Sequence[Any]) -> Any:
    if all(low is not None and low == high for low, high in zip(lows, highs, strict=True)):
        return _times(lows)
    if any(low is None or low < 0 for low in lows):
        return No.UNKNOWN
    return exact(_times(lows), None if None in highs else _times(highs))


def _times(numbers: Iterable[Fraction]) -> Fraction:
    product = Fraction(1)
    for number in numbers:
        product *= number
    return product


def _rounded(number: Fraction, how: str | None, places: int) -> Fraction:
    scaled = number * 10**places
    low = scaled.numerator // scaled.denominator
    rest = scaled - low
    if how == "half-up":  # half away from zero
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and scaled > 0)
    else:
        up = rest > 0 and how == "up"
    return Fraction(low + (1 if up else 0), 10**places)


def extreme(word: str, ours: Sequence[Range], perhaps: Sequence[Range], complete: bool) -> Any:
    if not ours:
        return No.UNKNOWN if perhaps or not complete else No.ABSENT
    lows, highs = [each.low for each in ours], [each.high for each in ours]
    every_low, every_high = [*lows, *(each.low for each in perhaps)], [*highs, *(each.high for each in perhaps)]
    if word == "smallest":
        low = None if None in every_low or not complete else min(every_low)
        return exact(low, min((each for each in highs if each is not None), default=None))
    high = None if None in every_high or not complete else max(every_high)
    return exact(max((each for each in lows if each is not None), default=None), high)


# Days


def later(day: date, unit: str, count: int, holidays: frozenset[date] = frozenset()) -> date:
    if unit == "days":
        return day + timedelta(count)
    if unit == "business-days":
        left, step = abs(count), timedelta(1 if count > 0 else -1)
        while left:
            day += step
            left -= 1 if day.isoweekday() < 6 and day not in holidays else 0
        return day
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "full-years" else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def in_window(day: date, unit: str, count: int, side: str, around: date) -> bool:
    first, last = later(around, unit, -count), later(around, unit, count)
    return {
        "before": first <= day < around,
        "up-to": first < day <= around,
        "after": around < day <= last,
        "from": around <= day < last,
        "either": first <= day <= last,
    }[side]


def span(word: str, one: date, two: date, holidays: frozenset[date]) -> int:
    if word == "days-from":
        return (two - one).days
    if two < one:
        return -span(word, two, one, holidays)
    if word == "business-days-from":
        days = (one + timedelta(step) for step in range(1, (two - one).days + 1))
        return sum(1 for day in days if day.isoweekday() < 6 and day not in holidays)
    months = (two.year - one.year) * 12 + two.month - one.month
    if word == "full-months-from":
        return max(months - 1, 0)
    complete = months - (two.day < one.day)
    return complete // 12 if word == "full-years-from" else complete


def period(word: str, day: date, raw: Raw) -> list[date]:
    """The days of the year, quarter, month, week or season of a day, in order; none: it is in no season."""
    if word == "season":
        return _season(day, raw["begins"], raw["ends"])
    near = [day + timedelta(step) for step in range(-366, 367)]
    if word == "week":
        names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        first = next(each for each in reversed(near) if each <= day and names[each.weekday()] == raw["begins"])
        return [first + timedelta(step) for step in range(7)]
    parts: Mapping[str, Callable[[date], tuple[int, int]]] = {
        "calendar-year": lambda each: (each.year, 0),
        "calendar-quarter": lambda each: (each.year, (each.month + 2) // 3),
        "calendar-month": lambda each: (each.year, each.month),
    }
    return [each for each in near if parts[word](each) == parts[word](day)]


def _season(day: date, begins: str, ends: str) -> list[date]:
    """Walks to both sides as long as the days are of the season, and not past its ends."""

    def inside(each: date) -> bool:
        here = f"{each:%m-%d}"
        return begins <= here <= ends if begins <= ends else here >= begins or here <= ends

    days = [day] if inside(day) else []
    while days and inside(days[0] - timedelta(1)) and f"{days[0]:%m-%d}" != begins:
        days.insert(0, days[0] - timedelta(1))
    while days and inside(days[-1] + timedelta(1)) and f"{days[-1]:%m-%d}" != ends:
        days.append(days[-1] + timedelta(1))
    return days


def _days(first: date, last: date) -> set[date]:
    return {first + timedelta(step) for step in range((last - first).days + 1)}
