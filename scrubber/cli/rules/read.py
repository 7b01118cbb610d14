"""`scrubber rules list`, `show` and `explain`: print rules, and why they fired on a claim or did not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click
import orjson
from click import style

from scrubber import explain as workshop
from scrubber.authoring.revisions import may_fire_for_payer, may_fire_on_code, names_code, payer_called
from scrubber.authoring.run_tests import all_cases
from scrubber.cli.claim_files import claim_in
from scrubber.cli.options import DayParameter, Unusable, current_settings, errors_as_messages, print_page, receipt
from scrubber.cli.options import print_page as on_screen
from scrubber.cli.rules.options import counted, no_pack, no_rule, rulebook
from scrubber.cli.terminal import GAP, columns
from scrubber.dated_rows import in_force
from scrubber.errors import WrongQuestion
from scrubber.explain.as_json import to_bytes
from scrubber.explain.text import render
from scrubber.findings import read_switches
from scrubber.likeness import perhaps
from scrubber.response.rules import write_rule_file, write_summary
from scrubber.response.terminal import wrap
from scrubber.rulebook.condition_words import in_words
from scrubber.rulebook.family_rules import rule_document
from scrubber.rulebook.rule import TAKEN, Authority, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.schema import STATUSES
from scrubber.rulebook.source_map import SourceMap, SourceNode, source_map
from scrubber.rulebook.test_case import Case
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS
from scrubber.scrub import open_scrubber

_INDENT = 2
_STATUS = {
    "draft": "it never runs; its test cases do",
    "shadow": "it runs and is reported apart, without effect",
    "active": "it runs",
    "deprecated": "it never runs any more",
}
_STAGE = {"submission": "rejected", "adjudication": "denied", "postPayment": "paid and taken back"}
_SECTIONS = {"applies": "It is for facts where", "needs": "It is judged only where", "when": "It fires when"}


def rule_page(source: SourceMap, cases: Sequence[Case], book: Rulebook, folder: str, width: int) -> str:
    """A rule as a text of `width` columns, with colour codes."""
    rule = source.rule
    sections = (
        ("WHAT", _what(rule, width)),
        ("WHEN", _conditions(source, width)),
        ("BY WHOSE AUTHORITY", _authorities(rule.authority, width)),
        ("SINCE WHEN", _since(rule, width)),
        ("EXAMPLES FROM ITS TESTS", _examples(cases, width)),
        ("KNOWN FALSE ALARMS", wrap(rule.false_alarms or "none are known", _INDENT, width)),
        ("RELATED", _related(rule, book, width)),
    )
    lines = [style(rule.id, bold=True), *wrap(rule.title, 0, width)]
    for title, body in sections:
        lines += ["", style(title, bold=True), *body]
    return "\n".join([*lines, "", f"{folder}/{rule.file}"])


def _what(rule: Rule, width: int) -> Iterator[str]:
    yield from wrap(f"It says: {rule.message}", _INDENT, width, hang=_INDENT)
    yield from wrap(f"What to do: {rule.fix}", _INDENT, width, hang=_INDENT)
    for remedy in rule.remedies:
        yield from wrap(f"As data: {remedy.in_words}", _INDENT, width, hang=_INDENT)
    if rule.not_checked:
        yield from wrap(f"Not supplied: {rule.not_checked}", _INDENT, width, hang=_INDENT)
    yield from wrap(
        f"Severity {rule.severity_in_words}; the line or claim would be {_STAGE[rule.stage]}; at risk: {rule.at_risk}. "
        f"{_expected(rule)}",
        _INDENT,
        width,
        hang=_INDENT,
    )


def _expected(rule: Rule) -> str:
    if rule.reason is None:
        return "No code on the remittance is expected."
    codes = " ".join((rule.reason.group, rule.reason.carc, *rule.reason.rarc))
    return f"Expected on the remittance: {codes}."


def _conditions(source: SourceMap, width: int) -> Iterator[str]:
    yield from wrap(f"One finding is about: {source.rule.scope}.", _INDENT, width)
    for section, roots in source.by_section():
        if section in _SECTIONS and roots:
            yield f"{'':{_INDENT}}{_SECTIONS[section]}"
            for root in roots:
                yield from _node(root, 2 * _INDENT, width)
    names = [*_names(source.rule, width)]
    if names:
        yield from (f"{'':{_INDENT}}It names", *names)


def _names(rule: Rule, width: int) -> Iterator[str]:
    """The look-ups and amounts that the rule names, in the words of its file."""
    for part, names in json.loads(rule.declared).items():
        for name, meaning in names.items():
            said = f"{name} from a row" if part == TAKEN else name
            yield from wrap(f"{said}: {in_words(meaning)}", 2 * _INDENT, width, hang=_INDENT)


def _node(node: SourceNode, indent: int, width: int) -> Iterator[str]:
    yield from wrap(node.words, indent, width, hang=_INDENT)
    for child in node.parts:
        yield from _node(child, indent + _INDENT, width)


def _authorities(authorities: Sequence[Authority], width: int) -> Iterator[str]:
    for each in authorities:
        where = f", {each.locator}" if each.locator else ""
        binds = "binding" if each.binding else "not binding"
        yield from wrap(f"{each.kind} ({binds}): {each.title}{where}", _INDENT, width, hang=_INDENT)
        if each.url:
            yield from wrap(each.url, 2 * _INDENT, width)
        if each.retrieved:
            yield from wrap(f"read on {each.retrieved}", 2 * _INDENT, width)


def _since(rule: Rule, width: int) -> Iterator[str]:
    first = f"from {rule.since}" if rule.since else "from the first"
    last = f"to the day before {rule.until}" if rule.until else "on"
    yield from wrap(f"Dates of service {first} {last}.", _INDENT, width)
    yield from wrap(f"Version {rule.version}, {rule.status}: {_STATUS[rule.status]}.", _INDENT, width, hang=_INDENT)
    if rule.superseded_by:
        yield from wrap(f"Superseded by {rule.superseded_by}.", _INDENT, width)
    if rule.back_test:
        yield from wrap(f"Back-test on record: {rule.pack}/{rule.back_test}.", _INDENT, width)
    yield from wrap(f"Reviewed on {rule.reviewed}; {rule.owner} answers for it.", _INDENT, width)


def _examples(cases: Sequence[Case], width: int) -> Iterator[str]:
    for case in cases:
        word = "fires" if case.finds else "not checked" if case.not_checked else "silent"
        yield from wrap(f"{word}: {case.name}", _INDENT, width, hang=_INDENT)


def _related(rule: Rule, book: Rulebook, width: int) -> Iterator[str]:
    for name in rule.related:
        yield from wrap(f"{name}: {book.rules[name].title}", _INDENT, width, hang=_INDENT)
    if not rule.related:
        yield f"{'':{_INDENT}}none"


LEAST_TITLE = 12  # characters of a title that are worth a column
NARROW = 80


@click.command()
@click.option("--pack", help="Only rules of this pack.")
@click.option("--code", help="Only rules that name this procedure code, or may fire on it.")
@click.option("--payer", help="Only rules that may fire for this payer: our name for it, or a line of business.")
@click.option("--status", type=click.Choice(STATUSES), help="Only rules of this status.")
@click.option("--as-of", type=click.DateTime(("%Y-%m-%d",)), metavar="DAY", help="Only rules for this date of service.")
@click.option("--json", "as_json", is_flag=True, help="Print the rules as JSON.")
def every(
    pack: str | None, code: str | None, payer: str | None, status: str | None, as_of: datetime | None, as_json: bool
) -> None:
    """List rules: id, status, severity, title.

    With --code, NAMES says yes where a condition names the code, directly or by a list or range; the others are rules
    for every code that may fire on it.

    \b
    scrubber rules list --pack documentation
    scrubber rules list --code 77092 --payer original-medicare --as-of 2025-03-12
    scrubber rules list --status draft
    """
    book = rulebook()
    day = as_of.date() if as_of else None
    found = [
        rule
        for rule in _for_payer(book, payer, day or datetime.now(UTC).date())
        if status in (None, rule.status)
        and pack in (None, rule.pack)
        and (day is None or in_force(rule, day))
        and (code is None or names_code(rule, code, book) or may_fire_on_code(rule, code, book))
    ]
    if pack is not None and pack not in book.packs:
        raise no_pack(pack, book.packs)
    if as_json:
        click.echo(orjson.dumps([_document(rule, code, book) for rule in found], option=orjson.OPT_INDENT_2))
        return
    for line in _table(found, code, book, _width()):
        click.echo(line)
    click.echo(f"{len(found)} of {len(book.rules)} rules", err=True)
    if book.drafts_left_out:
        drafts = counted(len(book.drafts_left_out), "draft")
        click.echo(f"not loaded, scrubber rules lint tells why: {drafts}: {', '.join(book.drafts_left_out)}", err=True)


def _for_payer(book: Rulebook, name: str | None, day: date) -> Sequence[Rule]:
    if name is None:
        return tuple(book.rules.values())
    payer = payer_called(name, book)
    if payer is None:
        known = sorted({row.payer for row in book.rows.get("aliases", ())})
        like = perhaps(name, (*known, *LINES_OF_BUSINESS))
        raise Unusable(
            f"no row of aliases names the payer {name}{like}; there are: {', '.join(known)}, lines of business"
        )
    return [rule for rule in book.rules.values() if may_fire_for_payer(rule, payer, day, book)]


def _document(rule: Rule, code: str | None, book: Rulebook) -> dict[str, object]:
    return write_summary(rule) | ({"namesCode": names_code(rule, code, book)} if code else {})


def _width() -> int | None:
    """Columns of the terminal; None: not a terminal, so that titles are not cut."""
    return max(NARROW, shutil.get_terminal_size().columns) if os.isatty(1) else None


def _table(rules: Sequence[Rule], code: str | None, book: Rulebook, width: int | None) -> Iterator[str]:
    header = ("id", "status", "severity", *(("names",) if code else ()))
    rows = [
        (rule.id, rule.status, rule.severity, *(("yes" if names_code(rule, code, book) else "",) if code else ()))
        for rule in rules
    ]
    lines = list(columns(header, rows))
    widest = max(map(len, lines))
    for line, title in zip(lines, ("TITLE", *(rule.title for rule in rules)), strict=True):
        left = None if width is None else max(LEAST_TITLE, width - widest - len(GAP))
        fitted = title if left is None or len(title) <= left else title[: left - 1] + "…"
        yield f"{line:<{widest}}{GAP}{fitted}"


@click.command()
@click.argument("rule_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Everything that its file says, as JSON.")
def show(rule_id: str, as_json: bool) -> None:
    """Show a rule as a page: what, why, by whose authority, since when, examples from its tests.

    \b
    scrubber rules show documentation-tbs-number
    """
    book = rulebook()
    rule = book.rules.get(rule_id)
    if rule is None:
        if any(Path(fault.file).stem == rule_id for fault in book.left_out):
            raise Unusable(f"{rule_id} is a draft that does not load; scrubber rules lint tells why")
        raise no_rule(rule_id, book.rules)
    if as_json:
        click.echo(orjson.dumps(write_rule_file(rule), option=orjson.OPT_INDENT_2))
        return
    folder = current_settings().rules
    with errors_as_messages():
        cases = all_cases(folder, book, [rule_id])
        source = source_map(rule, rule_document(rule, folder))
    on_screen(lambda width: rule_page(source, cases, book, str(folder), width))


@click.command()
@click.argument("file", metavar="CLAIM")
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Explain this rule, whether or not it fired.")
@click.option("--line", type=click.IntRange(min=1), help="Explain every rule that applies to this line's code.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
@click.option("--enable", multiple=True, metavar="ID", help="Let what this shadow rule finds count.")
@click.option("--disable", multiple=True, metavar="ID", help="Leave this rule out.")
@click.option("--received-on", type=DayParameter(), help="Day of receipt, instead of the claim's own or today.")
def explain(
    file: str,
    rules: tuple[str, ...],
    line: int | None,
    as_json: bool,
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    received_on: date | None,
) -> None:
    """Tell why rules fired or did not on a claim: a v3 body in a file, or - for standard input.

    Of each rule: how it came out, every condition with the fact's value, the rows of tables behind the facts with
    their releases, whether the payer applies the rule's pack and by which row, and what was not supplied. Without
    --rule and --line: the rules that fired. Draft, shadow and deprecated rules are explained as if they counted.

    \b
    scrubber rules explain claim.json
    scrubber rules explain claim.json --line 2
    scrubber rules explain claim.json --rule documentation-tbs-number
    """
    claim = claim_in(file)
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference, settings.stale_after)
        switches = read_switches(enable, disable, opened.rulebook)
    question = workshop.Asked(rules, line)
    try:
        explanation = workshop.explain(opened, claim, receipt(received_on).day(claim), question, switches)
    except WrongQuestion as error:
        raise Unusable(str(error)) from None
    if as_json:
        click.echo(to_bytes(explanation))
    else:
        name = "standard input" if file == "-" else file
        print_page(lambda width: render(name, explanation, width, in_full=bool(rules)))
