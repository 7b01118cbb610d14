"""Beside the path: what was not supplied for a rule, and what would settle it: a place of the body, or a row."""

from __future__ import annotations

from collections.abc import Mapping

from scrubber.facts.documentation import DOCUMENT_PLACES
from scrubber.facts.fact import Fact
from scrubber.findings import NotChecked
from scrubber.findings.finding import NO_TABLE, NOT_REACHED, PAYER_UNKNOWN
from scrubber.findings.judge import ADOPTION
from scrubber.findings.payer_unknown import SETTLES_NAME
from scrubber.rulebook.tables import Payer
from scrubber.vocabulary import ELEMENTS, KINDS
from scrubber.workshop.explain.competing import settling_row
from scrubber.workshop.explain.explanation import Missing

_ELEMENTS = "scrubContext.documentation[].elements"
# What a sender adds so that a needed fact is known.
_SUPPLIED_BY: Mapping[str, str] = {
    **{name: f"{_ELEMENTS}.{place.replace('/', '.')}" for name, place in DOCUMENT_PLACES.items()},
    "calculatedBy": f"{_ELEMENTS}.calculatedBy (self or other)",
    "modifierSupport": f"{_ELEMENTS}.modifierSupport (true or false)",
    "abn": "scrubContext.abn, [] where there is no notice; of each notice its reason, its option and the day it was"
    " signed; of a refused one how many people saw it",
    "frequencyTest": "scrubContext.history, [] where there was no earlier service",
    "baseStudy": f"{_ELEMENTS}.sourceStudy, or the study in scrubContext.history",
    "renderingClass": "the taxonomy code of the rendering provider",
}


def settled(item: NotChecked, fact: Fact | None, payer: Payer) -> tuple[Missing, ...]:
    """Each thing that a rule could not be checked without."""
    return tuple(Missing(name, _by(name, item, fact, payer)) for name in item.missing)


def settled_by(name: str, fact: Fact) -> str:
    """What would make a fact known that was not supplied."""
    return _SUPPLIED_BY.get(name, f"the claim's {KINDS[fact.kind].fields[name].about}")


def _by(name: str, item: NotChecked, fact: Fact | None, payer: Payer) -> str:
    if name == ADOPTION:
        return f"a row in payers/tables/adoptions.csv, such as {settling_row(item.rule.pack, payer)}"
    if fact is not None and name in KINDS[fact.kind].fields:
        return settled_by(name, fact)
    if item.why in (NO_TABLE, NOT_REACHED):
        return f"a release of {name} for that day, by `scrubber reference load`"
    if name not in ELEMENTS:
        return f"what stands under a name like {name}, sent as {name}"
    element = ELEMENTS[name]
    box = f" (box {element.box})" if element.box else ""
    if item.why == PAYER_UNKNOWN and name == SETTLES_NAME["payer"]:
        return f"a row in payers/tables/aliases.csv that names the payer of the claim's {element.label}"
    if item.why == PAYER_UNKNOWN and name == SETTLES_NAME["contractor"]:
        return "the ZIP code of where the service was furnished, all nine digits where five do not tell"
    if item.why == PAYER_UNKNOWN:
        return f"the {element.label}, {element.loop} {element.x12}{box}, or scrubContext.eligibility.plan"
    return f"a readable {element.label} on the line, {element.loop} {element.x12}{box}"
