"""Beside the path, `scrubber rules schema`."""

from __future__ import annotations

import click

from scrubber.cli.opening import settings
from scrubber.rulebook.json_schema import schema_files, write_schemas


@click.command()
def schema() -> None:
    """Write the JSON Schemas with which editors complete rule files."""
    folder = settings().rules
    write_schemas(folder)
    for name in schema_files():
        click.echo(f"{folder}/{name} is written")
