"""The command `python -m tests.catalogue FOLDER`: see the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scrubber.scrub import open_scrubber
from tests.catalogue.score import catalogue_rows, faulty_cases, unnamed
from tests.conftest import ROOT


def main(folder: Path) -> int:
    """Prints each claim whose fault is not named, and right/of; 1 where a rule that must speak is silent."""
    reference = os.environ.get("SCRUBBER_REFERENCE")
    every = catalogue_rows()
    rows = [row for row in every if reference is not None or row.reference != "yes"]
    silent = dict(unnamed(folder, open_scrubber(ROOT / "rules", reference), rows))
    mapped = {row.case for row in rows}
    cases = faulty_cases(folder)
    for case in cases:
        said = silent.get(case["id"])
        if said is not None:
            sys.stdout.write(f"  {case['id']}: {said} | {case['expected_finding']}\n")
        elif case["id"] not in mapped:
            sys.stdout.write(f"  {case['id']}: no row | {case['expected_finding']}\n")
    sys.stdout.write(f"{len(mapped) - len(silent)}/{len(cases)} named\n")
    return 1 if silent else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.catalogue FOLDER")
    sys.exit(main(Path(sys.argv[1])))
