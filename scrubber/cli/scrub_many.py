"""`scrubber scrub FILE.ndjson`: a file of many claims on all cores, gone on with where it was interrupted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from scrubber.batch.file import ProcessEnded, Terms, received_on_before, scrub_file
from scrubber.batch.job import Tally
from scrubber.batch.notes import CannotContinue
from scrubber.batch.shown import LOOKED_AT, SPACE, shown
from scrubber.cli.opening import Unusable
from scrubber.cli.progress import Shown
from scrubber.config import Settings
from scrubber.errors import BadUpload
from scrubber.findings import Switches
from scrubber.scrub import Scrubber

SUFFIXES = (".ndjson", ".jsonl")


def output_for(claims: Path, output: Path | None) -> Path:
    """Where results go, unless it is said: beside the claims."""
    return output or claims.with_name(f"{claims.stem}.results.ndjson")


def scrub_many(
    claims: Path,
    output: Path,
    received_on: date | None,
    switches: Switches,
    jobs: int,
    opened: Scrubber,
    chosen: Settings,
) -> Tally:
    """Scrubs a file and says what came out. Raises Unusable."""
    bar = _Bar()
    try:
        _has_lines(claims)
        day = received_on or received_on_before(output) or datetime.now(UTC).date()
        tally = scrub_file(claims, output, opened, Terms(day, switches, chosen.max_body_bytes), jobs, bar.told)
    except (CannotContinue, ProcessEnded) as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{claims} or {output}: {error.strerror}") from None
    except KeyboardInterrupt:
        click.echo("\nrun the same command again to go on", err=True)
        raise
    click.echo(
        f"{output}: {tally.rows:,} rows: {tally.accept:,} accept, {tally.warn:,} warn, {tally.deny:,} deny, "
        f"{tally.rejected:,} rejected; {tally.at_risk:,} dollars at risk",
        err=True,
    )
    return tally


def _has_lines(claims: Path) -> None:
    """Raises Unusable for a file whose lines cannot be claims, with what to do about it."""
    with claims.open("rb") as file:
        start = file.read(LOOKED_AT).lstrip(SPACE)
    try:
        seen = shown(start)
    except BadUpload as error:
        raise Unusable(f"{claims}: {error}") from None
    if seen.gzipped:
        raise Unusable(f"{claims} is packed; unpack it first: gzip -dk {claims}")
    if seen.format == "json":
        raise Unusable(f"{claims} is a JSON array; give a claim a line: jq -c '.[]' {claims} > claims.ndjson")


class _Bar:
    """The line of progress, from the first row on that is known."""

    def __init__(self) -> None:
        self._shown: Shown | None = None

    def told(self, rows: int, before: int, every: int) -> None:
        """See batch.file.Told."""
        self._shown = self._shown or Shown("rows", (before, before / every))
        self._shown(rows, rows / every)
