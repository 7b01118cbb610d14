"""Makes the facts of the claim as a whole, and of tables that do not reach its dates of service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.code_values import ICD9_QUALIFIERS, OTHER_DIAGNOSIS, PRINCIPAL_DIAGNOSIS
from scrubber.claim.model import Claim
from scrubber.facts.asked import add_elements, asked_fields
from scrubber.facts.documentation import Documents
from scrubber.facts.fact import CARRIED, PAST_LAST, Fact, LookUps
from scrubber.facts.medicaid import loaded_as
from scrubber.facts.on_request import add_claim_fields
from scrubber.facts.pair import edits_apply
from scrubber.facts.payer import plan_conflict
from scrubber.facts.service_lines import LineView, cents, payer_fields
from scrubber.reference import Reference
from scrubber.reference.releases import TableStatus
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

NOTHING = Decimal(0)


def claim_fact(
    claim: Claim, payer: Payer, day: date, documents: Documents, rulebook: Rulebook, received_on: date
) -> Fact:
    """The one fact of the claim."""
    codes = [diagnosis.code for diagnosis in claim.diagnoses if diagnosis.code]
    values: dict[str, Any] = {
        **payer_fields(payer),
        "day": day.toordinal(),
        "originalClaimNumber": claim.original_claim_number is not None,
        "lineCount": len(claim.lines),
        "diagnosisCount": len(claim.diagnoses),
        "repeatedDiagnosis": len(set(codes)) < len(codes),
        "diagnosesOutOfOrder": _are_out_of_order([diagnosis.qualifier for diagnosis in claim.diagnoses]),
        "contextConflict": bool(documents.conflicts),
    }
    if claim.total is not None:
        values["total"] = cents(claim.total)
    charges = [line.charge for line in claim.lines if line.charge is not None]
    if len(charges) == len(claim.lines):
        values["linesTotal"] = cents(sum(charges, NOTHING))
    if claim.filing_indicator:
        values["filingIndicator"] = claim.filing_indicator
    if claim.frequency:
        values["frequency"] = claim.frequency
    asked = asked_fields(rulebook).of("claim", "", payer, day)
    add_elements(values, asked.elements, claim)
    add_claim_fields(values, asked.fields, claim, day, received_on)
    if claim.context.plan:
        _add_plan(values, claim.context.plan, claim, day, rulebook)
    return Fact("claim", values, message_words={"conflict-lines": ", ".join(map(str, sorted(documents.conflicts)))})


def _are_out_of_order(qualifiers: Sequence[str | None]) -> bool:
    """Whether ICD-10 qualifiers are not one principal and others behind it; of ICD-9 ones another rule speaks."""
    wanted = [PRINCIPAL_DIAGNOSIS, *[OTHER_DIAGNOSIS] * (len(qualifiers) - 1)] if qualifiers else []
    return qualifiers != wanted and ICD9_QUALIFIERS.isdisjoint(qualifiers)


def _add_plan(values: dict[str, Any], plan: str, claim: Claim, day: date, rulebook: Rulebook) -> None:
    values["statedPlan"] = plan
    conflict = plan_conflict(claim, day, rulebook)
    if conflict is not None:
        values["planConflict"] = conflict


TABLES = ("ncci-ptp", "ncci-mue", "mpfs", "icd10cm")
REMEMBERED = 4_096  # payers and spans of days that a process remembers


STALE = "stale"
TABLE_LOOK_UPS: LookUps = dict.fromkeys(("tables", "standing"), (("table_status", "tables"),))


class Unreached(NamedTuple):
    """Tables that one day lies outside of, in one way: what the fact of it holds."""

    day: date
    values: Mapping[str, Any]
    message_words: Mapping[str, str]
    evidence: Mapping[str, str | int | bool | tuple[str, ...]]


def table_facts(
    payer: Payer, views: Sequence[LineView], rulebook: Rulebook, reference: Reference, stale_after: int | None
) -> Iterator[Fact]:
    """One fact for each way in which tables that were asked do not reach the claim's dates of service.

    A loaded table is stale so many days past the end of its last release, None: never. Typed tables never are.
    """
    days = {day for view in views for day in (view.first, view.last) if day}
    if not days:
        return
    for found in _unreached(min(days), max(days), payer, rulebook, reference, stale_after):
        lines = tuple([view.number for view in views if found.day in (view.first, view.last)])
        yield Fact("table", dict(found.values), lines, message_words=found.message_words, evidence=found.evidence)


@remembered(REMEMBERED)
def _unreached(
    first: date, last: date, payer: Payer, rulebook: Rulebook, reference: Reference, stale_after: int | None
) -> tuple[Unreached, ...]:
    """The latest day counts before the earliest: the further a table is behind, the less it says.

    What ended is told once, by the latest of its days.
    """
    found: dict[tuple[str, date], list[tuple[str, str]]] = {}
    for table in _asked(payer, first, rulebook):
        for day in (last, first):
            standing = reference.table_status(table, day)
            if standing.state != "in-force":
                release = standing.release.name if standing.release else "none"
                found.setdefault((_word(standing, day, stale_after), day), []).append((table, release))
                break
    for words in (CARRIED, (STALE,)):
        _join(found, words)
    return tuple(_unreached_on(day, word, tables, payer) for (word, day), tables in found.items())


def _join(found: dict[tuple[str, date], list[tuple[str, str]]], words: tuple[str, ...]) -> None:
    """One entry of those with any of the words, under the last of the words that one of them has."""
    ended = [key for key in found if key[0] in words]
    if len(ended) > 1:
        key = max((word for word, _ in ended), key=words.index), max(day for _, day in ended)
        found[key] = [table for each in ended for table in found.pop(each)]


def _word(standing: TableStatus, day: date, stale_after: int | None) -> str:
    until = standing.release.until if standing.release else None
    if standing.state != PAST_LAST or until is None or stale_after is None:
        return standing.state
    return STALE if (day - until).days + 1 > stale_after else PAST_LAST


def _unreached_on(day: date, word: str, nearest: Sequence[tuple[str, str]], payer: Payer) -> Unreached:
    """`nearest` are the tables, each with its nearest release."""
    tables = tuple(table for table, _ in nearest)
    releases = ", ".join(f"{loaded_as(table, payer.line_of_business)} {release}" for table, release in nearest)
    values = {**payer_fields(payer), "day": day.toordinal(), "tables": tables, "standing": word}
    return Unreached(day, values, {"releases": releases}, {"tables": tables, "releases": releases, "standing": word})


def _asked(payer: Payer, day: date, rulebook: Rulebook) -> tuple[str, ...]:
    """The tables that answers for this payer rest on."""
    ncci = edits_apply(payer, day, rulebook)
    medicare = payer.line_of_business == "original-medicare"
    used = {"ncci-ptp": ncci, "ncci-mue": ncci, "mpfs": medicare, "icd10cm": True}
    return tuple(table for table in TABLES if used[table])
