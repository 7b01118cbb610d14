"""Messages to matches: one durable_rules ruleset with one state that is kept for ever. The only module that calls it.

Only this way of use was found both fast and right: single-fact rules, whole numbers, and one state from which each
batch is retracted. The last message of a batch is a sentinel whose rule fires last; when it does not come back,
something was lost. A state is deleted only after the sentinel ran on it once: before that, `delete_state` frees a
pointer that was never set.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import orjson

from scrubber.engine.code_field import Message
from scrubber.engine.properties import END, ID
from scrubber.errors import ConfigError

try:
    import durable_rules_engine
except ImportError as error:  # on Python 3.13, if an older compiler let pass what that has no more
    raise ConfigError(
        f"durable-rules cannot be loaded: {error}. How to install it: docs/deploying.md, Compiled, or from the source"
    ) from None

_SENTINEL: Message = {ID: 0, END: 1}
_NAME = "scrubber"
_MESSAGE = '":{"m":{"id":'  # between the name of a rule and the id of a message, which comes first in it


class Trouble(Exception):
    """The rules engine failed or lost something: what it said of this batch is worth nothing."""


_FAILURES = (durable_rules_engine.error, MemoryError, ValueError)


@cache
def _retraction(count: int) -> str:
    return orjson.dumps([{ID: number} for number in range(count + 1)]).decode()


class Session:
    """A compiled ruleset and its state. Not for two threads at once; a process forked between two runs may go on."""

    def __init__(self, definition: str) -> None:
        """Compile. Raises Trouble when durable_rules refuses the definition."""
        self._definition = definition
        self._handle: int | None = None
        self._primed = False
        self._running = False
        try:
            self._open()
        except _FAILURES as error:
            raise Trouble from error

    def run(self, messages: list[Message], largest: int) -> list[tuple[int, int]]:
        """(rule number, message id) of every match; ids lie in 1..largest. Raises Trouble.

        After trouble, or in a child forked in the middle of a run, the next run starts from a new state.
        """
        if self._handle is None:
            raise Trouble
        try:
            if self._running:
                self._reopen()
            self._running = True
            found = self._batch(messages, largest)
        except _FAILURES as error:
            raise Trouble from error
        self._running = False
        return found

    def close(self) -> None:
        """Free the ruleset and its state; a run after that is trouble."""
        if self._handle is not None:
            if self._primed:
                durable_rules_engine.delete_state(self._handle, None)
            durable_rules_engine.delete_ruleset(self._handle)
        self._handle, self._primed = None, False

    def _open(self) -> None:
        self._handle = durable_rules_engine.create_ruleset(_NAME, self._definition)
        self._batch([], 0)
        self._primed = True

    def _reopen(self) -> None:
        if self._primed:
            self._primed = False
            durable_rules_engine.delete_state(self._handle, None)
            self._batch([], 0)
            self._primed = True
        else:
            self.close()
            self._open()

    def _batch(self, messages: list[Message], largest: int) -> list[tuple[int, int]]:
        text = orjson.dumps([*messages, _SENTINEL]).decode()
        _, state = durable_rules_engine.assert_facts(self._handle, text)
        found = [_match(fired) for fired in self._fired(state)]
        if not found or found.pop() != _LAST:
            raise Trouble
        durable_rules_engine.retract_facts(self._handle, _retraction(largest))
        return found

    def _fired(self, state: int) -> Iterator[str]:
        first = durable_rules_engine.start_action_for_state(self._handle, state)
        fired = first and first[1]
        while fired is not None:
            yield fired
            fired = durable_rules_engine.complete_and_start_action(self._handle, state)


_LAST = (-1, 0)


def _match(fired: str) -> tuple[int, int]:
    """Rule number and message id of `{"r12":{"m":{"id":3,…}}}`; the sentinel is rule -1."""
    name, _, rest = fired.partition(_MESSAGE)
    number = rest.partition(",")[0]
    return (-1 if name == '{"end' else int(name[3:])), int(number)
