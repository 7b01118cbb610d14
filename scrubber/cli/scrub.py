"""`scrubber scrub`: scrubs the claims in files, or those of a file of many lines on all cores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from pathlib import Path

import click

from scrubber.batch.local_file import CannotContinue, FileOptions, ProcessEnded, received_on_before, scrub_file
from scrubber.batch.model import BatchTally
from scrubber.batch.scrub_chunk import result_row
from scrubber.batch.upload import LOOKED_AT, SPACE, sniff
from scrubber.claim.formats import is_x12
from scrubber.claim.model import Claim
from scrubber.claim.x12 import in_words
from scrubber.claim.x12.claims import X12Claim, read_file
from scrubber.claim.x12.envelope import Ended
from scrubber.cli.claim_files import claim_bytes, claim_errors_as_messages, contexts_beside, file_name, file_pieces
from scrubber.cli.options import DayParameter, Unusable, current_settings, errors_as_messages, receipt
from scrubber.cli.terminal import ProgressLine
from scrubber.config import Settings, cores
from scrubber.errors import BadUpload
from scrubber.findings import ScrubResult, Switches, read_switches
from scrubber.response import DEFAULT_VIEW, INCLUDES, VIEWS, View, including, terminal
from scrubber.response.claim import CHECKS, SHADOW
from scrubber.rulebook.history import archive_or_warn
from scrubber.scrub import Receipt, Scrubber, answer, open_scrubber, scrub_bytes

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
_NO_CLAIM = ""  # in the place of a disposition
PrintAnswer = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class _FileScrub:
    """How each file is scrubbed and its answers printed.

    `view` gives the view of a claim by its name. `as_rows`: answers of a file of several claims are printed as the rows
    of a batch's results. `context` is the file of contexts beside an X12 file.
    """

    scrubber: Scrubber
    receipt: Receipt
    switches: Switches
    view: Callable[[str], View]
    print_answer: PrintAnswer
    as_rows: bool
    context: str | None = None

    def file(self, file: str) -> Iterator[str]:
        """Scrub one file and print its answers. Yields their dispositions, and _NO_CLAIM for what is no claim."""
        try:
            with claim_errors_as_messages(file):
                data = file_pieces(file)
                start = next(data, b"")
                if is_x12(start):
                    yield from self._x12(file, chain((start,), data))
                elif self.context is not None:
                    raise Unusable(f"{file}: is no X12 file; claims in JSON hold their scrubContext themselves")
                else:
                    yield self._one(file, claim_bytes(file, start + b"".join(data)))
        except Unusable as error:
            click.echo(error.message, err=True)
            yield _NO_CLAIM

    def _one(self, file: str, data: bytes) -> str:
        answered = scrub_bytes(data, self.scrubber, self.receipt, self.switches, self.view(file_name(file)))
        self.print_answer(answered.content)
        return answered.result.disposition

    def _x12(self, file: str, data: Iterable[bytes]) -> Iterator[str]:
        """The claims of an X12 file, in order; what is wrong with the ends of its envelope is told beside them."""
        contexts = None if self.context is None else contexts_beside(file, self.context)
        for item in read_file(data, contexts):
            if isinstance(item, X12Claim) and item.claim is not None:
                yield self._claim_of_several(file, item.claim, 0 if item.alone else item.loops.number)
                continue
            for message in _messages(item):
                click.echo(f"{file}: {message}", err=True)
            yield _NO_CLAIM
        for message in () if contexts is None else contexts.without_claim():
            click.echo(f"{self.context}: {message}", err=True)
            yield _NO_CLAIM

    def _claim_of_several(self, file: str, claim: Claim, number: int) -> str:
        """`number` counts the claims of the file from 1; 0: it has no other."""
        name = file_name(file)
        if number:
            name += f" claim {number} ({claim.patient_control_number or 'without a number'})"
        view, day = self.view(name), self.receipt.day(claim)
        answered = answer(claim, self.scrubber, day, self.switches, view)
        as_row = number and self.as_rows
        self.print_answer(result_row(number, claim, answered.content) if as_row else answered.content)
        return answered.result.disposition


def _messages(item: X12Claim | Ended) -> Iterator[str]:
    """Why a claim is none, or what is wrong with the end of an envelope."""
    if not isinstance(item, X12Claim):
        yield from map(in_words, item.faults)
    elif item.refusal is not None:
        where = f"segment {item.loops.claim.ordinals[0]}, claim {item.loops.number} of the file"
        yield from (f"{where}: is no claim: it {problem.message}" for problem in item.refusal.problems)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer, one line a claim.")
@click.option("--view", type=click.Choice(list(VIEWS)), default=DEFAULT_VIEW, help="Shape of that answer.")
@click.option("--include", type=click.Choice(INCLUDES), multiple=True, help="What is shown only when asked for.")
@click.option("--enable", multiple=True, metavar="ID", help="Let what this shadow rule finds count.")
@click.option("--disable", multiple=True, metavar="ID", help="Leave this rule out.")
@click.option(
    "--received-on",
    type=DayParameter(),
    help="Day of receipt, instead of the claim's own or today; of many claims: of those that do not say.",
)
@click.option("--context", "context_file", metavar="FILE", help="Contexts of the claims of one X12 file, a line each.")
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
    context_file: str | None,
    strict: bool,
    jobs: int | None,
    output: Path | None,
) -> None:
    """Scrub claims in files, or - for standard input: v3 Professional Claims bodies, or X12 (837P).

    Of an X12 file with several claims each is scrubbed, in order; with --json each is then a row, as in the results of
    a batch: its number in the file, the sender's claim number, and the answer.

    A file that ends in .ndjson or .jsonl, or is given with --jobs or --output, has a claim a line, any number of them.
    Their results go to a file of such lines, in the same order, as those of a batch do. When it is interrupted, the
    same command goes on where it was.

    \b
    scrubber scrub claim.json                     a table to read
    scrubber scrub --json *.json > answers.ndjson the API's answers, one a line
    curl ... | scrubber scrub --strict -          exit 1 when it would be denied
    scrubber scrub --context more.ndjson day.837  with reports and notices of the claims
    scrubber scrub --include shadow claim.json    also what shadow rules find
    scrubber scrub night.ndjson -o answers.ndjson many claims on all cores

    Exit code 2: a file is no claim; the others are scrubbed all the same.
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference, settings.stale_after)
        switches = read_switches(enable, disable, opened.rulebook)
    if context_file is not None and (len(files) > 1 or "-" in (*files, context_file)):
        raise Unusable("--context goes with one X12 file, and both are on the disk: the file is read twice")
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
    shaped = as_json or view != DEFAULT_VIEW
    run = _FileScrub(
        opened, receipt(received_on), switches, *_view_and_print(shaped, view, include), shaped, context_file
    )
    dispositions = {disposition for file in files for disposition in run.file(file)}
    if _NO_CLAIM in dispositions:
        context.exit(_UNREADABLE)
    if strict and "deny" in dispositions:
        context.exit(_FELL_SHORT)


def _one_file(files: tuple[str, ...], shaped: object) -> Path:
    if len(files) > 1 or not Path(files[0]).is_file():
        raise Unusable("a file with a claim a line is scrubbed alone; give one that is on the disk")
    if shaped:
        raise Unusable("--json, --view and --include are for files with one claim; its results are those of a batch")
    return Path(files[0])


def _view_and_print(shaped: bool, view: str, include: tuple[str, ...]) -> tuple[Callable[[str], View], PrintAnswer]:
    """The view of each claim by its name, and the function that prints its answer."""
    if include and view != DEFAULT_VIEW:
        raise Unusable(f"--include goes with --view {DEFAULT_VIEW} only")
    if shaped:
        view_of_all = including(include) if include else VIEWS[view]
        return lambda _name: view_of_all, click.echo
    return partial(_table, include=frozenset(include)), _print_table


def _warn_not_archived(why: str) -> None:
    click.echo(f"the rulebook is not kept, so its answers cannot be replayed: {why}", err=True)


def _table(name: str, include: Collection[str]) -> View:
    width = shutil.get_terminal_size(fallback=(100, 24)).columns

    def write(_claim: Claim, result: ScrubResult) -> bytes:
        printed = result if SHADOW in include else result._replace(shadow=())
        return terminal.render(name, printed, width).encode()

    return View(write, every_check=CHECKS in include)


def _print_table(content: bytes) -> None:
    """Prints the table, in colours on a terminal, unless NO_COLOR is set."""
    click.echo(content.decode(), color=False if os.environ.get("NO_COLOR") else None)
