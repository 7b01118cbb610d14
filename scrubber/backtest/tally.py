"""Counts the findings and outcomes of a back-test, claim by claim, and adds up the counts of chunks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from scrubber.backtest.compare import BareFinding, ComparedResults, RulebookResult
from scrubber.backtest.denials import DENIED, NOT_DENIED, PARTLY, ClaimOutcome, LineOutcome
from scrubber.claim.model import Claim
from scrubber.findings import disposition
from scrubber.pricing import lines_at_risk, puts_at_risk
from scrubber.rulebook.rule_tables import Payer

MOST_SAMPLES = 10  # claims of one kind
MOST_REPORTED = 20  # rows that are no claims
GAINED, LOST, BASELINE, CANDIDATE, TESTED = "gained", "lost", "baseline", "candidate", "tested"
ALL, RULE, PAYER, CODE, SEVERITY = "all", "rule", "payer", "code", "severity"
NOTHING = Decimal("0.00")

GroupKey = tuple[str, str, str]  # side, what it is grouped by, which group


@dataclass(slots=True)
class Sum:
    """Findings of a group, the claims that have them, and the dollars of the lines that they put at risk.

    A line counts once a claim. `known` and `unknown` count the lines whose amount is, and is not, known. `charged` is
    what the claims charge for these lines, `uncharged` counts those whose charge cannot be read.
    """

    findings: int = 0
    claims: int = 0
    dollars: Decimal = NOTHING
    known: int = 0
    unknown: int = 0
    charged: Decimal = NOTHING
    uncharged: int = 0

    def add(self, other: Sum) -> None:
        """Counts the other's, too."""
        self.findings += other.findings
        self.claims += other.claims
        self.dollars += other.dollars
        self.known += other.known
        self.unknown += other.unknown
        self.charged += other.charged
        self.uncharged += other.uncharged


@dataclass(slots=True)
class Flagged:
    """Lines that findings flag and that have a remittance: how many, and in dollars.

    `denied_dollars` are those that the remittances denied, in full or in part; `unstated` counts denied lines whose
    amount no remittance states; `paid_dollars` were paid on lines that were not denied in full. `predicted` of the
    denied lines were denied for the reason that the rule predicts.
    """

    denied: int = 0
    partly: int = 0
    not_denied: int = 0
    unclear: int = 0
    predicted: int = 0
    denied_dollars: Decimal = NOTHING
    unstated: int = 0
    paid_dollars: Decimal = NOTHING

    def count(self, outcome: LineOutcome, *, predicted: bool = False) -> None:
        """Counts one line."""
        self.denied += outcome.status == DENIED
        self.partly += outcome.status == PARTLY
        self.not_denied += outcome.status == NOT_DENIED
        self.unclear += outcome.status not in (DENIED, PARTLY, NOT_DENIED)
        self.predicted += predicted and outcome.status == DENIED
        if outcome.status in (DENIED, PARTLY):
            self.denied_dollars += outcome.denied or NOTHING
            self.unstated += outcome.denied is None
        self.paid_dollars += outcome.paid

    def add(self, other: Flagged) -> None:
        """Counts the other's, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Missed:
    """Denied lines that nothing flagged, and what was denied of them. `unstated` counts lines without an amount."""

    lines: int = 0
    dollars: Decimal = NOTHING
    unstated: int = 0

    def count(self, denied: Decimal | None) -> None:
        """Counts one line."""
        self.lines += 1
        self.dollars += denied or NOTHING
        self.unstated += denied is None

    def add(self, other: Missed) -> None:
        """Counts the other's, too."""
        self.lines += other.lines
        self.dollars += other.dollars
        self.unstated += other.unstated


_Key = TypeVar("_Key")
_Count = TypeVar("_Count", Sum, Flagged, Missed)


@dataclass(slots=True)
class Tally:
    """All counts over some claims. Adding up the tallies of the chunks of a file in their order gives that of the file.

    `counts` has rows, claims, and how the remittances matched. `samples` are claims by kind, `reported` rows that are
    no claims.
    """

    counts: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: dict[GroupKey, Sum] = field(default_factory=dict)
    flagged: dict[str, Flagged] = field(default_factory=dict)
    missed: dict[tuple[str, str], Missed] = field(default_factory=dict)
    samples: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    reported: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Counts the other's, too, which comes after all that was counted."""
        self.counts += other.counts
        self.dispositions += other.dispositions
        _add_each(self.sums, other.sums)
        _add_each(self.flagged, other.flagged)
        _add_each(self.missed, other.missed)
        for kind, names in other.samples.items():
            samples = self.samples.setdefault(kind, [])
            samples += names[: MOST_SAMPLES - len(samples)]
        self.reported += other.reported[: MOST_REPORTED - len(self.reported)]

    def sample(self, name: Callable[[], str], *kind: str) -> None:
        """Adds a claim to the samples of a kind, without repeats, up to MOST_SAMPLES."""
        names = self.samples.setdefault(kind, [])
        if len(names) < MOST_SAMPLES and (label := name()) not in names:
            names.append(label)

    def sum(self, *key: str) -> Sum:
        """The sum of a group, for reading only."""
        side, by, group = key
        return self.sums.get((side, by, group), Sum())


def _add_each(mine: dict[_Key, _Count], others: Mapping[_Key, _Count]) -> None:
    for key, each in others.items():
        if key in mine:
            mine[key].add(each)
        else:
            mine[key] = each


WHOLE_CLAIM = "(whole claim)"
NO_CODE = "(no readable code)"
# What claim numbers look like. A number that a sender built from a name would be patient data.
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9._/#-]{1,38}", re.ASCII)

ClaimLabel = Callable[[], str]  # labels a claim in samples
# The groups of a finding: what they group by, the group, and its lines if not all.
GroupsOf = Callable[[BareFinding], Iterable[tuple[str, str, Iterable[int] | None]]]


def count_claim(tally: Tally, claim: Claim, judged: ComparedResults, row: int) -> None:
    """Counts the findings of both rulebooks on the claim in a row of the file."""
    before, after = judged
    dispositions = disposition(before.findings), disposition(after.findings)
    tally.dispositions[dispositions] += 1
    _count(tally, CANDIDATE, after, after.findings, claim, _by_rule)
    _count(tally, BASELINE, before, before.findings, claim, _in_all)
    if before is after:
        return
    name = partial(claim_label, claim, row)
    if dispositions[0] != dispositions[1]:
        tally.sample(name, "disposition", *dispositions)
    gained, lost = _difference(after.findings, before.findings), _difference(before.findings, after.findings)
    for side, which, findings in ((GAINED, after, gained), (LOST, before, lost)):
        _count(tally, side, which, findings, claim, _every_way(claim, which.payer))
        for rule in {found.rule.id for found in findings}:
            tally.sample(name, side, rule)


def claim_label(claim: Claim, row: int) -> str:
    """The claim's number where it looks like one, else its row."""
    number = claim.patient_control_number or ""
    return number if _NUMBER.fullmatch(number) and not _identifies_person(number, claim) else f"row {row}"


def _identifies_person(number: str, claim: Claim) -> bool:
    """Whether the number holds what identifies a person: a name, a member id, a day of birth."""
    text = number.casefold()
    for person in (claim.subscriber, claim.patient):
        identifiers = [person.first_name, person.last_name, person.member_id]
        if person.birth_date:
            identifiers += [
                f"{person.birth_date:%Y%m%d}",
                f"{person.birth_date:%m%d%Y}",
                f"{person.birth_date:%Y-%m-%d}",
            ]
        if any(part and len(part) > 2 and part.casefold() in text for part in identifiers):
            return True
    return False


def _difference(findings: Sequence[BareFinding], others: Sequence[BareFinding]) -> list[BareFinding]:
    """Findings that the others lack. The same finding: the same rule, severity, lines and related lines."""
    left = Counter(map(_same, others))
    more = []
    for found in findings:
        if left[_same(found)] > 0:
            left[_same(found)] -= 1
        else:
            more.append(found)
    return more


def _same(found: BareFinding) -> tuple[object, ...]:
    return found.rule.id, found.severity, found.lines, found.related


def _in_all(_: BareFinding) -> Iterable[tuple[str, str, None]]:
    return ((ALL, "", None),)


def _by_rule(found: BareFinding) -> Iterable[tuple[str, str, None]]:
    return ((ALL, "", None), (RULE, found.rule.id, None))


def _every_way(claim: Claim, payer: Payer) -> GroupsOf:
    codes = {line.number: line.procedure or NO_CODE for line in claim.lines}
    who = f"{payer.name or 'payer not named'}, {payer.line_of_business}"

    def groups(found: BareFinding) -> Iterable[tuple[str, str, Iterable[int] | None]]:
        yield ALL, "", None
        yield RULE, found.rule.id, None
        yield SEVERITY, found.severity, None
        yield PAYER, who, None
        if not found.lines:
            yield CODE, WHOLE_CLAIM, None
        for code in sorted({codes[number] for number in found.lines}):
            yield CODE, code, [number for number in found.lines if codes[number] == code]

    return groups


def _count(
    tally: Tally, name: str, side: RulebookResult, findings: Iterable[BareFinding], claim: Claim, groups: GroupsOf
) -> None:
    counted: dict[tuple[str, str], tuple[list[BareFinding], set[int]]] = {}
    numbers = range(1, len(claim.lines) + 1)
    for found in findings:
        risky = puts_at_risk(found)
        for by, group, lines in groups(found):
            ones, at_risk = counted.setdefault((by, group), ([], set()))
            ones.append(found)
            if risky:
                at_risk.update(lines_at_risk(found, numbers) if lines is None else lines)
    for (by, group), (ones, at_risk) in counted.items():
        total = tally.sums.setdefault((name, by, group), Sum())
        total.findings += len(ones)
        total.claims += 1
        for number in at_risk:
            charge = claim.lines[number - 1].charge
            total.charged += charge or 0
            total.uncharged += charge is None
            dollars = side.exposed[number]
            if dollars is None:
                total.unknown += 1
            else:
                total.known += 1
                total.dollars += dollars


def count_outcome(
    tally: Tally, claim: Claim, judged: ComparedResults, outcome: ClaimOutcome, row: int, tested: frozenset[str]
) -> None:
    """Counts the outcomes of the claim's lines, and of those that findings flag: of all rules, and of the `tested`
    rules
    alone."""
    tally.counts["joined"] += 1
    tally.counts["remit lines of no line"] += outcome.unknown_lines
    tally.counts["remit rows repeated"] += outcome.repeated
    tally.counts["whole-claim rows unused"] += outcome.unused
    codes = {line.number: line.procedure or NO_CODE for line in claim.lines}
    flags = _flags(judged.candidate, claim)
    before = flags if judged.baseline is judged.candidate else _flags(judged.baseline, claim)
    name = partial(claim_label, claim, row)
    for number, one in outcome.lines.items():
        tally.counts[f"lines {one.status}"] += 1
        tally.counts["lines with a remittance"] += 1
        _count_side(tally, BASELINE, one, bool(before.get(number)))
        _count_side(tally, CANDIDATE, one, bool(flags.get(number)))
        _count_side(tally, TESTED, one, not tested.isdisjoint(flags.get(number, ())))
        for found in flags.get(number, {}).values():
            _count_flag(tally, found, one, name)
        if one.status == DENIED and number not in flags:
            _count_miss(tally, one, codes[number], name)


def _flags(side: RulebookResult, claim: Claim) -> dict[int, dict[str, BareFinding]]:
    """One finding a rule for each line that it flags: its lines, or all of the claim when it names none."""
    flags: dict[int, dict[str, BareFinding]] = {}
    for found in filter(puts_at_risk, side.findings):
        for number in found.lines or range(1, len(claim.lines) + 1):
            flags.setdefault(number, {})[found.rule.id] = found
    return flags


def _count_side(tally: Tally, side: str, outcome: LineOutcome, flagged: bool) -> None:
    tally.flagged.setdefault(f"{side} {'flagged' if flagged else 'not flagged'}", Flagged()).count(outcome)


def _count_flag(tally: Tally, found: BareFinding, outcome: LineOutcome, name: ClaimLabel) -> None:
    reason = found.rule.reason
    predicted = reason is not None and reason.carc.lstrip("0") in outcome.reasons
    tally.flagged.setdefault(f"rule {found.rule.id}", Flagged()).count(outcome, predicted=predicted)
    if outcome.status == NOT_DENIED:
        tally.sample(name, "not denied", found.rule.id)
    elif outcome.status == DENIED:
        tally.sample(name, DENIED, found.rule.id)


def _count_miss(tally: Tally, outcome: LineOutcome, code: str, name: ClaimLabel) -> None:
    tally.missed.setdefault((ALL, ""), Missed()).count(outcome.denied)
    tally.missed.setdefault((CODE, code), Missed()).count(outcome.denied)
    for carc, dollars in outcome.reasons.items():
        tally.missed.setdefault(("carc", carc), Missed()).count(dollars)
        tally.sample(name, "missed", carc)
