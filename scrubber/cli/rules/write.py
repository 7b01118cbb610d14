"""`scrubber rules new`, `lint` and `schema`: write a new rule, check rules, and write schemas for editors."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from scrubber.authoring.diff import same_version_faults
from scrubber.authoring.earlier_rules import earlier_rules
from scrubber.authoring.new_rule import (
    QUESTIONS,
    Question,
    complete_answers,
    fault_in,
    rule_file,
    rule_from_text,
    rule_text,
)
from scrubber.authoring.new_rule_tests import OF_EACH, Derived, cases_text, derive
from scrubber.authoring.unknown_codes import unknown_codes
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.rules.options import counted, renew_index
from scrubber.config import Settings
from scrubber.errors import Fault, Faults
from scrubber.reference import open_reference
from scrubber.rulebook.grammar import NEWEST
from scrubber.rulebook.json_schema import PACK_SCHEMA_FILE, schema_files, schema_line, write_schemas
from scrubber.rulebook.lint import inspect, lint_report
from scrubber.rulebook.load import load_rulebook, read_folder
from scrubber.rulebook.rulebook import Pack, Rulebook
from scrubber.rulebook.test_case import TEST_SUFFIX


@click.command()
def schema() -> None:
    """Write the JSON Schemas with which editors complete rule files."""
    folder = current_settings().rules
    write_schemas(folder)
    for name in schema_files():
        click.echo(f"{folder}/{name} is written")


@click.command()
@click.option(
    "--against", metavar="REV", help="Hold versions against this revision: a folder, a digest, or one of git."
)
@click.pass_context
def lint(context: click.Context, against: str | None) -> None:
    """Check rules, tests and tables; exit 1 when there are faults.

    Every fault is told at once, with file and line. A rule that nobody has reviewed for a year is a warning, and so is
    what is wrong with a draft. A rule that means another thing under the version that it had is a fault: held against
    what git has last (HEAD), or, where the rules are not in git, the rules that a service answered by last.

    \b
    scrubber rules lint
    scrubber rules lint --against v1.0
    """
    settings = current_settings()
    folder = settings.rules
    with errors_as_messages():
        found = lint_report(folder, datetime.now(UTC).date())
        faults = sorted({*found.faults, *_same_version(settings, against)})
        warnings = [*found.warnings, *([] if faults else _unknown_codes(settings))]
    for fault in faults:
        click.echo(f"{folder}/{fault}")
    for warning in warnings:
        click.echo(f"warning: {folder}/{warning}")
    if faults:
        click.echo(counted(len(faults), "fault"))
        context.exit(1)
    warned = f", {counted(len(warnings), 'warning')}" if warnings else ""
    click.echo(f"{counted(found.rules, 'rule')} in {counted(found.packs, 'pack')}, no faults{warned}")
    if found.in_use:
        runs = "case runs" if found.in_use == 1 else "cases run"
        click.echo(f"{found.in_use} {runs} on the releases in use, and may come out otherwise where others are loaded")


def _unknown_codes(settings: Settings) -> list[Fault]:
    """Codes that no release has; nothing where no published table is loaded."""
    if settings.reference is None:
        return []
    return sorted(unknown_codes(load_rulebook(settings.rules), open_reference(settings.reference)))


def _same_version(settings: Settings, against: str | None) -> list[Fault]:
    """Rules whose meaning changed under one version. Faults of the loader are reported by `lint_report`."""
    earlier = earlier_rules(
        settings.rules, settings.state, lambda why: click.echo(f"versions not compared: {why}", err=True), against
    )
    if earlier is None:
        return []
    contents = read_folder(settings.rules)
    if not contents.names_known:
        return []  # a rule would differ by what it names and nobody declares
    rules = {file.rule.id: file.rule for file in contents.files}
    return same_version_faults(earlier, settings.rules, rules)


WIDEST = 100


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for question in reversed(QUESTIONS):
        keys = question.text if question.text.endswith("?") else f"{question.text}."
        command = click.option(f"--{question.name}", metavar="TEXT", help=keys)(command)
    return command


@click.command()
@_options
@click.option("--from-json", "source", type=click.File(), help="Answers as a JSON object; - is standard input.")
@click.pass_context
def new(context: click.Context, /, source: Any, **options: str | None) -> None:
    """Write a new rule and its test cases: a draft, which has no effect until its status is changed.

    At a terminal it asks what no option has answered, lists the choices, and explains with `?`. Elsewhere every
    question without a usual answer needs an option. Nothing is ever overwritten.

    \b
    scrubber rules new
    scrubber rules new --pack our-clinic --scope line --fact modifiers --operator any --value 25 …
    scrubber rules new --from-json answers.json
    """
    settings = current_settings()
    with errors_as_messages():
        book = load_rulebook(settings.rules)
        reference = open_reference(settings.reference)
    given = _read(source) | {name.replace("_", "-"): text for name, text in options.items() if text is not None}
    answers = _prompt_all(given, book) if source is None and sys.stdin.isatty() else _complete(given, book)
    file, today = rule_file(answers), datetime.now(UTC).date()
    text = rule_text(answers, today, book)
    try:
        rule = rule_from_text(text, file, book)
    except Faults as error:
        raise Unusable(f"nothing was written: the rule would have these faults\n{error}") from None
    pack = book.packs.get(rule.pack) or _new_pack(answers)
    derived = derive(rule, book, pack, reference, settings.rules)
    _write(settings.rules, book, pack, file, {"": text, "test": cases_text(derived, rule)}, today)
    renew_index(settings.rules)
    if not _print_result(settings.rules, file, derived):
        context.exit(1)


def _read(source: Any) -> dict[str, str]:
    if source is None:
        return {}
    try:
        read = json.load(source)
    except (ValueError, RecursionError):
        raise Unusable("the answers are no JSON") from None
    if not isinstance(read, dict) or not all(isinstance(answer, str) for answer in read.values()):
        raise Unusable("the answers are a JSON object of texts, by question")
    return read


def _complete(given: Mapping[str, str], book: Rulebook) -> dict[str, str]:
    answers, faults = complete_answers(given, book)
    if faults:
        raise Unusable("\n".join(f"--{name} {fault}" for name, fault in faults.items()))
    return answers


def _prompt_all(given: Mapping[str, str], book: Rulebook) -> dict[str, str]:
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        if question.asked(answers, book):
            answer = given.get(question.name)
            if answer is None or (fault := fault_in(question, answer, answers, book)):
                if answer is not None:
                    click.echo(f"--{question.name} {fault}")
                answer = _prompt(question, answers, book)
                while question.again and answer and (more := _prompt(question, answers, book, more=True)):
                    answer = f"{answer}; {more}"
            answers[question.name] = answer
    return answers


def _prompt(question: Question, answers: Mapping[str, str], book: Rulebook, *, more: bool = False) -> str:
    """Ask until the answer is valid; `?` lists the choices. `more`: blank says that there is no further answer."""
    choices = question.choices(answers, book)
    usual = "" if more else question.usual(answers)
    text = "And what else? Blank for nothing" if more else question.text
    short = f" ({', '.join(filter(None, choices))})" if 0 < len(choices) <= 8 else " (? lists them)" if choices else ""
    while True:
        answer: str = click.prompt(f"{text}{short}", default=usual, show_default=bool(usual)).strip()
        if answer == "?":
            _explain(choices)
            continue
        fault = None if more and not answer else fault_in(question, answer, answers, book)
        if fault is None:
            return answer
        click.echo(f"  {fault}")


def _explain(choices: Mapping[str, str]) -> None:
    if not choices:
        click.echo("  Any text; docs/writing-rules.md explains each key.")
        return
    listed = click.HelpFormatter(width=min(shutil.get_terminal_size().columns, WIDEST))
    listed.indent()
    listed.write_dl([(word or "(blank)", about) for word, about in choices.items()])
    click.echo(listed.getvalue(), nl=False)


def _new_pack(answers: Mapping[str, str]) -> Pack:
    return Pack(answers["pack"], answers["pack-title"], answers["pack-about"], "everyone", {}, grammar=NEWEST)


def _write(folder: Path, book: Rulebook, pack: Pack, file: str, texts: Mapping[str, str], today: date) -> None:
    rule = folder / file
    files = {rule: texts[""], rule.with_name(rule.stem + TEST_SUFFIX): texts["test"]}
    if pack.name not in book.packs:
        keys = {"name": pack.name, "title": pack.title, "about": pack.about, "grammar": pack.grammar}
        keys["adoption"] = pack.adoption
        lines = (f"{key}: {json.dumps(text, ensure_ascii=False)}\n" for key, text in keys.items())
        pack_file = f"{pack.name}/pack.yaml"
        files[folder / pack_file] = "".join((f"{schema_line(pack_file, PACK_SCHEMA_FILE)}\n", *lines))
        entry = f"# Changes\n\n## {today.isoformat()}\n\n- `{rule.stem}` version 1: new, a draft.\n"
        files[folder / pack.name / "CHANGES.md"] = entry
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        raise Unusable(f"nothing was written: {', '.join(map(str, there))} is there already")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _print_result(folder: Path, file: str, derived: Derived) -> bool:
    """Print what was written and what is left to do; whether the rule is complete and without faults."""
    rule_id = Path(file).stem
    tests = file.removesuffix(".yaml") + TEST_SUFFIX
    click.echo(f"{folder}/{file} is written: a draft\n{folder}/{tests} is written")
    inspection = inspect(folder)
    every = sorted([*inspection.faults, *inspection.of_drafts])
    faults = [fault for fault in every if fault.file.startswith(file.split("/")[0] + "/")]
    for fault in faults:
        click.echo(f"{folder}/{fault}")
    for words in derived.uncovered:
        click.echo(f"No case shows that this matters: {words}. Write one in which all else holds, and this does not.")
    if not derived.enough:
        click.echo(
            f"Not done: {OF_EACH} cases must fire and {OF_EACH} stay silent. Trying known changes of the base claims\n"
            f"gave {len(derived.fire)} and {len(derived.silent)}. Write the others into the test file: a base claim, "
            "`change` with a\npath that the rule reads, and `finds` (docs/writing-rules.md, test files)."
        )
    elif not faults:
        click.echo(f"Look whether the cases say what you mean, then: scrubber rules test {rule_id}")
    return derived.enough and not faults
