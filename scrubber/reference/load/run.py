"""Before any claim: loads the files of one release into a place: all of it, or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import BadRow, Format, Stated
from scrubber.reference.load.medicaid import as_loaded, check_bytes, check_names, counted, layout_of
from scrubber.reference.load.opening import OpenedSource, opened_sources, refused
from scrubber.reference.load.places import told_with_lines
from scrubber.reference.load.recognise import Recognised, recognise
from scrubber.reference.load.release import named, replaced_by
from scrubber.reference.once import Contradicted
from scrubber.reference.part import Packer
from scrubber.reference.place import Change, Loaded, LoadedFile, Place
from scrubber.reference.progress import ROWS_A_STEP, Progress

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
