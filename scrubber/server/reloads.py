"""The rules that one process answers by, which follow those in force for the whole service."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from scrubber.api import logs
from scrubber.authoring.in_force import in_force_before, record_in_force
from scrubber.config import Settings
from scrubber.reference.typed_tables import TypedTables
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import LiveScrubber, Prepared, Scrubber
from scrubber.server.registry import REFUSED, Outcome, Record, Status, in_a_line
from scrubber.server.reload import attempt
from scrubber.server.shared_rulebook import Book, Shelf


class Follower:
    """Asked for `current` once a claim. `prepare` makes the change itself cost nothing."""

    def __init__(self, shelf: Shelf, live: LiveScrubber) -> None:
        self.live = live
        self._shelf = shelf
        self._lock = threading.Lock()
        self._turn = 0  # that this process answers by
        self._prepared: tuple[int, Prepared] | None = None
        self._swept = 0  # turn since which what came before is gone
        self._refused = 0  # turn that could not be prepared

    def current(self) -> Scrubber:
        """The scrubber in force."""
        if self._turn != self._shelf.in_force:
            self._switch()
        return self.live.current()

    def in_force(self) -> Book:
        """What the whole service answers by, whether or not this process follows."""
        turn = self._shelf.in_force
        if turn:
            return self._shelf.book(turn)
        return Book(self.live.rulebook, TypedTables({}, self.live.reference.typed_releases))

    def prepare(self) -> None:
        """Get ready what is to come next, if anything is, and say so; take what is in force by now."""
        turn = self._shelf.next
        if turn not in (self._turn, self._prepared_turn, self._refused, self._shelf.in_force):
            self._get_ready(turn)
        if self._turn != self._shelf.in_force:
            self._switch()
        if self._turn != self._swept:
            self._swept = self._turn
            gc.collect()  # a rulebook refers to itself, and would stay until Python looks by itself

    @property
    def _prepared_turn(self) -> int:
        return self._prepared[0] if self._prepared else 0

    def _get_ready(self, turn: int) -> None:
        try:
            self._prepared = turn, self.live.prepare(*self._shelf.book(turn))
        except LookupError:
            return  # another turn came
        except Exception:
            self._refused = turn
            self._shelf.say(turn, ready=False)
            raise
        self._shelf.say(turn, ready=True)

    def _switch(self) -> None:
        """Take the turn in force; a worker that was forked since it was laid down reads it now."""
        with self._lock:
            while self._turn != (turn := self._shelf.in_force):
                if self._prepared is not None and self._prepared[0] == turn:
                    prepared = self._prepared[1]
                else:
                    prepared = self.live.prepare(*self._shelf.book(turn))
                self.live.take(prepared)
                self._turn, self._prepared = turn, None


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
            record_in_force(self.settings.rules, digest, self.settings.state)  # else a rollback would be forgotten

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
