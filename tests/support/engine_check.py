"""What the fast engine must bear, each check in a process of its own: a crash in C is then a failed check.

Run: python -m tests.support.engine_check NAME TIMES. Silent when all is well. A check of random rules tries so many
times as many of them.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from random import Random
from types import FrameType
from typing import Any

from scrubber.engine import compile
from scrubber.engine.durable import DurableEngine, EngineFailure, Session
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import EngineTest
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has
from tests.support.engine_cases import POISON, AnyFact, SampleLists, case

LISTS = SampleLists()
Pairs = tuple[DurableEngine, PlainEngine]


def engines(tests: Sequence[EngineTest]) -> Pairs:
    """A fast one that asks durable_rules each time, and a plain one."""
    return DurableEngine(tests, LISTS, cache_size=0), PlainEngine(tests, LISTS)


def agree(tests: Sequence[EngineTest], facts: Sequence[AnyFact], fallbacks: int = 0) -> DurableEngine:
    fast, plain = engines(tests)
    for _ in range(2):  # the second time with what the first may have left behind
        assert fast.match(facts) == plain.match(facts)
    assert fast.fallbacks == fallbacks
    return fast


def line(code: str, **more: Any) -> AnyFact:
    return AnyFact("line", {"procedure": code, **more})


def code_tests(count: int) -> list[EngineTest]:
    return [EngineTest(key, "line", Has("procedure", "any", (f"C{key}", f"D{key // 2}"))) for key in range(count)]


def random_rules(times: int) -> None:
    matches = 0
    for seed in range(300 * times):
        tests, facts = case(Random(seed))
        fast = agree(tests, facts)
        matches += len(fast.match(facts))
        assert fast.plain_tests == 0
        fast.close()
    assert matches > 2_500 * times


def remembered_answers(times: int) -> None:
    """What is remembered is what was answered, also when it is forgotten in between."""
    for seed in range(75 * times):
        tests, facts = case(Random(seed), poison=0.05)
        plain = PlainEngine(tests, LISTS)
        for remembers in (3, 1000):
            fast = DurableEngine(tests, LISTS, remembers)
            for some in (facts, facts[::-1], facts[::2], facts):
                assert fast.match(some) == plain.match(some)
            fast.close()


def poisoned_rules(times: int) -> None:
    for seed in range(150 * times):
        tests, facts = case(Random(seed), poison=0.15)
        agree(tests, facts).close()


def poisoned_fact_among_others() -> None:
    tests = [
        EngineTest(0, "line", Compare("procedure", "is", "77089")),
        EngineTest(1, "line", Has("modifiers", "none", ("26",))),
        EngineTest(2, "line", Compare("charge", "over", 100)),
        EngineTest(3, "line", Compare("procedure", "is-not", "77089")),
        EngineTest(4, "line", Has("procedure", "any", ("26",))),
    ]
    for poison in POISON:
        facts = [line("77089", modifiers=("26",)), line("77089", charge=200), line("77092", modifiers=())]
        for field in ("procedure", "charge", "modifiers"):
            facts[1].values[field] = poison
            found = agree(tests, facts).match(facts)
            assert {(0, 0), (1, 2), (3, 2)} <= set(found)


def codes_600() -> None:
    agree(code_tests(600), [line(f"C{number}") for number in range(0, 620, 7)]).close()


def codes_3000() -> None:
    facts = [line("D7"), line("C2999"), line("C0"), *(line(f"C{number}") for number in range(0, 3100, 50))]
    fast = agree(code_tests(3000), facts)
    assert (14, 0) in fast.match(facts)
    fast.close()


def several_rulesets() -> None:
    """More flags at once than the engine's stack holds, more conditions of a kind, more rules than it may have."""
    codes = [f"M{number}" for number in range(200)]
    flags = [EngineTest(key, "line", Has("modifiers", "any", (code,))) for key, code in enumerate(codes)]
    numbers = [EngineTest(1000 + key, "claim", Compare("total", "over", key)) for key in range(700)]
    counts = [EngineTest(7000 + key, "claim", Compare("lineCount", "is", key)) for key in range(700)]
    rows = [EngineTest(2000 + key, "pair", Compare("first", "is", f"C{key}")) for key in range(4500)]
    facts = [
        line("77089", modifiers=tuple(codes)),
        AnyFact("claim", {"total": 650, "lineCount": 3}),
        AnyFact("pair", {"first": "C9"}),
    ]
    fast = agree([*flags, *numbers, *counts, *rows], facts)
    assert len(fast.match(facts)) == 200 + 650 + 1 + 1
    assert fast.plain_tests == 0
    fast.close()


def tests_too_deep() -> None:
    """A test that no ruleset can bear is left to the plain engine."""
    compile.MOST_STACKED = 4
    for seed in range(50):
        agree(*case(Random(seed))).close()
    deep = EngineTest(1, "line", AllOf(tuple(Compare(name, "over", 0) for name in ("charge", "units", "mue", "day"))))
    flat = EngineTest(2, "line", Compare("charge", "over", 5))
    facts = [AnyFact("line", {"charge": 9, "units": 1, "mue": 1, "day": 1})]
    fast = agree([deep, flat], facts)
    assert (fast.match(facts), fast.plain_tests) == ([(1, 0), (2, 0)], 1)


def failing_batches() -> None:
    """Past the limit durable_rules really fails; the batch is judged all the same, and so is the next one."""
    compile.MOST_STACKED = 1000
    tests = [EngineTest(key, "line", Compare("charge", "over", key)) for key in range(80)]
    fast, plain = engines(tests)
    good, bad = [line("77089", charge=10)], [line("77089", charge=10), line("77089", charge=100)]
    for facts in (good, bad, good, bad, bad, good):
        assert fast.match(facts) == plain.match(facts)
    assert fast.fallbacks == 3
    fast.close()


def session_recovers() -> None:
    many = ",".join(f'"r{number}":{{"all":[{{"m":{{"$ex":{{"f{number}":1}}}}}}]}}' for number in range(70))
    session = Session("{" + many + ',"end":{"all":[{"m":{"end":1}}],"pri":65535}}')
    for _ in range(3):
        try:
            session.run([{"id": 1, **{f"f{number}": 1 for number in range(70)}}], 1)
        except EngineFailure:
            assert session.run([{"id": 1, "f3": 1}, {"id": 2, "x": 1}], 2) == [(3, 1)]
        else:
            raise AssertionError
    session.close()
    try:
        Session('{"end":{"all":[{"m":{"$sum":{"end":1}}}]}}')
    except EngineFailure:
        return
    raise AssertionError


def clean_claims_then_close() -> None:
    for _ in range(30):
        fast = DurableEngine(code_tests(20), LISTS)
        assert fast.match([line("77089"), AnyFact("claim", {})]) == []
        fast.close()
        fast.close()
        assert fast.match([line("C3")]) == [(3, 0)]
    unused = DurableEngine(code_tests(20), LISTS)
    unused.close()
    nothing = DurableEngine([], LISTS)
    assert nothing.match([line("77089")]) == []
    nothing.close()


def ten_thousand_facts() -> None:
    tests = [*code_tests(50), EngineTest(99, "line", AnyOf((AllOf(()), Compare("charge", "over", 1))))]
    facts = [line(f"C{number % 70}", charge=number) for number in range(10_000)]
    agree(tests, facts).close()


def reloads_do_not_leak() -> None:
    facts = [line("C3"), line("D4")]
    sizes = []
    for number in range(120):
        fast = DurableEngine(code_tests(300), LISTS)
        assert len(fast.match(facts)) == 3
        fast.close()
        if number in (40, 119):
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    assert sizes[1] - sizes[0] < 16, sizes  # megabytes; a ruleset that is not freed takes about 6 each


def threads() -> None:
    tests = code_tests(50)
    fast, plain = engines(tests)
    sys.setswitchinterval(1e-6)
    wrong: list[int] = []

    def work(seed: int) -> None:
        facts = [line(f"C{number % (seed + 20)}") for number in range(150)]
        wanted = plain.match(facts)
        wrong.extend(seed for _ in range(60) if fast.match(facts) != wanted)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (wrong, fast.fallbacks) == ([], 0)


def close_while_matching() -> None:
    """A reload closes the engine that other threads still hold; they go on with right answers."""
    facts = [line(f"C{number}") for number in range(100)]
    sys.setswitchinterval(1e-6)
    for _ in range(20):
        fast, plain = engines(code_tests(50))
        wanted = plain.match(facts)
        answers: list[bool] = []
        tests = (fast, wanted, answers)
        worker = threading.Thread(target=lambda of=tests: of[2].extend(of[0].match(facts) == of[1] for _ in range(40)))
        worker.start()
        fast.close()
        worker.join()
        assert answers == [True] * 40


def in_child(work: Callable[[], bool]) -> bool:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of threads: they are the point
        child = os.fork()
    if not child:
        signal.alarm(10)  # a lock that nobody frees is a failure, not a test without end
        os._exit(0 if work() else 1)
    return os.waitpid(child, 0)[1] == 0


def fork_after_compile() -> None:
    tests, facts = case(Random(2))
    fast, plain = engines(tests)
    wanted = plain.match(facts)
    assert in_child(lambda: all(fast.match(facts) == wanted for _ in range(50)) and not fast.fallbacks)
    assert fast.match(facts) == wanted
    assert in_child(lambda: all(fast.match(facts) == wanted for _ in range(50)) and not fast.fallbacks)


def fork_while_matching() -> None:
    tests, facts = case(Random(2))
    fast, plain = engines(tests)
    wanted = plain.match(facts)
    stop = threading.Event()
    sys.setswitchinterval(1e-5)

    def work() -> None:
        while not stop.is_set():
            fast.match(facts)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    forked = [in_child(lambda: all(fast.match(facts) == wanted for _ in range(3))) for _ in range(60)]
    stop.set()
    for worker in workers:
        worker.join()
    assert all(forked)


class Interrupted(Exception):
    pass


def interrupted_matches() -> None:
    """A worker's timeout may strike anywhere; the next claim must not see what was left."""
    tests, facts = case(Random(2))
    fast, plain = engines(tests)
    wanted = plain.match(facts)

    def strike(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    signal.signal(signal.SIGALRM, strike)
    struck = 0
    for number in range(400):
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-5 + number * 1e-6)
            while True:
                fast.match(facts)
        except Interrupted:
            struck += 1
        assert fast.match(facts) == wanted
    assert (struck, fast.fallbacks) == (400, 0)


OF_RANDOM_RULES = (random_rules, remembered_answers, poisoned_rules)

if __name__ == "__main__":
    check = globals()[sys.argv[1]]
    check(int(sys.argv[2])) if check in OF_RANDOM_RULES else check()
