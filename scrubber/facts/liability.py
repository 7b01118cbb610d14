"""Who bears a line's loss when Medicare does not cover it: what notices, modifiers and dated rows say, for money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scrubber.facts.abn import Notices
from scrubber.facts.exclusions import ORIGINAL_MEDICARE, Exclusions
from scrubber.facts.lines import LineView
from scrubber.facts.status import NOT_COVERED, PROVIDER_BEARS, fee_status
from scrubber.reference import Reference

PROVIDER, PATIENT, UNSETTLED = "provider", "patient", "unsettled"


def liabilities(
    views: Sequence[LineView], notices: Notices, exclusions: Exclusions, reference: Reference
) -> Mapping[int, str]:
    """Who bears a denial of coverage or frequency, by line number; a line that is not named is the provider's.

    Under Original Medicare the patient bears it with GA and a valid notice, or with GY where a row excludes the
    service by law. What is bundled or not valid for Medicare stays the provider's whatever is said of it. A code that
    Medicare does not cover (status N), of which nothing else is known, is unsettled.
    """
    found = {view.number: _liability(view, notices, exclusions, reference) for view in views}
    return {number: who for number, who in found.items() if who != PROVIDER}


def _liability(view: LineView, notices: Notices, exclusions: Exclusions, reference: Reference) -> str:
    code = view.line.procedure
    if view.payer.line_of_business != ORIGINAL_MEDICARE or code is None or view.first is None:
        return PROVIDER
    status = fee_status(code, view.first, reference).letter
    if status in PROVIDER_BEARS:
        return PROVIDER
    if exclusions.billed_for_denial(view) and "GZ" not in view.line.modifiers:
        return PATIENT
    if status == NOT_COVERED:
        return UNSETTLED
    return PATIENT if "GA" in view.line.modifiers and notices.state(view).get("abn") == "valid" else PROVIDER
