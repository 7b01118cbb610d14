"""Beside the path, `scrubber reference diff`: what one release changes against another, in rows or on claims."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
import orjson

from scrubber.cli.claim_changes import change_document, show_claim_changes
from scrubber.cli.claim_files import claims_in
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.progress import Shown
from scrubber.reference import Reference
from scrubber.reference.catalogue import CONVERSION_FACTORS, TABLES, rows_lie_in
from scrubber.reference.difference import Changed, cells_changed, difference
from scrubber.reference.live import open_place
from scrubber.reference.load.medicaid import LOADED_KINDS
from scrubber.reference.place import Loaded
from scrubber.reference.releases import Release
from scrubber.scrub import open_scrubber
from scrubber.workshop.release_difference import claim_changes

SHOWN = 20  # changes of a kind of change, unless all are asked for
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
        opened = open_scrubber(chosen.rules, chosen.reference, chosen.stale_after)
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
                click.echo(orjson.dumps(change_document(change)))
    else:
        show_claim_changes(changes, shown)


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
        for change in difference(
            reference.backend, TABLES[rows_lie_in(table)], one.get(table), other.get(table), shown
        ):
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
    name = _factor(change) if change.table == CONVERSION_FACTORS.name else " ".join(map(str, change.key))
    told = "; ".join(f"{column} {old or '(none)'} -> {new or '(none)'}" for column, old, new in cells_changed(change))
    return f"{_SIGNS[change.word]} {change.table} {name}{': ' + told if told else ''}"


def _factor(change: Changed) -> str:
    """Whose factor it is, and which: from 2026 on there are two where there was one, so none of them is changed."""
    [whose] = change.key
    [row] = change.after or change.before
    return _WHOSE[whose] if change.word == "changed" else f"{_WHOSE[whose]}: {row.factor}"


def _document(change: Changed) -> dict[str, Any]:
    rows = {side: [row._asdict() for row in getattr(change, side)] for side in ("before", "after")}
    return {"change": change.word, "table": change.table, "key": change.key} | rows
