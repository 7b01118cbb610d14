"""Names of modules, classes and functions: no class name for two things, and no word known to this project alone."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "scrubber"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
# What the words stood for has a term of the trade: see docs/naming.md.
PRIVATE = frozenset(
    (
        "arbiter", "bench", "crew", "depot", "errand", "errands", "hint", "hints", "ledger", "owed", "parting",
        "patience", "room", "rooms", "said", "shelf", "shown", "told", "untold", "workshop",
    )
)  # fmt: skip


def room(module: Path) -> str:
    """The package, or the module, directly below `scrubber`."""
    return module.relative_to(PACKAGE).parts[0]


def classes(module: Path) -> Iterator[str]:
    """The classes of a module, private ones too; classes within classes and functions are not among them."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_")


def names(module: Path) -> Iterator[str]:
    """The names of a module and of all its classes and functions."""
    yield module.stem
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def words(name: str) -> set[str]:
    """The words of a name in snake_case or CamelCase, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_class_name_stands_for_two_things() -> None:
    rooms = defaultdict(set)
    for module in MODULES:
        for name in classes(module):
            rooms[name].add(room(module))
    assert {name: sorted(found) for name, found in rooms.items() if len(found) > 1} == {}


@pytest.mark.parametrize("package", sorted({room(module) for module in MODULES}))
def test_names_have_the_words_of_the_trade(package: str) -> None:
    found = {
        f"{module.relative_to(PACKAGE)}: {name}"
        for module in MODULES
        if room(module) == package
        for name in names(module)
        if words(name) & PRIVATE
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("_told_plainly", {"told", "plainly"}), ("OrderLedger", {"order", "ledger"}), ("PTPRooms", {"ptp", "rooms"})],
)
def test_words_of_names_are_found(name: str, expected: set[str]) -> None:
    assert words(name) == expected
