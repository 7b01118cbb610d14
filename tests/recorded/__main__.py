"""The command `python -m tests.recorded`: see the package."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.recorded.digests import compare, write_bytes, write_digests

USAGE = "python -m tests.recorded digests [GROUP]... | compare [GROUP]... | write FOLDER [GROUP]..."


def main(words: list[str]) -> None:
    """Ends with 1 where something differs or a rule never fires, with 2 for a command that is none."""
    match words:
        case ["digests", *groups]:
            faults = write_digests(_tell, *groups)
        case ["compare", *groups]:
            faults = compare(_tell, *groups)
        case ["write", folder, *groups]:
            faults = write_bytes(Path(folder), _tell, *groups)
        case _:
            _tell(USAGE)
            sys.exit(2)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    sys.exit(1 if faults else 0)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
