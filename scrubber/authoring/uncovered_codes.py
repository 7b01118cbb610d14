"""Finds procedure codes that no rule mentions, and the table rows that cover them all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from scrubber.reference import Reference
from scrubber.reference.tables import MPFS
from scrubber.reference.typed_tables import STARTER, read_folder
from scrubber.rulebook.rule import Compare, Has, InList, Rule, leaves
from scrubber.rulebook.rulebook import Rulebook

PROCEDURES = frozenset(("procedure", "first", "second"))  # facts that hold the procedure code of a line


class UncoveredCode(NamedTuple):
    """A code that no rule mentions. Of the tables that general rules rest on: PTP pairs, MUE, policies, articles."""

    code: str
    lines: int | None  # how many of the claims' lines bill it; None without claims
    standing: str
    ptp_pairs: int
    mue: int | None
    policies: int
    articles: int


def uncovered_codes(
    codes: Mapping[str, int | None], rulebook: Rulebook, reference: Reference, day: date
) -> Iterator[UncoveredCode]:
    """Those of `codes` (with how often each is billed) that no rule mentions, the most billed first."""
    for code, lines in sorted(codes.items(), key=lambda item: (-(item[1] or 0), item[0])):
        if not mentioned(code, rulebook):
            edit = reference.mue(code, day)
            yield UncoveredCode(
                code,
                lines,
                reference.procedure(code, day),
                len(reference.ptp_of(code, day)),
                edit.units if edit else None,
                len(rulebook.policies(code, day)),
                len(reference.coverage(code, None, day)),
            )


def mentioned(code: str, rulebook: Rulebook) -> bool:
    """Whether a condition of some rule names the code, or reads a code list that has it on some day."""
    return any(_names(leaf, code, rulebook) for rule in _rules(rulebook) for leaf in _on_procedures(rule))


def general_rules(rulebook: Rulebook) -> tuple[Rule, ...]:
    """The rules whose conditions name no procedure code: they hold for every code."""
    return tuple(rule for rule in _rules(rulebook) if not any(_on_procedures(rule)))


def starter_codes() -> dict[str, int | None]:
    """The codes of the fee schedule that ships with the program."""
    rows = read_folder(STARTER, starter=True).tables[MPFS]
    return dict.fromkeys(sorted({row.code for row in rows}))


def _rules(rulebook: Rulebook) -> Iterable[Rule]:
    return (rule for rule in rulebook.rules.values() if rule.status != "deprecated")


def _on_procedures(rule: Rule) -> Iterator[Compare | Has | InList]:
    return (leaf for leaf in (*leaves(rule.applies), *leaves(rule.when)) if leaf.fact in PROCEDURES)


def _names(leaf: Compare | Has | InList, code: str, rulebook: Rulebook) -> bool:
    if isinstance(leaf, InList):
        return rulebook.lists.may_contain(leaf.list, code)
    return code in leaf.values if isinstance(leaf, Has) else code == leaf.value
