"""Loads the files of one release into a store: all of it, or nothing."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO, TypeVar

from scrubber.errors import Fault, Faults
from scrubber.reference.load.archive import OpenedSource, opened_sources, refused
from scrubber.reference.load.format import BadRow, Format, Stated, quarter_named
from scrubber.reference.load.formats import Recognised, recognise
from scrubber.reference.load.medicaid import as_loaded, check_bytes, check_names, counted, layout_of
from scrubber.reference.storage import Change, Loaded, LoadedFile, Place
from scrubber.reference.storage.packer import ROWS_A_STEP, Contradicted, Contradiction, Packer, Progress, name_of
from scrubber.reference.tables import table_of

REVISION = "-"  # between the name of a release and what names its revision, as in FY2026-April

T = TypeVar("T", str, date)


class Named(NamedTuple):
    """Name and days of a release; `until` None: until the next one. `chosen`: the name was given, not read."""

    name: str
    since: date
    until: date | None
    chosen: bool


def named(stated: Iterable[tuple[str, Stated]], chosen: Stated) -> Named:
    """The release of files, by their names and what each states. What is `chosen` goes before what they state.

    Raises Faults when files are of different releases, when one is of another quarter than the chosen name says, or
    when nobody says which it is and since when.
    """
    told = list(stated)
    first = told[0][0]
    _check_quarters(told, chosen.name)
    # Asked for whatever was chosen: a name for them all does not make one release of the files of two.
    stated_name, stated_since = _agreed(told, lambda each: each.name), _agreed(told, lambda each: each.since)
    name = chosen.name or stated_name
    if name is None:
        raise Faults([Fault(first, 0, "does not say which release it is: name it with --release")])
    days = quarter_named(name) if chosen.name else Stated()
    since = chosen.since or days.since or stated_since
    until = chosen.until or days.until or _agreed(told, lambda each: each.until)
    if since is None:
        raise Faults([Fault(first, 0, "does not say since when it is in force: give --since")])
    if until is not None and until <= since:
        raise Faults([Fault(first, 0, "ends before it begins: --until is the first day no longer in force")])
    return Named(name, since, until, chosen.name is not None)


def _check_quarters(told: list[tuple[str, Stated]], chosen: str | None) -> None:
    # A slip of the pen would put the rows of one quarter in force in another one, and replace what is there.
    said = quarter_named(chosen.partition(REVISION)[0]).name if chosen else None
    if said is None:
        return
    for name, stated in told:
        if stated.name and quarter_named(stated.name).name and stated.name != said:
            raise Faults([Fault(name, 0, f"is of {stated.name}, and --release says {chosen}")])


def _agreed(told: list[tuple[str, Stated]], what: Callable[[Stated], T | None]) -> T | None:
    found = {said: name for name, stated in told if (said := what(stated)) is not None}
    if len(found) > 1:
        (one, one_name), (other, other_name), *_ = found.items()
        raise Faults([Fault(other_name, 0, f"is of another release ({other}) than {one_name} ({one})")])
    return next(iter(found), None)


def replaced_by(new: Named, loaded: Iterable[Loaded]) -> Loaded | None:
    """The release that the new one stands in for, of those loaded of its kind; None: of none.

    One without a stated end holds until the next begins, and one that is named after another revises it from its first
    day on. Raises Faults when the new one has a day in common with any other, begins on the day of another, or has the
    name of one without having been given it.
    """
    same = None
    for each in loaded:
        if each.name == new.name:
            if not new.chosen:
                raise _refused(
                    f"{each.name} is loaded already from other bytes; to replace it, give --release {each.name}"
                    " and all of its files together"
                )
            same = each
        elif each.since == new.since:
            raise _refused(
                f"{new.name} begins on {new.since} as {each.name} does, which is loaded; drop that, or give --since"
            )
        else:
            _check_apart(new, each)
    return same


def _check_apart(new: Named, there: Loaded) -> None:
    if there.since is None or there.since < new.since:
        if _is_within(new.since, there.until) and not _revises(new.name, there.name):
            raise _refused(
                f"{new.name} begins on {new.since}, while {there.name}, which is loaded, states that it holds until"
                f" {there.until}; if it revises that from then on, give --release {there.name}{REVISION}revised; if it"
                f" stands in its place, --release {there.name}; else drop that, and load it with --until {new.since}"
            )
    elif _is_within(there.since, new.until) and not _revises(there.name, new.name):
        raise _refused(
            f"{new.name} holds until {new.until}, while {there.name}, which is loaded, begins on {there.since};"
            f" give --until {there.since}, or drop that"
        )


def _is_within(since: date, until: date | None) -> bool:
    """Whether the later of two releases begins before the stated end of the earlier one; open ones give way."""
    return until is not None and since < until


def _revises(later: str, earlier: str) -> bool:
    return later.startswith(earlier + REVISION)


def _refused(reason: str) -> Faults:
    return Faults([Fault("the release", 0, reason)])


class _Row(NamedTuple):
    """A row with its type: rows of two tables may have the same cells."""

    row_type: type
    cells: Any


class _Counted(io.TextIOWrapper):
    """Text that knows how many of its lines were read."""

    line = 0

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        """Called by readers, and for each step of an iteration."""
        text = super().readline(size)
        self.line += 1 if text else 0
        return text


class _Watched:
    """See format.Source: one whose reading is watched. `line` is the last one read of text, 0 of other content."""

    def __init__(self, source: OpenedSource) -> None:
        self.name = source.name
        self.binary = source.binary
        self._text: _Counted | None = None

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """See format.Source."""
        self._text = _Counted(self.binary(), encoding, newline="")
        return self._text

    @property
    def line(self) -> int:
        return self._text.line if self._text else 0


def told_with_lines(files: Sequence[tuple[OpenedSource, Format]], found: Iterable[Contradiction]) -> Faults:
    """Contradictions with the file and line of both rows, for which the files are read again."""
    pairs = list(found)
    places = _places(files, {_Row(type(row), row) for pair in pairs for row in pair})
    return Faults([_fault(pair, places) for pair in pairs])


def _places(files: Sequence[tuple[OpenedSource, Format]], wanted: Collection[_Row]) -> dict[_Row, tuple[str, int]]:
    """File and line at which each row is first read."""
    places: dict[_Row, tuple[str, int]] = {}
    for source, each in files:
        watched = _Watched(source)
        for row in each.read(watched):
            key = _Row(type(row), row)
            if key in wanted:
                places.setdefault(key, (source.name, watched.line))
    return places


def _fault(pair: Contradiction, places: dict[_Row, tuple[str, int]]) -> Fault:
    table = table_of(type(pair.one))
    one, other = sorted((places[_Row(type(row), row)] for row in pair), key=list(places.values()).index)
    what = " ".join(str(cell) for cell in name_of(table, pair.one) if cell not in (None, ""))
    there = f"line {one[1]}" if one[0] == other[0] else f"{one[0]}:{one[1]}"
    return Fault(
        other[0], other[1], f"says of {table.name} {what} something else than {there}, for days that both have"
    )


MOST_FAULTS = 50  # told of one load; a file of another layout would have millions
BLOCK = 1 << 20

Way = Literal["loaded", "replaced", "there-already"]


class Outcome(NamedTuple):
    """How a load went. `bad` are the rows that were skipped, MOST_FAULTS at most; `passed_over` members of archives."""

    way: Way
    release: Loaded
    bad: tuple[Fault, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What is to be loaded: files of one kind. `chosen` goes before what they state of their release.

    `loaded_at` (UTC) is told of the release. `skip_bad_rows`: load the others. `complete`: the files hold every code of
    their kind.
    """

    kind: str
    files: Sequence[str]
    chosen: Stated
    loaded_at: datetime
    skip_bad_rows: bool = False
    complete: bool = False


@dataclass
class _Tally:
    """Bad rows so far."""

    skip: bool
    count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, source: OpenedSource, bad: BadRow) -> None:
        self.count += 1
        if len(self.faults) < MOST_FAULTS:
            message = f"{bad.column}: {bad.message}" if bad.column else bad.message
            self.faults.append(Fault(source.name, bad.line, message))

    def end(self, any_good: bool) -> None:
        """Raises Faults when rows are bad and are not to be skipped, or when there are no others."""
        if self.count and not (self.skip and any_good):
            more = self.count - len(self.faults)
            last = [Fault(self.faults[-1].file, self.faults[-1].line, f"and {more} more after these")] if more else []
            raise Faults([*self.faults, *last])


def load(place: Place, wanted: Wanted, progress: Progress) -> Outcome:
    """Load files as one release of their kind. Bytes that are loaded already are not loaded again.

    Raises Faults for files that are refused, ConfigError when the place is being changed by another, OSError when it
    cannot be written. Nothing is changed then.
    """
    with opened_sources(list(wanted.files)) as sources:
        recognised = recognise(sources, layout_of(wanted.kind))
        digests = tuple(LoadedFile(Path(file).name, _digest(Path(file))) for file in wanted.files)
        with place.change() as change:
            return _load(change, wanted, recognised, digests, progress)


def _load(
    change: Change, wanted: Wanted, recognised: Recognised, files: tuple[LoadedFile, ...], progress: Progress
) -> Outcome:
    of_kind = [each for each in change.loaded if each.kind == wanted.kind]
    digest = _of_all(files)
    stated = [(source.name, _guarded(source, each)) for source, each in recognised.files]
    there = next((each for each in of_kind if each.sha256 == digest), None)
    if there is not None:
        _refuse_other_terms(there, wanted)
        return Outcome("there-already", there, (), recognised.passed_over)
    check_names(wanted.kind, [source.name for source, _ in recognised.files])
    check_bytes(wanted.kind, digest, change.loaded)
    for check_parts in {each.check_parts for _, each in recognised.files}:
        check_parts([source.name for source, _ in recognised.files])
    new = named(stated, wanted.chosen)
    old = replaced_by(new, of_kind)
    tally = _Tally(wanted.skip_bad_rows)
    packer = Packer(change.new_part())
    for source, row in _rows(recognised.files, progress):
        _take(packer, source, row, wanted.kind, tally)
    tally.end(bool(packer.counts))
    if not packer.counts:
        raise refused(recognised.files[0][0].name, "holds no rows")
    if wanted.complete and wanted.kind not in packer.counts:
        raise refused(recognised.files[0][0].name, f"holds no rows of {wanted.kind}, so it cannot be complete")
    try:
        packer.finish()
    except Contradicted as failure:
        raise told_with_lines(recognised.files, failure.found[:MOST_FAULTS]) from None
    source_name = f"{recognised.files[0][1].title}, {', '.join(file.name for file in files)}"
    release = Loaded(
        wanted.kind, new.name, new.since, new.until, digest, wanted.loaded_at, source_name, files,
        counted(wanted.kind, packer.counts), tally.count, complete=wanted.complete,
    )  # fmt: skip
    change.commit((*(each for each in change.loaded if each is not old), release), release)
    return Outcome("replaced" if old else "loaded", release, tuple(tally.faults), recognised.passed_over)


def _guarded(source: OpenedSource, each: Format) -> Stated:
    with _decoding(source):
        return each.stated(source)


def _refuse_other_terms(there: Loaded, wanted: Wanted) -> None:
    terms = zip(wanted.chosen, (there.name, there.since, there.until), strict=True)
    if wanted.complete != there.complete or any(asked is not None and asked != has for asked, has in terms):
        has = f"{there.name}, as complete" if there.complete else there.name
        raise refused(there.files[0].name, f"is loaded already as {has}; drop that to load it under other terms")


def _take(packer: Packer, source: OpenedSource, row: NamedTuple, kind: str, tally: _Tally) -> None:
    if isinstance(row, BadRow):
        tally.add(source, row)
        return
    try:
        packer.add(as_loaded(kind, row))
    except ValueError as reason:
        tally.add(source, BadRow(0, None, str(reason)))


def _rows(
    files: Sequence[tuple[OpenedSource, Format]], progress: Progress
) -> Iterator[tuple[OpenedSource, NamedTuple]]:
    total = sum(source.packed_bytes for source, _ in files) or 1
    before = count = 0
    for source, each in files:
        with _decoding(source):
            for row in each.read(source):
                yield source, row
                count += 1
                if count % ROWS_A_STEP == 0:
                    progress(count, min((before + source.packed_read) / total, 1.0))
        before += source.packed_bytes
    progress(count, 1.0)


@contextmanager
def _decoding(source: OpenedSource) -> Iterator[None]:
    """Says of a file that is no text what it should be."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise refused(source.name, f"is not {error.encoding.upper()} text") from None


def _digest(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(BLOCK):
            hashed.update(block)
    return hashed.hexdigest()


def _of_all(files: Sequence[LoadedFile]) -> str:
    """Of one file its own digest; of several that of their sorted digests, one a line."""
    digests = sorted(file.sha256 for file in files)
    repeated = [file.name for file in files if Counter(digests)[file.sha256] > 1]
    if repeated:
        raise refused(repeated[-1], "is given twice")
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
