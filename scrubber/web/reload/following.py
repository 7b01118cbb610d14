"""Around the path: the rules that one process answers by, which follow those in force for the whole service."""

from __future__ import annotations

import gc
import threading

from scrubber.reference.files import Contents
from scrubber.scrub import LiveScrubber, Prepared, Scrubber
from scrubber.web.reload.shelf import Book, Shelf


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
        return Book(self.live.rulebook, Contents({}, self.live.reference.typed_releases))

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
