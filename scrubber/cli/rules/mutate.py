"""Beside the path, `scrubber rules mutate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
import orjson

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.opening import counted
from scrubber.cli.rules.progress import watched
from scrubber.scrub import open_scrubber
from scrubber.workshop.mutate import Mutation
from scrubber.workshop.mutate import mutate as try_changes


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--strict", is_flag=True, help="Exit 1 when a change goes unnoticed.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
@click.pass_context
def mutate(context: click.Context, ids: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Change these rules, or all, in one small place at a time, and show what no test case notices.

    A condition left out or turned round, a limit moved to the next value, a code less in a list, any for all, another
    severity or other dollars, a day earlier or later: each change that survives is a case that is missing. Nothing is
    written. Changes that no claim could show are left out. Exit 1 when a rule fails its cases as it is.

    \b
    scrubber rules mutate                              every rule
    scrubber rules mutate documentation-tbs-number     one rule
    scrubber rules mutate --strict                     for a build: exit 1 when something survives
    """
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference)
        count = len(set(ids)) or len(opened.rulebook.rules)
        tried = list(watched(try_changes(opened, chosen.rules, ids or None), "rules", count))
    if as_json:
        click.echo(orjson.dumps({"rules": [_document(each) for each in tried]}, option=orjson.OPT_INDENT_2))
    else:
        for line in _told(tried, str(chosen.rules)):
            click.echo(line)
    if any(each.failing for each in tried) or (strict and any(each.survived for each in tried)):
        context.exit(1)


def _told(tried: Sequence[Mutation], folder: str) -> Iterator[str]:
    for each in tried:
        for case in each.failing:
            yield f"{each.rule.id} fails its own case, so nothing was tried: {case}"
    for each in tried:
        if each.survived:
            yield f"{each.rule.id}: {len(each.survived)} of {counted(each.tried, 'change')} survived"
            for mutant in each.survived:
                yield f"  {folder}/{each.rule.file}:{mutant.line}"
                yield f"    {mutant.change}"
    changes = sum(each.tried for each in tried)
    survived = sum(len(each.survived) for each in tried)
    same = sum(each.same for each in tried)
    yield (
        f"{counted(changes, 'change')} of {counted(len(tried), 'rule')}: {changes - survived - same:,} noticed, "
        f"{survived:,} survived, {same:,} that no claim can show"
    )


def _document(each: Mutation) -> dict[str, Any]:
    return {
        "rule": each.rule.id,
        "file": each.rule.file,
        "tried": each.tried,
        "survived": [{"line": mutant.line, "change": mutant.change} for mutant in each.survived],
        "same": each.same,
        "failing": each.failing,
    }
