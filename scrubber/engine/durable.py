"""Facts to matches: the fast engine, durable_rules, with the plain engine beside it for whatever it cannot do."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakSet, finalize

import orjson

from scrubber.engine.code_field import Message, Unsendable
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import CodeLists, EngineFact, EngineTest
from scrubber.engine.properties import ID
from scrubber.engine.reading import Reader
from scrubber.engine.ruleset import Ruleset, pack
from scrubber.engine.session import Session, Trouble

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
