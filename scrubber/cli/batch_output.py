"""Around the path: results of a batch into a file, from where an earlier run of the command left off.

What the file has of its last rows is read again and compared: it tells whether the file holds these results at all,
chosen by the same filters.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import orjson

from scrubber.cli.opening import Unusable

TAIL = 1 << 16  # bytes looked through at a time
ROWS_COMPARED = 50  # of CSV


class Place(NamedTuple):
    """Where to go on: what is asked for after row `after` is in the file from byte `start` on, as far as it goes.

    `heading` is how long the line is that begins such an answer and is not wanted again.
    """

    after: int
    start: int
    heading: int


BEGINNING = Place(0, 0, 0)


def place_in(path: Path, as_csv: bool) -> Place:
    """Where to go on with a file; it may not be there yet. Raises Unusable for one that holds something else."""
    if not path.exists():
        return BEGINNING
    if not path.is_file():
        raise Unusable(f"{path} is no file that can be continued; without -o results are printed")
    with _usable(path), path.open("rb") as file:
        try:
            return _in_csv(file) if as_csv else _in_lines(file)
        except (ValueError, KeyError, TypeError, csv.Error):
            raise _holds_something_else(path) from None


def write(pieces: Iterator[bytes], path: Path, place: Place) -> None:
    """Go on with a file. Raises Unusable when what it holds is not what the service says."""
    with _usable(path):
        path.touch(mode=0o600)  # it holds claims: nobody else may read it
        with path.open("r+b") as file:
            file.seek(place.start)
            held = file.read()
            skip = place.heading
            for piece in pieces:
                part, skip = piece[skip:], max(0, skip - len(piece))
                known = min(len(part), len(held))
                if part[:known] != held[:known]:
                    raise _holds_something_else(path)
                held = held[known:]
                file.write(part[known:])
    if held:
        raise _holds_something_else(path)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None


def _holds_something_else(path: Path) -> Unusable:
    return Unusable(f"{path} holds something else than these results; choose another file, or remove it")


def _in_lines(file: BinaryIO) -> Place:
    """The last whole lines of NDJSON, of so many bytes."""
    start = size = file.seek(0, 2)
    tail = b""
    while start and tail.count(b"\n") < 2:
        start = max(0, start - TAIL)
        file.seek(start)
        tail = file.read(size - start)
    begin = tail.find(b"\n") + 1 if start else 0
    end = tail.find(b"\n", begin)
    return BEGINNING if end < 0 else Place(orjson.loads(tail[begin:end])["row"] - 1, start + begin, 0)


def _in_csv(file: BinaryIO) -> Place:
    """The lines of the last rows of CSV: a row has one for each of its findings."""
    lines = _Lines(file)
    reader = csv.reader(lines)
    if not next(reader, None):
        return BEGINNING
    heading = begin = lines.bytes
    row, places = 0, deque([BEGINNING], maxlen=ROWS_COMPARED)
    for record in reader:
        if not lines.whole:
            break
        if int(record[0]) != row:
            row = int(record[0])
            places.append(Place(row - 1, begin, heading))
        begin = lines.bytes
    return places[0]


class _Lines:
    """The lines of a file, and how many bytes they have been."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes = 0
        self.whole = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.bytes += len(line)
        self.whole = line.endswith(b"\n")
        return line.decode(errors="replace")
