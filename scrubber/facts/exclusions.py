"""Says which services the law excludes from Medicare, by dated rows: those that may be billed for a denial."""

from __future__ import annotations

from collections.abc import Sequence

from scrubber.facts.fact import LIST
from scrubber.facts.service_lines import LineView, listed_modifiers
from scrubber.remembered import remembered
from scrubber.rulebook.rulebook import CodeLists

EXCLUDED = "excluded-by-statute"
RIDES = "excluded-rides"  # ambulance modifiers, origin and destination, of rides that are no benefit
AMBULANCE_CODES = "ambulance-codes"
CHIROPRACTORS = "chiropractor-taxonomies"
CHIROPRACTIC = "chiropractic-benefit"
ACTIVE_TREATMENT = "modifiers-of-active-treatment"  # on chiropractic manipulation only
ORIGINAL_MEDICARE = "original-medicare"
BILLED_FOR_DENIAL = "modifiers-of-excluded-services"
EXCLUSION_LISTS = tuple((LIST, name) for name in (EXCLUDED, AMBULANCE_CODES, RIDES, CHIROPRACTORS, CHIROPRACTIC))
REMEMBERED = 16_384  # codes, by day (an ordinal), that a process remembers


class Exclusions:
    """Which lines of one claim a row excludes.

    Of a chiropractor's services Medicare covers manipulation of the spine and nothing else (42 CFR 410.21(b)). A
    chiropractor is who has the taxonomy code of one, or bills manipulation of the spine as active treatment.
    """

    def __init__(self, views: Sequence[LineView], lists: CodeLists) -> None:
        self._lists = lists
        self._chiropractors = {view.provider for view in views if view.provider and self._is_chiropractor(view)}

    def has(self, view: LineView) -> bool:
        """Whether a row in force on the line's first day excludes its service, or an ambulance's ride to where it went.

        Modifiers other than that of the ride change nothing.
        """
        code, day = view.line.procedure, view.values.get("day")
        if code is None or day is None:
            return False
        if _is_excluded(code, day, self._lists) or _is_excluded_ride(code, view.line.modifiers, day, self._lists):
            return True
        if not self._chiropractors or view.provider not in self._chiropractors:
            return False
        return not self._lists.contains(CHIROPRACTIC, code, day)

    def billed_for_denial(self, view: LineView) -> bool:
        """Whether the line is an excluded service that says so to Original Medicare, which then denies it as such."""
        return (
            view.payer.line_of_business == ORIGINAL_MEDICARE
            and is_billed_as_excluded(view, self._lists)
            and self.has(view)
        )

    def _is_chiropractor(self, view: LineView) -> bool:
        code, day = view.line.procedure or "", view.values.get("day")
        if day is None:
            return False
        taxonomy = view.rendering.taxonomy if view.rendering else None
        if taxonomy and _is_a_chiropractors(taxonomy, day, self._lists):
            return True
        return bool(listed_modifiers(ACTIVE_TREATMENT, view, self._lists)) and self._lists.contains(
            CHIROPRACTIC, code, day
        )


def is_billed_as_excluded(view: LineView, lists: CodeLists) -> bool:
    """Whether a line says that its service is excluded by law."""
    return bool(listed_modifiers(BILLED_FOR_DENIAL, view, lists))


@remembered(REMEMBERED)
def _is_excluded(code: str, day: int, lists: CodeLists) -> bool:
    return lists.contains(EXCLUDED, code, day)


@remembered(REMEMBERED)
def _is_excluded_ride(code: str, modifiers: tuple[str, ...], day: int, lists: CodeLists) -> bool:
    """Whether an ambulance took the patient to a place to which no ride is a benefit."""
    if not lists.contains(AMBULANCE_CODES, code, day):
        return False
    return any(lists.contains(RIDES, modifier, day) for modifier in modifiers)


@remembered(REMEMBERED)
def _is_a_chiropractors(taxonomy: str, day: int, lists: CodeLists) -> bool:
    return lists.contains(CHIROPRACTORS, taxonomy, day)
