"""Beside the path, back-test: a run as a document: everything that is needed to judge it, nothing of a patient.

The document is report.json, and report.html is made from it. Dollars are texts with two decimals. Nothing in it depends
on how many processes ran.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from scrubber import __version__
from scrubber.rulebook.book import Rulebook
from scrubber.workshop.backtest.books import active_rules
from scrubber.workshop.backtest.explained import DEFINITIONS, method
from scrubber.workshop.backtest.outcome import DENIED, NOT_DENIED, WORDS
from scrubber.workshop.backtest.run import Run
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

LEAST_CASES = 5  # for a share: of fewer it would say more than is known
MOST_GROUPS = 200  # rows of a table by code
Document = dict[str, Any]


def document(run: Run) -> Document:
    """The report of a run."""
    tally = run.tally
    return {
        "report": "back-test",
        "program": __version__,
        "runOn": run.run_on.isoformat(),
        "inputs": {"claims": _claims(run), "remittances": _remits(run)},
        "rulebooks": {
            "candidate": _book(run.books.candidate),
            "baseline": _book(run.books.baseline) if run.books.baseline else None,
            "tested": list(run.books.tested),
        },
        "reference": [
            {"table": each.table, "release": each.name, "sha256": each.sha256, "starter": each.starter}
            for each in run.releases
        ],
        "totals": {side: _sum(tally.sum(side, ALL, "")) for side in (BASELINE, CANDIDATE, GAINED, LOST)},
        "dispositions": _dispositions(tally),
        "rules": _rules(run),
        "severities": _groups(tally, SEVERITY),
        "payers": _groups(tally, PAYER),
        "codes": _groups(tally, CODE),
        "outcomes": _outcomes(run) if run.remits else None,
        "method": method(
            compared=run.books.baseline is not None, one_reading=run.one_reading, remittances=run.remits is not None
        ),
        "definitions": DEFINITIONS,
    }


def precision(flagged: Flagged) -> Decimal | None:
    """Denied lines of those flagged whose remittance is clear; None for fewer than LEAST_CASES."""
    clear = flagged.denied + flagged.partly + flagged.not_denied
    return Decimal(flagged.denied) / clear if clear >= LEAST_CASES else None


def rule_flags(tally: Tally, rule_id: str) -> Flagged:
    """What remittances say of the lines that a rule flags."""
    return tally.flagged.get(f"rule {rule_id}", Flagged())


def _claims(run: Run) -> Document:
    counts = run.tally.counts
    return {
        "name": run.claims.name,
        "bytes": run.claims.size,
        "sha256": run.claims.sha256,
        "rows": counts["rows"],
        "claims": counts["claims"],
        "noClaims": counts["no claim"],
        "failed": counts["failed"],
        "told": [{"row": row, "problem": problem} for row, problem in run.tally.told],
        "receivedOnDayOfRun": counts["received on the day of the run"],
    }


def _remits(run: Run) -> Document | None:
    if run.remits is None or run.unjoined is None:
        return None
    counts = run.tally.counts
    return {
        "name": run.remits.file.name,
        "bytes": run.remits.file.size,
        "sha256": run.remits.file.sha256,
        "rows": run.remits.rows,
        "claims": run.remits.claims,
        "badRows": run.remits.bad,
        "told": [{"row": bad.row, "problem": bad.message} for bad in run.remits.told],
        "joinedClaims": counts["joined"],
        "claimsWithoutRemittance": counts["claims without a remittance"],
        "claimsWithoutNumber": counts["claims without a number"],
        "claimsOfRepeatedNumber": run.unjoined.repeated,
        "remittancesWithoutClaim": run.unjoined.remits_without_claim,
        "linesWithoutClaimLine": counts["remit lines of no line"],
        "repeatedRows": counts["remit rows repeated"],
        "wholeClaimRowsUnused": counts["whole-claim rows unused"],
    }


def _book(book: Rulebook) -> Document:
    return {"digest": book.digest, "activeRules": len(book.active)}


def _dollars(amount: Decimal, known: int = 1, unknown: int = 0) -> str | None:
    """Dollars as text; None where there are amounts, and none of them is known."""
    return None if unknown and not known else f"{amount:.2f}"


def _sum(total: Sum) -> Document:
    return {
        "findings": total.findings,
        "claims": total.claims,
        "atRisk": _dollars(total.dollars, total.known, total.unknown),
        "unknownLines": total.unknown,
        "charged": f"{total.charged:.2f}",
        "linesWithoutCharge": total.uncharged,
    }


def _dispositions(tally: Tally) -> list[Document]:
    ranked = sorted(tally.dispositions.items(), key=lambda each: (each[0][0] == each[0][1], -each[1], each[0]))
    return [
        {
            "baseline": before,
            "candidate": after,
            "claims": claims,
            "samples": tally.samples.get(("disposition", before, after), []),
        }
        for (before, after), claims in ranked
    ]


def _rules(run: Run) -> list[Document]:
    tally = run.tally
    found = {name for side, by, name in tally.sums if by == RULE}
    rules = [_rule(run, name) for name in sorted(found.union(run.books.tested))]
    return sorted(rules, key=lambda rule: (not rule["tested"], -_change(rule), -_known(rule["all"])))


def _change(group: Document) -> Decimal:
    return _known(group["gained"]) + _known(group["lost"])


def _known(total: Document) -> Decimal:
    return Decimal(total["atRisk"] or 0)


def _rule(run: Run, name: str) -> Document:
    tally = run.tally
    before, after = active_rules(run.books.baseline).get(name), active_rules(run.books.candidate).get(name)
    rule = after or before
    assert rule is not None  # noqa: S101  a finding has a rule, and what is tested is active
    return {
        "id": name,
        "title": rule.title,
        "stage": rule.stage,
        "tested": name in run.books.tested,
        "severity": {"baseline": before and before.severity, "candidate": after and after.severity},
        "all": _sum(tally.sum(CANDIDATE, RULE, name)),
        **{
            side: _sum(tally.sum(side, RULE, name)) | {"samples": tally.samples.get((side, name), [])}
            for side in (GAINED, LOST)
        },
        "outcomes": _rule_outcomes(tally, name, rule.reason.carc if rule.reason else None) if run.remits else None,
    }


def _rule_outcomes(tally: Tally, name: str, carc: str | None) -> Document:
    flagged = rule_flags(tally, name)
    return {
        **_flagged(flagged),
        "predictedReason": carc,
        "deniedForPredictedReason": flagged.predicted if carc else None,
        "deniedSamples": tally.samples.get((DENIED, name), []),
        "notDeniedSamples": tally.samples.get((NOT_DENIED, name), []),
    }


def _flagged(flagged: Flagged) -> Document:
    share = precision(flagged)
    return {
        "lines": flagged.denied + flagged.partly + flagged.not_denied,
        "denied": flagged.denied,
        "partlyDenied": flagged.partly,
        "notDenied": flagged.not_denied,
        "unclear": flagged.unclear,
        "precision": None if share is None else f"{share:.4f}",
        "deniedDollars": _dollars(
            flagged.denied_dollars, flagged.denied + flagged.partly - flagged.unstated, flagged.unstated
        ),
        "deniedWithoutAmount": flagged.unstated,
        "paidDollars": _dollars(flagged.paid_dollars),
    }


def _groups(tally: Tally, by: str) -> list[Document]:
    names = {name for side, grouped, name in tally.sums if grouped == by and side in (GAINED, LOST)}
    groups = [
        {"name": name, **{side: _sum(tally.sum(side, by, name)) for side in (GAINED, LOST)}} for name in sorted(names)
    ]
    ranked = sorted(groups, key=lambda group: (-_change(group), -_findings(group)))
    return ranked[:MOST_GROUPS]


def _findings(group: Document) -> int:
    return int(group["gained"]["findings"]) + int(group["lost"]["findings"])


def _outcomes(run: Run) -> Document:
    tally = run.tally
    return {
        "lines": {word: tally.counts[f"lines {word}"] for word in WORDS},
        BASELINE: _side(tally, BASELINE) if run.books.baseline else None,
        CANDIDATE: _side(tally, CANDIDATE),
        TESTED: _side(tally, TESTED),
        "missed": _missed(tally.missed.get((ALL, ""), Missed())),
        "missedByReason": _missed_by(tally, "carc", "missed"),
        "missedByCode": _missed_by(tally, CODE),
    }


def _side(tally: Tally, side: str) -> Document:
    return {
        "flagged": _flagged(tally.flagged.get(f"{side} flagged", Flagged())),
        "notFlagged": _flagged(tally.flagged.get(f"{side} not flagged", Flagged())),
    }


def _missed(missed: Missed) -> Document:
    dollars = _dollars(missed.dollars, missed.lines - missed.unstated, missed.unstated)
    return {"lines": missed.lines, "deniedDollars": dollars, "withoutAmount": missed.unstated}


def _missed_by(tally: Tally, by: str, *sampled: str) -> list[Document]:
    found: Iterable[tuple[str, Missed]] = (
        (name, each) for (grouped, name), each in tally.missed.items() if grouped == by
    )
    ranked = sorted(found, key=lambda pair: (-pair[1].dollars, -pair[1].lines, pair[0]))
    return [
        {"name": name, **_missed(each), "samples": tally.samples.get((*sampled, name), []) if sampled else []}
        for name, each in ranked[:MOST_GROUPS]
    ]
