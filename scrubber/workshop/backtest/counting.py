"""Beside the path, back-test: one judged claim into the tally: findings gained and lost, dollars, what was denied."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from scrubber.claim import Claim
from scrubber.findings import disposition
from scrubber.money import lines_at_risk, puts_at_risk
from scrubber.rulebook.tables import Payer
from scrubber.workshop.backtest.bench import Found, Judged, Side
from scrubber.workshop.backtest.outcome import DENIED, NOT_DENIED, ClaimOutcome, Outcome
from scrubber.workshop.backtest.tally import (
    ALL,
    BASELINE,
    CANDIDATE,
    CODE,
    GAINED,
    LOST,
    PAYER,
    RULE,
    SEVERITY,
    TESTED,
    Flagged,
    Missed,
    Sum,
    Tally,
)

WHOLE_CLAIM = "(whole claim)"
NO_CODE = "(no readable code)"
# What numbers of claims look like. One that a sender made of a name would be patient data.
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9._/#-]{1,38}", re.ASCII)

Name = Callable[[], str]  # of a claim in samples
Groups = Callable[[Found], Iterable[tuple[str, str, Iterable[int] | None]]]  # grouped by, group, lines if not all


def count_claim(tally: Tally, claim: Claim, judged: Judged, row: int) -> None:
    """Counts what both sides find on the claim, which stands in a row of the file."""
    before, after = judged
    words = disposition(before.findings), disposition(after.findings)
    tally.dispositions[words] += 1
    _count(tally, CANDIDATE, after, after.findings, claim, _by_rule)
    _count(tally, BASELINE, before, before.findings, claim, _in_all)
    if before is after:
        return
    name = partial(shown_number, claim, row)
    if words[0] != words[1]:
        tally.sample(name, "disposition", *words)
    gained, lost = _difference(after.findings, before.findings), _difference(before.findings, after.findings)
    for side, which, findings in ((GAINED, after, gained), (LOST, before, lost)):
        _count(tally, side, which, findings, claim, _every_way(claim, which.payer))
        for rule in {found.rule.id for found in findings}:
            tally.sample(name, side, rule)


def shown_number(claim: Claim, row: int) -> str:
    """The claim's number where it looks like one, else its row."""
    number = claim.patient_control_number or ""
    return number if _NUMBER.fullmatch(number) and not _is_named(number, claim) else f"row {row}"


def _is_named(number: str, claim: Claim) -> bool:
    """Whether the number holds what identifies a person: a name, a member id, a day of birth."""
    text = number.casefold()
    for person in (claim.subscriber, claim.patient):
        parts = [person.first_name, person.last_name, person.member_id]
        if person.birth_date:
            parts += [f"{person.birth_date:%Y%m%d}", f"{person.birth_date:%m%d%Y}", f"{person.birth_date:%Y-%m-%d}"]
        if any(part and len(part) > 2 and part.casefold() in text for part in parts):
            return True
    return False


def _difference(findings: Sequence[Found], others: Sequence[Found]) -> list[Found]:
    """Findings that the others lack. The same finding: the same rule, severity, lines and related lines."""
    left = Counter(map(_same, others))
    more = []
    for found in findings:
        if left[_same(found)] > 0:
            left[_same(found)] -= 1
        else:
            more.append(found)
    return more


def _same(found: Found) -> tuple[object, ...]:
    return found.rule.id, found.rule.severity, found.lines, found.related


def _in_all(_: Found) -> Iterable[tuple[str, str, None]]:
    return ((ALL, "", None),)


def _by_rule(found: Found) -> Iterable[tuple[str, str, None]]:
    return ((ALL, "", None), (RULE, found.rule.id, None))


def _every_way(claim: Claim, payer: Payer) -> Groups:
    codes = {line.number: line.procedure or NO_CODE for line in claim.lines}
    who = f"{payer.name or 'payer not named'}, {payer.line_of_business}"

    def groups(found: Found) -> Iterable[tuple[str, str, Iterable[int] | None]]:
        yield ALL, "", None
        yield RULE, found.rule.id, None
        yield SEVERITY, found.rule.severity, None
        yield PAYER, who, None
        if not found.lines:
            yield CODE, WHOLE_CLAIM, None
        for code in sorted({codes[number] for number in found.lines}):
            yield CODE, code, [number for number in found.lines if codes[number] == code]

    return groups


def _count(tally: Tally, name: str, side: Side, findings: Iterable[Found], claim: Claim, groups: Groups) -> None:
    counted: dict[tuple[str, str], tuple[list[Found], set[int]]] = {}
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
    tally: Tally, claim: Claim, judged: Judged, outcome: ClaimOutcome, row: int, tested: frozenset[str]
) -> None:
    """Counts what the remittance says of the claim's lines, and of those that findings flag: of all rules, and of the
    rules `tested` by themselves."""
    tally.counts["joined"] += 1
    tally.counts["remit lines of no line"] += outcome.strange
    tally.counts["remit rows repeated"] += outcome.repeated
    tally.counts["whole-claim rows unused"] += outcome.unused
    codes = {line.number: line.procedure or NO_CODE for line in claim.lines}
    flags = _flags(judged.candidate, claim)
    before = flags if judged.baseline is judged.candidate else _flags(judged.baseline, claim)
    name = partial(shown_number, claim, row)
    for number, one in outcome.lines.items():
        tally.counts[f"lines {one.word}"] += 1
        tally.counts["lines with a remittance"] += 1
        _count_side(tally, BASELINE, one, bool(before.get(number)))
        _count_side(tally, CANDIDATE, one, bool(flags.get(number)))
        _count_side(tally, TESTED, one, not tested.isdisjoint(flags.get(number, ())))
        for found in flags.get(number, {}).values():
            _count_flag(tally, found, one, name)
        if one.word == DENIED and number not in flags:
            _count_miss(tally, one, codes[number], name)


def _flags(side: Side, claim: Claim) -> dict[int, dict[str, Found]]:
    """One finding a rule for each line that it flags: its lines, or all of the claim when it names none."""
    flags: dict[int, dict[str, Found]] = {}
    for found in filter(puts_at_risk, side.findings):
        for number in found.lines or range(1, len(claim.lines) + 1):
            flags.setdefault(number, {})[found.rule.id] = found
    return flags


def _count_side(tally: Tally, side: str, outcome: Outcome, flagged: bool) -> None:
    tally.flagged.setdefault(f"{side} {'flagged' if flagged else 'not flagged'}", Flagged()).count(outcome)


def _count_flag(tally: Tally, found: Found, outcome: Outcome, name: Name) -> None:
    reason = found.rule.reason
    predicted = reason is not None and reason.carc.lstrip("0") in outcome.reasons
    tally.flagged.setdefault(f"rule {found.rule.id}", Flagged()).count(outcome, predicted=predicted)
    if outcome.word == NOT_DENIED:
        tally.sample(name, "not denied", found.rule.id)
    elif outcome.word == DENIED:
        tally.sample(name, DENIED, found.rule.id)


def _count_miss(tally: Tally, outcome: Outcome, code: str, name: Name) -> None:
    tally.missed.setdefault((ALL, ""), Missed()).count(outcome.denied)
    tally.missed.setdefault((CODE, code), Missed()).count(outcome.denied)
    for carc, dollars in outcome.reasons.items():
        tally.missed.setdefault(("carc", carc), Missed()).count(dollars)
        tally.sample(name, "missed", carc)
