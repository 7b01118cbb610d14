"""Makes one reload, in a process of its own: checks the rules, has the workers prepare them, puts them in force.

Until the last step nothing changes for any request, whatever fails and whenever the process ends.
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
from scrubber.errors import ConfigError, DamagedRulebook, Faults, NoRulebook
from scrubber.reference.live import LiveReference, read_typed
from scrubber.reference.typed_tables import TypedTables
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import digest, digest_of, load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.server.registry import REFUSED, RELOADED, UNCHANGED, ReloadOutcome, RollbackRequest, short
from scrubber.server.shared_rulebook import RulesAndTables, SharedRulebook

READY_TIMEOUT = 30  # seconds within which every worker must be ready


class RulesRefused(Exception):
    """The rules cannot be put in force; `reasons` says why."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(f"{len(reasons)} reason(s)")


def reload_rules(
    settings: Settings,
    shared: SharedRulebook,
    before: RulesAndTables,
    since: Rulebook,
    workers: Collection[int],
    archive: Callable[[Rulebook], None],
    request: RollbackRequest | None = None,
) -> ReloadOutcome:
    """Put the rules of the settings in force in `workers`, in place of `before`; `archive` is called with them first.

    A rule that means something else than in `since` must have another version. With a request, the archived rules that
    it names are put in force in place of the folder's.
    """
    begun = time.monotonic()
    old = before.rulebook
    try:
        found = _archived(settings, before, request) if request else _checked(settings, before, since)
        if found is None:
            return ReloadOutcome(UNCHANGED, _since(begun), old.digest, old.digest, len(old.rules))
        typed, admitted = found
        generation = shared.publish(RulesAndTables(admitted.rulebook, typed))
        archive(admitted.rulebook)
        _wait_for_workers(shared, generation, set(workers))
        shared.put_in_force(generation)
        instead_of = _digest_of_folder(settings) if request else ""
        record_in_force(settings.rules, admitted.rulebook.digest, settings.state, instead_of)
    except RulesRefused as refused:
        shared.withdraw()
        return ReloadOutcome(REFUSED, _since(begun), old.digest, reasons=refused.reasons)
    outcome = _reloaded(old, admitted, fault_lines(settings.rules.absolute(), admitted.warnings), _since(begun))
    return replace(outcome, instead_of=instead_of, asked_by=request.asked_by) if request else outcome


def _checked(settings: Settings, before: RulesAndTables, since: Rulebook) -> tuple[TypedTables, Admitted] | None:
    """The CSV tables and the new rules; None where neither has changed. Raises RulesRefused."""
    folder = settings.rules.absolute()
    try:
        typed = read_typed(settings.reference)
        reference = LiveReference(settings.reference, typed).current()
        if typed.releases == before.typed.releases and digest(folder) == before.rulebook.digest:
            return None
        earlier = EarlierRules(since.rules, f"the rules in force ({short(since.digest)})")
        return typed, admit(folder, reference, CheckCache(settings.state), cores(), earlier)
    except Faults as error:
        raise RulesRefused(*fault_lines(folder, error.faults)) from None
    except (ConfigError, OSError) as error:
        raise RulesRefused(str(error)) from None


def _archived(
    settings: Settings, before: RulesAndTables, request: RollbackRequest
) -> tuple[TypedTables, Admitted] | None:
    """The CSV tables and the archived rules of a rollback; None where neither differs. Raises RulesRefused.

    Rules that were in force here were checked at that time, with tests that are not archived: now they are only loaded.
    """
    state = settings.state
    try:
        if state is None or request.digest not in in_force_before(settings.rules, state):
            raise RulesRefused(f"{request.digest} was never in force here: put its rules into the folder and reload")
        folder = open_archived(state, request.digest)
        typed = read_typed(settings.reference)
        if typed.releases == before.typed.releases and request.digest == before.rulebook.digest:
            return None
        return typed, Admitted(load_rulebook(folder), 0)
    except Faults as error:
        raise RulesRefused(*fault_lines(folder, error.faults)) from None
    except (ConfigError, DamagedRulebook, NoRulebook, OSError) as error:
        raise RulesRefused(str(error)) from None


def _digest_of_folder(settings: Settings) -> str:
    """The digest of the folder of rules; that of an empty rulebook where the folder cannot be read."""
    try:
        return digest(settings.rules)
    except OSError:
        return digest_of(())


def _wait_for_workers(shared: SharedRulebook, generation: int, waiting: set[int]) -> None:
    """Wait until every worker is ready or has ended. Raises RulesRefused."""
    latest = time.monotonic() + READY_TIMEOUT
    while waiting := {process for process in waiting if _lives(process)}:
        if time.monotonic() > latest:
            raise RulesRefused(f"{len(waiting)} worker(s) did not get ready within {READY_TIMEOUT} seconds")
        for report in shared.read_reports(0.05):
            if report.generation == generation:
                if not report.ready:
                    raise RulesRefused("a worker could not take the rules; the log says why")
                waiting.discard(report.process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _reloaded(old: Rulebook, admitted: Admitted, warnings: tuple[str, ...], seconds: float) -> ReloadOutcome:
    new = admitted.rulebook
    return ReloadOutcome(
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
