"""The engine: durable_rules, with the plain engine beside it for whatever it cannot hold.

Only this way of use was found both fast and right: single-fact rules, whole numbers, and one state from which each
batch is retracted. The last message of a batch is a sentinel whose rule fires last; when it does not come back,
something was lost. A state is deleted only after the sentinel ran on it once: before that, `delete_state` frees a
pointer that was never set.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from weakref import WeakSet, finalize

import orjson

from scrubber.engine.compile import Ruleset, pack
from scrubber.engine.encode import END, ID, Message, Reader, Unsendable
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import CodeLists, EngineFact, EngineTest
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


REMEMBERS = 16_384  # answers, a few megabytes
MOST_FACTS = 200  # at once: memory is kept for as many matched facts as a batch ever had

Found = set[tuple[int, int]]  # fact index, test key


class _Part:
    """One ruleset at work, and what it answered.

    A rule reads one fact, so the same message always has the same matches: what was asked once is not asked again.
    Messages hold but what rules can tell apart, so nearly every line of a claim makes one that was asked before.
    """

    def __init__(self, ruleset: Ruleset, remembers: int) -> None:
        self.readers: dict[str, Reader] = ruleset.readers
        self.keys = ruleset.keys
        self.session = Session(ruleset.definition())
        self.known: dict[bytes, tuple[int, ...]] = {}  # message as JSON, keys of the tests that hold
        self._remembers = remembers

    def learn(self, message: bytes, keys: tuple[int, ...]) -> None:
        """Remember an answer; when there are too many, forget all."""
        if len(self.known) >= self._remembers:
            self.known.clear()
        if self._remembers:
            self.known[message] = keys


class DurableEngine:
    """Tests compiled once; `match` may be called from several threads and in forked children.

    `fallbacks` counts batches that durable_rules failed on and the plain engine judged; `plain_tests` the tests that
    durable_rules cannot hold, which the plain engine always judges.
    """

    def __init__(self, tests: Iterable[EngineTest], lists: CodeLists, remembers: int = REMEMBERS) -> None:
        """`remembers` is how many answers are kept. KeyError for an operator that does not exist."""
        tests = list(tests)
        self._plain = PlainEngine(tests, lists)
        rulesets, left = pack(tests, lists)
        self._parts: tuple[_Part, ...] = ()
        for ruleset in rulesets:
            try:
                self._parts += (_Part(ruleset, remembers),)
            except Trouble:
                refused = {key for keys in ruleset.keys for key in keys}
                left += [test for test in tests if test.key in refused]
        self._left = PlainEngine(left, lists)
        self.plain_tests = len(left)
        self.fallbacks = 0
        self._closed = False
        self._lock = threading.Lock()
        _engines.add(self)
        # What durable_rules holds is no Python object: nobody else would free it.
        finalize(self, _free, [part.session for part in self._parts]).atexit = False

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """(test key, fact index) for every test that holds, sorted by fact index, then key."""
        found: Found = set()
        if self._closed:
            return self._plain.match(facts)
        for start in range(0, len(facts), MOST_FACTS):
            for part in self._parts:
                self._match(part, facts[start : start + MOST_FACTS], start, found)
        if self.plain_tests:
            found.update((index, key) for key, index in self._left.match(facts))
        return [(key, index) for index, key in sorted(found)]

    def close(self) -> None:
        """Free what durable_rules holds. A match that is under way or comes later is judged by the plain engine."""
        with self._lock:
            self._closed = True
            _free(part.session for part in self._parts)

    def after_fork(self) -> None:
        """In a forked child: a lock that no thread of the parent holds."""
        self._lock = threading.Lock()

    def _match(self, part: _Part, facts: Sequence[EngineFact], start: int, found: Found) -> None:
        asked: dict[int, bytes] = {}  # by the number of the fact
        messages: list[Message] = []
        judged = []
        for number, fact in enumerate(facts, 1):
            reader = part.readers.get(fact.kind)
            if reader is None:
                continue
            try:
                message = reader.message(fact.values)
            except Unsendable:
                judged.append(number)
                continue
            sent = orjson.dumps(message)
            keys = part.known.get(sent)
            if keys is None:
                asked[number] = sent
                messages.append({ID: number, **message})
            elif keys:
                found.update([(start + number - 1, key) for key in keys])
        if messages and not self._run(part, messages, asked, start, found):
            judged += asked
        for number in judged:
            found.update((start + number - 1, key) for key in self._plain.keys(facts[number - 1]))

    def _run(self, part: _Part, messages: list[Message], asked: Mapping[int, bytes], start: int, found: Found) -> bool:
        with self._lock:
            try:
                matches = part.session.run(messages, max(asked))
            except Trouble:
                self.fallbacks += 1
                return False
        held: dict[int, tuple[int, ...]] = dict.fromkeys(asked, ())
        for rule, number in matches:
            held[number] += part.keys[rule]
        for number, keys in held.items():
            part.learn(asked[number], keys)
            found.update((start + number - 1, key) for key in keys)
        return True


def _free(sessions: Iterable[Session]) -> None:
    for session in sessions:
        session.close()


_engines: WeakSet[DurableEngine] = WeakSet()


def _after_fork() -> None:
    for engine in _engines:
        engine.after_fork()


os.register_at_fork(after_in_child=_after_fork)
