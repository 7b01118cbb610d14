"""Beside the path, `scrubber rules`: read, check and test a folder of rules."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from scrubber.answer.rules import document
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.json_schema import schema_files, write_schemas
from scrubber.rulebook.lint import lint as find_faults
from scrubber.rulebook.lint import stale
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import open_scrubber
from scrubber.workshop.testing import CaseResult, run_tests


@click.group()
def rules() -> None:
    """Read, check and test the rules: those in SCRUBBER_RULES, else in rules/.

    \b
    scrubber rules list --pack documentation
    scrubber rules show documentation-tbs-number
    scrubber rules lint
    scrubber rules test documentation-tbs-number
    """


@rules.command("list")
@click.option("--pack", help="Only rules of this pack.")
def every(pack: str | None) -> None:
    """List every rule: id, status, severity, title."""
    book = _load()
    if pack is not None and pack not in book.packs:
        raise Unusable(f"there is no pack {pack}; there are: {', '.join(book.packs)}")
    for rule in book.rules.values():
        if pack in (None, rule.pack):
            click.echo(f"{rule.id:<44} {rule.status:<10} {rule.severity:<5} {rule.title}")


@rules.command()
@click.argument("rule_id", metavar="ID")
def show(rule_id: str) -> None:
    """Print everything that one rule says, as JSON."""
    book = _load()
    rule = book.rules.get(rule_id)
    if rule is None:
        raise Unusable(f"there is no rule {rule_id}; scrubber rules list names them")
    click.echo(orjson.dumps(document(rule), option=orjson.OPT_INDENT_2))


@rules.command()
@click.pass_context
def lint(context: click.Context) -> None:
    """Check rules, tests and tables; exit 1 when there are faults.

    Every fault is told at once, with file and line. A rule that nobody has reviewed for a year is a warning.
    """
    folder = settings().rules
    faults = find_faults(folder)
    for fault in faults:
        click.echo(f"{folder}/{fault}")
    if faults:
        click.echo(_count(len(faults), "fault"))
        context.exit(1)
    book = _load()
    for warning in stale(book, datetime.now(UTC).date()):
        click.echo(f"warning: {folder}/{warning}")
    click.echo(f"{_count(len(book.rules), 'rule')} in {_count(len(book.packs), 'pack')}, no faults")


@rules.command()
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
    tested = _count(len({result.rule for result in results}), "rule")
    click.echo(f"{_count(len(results), 'case')} of {tested}, {len(failed)} failed")
    if failed:
        context.exit(1)


@rules.command()
def schema() -> None:
    """Write the JSON Schemas with which editors complete rule files."""
    folder = settings().rules
    write_schemas(folder)
    for name in schema_files():
        click.echo(f"{folder}/{name} is written")


def _told(result: CaseResult, folder: str) -> str:
    differences = "".join(f"\n    {line}" for line in result.differences)
    return f"{folder}/{result.file}:{result.line}: {result.rule}: {result.case}{differences}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _load() -> Rulebook:
    with told_plainly():
        return load_rulebook(settings().rules)
