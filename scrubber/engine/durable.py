"""Runs tests on facts with durable_rules, and with the plain engine where durable_rules cannot.

Only this use of durable_rules proved both fast and correct: single-fact rules, whole numbers, and one state from which
each batch is retracted. The last message of a batch is a sentinel whose rule fires last; when it does not come back,
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
from scrubber.engine.encode import END, ID, Message, MessageEncoder, Unsendable
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import CodeListLookup, EngineFact, EngineTest
from scrubber.errors import ConfigError

try:
    import durable_rules_engine
except (
    ImportError
) as error:  # on Python 3.13, if it was built by an older compiler, which accepts functions that 3.13 removed
    raise ConfigError(
        f"durable-rules cannot be loaded: {error}. How to install it: docs/deploying.md, Compiled, or from the source"
    ) from None

_SENTINEL: Message = {ID: 0, END: 1}
_NAME = "scrubber"
_MESSAGE = '":{"m":{"id":'  # between the name of a rule and the id of a message, which comes first in it


class EngineFailure(Exception):
    """durable_rules failed or lost a message: its results for this batch cannot be used."""


_FAILURES = (durable_rules_engine.error, MemoryError, ValueError)


@cache
def _retraction(count: int) -> str:
    return orjson.dumps([{ID: number} for number in range(count + 1)]).decode()


class Session:
    """A compiled ruleset and its state. Not for two threads at once; a process forked between two runs may go on."""

    def __init__(self, definition: str) -> None:
        """Compile. Raises EngineFailure when durable_rules refuses the definition."""
        self._definition = definition
        self._handle: int | None = None
        self._primed = False
        self._running = False
        try:
            self._open()
        except _FAILURES as error:
            raise EngineFailure from error

    def run(self, messages: list[Message], largest: int) -> list[tuple[int, int]]:
        """(rule number, message id) of every match; ids lie in 1..largest. Raises EngineFailure.

        After a failure, or in a child forked in the middle of a run, the next run starts from a new state.
        """
        if self._handle is None:
            raise EngineFailure
        try:
            if self._running:
                self._reopen()
            self._running = True
            found = self._batch(messages, largest)
        except _FAILURES as error:
            raise EngineFailure from error
        self._running = False
        return found

    def close(self) -> None:
        """Frees the ruleset and its state; a later run raises EngineFailure."""
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
            raise EngineFailure
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


CACHE_SIZE = 16_384  # answers, a few megabytes
MOST_FACTS = 200  # at once: memory is kept for as many matched facts as a batch ever had

Hits = set[tuple[int, int]]  # fact index, test key


class _CachedRuleset:
    """A compiled ruleset with a cache of its answers.

    A rule reads one fact, so the same message always has the same matches, and is sent only once. Messages hold only
    what rules can tell apart, so nearly every line of a claim leads to a message that is cached.
    """

    def __init__(self, ruleset: Ruleset, cache_size: int) -> None:
        self.readers: dict[str, MessageEncoder] = ruleset.readers
        self.keys = ruleset.keys
        self.session = Session(ruleset.definition())
        self.cache: dict[bytes, tuple[int, ...]] = {}  # message as JSON, keys of the tests that hold
        self._cache_size = cache_size

    def cache_answer(self, message: bytes, keys: tuple[int, ...]) -> None:
        """Caches an answer; a full cache is emptied first."""
        if len(self.cache) >= self._cache_size:
            self.cache.clear()
        if self._cache_size:
            self.cache[message] = keys


class DurableEngine:
    """Tests compiled once; `match` may be called from several threads and in forked children.

    `fallbacks` counts batches that durable_rules failed on and the plain engine ran; `plain_tests` the tests that
    exceed the limits of durable_rules, which the plain engine always runs.
    """

    def __init__(self, tests: Iterable[EngineTest], lists: CodeListLookup, cache_size: int = CACHE_SIZE) -> None:
        """`cache_size` is how many answers are cached. KeyError for an operator that does not exist."""
        tests = list(tests)
        self._plain = PlainEngine(tests, lists)
        rulesets, left = pack(tests, lists)
        self._rulesets: tuple[_CachedRuleset, ...] = ()
        for ruleset in rulesets:
            try:
                self._rulesets += (_CachedRuleset(ruleset, cache_size),)
            except EngineFailure:
                refused = {key for keys in ruleset.keys for key in keys}
                left += [test for test in tests if test.key in refused]
        self._left = PlainEngine(left, lists)
        self.plain_tests = len(left)
        self.fallbacks = 0
        self._closed = False
        self._lock = threading.Lock()
        _engines.add(self)
        # The memory of durable_rules is not Python's: it must be freed explicitly.
        finalize(self, _free, [ruleset.session for ruleset in self._rulesets]).atexit = False

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """(test key, fact index) for every test that holds, sorted by fact index, then key."""
        found: Hits = set()
        if self._closed:
            return self._plain.match(facts)
        for start in range(0, len(facts), MOST_FACTS):
            for ruleset in self._rulesets:
                self._match(ruleset, facts[start : start + MOST_FACTS], start, found)
        if self.plain_tests:
            found.update((index, key) for key, index in self._left.match(facts))
        return [(key, index) for index, key in sorted(found)]

    def close(self) -> None:
        """Frees the memory of durable_rules. Matches under way and later ones are run by the plain engine."""
        with self._lock:
            self._closed = True
            _free(ruleset.session for ruleset in self._rulesets)

    def after_fork(self) -> None:
        """In a forked child: a lock that no thread of the parent holds."""
        self._lock = threading.Lock()

    def _match(self, ruleset: _CachedRuleset, facts: Sequence[EngineFact], start: int, found: Hits) -> None:
        unanswered: dict[int, bytes] = {}  # by the number of the fact
        messages: list[Message] = []
        judged = []
        for number, fact in enumerate(facts, 1):
            reader = ruleset.readers.get(fact.kind)
            if reader is None:
                continue
            try:
                message = reader.message(fact.values)
            except Unsendable:
                judged.append(number)
                continue
            sent = orjson.dumps(message)
            keys = ruleset.cache.get(sent)
            if keys is None:
                unanswered[number] = sent
                messages.append({ID: number, **message})
            elif keys:
                found.update([(start + number - 1, key) for key in keys])
        if messages and not self._run(ruleset, messages, unanswered, start, found):
            judged += unanswered
        for number in judged:
            found.update((start + number - 1, key) for key in self._plain.keys(facts[number - 1]))

    def _run(
        self, ruleset: _CachedRuleset, messages: list[Message], unanswered: Mapping[int, bytes], start: int, found: Hits
    ) -> bool:
        with self._lock:
            try:
                matches = ruleset.session.run(messages, max(unanswered))
            except EngineFailure:
                self.fallbacks += 1
                return False
        held: dict[int, tuple[int, ...]] = dict.fromkeys(unanswered, ())
        for rule, number in matches:
            held[number] += ruleset.keys[rule]
        for number, keys in held.items():
            ruleset.cache_answer(unanswered[number], keys)
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
