"""`scrubber reference`: what the reference tables hold, and building one file of them."""

from __future__ import annotations

from pathlib import Path

import click

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.reference import open_reference
from scrubber.reference.build import build_sqlite


@click.group()
def reference() -> None:
    """Build and read reference data: fee schedules, edits, code lists.

    \b
    scrubber reference list
    scrubber reference build reference.sqlite --from tables/
    SCRUBBER_REFERENCE=reference.sqlite scrubber serve
    """


@reference.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of CSV tables that replace the starter ones.",
)
def build(file: Path, folder: Path | None) -> None:
    """Write the tables into one SQLite file, whole or not at all."""
    if file.suffix != ".sqlite":
        raise Unusable(f"{file} must end in .sqlite, so that SCRUBBER_REFERENCE knows it")
    with told_plainly():
        try:
            build_sqlite(file, folder)
        except OSError as error:
            raise Unusable(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{file} is built")


@reference.command("list")
def every() -> None:
    """List every loaded release: table, name, first and last day, where it is from."""
    with told_plainly():
        opened = open_reference(settings().reference)
    for release in opened.releases():
        days = f"{release.since or '':<10} {release.until or '':<10}"
        origin = "starter" if release.starter else "loaded"
        click.echo(f"{release.table:<20} {release.name:<24} {days} {origin:<8} {release.source}")
