"""Facts of advance beneficiary notices: is there a notice for the line, and does what was said of it hold up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from scrubber.claim import ABSENT, NOT_SUPPLIED, Abn, Absence, Claim
from scrubber.facts.fact import Fact
from scrubber.facts.lines import LineView
from scrubber.rulebook.book import Rulebook

LIABILITY_MODIFIERS = frozenset(("GA", "GX", "GY", "GZ"))
FORMS = "abn-forms"
_OPTION = re.compile(r"(?:option)?\s*([123])\b")
OPTION_FAULTS = {"2": "option-2", "3": "option-3"}


class Notices:
    """What all notices together say of each line; each line is judged once."""

    def __init__(self, claim: Claim, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._supplied = claim.context.abn is not None
        self._of_line: dict[int, dict[tuple[object, ...], Abn]] = {}
        for notice in claim.context.abn or ():
            for number in notice.lines:
                self._of_line.setdefault(number, {})[_content(notice)] = notice
        self._astray = any(not notice.lines for notice in claim.context.abn or ())
        self._states: dict[int, dict[str, Any]] = {}

    def covers(self, number: int) -> bool:
        """Whether some notice is about the line."""
        return number in self._of_line

    def state(self, view: LineView) -> dict[str, Any]:
        """`abn` (valid, invalid) or its state, and `abnFaults`, of the notice for a line.

        Of several notices for a line a valid one counts. A notice that leaves out its signature date or its option
        cannot be judged, and one whose lines cannot be read may be about any line: not-supplied.
        """
        if view.number not in self._states:
            self._states[view.number] = self._judge(view)
        return self._states[view.number]

    def _judge(self, view: LineView) -> dict[str, Any]:
        notices = self._of_line.get(view.number)
        if notices is None:
            stated = self._supplied and not self._astray
            return {"abn?": (Absence.ABSENT if stated else Absence.NOT_SUPPLIED).value, "abnFaults": ()}
        judged = [(abn_faults(notice, view, self._rulebook), _leaves_out(notice)) for notice in notices.values()]
        faults, leaves_out = min(judged, key=lambda item: (len(item[0]), item[1]))
        if faults:
            return {"abn": "invalid", "abnFaults": faults}
        if leaves_out:
            return {"abn?": Absence.NOT_SUPPLIED.value, "abnFaults": ()}
        return {"abn": "valid", "abnFaults": ()}

    def patient_bears(self, view: LineView) -> bool:
        """Whether a denial for necessity would fall on the patient under Original Medicare.

        GA with a valid notice moves it; GY says that the service is excluded by statute, which the patient owes anyway.
        """
        if view.payer.line_of_business != "original-medicare":
            return False
        if "GA" not in view.line.modifiers:
            return "GY" in view.line.modifiers and "GZ" not in view.line.modifiers
        return self.state(view).get("abn") == "valid"


def _content(notice: Abn) -> tuple[object, ...]:
    """What a notice says, wherever it stands: two that say the same are one."""
    return (
        notice.form,
        notice.issued,
        notice.signed,
        notice.option,
        notice.reason is ABSENT,
        notice.estimate is ABSENT,
    )


def abn_facts(views: Sequence[LineView], notices: Notices, coverage: Sequence[Fact]) -> Iterator[Fact]:
    """One fact for each line with a liability modifier or a notice; `coverage` are the claim's facts of coverage."""
    for view in views:
        if not view.line.modifiers and not notices.covers(view.number):
            continue  # the way of nearly every line
        if not notices.covers(view.number) and LIABILITY_MODIFIERS.isdisjoint(view.line.modifiers):
            continue
        values: dict[str, Any] = view.values | notices.state(view)
        values["coverage"] = next((each.values["status"] for each in coverage if view.number in each.lines), "no-row")
        yield Fact("abn", values, (view.number,))


def _leaves_out(notice: Abn) -> bool:
    return NOT_SUPPLIED in (notice.signed, notice.option)


def abn_faults(notice: Abn, view: LineView, rulebook: Rulebook) -> tuple[str, ...]:
    """What makes a notice invalid for a line; what was left out is no fault."""
    found = [_option_fault(notice.option) if isinstance(notice.option, str) else ""]
    if isinstance(notice.form, str) and view.first:
        listed = rulebook.lists.contains(FORMS, notice.form.strip().upper(), view.first.toordinal())
        found.append("" if listed else "wrong-form")
    given = [day for day in (notice.signed, notice.issued) if isinstance(day, date)]
    if view.first and any(day > view.first for day in given):
        found.append("signed-after-service")
    blank = (
        (notice.form, "wrong-form"),
        (notice.option, "no-option"),
        (notice.signed, "not-signed"),
        (notice.reason, "no-reason"),
        (notice.estimate, "no-estimate"),
    )
    found += [fault for given, fault in blank if given is ABSENT]
    return tuple(fault for fault in found if fault)


def _option_fault(option: str) -> str:
    """Senders write 2, Option 2, or 2 and a few words. What names none of the three is no choice."""
    named = _OPTION.match(option.strip().casefold())
    return OPTION_FAULTS.get(named[1], "") if named else "no-option"
