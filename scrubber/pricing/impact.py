"""Computes the dollars at risk of each finding and of the claim, and who bears the loss.

Each line has one bearer of its loss: bundling, units, providers, documentation and all else fall on the provider; only
coverage and frequency move to the patient, and only where the line has no other finding. The provider
loses what the line is allowed, the patient owes what it was billed at; where neither is settled, nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from scrubber.findings import ClaimImpact, Finding, Fired, Impact
from scrubber.pricing.amounts import NOTHING, UNKNOWN, LinePrice

PROVIDER, PATIENT, UNSETTLED = "provider", "patient", "unsettled"
MOVABLE = frozenset(("coverage", "frequency"))
MOST_LINES_IN_STEPS = 20  # of one finding; a claim has up to 1,000
_RANK = {reason: rank for rank, reason in enumerate(UNKNOWN)}

Prices = Mapping[int, LinePrice]
AMOUNT_NOT_KNOWN = "amount-not-known"
AMOUNT = "amount"  # dollars at risk that a rule names
Amounts = Mapping[int, Decimal | None]  # by line
Bearers = Mapping[int, str]  # who bears each line that some finding puts at risk: provider, patient or unsettled


def add_impacts(
    findings: Collection[Finding], prices: Prices, liabilities: Bearers
) -> tuple[tuple[Finding, ...], ClaimImpact]:
    """The findings with their dollars, in the same order, and the dollars of the claim.

    `liabilities` has the bearer of a denial of coverage or frequency, by line number; any other line is the provider's.
    Each line counts once in the claim, whatever the number of its findings.
    """
    bearers = _bearers(findings, prices, liabilities)
    impacts: dict[tuple[tuple[int, ...], bool], Impact] = {}
    priced = []
    for finding in findings:
        key = lines_at_risk(finding, prices), puts_at_risk(finding)
        if key not in impacts:
            impacts[key] = _impact(*key, prices, bearers)
        impact = impacts[key] if finding.rule.at_risk != AMOUNT else _of_amount(impacts[key], finding)
        priced.append(Finding(*finding[:-1], impact))
    return tuple(priced), _claim_impact(prices, bearers, _amounts(findings))


def add_unpriced_impacts(findings: Iterable[Finding], total: Decimal | None) -> tuple[tuple[Finding, ...], ClaimImpact]:
    """The findings of a claim of too many lines, none of which is priced; `total` is what it bills."""
    why = "too-many-lines"
    own = Impact(total, None, None, PROVIDER, None, (), why)
    by_liability = {PROVIDER: None, PATIENT: NOTHING}
    return (
        tuple([finding._replace(impact=own) for finding in findings]),
        ClaimImpact(total, None, None, by_liability, (), None, (), why),
    )


def exposures(findings: Collection[Fired], prices: Prices, liabilities: Bearers) -> Mapping[int, Decimal | None]:
    """What each line may lose that some finding puts at risk, as `add_impacts` counts it; None = not known."""
    return _exposures(prices, _bearers(findings, prices, liabilities), _amounts(findings))


def _exposures(prices: Prices, bearers: Bearers, amounts: Amounts) -> Mapping[int, Decimal | None]:
    return {number: amounts[number] if number in amounts else _exposed(number, prices, bearers) for number in bearers}


def _amounts(findings: Iterable[Fired]) -> Amounts:
    """The greatest amount of each line that only findings whose rules name the dollars put at risk."""
    amounts: dict[int, Decimal | None] = {}
    whole: set[int] = set()
    every = False
    for finding in filter(puts_at_risk, findings):
        if finding.rule.at_risk != AMOUNT:
            whole.update(finding.lines)
            every = every or not finding.lines or finding.rule.at_risk == "claim-allowed"
        elif finding.lines:
            number = finding.lines[0]
            before = amounts.get(number, NOTHING)
            known = before is not None and finding.amount is not None
            amounts[number] = max(before, finding.amount) if known else None  # type: ignore[type-var]
    return {} if every else {number: amount for number, amount in amounts.items() if number not in whole}


def _of_amount(impact: Impact, finding: Finding) -> Impact:
    """The impact of a finding whose rule names the dollars at risk."""
    if not puts_at_risk(finding):
        return impact
    amount, names = finding.amount, finding.rule.by_row
    if amount is None:
        return impact._replace(at_risk=None, unknown=AMOUNT_NOT_KNOWN)
    name = names.at_risk.name if names is not None and names.at_risk is not None else AMOUNT
    steps = (*impact.steps, f"at risk is what the rule names ({name}): {amount:.2f}")
    unknown = impact.unknown if None in (impact.billed, impact.allowed) else None
    return impact._replace(at_risk=amount, steps=steps, unknown=unknown)


def puts_at_risk(finding: Fired) -> bool:
    """Whether a finding costs anything when it comes true."""
    return finding.rule.at_risk != "nothing" and finding.severity != "info"


def lines_at_risk(finding: Fired, lines: Iterable[int]) -> tuple[int, ...]:
    """The lines that a finding's dollars count: its own, or all `lines` of the claim."""
    if not finding.lines or finding.rule.at_risk == "claim-allowed":
        return tuple(lines)
    return finding.lines if finding.rule.at_risk != AMOUNT else finding.lines[:1]


def _bearers(findings: Iterable[Fired], prices: Prices, liabilities: Bearers) -> Bearers:
    bearers: dict[int, str] = {}
    for finding in filter(puts_at_risk, findings):
        movable = finding.rule.category in MOVABLE
        for number in lines_at_risk(finding, prices):
            if not movable:
                bearers[number] = PROVIDER
            elif number not in bearers:
                bearers[number] = liabilities.get(number, PROVIDER)
    return bearers


def _exposed(number: int, prices: Prices, bearers: Bearers) -> Decimal | None:
    """What the bearer loses. Behind another payer what is left of an amount is not known, whoever bears it."""
    price, bearer = prices[number], bearers[number]
    if bearer == UNSETTLED:
        return None
    if price.secondary:
        return NOTHING if bearer == PROVIDER and price.allowed == NOTHING else None
    return price.allowed if bearer == PROVIDER else price.billed


def _impact(lines: tuple[int, ...], risky: bool, prices: Prices, bearers: Bearers) -> Impact:
    billed, allowed, bases = _sums([prices[number] for number in lines])
    at_risk = _total([_exposed(number, prices, bearers) for number in lines]) if risky else NOTHING
    return Impact(
        billed,
        allowed,
        at_risk,
        _liability(lines, bearers) if risky and lines else None,
        "; ".join(sorted(bases)) or None,
        _steps(lines, risky, prices, bearers),
        _reason(lines, prices, bearers if risky else {}) if None in (billed, allowed, at_risk) else None,
    )


def _sums(prices: Iterable[LinePrice]) -> tuple[Decimal | None, Decimal | None, set[str]]:
    """Billed and allowed in all, each None as soon as one is not known, and every basis; in one walk."""
    billed: Decimal | None = NOTHING
    allowed: Decimal | None = NOTHING
    bases: set[str] = set()
    for price in prices:
        billed = None if billed is None or price.billed is None else billed + price.billed
        allowed = None if allowed is None or price.allowed is None else allowed + price.allowed
        if price.basis:
            bases.add(price.basis)
    return billed, allowed, bases


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one amount is not known."""
    total = NOTHING
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _known_total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of the amounts that are known; None when none is."""
    total = None
    for amount in amounts:
        if amount is not None:
            total = amount if total is None else total + amount
    return total


def _liability(lines: tuple[int, ...], bearers: Bearers) -> str | None:
    """None where it is not settled for any line, and none is the provider's."""
    found = {bearers[number] for number in lines}
    if PROVIDER in found:
        return PROVIDER
    return None if UNSETTLED in found else PATIENT


def _basis(prices: Iterable[LinePrice]) -> str | None:
    bases = {price.basis for price in prices if price.basis}
    return "; ".join(sorted(bases)) or None


def _steps(lines: tuple[int, ...], risky: bool, prices: Prices, bearers: Bearers) -> tuple[str, ...]:
    steps: list[str] = []
    for number in lines[:MOST_LINES_IN_STEPS]:
        own = prices[number].steps
        if risky and bearers[number] == PATIENT and prices[number].billed is not None:
            own = (*own, f"the patient owes the charge: {prices[number].billed}")
        if risky and len(lines) == 1:
            own = (*own, *_without(number, prices))
        steps += own if len(lines) == 1 else [f"line {number}: {step}" for step in own]
    if len(lines) > MOST_LINES_IN_STEPS:
        steps.append(
            f"and {len(lines) - MOST_LINES_IN_STEPS} more lines; each line's steps stand at the claim's impact"
        )
    return tuple(steps)


def _without(number: int, prices: Prices) -> Iterable[str]:
    """What other lines are allowed where this one falls: less is lost then than it is allowed."""
    for other, amount in prices[number].without_it:
        if other in prices and amount is not None:
            yield f"without it line {other} is allowed {amount} instead of {_amount_or_none(prices[other].allowed)}"


def _amount_or_none(amount: Decimal | None) -> str:
    return "an amount that is not known" if amount is None else f"{amount}"


def _reason(lines: Iterable[int], prices: Prices, bearers: Bearers) -> str | None:
    """Why an amount of these lines is not known; of several reasons the first of UNKNOWN, whatever the lines' order."""
    reasons = set()
    for number in lines:
        price = prices[number]
        if price.unknown:
            reasons.add(price.unknown)
        if price.billed is None:
            reasons.add("no-charge")
        if bearers.get(number) == UNSETTLED:
            reasons.add("liability-unsettled")
        if price.secondary and number in bearers and _exposed(number, prices, bearers) is None:
            reasons.add("secondary-payer")
    return min(reasons, key=_RANK.__getitem__, default=None)


def _claim_impact(prices: Prices, bearers: Bearers, amounts: Amounts) -> ClaimImpact:
    rows = prices.values()
    billed = _total([price.billed for price in rows])
    allowed = _known_total([price.allowed for price in rows])
    exposed = _exposures(prices, bearers, amounts)
    at_risk = _known_total(exposed.values()) if exposed else NOTHING
    return ClaimImpact(
        billed,
        allowed,
        at_risk,
        _by_liability(exposed, bearers),
        tuple([number for number, price in prices.items() if price.allowed is None]),
        _basis([price for price in rows if price.allowed is not None]),
        tuple([_line_step(number, price) for number, price in prices.items()]),
        _claim_reason(billed, allowed, at_risk, prices, bearers),
        exposed,
    )


def _by_liability(exposed: Mapping[int, Decimal | None], bearers: Bearers) -> dict[str, Decimal | None]:
    """What each bears: nothing where no line of theirs is at risk; None where none of theirs has a known amount, or
    none is theirs for certain and one may be.
    """
    return {who: _share(who, exposed, bearers) for who in (PROVIDER, PATIENT)}


def _share(who: str, exposed: Mapping[int, Decimal | None], bearers: Bearers) -> Decimal | None:
    amounts = [amount for number, amount in exposed.items() if bearers[number] == who]
    if not amounts and UNSETTLED in bearers.values():
        return None  # it may be theirs
    return _known_total(amounts) if amounts else NOTHING


def _line_step(number: int, price: LinePrice) -> str:
    if price.unknown is not None:
        return f"line {number}: no amount ({price.unknown}): {UNKNOWN[price.unknown]}"
    return f"line {number}: {'; '.join(price.steps)}"


def _claim_reason(
    billed: Decimal | None, allowed: Decimal | None, at_risk: Decimal | None, prices: Prices, bearers: Bearers
) -> str | None:
    if at_risk is None:
        return _reason(bearers, prices, bearers) or AMOUNT_NOT_KNOWN
    if allowed is None:
        return _reason(prices, prices, {})
    return "no-charge" if billed is None else None
