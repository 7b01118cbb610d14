"""`scrubber rules mutate`: prints small changes of rules that no test case notices, and offers cases that would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from scrubber.authoring.missing_cases import MissingCases, missing_cases
from scrubber.authoring.mutation import Mutation
from scrubber.authoring.mutation import mutate as try_changes
from scrubber.authoring.run_tests import all_cases
from scrubber.cli.options import current_settings, errors_as_messages
from scrubber.cli.rules.options import counted, watched
from scrubber.rulebook.test_case import tests_of
from scrubber.scrub import Scrubber, open_scrubber


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--strict", is_flag=True, help="Exit 1 when a change goes unnoticed.")
@click.option("--cases", is_flag=True, help="Offer cases that would notice what survives.")
@click.option("--write", is_flag=True, help="Add these cases to the test files.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
@click.pass_context
def mutate(context: click.Context, ids: tuple[str, ...], strict: bool, cases: bool, write: bool, as_json: bool) -> None:
    """Change these rules, or all, in one small place at a time, and show what no test case notices.

    A condition left out or turned round, a limit moved to the next value, a code less in a list, any for all, another
    severity or other dollars, a day earlier or later: each change that survives is a case that is missing. Changes that
    no claim could show are left out. Exit 1 when a rule fails its cases as it is.

    With --cases changes of the base claims are tried, and cases offered that notice what survives; --write adds them to
    the test file. They say what the rule does today: look whether that is what you mean.

    \b
    scrubber rules mutate                              every rule
    scrubber rules mutate documentation-tbs-number     one rule
    scrubber rules mutate --write our-clinic-units     and write the cases that are missing
    scrubber rules mutate --strict                     for a build: exit 1 when something survives
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference)
        count = len(set(ids)) or len(opened.rulebook.rules)
        tried = list(watched(try_changes(opened, settings.rules, ids or None), "rules", count))
        to_complete = [each for each in tried if each.survived and (cases or write)]
        offered = {each.rule.id: _offered(each, opened, settings.rules) for each in to_complete}
    if as_json:
        documents = [_document(each, offered.get(each.rule.id)) for each in tried]
        click.echo(orjson.dumps({"rules": documents}, option=orjson.OPT_INDENT_2))
    else:
        for line in (
            *_summary_lines(tried, str(settings.rules)),
            *_offers(tried, offered, str(settings.rules), added=write),
        ):
            click.echo(line)
    if write:
        for each in to_complete:
            _add(settings.rules / tests_of(each.rule), offered[each.rule.id].texts)
    if any(each.failing for each in tried) or (strict and any(each.survived for each in tried)):
        context.exit(1)


def _offered(tried: Mutation, opened: Scrubber, folder: Path) -> MissingCases:
    names = {case.name for case in all_cases(folder, opened.rulebook, [tried.rule.id])}
    return missing_cases(tried.rule, tried.survived, names, opened, folder)


def _offers(
    tried: Sequence[Mutation], offered: Mapping[str, MissingCases], folder: str, *, added: bool
) -> Iterator[str]:
    """The cases that were found, as text of a test file, and the changes that they still do not notice."""
    for each in tried:
        missing = offered.get(each.rule.id)
        if missing is None:
            continue
        yield ""
        verb = "were added" if added else "can be added"
        count = counted(len(missing.texts), "case")
        yield f"{count} {verb} to {folder}/{tests_of(each.rule)}; look whether they say what you mean:"
        yield from (line for text in missing.texts for line in text.rstrip().splitlines())
        for mutant in missing.left:
            yield f"no change of a base claim that is known here shows it: {mutant.change}"


def _add(path: Path, texts: Sequence[str]) -> None:
    before = path.read_text(encoding="utf-8")
    text = before if before.endswith("\n") or not before else f"{before}\n"
    path.write_text(text + "".join(texts), encoding="utf-8")


def _summary_lines(tried: Sequence[Mutation], folder: str) -> Iterator[str]:
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


def _document(each: Mutation, missing: MissingCases | None) -> dict[str, Any]:
    content = {
        "rule": each.rule.id,
        "file": each.rule.file,
        "tried": each.tried,
        "survived": [{"line": mutant.line, "change": mutant.change} for mutant in each.survived],
        "same": each.same,
        "failing": each.failing,
    }
    return content if missing is None else content | {"cases": missing.texts}
