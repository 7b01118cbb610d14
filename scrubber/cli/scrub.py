"""`scrubber scrub`: scrubs claims in files, one claim each, or a file of many claims on all cores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click

from scrubber.batch.local_file import CannotContinue, FileOptions, ProcessEnded, received_on_before, scrub_file
from scrubber.batch.model import BatchTally
from scrubber.batch.upload import LOOKED_AT, SPACE, sniff
from scrubber.claim.model import Claim
from scrubber.cli.claim_files import claim_bytes, claim_errors_as_messages
from scrubber.cli.options import DayParameter, Unusable, current_settings, errors_as_messages, receipt
from scrubber.cli.terminal import ProgressLine
from scrubber.config import Settings, cores
from scrubber.errors import BadUpload
from scrubber.findings import ScrubResult, Switches, read_switches
from scrubber.response import DEFAULT_VIEW, INCLUDES, VIEWS, View, including, terminal
from scrubber.response.claim import CHECKS, SHADOW
from scrubber.rulebook.history import archive_or_warn
from scrubber.scrub import Receipt, Scrubber, open_scrubber, scrub_bytes

SUFFIXES = (".ndjson", ".jsonl")


def output_for(claims: Path, output: Path | None) -> Path:
    """The file for results: the option, or else one beside the claims."""
    return output or claims.with_name(f"{claims.stem}.results.ndjson")


def scrub_many(
    claims: Path,
    output: Path,
    received_on: date | None,
    switches: Switches,
    jobs: int,
    opened: Scrubber,
    settings: Settings,
) -> BatchTally:
    """Scrub a file of many claims and print the totals; an interrupted run is continued. Raises Unusable."""
    bar = _LocalProgress()
    try:
        _has_lines(claims)
        day = received_on or received_on_before(output) or datetime.now(UTC).date()
        tally = scrub_file(
            claims, output, opened, FileOptions(day, switches, settings.max_body_bytes), jobs, bar.report
        )
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
    """Raises Unusable for a file whose lines cannot be claims, with a message of what to do."""
    with claims.open("rb") as file:
        start = file.read(LOOKED_AT).lstrip(SPACE)
    try:
        seen = sniff(start)
    except BadUpload as error:
        raise Unusable(f"{claims}: {error}") from None
    if seen.gzipped:
        raise Unusable(f"{claims} is packed; unpack it first: gzip -dk {claims}")
    if seen.format == "x12":
        raise Unusable(f"{claims} is X12; give a claim a line: scrubber convert {claims} > claims.ndjson")
    if seen.format == "json":
        raise Unusable(f"{claims} is a JSON array; give a claim a line: jq -c '.[]' {claims} > claims.ndjson")


class _LocalProgress:
    """The line of progress of scrub_file, which begins with the first report: only then is the number of rows known."""

    def __init__(self) -> None:
        self._line: ProgressLine | None = None

    def report(self, rows: int, before: int, every: int) -> None:
        """The callback of scrub_file: rows done, those done before this run, and all rows."""
        self._line = self._line or ProgressLine("rows", (before, before / every))
        self._line(rows, rows / every)


_FELL_SHORT, _UNREADABLE = 1, 2
PrintAnswer = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class _FileScrub:
    """How each file is scrubbed and its answer printed; `view` gives the view of a file by its name."""

    scrubber: Scrubber
    receipt: Receipt
    switches: Switches
    view: Callable[[str], View]
    print_answer: PrintAnswer

    def file(self, file: str) -> str | None:
        """Scrub one file and print the answer. Returns its disposition, or None when it is no claim."""
        try:
            data = claim_bytes(file)
            with claim_errors_as_messages(file):
                answered = scrub_bytes(data, self.scrubber, self.receipt, self.switches, self.view(file))
        except Unusable as error:
            click.echo(error.message, err=True)
            return None
        self.print_answer(answered.content)
        return answered.result.disposition


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer, one line a file.")
@click.option("--view", type=click.Choice(list(VIEWS)), default=DEFAULT_VIEW, help="Shape of that answer.")
@click.option("--include", type=click.Choice(INCLUDES), multiple=True, help="What is shown only when asked for.")
@click.option("--enable", multiple=True, metavar="ID", help="Let what this shadow rule finds count.")
@click.option("--disable", multiple=True, metavar="ID", help="Leave this rule out.")
@click.option(
    "--received-on",
    type=DayParameter(),
    help="Day of receipt, instead of the claim's own or today; of many claims: of those that do not say.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when something denies.")
@click.option("--jobs", type=click.IntRange(1), help="The file has a claim a line: so many processes. [one per core]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where their results go.")
@click.pass_context
def scrub(
    context: click.Context,
    files: tuple[str, ...],
    as_json: bool,
    view: str,
    include: tuple[str, ...],
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    received_on: date | None,
    strict: bool,
    jobs: int | None,
    output: Path | None,
) -> None:
    """Scrub claims: v3 Professional Claims bodies in files, or - for standard input.

    A file that ends in .ndjson or .jsonl, or is given with --jobs or --output, has a claim a line, any number of them.
    Their results go to a file of such lines, in the same order, as those of a batch do. When it is interrupted, the
    same command goes on where it was.

    \b
    scrubber scrub claim.json                     a table to read
    scrubber scrub --json *.json > answers.ndjson the API's answers, one a line
    curl ... | scrubber scrub --strict -          exit 1 when it would be denied
    scrubber scrub --include shadow claim.json    also what shadow rules find
    scrubber scrub night.ndjson -o answers.ndjson many claims on all cores

    Exit code 2: a file is no claim; the others are scrubbed all the same.
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference, settings.stale_after)
        switches = read_switches(enable, disable, opened.rulebook)
    many = (
        jobs is not None
        or output is not None
        or any(Path(file.removesuffix(".gz")).suffix in SUFFIXES for file in files)
    )
    if (as_json or many) and view == DEFAULT_VIEW:  # the only view that can be replayed
        archive_or_warn(settings.rules, opened.rulebook.digest, settings.state, _warn_not_archived)
    if many:
        claims = _one_file(files, as_json or include or view != DEFAULT_VIEW)
        results_file = output_for(claims, output)
        tally = scrub_many(claims, results_file, received_on, switches, jobs or cores(), opened, settings)
        context.exit(_UNREADABLE if tally.rejected else _FELL_SHORT if strict and tally.deny else 0)
    run = _FileScrub(opened, receipt(received_on), switches, *_view_and_print(as_json, view, include))
    dispositions = [run.file(file) for file in files]
    if None in dispositions:
        context.exit(_UNREADABLE)
    if strict and "deny" in dispositions:
        context.exit(_FELL_SHORT)


def _one_file(files: tuple[str, ...], shaped: object) -> Path:
    if len(files) > 1 or not Path(files[0]).is_file():
        raise Unusable("a file with a claim a line is scrubbed alone; give one that is on the disk")
    if shaped:
        raise Unusable("--json, --view and --include are for files with one claim; its results are those of a batch")
    return Path(files[0])


def _view_and_print(as_json: bool, view: str, include: tuple[str, ...]) -> tuple[Callable[[str], View], PrintAnswer]:
    """The view of each file, and the function that prints its answer."""
    if include and view != DEFAULT_VIEW:
        raise Unusable(f"--include goes with --view {DEFAULT_VIEW} only")
    if as_json or view != DEFAULT_VIEW:
        view_of_all = including(include) if include else VIEWS[view]
        return lambda _file: view_of_all, click.echo
    return partial(_table, include=frozenset(include)), _print_table


def _warn_not_archived(why: str) -> None:
    click.echo(f"the rulebook is not kept, so its answers cannot be replayed: {why}", err=True)


def _table(file: str, include: Collection[str]) -> View:
    name = "standard input" if file == "-" else file
    width = shutil.get_terminal_size(fallback=(100, 24)).columns

    def write(_claim: Claim, result: ScrubResult) -> bytes:
        printed = result if SHADOW in include else result._replace(shadow=())
        return terminal.render(name, printed, width).encode()

    return View(write, every_check=CHECKS in include)


def _print_table(content: bytes) -> None:
    """Prints the table, in colours on a terminal, unless NO_COLOR is set."""
    click.echo(content.decode(), color=False if os.environ.get("NO_COLOR") else None)
