"""Makes claims with two faults out of two cases of test files that start from the same base claim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.rulebook.rulebook import STARTER_RELEASES
from scrubber.rulebook.test_case import Case
from scrubber.scrub import Scrubber
from tests.conftest import ROOT

RULES = ROOT / "rules"
# What other rules go by: a case that changes it makes the claim one of another kind, in which the other fault is none.
GROUND = (
    "claim.filing", "claim.payer", "claim.place", "claim.frequency", "patient", "subscriber", "diagnos", "eligibility",
)  # fmt: skip
_LINE = re.compile(r"(?:line\.(\d+)|/claimInformation/serviceLines/(\d+))\b")


def single_faults(scrubber: Scrubber) -> list[Case]:
    """The first case of each active rule that fires on the starter tables, without rows or a day of receipt."""
    first: dict[str, Case] = {}
    for case in all_cases(RULES, scrubber.rulebook):
        if case.finds and _is_plain(case) and scrubber.rulebook.rules[case.rule].status == "active":
            first.setdefault(case.rule, case)
    return list(first.values())


def pairs(cases: Iterable[Case]) -> Iterator[tuple[Case, Case]]:
    """Two cases of one base claim, neither of which changes an element or a line that the fault of the other is on."""
    for one, other in combinations(cases, 2):
        if one.claim == other.claim and not (one.lines and other.lines) and not _meet(one, other):
            yield one, other


def hidden(one: Case, other: Case, scrubber: Scrubber) -> Iterator[str]:
    """The rules of the two that do not speak of a claim that has both faults."""
    both = replace(
        one,
        change={**one.change, **other.change},
        without=(*one.without, *other.without),
        lines=one.lines or other.lines,
    )
    prepared = prepare_case(both, scrubber, RULES)
    found = {finding.rule.id for finding in prepared.scrubber.scrub(prepared.claim, prepared.received_on).findings}
    yield from (rule for rule in (one.rule, other.rule) if rule not in found)


def _is_plain(case: Case) -> bool:
    paths = (*case.change, *case.without)
    return (
        not case.tables
        and not case.x12_faults
        and case.received_on is None
        and case.releases == STARTER_RELEASES
        and not any(path.startswith(GROUND) for path in paths)
    )


def _meet(one: Case, other: Case) -> bool:
    return bool(_elements(one) & _elements(other) or _changed(one) & _on(other) or _changed(other) & _on(one))


def _elements(case: Case) -> set[str]:
    """The elements that a case changes, by the first two words of their paths: one object is one, and one report."""
    return {
        "documentation" if "documentation" in path else ".".join(path.split(".")[:2])
        for path in (*case.change, *case.without)
    }


def _changed(case: Case) -> set[int]:
    """The numbers of the lines that a case changes or adds."""
    found = (_LINE.match(path) for path in (*case.change, *case.without))
    lines = {int(match[1] or int(match[2]) + 1) for match in found if match}
    return lines | ({3} if case.lines else set())


def _on(case: Case) -> set[int]:
    """The numbers of the lines that the fault of a case is on, or lies beside."""
    expected = case.finds or ()
    return _changed(case) | {line for each in expected for line in (*each.lines, *each.attributes.get("related", ()))}
