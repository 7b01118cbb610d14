"""Beside the path: reads the test cases of a rule (`.test.yaml`): a base claim, changes, and what must be found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import ValidationError

from scrubber.errors import Faults
from scrubber.rulebook.book import STARTER_RELEASES, Pack
from scrubber.rulebook.case_schema import CaseSchema
from scrubber.rulebook.case_values import value_faults
from scrubber.rulebook.tables import ROW_TYPES
from scrubber.rulebook.yaml_file import Document, Place, read_yaml, schema_faults
from scrubber.tables import cell_parsers

TEST_SUFFIX = ".test.yaml"


class Expected(NamedTuple):
    """A finding, or something not checked, on exactly these lines (1-based; none: the claim as a whole).

    `told` has what else the case says of it: severity, at-risk, liability, related, message, pointer; or missing.
    """

    lines: tuple[int, ...]
    told: Mapping[str, Any]


class TableRow(NamedTuple):
    """A row that holds for one case: cells by column, typed; it replaces those with the same key."""

    kind: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a test file. `change` maps paths to values, `lines` are extra service lines.

    `finds` and `not_checked` are None where the case says nothing of them; never both are.
    """

    rule: str
    file: str
    line: int
    name: str
    claim: str
    change: Mapping[str, Any]
    without: tuple[str, ...]
    lines: tuple[Mapping[str, Any], ...]
    tables: tuple[TableRow, ...]
    received_on: date | None
    releases: str  # one of TEST_RELEASES
    finds: tuple[Expected, ...] | None
    not_checked: tuple[Expected, ...] | None


_CASES = CaseSchema(many=True)


def rule_of(file: str) -> str:
    """The file of the rule that a test file is of; any other file itself."""
    return file.removesuffix(TEST_SUFFIX) + ".yaml" if file.endswith(TEST_SUFFIX) else file


def case_files(folder: Path) -> list[Path]:
    """Every test file below a folder of rules, in a fixed order."""
    return sorted(folder.glob(f"*/**/*{TEST_SUFFIX}"))


def read_cases(path: Path, folder: Path, packs: Mapping[str, Pack]) -> list[Case]:
    """The cases in a test file of a folder of rules. Raises Faults with every fault of the file."""
    return cases_of(read_yaml(path, path.relative_to(folder).as_posix()), folder, packs)


def cases_of(document: Document, folder: Path, packs: Mapping[str, Pack]) -> list[Case]:
    """The cases in a test file that was read. Raises Faults with every fault of it."""
    try:
        loaded = _CASES.load(document.content)
    except ValidationError as error:
        raise Faults(schema_faults(document, error.messages)) from None
    faults = [
        document.fault((index, "claim"), f"there is no claims/{case['claim']}.json")
        for index, case in enumerate(loaded)
        if not (folder / "claims" / f"{case['claim']}.json").is_file()
    ]
    rows: dict[int, list[TableRow]] = {index: [] for index in range(len(loaded))}
    for place, row in _table_rows(loaded, packs):
        if isinstance(row, str):
            faults.append(document.fault(place, row))
        else:
            rows[int(place[0])].append(row)
    for index, case in enumerate(loaded):
        faults += [document.fault(place, message) for place, message in value_faults(index, case)]
    faults += [document.fault((index, "name"), "this name is used above") for index in _repeated(loaded)]
    if faults:
        raise Faults(faults)
    pack = packs.get(document.file.split("/", 1)[0])
    releases = pack.test_releases if pack else STARTER_RELEASES
    return [_case(document, index, case, tuple(rows[index]), releases) for index, case in enumerate(loaded)]


def _repeated(loaded: list[dict[str, Any]]) -> Iterator[int]:
    seen = set()
    for index, case in enumerate(loaded):
        if case["name"] in seen:
            yield index
        seen.add(case["name"])


def _table_rows(loaded: list[dict[str, Any]], packs: Mapping[str, Pack]) -> Iterator[tuple[Place, TableRow | str]]:
    """Rows of the cases with their places, or what is wrong with them."""
    for index, case in enumerate(loaded):
        for file, rows in case["tables"].items():
            pack, _, name = file.partition("/")
            kind = packs[pack].tables.get(name) if pack in packs else None
            if kind is None:
                yield (index, "tables", file), "no pack.yaml lists it: write PACK/FILE.csv"
                continue
            for number, cells in enumerate(rows):
                yield from _table_row((index, "tables", file, number), kind, cells)


def _table_row(place: Place, kind: str, cells: Mapping[str, str | None]) -> Iterator[tuple[Place, TableRow | str]]:
    parsers = cell_parsers(ROW_TYPES[kind])
    typed = {}
    for column, cell in cells.items():
        if column not in parsers:
            yield (*place, column), f"there is no column {column}; there are: {', '.join(parsers)}"
            continue
        try:
            typed[column] = parsers[column](cell or "")
        except ValueError as error:
            yield (*place, column), f"{column}: {error}"
    yield place, TableRow(kind, typed)


def _case(document: Document, index: int, case: Mapping[str, Any], tables: tuple[TableRow, ...], releases: str) -> Case:
    return Case(
        rule=Path(document.file).name.removesuffix(TEST_SUFFIX),
        file=document.file,
        line=document.line((index,)),
        name=case["name"],
        claim=case["claim"],
        change=case["change"],
        without=tuple(case["without"]),
        lines=tuple(case["lines"]),
        tables=tables,
        received_on=case.get("received_on"),
        releases=case.get("releases") or releases,
        finds=_expected(case.get("finds")),
        not_checked=_expected(case.get("not_checked")),
    )


def _expected(items: list[dict[str, Any]] | None) -> tuple[Expected, ...] | None:
    if items is None:
        return None
    return tuple(
        Expected(_lines(item), {key: item[key] for key in item if key not in ("line", "lines")}) for item in items
    )


def _lines(item: Mapping[str, Any]) -> tuple[int, ...]:
    return (item["line"],) if "line" in item else tuple(item["lines"])
