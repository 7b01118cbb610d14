"""Makes the facts of Medicaid claims under Medicare's NCCI edits, where no table of Medicaid's own answers.

Medicaid has tables of its own, which differ from Medicare's (MLN9018659). Where none is loaded, Medicare's say at most
where to look; so these facts are of a kind of their own, which no rule that carries out an edit can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from scrubber.facts.documentation import Documents
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import EVERY_FIELD, Fact, LookUps, release_evidence
from scrubber.facts.mue import code_day_facts, is_counted
from scrubber.facts.pair import pair_facts
from scrubber.facts.service_lines import ByCode, LineView, millionths, payer_fields
from scrubber.reference import Reference
from scrubber.reference.tables import MEDICAID as MEDICAIDS_TABLES
from scrubber.reference.tables import MUE, PTP
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import CodeLists

MEDICAID = "medicaid"
MEDICARE_EDIT_LOOK_UPS: LookUps = {EVERY_FIELD: (("ptp_among", ""), ("mue", "procedure"))}


def own_edits(payer: Payer, reference: Reference) -> Reference:
    """The reference data with the payer's own NCCI edits: Medicaid's for Medicaid, Medicare's for all others."""
    return reference.medicaid if payer.line_of_business == MEDICAID else reference


def loaded_as(table: str, line_of_business: str | None) -> str:
    """Name under which the releases of a table that answer for a line of business are loaded."""
    if line_of_business != MEDICAID:
        return table
    return next((name for name, each in MEDICAIDS_TABLES.items() if each.name == table), table)


def medicare_edit_facts(
    by_code: ByCode,
    views: Sequence[LineView],
    documents: Documents,
    exclusions: Exclusions,
    lists: CodeLists,
    reference: Reference,
) -> Iterator[Fact]:
    """One fact for each pair of lines, and each code of a day, under an edit of Medicare's tables.

    An edit of 0 is left out: it says who is paid under Medicare, and nothing of Medicaid.
    """
    if not views or views[0].payer.line_of_business != MEDICAID:
        return
    pairs = pair_facts(by_code, False, documents, exclusions, lists, reference)
    units = [*code_day_facts(by_code, lists, reference), *_line_edits(views, lists, reference)]
    for fact in pairs:
        if reference.medicaid.silent(PTP.name, date.fromordinal(fact.values["day"])):
            yield _of(fact, "pair")
    for fact in units:
        if fact.values["mue"] and reference.medicaid.silent(MUE.name, date.fromordinal(fact.values["day"])):
            yield _of(fact, "units")


def _of(fact: Fact, edit: str) -> Fact:
    names = ("lineOfBusiness", "payer", "contractor", "day", "first", "second", "modifierIndicator", "bypass",
             "procedure", "units", "mue")  # fmt: skip
    values: dict[str, Any] = {name: fact.values[name] for name in names if name in fact.values}
    return Fact("medicare-edit", values | {"edit": edit}, fact.lines, fact.related, evidence=fact.evidence)


def _line_edits(views: Sequence[LineView], lists: CodeLists, reference: Reference) -> Iterator[Fact]:
    """Lines whose units exceed an edit that is counted by line."""
    for view in views:
        code, day, units = view.line.procedure, view.first, view.line.units
        if code is None or day is None or units is None or not is_counted(view, lists):
            continue
        edit = reference.mue(code, day)
        if edit is None or edit.indicator != "1" or units <= edit.units * view.days:
            continue
        values = payer_fields(view.payer) | {
            "day": day.toordinal(),
            "procedure": code,
            "units": millionths(units),
            "mue": edit.units,
        }
        evidence = {"mue": edit.units, **release_evidence(MUE.name, day, edit.source, reference)}
        yield Fact("code-day", values, (view.number,), evidence=evidence)
