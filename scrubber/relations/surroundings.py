"""What stands beside the facts of one claim: its lines, diagnoses, history, documentation, tables and prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.elements import CATALOGUE
from scrubber.claim.model import Claim, ServiceLine
from scrubber.facts.asked import add_elements
from scrubber.facts.documentation import Documents, DocumentValue, document_value
from scrubber.facts.fact import Fact
from scrubber.facts.items import items
from scrubber.facts.on_request import add_claim_fields, add_line_fields, component
from scrubber.facts.on_request import places as places_named
from scrubber.facts.reference_rows import reference_rows
from scrubber.facts.service_lines import LineView
from scrubber.reference import Reference
from scrubber.relations.values import NoValue, Value, value_of
from scrubber.rulebook.field import Type, state_key
from scrubber.rulebook.item_kinds import ITEM_KINDS as OTHER_ITEMS
from scrubber.rulebook.item_kinds import OF_MODIFIERS
from scrubber.rulebook.line_items import LINE_ITEMS
from scrubber.rulebook.reference_tables import REFERENCE_TABLES
from scrubber.rulebook.relations import HISTORY
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.typed_table import TableRow, TypedTable
from scrubber.rulebook.vocabulary import KINDS, OF_ELEMENTS

# Elements of a line that could not be read, and the fields that are made from them.
UNREADABLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "procedure": ("procedure",),
    "modifiers": ("modifiers", "side", "site", "component", "firstModifier"),
    "units": ("units",),
    "charge": ("charge",),
    "service-date": ("day",),
    "line-place": ("place", "setting"),
    "diagnosis-pointers": ("diagnoses", "firstDiagnosis"),
    "rendering-npi": ("renderingProvider",),
    "billing-npi": ("renderingProvider", "billingProvider"),
    "rendering-taxonomy": ("specialty",),
    "billing-taxonomy": ("specialty",),
}


PROCEDURE, LINE = "procedure", "line"
CodeTest = tuple[tuple[str, ...], Callable[[str], bool]]  # of procedure codes, with a key for it
# Items with a date of service; the `day` of others is something else, such as that of a payer's decision.
SERVICES = frozenset((HISTORY, *LINE_ITEMS))


class PricedLine(NamedTuple):
    """A line in dollars; None: not known. `full_fee` is the fee for who participates, whoever the provider is."""

    allowed: Decimal | None
    fee: Decimal | None
    full_fee: Decimal | None


PriceLines = Callable[[], Sequence[PricedLine]]


class Subject:
    """A fact, or an item beside it, on which conditions are evaluated. `number` is its line, where it has one."""

    __slots__ = ("kind", "number", "outer", "rows", "unreadable", "values")

    def __init__(
        self,
        kind: str,
        values: Mapping[str, Any],
        number: int | None = None,
        outer: Subject | None = None,
        unreadable: frozenset[str] = frozenset(),
    ) -> None:
        self.kind = kind
        self.values = values
        self.number = number
        self.outer = outer
        self.unreadable = unreadable
        self.rows: dict[object, Any] = {}  # what its look-ups found

    def __repr__(self) -> str:
        """The kind alone: a claim must not reach a log through a repr."""
        return f"<Subject {self.kind}>"

    @property
    def root(self) -> Subject:
        """The fact that the rule is about."""
        subject = self
        while subject.outer is not None:
            subject = subject.outer
        return subject

    @property
    def nearest_line(self) -> int | None:
        """The number of the line that it is, or is within; None: of the claim as a whole."""
        subject: Subject | None = self
        while subject is not None and subject.number is None:
            subject = subject.outer
        return None if subject is None else subject.number

    @property
    def day(self) -> int | None:
        """The date of service: its own where it is a service, else that of what encloses it. None: not known."""
        if self.outer is not None and self.kind not in SERVICES:
            return self.outer.day
        day = self.values.get("day")
        return day if type(day) is int else None

    def within(self, outer: Subject) -> Subject:
        """The same, seen from another one."""
        return Subject(self.kind, self.values, self.number, outer, self.unreadable)


class Surroundings:
    """The claim around the facts. Everything is made when it is first asked for."""

    def __init__(
        self,
        claim: Claim,
        views: Sequence[LineView],
        facts: Sequence[Fact],
        rulebook: Rulebook,
        reference: Reference,
        received_on: date,
        prices: PriceLines,
    ) -> None:
        self._claim = claim
        self._views = views
        self._facts = facts
        self.rulebook = rulebook
        self._reference = reference
        self._received_on = received_on
        self._price_lines = prices
        self._prices: Sequence[PricedLine] | None = None
        self._lines: list[Subject] | None = None
        self._documents: Documents | None = None
        self._items: dict[tuple[str, int | None], list[Subject] | None] = {}
        self._by_code: dict[tuple[str, ...], list[Subject]] = {}

    @property
    def lines(self) -> list[Subject]:
        """Every service line, in the claim's order."""
        if self._lines is None:
            facts = [fact for fact in self._facts if fact.kind == LINE]
            self._lines = [self.subject(fact) for fact in facts]
        return self._lines

    def subject(self, fact: Fact) -> Subject:
        """A fact as conditions are evaluated on it."""
        number = fact.lines[0] if fact.lines else None
        view = self._views[number - 1] if number is not None and number <= len(self._views) else None
        unread = frozenset[str]()
        if view is not None and view.unread:
            unread = frozenset(name for element in view.unread for name in UNREADABLE_FIELDS.get(element, ()))
        return Subject(fact.kind, fact.values, number, None, unread)

    def add(self, subject: Subject, name: str) -> None:
        """Adds to a line, or to the claim, a field that facts have only where it is asked for; once."""
        if subject.kind == HISTORY and name in OF_MODIFIERS:
            self._add_of_modifiers(subject, name)
            return
        if subject.kind not in OF_ELEMENTS or state_key(name) in subject.values:
            return
        field, values = KINDS[subject.kind].fields.get(name), subject.values
        if field is None or type(values) is not dict:
            return
        if field.element:
            add_elements(values, ((field, CATALOGUE[name]),), self._claim, self._line(subject.number))
        elif field.made_from and subject.number is not None:
            view = self._views[subject.number - 1]
            add_line_fields(values, {name: field.made_from}, self._claim, view, self._received_on, self.rulebook.lists)
        elif field.made_from:
            day = date.fromordinal(values["day"])
            add_claim_fields(values, {name: field.made_from}, self._claim, day, self._received_on)

    def _add_of_modifiers(self, service: Subject, name: str) -> None:
        """Adds to an earlier service what its modifiers say: side, site or component."""
        values = service.values
        modifiers, day = values.get("modifiers"), values.get("day")
        if type(values) is not dict or not isinstance(modifiers, tuple) or type(day) is not int:
            return
        on, lists = date.fromordinal(day), self.rulebook.lists
        places = places_named(modifiers, on, lists)
        part = component(modifiers, on, lists)
        found = part if name == "component" else places.side if name == "side" else places.site
        values[name if found is not None else state_key(name)] = found if found is not None else NoValue.ABSENT.value

    def claim_values(self) -> Mapping[str, Any]:
        """The fields of the claim as a whole."""
        return next((fact.values for fact in self._facts if fact.kind == "claim"), {})

    def items(self, kind: str, number: int | None) -> list[Subject] | None:
        """Items of a kind, of the line where they belong to one; None where nothing was supplied about them."""
        if kind in LINE_ITEMS:
            return _seen_from(self.lines, kind, number)
        key = kind, number
        if key not in self._items:
            found = items(OTHER_ITEMS[kind], self._claim, self._line(number))
            self._items[key] = (
                None
                if found is None
                else [Subject(kind, item.values, item.lines[0] if item.lines else None, None, item.unreadable)
                      for item in found]
            )  # fmt: skip
        return self._items[key]

    def history(self, test: CodeTest | None) -> list[Subject] | None:
        """The earlier services whose code passes a test, and those whose code cannot be read; None: not supplied."""
        every = self.items(HISTORY, None)
        return None if every is None else self._of_code(test, HISTORY, every)

    def lines_of_code(self, test: CodeTest | None, kind: str, number: int | None) -> list[Subject]:
        """The lines of a kind, seen from a line, whose code passes a test, and those whose code cannot be read."""
        return _seen_from(self._of_code(test, LINE, self.lines), kind, number)

    def _of_code(self, test: CodeTest | None, kind: str, every: list[Subject]) -> list[Subject]:
        if test is None:
            return every
        words, passes = test
        key = kind, *words
        found = self._by_code.get(key)
        if found is None:
            known: dict[str, bool] = {}
            found = []
            for service in every:
                code = service.values.get(PROCEDURE)
                if type(code) is not str:
                    found.append(service)
                    continue
                if code not in known:
                    known[code] = passes(code)
                if known[code]:
                    found.append(service)
            self._by_code[key] = found
        return found

    def _line(self, number: int | None) -> ServiceLine | None:
        return self._claim.lines[number - 1] if number is not None else None

    def document(self, name: str, kind: Type, number: int | None) -> Value:
        """An element of the documentation of a line, by its declared name."""
        if number is None:
            return NoValue.UNKNOWN
        found = self._in_documents(name, number)
        if found.state is None:
            return value_of(found.value, kind)
        return NoValue.ABSENT if found.state == NoValue.ABSENT.value else NoValue.UNKNOWN

    def document_state(self, name: str, number: int | None) -> str | None:
        """Why the documentation of a line has no value of an element; None where it has one."""
        return None if number is None else self._in_documents(name, number).state

    def _in_documents(self, name: str, number: int) -> DocumentValue:
        if self._documents is None:
            self._documents = Documents(self._claim)
        return document_value(self._documents.line(number), name, self.rulebook)

    def limit(self, name: str, day: int | None) -> Value:
        """A limit of a table on a day."""
        found = None if day is None else self.rulebook.limit(name, date.fromordinal(day))
        return NoValue.UNKNOWN if found is None else found

    def price(self, name: str, number: int | None) -> Value:
        """What a line is priced at: `allowed`, or the `fee` or `full-fee` of one unit."""
        if number is None:
            return NoValue.UNKNOWN
        if self._prices is None:
            self._prices = self._price_lines()
        if number > len(self._prices):
            return NoValue.UNKNOWN
        priced = self._prices[number - 1]
        amount = priced.allowed if name == "allowed" else priced.fee if name == "fee" else priced.full_fee
        return NoValue.UNKNOWN if amount is None else amount

    def rows(
        self, table: str, keys: Mapping[str, Any], unknown: frozenset[str], day: int | None
    ) -> tuple[Mapping[str, Any], ...] | None:
        """The rows of a table that fit, the most specific first.

        None where the table does not answer for the day, or the answer depends on one of the `unknown` keys.
        """
        typed = self.rulebook.typed_tables.get(table)
        if typed is not None:
            asked = _as_cells(typed, keys)
            if day is None and typed.depends_on_day(asked, unknown):
                return None
            rows = typed.find_where_known(asked, unknown, day) if unknown else typed.find(asked, day)
            return None if rows is None else tuple([row.values for row in rows])
        published = REFERENCE_TABLES.get(table)
        if published is None or unknown or day is None:
            return None
        rows = reference_rows(published, keys, day, self._reference)
        return None if rows is None else tuple([row.values for row in rows])

    def fitting(self, table: str, keys: Mapping[str, Any]) -> tuple[TableRow, ...]:
        """The rows of a pack's table that fit, whatever their days, the most specific first; none of another table."""
        typed = self.rulebook.typed_tables.get(table)
        return () if typed is None else typed.fitting(_as_cells(typed, keys), None)

    def is_never_negative(self, table: str, column: str) -> bool:
        """Whether no cell of a column of numbers is below zero; published tables have none that is."""
        typed = self.rulebook.typed_tables.get(table)
        return typed is None or typed.is_never_negative(column)

    def covered_since(self) -> int | None:
        """The first day from which the history is complete, 0 where it is for ever; None where it is not complete."""
        context = self._claim.context
        if context.history is None:
            return None
        if not context.history and context.history_complete is None:
            return 0  # stated: there is none
        if not context.history_complete:
            return None
        since = context.history_from
        born = self._claim.patient.birth_date
        if since is None or (born is not None and since <= born):
            return 0
        return since.toordinal()

    def covers(self, *, group_alone: bool) -> bool:
        """Whether the history has the services of everybody whom a relation asks for."""
        return group_alone or self._claim.context.history_scope != "group"

    @property
    def has_history(self) -> bool:
        """Whether any history was supplied."""
        return self._claim.context.history is not None


def _seen_from(lines: list[Subject], kind: str, number: int | None) -> list[Subject]:
    if number is None or kind == LINE:
        return lines
    if kind == "other-line":
        return [line for line in lines if line.number != number]
    if kind == "earlier-line":
        return [line for line in lines if line.number is not None and line.number < number]
    if kind == "later-line":
        return [line for line in lines if line.number is not None and line.number > number]
    return [line for line in lines if line.number is not None and line.number <= number]


def _as_cells(table: TypedTable, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers in the unit of the column's cells: cents, millionths, or whole ones."""
    columns = table.keys
    return {
        name: value.scaleb(columns[name].field.type.places or 0) if isinstance(value, Decimal) else value
        for name, value in keys.items()
    }
