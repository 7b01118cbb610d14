"""`scrubber reference diff`: compares two releases, by their rows or by their effect on claims."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import click
import orjson

from scrubber.authoring.release_impact import ClaimChange, ComparedFinding, claim_changes
from scrubber.cli.claim_files import claims_in
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.terminal import ProgressLine, columns
from scrubber.reference import Reference
from scrubber.reference.live import open_storage
from scrubber.reference.load.medicaid import LOADED_KINDS
from scrubber.reference.release_diff import ReleaseChange, cells_changed, difference
from scrubber.reference.releases import Release
from scrubber.reference.storage import LoadedRelease
from scrubber.reference.tables import CONVERSION_FACTORS, TABLES, stored_under
from scrubber.response.values import amount
from scrubber.scrub import open_scrubber

_BY_RULE = ("rule", "gone", "new", "at risk gone", "at risk new")


def print_claim_changes(changes: Iterator[ClaimChange], progress: ProgressLine) -> None:
    """Print each claim that changes, then totals by rule and of all. Memory does not grow with the number of claims."""
    total = _Total()
    for change in changes:
        total.add(change)
        if change.changed:
            progress.wipe()
            for line in _claim_lines(change):
                click.echo(line)
    progress.wipe()
    for line in total.lines():
        click.echo(line)


def _claim_lines(change: ClaimChange) -> Iterator[str]:
    before, after = change.disposition_before, change.disposition_after
    way = before if before == after else f"{before} -> {after}"
    yield f"{change.name}: {way}, at risk {_money(change.at_risk_before)} -> {_money(change.at_risk_after)}"
    for sign, findings in (("-", change.gone), ("+", change.new)):
        for finding in findings:
            yield f"  {sign} {finding.severity} {finding.rule} ({_money(finding.at_risk)}): {finding.message}"


@dataclass
class _Dollars:
    """A sum of the known amounts, and the number of unknown ones."""

    known: Decimal = Decimal(0)
    unknown: int = 0

    def add(self, amount: Decimal | None) -> None:
        """Add an amount; None: unknown."""
        if amount is None:
            self.unknown += 1
        else:
            self.known += amount

    def __str__(self) -> str:
        return _money(self.known) + (f" and {self.unknown:,} unknown" if self.unknown else "")


@dataclass
class _RuleSide:
    """Findings of one rule that only one of the releases leads to."""

    findings: int = 0
    at_risk: _Dollars = field(default_factory=_Dollars)


@dataclass
class _Total:
    """Totals of the claims so far."""

    claims: int = 0
    changed: int = 0
    before: _Dollars = field(default_factory=_Dollars)
    after: _Dollars = field(default_factory=_Dollars)
    by_rule: defaultdict[str, tuple[_RuleSide, _RuleSide]] = field(
        default_factory=lambda: defaultdict(lambda: (_RuleSide(), _RuleSide()))
    )

    def add(self, change: ClaimChange) -> None:
        """Add a claim."""
        self.claims += 1
        self.changed += change.changed
        self.before.add(change.at_risk_before)
        self.after.add(change.at_risk_after)
        for at, findings in enumerate((change.gone, change.new)):
            for finding in findings:
                side = self.by_rule[finding.rule][at]
                side.findings += 1
                side.at_risk.add(finding.at_risk)

    def lines(self) -> Iterator[str]:
        """The totals by rule, and of all claims."""
        rows = [
            (rule, one.findings, other.findings, one.at_risk, other.at_risk)
            for rule, (one, other) in sorted(self.by_rule.items())
        ]
        if rows:
            yield from columns(_BY_RULE, rows, frozenset(_BY_RULE[1:]))
        gone, new = (sum(sides[at].findings for sides in self.by_rule.values()) for at in (0, 1))
        yield (
            f"{self.changed:,} of {self.claims:,} claims change: {gone:,} findings gone, {new:,} new;"
            f" at risk {self.before} -> {self.after}"
        )


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount:,.2f}"


def change_document(change: ClaimChange) -> dict[str, Any]:
    """One changed claim as JSON."""
    return {
        "claim": change.name,
        "disposition": {"before": change.disposition_before, "after": change.disposition_after},
        "atRisk": {"before": amount(change.at_risk_before), "after": amount(change.at_risk_after)},
        "gone": [_finding_document(finding) for finding in change.gone],
        "new": [_finding_document(finding) for finding in change.new],
    }


def _finding_document(finding: ComparedFinding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "lines": finding.lines,
        "message": finding.message,
        "atRisk": amount(finding.at_risk),
    }


CHANGES_PRINTED = 20  # of additions, deletions and changes each, unless --all is given
_WHOSE = {None: "every provider", True: "qualifying APM participants", False: "all other providers"}
_SIGNS = {"added": "+", "deleted": "-", "changed": "~"}


@click.command()
@click.argument("kind", type=click.Choice(LOADED_KINDS), metavar="KIND")
@click.argument("before")
@click.argument("after")
@click.option(
    "--claims",
    "files",
    multiple=True,
    metavar="FILE",
    help="Show the change on these claims: one a file, or one a line.",
)
@click.option("--all", "everything", is_flag=True, help=f"Every change, not the first {CHANGES_PRINTED} of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a change.")
def diff(kind: str, before: str, after: str, files: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Compare two loaded releases of a kind.

    With --claims: scrub each claim with the one release and with the other, as if either held on all days, and tell
    which findings and dollars change.

    \b
    scrubber reference diff ncci-ptp 2026Q2 2026Q3
    scrubber reference diff ncci-ptp 2026Q2 2026Q3 --claims last-month.ndjson
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_scrubber(settings.rules, settings.reference, settings.stale_after)
        loaded = open_storage(settings.reference).loaded() if settings.reference else ()
    one, other = (_releases(opened.reference, loaded, kind, name) for name in (before, after))
    if not files:
        _print_rows(opened.reference, one, other, everything, as_json)
        return
    progress = ProgressLine("claims")
    claims = claims_in(files, settings.max_body_bytes, progress)
    changes = claim_changes(opened, one.values(), other.values(), claims)
    if as_json:
        for change in changes:
            if change.changed:
                progress.wipe()
                click.echo(orjson.dumps(change_document(change)))
    else:
        print_claim_changes(changes, progress)


def _releases(reference: Reference, loaded: tuple[LoadedRelease, ...], kind: str, name: str) -> dict[str, Release]:
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


def _print_rows(
    reference: Reference, one: dict[str, Release], other: dict[str, Release], everything: bool, as_json: bool
) -> None:
    counts: Counter[str] = Counter()
    progress = ProgressLine()
    for table in sorted(one.keys() | other.keys()):
        for change in difference(
            reference.backend, TABLES[stored_under(table)], one.get(table), other.get(table), progress
        ):
            counts[change.change] += 1
            if as_json or everything or counts[change.change] <= CHANGES_PRINTED:
                progress.wipe()
            if as_json:
                click.echo(orjson.dumps(_document(change), default=str))
            elif everything or counts[change.change] <= CHANGES_PRINTED:
                click.echo(_line(change))
    progress.wipe()
    if not as_json:
        click.echo(", ".join(f"{counts[word]:,} {word}" for word in _SIGNS))


def _line(change: ReleaseChange) -> str:
    name = _factor(change) if change.table == CONVERSION_FACTORS.name else " ".join(map(str, change.key))
    finding = "; ".join(
        f"{column} {old or '(none)'} -> {new or '(none)'}" for column, old, new in cells_changed(change)
    )
    return f"{_SIGNS[change.change]} {change.table} {name}{': ' + finding if finding else ''}"


def _factor(change: ReleaseChange) -> str:
    """Whose factor it is, and its value where it is added or deleted: in 2026 two factors replaced one."""
    [whose] = change.key
    [row] = change.after or change.before
    return _WHOSE[whose] if change.change == "changed" else f"{_WHOSE[whose]}: {row.factor}"


def _document(change: ReleaseChange) -> dict[str, Any]:
    rows = {side: [row._asdict() for row in getattr(change, side)] for side in ("before", "after")}
    return {"change": change.change, "table": change.table, "key": change.key} | rows
