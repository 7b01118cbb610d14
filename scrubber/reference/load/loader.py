"""Loads the published files of one release into the reference storage for `scrubber reference load`, all or nothing."""

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
from scrubber.reference.load.format import BadRow, Format, StatedRelease, quarter_by_name
from scrubber.reference.load.formats import Recognised, recognise
from scrubber.reference.load.medicaid import as_loaded, check_bytes, check_names, layout_of, rows_by_table
from scrubber.reference.storage import LoadedFile, LoadedRelease, ReleaseStorage, StorageChange
from scrubber.reference.storage.packer import ROWS_PER_STEP, Contradicted, Contradiction, LoadProgress, Packer, row_name
from scrubber.reference.tables import table_of

REVISION = "-"  # stands between the name of a release and that of its revision, as in FY2026-April

T = TypeVar("T", str, date)


class ReleaseTerms(NamedTuple):
    """Name and days of a release; `until` None: until the next one. `name_given`: by the operator, not by the files."""

    name: str
    since: date
    until: date | None
    name_given: bool


def release_terms(stated: Iterable[tuple[str, StatedRelease]], given: StatedRelease) -> ReleaseTerms:
    """Name and days of the release that files make up, by their names and what each states of it.

    What the operator has `given` goes before what the files state. Raises Faults when files are of different releases,
    when one is of another quarter than the given name, or when neither states the name and the first day.
    """
    statements = list(stated)
    first = statements[0][0]
    _check_quarters(statements, given.name)
    # Compared even where a name is given: one name for all files does not make one release of the files of two.
    stated_name, stated_since = (
        _agreed(statements, lambda each: each.name),
        _agreed(statements, lambda each: each.since),
    )
    name = given.name or stated_name
    if name is None:
        raise Faults([Fault(first, 0, "does not say which release it is: name it with --release")])
    days = quarter_by_name(name) if given.name else StatedRelease()
    since = given.since or days.since or stated_since
    until = given.until or days.until or _agreed(statements, lambda each: each.until)
    if since is None:
        raise Faults([Fault(first, 0, "does not say since when it is in force: give --since")])
    if until is not None and until <= since:
        raise Faults([Fault(first, 0, "ends before it begins: --until is the first day no longer in force")])
    return ReleaseTerms(name, since, until, given.name is not None)


def _check_quarters(statements: list[tuple[str, StatedRelease]], given: str | None) -> None:
    # A typing error would put the rows of one quarter in force in another, and replace those of that quarter.
    quarter = quarter_by_name(given.partition(REVISION)[0]).name if given else None
    if quarter is None:
        return
    for name, stated in statements:
        if stated.name and quarter_by_name(stated.name).name and stated.name != quarter:
            raise Faults([Fault(name, 0, f"is of {stated.name}, and --release says {given}")])


def _agreed(statements: list[tuple[str, StatedRelease]], what: Callable[[StatedRelease], T | None]) -> T | None:
    found = {value: name for name, stated in statements if (value := what(stated)) is not None}
    if len(found) > 1:
        (one, one_name), (other, other_name), *_ = found.items()
        raise Faults([Fault(other_name, 0, f"is of another release ({other}) than {one_name} ({one})")])
    return next(iter(found), None)


def replaced_by(new: ReleaseTerms, loaded: Iterable[LoadedRelease]) -> LoadedRelease | None:
    """The loaded release that a new one of the same kind replaces; None where it replaces none.

    A release without a stated end holds until the next begins. One whose name begins with that of another revises it
    from its own first day on. Raises Faults when the new one has a day in common with another, begins on the same day,
    or has the same name though the operator did not give that name.
    """
    same = None
    for each in loaded:
        if each.name == new.name:
            if not new.name_given:
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


def _check_apart(new: ReleaseTerms, there: LoadedRelease) -> None:
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
    """Whether the later of two releases begins before the stated end of the earlier one; without an end it may."""
    return until is not None and since < until


def _revises(later: str, earlier: str) -> bool:
    return later.startswith(earlier + REVISION)


def _refused(reason: str) -> Faults:
    return Faults([Fault("the release", 0, reason)])


class _TypedRow(NamedTuple):
    """A row with its type, as a key: rows of two tables may have the same cells, and tuples compare by cells alone."""

    row_type: type
    cells: Any


class _LineCounter(io.TextIOWrapper):
    """Text that counts the lines read from it."""

    line = 0

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        """Also called for each step of an iteration."""
        text = super().readline(size)
        self.line += 1 if text else 0
        return text


class _CountedSource:
    """A format.SourceFile that counts lines. `line` is the last line read as text, 0 for content read as bytes."""

    def __init__(self, source: OpenedSource) -> None:
        self.name = source.name
        self.binary = source.binary
        self._text: _LineCounter | None = None

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """The content as text from its beginning, line ends untouched."""
        self._text = _LineCounter(self.binary(), encoding, newline="")
        return self._text

    @property
    def line(self) -> int:
        return self._text.line if self._text else 0


def faults_with_lines(files: Sequence[tuple[OpenedSource, Format]], found: Iterable[Contradiction]) -> Faults:
    """Contradictions as faults with file and line of both rows; the files are read a second time to find these."""
    pairs = list(found)
    positions = _positions(files, {_TypedRow(type(row), row) for pair in pairs for row in pair})
    return Faults([_fault(pair, positions) for pair in pairs])


def _positions(
    files: Sequence[tuple[OpenedSource, Format]], wanted: Collection[_TypedRow]
) -> dict[_TypedRow, tuple[str, int]]:
    """File and line of each row where it is first read."""
    positions: dict[_TypedRow, tuple[str, int]] = {}
    for source, each in files:
        counted_source = _CountedSource(source)
        for row in each.read(counted_source):
            key = _TypedRow(type(row), row)
            if key in wanted:
                positions.setdefault(key, (source.name, counted_source.line))
    return positions


def _fault(pair: Contradiction, positions: dict[_TypedRow, tuple[str, int]]) -> Fault:
    table = table_of(type(pair.one))
    one, other = sorted((positions[_TypedRow(type(row), row)] for row in pair), key=list(positions.values()).index)
    what = " ".join(str(cell) for cell in row_name(table, pair.one) if cell not in (None, ""))
    there = f"line {one[1]}" if one[0] == other[0] else f"{one[0]}:{one[1]}"
    return Fault(
        other[0], other[1], f"says of {table.name} {what} something else than {there}, for days that both have"
    )


MAX_FAULTS = 50  # reported for one load; a file of another layout would have millions
BLOCK = 1 << 20

LoadStatus = Literal["loaded", "replaced", "there-already"]


class LoadOutcome(NamedTuple):
    """How a load ended. `bad`: skipped rows, MAX_FAULTS at most. `passed_over`: members of archives not read."""

    status: LoadStatus
    release: LoadedRelease
    bad: tuple[Fault, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class LoadRequest:
    """What is to be loaded: files of one kind. `given` goes before what they state of their release.

    `loaded_at` (UTC) is recorded with the release. `skip_bad_rows`: load the other rows all the same. `complete`: the
    files hold every code of their kind.
    """

    kind: str
    files: Sequence[str]
    given: StatedRelease
    loaded_at: datetime
    skip_bad_rows: bool = False
    complete: bool = False


@dataclass
class _BadRows:
    """Counts the bad rows of a load and keeps the first MAX_FAULTS as faults."""

    skip: bool
    count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, source: OpenedSource, bad: BadRow) -> None:
        self.count += 1
        if len(self.faults) < MAX_FAULTS:
            message = f"{bad.column}: {bad.message}" if bad.column else bad.message
            self.faults.append(Fault(source.name, bad.line, message))

    def end(self, any_good: bool) -> None:
        """Raises Faults when there are bad rows that are not to be skipped, or no good ones beside them."""
        if self.count and not (self.skip and any_good):
            more = self.count - len(self.faults)
            last = [Fault(self.faults[-1].file, self.faults[-1].line, f"and {more} more after these")] if more else []
            raise Faults([*self.faults, *last])


def load(storage: ReleaseStorage, wanted: LoadRequest, progress: LoadProgress) -> LoadOutcome:
    """Load files as one release of their kind. Bytes that are loaded already are not loaded again.

    Raises Faults for files that are refused, ConfigError while another process changes the storage, OSError when it
    cannot be written. In each of these cases the storage is unchanged.
    """
    with opened_sources(list(wanted.files)) as sources:
        recognised = recognise(sources, layout_of(wanted.kind))
        digests = tuple(LoadedFile(Path(file).name, _digest(Path(file))) for file in wanted.files)
        with storage.change() as change:
            return _load(change, wanted, recognised, digests, progress)


def _load(
    change: StorageChange,
    wanted: LoadRequest,
    recognised: Recognised,
    files: tuple[LoadedFile, ...],
    progress: LoadProgress,
) -> LoadOutcome:
    same_kind = [each for each in change.loaded if each.kind == wanted.kind]
    digest = _of_all(files)
    stated = [(source.name, _guarded(source, each)) for source, each in recognised.files]
    there = next((each for each in same_kind if each.sha256 == digest), None)
    if there is not None:
        _refuse_other_terms(there, wanted)
        return LoadOutcome("there-already", there, (), recognised.passed_over)
    check_names(wanted.kind, [source.name for source, _ in recognised.files])
    check_bytes(wanted.kind, digest, change.loaded)
    for check_files in {each.check_files for _, each in recognised.files}:
        check_files([source.name for source, _ in recognised.files])
    new = release_terms(stated, wanted.given)
    old = replaced_by(new, same_kind)
    bad_rows = _BadRows(wanted.skip_bad_rows)
    packer = Packer(change.new_segment())
    for source, row in _rows(recognised.files, progress):
        _take(packer, source, row, wanted.kind, bad_rows)
    bad_rows.end(bool(packer.counts))
    if not packer.counts:
        raise refused(recognised.files[0][0].name, "holds no rows")
    if wanted.complete and wanted.kind not in packer.counts:
        raise refused(recognised.files[0][0].name, f"holds no rows of {wanted.kind}, so it cannot be complete")
    try:
        packer.finish()
    except Contradicted as failure:
        raise faults_with_lines(recognised.files, failure.found[:MAX_FAULTS]) from None
    source_name = f"{recognised.files[0][1].title}, {', '.join(file.name for file in files)}"
    release = LoadedRelease(
        wanted.kind, new.name, new.since, new.until, digest, wanted.loaded_at, source_name, files,
        rows_by_table(wanted.kind, packer.counts), bad_rows.count, complete=wanted.complete,
    )  # fmt: skip
    change.commit((*(each for each in change.loaded if each is not old), release), release)
    return LoadOutcome("replaced" if old else "loaded", release, tuple(bad_rows.faults), recognised.passed_over)


def _guarded(source: OpenedSource, each: Format) -> StatedRelease:
    with _decoding(source):
        return each.stated(source)


def _refuse_other_terms(there: LoadedRelease, wanted: LoadRequest) -> None:
    terms = zip(wanted.given, (there.name, there.since, there.until), strict=True)
    if wanted.complete != there.complete or any(given is not None and given != has for given, has in terms):
        has = f"{there.name}, as complete" if there.complete else there.name
        raise refused(there.files[0].name, f"is loaded already as {has}; drop that to load it under other terms")


def _take(packer: Packer, source: OpenedSource, row: NamedTuple, kind: str, bad_rows: _BadRows) -> None:
    if isinstance(row, BadRow):
        bad_rows.add(source, row)
        return
    try:
        packer.add(as_loaded(kind, row))
    except ValueError as reason:
        bad_rows.add(source, BadRow(0, None, str(reason)))


def _rows(
    files: Sequence[tuple[OpenedSource, Format]], progress: LoadProgress
) -> Iterator[tuple[OpenedSource, NamedTuple]]:
    total = sum(source.packed_bytes for source, _ in files) or 1
    before = count = 0
    for source, each in files:
        with _decoding(source):
            for row in each.read(source):
                yield source, row
                count += 1
                if count % ROWS_PER_STEP == 0:
                    progress(count, min((before + source.packed_read) / total, 1.0))
        before += source.packed_bytes
    progress(count, 1.0)


@contextmanager
def _decoding(source: OpenedSource) -> Iterator[None]:
    """Turns a decoding error into a fault that names the file and the expected encoding."""
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
    """SHA-256 of a release: of one file its own; of several files that of their sorted digests, one a line."""
    digests = sorted(file.sha256 for file in files)
    repeated = [file.name for file in files if Counter(digests)[file.sha256] > 1]
    if repeated:
        raise refused(repeated[-1], "is given twice")
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
