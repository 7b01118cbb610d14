"""Beside the path, `scrubber reference verify`: whether loaded tables give the amounts that CMS itself publishes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import click

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.reference import Reference, open_reference
from scrubber.reference.catalogue import CONVERSION_FACTORS, GPCI, MPFS
from scrubber.reference.load.opening import OpenedSource, opened_sources
from scrubber.workshop.verify import Verification, verify_mpfs

TOLD = 10  # differences and bad rows of a file
NOT_EXACT = 1


@click.group()
def verify() -> None:
    """Work out again what CMS publishes, and compare.

    \b
    scrubber reference verify mpfs PFREV25C.txt
    """


@verify.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--date",
    "moment",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Date of service to price for; default: the last day of the year that a row names.",
)
@click.option("--qualifying-apm", is_flag=True, help="With the conversion factor of qualifying APM participants.")
@click.pass_context
def mpfs(ctx: click.Context, files: tuple[str, ...], moment: datetime | None, qualifying_apm: bool) -> None:
    """Compare files of carrier amounts (PFREV, PFAL and the like), both settings of each row, to the cent.

    Exit code 1 when any amount differs or is unknown here.
    """
    day = moment.date() if moment else None
    with told_plainly():
        reference = open_reference(settings().reference)
        with opened_sources(list(files)) as sources:
            checked = [_checked(source, reference, day, qualifying_apm) for source in sources]
    click.echo(_in_all(checked))
    if not all(each.all_exact for each in checked):
        ctx.exit(NOT_EXACT)


def _checked(source: OpenedSource, reference: Reference, day: date | None, qualifying_apm: bool) -> Verification:
    done = verify_mpfs(source, reference, day, qualifying_apm)
    if not done.rows:
        raise Unusable(f"{source.name} is no file of carrier amounts: none of its rows can be read as one")
    click.echo(f"{source.name}: {done.exact:,} of {done.amounts:,} amounts of {done.rows:,} rows exact to the cent")
    for line in (*_origin(reference, done), *_differences(done)):
        click.echo(f"  {line}")
    return done


def _origin(reference: Reference, done: Verification) -> Iterator[str]:
    for day in sorted(done.days):
        used = [(table.name, reference.standing(table.name, day).release) for table in (MPFS, GPCI, CONVERSION_FACTORS)]
        yield f"as of {day}: {', '.join(f'{name} {release.name}' for name, release in used if release)}"


def _differences(done: Verification) -> Iterator[str]:
    for bad in done.first_bad[:TOLD]:
        yield f"line {bad.line}: {bad.column or 'row'}: {bad.message}"
    for row, setting, published, ours, _ in done.first_different[:TOLD]:
        code = f"{row.code}-{row.component}" if row.component else row.code
        yield f"{code} in {row.locality}, {setting}: CMS {published}, here {ours}"
    for reason, count in done.unknown.most_common():
        yield f"{count:,} not known here: {reason}"
    if done.different or done.bad_rows:
        yield f"{done.different:,} amounts differ, {done.bad_rows:,} rows cannot be read"


def _in_all(checked: list[Verification]) -> str:
    exact, amounts, rows = (sum(getattr(each, name) for each in checked) for name in ("exact", "amounts", "rows"))
    return f"In all: {exact:,} of {amounts:,} amounts of {rows:,} rows exact to the cent"
