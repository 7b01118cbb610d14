"""Facts of advance beneficiary notices: is there a notice for the line, and does what was said of it hold up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scrubber.claim import Absence, Claim
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact
from scrubber.facts.lines import LineView
from scrubber.facts.notice import Judgement, Notice, judge, read_notice
from scrubber.facts.status import fee_status
from scrubber.reference import Reference
from scrubber.rulebook.book import Rulebook

LIABILITY_MODIFIERS = frozenset(("GA", "GX", "GY", "GZ"))
ASSIGNED = {"A": True, "B": False, "C": False}  # CLM07; B: on laboratory services only. Any other: not known


class Notices:
    """What all notices together say of each line; each line is judged once."""

    def __init__(self, claim: Claim, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._supplied = claim.context.abn is not None
        self._assigned = ASSIGNED.get(claim.texts.get("plan-participation", ""))
        self._primary = claim.texts.get("payment-responsibility", "P") == "P"
        self._of_line: dict[int, set[Notice]] = {}
        for sent in claim.context.abn or ():
            notice = read_notice(sent, rulebook)
            for number in sent.lines:
                self._of_line.setdefault(number, set()).add(notice)
        self._astray = any(not sent.lines for sent in claim.context.abn or ())
        self._judged: dict[int, Judgement | None] = {}

    def covers(self, number: int) -> bool:
        """Whether some notice is about the line."""
        return number in self._of_line

    def state(self, view: LineView) -> dict[str, Any]:
        """`abn` (valid, invalid) or its state, of the notice for a line.

        Of several notices for a line a valid one counts. A notice that leaves out its signature date, its option or
        its reason cannot be judged, and one whose lines cannot be read may be about any line: not-supplied.
        """
        judged = self._of(view)
        if judged is None:
            stated = self._supplied and not self._astray
            return {"abn?": (Absence.ABSENT if stated else Absence.NOT_SUPPLIED).value}
        if judged.faults:
            return {"abn": "invalid"}
        return {"abn?": Absence.NOT_SUPPLIED.value} if judged.leaves_out else {"abn": "valid"}

    def details(self, view: LineView) -> dict[str, Any]:
        """What speaks against the notice for a line, its day, and the day on which the form's edition expires."""
        judged = self._of(view)
        if judged is None:
            return {"abnFaults": (), "abnDoubts": ()}
        days = {"noticeDay": judged.notice.day, "formExpires": judged.notice.expires}
        told = {name: day.toordinal() for name, day in days.items() if day is not None}
        return {"abnFaults": judged.faults, "abnDoubts": judged.doubts, **told}

    def _of(self, view: LineView) -> Judgement | None:
        if view.number not in self._judged:
            notices = self._of_line.get(view.number, ())
            judged = [judge(notice, view.first, self._assigned, self._rulebook) for notice in notices]
            self._judged[view.number] = min(judged, key=_speaks_against, default=None)
        return self._judged[view.number]

    def holds(self, view: LineView) -> bool:
        """Whether GA stands on the line with a valid notice of which nothing is doubtful.

        Only where Original Medicare pays first: what a patient owes after another insurer is not for a notice to say.
        """
        if view.payer.line_of_business != "original-medicare" or "GA" not in view.line.modifiers or not self._primary:
            return False
        judged = self._of(view)
        return judged is not None and not (judged.faults or judged.leaves_out or judged.doubts)


def abn_facts(
    views: Sequence[LineView], notices: Notices, exclusions: Exclusions, coverage: Sequence[Fact], reference: Reference
) -> Iterator[Fact]:
    """One fact for each line with a liability modifier or a notice; `coverage` are the claim's facts of coverage."""
    for view in views:
        if not view.line.modifiers and not notices.covers(view.number):
            continue  # the way of nearly every line
        if not notices.covers(view.number) and LIABILITY_MODIFIERS.isdisjoint(view.line.modifiers):
            continue
        values: dict[str, Any] = view.values | notices.state(view) | notices.details(view)
        values["excluded"] = exclusions.has(view)
        if view.first is not None and view.line.procedure is not None:
            values["feeStatus"] = fee_status(view.line.procedure, view.first, reference).letter
        values["coverage"] = next((each.values["status"] for each in coverage if view.number in each.lines), "no-row")
        yield Fact("abn", values, (view.number,))


def _speaks_against(judged: Judgement) -> tuple[object, ...]:
    """The best of several notices first; of two equals always the same one."""
    days = [day.toordinal() if day else 0 for day in (judged.notice.day, judged.notice.expires)]
    return len(judged.faults), judged.leaves_out, len(judged.doubts), judged.faults, judged.doubts, days
