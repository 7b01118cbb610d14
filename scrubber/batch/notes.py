"""Around the path: how far the results of a file are, noted on the disk beside them, so that a later run goes on there.

Results are gathered in `<output>.part`, and what they rest on and how far they are in `<output>.progress`.
"""

from __future__ import annotations

import os
from decimal import Decimal
from fcntl import LOCK_EX, LOCK_NB, lockf
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from scrubber.batch.job import Tally
from scrubber.errors import ScrubberError

PART, PROGRESS = ".part", ".progress"


class CannotContinue(ScrubberError):
    """What lies at the output rests on something else; the message says on what."""


class Mark(NamedTuple):
    """How far a run is: chunks done, bytes of results written, and what came out."""

    chunks: int = 0
    written: int = 0
    tally: Tally = Tally()


class Notes:
    """The two files beside an output that is not whole yet. They hold claims: nobody else may read them."""

    def __init__(self, output: Path, rests_on: dict[str, Any]) -> None:
        self.part = output.with_name(output.name + PART)
        self._file = output.with_name(output.name + PROGRESS)
        self._output = output
        self._rests_on = rests_on

    def rested_on(self) -> dict[str, Any] | None:
        """What an earlier run rested on, if there was any. Raises CannotContinue for a foreign file."""
        told = self._told()
        return told["rests on"] if told else None

    def read(self) -> Mark | None:
        """How far an earlier run was. Raises CannotContinue when it rests on something else."""
        told = self._told()
        if told is None:
            return None
        if other := [name for name, value in self._rests_on.items() if told["rests on"].get(name) != value]:
            raise CannotContinue(
                f"{self._output} was begun with other {' and '.join(other)}; give what it was begun with, or remove "
                f"{self._file} to begin anew"
            )
        tally = told["tally"]
        return Mark(told["chunks"], told["written"], Tally(**tally | {"at_risk": Decimal(tally["at_risk"])}))

    def _told(self) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = orjson.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            told = {}
        if not {"rests on", "chunks", "written", "tally"} <= told.keys():
            raise CannotContinue(f"{self._file} is no progress of an earlier run; remove it, or choose another output")
        return told

    def open_part(self, mark: Mark) -> BinaryIO:
        """The results so far, as far as they are noted, for this run alone.

        Raises CannotContinue when they are not there, or another run is at them.
        """
        self.part.touch(mode=0o600)
        part = self.part.open("r+b")
        try:
            lockf(part, LOCK_EX | LOCK_NB)  # of this process; its forks, which may outlive it a little, have no share
        except (BlockingIOError, PermissionError):
            part.close()
            raise CannotContinue(f"another run writes {self.part} just now; wait for its end") from None
        if part.seek(0, os.SEEK_END) < mark.written:
            part.close()
            raise CannotContinue(f"{self.part} is shorter than it was; remove {self._file} to begin anew")
        part.truncate(mark.written)
        part.seek(mark.written)
        return part

    def write(self, part: BinaryIO, mark: Mark) -> None:
        """Note how far it is; the results are on the disk before the note is."""
        part.flush()
        os.fsync(part.fileno())
        told = {"rests on": self._rests_on, **mark._asdict(), "tally": mark.tally._asdict()}
        unfinished = self._file.with_name(self._file.name + ".new")
        unfinished.write_bytes(orjson.dumps(told, default=str))
        unfinished.replace(self._file)

    def remove(self) -> None:
        """The output is whole."""
        self._file.unlink(missing_ok=True)
