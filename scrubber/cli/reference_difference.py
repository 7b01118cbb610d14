"""Beside the path, `scrubber reference diff`: what one release changes against another, in rows or on claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import click
import orjson

from scrubber.answer.json import amount
from scrubber.cli.claim_files import claims_in
from scrubber.cli.columns import columns
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.progress import Shown
from scrubber.reference import Reference
from scrubber.reference.catalogue import TABLES
from scrubber.reference.difference import Changed, cells_changed, difference
from scrubber.reference.live import open_place
from scrubber.reference.place import Loaded
from scrubber.reference.rows import Release
from scrubber.scrub import open_scrubber
from scrubber.workshop.release_difference import ClaimChange, Told, claim_changes

SHOWN = 20  # changes of a kind of change, unless all are asked for
_BY_RULE = ("rule", "gone", "new", "at risk gone", "at risk new")
_SIGNS = {"added": "+", "deleted": "-", "changed": "~"}


@click.command()
@click.argument("kind")
@click.argument("before")
@click.argument("after")
@click.option(
    "--claims",
    "files",
    multiple=True,
    metavar="FILE",
    help="Show the change on these claims: one a file, or one a line.",
)
@click.option("--all", "everything", is_flag=True, help=f"Every change, not the first {SHOWN} of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a change.")
def diff(kind: str, before: str, after: str, files: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Compare two loaded releases of a kind.

    With --claims: scrub each claim with the one release and with the other, as if either held on all days, and tell
    which findings and dollars change.

    \b
    scrubber reference diff ncci-ptp 2026Q2 2026Q3
    scrubber reference diff ncci-ptp 2026Q2 2026Q3 --claims last-month.ndjson
    """
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference)
        loaded = open_place(chosen.reference).loaded() if chosen.reference else ()
    one, other = (_releases(opened.reference, loaded, kind, name) for name in (before, after))
    if not files:
        _show_rows(opened.reference, one, other, everything, as_json)
        return
    shown = Shown("claims")
    claims = claims_in(files, chosen.max_body_bytes, shown)
    changes = claim_changes(opened, one.values(), other.values(), claims)
    if as_json:
        for change in changes:
            if change.changed:
                shown.wipe()
                click.echo(orjson.dumps(_change_document(change)))
    else:
        _show_claims(changes, shown)


def _releases(reference: Reference, loaded: tuple[Loaded, ...], kind: str, name: str) -> dict[str, Release]:
    """The release of each table that was loaded under this kind and name."""
    found = next((each for each in loaded if (each.kind, each.name) == (kind, name)), None)
    if found is None:
        there = ", ".join(each.name for each in loaded if each.kind == kind)
        raise Unusable(f"there is no loaded release {name} of {kind}; there are: {there or 'none'}")
    return {
        release.table: release
        for release in reference.releases()
        if release.table in found.rows and release.sha256 == found.sha256
    }


def _show_rows(
    reference: Reference, one: dict[str, Release], other: dict[str, Release], everything: bool, as_json: bool
) -> None:
    counts: Counter[str] = Counter()
    shown = Shown()
    for table in sorted(one.keys() | other.keys()):
        for change in difference(reference.backend, TABLES[table], one.get(table), other.get(table), shown):
            counts[change.word] += 1
            if as_json or everything or counts[change.word] <= SHOWN:
                shown.wipe()
            if as_json:
                click.echo(orjson.dumps(_document(change), default=str))
            elif everything or counts[change.word] <= SHOWN:
                click.echo(_line(change))
    shown.wipe()
    if not as_json:
        click.echo(", ".join(f"{counts[word]:,} {word}" for word in _SIGNS))


def _line(change: Changed) -> str:
    name = " ".join(str(cell) for cell in change.key)
    told = "; ".join(f"{column} {old or '(none)'} -> {new or '(none)'}" for column, old, new in cells_changed(change))
    return f"{_SIGNS[change.word]} {change.table} {name}{': ' + told if told else ''}"


def _document(change: Changed) -> dict[str, Any]:
    rows = {side: [row._asdict() for row in getattr(change, side)] for side in ("before", "after")}
    return {"change": change.word, "table": change.table, "key": change.key} | rows


def _show_claims(changes: Iterator[ClaimChange], shown: Shown) -> None:
    """Each claim that changes, then what that comes to by rule, and in all. Memory does not grow with the claims."""
    total = _Total()
    for change in changes:
        total.add(change)
        if change.changed:
            shown.wipe()
            for line in _claim_lines(change):
                click.echo(line)
    shown.wipe()
    for line in total.lines():
        click.echo(line)


def _claim_lines(change: ClaimChange) -> Iterator[str]:
    before, after = change.disposition_before, change.disposition_after
    way = before if before == after else f"{before} -> {after}"
    yield f"{change.name}: {way}, at risk {_money(change.at_risk_before)} -> {_money(change.at_risk_after)}"
    for sign, findings in (("-", change.gone), ("+", change.new)):
        for told in findings:
            yield f"  {sign} {told.severity} {told.rule} ({_money(told.at_risk)}): {told.message}"


@dataclass
class _Total:
    """What the claims come to so far; findings and their dollars by rule and side. What is not known adds nothing."""

    claims: int = 0
    changed: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    dollars: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, change: ClaimChange) -> None:
        """Take a claim into account."""
        self.claims += 1
        self.changed += change.changed
        self.before += change.at_risk_before or 0
        self.after += change.at_risk_after or 0
        for side, findings in (("gone", change.gone), ("new", change.new)):
            for told in findings:
                self.findings[told.rule, side] += 1
                self.dollars[told.rule, side] = self.dollars.get((told.rule, side), Decimal(0)) + (told.at_risk or 0)

    def lines(self) -> Iterator[str]:
        """By rule, and in all."""
        rules = sorted({rule for rule, _ in self.findings})
        if rules:
            yield from columns(_BY_RULE, [self._of_rule(rule) for rule in rules], frozenset(_BY_RULE[1:]))
        gone, new = (sum(self.findings[rule, side] for rule in rules) for side in ("gone", "new"))
        yield (
            f"{self.changed:,} of {self.claims:,} claims change: {gone:,} findings gone, {new:,} new;"
            f" at risk {_money(self.before)} -> {_money(self.after)}"
        )

    def _of_rule(self, rule: str) -> tuple[object, ...]:
        sides = [(rule, side) for side in ("gone", "new")]
        counts = [self.findings[side] for side in sides]
        return rule, *counts, *(_money(self.dollars.get(side, Decimal(0))) for side in sides)


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount:,.2f}"


def _change_document(change: ClaimChange) -> dict[str, Any]:
    return {
        "claim": change.name,
        "disposition": {"before": change.disposition_before, "after": change.disposition_after},
        "atRisk": {"before": amount(change.at_risk_before), "after": amount(change.at_risk_after)},
        "gone": [_told_document(told) for told in change.gone],
        "new": [_told_document(told) for told in change.new],
    }


def _told_document(told: Told) -> dict[str, Any]:
    return {
        "rule": told.rule,
        "severity": told.severity,
        "lines": told.lines,
        "message": told.message,
        "atRisk": amount(told.at_risk),
    }
