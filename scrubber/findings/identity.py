"""Gives each finding an id that stays the same when the claim is sent again with its lines in another order.

It consists of the rule, the codes that the finding is about, and a number where a claim has several of these. Only
texts that look like codes become part of it, and names of elements: any other text of the sender may be patient data.
"""

from __future__ import annotations

import re

from scrubber.claim.model import Claim, ServiceLine
from scrubber.facts.fact import Fact
from scrubber.findings.finding import Finding
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.vocabulary import KINDS

PROCEDURE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")  # ICD-10-CM without its dot
LINE_NUMBER = re.compile(r"/serviceLines/[0-9]+")
ELEMENT = "element"

Content = tuple[str, ...]


def finding_id(rule: Rule, fact: Fact, line: ServiceLine | None) -> str:
    """The id of a finding of a rule on a fact whose first line is `line`, as if there were no other of that name."""
    if fact.kind == ELEMENT:
        code = line.procedure if line is not None and len(fact.lines) == 1 else None
        return _with(f"{rule.id}:{fact.values[ELEMENT]}", code, PROCEDURE)
    shape = DIAGNOSIS if fact.kind == "diagnosis" else PROCEDURE
    name = rule.id
    for field in KINDS[fact.kind].identified_by:
        name = _with(name, fact.values.get(field), shape)
    return name


def _with(name: str, code: object, shape: re.Pattern[str]) -> str:
    return f"{name}:{code}" if isinstance(code, str) and shape.fullmatch(code) else name


def with_unique_ids(findings: tuple[Finding, ...], claim: Claim) -> tuple[Finding, ...]:
    """Each finding with an id that no other one has: of several of one name, all but the first get a number.

    The numbers follow the content of their lines, not the order of these, so that another order of lines swaps no
    numbers. Findings on lines of equal content are numbered in the sender's order: nothing else distinguishes them.
    """
    names = [finding.id for finding in findings]
    if len(set(names)) == len(names):
        return findings  # the way of nearly every claim
    indexes: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        indexes.setdefault(name, []).append(index)
    numbered = list(findings)
    for name, of_name in indexes.items():
        of_name.sort(key=lambda index: _content(findings[index], claim))
        for count, index in enumerate(of_name[1:], start=2):
            numbered[index] = findings[index]._replace(id=f"{name}:{count}")
    return tuple(numbered)


def _content(finding: Finding, claim: Claim) -> Content:
    """What a finding is about, without the positions of its lines."""
    return (
        *sorted(_line(claim.lines[number - 1], claim) for number in finding.lines),
        *sorted(_line(claim.lines[number - 1], claim) for number in finding.related_lines),
        LINE_NUMBER.sub("", finding.pointer),
        repr(sorted(finding.evidence.items())),
    )


def _line(line: ServiceLine, claim: Claim) -> str:
    """Everything on a line that findings can be about, as one text to sort by; it is never output."""
    codes = {diagnosis.position: diagnosis.code for diagnosis in claim.diagnoses}
    return repr(
        (
            line.procedure,
            line.modifiers,
            line.first_day and line.first_day.toordinal(),
            line.last_day and line.last_day.toordinal(),
            str(line.charge),
            str(line.units),
            line.unit_code,
            line.place,
            line.rendering.npi if line.rendering else None,
            [codes.get(position) for position in line.pointers],
            line.ndc,
        )
    )
