"""Draws docs/architecture.md from the import contracts and the imports themselves, for who is new to the code.

`python -m tests.support.architecture` writes the page and its picture anew.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

import grimp

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "architecture.svg"
PACKAGE = "scrubber"
LAYERS = "Imports run downward along the path of a claim"

ROW, TOP, LEFT, STEP, WIDTH = 30, 20, 330, 11, 1240  # pixels


def layers() -> list[list[str]]:
    """The packages of each layer, highest first, as the import contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = (each for each in contracts if each["name"] == LAYERS)
    return [[name.strip(" ()") for name in layer.replace("|", ":").split(":")] for layer in contract["layers"]]


def layers_in_words() -> str:
    """All layers on one line, highest first: `cli, app > server > …`."""
    return " > ".join(", ".join(layer) for layer in layers())


def purpose(package: str) -> str:
    """The first sentence of its docstring."""
    folder = ROOT / PACKAGE / package
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].splitlines()[0]


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """By package below scrubber: the others that one of its modules imports."""
    graph = grimp.build_graph(PACKAGE)
    names = [name for layer in layers() for name in layer]
    found = {}
    for name in names:
        modules = {f"{PACKAGE}.{name}", *graph.find_descendants(f"{PACKAGE}.{name}")}
        imported = {each.split(".")[1] for module in modules for each in _imported(graph, module)}
        found[name] = frozenset(imported - {name})
    return found


def _imported(graph: grimp.ImportGraph, module: str) -> list[str]:
    """Modules below the package; the package itself holds only the version."""
    return [each for each in graph.find_modules_directly_imported_by(module) if "." in each]


def needed_arrows() -> Mapping[str, frozenset[str]]:
    """The imports that are not to be had through another one: fewest arrows with the same meaning."""
    direct = imports()
    return {
        name: frozenset(
            each for each in imported if not any(each in reached(other, direct) for other in imported - {each})
        )
        for name, imported in direct.items()
    }


def reached(package: str, direct: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a package rests on, through whatever others."""
    found: set[str] = set()
    left = [package]
    while left:
        for each in direct[left.pop()] - found:
            found.add(each)
            left.append(each)
    return frozenset(found)


def picture() -> str:
    """An SVG: a row for each package, highest layer first, and an arc down to each package that it rests on."""
    rows = [(name, number) for number, layer in enumerate(layers()) for name in layer]
    height = {name: TOP + ROW * index + ROW // 2 for index, (name, _) in enumerate(rows)}
    parts = [*_bands(rows), *_arcs(height), *_names(height)]
    tall = TOP * 2 + ROW * len(rows)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" width="{WIDTH}" height="{tall}" '
        'font-family="sans-serif" font-size="14">'
    )
    arrow = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#456"/></marker></defs>'
    )
    return "\n".join((head, arrow, f'<rect width="{WIDTH}" height="{tall}" fill="white"/>', *parts, "</svg>", ""))


def _bands(rows: Sequence[tuple[str, int]]) -> list[str]:
    """A grey band behind the packages of every second layer."""
    return [
        f'<rect x="{LEFT}" y="{TOP + ROW * index}" width="{WIDTH - LEFT}" height="{ROW}" fill="#eef1f4"/>'
        for index, (_, number) in enumerate(rows)
        if number % 2 == 0
    ]


def _arcs(height: Mapping[str, int]) -> list[str]:
    """The further down, the further out: an arc never hides another."""
    parts = []
    for name, imported in needed_arrows().items():
        for each in sorted(imported, key=height.__getitem__):
            start, end = height[name] + 4, height[each] - 4
            out = LEFT - 10 - min(LEFT - 30, STEP * (height[each] - height[name]) // ROW)
            path = f"M{LEFT} {start}C{out} {start} {out} {end} {LEFT} {end}"
            title = f"<title>{name} imports {each}</title>"
            parts.append(f'<path d="{path}" fill="none" stroke="#456" marker-end="url(#tip)">{title}</path>')
    return parts


def _names(height: Mapping[str, int]) -> list[str]:
    return [
        f'<text x="{LEFT + 10}" y="{y + 5}"><tspan font-weight="bold">{name}</tspan>'
        f'<tspan x="{LEFT + 130}">{escape(purpose(name))}</tspan></text>'
        for name, y in height.items()
    ]


def page() -> str:
    """The page around the picture."""
    packages = "\n".join(f"| `{name}` | {purpose(name)} |" for layer in layers() for name in layer)
    return f"""\
# Architecture

The program is one Python package, `scrubber`. Its parts lie in layers: a part imports only from layers below its own,
and `make imports` proves it. A claim's way goes upward through them, from `claim` to `response`; `scrub` is the one
function that joins them, and everything above it calls that function. [How a claim travels](how-a-claim-travels.md)
follows one claim; [how to change](how-to-change.md) has recipes for what changes most often.

Highest layer first; parts on one shade share a layer. An arrow goes from a part to one that it imports; imports that
follow from others are left out.

![Parts of the program by layer, with arrows to what each imports](architecture.svg)

| Part | What it does |
|---|---|
{packages}

Page and picture are drawn from the imports: `.venv/bin/python -m tests.support.architecture`.
"""


def write(page_path: Path = PAGE, picture_path: Path = PICTURE) -> None:
    """Write page and picture."""
    page_path.write_text(page(), encoding="utf-8")
    picture_path.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    write()
