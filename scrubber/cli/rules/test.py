"""`scrubber rules test`: runs the test cases of rules."""

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
from scrubber.cli.options import settings, told_plainly
from scrubber.cli.rules.options import counted
from scrubber.errors import Faults
from scrubber.rulebook.lint import draft_warnings
from scrubber.rulebook.test_case import TEST_SUFFIX
from scrubber.scrub import Scrubber, open_scrubber

SECONDS_A_LOOK = 0.5
NARROW = 80

State = Mapping[Path, int]  # every file that can change an answer, and when it was written


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--watch", is_flag=True, help="Run again whenever a file is saved, until Ctrl-C.")
@click.pass_context
def test(context: click.Context, ids: tuple[str, ...], watch: bool) -> None:
    """Run the test cases of these rules, or of all; exit 1 when one fails.

    A case that fails shows what it expects (-) and what was found (+). With --watch, saving a test file runs the
    cases of its rule; saving anything else runs all that were asked for, since other rules may come out otherwise.

    \b
    scrubber rules test documentation-tbs-number
    scrubber rules test --watch
    """
    chosen = settings()
    if watch:
        _watch(chosen.rules, chosen.reference, ids)
    elif not _run(chosen.rules, chosen.reference, ids):
        context.exit(1)


def _run(folder: Path, reference: str | None, ids: Sequence[str]) -> bool:
    with told_plainly():
        opened = open_scrubber(folder, reference)
        results = run_tests(opened, folder, ids or None)
    _tell_left_out(opened, folder)
    return _told(results, str(folder))


def _tell_left_out(opened: Scrubber, folder: Path) -> None:
    """Drafts whose cases cannot be run, since they do not load."""
    left_out = opened.rulebook.left_out
    for line in fault_lines(folder, draft_warnings(left_out, left_out)):
        click.echo(f"warning: {line}")


def _told(results: Sequence[CaseResult], folder: str) -> bool:
    failed = [result for result in results if not result.passed]
    for result in failed:
        for line in _failure(result, folder):
            click.echo(line)
    tested = counted(len({result.rule for result in results}), "rule")
    click.echo(f"{counted(len(results), 'case')} of {tested}, {len(failed)} failed")
    return not failed


def _failure(result: CaseResult, folder: str) -> Iterator[str]:
    """What was expected and what was found, one thing a line, so that both can be held against each other."""
    width = max(NARROW, shutil.get_terminal_size().columns)
    yield f"{folder}/{result.file}:{result.line}: {result.rule}: {result.case}"
    for difference in result.differences:
        what, colon, told = difference.partition(": ")
        sign = {"expected": "-", "found": "+"}.get(what.split(" ")[0], "!")
        if not colon or sign == "!":
            yield f"    {difference}"
            continue
        yield f"  {sign} {what}"
        for part in told.split("; "):
            yield from _folded(f"  {sign}     ", part, width)


def _folded(indent: str, text: str, width: int) -> Iterator[str]:
    room = width - len(indent)
    for start in range(0, max(len(text), 1), room):
        yield indent + text[start : start + room]


def _watch(folder: Path, reference: str | None, ids: Sequence[str]) -> None:
    """Looks at the files twice a second; Ctrl-C ends it, and that is no failure."""
    try:
        state = _state(folder)
        _again(folder, reference, ids)
        while True:
            time.sleep(SECONDS_A_LOOK)
            now = _state(folder)
            if now != state:
                changed = {path for path, _ in state.items() ^ now.items()}
                state = now
                _again(folder, reference, _rules_of(changed, ids))
    except KeyboardInterrupt:
        click.echo()


def _state(folder: Path) -> State:
    return {path: written for path in _watched(folder) if (written := _written(path)) is not None}


def _watched(folder: Path) -> Iterable[Path]:
    yield from folder.glob("*/**/*.yaml")
    yield from folder.glob("*/tables/*.csv")
    yield from folder.glob("claims/*.json")


def _written(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # gone since it was listed
        return None


def _rules_of(changed: Iterable[Path], ids: Sequence[str]) -> Sequence[str]:
    """The rules whose cases must run: their own test file is all that changed; else all that were asked for."""
    changed = list(changed)
    if not all(path.name.endswith(TEST_SUFFIX) and path.exists() for path in changed):
        return ids
    named = sorted(path.name.removesuffix(TEST_SUFFIX) for path in changed)
    return [name for name in named if not ids or name in ids] or ids


def _again(folder: Path, reference: str | None, ids: Sequence[str]) -> None:
    if sys.stdout.isatty():
        click.clear()
    click.echo(f"{datetime.now(UTC):%H:%M:%S} UTC {' '.join(ids) or 'every rule'}; Ctrl-C ends")
    try:
        opened = open_scrubber(folder, reference)
        results = run_tests(opened, folder, ids or None)
        _tell_left_out(opened, folder)
        _told(results, str(folder))
    except Faults as error:
        click.echo(f"{counted(len(error.faults), 'fault')}: nothing was run\n{error}")
    sys.stdout.flush()
