"""`scrubber batch`: sends batches to a service, follows them, reads their results, cancels and deletes them."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from scrubber.batch.result_row import DISPOSITIONS
from scrubber.cli.batch_client import (
    BEGINNING,
    TRIES,
    BatchService,
    ConnectionBroken,
    ServiceAway,
    batches_table,
    dollars,
    resume_point,
    summary_tables,
    write,
)
from scrubber.cli.options import Unusable
from scrubber.cli.terminal import ProgressLine

POLL_SECONDS = 0.5
AWAY_SECONDS = 300.0  # for which a service may be unreachable while the command waits for a batch
PIECE = 1 << 18
MEGABYTE = 1_000_000
DONE, RUNNING = "done", ("received", "running")
_FELL_SHORT = 1

_url = click.option(
    "--url",
    envvar="SCRUBBER_URL",
    default="http://127.0.0.1:8080",
    show_default=True,
    help="The service; SCRUBBER_URL.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
_id = click.argument("batch_id", metavar="ID")


@click.group()
def batch() -> None:
    """Send many claims to a service, follow them, and read what came out.

    \b
    scrubber batch submit night.ndjson --wait
    scrubber batch status
    scrubber batch summary ID
    scrubber batch results ID --disposition deny --csv -o denied.csv

    Where the service demands an API key, it is read from SCRUBBER_KEY: a command line can be seen by others.
    """


@batch.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@_url
@click.option("--wait", is_flag=True, help="Wait for the end, and show how far it is.")
@click.option("--key", metavar="KEY", help="Sent again under the same key within a day, it is still one batch.")
@click.option("--received-on", metavar="CCYYMMDD", help="Day of receipt of claims that do not say. [today]")
@click.option("--enable", multiple=True, metavar="RULE", help="Let what this shadow rule finds count.")
@click.option("--disable", multiple=True, metavar="RULE", help="Leave this rule out.")
@click.option("--most-rejected", metavar="SHARE", help="Fail as soon as more of all rows are rejected: 0 to 1.")
@click.option("--priority", type=int, help="Higher goes first: -999 to 999. [0]")
@click.option("--webhook", metavar="ADDRESS", help="Tell this address of the end.")
@_as_json
def submit(file: Path, url: str, wait: bool, key: str | None, as_json: bool, **options: Any) -> None:
    """Send FILE: claims one a line (NDJSON) or a JSON array of them, plain or gzipped; - reads standard input.

    Prints the id of the batch. With --wait the exit code is 1 when the batch did not come to its end, or a row was no
    claim.

    \b
    scrubber batch submit night.ndjson --wait
    scrubber batch submit night.json.gz --key night-2026-11-23
    """
    service = BatchService(url)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key or secrets.token_hex(16)}
    query = list(_query(options))
    if not file.is_file():
        answer = service.submit(lambda: _as_it_comes(file), None, headers, query, again=False)
    else:
        size = file.stat().st_size
        answer = service.submit(lambda: _pieces(file, size), size, headers, query, again=True)
    if wait:
        answer = _wait(service, answer["id"])
    _print_batch(answer, as_json) if wait or as_json else click.echo(answer["id"])
    if wait and (answer["state"] != DONE or answer["counts"]["rejected"]):
        raise SystemExit(_FELL_SHORT)


@batch.command()
@click.argument("batch_id", metavar="[ID]", required=False)
@_url
@_as_json
def status(batch_id: str | None, url: str, as_json: bool) -> None:
    """Show how far a batch is, or the newest hundred.

    On a narrow terminal the table leaves out columns; --json has everything.

    \b
    scrubber batch status
    scrubber batch status ID --json
    """
    service = BatchService(url)
    if batch_id:
        _print_batch(service.read(batch_id), as_json)
        return
    answer = service.read()
    if as_json:
        _print(answer)
    elif answer["batches"]:
        _lines(batches_table(answer["batches"]))
    else:
        click.echo("no batches; send one with `scrubber batch submit FILE`")


@batch.command()
@_id
@_url
@click.option("--csv", "as_csv", is_flag=True, help="A line a finding, for spreadsheets.")
@click.option("--disposition", multiple=True, type=click.Choice(DISPOSITIONS), help="Only what came out so.")
@click.option("--rule", metavar="RULE", help="Only claims on which this rule fired.")
@click.option("--min-at-risk", metavar="DOLLARS", help="Only claims with at least so much at risk.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; one begun is continued.")
def results(batch_id: str, url: str, as_csv: bool, output: Path | None, **filters: Any) -> None:
    """Read results in the order of the rows, as NDJSON or CSV; while it runs, as far as they are there.

    \b
    scrubber batch results ID -o results.ndjson      run it again after a break, or when more is there
    scrubber batch results ID --csv --disposition deny --min-at-risk 100 > worklist.csv
    """
    service = BatchService(url)
    query = [*_query(filters), ("format", "csv" if as_csv else "ndjson")]
    if output is None:
        state = _print_results(service, batch_id, query)
    else:
        state = _read_into(output, service, batch_id, query, as_csv)
    if state in RUNNING:
        click.echo(f"the batch is {state}: these are the results so far", err=True)


@batch.command()
@_id
@_url
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Lines of each table.")
@_as_json
def summary(batch_id: str, url: str, top: int, as_json: bool) -> None:
    """Show claims, findings and dollars at risk by rule, payer, code and provider, the most dollars first.

    \b
    scrubber batch summary ID --top 5
    """
    answer = BatchService(url).read(batch_id, "summary")
    if as_json:
        _print(answer)
    else:
        _lines(summary_tables(answer, top))


@batch.command()
@_id
@_url
@_as_json
def cancel(batch_id: str, url: str, as_json: bool) -> None:
    """End a batch that runs. What is done stays and can be read; one that has ended stays as it is.

    \b
    scrubber batch cancel ID
    """
    service = BatchService(url)
    service.do("POST", batch_id, "cancel")
    _print_batch(service.read(batch_id), as_json)


@batch.command()
@_id
@_url
@click.confirmation_option("--yes", prompt="Remove its claims and results for good?", help="Do not ask.")
def delete(batch_id: str, url: str) -> None:
    """Remove a batch: its claims, its results, all that is known of it. One that runs is cancelled first.

    \b
    scrubber batch delete ID
    scrubber batch delete ID --yes                   without a question, in scripts
    """
    BatchService(url).do("DELETE", batch_id)
    click.echo("removed")


def _query(options: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The options as parameters of the API, whose names are in camel case."""
    for name, value in options.items():
        first, *more = name.split("_")
        query_after = first + "".join(word.title() for word in more)
        for each in value if isinstance(value, tuple) else () if value is None else (value,):
            yield query_after, str(each)


def _pieces(file: Path, size: int) -> Iterator[bytes]:
    progress, sent = ProgressLine("MB sent"), 0
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece
            sent += len(piece)
            progress(sent // MEGABYTE, sent / size)


def _as_it_comes(file: Path) -> Iterator[bytes]:
    """The content of standard input or a pipe, in pieces."""
    with click.open_file(str(file), "rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _wait(service: BatchService, batch_id: str) -> Any:
    """Wait until the batch has ended; its last state."""
    click.echo(f"batch {batch_id}", err=True)
    progress = ProgressLine()
    try:
        while (answer := _read_when_back(service, batch_id))["state"] in RUNNING:
            if answer["rows"]:
                progress(answer["rowsDone"], answer["rowsDone"] / answer["rows"])
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        click.echo(f"\nit goes on without you: scrubber batch status {batch_id}", err=True)
        raise
    if answer["rows"] and answer["state"] == DONE:
        progress(answer["rows"], 1.0)
    return answer


def _read_when_back(service: BatchService, batch_id: str) -> Any:
    """The state of a batch. Waits for a service that cannot be reached, such as during a restart. Raises Unusable."""
    latest = None
    while True:
        try:
            return service.read(batch_id)
        except ServiceAway as away:
            if latest is None:
                latest = time.monotonic() + AWAY_SECONDS
                click.echo(f"\n{away.message}; waiting for it", err=True)
            elif time.monotonic() > latest:
                raise Unusable(f"{away.message}; later: scrubber batch status {batch_id}") from None
            time.sleep(POLL_SECONDS)


def _print_results(service: BatchService, batch_id: str, query: list[tuple[str, str]]) -> str:
    with service.stream(batch_id, "results", query=query) as (headers, pieces):
        try:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
        except ConnectionBroken:
            raise _broke_off("write them into a file with -o, and run the command again to continue it") from None
        sys.stdout.buffer.flush()
    return headers["Batch-State"]


def _read_into(output: Path, service: BatchService, batch_id: str, query: list[tuple[str, str]], as_csv: bool) -> str:
    for tried in range(TRIES):
        resume_at = resume_point(output, as_csv)
        query_after = [*query, ("after", str(resume_at.after))] if resume_at is not BEGINNING else query
        try:
            with service.stream(batch_id, "results", query=query_after) as (headers, pieces):
                write(pieces, output, resume_at)
                return headers["Batch-State"]
        except ConnectionBroken:
            time.sleep(tried)
        except ServiceAway:
            if not tried:
                raise
            time.sleep(tried)
    raise _broke_off("run the command again to continue the file")


def _broke_off(what_to_do: str) -> Unusable:
    return Unusable(f"the connection broke while results were read; {what_to_do}")


def _print_batch(answer: Any, as_json: bool) -> None:
    if as_json:
        _print(answer)
        return
    _lines(batches_table([answer]))
    if answer["state"] in RUNNING and answer["secondsLeft"] is not None:
        click.echo(f"about {answer['secondsLeft']} seconds left, {dollars(answer['atRisk'])} dollars at risk so far")


def _print(answer: Any) -> None:
    click.echo(orjson.dumps(answer))


def _lines(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)
