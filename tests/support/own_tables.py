"""A folder of rules with tables that a pack declares itself, for tests; and a way to open one table alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.typed_table import TypedTable
from tests.support.rule_folders import PACK, put, rule_folder

ALIASES = """\
payer_id,payer,since,until,source
COMMERCIAL-SAMPLE,COMMERCIAL-SAMPLE,,,sample
OTHER-SAMPLE,OTHER-SAMPLE,,,sample
"""
PAYERS = """\
name: payers
title: Payers
about: Who pays.
adoption: everyone
tables: {filing-indicators.csv: filing-indicators, aliases.csv: aliases}
"""


def folder_with(path: Path, declarations: str, files: dict[str, str]) -> Path:
    """A folder of rules whose pack `sample` declares tables (text below `tables:`) and has these files in `tables/`."""
    folder = rule_folder(path)
    put(folder, "payers/pack.yaml", PAYERS)
    put(folder, "payers/tables/aliases.csv", ALIASES)
    lists = PACK.replace("tables: {lists.csv: code-lists}\n", "tables:\n  lists.csv: code-lists\n")
    put(folder, "sample/pack.yaml", lists + textwrap.indent(textwrap.dedent(declarations), "  "))
    for name, text in files.items():
        put(folder, f"sample/tables/{name}", text)
    return folder


def table_of(path: Path, declaration: str, rows: str, name: str = "sample-table") -> TypedTable:
    """The table that these rows make, by a declaration: the text below the file's name."""
    file = f"{name}.csv"
    text = f"{file}:\n{textwrap.indent(textwrap.dedent(declaration), '  ')}"
    return load_rulebook(folder_with(path, text, {file: textwrap.dedent(rows)})).typed_tables[name]
