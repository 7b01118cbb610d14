"""Codes that no rule mentions: where they come from, and the table of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any, NamedTuple

import click
import orjson

from scrubber.authoring.coverage import ConditionCoverage, ConditionOutcome, RuleCoverage, cover
from scrubber.authoring.table_tests import TableCoverage, cover_tables
from scrubber.authoring.uncovered_codes import UncoveredCode, general_rules, starter_codes, uncovered_codes
from scrubber.claim import read_claim
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.rules.options import counted, watched
from scrubber.cli.rules.tables import table_coverage_lines
from scrubber.cli.terminal import columns
from scrubber.errors import NotAClaim, NotJson
from scrubber.rulebook.reachability import Companions, companions, describe_contradiction
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.source_map import SourceNode
from scrubber.scrub import Scrubber, open_scrubber


class ListedCodes(NamedTuple):
    """Codes, each with how many lines bill it where that is known; `asked`: somebody named the file."""

    what: str
    codes: Mapping[str, int | None]
    asked: bool


def listed_codes(file: str) -> dict[str, int | None]:
    """The codes of a text file: the first word of each line; what follows # is a comment."""
    words = (line.split("#")[0].replace(",", " ").split() for line in _lines(file))
    return {found[0].upper(): None for found in words if found}


def billed_codes(file: str) -> dict[str, int | None]:
    """The procedure codes of the claims of an NDJSON file, with how many lines bill each."""
    billed: Counter[str] = Counter()
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            claim = read_claim(line.encode())
        except (NotJson, NotAClaim):
            raise Unusable(f"{file}:{number} is no claim; `scrubber scrub` says why") from None
        billed.update(each.procedure for each in claim.lines if each.procedure)
    return dict(billed)


def _lines(file: str) -> Iterator[str]:
    try:
        with Path(file).open(encoding="utf-8-sig") as stream:
            yield from stream
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unusable(f"{file} is not UTF-8") from None


def codes_table(listed: ListedCodes, found: Sequence[UncoveredCode], book: Rulebook) -> Iterator[str]:
    """How many of the codes no rule mentions; in full for a file that was named, else in a sentence."""
    of = f"{len(found):,} of {len(listed.codes):,} {listed.what} are mentioned by no rule"
    general = f"rules that name no code, and hold for all: {len(general_rules(book))}"
    if not listed.asked:
        codes = f": {' '.join(each.code for each in found)}" if found else ""
        yield from wrap(f"{of}{codes}. {general}.", WIDTH)
        return
    yield ""
    if found:
        header = ("code", "lines", "on the code tables", "PTP pairs", "MUE", "policies", "articles")
        yield from columns(header, found, frozenset((header[1], *header[3:])))
    yield f"{of}; {general}"


def codes_document(listed: ListedCodes, found: Sequence[UncoveredCode], book: Rulebook) -> dict[str, Any]:
    """The codes that no rule mentions, as JSON."""
    codes = [
        {
            "code": each.code,
            "lines": each.lines,
            "standing": each.standing,
            "ptpPairs": each.ptp_pairs,
            "mue": each.mue,
            "policies": each.policies,
            "articles": each.articles,
        }
        for each in found
    ]
    general = [rule.id for rule in general_rules(book)]
    return {"codes": {"of": listed.what, "asked": len(listed.codes), "unmentioned": codes}, "generalRules": general}


WIDTH = 80
_WAYS = ("true", "false")


def coverage_table(covered: Iterable[RuleCoverage], folder: str) -> Iterator[str]:
    """A line for each rule, those with gaps first, and below it the position of each gap."""
    ordered = sorted(covered, key=lambda covered_rule: (not covered_rule.gaps, covered_rule.rule.id))
    header = ("rule", "cases", "shown", "of", "%")
    rows = [(covered_rule.rule.id, covered_rule.cases, *_counts(covered_rule)) for covered_rule in ordered]
    top, *lines = columns(header, rows, frozenset(header[1:]))
    yield top
    for covered_rule, line in zip(ordered, lines, strict=True):
        yield line
        yield from _gaps(covered_rule, folder)


def _counts(covered_rule: RuleCoverage) -> tuple[int, int, int | None]:
    """Outcomes that cases show, outcomes there are, and the percentage, None where there are none."""
    ways = len(covered_rule.outcomes)
    shown_count = ways - covered_rule.gaps
    return shown_count, ways, 100 * shown_count // ways if covered_rule.cases and ways else None


def _gaps(covered_rule: RuleCoverage, folder: str) -> Iterator[str]:
    for seen in (*covered_rule.conditions, *covered_rule.relations):
        for word, way in zip(_WAYS, (seen.true, seen.false), strict=True):
            if way.gap:
                yield f"  {_position(covered_rule, seen.node, folder)}"
                yield _short(f"    never {word}: {seen.node.words}")


def _position(covered_rule: RuleCoverage, node: SourceNode, folder: str) -> str:
    return f"{folder}/{covered_rule.rule.file}:{node.line}"


def _short(line: str) -> str:
    indent = len(line) - len(line.lstrip())
    return " " * indent + shorten(line, WIDTH - indent, placeholder=" …")


def closing(covered: Sequence[RuleCoverage], together: Sequence[Companions], folder: str) -> Iterator[str]:
    """The summary of all rules: the share of outcomes shown, rules that never fire, rules that always fire together."""
    ways = sum(len(covered_rule.outcomes) for covered_rule in covered)
    shown_count = ways - sum(covered_rule.gaps for covered_rule in covered)
    cases = counted(sum(covered_rule.cases for covered_rule in covered), "case")
    percent = f" ({100 * shown_count // ways}%)" if ways else ""
    yield f"{counted(len(covered), 'rule')}, {cases}: {shown_count:,} of {ways:,} outcomes of conditions seen{percent}"
    for covered_rule in covered:
        if covered_rule.never:
            position = _position(covered_rule, covered_rule.never[0], folder)
            yield f"{position}: can never fire: {describe_contradiction(covered_rule.never)}"
    for rule, other, both in together:
        yield f"{rule.id} {'always fires together with' if both else 'never fires without'} {other.id}"


def rule_tree(covered_rule: RuleCoverage, folder: str) -> Iterator[str]:
    """Every condition of a rule with its line, in how many cases it was true and false, and in which first."""
    shown_count, ways, percent = _counts(covered_rule)
    yield from wrap(f"{covered_rule.rule.id}: {covered_rule.rule.title}", WIDTH)
    yield f"{folder}/{covered_rule.rule.file}"
    share = f" ({percent}%)" if percent is not None else ""
    yield f"{counted(covered_rule.cases, 'case')}, {shown_count} of {ways} outcomes of its conditions seen{share}"
    if covered_rule.never:
        yield from wrap(f"It can never fire: {describe_contradiction(covered_rule.never)}.", WIDTH)
    yield ""
    yield f"{'LINE':>5} {'TRUE':>5} {'FALSE':>5}  CONDITION"
    for section, group in groupby(covered_rule.conditions, key=lambda seen: seen.node.section):
        yield f"{'':17}  {section}"
        for seen in group:
            yield from _condition(seen)
    if covered_rule.relations:
        yield f"{'':17}  what stands beside it, one by one"
        for seen in covered_rule.relations:
            yield from _condition(seen._replace(node=seen.node._replace(path=())))


def _condition(seen: ConditionCoverage) -> Iterator[str]:
    depth = 2 * (len(seen.node.path) if seen.node.section == "when" else 0)
    yield from _filled(
        f"{seen.node.line or '':>5} {_count(seen.true):>5} {_count(seen.false):>5}    {'':{depth}}", seen.node.words
    )
    for word, way in zip(_WAYS, (seen.true, seen.false), strict=True):
        covered_rule = way.first or ("no case shows it" if way.possible else "cannot be")
        yield from _filled(f"{'':17}      {'':{depth}}", f"{word}: {covered_rule}")


def _filled(indent: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent) + "  ")


def _count(way: ConditionOutcome) -> str:
    return str(way.cases) if way.possible else "-"


def coverage_document(covered_rule: RuleCoverage) -> dict[str, Any]:
    """The coverage of one rule as JSON; files are relative to the folder of rules."""
    shown_count, ways, percent = _counts(covered_rule)
    return {
        "rule": covered_rule.rule.id,
        "file": covered_rule.rule.file,
        "cases": covered_rule.cases,
        "shown": shown_count,
        "of": ways,
        "percent": percent,
        "conditions": [_condition_document(seen) for seen in covered_rule.conditions],
        "relations": [_condition_document(seen) for seen in covered_rule.relations],
        "neverFires": [{"line": node.line, "condition": node.words} for node in covered_rule.never],
    }


def _condition_document(seen: ConditionCoverage) -> dict[str, Any]:
    node = seen.node
    return {
        "section": node.section,
        "line": node.line,
        "path": node.path,
        "condition": node.words,
        "true": seen.true._asdict(),
        "false": seen.false._asdict(),
    }


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--codes", "codes_file", metavar="FILE", help="Which of these codes no rule mentions: one a line.")
@click.option("--claims", "claims_file", metavar="FILE", help="The same for the codes of claims: NDJSON.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def coverage(ids: tuple[str, ...], codes_file: str | None, claims_file: str | None, as_json: bool) -> None:
    """Show which conditions of these rules, or of all, their test cases made true and which false.

    A condition should be seen both ways: a case where it holds and one where it does not. It counts where the
    conditions before it hold: a rule asks first for its dates, then what it applies to, what it needs, and when.
    Also told: rules that can never fire, rules that always fire together, and codes that no rule mentions.

    \b
    scrubber rules coverage                             every rule, those with gaps first
    scrubber rules coverage documentation-tbs-number    each condition and the first case of it
    scrubber rules coverage --claims year.ndjson        billed codes that no rule mentions
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference)
        codes = _codes(codes_file, claims_file)
        names = [name for name in ids if name in opened.rulebook.typed_tables]
        rules = [name for name in ids if name not in names]
        count = len(set(rules)) or len(opened.rulebook.rules)
        covered = list(watched(cover(opened, settings.rules, rules if ids else None), "rules", count))
        of_tables = list(cover_tables(settings.rules, opened.rulebook, names if ids else None))
    if as_json:
        document = _document(covered, codes, opened, bool(ids)) | _of_tables(of_tables)
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    elif ids:
        for number, covered_rule in enumerate(covered):
            click.echo("\n".join((*([""] if number else []), *rule_tree(covered_rule, str(settings.rules)))))
    else:
        _print_coverage(covered, codes, opened, str(settings.rules))
    if not as_json:
        for line in table_coverage_lines(of_tables, settings.rules):
            click.echo(line)


def _of_tables(covered: Sequence[TableCoverage]) -> dict[str, Any]:
    """The coverage of tables as JSON; nothing where none was asked for or there is none."""
    tables = [
        {"table": each.table.name, "file": each.table.file, "cases": each.cases, "rows": len(each.table.stored),
         "unreachedLines": list(each.unreached)}
        for each in covered
    ]  # fmt: skip
    return {"tables": tables} if tables else {}


def _codes(codes_file: str | None, claims_file: str | None) -> ListedCodes:
    if codes_file:
        return ListedCodes(f"codes of {codes_file}", listed_codes(codes_file), asked=True)
    if claims_file:
        return ListedCodes(f"codes of {claims_file}", billed_codes(claims_file), asked=True)
    return ListedCodes("codes of the starter fee schedule", starter_codes(), asked=False)


def _print_coverage(covered: list[RuleCoverage], codes: ListedCodes, opened: Scrubber, folder: str) -> None:
    for line in (*coverage_table(covered, folder), *closing(covered, list(companions(opened.rulebook)), folder)):
        click.echo(line)
    found = list(uncovered_codes(codes.codes, opened.rulebook, opened.reference, _today()))
    for line in codes_table(codes, found, opened.rulebook):
        click.echo(line)


def _document(covered: list[RuleCoverage], codes: ListedCodes, opened: Scrubber, rules_only: bool) -> dict[str, Any]:
    rules = [coverage_document(covered_rule) for covered_rule in covered]
    if rules_only:
        return {"rules": rules}
    book = opened.rulebook
    together = [{"rule": one.id, "other": other.id, "both": both} for one, other, both in companions(book)]
    found = list(uncovered_codes(codes.codes, book, opened.reference, _today()))
    return {"rules": rules, "firingTogether": together, **codes_document(codes, found, book)}


def _today() -> Any:
    return datetime.now(UTC).date()
