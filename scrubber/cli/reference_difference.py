"""Beside the path, `scrubber reference diff`: what one release changes against another, in rows or on claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import orjson

from scrubber.claim import Claim
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.progress import Shown
from scrubber.errors import NotAClaim, NotJson
from scrubber.intake.parse import parse_json
from scrubber.intake.v3 import read_v3
from scrubber.reference import Reference
from scrubber.reference.catalogue import TABLES
from scrubber.reference.difference import Changed, cells_changed, difference
from scrubber.reference.live import open_place
from scrubber.reference.place import Loaded
from scrubber.reference.rows import Release
from scrubber.scrub import open_scrubber
from scrubber.workshop.release_difference import ClaimChange, Told, claim_changes

SHOWN = 20  # changes of a kind of change, unless all are asked for
_SIGNS = {"added": "+", "deleted": "-", "changed": "~"}


@click.command()
@click.argument("kind")
@click.argument("before")
@click.argument("after")
@click.option(
    "--claims", "files", multiple=True, metavar="FILE", help="Show the change on these claims: JSON or NDJSON."
)
@click.option("--all", "everything", is_flag=True, help=f"Every change, not the first {SHOWN} of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a change.")
def diff(kind: str, before: str, after: str, files: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Compare two loaded releases of a kind.

    With --claims: scrub each claim with the one release and with the other, as if either held on all days, and tell
    which findings and dollars change.
    """
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference)
        loaded = open_place(chosen.reference).loaded() if chosen.reference else ()
    one, other = (_releases(opened.reference, loaded, kind, name) for name in (before, after))
    if not files:
        _show_rows(opened.reference, one, other, everything, as_json)
        return
    changes = list(claim_changes(opened, one.values(), other.values(), _claims(files)))
    if as_json:
        for change in changes:
            click.echo(orjson.dumps(change._asdict(), default=_told_json))
    else:
        _show_claims(changes)


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


def _claims(files: tuple[str, ...]) -> Iterator[tuple[str, Claim, date]]:
    """Every claim of the files, one a file or one a line, by file and number; what is no claim ends the command."""
    for file in files:
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise Unusable(f"{file} cannot be read: {error.strerror}") from None
        for number, body in enumerate(_bodies(content), start=1):
            name = f"{Path(file).name}:{number}"
            try:
                claim = read_v3(parse_json(body))
            except (NotJson, NotAClaim):
                raise Unusable(f"{name} is no claim; `scrubber scrub` says why") from None
            yield name, claim, claim.context.received_on or datetime.now(UTC).date()


def _bodies(content: bytes) -> list[bytes]:
    try:
        parse_json(content)
    except NotJson:
        return [line for line in content.splitlines() if line.strip()]
    return [content]


def _show_claims(changes: list[ClaimChange]) -> None:
    changed = [change for change in changes if change.changed]
    for change in changed:
        before, after = change.disposition_before, change.disposition_after
        way = before if before == after else f"{before} -> {after}"
        click.echo(f"{change.name}: {way}, at risk {_money(change.at_risk_before)} -> {_money(change.at_risk_after)}")
        for sign, findings in (("-", change.gone), ("+", change.new)):
            for told in findings:
                click.echo(f"  {sign} {told.severity} {told.rule} ({_money(told.at_risk)}): {told.message}")
    gone, new = (sum(len(getattr(change, side)) for change in changed) for side in ("gone", "new"))
    before_sum, after_sum = (
        sum((getattr(change, side) or Decimal(0) for change in changes), Decimal(0))
        for side in ("at_risk_before", "at_risk_after")
    )
    click.echo(
        f"{len(changed):,} of {len(changes):,} claims change: {gone:,} findings gone, {new:,} new;"
        f" at risk {_money(before_sum)} -> {_money(after_sum)}"
    )


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount:,.2f}"


def _told_json(value: object) -> Any:
    if isinstance(value, Told):
        return value._asdict()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError
