"""Random rules of the language, as the mappings that their YAML files hold, with random tables and lists for them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from scrubber.rulebook.field import Type
from scrubber.rulebook.item_kinds import ITEM_KINDS
from scrubber.rulebook.same import SAME
from scrubber.rulebook.vocabulary import KINDS
from tests.relations.naive import Table
from tests.support.rule_folders import put

CODES = ("99213", "93000", "77080", "77080", "J1100", "36415")
LISTS: Mapping[str, frozenset[str]] = {
    "studies": frozenset(("77080", "93000")),
    "visits": frozenset(("99213",)),
    "marks": frozenset(("26", "59", "RT")),
    # Lists from which the program makes the side and the site of a line.
    "sites-right": frozenset(("RT",)),
    "sites-left": frozenset(("LT",)),
    "sites-whole-side": frozenset(("RT", "LT")),
}
MODIFIERS = ("26", "TC", "59", "RT", "LT", "50")
TEXTS: Mapping[str, tuple[str, ...]] = {
    "procedure": CODES, "place": ("11", "22"), "code": ("I10", "R0602", "M810"), "qualifier": ("ABK", "ABF"),
    "payer": ("P1", "P2"), "group": ("CO", "PR"), "reason": ("45", "2", "1"), "form": ("CMS-R-131",),
    "option": ("1", "2"), "rendering-provider": ("1987654328", "1555666779"), "billing-provider": ("1234567893",),
    "specialty": ("207R00000X", "207RC0000X"), "reference": ("OG", "TR"), "key": CODES, "also": CODES,
    "insurance-type": ("12", "47"), "responsibility": ("P", "S"), "renderingProvider": ("1987654328", "1555666779"),
    "firstDiagnosis": ("I10", "R0602", "M810"), "side": ("right", "left", "both"), "component": ("26", "TC", "whole"),
}  # fmt: skip
CODE_LISTS: Mapping[str, tuple[str, ...]] = {
    "modifiers": MODIFIERS,
    "diagnoses": TEXTS["code"],
    "claimDiagnoses": TEXTS["code"],
    "others": CODES,
}
DAYS = ("2024-02-29", "2024-12-31", "2025-01-31", "2025-02-28", "2025-03-10", "2025-03-12", "2025-03-13", "2025-06-30")
NUMBERS = ("0", "1", "2", "3", "2.5", "10", "-1")
MONEY = ("0", "10.00", "40.00", "59.99", "150.00", "-5.00")
ITEMS = (
    "line", "other-line", "earlier-line", "later-line", "line-up-to-this", "history", "history", "history",
    "diagnosis", "pointed-diagnosis", "adjudication", "adjusting-payer", "adjustment", "notice", "test-result",
    "other-payer", "row",
)  # fmt: skip
USED: Mapping[str, tuple[str, ...]] = {
    "line": ("procedure", "modifiers", "day", "place", "units", "charge", "diagnoses", "side", "component",
             "renderingProvider", "specialty", "ageYears", "firstDiagnosis", "lastDay", "claimDiagnoses"),
    "claim": ("total", "lineCount", "day", "diagnosisCount"),
    "history": ("procedure", "day", "modifiers", "units", "charge", "allowed", "rendering-provider",
                "billing-provider", "specialty", "diagnoses", "care-from", "care-to", "side", "component"),
    "diagnosis": ("code", "position", "qualifier", "pointer"),
    "pointed-diagnosis": ("code", "position", "qualifier", "pointer"),
    "adjudication": ("payer", "paid", "procedure", "units", "adjustments", "day", "patient-liability"),
    "adjusting-payer": ("payer", "paid", "adjustments", "patient-liability", "decisions"),
    "adjustment": ("payer", "group", "reason", "amount", "quantity", "day"),
    "notice": ("form", "issued", "signed", "option", "estimate", "refused"),
    "test-result": ("reference", "value"),
    "other-payer": ("payer", "paid", "adjustments", "insurance-type", "responsibility"),
}  # fmt: skip
LINE_ITEMS = ("line", "other-line", "earlier-line", "later-line", "line-up-to-this")
PLURAL = {
    **{item: item + "s" for item in LINE_ITEMS},
    "line-up-to-this": "lines-up-to-this",
    "row": "rows",
    **{kind.name: kind.plural for kind in ITEM_KINDS.values()},
}
NUMERIC, DOLLARS, DAY, TEXT, LISTED, FLAG = "number", "dollars", "day", "text", "codes", "flag"
TYPES = {Type.NUMBER: NUMERIC, Type.DECIMAL: NUMERIC, Type.AMOUNT: DOLLARS, Type.DAY: DAY, Type.TEXT: TEXT,
         Type.WORD: TEXT, Type.CODES: LISTED, Type.FLAG: FLAG}  # fmt: skip
ORDERED = ("is", "is-not", "over", "at-least", "under", "at-most")
OF_DAYS = ("is", "is-not", "before", "after", "on-or-before", "on-or-after")
# A table: its keys, and what its rows answer, by column.
ONE_ROW = {"size": NUMERIC, "minutes": NUMERIC, "price": DOLLARS, "starts": DAY, "also": TEXT, "others": LISTED}
MANY_ROWS = {"also": TEXT, "most": NUMERIC, "dues": DOLLARS}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "sizes": {"key": TEXT, **ONE_ROW},
    "bands": {"key": TEXT, "low": NUMERIC, "high": NUMERIC, "most": NUMERIC, "dues": DOLLARS},
    "edits": {"key": TEXT, **MANY_ROWS},
}
DECLARED = {
    "sizes": {
        "about": "Sizes.", "keys": {"key": "procedure"},
        "columns": {"size": "decimal", "minutes": "minutes", "price": "amount", "starts": "day", "also": "procedure",
                    "others": {"type": "procedure", "list": "yes"}},
        "source": "sample",
    },
    "bands": {
        "about": "Bands.", "keys": {"key": "procedure", "number": {"type": "number", "from": "low", "to": "high"}},
        "columns": {"most": "number", "dues": "amount"}, "source": "sample",
    },
    "edits": {
        "about": "Edits.", "keys": {"key": "procedure"}, "answers": "all",
        "columns": {"also": "procedure", "most": "number", "dues": "amount"}, "source": "sample",
    },
    "closed": {"about": "Holidays.", "keys": {"day": "day"}, "source": "sample"},
}  # fmt: skip
HEAD = {
    "version": "1", "status": "active", "severity": "warn", "stage": "adjudication", "category": "coding",
    "owner": "sample policy", "reviewed": "2026-11-22", "effective": {"from": "2020-01-01"},
    "authority": [{"kind": "house-policy", "title": "Sample policy"}], "fix": "Look at it.", "reason": None,
    "at-risk": "nothing",
}  # fmt: skip


@dataclass
class Scope:
    """The names that conditions on a fact or item may use, by type."""

    kind: str
    fields: Mapping[str, str]
    outer: Scope | None = None
    several: bool = False
    look_ups: dict[str, str] = field(default_factory=dict)
    every: set[str] = field(default_factory=set)
    amounts: dict[str, str] = field(default_factory=dict)

    def names(self) -> Iterator[tuple[str, str]]:
        """Each name with its type."""
        yield from self.fields.items()
        scope: Scope | None = self
        level = 0
        while scope is not None:
            yield from scope.amounts.items()
            for name, table in scope.look_ups.items():
                for column, kind in COLUMNS[table].items():
                    if name not in scope.every:
                        yield f"{name}.{column}", kind
                    elif kind in (TEXT, LISTED):
                        yield f"{name}.{column}", LISTED
            if level and scope.outer is None:
                yield from ((f"this.{name}", kind) for name, kind in scope.fields.items())
            elif level and not scope.several:
                yield from ((f"{scope.kind}.{name}", kind) for name, kind in scope.fields.items())
            scope, level = scope.outer, level + 1
        if "charge" in self.fields:
            yield from (("price.allowed", DOLLARS), ("price.fee", DOLLARS))
        yield from (("claim.total", DOLLARS), ("claim.day", DAY), ("claim.lineCount", NUMERIC))

    @property
    def root(self) -> Scope:
        """The fact that the rule is about."""
        return self if self.outer is None else self.outer.root

    @property
    def depth(self) -> int:
        """How many facts and items it is, with those around it."""
        return 1 if self.outer is None else self.outer.depth + 1


def fields_of(kind: str, table: str = "") -> Mapping[str, str]:
    """The fields of a kind that random rules use, with their types."""
    if kind == "row":
        return COLUMNS[table]
    kind = "line" if kind in LINE_ITEMS else kind
    declared = KINDS[kind].fields if kind in ("line", "claim") else ITEM_KINDS[kind].fields
    return {name: TYPES[declared[name].type] for name in USED[kind]}


def states_of(name: str, scope: Scope) -> tuple[str, ...]:
    """Why a field may have no value, in the words of rules."""
    head, _, tail = name.rpartition(".")
    owner = scope if not head else scope.root if head == "this" else None
    if owner is None or owner.kind == "row" or tail not in owner.fields:
        return ()
    kind = "line" if owner.kind in LINE_ITEMS else owner.kind
    declared = KINDS[kind].fields if kind in ("line", "claim") else ITEM_KINDS[kind].fields
    return declared[tail].states


class RandomRules:
    """Writes rules, one after the other, from one seed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.number = 0

    def rule(self) -> dict[str, Any]:
        """A rule, without what every rule says alike."""
        kind = self.random.choices(("line", "claim"), (5, 1))[0]
        scope = Scope(kind, fields_of(kind))
        raw: dict[str, Any] = {"scope": kind}
        self.number = 0
        self.declare(raw, scope, 0.5)
        if kind == "line" and self.chance(0.4):
            raw["applies"] = {"procedure": {"any": self.some(sorted(set(CODES)), 3)}}
        if self.chance(0.2):
            raw.setdefault("applies", {}).update(self.tests(scope, 1, 0.5))
        raw["when"] = self.when(scope, 2, 0.7)
        return raw

    def chance(self, often: float) -> bool:
        return self.random.random() < often

    def some(self, values: Any, most: int = 2) -> list[Any]:
        return sorted(set(self.random.sample(list(values), min(len(values), self.random.randint(1, most)))))

    def name(self, start: str) -> str:
        self.number += 1
        return f"{start}-{self.number}"

    # Conditions

    def when(self, scope: Scope, depth: int, related: float) -> dict[str, Any]:
        if depth and self.chance(0.35):
            parts = [self.when(scope, depth - 1, related) for _ in range(self.random.randint(1, 3))]
            return {self.random.choice(("all", "any")): parts}
        if scope.depth < 4 and self.chance(related):
            return self.relation(scope, related / 3)
        found = list(scope.look_ups)
        if found and self.chance(0.1):
            return {"fact": self.random.choice(found), "is": self.random.choice(("found", "not-found"))}
        name, operator, value = self.test(scope)
        return {"fact": name, operator: value}

    def tests(self, scope: Scope, most: int, related: float = 0.1) -> dict[str, Any]:
        raw: dict[str, Any] = {}
        for _ in range(self.random.randint(0, most)):
            if scope.depth < 4 and self.chance(related):
                raw |= self.relation(scope, related / 3)
            elif self.chance(0.1):
                raw |= {"any": [self.when(scope, 0, 0.0), self.when(scope, 0, 0.0)]}
            else:
                name, operator, value = self.test(scope)
                raw[name] = {operator: value}
        return raw

    def test(self, scope: Scope) -> tuple[str, str, Any]:
        """A name, an operator that goes with it, and a value."""
        names = list(scope.names())
        if self.chance(0.5):  # the fields of its own and what is declared, more often than the rest
            own = [*scope.fields.items(), *scope.amounts.items()]
            names = own or names
        name, kind = self.random.choice(names)
        states = states_of(name, scope)
        if states and self.chance(0.15):
            return name, "is", self.random.choice(states)
        others = [each for each, of in scope.names() if of == kind and each != name]
        fact = {"fact": self.random.choice(others)} if others and self.chance(0.3) else None
        if kind == FLAG:
            return name, "is", self.random.choice(("yes", "no"))
        if kind in (NUMERIC, DOLLARS):
            if self.chance(0.15):
                operator = self.random.choice(("is-multiple-of", "is-no-multiple-of"))
                return name, operator, fact or self.random.choice(("2", "3", "0.5"))
            return name, self.random.choice(ORDERED), fact or self.number_of(name, kind, scope)
        if kind == DAY:
            return name, self.random.choice(OF_DAYS), fact or self.random.choice(DAYS)
        return self.text_test(name, kind, fact)

    def text_test(self, name: str, kind: str, fact: Any) -> tuple[str, str, Any]:
        short = name.rpartition(".")[2]
        values = CODE_LISTS[short] if short in CODE_LISTS else TEXTS.get(short, CODES)
        if short in ("side", "component"):
            if self.chance(0.4):
                return name, "is", self.random.choice(values)
            return name, self.random.choice(("any", "none", "all")), self.some(values)
        if self.chance(0.15):
            operator = self.random.choice(("begins-with", "begins-with-none-of"))
            return name, operator, [value[: self.random.randint(1, 3)].upper() for value in self.some(values)]
        if self.chance(0.15):
            return (
                name,
                self.random.choice(("like", "unlike")),
                ["".join(map(self.pattern, self.random.choice(values)))],
            )
        if self.chance(0.2):
            return name, self.random.choice(("any-in", "none-in", "all-in")), self.random.choice(sorted(LISTS))
        if kind == TEXT and self.chance(0.4):
            return name, self.random.choice(("is", "is-not")), fact or self.random.choice(values)
        return name, self.random.choice(("any", "none", "all")), fact or self.some(values)

    def pattern(self, letter: str) -> str:
        return self.random.choice((letter, "*", "#" if letter.isdigit() else "@"))

    def number_of(self, name: str, kind: str, scope: Scope) -> str:
        if kind == DOLLARS:
            return self.random.choice(MONEY)
        whole = any(each in name for each in ("position", "pointer", "Count", "decisions", "minutes", "most", "low",
                                              "high", "whole", "age"))  # fmt: skip
        return self.random.choice([each for each in NUMBERS if not whole or "." not in each])

    # Relations

    def relation(self, scope: Scope, related: float) -> dict[str, Any]:
        quantifier = self.random.choice(("some", "some", "no", "no", "every"))
        item = self.random.choice(ITEMS)
        raw, inner = self.group((item,), scope)
        if quantifier == "every":
            if self.chance(0.5):
                raw["which"] = self.tests(inner, 2)
            name, operator, value = self.test(inner)
            raw[name] = {operator: value}
        raw |= self.tests(inner, 2, related)
        return {f"{quantifier}-{item}": raw}

    def group(self, items: tuple[str, ...], scope: Scope) -> tuple[dict[str, Any], Scope]:
        """What chooses items, but for tests of their facts; and the names of an item."""
        raw: dict[str, Any] = {}
        table = ""
        if items == ("row",):
            table = self.random.choice(("sizes", "bands", "edits"))
            raw["in"] = table
            keys = self.keys(table, scope)
            if keys:
                raw["for"] = keys
        every = [fields_of(item, table) for item in items]
        shared = {name: kind for name, kind in every[0].items() if all(name in other for other in every)}
        inner = Scope(items[0], shared, scope, len(items) > 1)
        self.same(raw, items, scope)
        if "day" in inner.fields and self.chance(0.6 if "history" in items else 0.2):
            raw["within"] = self.window(inner)
            if self.chance(0.1):
                raw["within"] = [raw["within"], self.window(inner)]
        if scope.depth < 3:
            self.declare(raw, inner, 0.15)
        return raw, inner

    def same(self, raw: dict[str, Any], items: tuple[str, ...], scope: Scope) -> None:
        own = KINDS[scope.root.kind].fields
        theirs = [KINDS["line"].fields if each in LINE_ITEMS else ITEM_KINDS[each].fields for each in items
                  if each != "row"]  # fmt: skip
        if not theirs or not self.chance(0.4):
            return
        known = [name for name, each in SAME.items() if each.known_of(own) and all(map(each.known_of, theirs))]
        if known:
            raw["same"] = self.some(known, 2)
            if "modifiers" in known and self.chance(0.2):
                raw["same"].append({"modifiers-of": "marks"})

    def window(self, inner: Scope) -> dict[str, Any]:
        days = [name for name, kind in inner.names() if kind == DAY and name != "day"]
        around = [name for name in days if name.startswith(("this.", "claim."))]
        day = self.random.choice(around if around and self.chance(0.8) else days)
        if self.chance(0.25):
            return self.period(day)
        if self.chance(0.15):
            return {self.random.choice(("from", "after")): self.random.choice(days),
                    self.random.choice(("up-to", "before")): day}  # fmt: skip
        unit = self.random.choice(("days", "full-months", "full-years"))
        numbers = [name for name, kind in inner.names() if kind == NUMERIC]
        length = self.random.choice(numbers) if self.chance(0.1) else self.random.choice(("0", "1", "2", "12", "30"))
        return {unit: length, self.random.choice(("before", "after", "up-to", "from", "either")): day}

    def period(self, day: str) -> dict[str, Any]:
        word = self.random.choice(("calendar-year", "calendar-quarter", "calendar-month", "week", "season"))
        if word == "week":
            return {word: day, "begins": self.random.choice(("sunday", "monday", "thursday"))}
        if word == "season":
            begins, ends = self.random.choice(
                (("07-01", "06-30"), ("10-01", "03-31"), ("02-01", "04-30"), ("12-31", "03-12"), ("02-29", "12-31"))
            )
            return {word: day, "begins": begins, "ends": ends}
        return {word: day}

    def keys(self, table: str, scope: Scope) -> dict[str, Any]:
        keys: dict[str, Any] = {}
        texts = [
            name for name, kind in scope.names() if kind == TEXT and name.rpartition(".")[2] in ("procedure", "also")
        ]
        codes = [name for name, kind in scope.names() if kind == LISTED and name.rpartition(".")[2] == "others"]
        if texts and self.chance(0.8):
            keys["key"] = self.random.choice(texts + codes)
        elif self.chance(0.7):
            keys["key"] = {"is": self.random.choice(CODES)}
        numbers = [name for name, kind in scope.names() if kind == NUMERIC]
        if table == "bands" and numbers and self.chance(0.8):
            keys["number"] = self.random.choice(numbers)
        return keys

    def declare(self, raw: dict[str, Any], scope: Scope, often: float) -> None:
        """Look-ups and amounts with names."""
        while self.chance(often / 2):
            name, table = self.name("row"), self.random.choice(("sizes", "bands", "edits"))
            look_up: dict[str, Any] = {"in": table}
            keys = self.keys(table, scope)
            if not keys:
                break
            look_up["for"] = keys
            if self.chance(0.1):
                days = [each for each, kind in scope.names() if kind == DAY]
                look_up["on"] = self.random.choice(days)
            every = table == "edits" or self.chance(0.1)
            if every and table != "edits":
                look_up["every"] = "yes"
            raw.setdefault("look-up", {})[name] = look_up
            scope.look_ups[name] = table
            if every:
                scope.every.add(name)
        while self.chance(often):
            amount, kind = self.amount(scope)
            name = self.name("whole" if kind == NUMERIC else "amount")
            raw.setdefault("amounts", {})[name] = amount
            scope.amounts[name] = kind

    # Amounts

    def amount(self, scope: Scope) -> tuple[dict[str, Any], str]:
        if scope.depth < 4 and self.chance(0.55):
            found = self.of_items(scope)
            if found is not None:
                return found
        named = list(scope.names())
        numbers = [name for name, kind in named if kind == NUMERIC] + ["1", "2.5", "-1"]
        dollars = [name for name, kind in named if kind == DOLLARS]
        days = [name for name, kind in named if kind == DAY]
        codes = [name for name, kind in named if kind == LISTED]
        choice = self.random.random()
        if choice < 0.05 and len(days) > 1:
            spans = [[self.random.choice(days) for _ in range(2)] for _ in range(2)]
            return {"days-shared-by": spans[0], "and": spans[1]}, NUMERIC
        if choice < 0.2 and len(days) > 1:
            return self.of_days(days), NUMERIC
        if choice < 0.35 and days:
            return self.moved(days, numbers), DAY
        if choice < 0.42 and codes:
            name = self.random.choice(codes)
            values = CODE_LISTS.get(name.rpartition(".")[2], CODES)
            among = {"any": self.some(values)} if self.chance(0.5) else {"any-in": self.random.choice(sorted(LISTS))}
            return {"how-many": name, **among}, NUMERIC
        if choice < 0.5 and days:
            return {self.random.choice(("year-of", "month-of", "weekday-of")): self.random.choice(days)}, NUMERIC
        return self.arithmetic(numbers, dollars)

    def arithmetic(self, numbers: list[str], dollars: list[str]) -> tuple[dict[str, Any], str]:
        word = self.random.choice(("plus", "minus", "times", "divided-by", "smallest-of", "largest-of"))
        money = bool(dollars) and self.chance(0.5)
        pool = dollars if money else numbers
        values = [self.random.choice(pool) for _ in range(2)]
        if word == "times":
            values[1] = self.random.choice(numbers)
        if word == "divided-by":
            if money and self.chance(0.5):
                values[1] = self.random.choice(numbers)
            kind = DOLLARS if money and values[1] not in dollars else NUMERIC
            return {word: values, "rounded": self.random.choice(("down", "up", "half-up"))}, kind
        return {word: values}, DOLLARS if money else NUMERIC

    def of_days(self, days: list[str]) -> dict[str, Any]:
        word = self.random.choice(
            ("days-from", "full-months-from", "full-years-from", "months-of-age-from", "business-days-from")
        )
        raw = {word: self.random.choice(days), "to": self.random.choice(days)}
        return raw | ({"holidays": "closed"} if word == "business-days-from" else {})

    def moved(self, days: list[str], numbers: list[str]) -> dict[str, Any]:
        unit = self.random.choice(("days", "full-months", "full-years", "business-days"))
        length = self.random.choice(numbers) if self.chance(0.3) else self.random.choice(("1", "3", "12"))
        shift = {unit: length} | ({"holidays": "closed"} if unit == "business-days" else {})
        return {"day": self.random.choice(days), self.random.choice(("plus", "minus")): shift}

    def of_items(self, scope: Scope) -> tuple[dict[str, Any], str] | None:
        item = self.random.choice(ITEMS)
        items = ("history", self.random.choice(("line", "other-line"))) if self.chance(0.15) else (item,)
        raw, inner = self.group(items, scope)
        named = [*inner.fields.items(), *inner.amounts.items()]
        numbers = [each for each in named if each[1] in (NUMERIC, DOLLARS)]
        days = [each for each in named if each[1] == DAY]
        plurals: Any = PLURAL[items[0]] if len(items) == 1 else [PLURAL[each] for each in items]
        raw |= self.tests(inner, 2, 0.05)
        word = self.random.choice(("sum", "sum", "count", "count-days", "count-different", "smallest", "largest"))
        if (word == "count-days" and "day" in inner.fields) or word == "count":
            return {word: plurals, **raw}, NUMERIC
        if word == "count-different":
            return {word: self.random.choice(named)[0], "of": plurals, **raw}, NUMERIC
        outer_days = [each for each, of in scope.names() if of == DAY]
        if word == "sum" and "day" in inner.fields and self.chance(0.2) and outer_days:
            apart = {"apart": self.random.choice(("1", "2", "30", "400"))} if self.chance(0.7) else {}
            return {"run-start": plurals, "to": self.random.choice(outer_days), **apart, **raw}, DAY
        if word in ("smallest", "largest"):
            numbers += days
        if not numbers or word not in ("sum", "smallest", "largest"):
            return None
        name, kind = self.random.choice(numbers)
        return {word: name, "of": plurals, **raw}, kind


# Tables


def random_tables(random: Random) -> dict[str, Table]:
    """Tables with blank cells, rows that follow each other in time, and bands."""
    codes = sorted(set(CODES))

    def maybe(value: Any, blank: float = 0.25) -> Any:
        return None if random.random() < blank else value

    sizes, bands, edits = [], [], []
    for of_size in random.sample(codes, 4):
        cut = date(2025, 3, 11) if random.random() < 0.4 else None
        for since, until in ((None, cut), (cut, None)) if cut else ((None, None),):
            sizes.append({
                "key": of_size, "size": maybe(Fraction(random.choice(("1", "2", "2.5")))),
                "minutes": maybe(Fraction(random.choice((0, 1, 15)))),
                "price": maybe(Fraction(random.choice(MONEY[1:]))),
                "starts": maybe(date.fromisoformat(random.choice(DAYS))), "also": maybe(random.choice(codes)),
                "others": maybe(tuple(dict.fromkeys(random.sample(codes, 2)))), "since": since, "until": until,
            })  # fmt: skip
    owners: list[str | None] = [*random.sample(codes, 2), None]
    for code in owners:
        for low, high in ((None, 0), (1, 2), (4, None)) if code else ((None, None),):
            bands.append({
                "key": code, "low": None if low is None else Fraction(low),
                "high": None if high is None else Fraction(high), "most": maybe(Fraction(random.randint(0, 3))),
                "dues": maybe(Fraction(random.choice(MONEY))), "since": None, "until": None,
            })  # fmt: skip
    for number in range(5):
        cut = date(2025, 3, 1) if random.random() < 0.2 else None
        edits.append({
            "key": maybe(random.choice(codes)), "also": maybe(codes[number % len(codes)]),
            "most": maybe(Fraction(number)), "dues": maybe(Fraction(random.choice(MONEY))), "since": cut, "until": None,
        })  # fmt: skip
    closed = [{"day": date.fromisoformat(day), "since": None, "until": None} for day in ("2025-03-11", "2025-01-01")]
    return {
        "sizes": Table("sizes", {"key": None}, False, sizes),
        "bands": Table("bands", {"key": None, "number": ("low", "high")}, False, bands),
        "edits": Table("edits", {"key": None}, True, edits),
        "closed": Table("closed", {"day": None}, False, closed),
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}"
    return str(value)


def write_pack(folder: Path, rules: list[dict[str, Any]], tables: Mapping[str, Table]) -> None:
    """A pack of grammar 2 with these rules and tables, and the lists of random rules."""
    declared = {f"{name}.csv": DECLARED[name] for name in tables}
    pack = {"name": "random", "title": "Random rules", "about": "Random rules.", "adoption": "everyone", "grammar": "2",
            "tables": {"lists.csv": "code-lists", **declared}}  # fmt: skip
    put(folder, "random/pack.yaml", json.dumps(pack))
    rows = [f"{name},{code},,,,sample" for name, codes in LISTS.items() for code in sorted(codes)]
    put(folder, "random/tables/lists.csv", "\n".join(["list,code,through,since,until,source", *rows, ""]))
    for table in tables.values():
        out = io.StringIO()
        columns = list(table.rows[0])
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row[name]) for name in columns] for row in table.rows)
        put(folder, f"random/tables/{table.name}.csv", out.getvalue())
    for number, rule in enumerate(rules):
        name = f"random-{number:04}"
        content = {"id": name, **HEAD, "title": f"Random rule {number}", "message": f"Random rule {number}.", **rule}
        put(folder, f"random/rules/{name}.yaml", json.dumps(content))
