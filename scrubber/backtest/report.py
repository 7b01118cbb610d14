"""Builds the report of a back-test: its figures, its method and the definitions of its terms.

The document is report.json, and report.html is rendered from it. Dollars are texts with two decimals. Nothing in it
depends on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from scrubber import __version__
from scrubber.backtest.denials import DENIED, NOT_DENIED, PATIENT_SHARE, PRICING, STATUSES
from scrubber.backtest.rulebooks import active_rules
from scrubber.backtest.run import BackTestRun
from scrubber.backtest.tally import (
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
from scrubber.rulebook.backtest_record import BackTestRecord, record_path, write_record
from scrubber.rulebook.rule import semantic_hash
from scrubber.rulebook.rulebook import Rulebook


def _comma_separated(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes, key=int))


DEFINITIONS: Mapping[str, str] = {
    "Finding": "A rule of status active that fired. The same finding under both rulebooks: the same rule, severity, "
    "lines and related lines. Another message or fix is no other finding.",
    "Gained, lost": "Findings that only the candidate has, and that only the baseline has.",
    "At risk": "What the lines of warn and deny findings may lose: what their payer's schedule allows, or the charge "
    "where the patient would bear it. In a row of a table a line counts once a claim; rows overlap where findings "
    "share lines. A line whose amount is not known counts as unknown, never as 0.",
    "Charged": "What the claims charge for those lines: known where a payer's prices are not. It is no loss by itself.",
    "Denied line": "Nothing was paid, nothing was left to the patient as a share, and the adjustments make up the "
    "charge to the cent, at least one of them a denial by group CO, PR, OA or PI. Where no amounts are stated, every "
    "reason must be a denial. An adjustment of the whole claim counts where it denies all of it, for every line.",
    "No denial": f"Reasons {_comma_separated(PATIENT_SHARE)} leave the patient a share of what is covered; reasons "
    f"{_comma_separated(PRICING)} say how a price came about, such as the write-off to the fee schedule (45).",
    "Partly denied line": "Something was denied, and something else paid or left to the patient as a share. It is told "
    "apart, and is not counted as denied.",
    "Unclear line": "Its rows contradict each other, do not add up to the charge, state no payment, or take one back. "
    "It counts for nothing else.",
    "Flagged line": "A warn or deny finding that puts dollars at risk stands on it, or on the whole claim.",
    "Flagged by the tested": "Lines that a tested rule flags, whatever the other rules say of them.",
    "Precision": "Denied lines of all flagged lines whose remittance is clear. No share is told of fewer than 5 lines. "
    "Rules of stage postPayment find what is taken back later: a remittance cannot show that they are right.",
    "Missed line": "Denied, and no finding of the candidate flags it. A line with several reasons stands under each, "
    "with what each took.",
    "Denied dollars": "What the remittances say was denied, at the billed charge.",
    "Paid dollars": "What was paid on flagged lines: the price of a false alarm if each had been held back.",
}


def method(*, compared: bool, shared_facts: bool, remittances: bool) -> list[str]:
    """The method of a run, in sentences."""
    sentences = ["Every claim of the file was judged by its dates of service, with the reference releases listed here."]
    if compared and shared_facts:
        sentences.append("Both rulebooks have the same tables, so both judged the same facts of each claim.")
    elif compared:
        sentences.append(
            "The rulebooks differ in tables or in the pairs they name, so each claim was judged twice in full."
        )
    else:
        sentences.append("The candidate was judged alone: there is nothing that it was compared with.")
    sentences.append(
        "A claim that does not say when it was received counts as received on the day of the run, which decides only "
        "dates in the future and filing limits."
    )
    if remittances:
        sentences.append(
            "A claim and its remittance were brought together by the claim's number, lines by their control number, "
            "else by their position. Of several claims of one number the first in the file got the remittance."
        )
    sentences.append(
        "The figures do not depend on the number of processes. Claims are named by number, and by nothing else."
    )
    return sentences


SHARE_UNIT = Decimal("0.0001")


def records(run: BackTestRun) -> Iterator[BackTestRecord]:
    """The figures of each tested rule. Its precision is None without remittances, or with too few of them."""
    for name in run.rulebooks.tested:
        rule = run.rulebooks.candidate.rules[name]
        found = run.tally.sum(CANDIDATE, RULE, name)
        share = precision(rule_flags(run.tally, name))
        yield BackTestRecord(
            name,
            semantic_hash(rule),
            run.tally.counts["claims"],
            found.findings,
            found.dollars if found.known or not found.unknown else None,
            None if share is None else share.quantize(SHARE_UNIT, ROUND_DOWN),
            run.run_on,
            run.rulebooks.candidate.digest,
        )


def write_records(run: BackTestRun, folder: Path) -> list[Path]:
    """Writes the records into the folder of rules that the candidate was loaded from; the paths written."""
    paths = []
    for record in records(run):
        path = record_path(run.rulebooks.candidate.rules[record.rule], folder)
        write_record(record, path)
        paths.append(path)
    return paths


LEAST_CASES = 5  # for a share: of fewer it would claim more than is known
MOST_GROUPS = 200  # rows of a table by code
Document = dict[str, Any]


def document(run: BackTestRun) -> Document:
    """The report of a run."""
    tally = run.tally
    return {
        "report": "back-test",
        "program": __version__,
        "runOn": run.run_on.isoformat(),
        "inputs": {"claims": _claims(run), "remittances": _remits(run)},
        "rulebooks": {
            "candidate": _rulebook(run.rulebooks.candidate),
            "baseline": _rulebook(run.rulebooks.baseline) if run.rulebooks.baseline else None,
            "tested": list(run.rulebooks.tested),
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
            compared=run.rulebooks.baseline is not None,
            shared_facts=run.shared_facts,
            remittances=run.remits is not None,
        ),
        "definitions": DEFINITIONS,
    }


def precision(flagged: Flagged) -> Decimal | None:
    """Denied lines of those flagged whose remittance is clear; None for fewer than LEAST_CASES."""
    clear = flagged.denied + flagged.partly + flagged.not_denied
    return Decimal(flagged.denied) / clear if clear >= LEAST_CASES else None


def rule_flags(tally: Tally, rule_id: str) -> Flagged:
    """The outcomes of the lines that a rule flags."""
    return tally.flagged.get(f"rule {rule_id}", Flagged())


def _claims(run: BackTestRun) -> Document:
    counts = run.tally.counts
    return {
        "name": run.claims.name,
        "bytes": run.claims.size,
        "sha256": run.claims.sha256,
        "rows": counts["rows"],
        "claims": counts["claims"],
        "noClaims": counts["no claim"],
        "failed": counts["failed"],
        "told": [{"row": row, "problem": problem} for row, problem in run.tally.reported],
        "receivedOnDayOfRun": counts["received on the day of the run"],
    }


def _remits(run: BackTestRun) -> Document | None:
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
        "told": [{"row": bad.row, "problem": bad.message} for bad in run.remits.reported],
        "joinedClaims": counts["joined"],
        "claimsWithoutRemittance": counts["claims without a remittance"],
        "claimsWithoutNumber": counts["claims without a number"],
        "claimsOfRepeatedNumber": run.unjoined.repeated,
        "remittancesWithoutClaim": run.unjoined.remits_without_claim,
        "linesWithoutClaimLine": counts["remit lines of no line"],
        "repeatedRows": counts["remit rows repeated"],
        "wholeClaimRowsUnused": counts["whole-claim rows unused"],
    }


def _rulebook(rulebook: Rulebook) -> Document:
    return {"digest": rulebook.digest, "activeRules": len(rulebook.active)}


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


def _rules(run: BackTestRun) -> list[Document]:
    tally = run.tally
    found = {name for side, by, name in tally.sums if by == RULE}
    rules = [_rule(run, name) for name in sorted(found.union(run.rulebooks.tested))]
    return sorted(rules, key=lambda rule: (not rule["tested"], -_change(rule), -_known(rule["all"])))


def _change(group: Document) -> Decimal:
    return _known(group["gained"]) + _known(group["lost"])


def _known(total: Document) -> Decimal:
    return Decimal(total["atRisk"] or 0)


def _rule(run: BackTestRun, name: str) -> Document:
    tally = run.tally
    before, after = active_rules(run.rulebooks.baseline).get(name), active_rules(run.rulebooks.candidate).get(name)
    rule = after or before
    assert rule is not None  # noqa: S101  a finding has a rule, and what is tested is active
    return {
        "id": name,
        "title": rule.title,
        "stage": rule.stage,
        "tested": name in run.rulebooks.tested,
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


def _outcomes(run: BackTestRun) -> Document:
    tally = run.tally
    return {
        "lines": {word: tally.counts[f"lines {word}"] for word in STATUSES},
        BASELINE: _side(tally, BASELINE) if run.rulebooks.baseline else None,
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
