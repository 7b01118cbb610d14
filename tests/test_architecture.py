"""Pages that name the parts of the program agree with the import contracts and with the imports themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support import architecture

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
TRAVELS = ROOT / "docs" / "how-a-claim-travels.md"
PAGES = (ROOT / "README.md", CONTRIBUTING, *sorted((ROOT / "docs").glob("*.md")))
PACKAGES = [name for layer in architecture.layers() for name in layer]


def height(package: str) -> int:
    """How many layers lie above it."""
    return next(number for number, layer in enumerate(architecture.layers()) if package in layer)


def test_page_and_picture_of_the_architecture_are_those_of_the_imports(tmp_path: Path) -> None:
    page, picture = tmp_path / "page.md", tmp_path / "picture.svg"
    architecture.write(page, picture)
    stale = "write it anew: .venv/bin/python -m tests.support.architecture"
    assert architecture.PAGE.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), stale
    assert architecture.PICTURE.read_text(encoding="utf-8") == picture.read_text(encoding="utf-8"), stale


def test_arrows_of_the_picture_stand_for_every_import_and_no_more() -> None:
    arrows, imported = architecture.needed_arrows(), architecture.imports()
    assert {name: architecture.reached(name, arrows) for name in imported} == {
        name: architecture.reached(name, imported) for name in imported
    }
    assert all(arrows[name] <= imported[name] for name in imported)


def test_layers_of_contributing_are_those_of_the_contract() -> None:
    text = " ".join(CONTRIBUTING.read_text(encoding="utf-8").split())
    found = re.search(r"along the path of a claim: (.*?)\. ", text)
    assert found is not None
    assert found[1] == architecture.layers_in_words()


def test_path_of_a_claim_goes_upward_through_the_layers() -> None:
    text = TRAVELS.read_text(encoding="utf-8")
    steps = re.findall(r"^\| [\d, ]+ \| `scrubber/(\w+)` \|", text, re.MULTILINE)
    headings = re.findall(r"^## \d.*: `(\w+)`$", text, re.MULTILINE)
    assert len(steps) == 6
    assert steps == headings
    assert [height(step) for step in steps] == sorted((height(step) for step in steps), reverse=True)
    assert all(height("scrub") < height(step) for step in steps)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_that_a_page_names_exist(page: Path) -> None:
    """As `facts/pair.py`, as `scrubber/facts/pair.py`, or, of one of its parts, `facts/rule_codes`."""
    text = re.sub(r"A new file `[^`]+`", "", page.read_text(encoding="utf-8"))
    parts = "|".join(PACKAGES)
    modules = {
        *re.findall(r"`(?:scrubber/)?([\w/]+\.py)`", text),
        *re.findall(rf"`(?:scrubber/)?((?:{parts})/[\w/]+)`", text),
    }
    folders = (ROOT, ROOT / "scrubber", ROOT / "scrubber" / "reference")
    names = sorted(modules)
    assert [name for name in names if not any(_is_module(folder / name) for folder in folders)] == []


def _is_module(path: Path) -> bool:
    return path.exists() or path.with_name(f"{path.name}.py").exists()
