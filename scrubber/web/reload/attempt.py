"""Around the path: one reload, in a process of its own: checks rules, has workers get ready, puts them in force.

Until the last step nothing has changed for anybody, whatever goes wrong and whenever the process ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection

from scrubber.config import Settings, cores
from scrubber.errors import ConfigError, Faults
from scrubber.reference.live import LiveReference, read_typed
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.load import digest
from scrubber.web.reload.outcome import REFUSED, RELOADED, UNCHANGED, Outcome
from scrubber.web.reload.shelf import Book, Shelf
from scrubber.workshop.admission import admit, told
from scrubber.workshop.passed import Passed

PATIENCE = 30  # seconds in which every worker must have got ready


class Refused(Exception):
    """The rules cannot go into service; `reasons` says why."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(f"{len(reasons)} reason(s)")


def attempt(
    settings: Settings, shelf: Shelf, before: Book, workers: Collection[int], keep: Callable[[Rulebook], None]
) -> Outcome:
    """Put the rules of the settings in force in `workers`, in place of `before`; `keep` is told of them before that."""
    begun = time.monotonic()
    old = before.rulebook
    try:
        found = _checked(settings, before)
        if found is None:
            return Outcome(UNCHANGED, _since(begun), old.digest, old.digest, len(old.rules))
        new, cases = found
        turn = shelf.lay_down(new)
        keep(new.rulebook)
        _await(shelf, turn, set(workers))
        shelf.put_in_force(turn)
    except Refused as refused:
        shelf.take_back()
        return Outcome(REFUSED, _since(begun), old.digest, reasons=refused.reasons)
    return _reloaded(old, new.rulebook, cases, _since(begun))


def _checked(settings: Settings, before: Book) -> tuple[Book, int] | None:
    """The new book and how many cases were run; None when all is as before. Raises Refused."""
    folder = settings.rules.absolute()
    try:
        typed = read_typed(settings.reference)
        reference = LiveReference(settings.reference, typed).current()
        if typed.releases == before.typed.releases and digest(folder) == before.rulebook.digest:
            return None
        admitted = admit(folder, reference, Passed(settings.state), cores())
    except Faults as error:
        raise Refused(*told(folder, error)) from None
    except (ConfigError, OSError) as error:
        raise Refused(str(error)) from None
    return Book(admitted.rulebook, typed), admitted.cases


def _await(shelf: Shelf, turn: int, waiting: set[int]) -> None:
    """Until every worker is ready or gone. Raises Refused."""
    latest = time.monotonic() + PATIENCE
    while waiting := {process for process in waiting if _lives(process)}:
        if time.monotonic() > latest:
            raise Refused(f"{len(waiting)} worker(s) did not get ready within {PATIENCE} seconds")
        for said in shelf.hear(0.05):
            if said.turn == turn:
                if not said.ready:
                    raise Refused("a worker could not take the rules; the log says why")
                waiting.discard(said.process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _reloaded(old: Rulebook, new: Rulebook, cases: int, seconds: float) -> Outcome:
    return Outcome(
        RELOADED,
        seconds,
        old.digest,
        new.digest,
        len(new.rules),
        cases,
        added=tuple(new.rules.keys() - old.rules.keys()),
        removed=tuple(old.rules.keys() - new.rules.keys()),
        changed=tuple(name for name, rule in new.rules.items() if old.rules.get(name, rule) != rule),
    )


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 3)
