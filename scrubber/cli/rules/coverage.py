"""Beside the path, `scrubber rules coverage`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import orjson

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.coverage_codes import ListedCodes, billed_codes, codes_document, codes_table, listed_codes
from scrubber.cli.rules.coverage_tables import closing, coverage_document, coverage_table, rule_tree
from scrubber.cli.rules.progress import watched
from scrubber.rulebook.firing import companions
from scrubber.scrub import Scrubber, open_scrubber
from scrubber.workshop.coverage import RuleCoverage, cover
from scrubber.workshop.unmentioned import starter_codes, unmentioned


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
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference)
        codes = _codes(codes_file, claims_file)
        count = len(set(ids)) or len(opened.rulebook.rules)
        covered = list(watched(cover(opened, chosen.rules, ids or None), "rules", count))
    if as_json:
        click.echo(orjson.dumps(_document(covered, codes, opened, bool(ids)), option=orjson.OPT_INDENT_2))
    elif ids:
        for number, told in enumerate(covered):
            click.echo("\n".join((*([""] if number else []), *rule_tree(told, str(chosen.rules)))))
    else:
        _show(covered, codes, opened, str(chosen.rules))


def _codes(codes_file: str | None, claims_file: str | None) -> ListedCodes:
    if codes_file:
        return ListedCodes(f"codes of {codes_file}", listed_codes(codes_file), asked=True)
    if claims_file:
        return ListedCodes(f"codes of {claims_file}", billed_codes(claims_file), asked=True)
    return ListedCodes("codes of the starter fee schedule", starter_codes(), asked=False)


def _show(covered: list[RuleCoverage], codes: ListedCodes, opened: Scrubber, folder: str) -> None:
    for line in (*coverage_table(covered, folder), *closing(covered, list(companions(opened.rulebook)), folder)):
        click.echo(line)
    found = list(unmentioned(codes.codes, opened.rulebook, opened.reference, _today()))
    for line in codes_table(codes, found, opened.rulebook):
        click.echo(line)


def _document(covered: list[RuleCoverage], codes: ListedCodes, opened: Scrubber, chosen: bool) -> dict[str, Any]:
    rules = [coverage_document(told) for told in covered]
    if chosen:
        return {"rules": rules}
    book = opened.rulebook
    together = [{"rule": one.id, "other": other.id, "both": both} for one, other, both in companions(book)]
    found = list(unmentioned(codes.codes, book, opened.reference, _today()))
    return {"rules": rules, "firingTogether": together, **codes_document(codes, found, book)}


def _today() -> Any:
    return datetime.now(UTC).date()
