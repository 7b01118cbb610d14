"""One reload, in a process of its own: checks rules, has workers get ready, puts them in force.

Until the last step nothing has changed for anybody, whatever goes wrong and whenever the process ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from scrubber.authoring.admission import Admitted, admit, fault_lines
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.diff import EarlierRules
from scrubber.authoring.in_force import in_force_before, record_in_force
from scrubber.config import Settings, cores
from scrubber.errors import ConfigError, Damaged, Faults, NoRulebook
from scrubber.reference.live import LiveReference, read_typed
from scrubber.reference.typed_tables import TypedTables
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import digest, digest_of, load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.server.registry import REFUSED, RELOADED, UNCHANGED, Outcome, Request, short
from scrubber.server.shared_rulebook import Book, Shelf

PATIENCE = 30  # seconds in which every worker must have got ready


class Refused(Exception):
    """The rules cannot go into service; `reasons` says why."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(f"{len(reasons)} reason(s)")


def attempt(
    settings: Settings,
    shelf: Shelf,
    before: Book,
    since: Rulebook,
    workers: Collection[int],
    keep: Callable[[Rulebook], None],
    request: Request | None = None,
) -> Outcome:
    """Put the rules of the settings in force in `workers`, in place of `before`; `keep` is told of them before that.

    A rule that means another thing than in `since` must have another version. With a request, the kept rules that it
    names come back in the place of the folder's.
    """
    begun = time.monotonic()
    old = before.rulebook
    try:
        found = _kept(settings, before, request) if request else _checked(settings, before, since)
        if found is None:
            return Outcome(UNCHANGED, _since(begun), old.digest, old.digest, len(old.rules))
        typed, admitted = found
        turn = shelf.lay_down(Book(admitted.rulebook, typed))
        keep(admitted.rulebook)
        _await(shelf, turn, set(workers))
        shelf.put_in_force(turn)
        instead_of = _lies_there(settings) if request else ""
        record_in_force(settings.rules, admitted.rulebook.digest, settings.state, instead_of)
    except Refused as refused:
        shelf.take_back()
        return Outcome(REFUSED, _since(begun), old.digest, reasons=refused.reasons)
    outcome = _reloaded(old, admitted, fault_lines(settings.rules.absolute(), admitted.warnings), _since(begun))
    return replace(outcome, instead_of=instead_of, asked_by=request.asked_by) if request else outcome


def _checked(settings: Settings, before: Book, since: Rulebook) -> tuple[TypedTables, Admitted] | None:
    """The tables typed by hand and the new rules; None when all is as before. Raises Refused."""
    folder = settings.rules.absolute()
    try:
        typed = read_typed(settings.reference)
        reference = LiveReference(settings.reference, typed).current()
        if typed.releases == before.typed.releases and digest(folder) == before.rulebook.digest:
            return None
        earlier = EarlierRules(since.rules, f"the rules in force ({short(since.digest)})")
        return typed, admit(folder, reference, CheckCache(settings.state), cores(), earlier)
    except Faults as error:
        raise Refused(*fault_lines(folder, error.faults)) from None
    except (ConfigError, OSError) as error:
        raise Refused(str(error)) from None


def _kept(settings: Settings, before: Book, request: Request) -> tuple[TypedTables, Admitted] | None:
    """The tables typed by hand and the kept rules that are to come back; None when all is as before. Raises Refused.

    What was in force here was checked then, with tests that are not kept: it is only loaded, by this program.
    """
    state = settings.state
    try:
        if state is None or request.digest not in in_force_before(settings.rules, state):
            raise Refused(f"{request.digest} was never in force here: put its rules into the folder and reload")
        folder = open_archived(state, request.digest)
        typed = read_typed(settings.reference)
        if typed.releases == before.typed.releases and request.digest == before.rulebook.digest:
            return None
        return typed, Admitted(load_rulebook(folder), 0)
    except Faults as error:
        raise Refused(*fault_lines(folder, error.faults)) from None
    except (ConfigError, Damaged, NoRulebook, OSError) as error:
        raise Refused(str(error)) from None


def _lies_there(settings: Settings) -> str:
    """The digest of the folder of rules; of nothing where it cannot be read, which is no rulebook either."""
    try:
        return digest(settings.rules)
    except OSError:
        return digest_of(())


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


def _reloaded(old: Rulebook, admitted: Admitted, warnings: tuple[str, ...], seconds: float) -> Outcome:
    new = admitted.rulebook
    return Outcome(
        RELOADED,
        seconds,
        old.digest,
        new.digest,
        len(new.rules),
        admitted.cases,
        added=tuple(new.rules.keys() - old.rules.keys()),
        removed=tuple(old.rules.keys() - new.rules.keys()),
        changed=tuple(name for name, rule in new.rules.items() if old.rules.get(name, rule) != rule),
        warnings=warnings,
    )


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 3)
