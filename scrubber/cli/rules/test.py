"""`scrubber rules test`: runs the test cases of rules, once or whenever a file is saved."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from scrubber.authoring.admission import fault_lines
from scrubber.authoring.run_tests import CaseResult, run_tests
from scrubber.authoring.table_tests import TableCaseResult, run_table_tests
from scrubber.cli.options import current_settings, errors_as_messages
from scrubber.cli.rules.options import counted
from scrubber.cli.rules.tables import print_table_results
from scrubber.errors import Faults
from scrubber.rulebook.lint import draft_warnings
from scrubber.rulebook.test_case import TEST_SUFFIX
from scrubber.scrub import Scrubber, open_scrubber

POLL_SECONDS = 0.5
NARROW = 80

FileTimes = Mapping[Path, int]  # modification times of all files that can change a result, in nanoseconds


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--watch", is_flag=True, help="Run again whenever a file is saved, until Ctrl-C.")
@click.pass_context
def test(context: click.Context, ids: tuple[str, ...], watch: bool) -> None:
    """Run the test cases of these rules and tables, or of all; exit 1 when one fails.

    A case that fails shows what it expects (-) and what was found (+). With --watch, saving a test file runs the
    cases of its rule; saving anything else runs all that were asked for, since other rules may come out otherwise.

    \b
    scrubber rules test documentation-tbs-number
    scrubber rules test --watch
    """
    settings = current_settings()
    if watch:
        _watch(settings.rules, settings.reference, ids)
    elif not _run(settings.rules, settings.reference, ids):
        context.exit(1)


def _run(folder: Path, reference: str | None, ids: Sequence[str]) -> bool:
    with errors_as_messages():
        opened = open_scrubber(folder, reference)
        results, of_tables = _results(opened, folder, ids)
    _print_left_out(opened, folder)
    return _print_all(results, of_tables, folder)


def _results(
    opened: Scrubber, folder: Path, ids: Sequence[str]
) -> tuple[list[CaseResult] | None, list[TableCaseResult]]:
    """The results of rules (None: only tables are asked for) and of tables."""
    names = [name for name in ids if name in opened.rulebook.typed_tables]
    rules = [name for name in ids if name not in names]
    results = run_tests(opened, folder, rules or None) if rules or not ids else None
    return results, run_table_tests(folder, opened.rulebook, names if ids else None)


def _print_all(results: Sequence[CaseResult] | None, of_tables: Sequence[TableCaseResult], folder: Path) -> bool:
    passed = results is None or _print_results(results, str(folder))
    return print_table_results(of_tables, str(folder)) and passed


def _print_left_out(opened: Scrubber, folder: Path) -> None:
    """Print warnings for drafts whose cases cannot be run, since they do not load."""
    left_out = opened.rulebook.left_out
    for line in fault_lines(folder, draft_warnings(left_out, left_out)):
        click.echo(f"warning: {line}")


def _print_results(results: Sequence[CaseResult], folder: str) -> bool:
    failed = [result for result in results if not result.passed]
    for result in failed:
        for line in _failure(result, folder):
            click.echo(line)
    tested = counted(len({result.rule for result in results}), "rule")
    click.echo(f"{counted(len(results), 'case')} of {tested}, {len(failed)} failed")
    return not failed


def _failure(result: CaseResult, folder: str) -> Iterator[str]:
    """Expected and found results of a failed case on lines of their own, so that they can be compared."""
    width = max(NARROW, shutil.get_terminal_size().columns)
    yield f"{folder}/{result.file}:{result.line}: {result.rule}: {result.case}"
    for difference in result.differences:
        what, colon, texts = difference.partition(": ")
        sign = {"expected": "-", "found": "+"}.get(what.split(" ")[0], "!")
        if not colon or sign == "!":
            yield f"    {difference}"
            continue
        yield f"  {sign} {what}"
        for text in texts.split("; "):
            yield from _folded(f"  {sign}     ", text, width)


def _folded(indent: str, text: str, width: int) -> Iterator[str]:
    available = width - len(indent)
    for start in range(0, max(len(text), 1), available):
        yield indent + text[start : start + available]


def _watch(folder: Path, reference: str | None, ids: Sequence[str]) -> None:
    """Check the files twice a second, and run the cases after a change; Ctrl-C ends it without a failure."""
    try:
        state = _state(folder)
        _again(folder, reference, ids)
        while True:
            time.sleep(POLL_SECONDS)
            now = _state(folder)
            if now != state:
                changed = {path for path, _ in state.items() ^ now.items()}
                state = now
                _again(folder, reference, _rules_of(changed, ids))
    except KeyboardInterrupt:
        click.echo()


def _state(folder: Path) -> FileTimes:
    return {path: saved_at for path in _watched(folder) if (saved_at := _saved_at(path)) is not None}


def _watched(folder: Path) -> Iterable[Path]:
    yield from folder.glob("*/**/*.yaml")
    yield from folder.glob("*/tables/*.csv")
    yield from folder.glob("claims/*.json")


def _saved_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # removed since it was listed
        return None


def _rules_of(changed: Iterable[Path], ids: Sequence[str]) -> Sequence[str]:
    """The rules to test: where only test files changed, the rules of these; else all that the command names."""
    changed = list(changed)
    if not all(path.name.endswith(TEST_SUFFIX) and path.exists() for path in changed):
        return ids
    rule_ids = sorted(path.name.removesuffix(TEST_SUFFIX) for path in changed)
    return [name for name in rule_ids if not ids or name in ids] or ids


def _again(folder: Path, reference: str | None, ids: Sequence[str]) -> None:
    if sys.stdout.isatty():
        click.clear()
    click.echo(f"{datetime.now(UTC):%H:%M:%S} UTC {' '.join(ids) or 'every rule'}; Ctrl-C ends")
    try:
        opened = open_scrubber(folder, reference)
        results, of_tables = _results(opened, folder, ids)
        _print_left_out(opened, folder)
        _print_all(results, of_tables, folder)
    except Faults as error:
        click.echo(f"{counted(len(error.faults), 'fault')}: nothing was run\n{error}")
    sys.stdout.flush()
