"""The command that turns an X12 file of professional claims into v3 JSON, one claim a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click
import orjson

from scrubber.claim.x12 import FAULTS, ClaimLoops, X12Fault, read_loops
from scrubber.claim.x12.plans import WRITTEN
from scrubber.claim.x12.read import BodyReader, Unmapped
from scrubber.cli.claim_files import file_pieces
from scrubber.cli.options import Unusable
from scrubber.errors import NotX12

_FAULTY = 1
MOST_LISTED = 40  # kinds of things that are listed under the claims


@click.command()
@click.argument("file", metavar="FILE")
@click.pass_context
def convert(context: click.Context, file: str) -> None:
    """Turn an X12 file (837P) into v3 JSON, one claim a line.

    FILE may be - for standard input. Several interchanges, groups and sets are read, by the delimiters that each ISA
    declares. What the v3 body has no place for, and what is wrong with the segments, is listed on standard error, with
    the place and the number of the first segment, and without values.

    \b
    scrubber convert claims.837 > claims.ndjson
    scrubber convert - < claims.837 | head -1

    Exit code 0: every claim is whole; 1: something is listed; 2: the file, or the rest of it, is not read.
    """
    notes = _Notes()
    try:
        for line in _claims(file, notes):
            click.echo(line)
    except NotX12 as error:
        notes.tell()
        raise Unusable(f"{file}: {error}") from None
    notes.tell()
    if notes:
        context.exit(_FAULTY)


def _claims(file: str, notes: _Notes) -> Iterator[bytes]:
    reader = BodyReader(WRITTEN)
    for item in read_loops(file_pieces(file)):
        notes.faults(item.faults)
        if isinstance(item, ClaimLoops):
            body, unmapped = reader.body(item)
            notes.left_out(unmapped)
            yield orjson.dumps(body)


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

    def left_out(self, unmapped: list[Unmapped]) -> None:
        for place, ordinal in unmapped:
            self._add(f"{place}: the v3 body has no place for it", f"segment {ordinal}")

    def _add(self, text: str, where: str) -> None:
        self._counts[text] += 1
        self._first.setdefault(text, where)

    def tell(self) -> None:
        for text, count in self._counts.most_common(MOST_LISTED):
            more = f", and {count - 1:,} more times" if count > 1 else ""
            click.echo(f"{self._first[text]}: {text}{more}", err=True)
        if len(self._counts) > MOST_LISTED:
            click.echo(f"and {len(self._counts) - MOST_LISTED} more kinds of faults", err=True)
