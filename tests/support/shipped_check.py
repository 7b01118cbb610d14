"""Random claims over the shipped rules: the fast engine against the plain one, answer for answer.

Run in a process of its own by test_engine_shipped.py: `python -m tests.support.shipped_check COUNT`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date

from scrubber.claim import read_v3
from scrubber.engine import DurableEngine, PlainEngine
from scrubber.findings.judge import has_questions, rule_tests
from scrubber.response.claim import to_bytes
from scrubber.scrub import open_scrubber
from tests.conftest import ROOT
from tests.support.random_claims import random_claim

RECEIVED = date(2026, 11, 23)


def main(count: int) -> None:
    """Prints each seed on which the engines differ, and the rules that no claim fired."""
    fast = open_scrubber(ROOT / "rules", None)
    plain = replace(fast, engine=PlainEngine(rule_tests(fast.rulebook.running), fast.rulebook.lists))
    fired: set[str] = set()
    for seed in range(count):
        claim = read_v3(random_claim(seed))
        result = fast.scrub(claim, RECEIVED)
        fired |= {finding.rule.id for finding in result.findings}
        if to_bytes(result) != to_bytes(plain.scrub(claim, RECEIVED)):
            sys.stdout.write(f"seed {seed}: the engines differ\n")
    engine = fast.engine
    if not isinstance(engine, DurableEngine) or engine.fallbacks:
        sys.stdout.write("the fast engine fell back on the plain one\n")
    # What rules ask beside their facts is tested in tests/relations: most of those rules are for few codes and payers.
    expected = [rule for rule in fast.rulebook.active if not has_questions(rule)]
    if len(fired) < len(expected) // 2:
        sys.stdout.write(f"only {len(fired)} of {len(expected)} rules fired: the claims test too little\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
