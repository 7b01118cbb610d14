"""Makes the facts of some lines once more, with tables that record each look-up, for what explanations list.

Nothing of it runs when a claim is scrubbed: recording tables are given in place of the plain ones, and ask those. What
a process remembers belongs to the tables that it came from, so that nothing remembered stands in for a look-up here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from functools import cached_property, wraps
from typing import Any, NamedTuple, TypeVar, cast

from msgspec.structs import replace

from scrubber.claim.model import Claim
from scrubber.facts.element import x12_codes
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import ROWS, Fact
from scrubber.facts.gather import Tables, facts_by_kind
from scrubber.facts.medicaid import own_edits
from scrubber.facts.notices import Notices
from scrubber.facts.payer import identify_payer
from scrubber.facts.rule_codes import rule_codes
from scrubber.facts.service_lines import line_views
from scrubber.reference import Reference
from scrubber.reference.releases import Pair, Windows
from scrubber.reference.tables import R, Table
from scrubber.rulebook.rulebook import CodeLists, Rulebook
from scrubber.scrub import ClaimFacts

OF_CLAIM = frozenset(("claim", "element", "diagnosis"))  # kinds of facts that are made from no lines
OF_ALL_LINES = frozenset(("table",))  # kinds that are made from the dates of all lines


class RecordedLookup(NamedTuple):
    """One look-up: `what` was asked (a method of the tables), by which codes, names and days, and what was `found`.

    `rows` are those under the key, by table, in the order in which tables were read; some may hold on other days only.
    `reference` is the reference data that was asked, None for tables beside the rules.
    """

    what: str
    by: tuple[Any, ...]
    found: Any
    rows: tuple[tuple[str, tuple[Any, ...]], ...]
    reference: Any


Record = tuple[RecordedLookup, ...]


class _Recorder:
    """What is looked up, in order, each once. What a look-up asks on its own account is a part of it."""

    def __init__(self) -> None:
        self.made: dict[tuple[object, ...], RecordedLookup] = {}
        self._rows: list[tuple[str, tuple[Any, ...]]] | None = None

    def look_up(self, what: str, by: tuple[Any, ...], ask: Callable[[], Any], reference: Reference | None) -> Any:
        """What `ask` answers; it is recorded."""
        if self._rows is not None:
            return ask()
        self._rows = []
        try:
            found = ask()
            self.made.setdefault(
                (what, by, id(reference)), RecordedLookup(what, by, found, tuple(self._rows), reference)
            )
        finally:
            self._rows = None
        return found

    def add_rows(self, table: str, rows: tuple[Any, ...]) -> None:
        """Rows that a look-up read in a table."""
        if self._rows is not None:
            self._rows.append((table, rows))


Method = TypeVar("Method", bound=Callable[..., Any])


def _recorded(method: Method) -> Method:
    """A method of the tables that is recorded."""

    @wraps(method)
    def look_up(self: Any, *by: Any) -> Any:
        return self.recorder.look_up(method.__name__, by, lambda: method(self, *by), self.reference)

    return cast(Method, look_up)


class _RecordingReference(Reference):
    """Reference data that records what is looked up in `reference`."""

    def __init__(self, reference: Reference, recorder: _Recorder) -> None:
        super().__init__(reference.backend, reference._timeline)
        self.reference = reference
        self.recorder = recorder
        # Nothing remembered within it may hide rows from a later look-up.
        self._cached_row = self._find_row  # type: ignore[assignment]
        self._cached_classes = self._find_class  # type: ignore[assignment]
        self._cached_articles = self._find_articles  # type: ignore[assignment]

    absence = _recorded(Reference.absence)
    article_diagnoses = _recorded(Reference.article_diagnoses)
    contractors_of_state = _recorded(Reference.contractors_of_state)
    diagnosis = _recorded(Reference.diagnosis)
    diagnosis_notes = _recorded(Reference.diagnosis_notes)
    fee = _recorded(Reference.fee)
    is_diagnosis_header = _recorded(Reference.is_diagnosis_header)
    locality_of_zip = _recorded(Reference.locality_of_zip)
    modifier = _recorded(Reference.modifier)
    mue = _recorded(Reference.mue)
    place_of_service = _recorded(Reference.place_of_service)
    procedure = _recorded(Reference.procedure)
    table_status = _recorded(Reference.table_status)
    coverage = _recorded(Reference.coverage)
    taxonomy = _recorded(Reference.taxonomy)

    @cached_property
    def medicaid(self) -> Reference:
        """See Reference; what is looked up in it is recorded as well."""
        return _RecordingReference(self.reference.medicaid, self.recorder)

    def ptp_among(self, codes: Collection[str], first: date, last: date) -> Mapping[Pair, Windows]:
        """See Reference."""
        asked = frozenset(codes)
        found: Mapping[Pair, Windows] = self.recorder.look_up(
            "ptp_among", (asked, first, last), lambda: self.reference.ptp_among(asked, first, last), self.reference
        )
        return found

    def rows(self, table: Table[R], key: str, day: date) -> tuple[R, ...]:
        """See Reference."""

        def ask() -> tuple[R, ...]:
            rows = self.reference.rows(table, key, day)
            self.recorder.add_rows(table.name, rows)
            return rows

        found: tuple[R, ...] = self.recorder.look_up(ROWS, (table.name, key, day), ask, self.reference)
        return found


class _RecordingLists(CodeLists):
    """Lists of codes that record which codes are looked up in them."""

    reference = None

    def __init__(self, lists: CodeLists, recorder: _Recorder) -> None:
        vars(self).update(vars(lists))
        self.recorder = recorder

    contains = _recorded(CodeLists.contains)
    may_contain = _recorded(CodeLists.may_contain)
    on = _recorded(CodeLists.on)


class _RecordingGroup(dict[Any, tuple[Any, ...]]):
    """The rows of a table beside the rules, by key; which are read is recorded."""

    def __init__(self, kind: str, rows: Mapping[Any, tuple[Any, ...]], recorder: _Recorder) -> None:
        super().__init__(rows)
        self._kind, self._recorder = kind, recorder

    def get(self, key: Any, default: Any = ()) -> Any:
        """See dict."""
        rows = super().get(key, default)
        self._recorder.add_rows(self._kind, rows)
        return rows


class _RecordingRulebook(Rulebook):
    """A rulebook that records what is looked up in its tables."""

    reference = None

    def __init__(self, book: Rulebook, recorder: _Recorder) -> None:
        vars(self).update(vars(book))
        self.recorder = recorder
        self.lists = _RecordingLists(book.lists, recorder)
        self._groups = {kind: _RecordingGroup(kind, rows, recorder) for kind, rows in book._groups.items()}
        self._adopted_on = self._find_adopted  # type: ignore[assignment]
        self._policy_on = self._find_policy  # type: ignore[assignment]
        self._needed_on = self._find_needed  # type: ignore[assignment]

    adopted = _recorded(Rulebook.adopted)
    diagnosis_rows = _recorded(Rulebook.diagnosis_rows)
    frequency = _recorded(Rulebook.frequency)
    limit = _recorded(Rulebook.limit)
    line_of_business = _recorded(Rulebook.line_of_business)
    needed_elements = _recorded(Rulebook.needed_elements)
    payer_name = _recorded(Rulebook.payer_name)
    plan_line_of_business = _recorded(Rulebook.plan_line_of_business)
    policy = _recorded(Rulebook.policy)


class _Recording:
    """Recording tables of a rulebook and of reference data."""

    def __init__(self, book: Rulebook, reference: Reference) -> None:
        self._recorder = _Recorder()
        self.book = _RecordingRulebook(book, self._recorder)
        self.reference = _RecordingReference(reference, self._recorder)

    def end(self) -> Record:
        """What was looked up. The tables are emptied: results that a process remembers by them keep nothing alive."""
        record = tuple(self._recorder.made.values())
        medicaid = vars(self.reference).get("medicaid")
        for tables in (self.book.lists, self.book, self.reference, *([medicaid] if medicaid else [])):
            vars(tables).clear()
        return record


def record_of_fact(
    fact: Fact,
    claim: Claim,
    known: ClaimFacts,
    book: Rulebook,
    reference: Reference,
    received_on: date,
    stale_after: int | None,
) -> Record:
    """What was looked up for the facts of a fact's kind on its lines. `known` is what is known of the claim."""
    if claim.too_long:
        return ()
    recording = _Recording(book, reference)
    views = known.views
    if fact.kind not in OF_ALL_LINES:
        numbers = frozenset(() if fact.kind in OF_CLAIM else (*fact.lines, *fact.related))
        some = replace(claim, lines=tuple(line for line in claim.lines if line.number in numbers))
        views = line_views(some, known.payer, recording.reference)
    tables = Tables(
        recording.book,
        own_edits(known.payer, recording.reference),
        recording.reference,
        rule_codes(book),
        x12_codes(book),
    )
    exclusions = Exclusions(known.views, recording.book.lists)
    notices = Notices(claim, recording.book)
    kinds = facts_by_kind(claim, known.payer, views, notices, exclusions, tables, received_on, stale_after)
    _make(kinds[fact.kind])
    return recording.end()


def _make(facts: Iterable[Fact]) -> None:
    """Facts are made one by one as they are asked for."""
    for _ in facts:
        pass


def record_of_payer(claim: Claim, day: date, book: Rulebook, reference: Reference) -> Record:
    """What was looked up to find out who pays."""
    recording = _Recording(book, reference)
    identify_payer(claim, day, recording.book, recording.reference)
    return recording.end()
