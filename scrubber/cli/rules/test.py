"""Beside the path, `scrubber rules test`."""

from __future__ import annotations

import click

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.opening import counted
from scrubber.scrub import open_scrubber
from scrubber.workshop.testing import CaseResult, run_tests


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.pass_context
def test(context: click.Context, ids: tuple[str, ...]) -> None:
    """Run the test cases of these rules, or of all; exit 1 when one fails."""
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference)
        results = run_tests(opened, chosen.rules, ids or None)
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(_told(result, str(chosen.rules)))
    tested = counted(len({result.rule for result in results}), "rule")
    click.echo(f"{counted(len(results), 'case')} of {tested}, {len(failed)} failed")
    if failed:
        context.exit(1)


def _told(result: CaseResult, folder: str) -> str:
    differences = "".join(f"\n    {line}" for line in result.differences)
    return f"{folder}/{result.file}:{result.line}: {result.rule}: {result.case}{differences}"
