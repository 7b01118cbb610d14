"""The command that turns X12 files of professional claims into v3 JSON, one claim a line, and such JSON into X12."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from itertools import chain
from typing import Any

import click
import orjson

from scrubber.batch.split import lines_of_array
from scrubber.claim.formats import is_x12
from scrubber.claim.parse import parse_json
from scrubber.claim.x12 import FAULTS, ClaimLoops, X12Fault, read_loops
from scrubber.claim.x12.interchange import Header, write_interchanges
from scrubber.claim.x12.plans import WRITTEN
from scrubber.claim.x12.read import BodyReader, Unmapped
from scrubber.claim.x12.unusual import unusual_codes
from scrubber.claim.x12.write import WrittenClaim, write_segments
from scrubber.cli.claim_files import file_pieces
from scrubber.cli.options import DayParameter, Unusable
from scrubber.errors import NotABatch, NotAClaim, NotJson, NotX12

_FAULTY = 1
MOST_LISTED = 40  # kinds of things that are listed under the claims
_ID = re.compile(r"(?=.{2,15}$)[!-~]+(?: +[!-~]+)*").fullmatch
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)").fullmatch
_QUALIFIERS = ("01", "14", "20", "27", "28", "29", "30", "33", "ZZ")


class _PartyId(click.ParamType[str]):
    """An id of a sender or receiver."""

    name = "ID"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Called by click."""
        if not _ID(value):
            self.fail("give 2 to 15 letters, digits or signs", param, ctx)
        return value


class _ClockTime(click.ParamType[time]):
    """A time of the day."""

    name = "HHMM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """Called by click."""
        found = _TIME(value)
        if not found:
            self.fail("give a time as HHMM, for example 0930", param, ctx)
        return time(int(found[1]), int(found[2]))


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--to", "target", type=click.Choice(("json", "x12")), help="What to write. By default the other format.")
@click.option("--sender", type=_PartyId(), help="X12: the sender's id (ISA06, GS02).")
@click.option("--receiver", type=_PartyId(), help="X12: the receiver's id (ISA08, GS03).")
@click.option("--sender-qualifier", type=click.Choice(_QUALIFIERS), default="ZZ", metavar="CODE", help="X12: ISA05.")
@click.option("--receiver-qualifier", type=click.Choice(_QUALIFIERS), default="ZZ", metavar="CODE", help="X12: ISA07.")
@click.option("--control-number", type=click.IntRange(1, 999_999_999), default=1, help="X12: of the first interchange.")
@click.option("--date", "day", type=DayParameter(), help="X12: the file's date; by default today (UTC).")
@click.option("--time", "clock", type=_ClockTime(), help="X12: the file's time; by default now (UTC).")
@click.option("--usage", type=click.Choice(("P", "T")), default="P", help="X12: of claims that do not say it.")
@click.pass_context
def convert(context: click.Context, /, file: str, target: str | None, **options: Any) -> None:
    """Turn an X12 file (837P) into v3 JSON, one claim a line, or v3 JSON into an X12 file.

    FILE may be - for standard input. Of X12, several interchanges, groups and sets are read, by the delimiters that
    each ISA declares. JSON is one claim, a claim a line, or an array of claims, in any shape that is scrubbed. An X12
    file has one interchange for every 5,000 claims, with delimiters that stand in no value.

    What the other format has no place for, and what is wrong with the segments, is listed on standard error, with where
    it first is, and without values.

    \b
    scrubber convert claims.837 > claims.ndjson
    scrubber convert - < claims.837 | head -1
    scrubber convert claims.ndjson --sender MYCLINIC --receiver CLEARING > claims.837
    scrubber convert claim.json --sender MYCLINIC --receiver CLEARING --control-number 27 --usage T

    Exit code 0: every claim is whole; 1: something is listed; 2: the file, or the rest of it, is not read.
    """
    pieces = file_pieces(file)
    first = next(pieces, b"")
    whole = chain([first], pieces)
    notes = _Notes()
    try:
        if is_x12(first):
            if target == "x12":
                raise Unusable(f"{file}: is X12 already")
            _to_json(whole, notes)
        else:
            if target == "json":
                raise Unusable(f"{file}: is not X12, so there is nothing to turn into JSON")
            _to_x12(whole, _header(options), notes)
    except (NotX12, NotABatch) as error:
        notes.tell()
        raise Unusable(f"{file}: {error}") from None
    notes.tell()
    if notes:
        context.exit(_FAULTY)


def _header(options: dict[str, Any]) -> Header:
    if options["sender"] is None or options["receiver"] is None:
        raise Unusable("X12 needs --sender and --receiver: the ids that the receiver has given to both of you")
    now = datetime.now(UTC)
    day: date = options["day"] or now.date()
    clock: time = options["clock"] or now.time()
    return Header(
        options["sender"],
        options["receiver"],
        datetime.combine(day, clock),
        options["control_number"],
        options["usage"],
        options["sender_qualifier"],
        options["receiver_qualifier"],
    )


def _to_json(pieces: Iterable[bytes], notes: _Notes) -> None:
    reader = BodyReader(WRITTEN)
    for item in read_loops(pieces):
        notes.faults(item.faults)
        if isinstance(item, ClaimLoops):
            body, unmapped = reader.body(item)
            notes.no_place([*unmapped, *unusual_codes(item)])
            click.echo(orjson.dumps(body))


def _to_x12(pieces: Iterable[bytes], header: Header, notes: _Notes) -> None:
    for interchange in write_interchanges(_written(pieces, notes), header):
        click.echo(interchange, nl=False)


def _written(pieces: Iterable[bytes], notes: _Notes) -> Iterator[WrittenClaim]:
    """The segments of the claims of a file; of what is no claim, a note."""
    for number, text in enumerate(_bodies(pieces), start=1):
        try:
            claim = write_segments(parse_json(text))
        except NotJson:
            notes.no_claim("is no JSON in UTF-8", number)
        except NotAClaim as error:
            problem = error.problems[0]
            notes.no_claim(f"is no claim: {problem.pointer or 'the body'} {problem.message}", number)
        else:
            for pointer, reason in claim.left_out:
                notes.left_out(pointer, reason, number)
            yield claim


def _bodies(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The claims of a file: the elements of an array, its lines where the first is JSON by itself, else the file."""
    lines = _lines(pieces)
    first = next((line for line in lines if line.strip()), b"")
    if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
        yield from (line for line in _lines(lines_of_array(chain([first], lines))) if line.strip())
    elif _is_json(first):
        yield first
        yield from (line for line in lines if line.strip())
    else:
        yield b"".join((first, *lines))


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join((*rest, line, b"\n"))
            rest = []
        rest.append(last)
    yield b"".join(rest)


def _is_json(line: bytes) -> bool:
    try:
        parse_json(line)
    except (NotJson, NotAClaim):
        return False
    return True


class _Notes:
    """What is to be told of a file beside its claims: how often, and where first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def faults(self, faults: list[X12Fault]) -> None:
        for fault in faults:
            name = fault.element or fault.segment
            self._add(f"{name}: {FAULTS[fault.word]}" if name else FAULTS[fault.word], f"segment {fault.ordinal}")

    def no_place(self, unmapped: list[Unmapped]) -> None:
        for place, ordinal in unmapped:
            self._add(f"{place}: the v3 body has no place for it", f"segment {ordinal}")

    def left_out(self, pointer: str, reason: str, number: int) -> None:
        self._add(f"{pointer}: {reason}", f"claim {number}")

    def no_claim(self, text: str, number: int) -> None:
        self._add(text, f"claim {number}")

    def _add(self, text: str, where: str) -> None:
        self._counts[text] += 1
        self._first.setdefault(text, where)

    def tell(self) -> None:
        for text, count in self._counts.most_common(MOST_LISTED):
            more = f", and {count - 1:,} more times" if count > 1 else ""
            click.echo(f"{self._first[text]}: {text}{more}", err=True)
        if len(self._counts) > MOST_LISTED:
            click.echo(f"and {len(self._counts) - MOST_LISTED} more kinds of faults", err=True)
