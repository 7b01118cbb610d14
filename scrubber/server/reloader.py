"""Switches each process of a service to the rules in force (Follower), and runs its reloads (Reloader)."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from scrubber.api import logs
from scrubber.authoring.admission import warning_event
from scrubber.authoring.in_force import in_force_before, record_in_force
from scrubber.config import Settings
from scrubber.reference.typed_tables import TypedTables
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import LiveScrubber, Prepared, Scrubber
from scrubber.server.registry import REFUSED, ReloadOutcome, ServiceRecord, ServiceStatus, in_a_line
from scrubber.server.reload import reload_rules
from scrubber.server.shared_rulebook import RulesAndTables, SharedRulebook


class Follower:
    """Gives the `current` scrubber once for each claim. `prepare` runs beforehand, so that the switch is instant."""

    def __init__(self, shared: SharedRulebook, live: LiveScrubber) -> None:
        self.live = live
        self._shared = shared
        self._lock = threading.Lock()
        self._generation = 0  # that this process answers by
        self._prepared: tuple[int, Prepared] | None = None
        self._swept = 0  # generation since whose switch memory has been collected
        self._refused = 0  # generation that could not be prepared

    def current(self) -> Scrubber:
        """The scrubber in force."""
        if self._generation != self._shared.in_force:
            self._switch()
        return self.live.current()

    def in_force(self) -> RulesAndTables:
        """The rules and tables in force for the whole service, whether or not this process has switched to them."""
        generation = self._shared.in_force
        if generation:
            return self._shared.book(generation)
        return RulesAndTables(self.live.rulebook, TypedTables({}, self.live.reference.typed_releases))

    def prepare(self) -> None:
        """Prepare the next generation, where there is one, and report it; switch to the one in force."""
        generation = self._shared.next
        if generation not in (self._generation, self._prepared_generation, self._refused, self._shared.in_force):
            self._prepare_generation(generation)
        if self._generation != self._shared.in_force:
            self._switch()
        if self._generation != self._swept:
            self._swept = self._generation
            gc.collect()  # a rulebook has reference cycles: only a full collection frees its memory

    @property
    def _prepared_generation(self) -> int:
        return self._prepared[0] if self._prepared else 0

    def _prepare_generation(self, generation: int) -> None:
        try:
            self._prepared = generation, self.live.prepare(*self._shared.book(generation))
        except LookupError:
            return  # another generation was published meanwhile
        except Exception:
            self._refused = generation
            self._shared.report_ready(generation, ready=False)
            raise
        self._shared.report_ready(generation, ready=True)

    def _switch(self) -> None:
        """Switch to the generation in force; a worker that was forked after it was published reads it now."""
        with self._lock:
            while self._generation != (generation := self._shared.in_force):
                if self._prepared is not None and self._prepared[0] == generation:
                    prepared = self._prepared[1]
                else:
                    prepared = self.live.prepare(*self._shared.book(generation))
                self.live.take(prepared)
                self._generation, self._prepared = generation, None


MAX_LOGGED = 200  # reasons of one reload


class Reloader:
    """Runs the reloads of a service and records how they end. `archive` stores a rulebook.

    `watcher`, given while rules are being written (`serve --reload`), is called with a line for each outcome. Versions
    are then compared with the rules that the service began with, so that an author raises a version once, and not with
    every file that is saved. Otherwise they are compared with those in force.
    """

    def __init__(
        self,
        settings: Settings,
        shared: SharedRulebook,
        follower: Follower,
        archive: Callable[[Rulebook], None],
        watcher: Callable[[str], None] | None,
    ) -> None:
        self.settings = settings
        self.follower = follower
        self._shared = shared
        self._archive = archive
        self._watcher = watcher
        self._record: ServiceRecord | None = None
        self._generation = 0  # in force when the last reload ended

    def open(self) -> None:
        """Record the service, so that commands find this process: from now on it handles HUP."""
        digest = self.follower.in_force().rulebook.digest
        self._record = _open_record(self.settings, digest)
        if self.settings.state is None or in_force_before(self.settings.rules, self.settings.state)[-1:] != (digest,):
            record_in_force(
                self.settings.rules, digest, self.settings.state
            )  # otherwise a rollback would be overwritten

    def close(self) -> None:
        """Remove the record, as the service ends."""
        if self._record:
            self._record.remove()

    def begin(self) -> None:
        """In the parent, before the fork: rules saved until now are read by this reload, so commands wait for it."""
        if self._record:
            with suppress(OSError):
                self._record.begin()

    def run(self, workers: list[int]) -> None:
        """Make one reload, in a fork of the parent of these workers."""
        outcome = ReloadOutcome(REFUSED, 0, "", reasons=("the reload failed; the log says where in the program",))
        try:
            in_force = self.follower.in_force()
            began_with = self.follower.live.rulebook  # the parent of the workers never takes another
            since = began_with if self._watcher else in_force.rulebook
            request = self._record.take_request() if self._record else None
            outcome = reload_rules(self.settings, self._shared, in_force, since, workers, self._archive, request)
        except Exception as error:  # noqa: BLE001 -- the old rules stay in force, and the outcome says so
            self._shared.withdraw()
            logs.write_failure(logs.open_log(sys.stdout), error)
        self._report(outcome)

    def ended(self, by_itself: bool) -> bool:
        """In the parent: whether new rules are in force. A reload that was killed is reported here."""
        if not by_itself:
            self._shared.withdraw()
            self._report(ReloadOutcome(REFUSED, 0, "", reasons=("the reload was ended before it was done",)))
        before, self._generation = self._generation, self._shared.in_force
        return before != self._generation

    def _report(self, outcome: ReloadOutcome) -> None:
        if self._record:
            with suppress(OSError):
                self._record.end(outcome)
        self._log(outcome)
        if self._watcher:
            self._watcher(in_a_line(outcome))

    def _log(self, outcome: ReloadOutcome) -> None:
        log = logs.open_log(sys.stdout)
        if outcome.outcome == REFUSED:
            log.error("reload refused", reasons=outcome.reasons[:MAX_LOGGED], seconds=outcome.seconds)
            return
        counts = {name: len(getattr(outcome, name)) for name in ("added", "removed", "changed")}
        fields = {name: getattr(outcome, name) for name in ("old", "new", "rules", "cases", "seconds")}
        for line in outcome.warnings[:MAX_LOGGED]:
            log.warning(warning_event(line), reason=line)
        if outcome.instead_of:
            fields |= {"instead_of": outcome.instead_of, "asked_by": outcome.asked_by}
        log.info("reload", outcome=outcome.outcome, **fields, **counts)


def _open_record(settings: Settings, digest: str) -> ServiceRecord | None:
    """The record by which commands find this service; None, with a line in the log, where it cannot be written."""
    if settings.state is None:
        return None
    try:
        return ServiceRecord(settings.state, ServiceStatus(settings.address, str(settings.rules.absolute()), digest))
    except OSError as error:
        logs.open_log(sys.stdout).warning(
            "no record",
            reason=f"{settings.state} cannot be written: {error.strerror}; "
            "`scrubber rules reload` will not find this service, a HUP reloads it all the same",
        )
        return None
