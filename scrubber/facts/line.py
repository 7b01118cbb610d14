"""Makes the facts of single lines: code, modifiers, place and provider as the tables have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from scrubber.claim.model import Absence, Claim
from scrubber.facts.asked import NOTHING_ASKED, add_elements, asked_fields
from scrubber.facts.documentation import NOT_SUPPLIED_STATE, Documents
from scrubber.facts.exclusions import AMBULANCE_CODES, EXCLUSION_LISTS, Exclusions
from scrubber.facts.fact import LIST, Fact, LookUp, LookUps
from scrubber.facts.fee_status import FEE_ROW, fee_status
from scrubber.facts.mue import MUE_LOOK_UPS, is_counted
from scrubber.facts.on_request import add_line_fields
from scrubber.facts.service_lines import PLACE_ROW, SHARED_LOOK_UPS, LineView
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.rulebook import CodeLists, Rulebook

REMEMBERED = 16_384  # what a process keeps of look-ups: codes, modifiers and days, never a claim
AMBULANCE_PLACES = "ambulance-origins-and-destinations"
PLACE_OF_SERVICE = "place-of-service"
SUPPLIERS = "supplier-taxonomies"

_MODIFIERS: tuple[LookUp, ...] = (("modifier", "modifiers"), (LIST, AMBULANCE_PLACES))
LINE_LOOK_UPS: LookUps = {
    **SHARED_LOOK_UPS,
    **MUE_LOOK_UPS,
    "codeStanding": (("procedure", "procedure"),),
    "modifierUnknown": _MODIFIERS,
    "modifiersUnknown": _MODIFIERS,
    "placeUnknown": (PLACE_ROW,),
    "placeNotListed": (PLACE_ROW,),
    "feeStatus": (FEE_ROW,),
    "feeStatusCarried": (FEE_ROW,),
    "supplier": ((LIST, SUPPLIERS),),
    "excluded": EXCLUSION_LISTS,
    "pcTc": (FEE_ROW,),
    "facilityNotApplicable": (PLACE_ROW, FEE_ROW),
    "renderingClass": (("taxonomy", ""),),
}


def line_facts(
    claim: Claim,
    views: Sequence[LineView],
    documents: Documents,
    exclusions: Exclusions,
    rulebook: Rulebook,
    reference: Reference,
    claim_day: date,
    received_on: date,
) -> Iterator[Fact]:
    """One fact a line; `claim_day` is the claim's first date of service."""
    billing, lists, asked_of = claim.billing, rulebook.lists, asked_fields(rulebook).of
    for view in views:
        values: dict[str, Any] = dict(view.values)
        values["excluded"] = exclusions.has(view)
        if view.first is not None:
            taxonomy = (view.rendering or billing).taxonomy
            values["supplier"] = taxonomy is not None and _is_a_suppliers(taxonomy, view.first, lists)
            values |= _table_fields(view.line.procedure, view.line.modifiers, view.first, reference, lists)
            unlisted = _is_absent(view, reference)
            values["placeNotListed"] = unlisted
            values["placeUnknown"] = bool(view.place) and view.setting is None and not unlisted
            if "mue" in values and view.line.units is not None and is_counted(view, lists):
                values["unitsOverMue"] = view.line.units > values["mue"] * view.days
        if view.rendering is None or view.rendering.taxonomy is None:
            values["renderingClass?"] = NOT_SUPPLIED_STATE
        else:
            values["renderingClass"] = view.profession.provider_class if view.profession else "unlisted"
        asked = asked_of("line", view.line.procedure or "", view.payer, claim_day)
        if asked is not NOTHING_ASKED:
            add_elements(values, asked.elements, claim, view.line)
            add_line_fields(values, asked.fields, claim, view, received_on, lists)
        _add_calculated_by(values, documents.of(view.number).get("calculatedBy"))
        yield Fact("line", values, (view.number,))


@remembered(REMEMBERED)
def _is_a_suppliers(taxonomy: str, day: date, lists: CodeLists) -> bool:
    """Whether a taxonomy code is a supplier's, of whom the units edits of practitioners say nothing."""
    return lists.contains(SUPPLIERS, taxonomy, day.toordinal())


def _is_absent(view: LineView, reference: Reference) -> bool:
    """Whether a place of two digits stands in no row of a list that is complete on the day."""
    if view.setting is not None or not view.place or view.first is None:
        return False
    digits = len(view.place) == 2 and view.place.isascii() and view.place.isdigit()
    return digits and reference.is_complete(PLACE_OF_SERVICE, view.first)


@remembered(REMEMBERED)
def _table_fields(
    code: str | None, modifiers: tuple[str, ...], day: date, reference: Reference, lists: CodeLists
) -> Mapping[str, str | int | bool | tuple[str, ...]]:
    """What the tables say of a code and modifiers on a day, as fields of a line."""
    values: dict[str, str | int | bool | tuple[str, ...]] = {}
    unknown = tuple(modifier for modifier in modifiers if reference.modifier(modifier, day) is None)
    if unknown and code and lists.contains(AMBULANCE_CODES, code, day.toordinal()):
        unknown = tuple(modifier for modifier in unknown if not _is_ride(modifier, day, lists))
    values["modifiersUnknown"] = unknown
    values["modifierUnknown"] = bool(unknown)
    if code is None:
        return values
    standing = reference.procedure(code, day)
    values["codeStanding"] = reference.absence(code, day) if standing == "unknown" else standing
    status = fee_status(code, day, reference)
    values["feeStatus"] = status.letter
    values["feeStatusCarried"] = status.carried
    fee = reference.fee(code, "", day)
    if fee is not None:
        values["pcTc"] = fee.pc_tc
        values["facilityNotApplicable"] = fee.facility_na
    edit = reference.mue(code, day)
    if edit is not None:
        values["mue"] = edit.units
        values["mueIndicator"] = edit.indicator
    return values


def _is_ride(modifier: str, day: date, lists: CodeLists) -> bool:
    """Whether a modifier is the pair of letters of an ambulance's ride: where it began, where it ended."""
    return all(lists.contains(AMBULANCE_PLACES, letter, day.toordinal()) for letter in modifier)


def _add_calculated_by(values: dict[str, Any], given: str | Absence | None) -> None:
    word = given.strip().casefold() if isinstance(given, str) else None
    if word in ("self", "other"):
        values["calculatedBy"] = word
    else:
        values["calculatedBy?"] = given.value if isinstance(given, Absence) else NOT_SUPPLIED_STATE
