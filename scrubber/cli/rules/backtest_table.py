"""Beside the path, `scrubber rules backtest`: its report as a summary of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from scrubber.cli.columns import columns

WIDTH = 80
MOST_RULES = 20
LONGEST_ID = 34

Report = Mapping[str, Any]


def render(report: Report) -> str:
    """What came of it, for a terminal."""
    sections = (_inputs(report), _totals(report), _rules(report), _outcomes(report))
    return "\n\n".join(text for text in ("\n".join(section) for section in sections) if text)


def _inputs(report: Report) -> Iterator[str]:
    claims, remits = report["inputs"]["claims"], report["inputs"]["remittances"]
    yield f"{claims['claims']:,} claims in {claims['rows']:,} rows of {claims['name']}"
    for trouble, told in (("noClaims", "rows are no claims"), ("failed", "rows made the program fail")):
        if claims[trouble]:
            yield f"{claims[trouble]:,} {told}:"
    yield from (f"  row {each['row']}: {each['problem']}" for each in claims["told"])
    if remits:
        yield f"{remits['joinedClaims']:,} of them have a remittance in {remits['name']}"
        yield from _loose(remits)


def _loose(remits: Report) -> Iterator[str]:
    """What of the remittances could not be used."""
    told = (
        ("claimsOfRepeatedNumber", "claims bear the number of an earlier one, which got its remittance"),
        ("claimsWithoutNumber", "claims have no number"),
        ("remittancesWithoutClaim", "claim numbers of remittances are on no claim"),
        ("linesWithoutClaimLine", "remittance lines are not on their claim"),
        ("repeatedRows", "remittance rows are said twice, and count once"),
        ("wholeClaimRowsUnused", "adjustments of whole claims say nothing sure of a line"),
        ("badRows", "remittance rows cannot be used:"),
    )
    yield from (f"  {remits[key]:,} {words}" for key, words in told if remits[key])
    yield from (f"    row {each['row']}: {each['problem']}" for each in remits["told"])


def _totals(report: Report) -> Iterator[str]:
    if report["rulebooks"]["baseline"] is None:
        yield f"Findings: {_sum(report['totals']['candidate'])}"
        yield from _charged(report["totals"]["candidate"])
        return
    for side in ("gained", "lost"):
        yield f"Findings {side + ':':<8}{_sum(report['totals'][side])}"
        yield from _charged(report["totals"][side])
    for each in report["dispositions"]:
        if each["baseline"] != each["candidate"]:
            yield f"{each['baseline']} -> {each['candidate']}: {each['claims']:,} claims"


def _charged(total: Report) -> Iterator[str]:
    """What is known of lines whose prices are not: what was charged for them."""
    if total["unknownLines"]:
        yield f"{'':17}{_dollars(total['charged'])} were charged for the lines at risk"


def _sum(total: Report) -> str:
    return f"{total['findings']:,} on {total['claims']:,} claims, {_at_risk(total)} at risk"


def _at_risk(total: Report) -> str:
    unknown = f"{total['unknownLines']:,} lines unknown"
    if total["atRisk"] is None:
        return unknown
    return _dollars(total["atRisk"]) + (f" + {unknown}" if total["unknownLines"] else "")


def _dollars(amount: str | None) -> str:
    return "unknown dollars" if amount is None else f"${Decimal(amount):,.2f}"


def _rules(report: Report) -> Iterator[str]:
    compared = report["rulebooks"]["baseline"] is not None
    shown = [rule for rule in report["rules"] if rule["tested"] or _changes(rule)]
    header = ["rule", "gained", "lost", "at risk"] if compared else ["rule", "findings", "at risk"]
    outcomes = ["denied of", "precision"] if report["outcomes"] else []
    rows = [[_short(rule["id"]), *_figures(rule, compared), *_precision(rule)] for rule in shown[:MOST_RULES]]
    if rows:
        yield from columns(header + outcomes, rows, right=frozenset((*header, *outcomes)) - {"rule"})
    if len(shown) > MOST_RULES:
        yield f"and {len(shown) - MOST_RULES} more rules: --report writes all of them"


def _changes(rule: Report) -> bool:
    return bool(rule["gained"]["findings"] or rule["lost"]["findings"])


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 1]}…"


def _figures(rule: Report, compared: bool) -> Sequence[object]:
    if not compared:
        return rule["all"]["findings"], _short_risk(rule["all"])
    side = rule["gained"] if rule["gained"]["findings"] else rule["lost"]
    return rule["gained"]["findings"], rule["lost"]["findings"], _short_risk(side)


def _short_risk(total: Report) -> str:
    """The `+` says that more is at risk, whose amount is not known."""
    if total["atRisk"] is None:
        return "unknown"
    return f"{Decimal(total['atRisk']):,.2f}{'+' if total['unknownLines'] else ''}"


def _precision(rule: Report) -> Sequence[object]:
    outcomes = rule["outcomes"]
    if outcomes is None:
        return ()
    share = f"{100 * float(outcomes['precision']):.1f} %" if outcomes["precision"] else "-"
    return f"{outcomes['denied']:,}/{outcomes['lines']:,}", share


def _outcomes(report: Report) -> Iterator[str]:
    outcomes = report["outcomes"]
    if outcomes is None:
        return
    flagged, missed = outcomes["tested"]["flagged"], outcomes["missed"]
    lines = outcomes["lines"]
    yield f"Lines denied: {lines['denied']:,}, in part {lines['partly denied']:,}, not {lines['not denied']:,}"
    tested = len(report["rulebooks"]["tested"])
    yield f"Flagged by the {tested:,} {'rule' if tested == 1 else 'rules'} tested:"
    yield f"           {flagged['denied']:,} of {flagged['lines']:,} were denied, {_dollars(flagged['deniedDollars'])}"
    yield f"           {_dollars(flagged['paidDollars'])} were paid on flagged lines"
    yield f"Missed:    {missed['lines']:,} denied lines that no rule flags, {_dollars(missed['deniedDollars'])}"
    for each in outcomes["missedByReason"][:5]:
        yield f"           CARC {each['name']}: {each['lines']:,} lines, {_dollars(each['deniedDollars'])}"
