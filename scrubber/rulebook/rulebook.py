"""Holds all rules of a folder and the tables of its packs, for look-ups by payer and date of service."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any, NamedTuple

from scrubber.dated_rows import in_force, on
from scrubber.errors import Fault
from scrubber.likeness import perhaps
from scrubber.rulebook.family import DocumentElement, Family, elements_of
from scrubber.rulebook.field import Field
from scrubber.rulebook.grammar import OLDEST
from scrubber.rulebook.rule import SEVERITIES, Rule
from scrubber.rulebook.rule_tables import (
    AdoptionRow,
    AliasRow,
    CodeListRow,
    DiagnosisListRow,
    FilingIndicatorRow,
    FrequencyRow,
    LimitRow,
    NeededElementRow,
    Payer,
    PayerFeeRow,
    PlanRow,
    PolicyRow,
    RuleTable,
    most_specific,
    specificity,
)
from scrubber.rulebook.satisfiable import CodeSet
from scrubber.rulebook.table_declaration import TableDeclaration
from scrubber.rulebook.typed_table import TypedTable

# Which reference data a test case runs on: the tables that ship with the program, so that it comes out alike
# wherever it runs; the same as if they were loaded files, or complete ones; or what SCRUBBER_REFERENCE names.
STARTER_RELEASES, AS_LOADED, AS_COMPLETE, IN_USE = "starter", "loaded", "complete", "in-use"
TEST_RELEASES = (STARTER_RELEASES, AS_LOADED, AS_COMPLETE, IN_USE)
RUNNING = (
    "active",
    "shadow",
)  # statuses of the rules that are run; what shadow rules find is reported apart from the rest
DAYS_CACHED = 4_096  # days whose rows a process remembers
PAYERS_CACHED = 16_384  # payers and days, by pack or code


@dataclass(frozen=True, slots=True)
class Pack:
    """One folder of rules. `adoption` is everyone or by-row; `test_releases` holds for its cases that name none.

    `tables` has the built-in kind of each file that has one, `own_tables` the declarations of the others, and `lists`
    what the codes of a list are (vocabulary.LIST_TYPES), by name. `grammar` is that of the rule language in which its
    files are written (grammar.GRAMMARS). `uses` are other packs whose names its rules use.
    """

    name: str
    title: str
    about: str
    adoption: str
    tables: Mapping[str, str]
    test_releases: str = STARTER_RELEASES
    lists: Mapping[str, str] = field(default_factory=dict)
    grammar: str = OLDEST
    own_tables: Mapping[str, TableDeclaration] = field(default_factory=dict)
    uses: Sequence[str] = ()


class _Window(NamedTuple):
    first: int  # day ordinals; `last` is the first day no longer in force
    last: int


class _Ranges:
    """Ranges of codes of one length and one last letter (see `within`), by their first code."""

    def __init__(self, ranges: Iterable[tuple[str, str, _Window]]) -> None:
        self.rows = sorted(ranges)
        self._lows = [low for low, _, _ in self.rows]
        self._highest = list(accumulate([high for _, high, _ in self.rows], max))

    def windows(self, code: str) -> list[_Window]:
        """When the ranges that a code stands in are in force; the code has their length and last letter."""
        found, at = [], bisect_right(self._lows, code)
        while at and self._highest[at - 1] >= code:  # none before reaches as far as the code
            at -= 1
            if self.rows[at][1] >= code:
                found.append(self.rows[at][2])
        return found


def _form(code: str) -> tuple[int, str]:
    """What codes of one range have in common: see `within`."""
    return len(code), code[-1:] if code[-1:].isalpha() else ""


class CodeLists:
    """Dated lists of codes by name."""

    def __init__(self, rows: Iterable[CodeListRow]) -> None:
        self._codes: dict[str, dict[str, list[_Window]]] = {}
        self.names: set[str] = set()
        ranges: dict[str, dict[tuple[int, str], list[tuple[str, str, _Window]]]] = {}
        for row in rows:
            self.names.add(row.list)
            window = _Window(row.since.toordinal() if row.since else 0, row.until.toordinal() if row.until else 10**7)
            if row.through is None:
                self._codes.setdefault(row.list, {}).setdefault(row.code, []).append(window)
            else:
                of_list = ranges.setdefault(row.list, {})
                of_list.setdefault(_form(row.code), []).append((row.code, row.through, window))
        self._ranges = {
            name: {form: _Ranges(of_form) for form, of_form in of_list.items()} for name, of_list in ranges.items()
        }

    def contains(self, list_name: str, code: str, day: int) -> bool:
        """Whether the list has the code on the day (an ordinal)."""
        of_list = self._codes.get(list_name)
        if of_list is not None:
            for first, last in of_list.get(code, ()):
                if first <= day < last:
                    return True
        ranges = self._ranges.get(list_name)
        if ranges is None:
            return False
        of_form = ranges.get(_form(code))
        if of_form is None:
            return False
        for first, last in of_form.windows(code):  # noqa: SIM110  a loop takes half the time of any() with a generator
            if first <= day < last:
                return True
        return False

    def among(self, list_name: str, codes: Iterable[str], day: int) -> frozenset[str]:
        """Those of some codes that the list has on the day (an ordinal)."""
        return frozenset([code for code in codes if self.contains(list_name, code, day)])

    def may_contain(self, list_name: str, code: str) -> bool:
        """Whether the list has the code on any day."""
        if code in self._codes.get(list_name, ()):
            return True
        ranges = self._ranges.get(list_name)
        of_form = ranges.get(_form(code)) if ranges else None
        return of_form is not None and bool(of_form.windows(code))

    def turns(self, list_name: str) -> frozenset[int]:
        """The days (ordinals) on which the list may begin to hold other codes than on the day before."""
        windows = [window for held in self._codes.get(list_name, {}).values() for window in held]
        windows += [window for _, _, window in self._ranges_of(list_name)]
        return frozenset(day for window in windows for day in window)

    def on(self, list_name: str, day: int) -> CodeSet:
        """All that the list holds on a day (an ordinal)."""
        codes = frozenset(
            code
            for code, windows in self._codes.get(list_name, {}).items()
            if any(first <= day < last for first, last in windows)
        )
        ranges = self._ranges_of(list_name)
        return CodeSet(codes, tuple((low, high) for low, high, window in ranges if window.first <= day < window.last))

    def test(self, list_name: str) -> Callable[[str], bool]:
        """`may_contain` for one list, at the least cost for repeated look-ups."""
        if list_name in self._ranges:
            return partial(self.may_contain, list_name)
        return frozenset(self._codes.get(list_name, ())).__contains__

    def _ranges_of(self, list_name: str) -> list[tuple[str, str, _Window]]:
        return [row for of_form in self._ranges.get(list_name, {}).values() for row in of_form.rows]


# Tables that are looked up by one of their columns.
_KEYS = {
    "limits": "name",
    "aliases": "payer_id",
    "filing-indicators": "filing_indicator",
    "plans": "plan",
    "adoptions": "pack",
    "payer-fees": "code",
    "policies": "code",
    "diagnosis-lists": "list",
    "frequencies": "name",
}


class Rulebook:
    """All rules by id and the rows of all tables. `digest` identifies their exact content."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        packs: Mapping[str, Pack],
        rows: Mapping[str, tuple[Any, ...]],
        digest: str,
        tables: Iterable[RuleTable] = (),
        like: Rulebook | None = None,
        left_out: Iterable[Fault] = (),
        typed_tables: Mapping[str, TypedTable] | None = None,
        families: Iterable[Family] = (),
    ) -> None:
        """`tables` are the files that the rows were read from, where they are known: only `row_position` uses them.

        Indexes that the rulebook `like` built from the very same rows are reused. `left_out` has the faults that kept
        drafts from loading. `typed_tables` are the tables that packs declare themselves, by name; `families` say what
        the documentation of lines may state.
        """
        self.rules = rules
        self.packs = packs
        self.rows = rows
        self.digest = digest
        self.tables = tuple(tables)
        self.left_out = tuple(left_out)
        self.typed_tables: Mapping[str, TypedTable] = typed_tables or {}
        self.families = tuple(families)
        self.documentation_elements: Mapping[str, DocumentElement] = elements_of(self.families)
        self.derived_words = tuple(each for family in self.families for each in family.derived)
        self.document_fields: Mapping[str, Field] = {
            **{name: element.field for name, element in self.documentation_elements.items()},
            **{word.field.name: word.field for word in self.derived_words},
        }
        self.active = tuple(rule for rule in rules.values() if rule.status == "active")
        self.running = tuple(rule for rule in rules.values() if rule.status in RUNNING)
        listed = rows.get("code-lists", ())
        self.lists: CodeLists = like.lists if like and like.rows.get("code-lists", ()) is listed else CodeLists(listed)
        self._groups: dict[str, dict[Any, tuple[Any, ...]]] = {
            kind: like._groups[kind] if like and like.rows.get(kind) is rows.get(kind) else _grouped(rows, kind)
            for kind in _KEYS
        }
        self._needed: tuple[NeededElementRow, ...] = rows.get("needed-elements", ())
        self._policy_tables: dict[int, str] | None = None  # by the row's identity: two packs may have equal rows
        self._needed_on = lru_cache(DAYS_CACHED)(self._find_needed)
        self._rules_with_rows = frozenset(
            row.rule for row in rows.get("adoptions", ()) if row.rule
        )  # rules with a row of theirs
        self._adopted_on = lru_cache(PAYERS_CACHED)(self._find_adopted)
        self._row_on = lru_cache(PAYERS_CACHED)(self._find_row)
        self._policy_on = lru_cache(PAYERS_CACHED)(self._find_policy)

    @property
    def drafts_left_out(self) -> tuple[str, ...]:
        """The ids of the drafts that do not load, and so are no rules."""
        names = (fault.file.rpartition("/")[2].removesuffix(".yaml") for fault in self.left_out)
        return tuple(sorted(set(names)))

    def no_such_rule(self, rule_id: str) -> str:
        """What goes behind a message on the id of no rule: that it is a draft that does not load, or what was meant."""
        if rule_id in self.drafts_left_out:
            return ": it is a draft that does not load, and scrubber rules lint tells why"
        return perhaps(rule_id, self.rules)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the arguments of the constructor: another process builds its own indexes."""
        content = (self.rules, self.packs, self.rows, self.digest, self.tables)
        return Rulebook, (*content, None, self.left_out, self.typed_tables, self.families)

    def with_others(
        self,
        rules: Mapping[str, Rule] | None = None,
        packs: Mapping[str, Pack] | None = None,
        rows: Mapping[str, tuple[Any, ...]] | None = None,
        typed_tables: Mapping[str, TypedTable] | None = None,
    ) -> Rulebook:
        """The same rulebook with other rules, packs, rows or tables; its digest and everything else stay."""
        return Rulebook(
            self.rules if rules is None else rules,
            self.packs if packs is None else packs,
            self.rows if rows is None else rows,
            self.digest,
            self.tables,
            like=self,
            left_out=self.left_out,
            typed_tables=self.typed_tables if typed_tables is None else typed_tables,
            families=self.families,
        )

    def payer_name(self, payer_id: str, day: date) -> str | None:
        """Our name for the payer that senders call `payer_id`."""
        rows: tuple[AliasRow, ...] = self._groups["aliases"].get(payer_id, ())
        row = on(rows, day)
        return row.payer if row else None

    def line_of_business(self, filing_indicator: str, day: date) -> str | None:
        """The line of business that a claim filing indicator names."""
        rows: tuple[FilingIndicatorRow, ...] = self._groups["filing-indicators"].get(filing_indicator, ())
        row = on(rows, day)
        return row.line_of_business if row else None

    def plan_line_of_business(self, plan: str, day: date) -> str | None:
        """The line of business that a value of eligibility.plan names."""
        rows: tuple[PlanRow, ...] = self._groups["plans"].get(plan, ())
        row = on(rows, day)
        return row.line_of_business if row else None

    def adopted(self, pack: str, payer: Payer, day: date) -> bool | None:
        """Whether the payer applies the pack; None when no row answers."""
        return self._adopted_on(pack, payer, day)

    def _find_adopted(self, pack: str, payer: Payer, day: date) -> bool | None:
        row = most_specific(self.adoption_rows(pack, None), payer, day)
        if row is not None:
            return row.adopted
        return True if self.packs[pack].adoption == "everyone" else None

    def applied(self, rule: Rule, payer: Payer, day: date) -> bool | None:
        """Whether the payer applies the rule: by a row that names it, else as its pack; None when no row answers."""
        row = self.adoption_row(rule, "adopted", payer, day)
        return self.adopted(rule.pack, payer, day) if row is None else row.adopted

    def severity(self, rule: Rule, payer: Payer, day: date, own: str | None = None) -> str:
        """How severe a finding of the rule is for the payer: its `own` severity (None: the rule's), or what a row of
        adoptions says, if that is less.
        """
        row, own = self.adoption_row(rule, "severity", payer, day), own or rule.severity
        return own if row is None or row.severity is None else min(own, row.severity, key=SEVERITIES.index)

    def adoption_row(self, rule: Rule, column: str, payer: Payer, day: date) -> AdoptionRow | None:
        """The row naming the rule that says for the payer what `column` holds, adopted or severity; None: none does."""
        return self._row_on(rule.pack, rule.id, column, payer, day) if rule.id in self._rules_with_rows else None

    def _find_row(self, pack: str, rule: str, column: str, payer: Payer, day: date) -> AdoptionRow | None:
        rows = [row for row in self.adoption_rows(pack, rule) if getattr(row, column) is not None]
        return most_specific(rows, payer, day)

    def adoption_rows(self, pack: str, rule: str | None) -> list[AdoptionRow]:
        """The rows that name a rule of a pack; without a rule, those of the pack as a whole."""
        return [row for row in self._groups["adoptions"].get(pack, ()) if row.rule == rule]

    def payer_fee(self, code: str, payer: Payer, day: date) -> PayerFeeRow | None:
        """The row that prices the code for the payer; one for the code goes before one for every code."""
        exact: tuple[PayerFeeRow, ...] = self._groups["payer-fees"].get(code, ())
        every: tuple[PayerFeeRow, ...] = self._groups["payer-fees"].get(None, ())
        return most_specific(exact, payer, day) or most_specific(every, payer, day)

    def policy(self, code: str, payer: Payer, day: date) -> PolicyRow | None:
        """The coverage policy row that fits the payer best on the day."""
        return self._policy_on(code, payer, day)

    def _find_policy(self, code: str, payer: Payer, day: date) -> PolicyRow | None:
        rows: tuple[PolicyRow, ...] = self._groups["policies"].get(code, ())
        return most_specific(rows, payer, day)

    def policies(self, code: str, day: date) -> tuple[PolicyRow, ...]:
        """Every coverage policy row of a code on the day; the most specific first."""
        rows: list[PolicyRow] = [row for row in self._groups["policies"].get(code, ()) if in_force(row, day)]
        return tuple(sorted(rows, key=specificity, reverse=True))

    def diagnosis_rows(self, list_name: str, day: date) -> tuple[DiagnosisListRow, ...]:
        """The rows of a policy's diagnosis list that are in force on the day."""
        return tuple(row for row in self._groups["diagnosis-lists"].get(list_name, ()) if in_force(row, day))

    def frequency(self, name: str, day: date) -> FrequencyRow | None:
        """The frequency limit of that name on the day."""
        rows: tuple[FrequencyRow, ...] = self._groups["frequencies"].get(name, ())
        return on(rows, day)

    def limit(self, name: str, day: date) -> Decimal | None:
        """The limit of that name on the day."""
        rows: tuple[LimitRow, ...] = self._groups["limits"].get(name, ())
        row = on(rows, day)
        return row.value if row else None

    def row_position(self, kind: str, row: Any) -> str | None:
        """FILE:LINE of a row, below the folder of rules; None when it is not known. Slow: for explanations only."""
        for table in self.tables:
            if table.kind == kind:
                for line, other in table.numbered:
                    if other is row:
                        return f"{table.name}:{line}"
        return None

    def policy_table(self, row: PolicyRow) -> str | None:
        """The file of a policy row, below the folder of rules; None when it is not known."""
        if self._policy_tables is None:
            placed = ((row, table.name) for table in self.tables if table.kind == "policies" for row in table.rows)
            self._policy_tables = {id(each): name for each, name in placed}
        return self._policy_tables.get(id(row))

    def needed_elements(self, day: date) -> tuple[NeededElementRow, ...]:
        """Elements that every claim needs on the day."""
        return self._needed_on(day)

    def _find_needed(self, day: date) -> tuple[NeededElementRow, ...]:
        return tuple(row for row in self._needed if in_force(row, day))


def _grouped(rows: Mapping[str, tuple[Any, ...]], kind: str) -> dict[Any, tuple[Any, ...]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows.get(kind, ()):
        groups[getattr(row, _KEYS[kind])].append(row)
    return {key: tuple(group) for key, group in groups.items()}
