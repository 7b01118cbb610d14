"""Around the path: the reloads of one service: what a fork does on HUP, and how its outcome is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

from scrubber.config import Settings
from scrubber.rulebook.book import Rulebook
from scrubber.web import logs
from scrubber.web.reload.attempt import attempt
from scrubber.web.reload.following import Follower
from scrubber.web.reload.outcome import REFUSED, Outcome, in_a_line
from scrubber.web.reload.record import Record, Status
from scrubber.web.reload.shelf import Shelf
from scrubber.workshop.in_force import in_force_before, note_in_force

MOST_LOGGED = 200  # reasons of one reload


class Reloads:
    """`keep` archives a rulebook; `watcher`, if anybody watches, is told each outcome in a line.

    While somebody watches, rules are being written: versions are held against the rules that the service began with, so
    that a version is raised once, and not with every file that is saved. Else they are held against those in force.
    """

    def __init__(
        self,
        settings: Settings,
        shelf: Shelf,
        follower: Follower,
        keep: Callable[[Rulebook], None],
        watcher: Callable[[str], None] | None,
    ) -> None:
        self.settings = settings
        self.follower = follower
        self._shelf = shelf
        self._keep = keep
        self._watcher = watcher
        self._record: Record | None = None
        self._turn = 0  # in force when the last reload ended

    def open(self) -> None:
        """From now on a HUP is heard: let commands find this process."""
        digest = self.follower.in_force().rulebook.digest
        self._record = _open_record(self.settings, digest)
        if self.settings.state is None or in_force_before(self.settings.rules, self.settings.state)[-1:] != (digest,):
            note_in_force(self.settings.rules, digest, self.settings.state)  # else a rollback would be forgotten

    def close(self) -> None:
        """The service ends."""
        if self._record:
            self._record.remove()

    def begin(self) -> None:
        """In the parent, before the fork: whoever saved rules until now waits for this reload, and no other."""
        if self._record:
            with suppress(OSError):
                self._record.begin()

    def run(self, workers: list[int]) -> None:
        """One reload, in a fork of the parent of these workers."""
        outcome = Outcome(REFUSED, 0, "", reasons=("the reload failed; the log says where in the program",))
        try:
            in_force = self.follower.in_force()
            began_with = self.follower.live.rulebook  # the parent of the workers never takes another
            since = began_with if self._watcher else in_force.rulebook
            request = self._record.take_request() if self._record else None
            outcome = attempt(self.settings, self._shelf, in_force, since, workers, self._keep, request)
        except Exception as error:  # noqa: BLE001 -- the old rules stay, and whoever waits is told
            self._shelf.take_back()
            logs.write_failure(logs.open_log(sys.stdout), error)
        self._tell(outcome)

    def ended(self, by_itself: bool) -> bool:
        """In the parent: whether new rules are in force. A reload that was killed could tell nobody."""
        if not by_itself:
            self._shelf.take_back()
            self._tell(Outcome(REFUSED, 0, "", reasons=("the reload was ended before it was done",)))
        before, self._turn = self._turn, self._shelf.in_force
        return before != self._turn

    def _tell(self, outcome: Outcome) -> None:
        if self._record:
            with suppress(OSError):
                self._record.end(outcome)
        self._log(outcome)
        if self._watcher:
            self._watcher(in_a_line(outcome))

    def _log(self, outcome: Outcome) -> None:
        log = logs.open_log(sys.stdout)
        if outcome.outcome == REFUSED:
            log.error("reload refused", reasons=outcome.reasons[:MOST_LOGGED], seconds=outcome.seconds)
            return
        counts = {name: len(getattr(outcome, name)) for name in ("added", "removed", "changed")}
        told = {name: getattr(outcome, name) for name in ("old", "new", "rules", "cases", "seconds")}
        for line in outcome.warnings[:MOST_LOGGED]:
            log.warning("draft", reason=line)
        if outcome.instead_of:
            told |= {"instead_of": outcome.instead_of, "asked_by": outcome.asked_by}
        log.info("reload", outcome=outcome.outcome, **told, **counts)


def _open_record(settings: Settings, digest: str) -> Record | None:
    """The record by which commands find this service; None, and a line in the log, where it cannot be written."""
    if settings.state is None:
        return None
    try:
        return Record(settings.state, Status(settings.address, str(settings.rules.absolute()), digest))
    except OSError as error:
        logs.open_log(sys.stdout).warning(
            "no record",
            reason=f"{settings.state} cannot be written: {error.strerror}; "
            "`scrubber rules reload` will not find this service, a HUP reloads it all the same",
        )
        return None
