"""Beside the path, `scrubber rules backtest`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.progress import Shown
from scrubber.cli.rules.backtest_table import render
from scrubber.config import Settings
from scrubber.workshop.backtest.books import Choice
from scrubber.workshop.backtest.page import page
from scrubber.workshop.backtest.records import write_records
from scrubber.workshop.backtest.report import document
from scrubber.workshop.backtest.run import Run, back_test
from scrubber.workshop.revisions import opened_revision

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--rules", "rules", multiple=True, metavar="DIR|ID", help="A folder of rules, or a rule; several times.")
@click.option("--claims", required=True, type=_FILE, help="Past claims: NDJSON, a v3 body a line; may be .gz.")
@click.option("--remits", type=_FILE, help="What payers answered: CSV or NDJSON; may be .gz.")
@click.option("--against", metavar="REV", help="What to compare with: a folder, a digest, a revision of git.")
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Write report.html and .json here.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes; as many as there are cores.")
@click.option("--record", is_flag=True, help="Put the figures of the tested rules on record, so that they may deny.")
@click.option("--run-on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Day of the run, instead of today.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
def backtest(
    rules: tuple[str, ...],
    claims: Path,
    remits: Path | None,
    against: str | None,
    report: Path | None,
    jobs: int | None,
    record: bool,
    run_on: datetime | None,
    as_json: bool,
) -> None:
    """Try rules on past claims, and hold them against what payers did.

    With an ID the rule is switched on, whatever its status, and compared with the same rules without it. With a DIR
    that folder is compared with the rules in force. Without either the rules in force are held against --remits.

    \b
    scrubber rules backtest --rules our-clinic-modifier-25 --claims 2025.ndjson
    scrubber rules backtest --rules new-rules/ --claims 2025.ndjson --remits 2025.csv --report out/
    scrubber rules backtest --rules rules/ --against HEAD~1 --claims 2025.ndjson
    scrubber rules backtest --rules our-clinic-modifier-25 --claims 2025.ndjson --record

    Nothing leaves this machine; the report has counts, dollars and claim numbers, and nothing else of a claim.
    """
    chosen = settings()
    day = (run_on or datetime.now(UTC)).date()
    with told_plainly(), _choice(rules, against, chosen) as choice:
        run = back_test(choice, chosen.reference, claims, remits, day, jobs or _cores(), Shown())
        written = _written(run, report, choice.folder if record else None)
        told = document(run)
    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2) if as_json else render(told))
    for path in written:
        click.echo(f"{path} is written", err=as_json)


@contextmanager
def _choice(rules: tuple[str, ...], against: str | None, chosen: Settings) -> Iterator[Choice]:
    """What is compared with what, as the options say."""
    folders = [Path(name) for name in rules if os.sep in name or Path(name).is_dir()]
    if len(folders) > 1 or (folders and len(rules) > 1):
        raise Unusable("--rules takes one folder, or ids of rules in the folder that SCRUBBER_RULES names")
    folder = folders[0] if folders else chosen.rules
    if not folder.is_dir():
        raise Unusable(f"{folder}: no such folder of rules")
    switched_on = () if folders else tuple(sorted(set(rules)))
    with ExitStack() as stack:
        if against is not None:
            baseline: Path | None = stack.enter_context(opened_revision(against, chosen.rules, chosen.state))
        else:
            baseline = chosen.rules if folders and not folder.samefile(chosen.rules) else None
        yield Choice(folder, switched_on, baseline)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _written(run: Run, report: Path | None, recorded: Path | None) -> list[Path]:
    """Writes what is asked for; the files written."""
    files: list[Path] = []
    told = document(run)
    try:
        if report is not None:
            files += _write_report(told, report)
        if recorded is not None:
            files += write_records(run, recorded)
    except OSError as error:
        raise Unusable(f"{error.filename} cannot be written: {error.strerror}") from None
    return files


def _write_report(told: dict[str, Any], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    data, html = folder / "report.json", folder / "report.html"
    data.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    html.write_text(page(told), encoding="utf-8")
    return [html, data]
