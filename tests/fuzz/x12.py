"""Reads damaged X12 files, as a fuzzer that follows the code's branches makes them, until it is stopped or one fails.

    make fuzz                     for a minute; FUZZ_SECONDS=3600 for an hour
    python -m tests.fuzz.x12 FILE with a file that failed

What fails is written to a file `crash-...` in the folder. Begins with a sound file; a failure is any error but the ones
that a file may be refused with, a refusal without a place, and a run without an end.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from scrubber.claim.x12.claims import X12Claim, read_file
from scrubber.claim.x12.row import read_row, rows_of_file
from scrubber.errors import NotAClaim, NotX12
from tests.support.x12 import envelope

LONGEST = 20_000  # bytes of a file


def read_all(data: bytes) -> None:
    """Read a file as the command line does and as a batch does, and find where everything in it stands."""
    try:
        for item in read_file([data]):
            if isinstance(item, X12Claim) and item.claim is not None:
                assert item.claim.position is not None
                item.claim.position("/claimInformation/claimChargeAmount", "total")
        for row in rows_of_file([data[:100], data[100:]]):
            with suppress(NotAClaim):
                read_row(row)
    except NotX12 as refused:
        if not 0 <= refused.byte <= len(data):
            raise AssertionError("a refusal has no place in the file") from refused


def main(arguments: list[str]) -> None:
    """Run atheris, which is no dependency of the project: `make fuzz` installs it."""
    fuzzer: Any = import_module("atheris")
    with tempfile.TemporaryDirectory() as corpus:
        Path(corpus, "sound").write_bytes(envelope())
        fuzzer.instrument_all()
        begun_with = [] if any(Path(argument).is_file() for argument in arguments) else [corpus]
        options = [f"-max_len={LONGEST}", "-timeout=20", *arguments, *begun_with]
        fuzzer.Setup([sys.argv[0], *options], read_all)
        fuzzer.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
