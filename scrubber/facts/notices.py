"""Makes the facts of beneficiary notices: what each states, whether it is valid for a line, and who bears a loss.

The form is read from what senders copy off the page: its name, with or without the footer that states the edition and
the day on which that edition expires. A reason counts as generic or vague only where it is one of a list of known
phrases, or is made of listed words that name no reason: no program can tell whether any other is specific enough.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.model import ABSENT, NOT_SUPPLIED, Abn, Absence, Claim
from scrubber.facts.documentation import NOTHING
from scrubber.facts.exclusions import EXCLUSION_LISTS, ORIGINAL_MEDICARE, Exclusions
from scrubber.facts.fact import LIST, Fact, LookUps
from scrubber.facts.fee_status import FEE_ROW, NOT_COVERED, PROVIDER_BEARS, fee_status
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView, listed_modifiers
from scrubber.reference import Reference
from scrubber.rulebook.rulebook import CodeLists, Rulebook

FORMS = "abn-forms"
EDITIONS = "abn-editions"
GENERIC_REASONS = "abn-generic-reasons"
VAGUE_REASONS = "abn-vague-reasons"
GENERIC_WORDS = "abn-generic-words"  # of these a sentence says no more than that Medicare may not pay
SERVICE_WORDS = "abn-service-words"  # names for what was furnished, which say nothing of why it may not be paid
WORDS = {GENERIC_REASONS: (GENERIC_WORDS,), VAGUE_REASONS: (GENERIC_WORDS, SERVICE_WORDS)}
MOST_DAYS, LEAST_WITNESSES = "abn-most-days", "abn-refusal-witnesses"
OPTION_FAULTS = {"2": "option-2", "3": "option-3"}
ABN_LOOK_UPS: LookUps = {
    **SHARED_LOOK_UPS,
    "feeStatus": (FEE_ROW,),
    "excluded": EXCLUSION_LISTS,
    "abnFaults": ((LIST, FORMS), (LIST, GENERIC_REASONS), (LIST, GENERIC_WORDS), ("limit", LEAST_WITNESSES)),
    "abnDoubts": (
        (LIST, EDITIONS),
        *((LIST, name) for name in (VAGUE_REASONS, GENERIC_WORDS, SERVICE_WORDS)),
        ("limit", MOST_DAYS),
    ),
}

_OPTION = re.compile(r"(?:option)?\s*([123])\b")
_DAY = r"[0-9]{1,4}(?:[/-][0-9]{1,4}){1,2}"
_EXPIRES = re.compile(rf"\(?\s*\bEXP(?:IRES|IRATION|IRATION DATE)?\b\s*[.:]?\s*({_DAY})\s*\)?")
_EDITION = re.compile(rf"\(\s*(?:REV\s*[.:]?\s*)?{_DAY}\s*\)")
_OMB = re.compile(r"(?:\bFORM\s+APPROVED\s*[:,]?\s*)?\bOMB\b\s*(?:APPROVAL\s*)?(?:NO\b[.:]?|NUMBER\b:?|#)?\s*0938-0566")


class Notice(NamedTuple):
    """What one notice says, read once: equal for two that say the same.

    `form` and `reason` are "" where they stand in no list, on whatever day. `superseded`: the edition of the form was
    no longer to be used on the day of the notice.
    """

    form: str | Absence
    expires: date | None
    superseded: bool
    issued: date | Absence
    signed: date | Absence
    option: str | Absence
    reason: str | Absence
    estimate_blank: bool
    refused: bool
    witnesses: Decimal | Absence

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "Notice()"

    @property
    def day(self) -> date | None:
        """The day on which it was signed, else that on which it was given to the patient."""
        return _day_of(self.signed, self.issued)


class NoticeCheck(NamedTuple):
    """What speaks against a notice for a line. `leaves_out`: something was left out that it cannot be judged without.

    `faults` make it invalid. `doubts` are worth a warning, and leave it valid. `notice` is what was judged.
    """

    faults: tuple[str, ...]
    leaves_out: bool
    doubts: tuple[str, ...]
    notice: Notice

    def __repr__(self) -> str:
        """No values, as above."""
        return "Judgement()"


def read_notice(sent: Abn, rulebook: Rulebook) -> Notice:
    """A notice as it was sent, without what makes no difference to any judgement."""
    form, expires = read_form(sent.form) if isinstance(sent.form, str) else (sent.form, None)
    return Notice(
        form if isinstance(form, Absence) or rulebook.lists.may_contain(FORMS, form) else "",
        expires,
        _superseded(expires, _day_of(sent.signed, sent.issued), rulebook),
        sent.issued,
        sent.signed,
        _option(sent.option) if isinstance(sent.option, str) else sent.option,
        _reason(sent.reason, rulebook) if isinstance(sent.reason, str) else sent.reason,
        sent.estimate is ABSENT,
        sent.refused is True,
        sent.witnesses,
    )


def check_notice(notice: Notice, day: date | None, assigned: bool | None, rulebook: Rulebook) -> NoticeCheck:
    """A notice against a line of that date of service. `assigned`: the claim's provider accepts assignment."""
    faults = [
        _option_fault(notice),
        _form_fault(notice, day, rulebook),
        _late(notice, day),
        "" if notice.signed is not ABSENT or notice.refused else "not-signed",
        _reason_fault(notice, day, rulebook),
        "no-estimate" if notice.estimate_blank else "",
        *(_refusal_faults(notice, day, assigned, rulebook) if notice.refused else ()),
    ]
    doubts = [
        _age_doubt(notice, day, rulebook),
        "superseded-edition" if notice.superseded else "",
        "vague-reason" if _is_vague(notice, day, rulebook) else "",
    ]
    return NoticeCheck(tuple(filter(None, faults)), _leaves_out(notice, assigned), tuple(filter(None, doubts)), notice)


def read_form(sent: str) -> tuple[str, date | None]:
    """A form's name in capitals without the rest of its footer, and the day on which the edition expires.

    >>> read_form("Form CMS-R-131 (Exp. 01/31/2026)   Form Approved OMB No. 0938-0566")
    ('FORM CMS-R-131', datetime.date(2026, 1, 31))
    >>> read_form("CMS-R-131 (03/11)")
    ('CMS-R-131', None)
    """
    text = sent.upper()
    stated = _EXPIRES.search(text)
    for part in (_EXPIRES, _EDITION, _OMB):
        text = part.sub(" ", text)
    return " ".join(text.split()), _calendar_day(stated[1]) if stated else None


def _calendar_day(text: str) -> date | None:
    """01/31/2026, 2026-01-31 or 01/2026, which is the month's last day."""
    numbers = [int(part) for part in re.split("[/-]", text)]
    if len(numbers) == 2:
        month, year = numbers
        valid = 1 <= month <= 12 and year > 999
        return date(year, month, monthrange(year, month)[1]) if valid else None
    year, month, day = numbers if numbers[0] > 999 else (numbers[2], numbers[0], numbers[1])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _option(sent: str) -> str:
    """Senders write 2, Option 2, or 2 and a few words. What names none of the three is no choice."""
    named = _OPTION.match(sent.strip().casefold())
    return named[1] if named else ""


def _reason(sent: str, rulebook: Rulebook) -> str | Absence:
    """The words of a reason that may be generic or vague, "" for any other, ABSENT for none."""
    if sent.strip().casefold().rstrip(".") in NOTHING:
        return ABSENT
    words = " ".join(re.findall(r"[a-z0-9]+", sent.casefold()))
    known = any(rulebook.lists.may_contain(name, words) for name in (GENERIC_REASONS, VAGUE_REASONS))
    made = all(
        any(rulebook.lists.may_contain(name, word) for name in (GENERIC_WORDS, SERVICE_WORDS)) for word in words.split()
    )
    return words if known or made else ""


def _option_fault(notice: Notice) -> str:
    if notice.option in ("", ABSENT):
        return "" if notice.refused else "no-option"
    return OPTION_FAULTS.get(notice.option, "") if isinstance(notice.option, str) else ""


def _form_fault(notice: Notice, day: date | None, rulebook: Rulebook) -> str:
    if notice.form is ABSENT:
        return "wrong-form"
    if not isinstance(notice.form, str) or day is None:
        return ""
    return "" if rulebook.lists.contains(FORMS, notice.form, day.toordinal()) else "wrong-form"


def _late(notice: Notice, day: date | None) -> str:
    given = [given for given in (notice.signed, notice.issued) if isinstance(given, date)]
    return "signed-after-service" if day and any(each > day for each in given) else ""


def _reason_fault(notice: Notice, day: date | None, rulebook: Rulebook) -> str:
    if notice.reason is ABSENT:
        return "no-reason"
    return "generic-reason" if _is_made_of(GENERIC_REASONS, notice, day, rulebook) else ""


def _is_made_of(phrases: str, notice: Notice, day: date | None, rulebook: Rulebook) -> bool:
    """Whether the whole reason is one of a list of phrases, or made of the words that go with the list."""
    if not isinstance(notice.reason, str) or not notice.reason or day is None:
        return False
    lists, on = rulebook.lists, day.toordinal()
    if lists.contains(phrases, notice.reason, on):
        return True
    return all(any(lists.contains(name, word, on) for name in WORDS[phrases]) for word in notice.reason.split())


def _is_vague(notice: Notice, day: date | None, rulebook: Rulebook) -> bool:
    return _is_made_of(VAGUE_REASONS, notice, day, rulebook) and not _is_made_of(GENERIC_REASONS, notice, day, rulebook)


def _refusal_faults(notice: Notice, day: date | None, assigned: bool | None, rulebook: Rulebook) -> tuple[str, ...]:
    """A refusal counts as given where enough people saw it and the provider accepts assignment."""
    least = rulebook.limit(LEAST_WITNESSES, day) if day else None
    seen_by = Decimal(0) if notice.witnesses is ABSENT else notice.witnesses
    too_few = isinstance(seen_by, Decimal) and least is not None and seen_by < least
    return ("refusal-not-witnessed" if too_few else "", "refusal-unassigned" if assigned is False else "")


def _leaves_out(notice: Notice, assigned: bool | None) -> bool:
    if notice.refused:
        return notice.day is None or assigned is None or NOT_SUPPLIED in (notice.witnesses, notice.reason)
    return NOT_SUPPLIED in (notice.signed, notice.option, notice.reason)


def _age_doubt(notice: Notice, day: date | None, rulebook: Rulebook) -> str:
    most = rulebook.limit(MOST_DAYS, day) if day else None
    old = most is not None and day is not None and notice.day is not None and (day - notice.day).days > most
    return "long-before" if old else ""


def _superseded(expires: date | None, day: date | None, rulebook: Rulebook) -> bool:
    """Against the editions that had to be used on the day of the notice: no row for that day, no doubt."""
    if expires is None or day is None:
        return False
    wanted = rulebook.lists.on(EDITIONS, day.toordinal()).codes
    return bool(wanted) and expires.isoformat() not in wanted


def _day_of(signed: date | Absence, issued: date | Absence) -> date | None:
    return next((day for day in (signed, issued) if isinstance(day, date)), None)


LIABILITY_MODIFIERS = "modifiers-of-liability"
OF_NOTICES = "modifiers-of-notices"  # a notice is on file
OF_DENIALS = "modifiers-of-expected-denials"  # of services for which no notice was given
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
        self._lines_unreadable = any(not sent.lines for sent in claim.context.abn or ())
        self._checks: dict[int, NoticeCheck | None] = {}

    def covers(self, number: int) -> bool:
        """Whether some notice is about the line."""
        return number in self._of_line

    def state(self, view: LineView) -> dict[str, Any]:
        """`abn` (valid, invalid) or its state, of the notice for a line.

        Of several notices for a line a valid one counts. A notice that leaves out its signature date, its option or
        its reason cannot be judged, and one whose lines cannot be read may be about any line: not-supplied.
        """
        check = self._of(view)
        if check is None:
            stated = self._supplied and not self._lines_unreadable
            return {"abn?": (Absence.ABSENT if stated else Absence.NOT_SUPPLIED).value}
        if check.faults:
            return {"abn": "invalid"}
        return {"abn?": Absence.NOT_SUPPLIED.value} if check.leaves_out else {"abn": "valid"}

    def details(self, view: LineView) -> dict[str, Any]:
        """What speaks against the notice for a line, its day, and the day on which the form's edition expires."""
        check = self._of(view)
        if check is None:
            return {"abnFaults": (), "abnDoubts": ()}
        days = {"noticeDay": check.notice.day, "formExpires": check.notice.expires}
        days_known = {name: day.toordinal() for name, day in days.items() if day is not None}
        return {"abnFaults": check.faults, "abnDoubts": check.doubts, **days_known}

    def _of(self, view: LineView) -> NoticeCheck | None:
        if view.number not in self._checks:
            notices = self._of_line.get(view.number, ())
            check = [check_notice(notice, view.first, self._assigned, self._rulebook) for notice in notices]
            self._checks[view.number] = min(check, key=_fault_order, default=None)
        return self._checks[view.number]

    def is_stated(self, view: LineView) -> bool:
        """Whether a modifier of the line says that there is a notice."""
        return bool(listed_modifiers(OF_NOTICES, view, self._rulebook.lists))

    def holds(self, view: LineView) -> bool:
        """Whether such a modifier stands on the line with a valid notice of which nothing is doubtful.

        Only where Original Medicare pays first: what a patient owes after another insurer is not for a notice to say.
        """
        if view.payer.line_of_business != ORIGINAL_MEDICARE or not self._primary or not self.is_stated(view):
            return False
        check = self._of(view)
        return check is not None and not (check.faults or check.leaves_out or check.doubts)


def abn_facts(
    views: Sequence[LineView],
    notices: Notices,
    exclusions: Exclusions,
    coverage: Sequence[Fact],
    lists: CodeLists,
    reference: Reference,
) -> Iterator[Fact]:
    """One fact for each line with a liability modifier or a notice; `coverage` are the claim's facts of coverage."""
    for view in views:
        if not view.line.modifiers and not notices.covers(view.number):
            continue  # the way of nearly every line
        if not notices.covers(view.number) and not listed_modifiers(LIABILITY_MODIFIERS, view, lists):
            continue
        values: dict[str, Any] = view.values | notices.state(view) | notices.details(view)
        values["excluded"] = exclusions.has(view)
        if view.first is not None and view.line.procedure is not None:
            values["feeStatus"] = fee_status(view.line.procedure, view.first, reference).letter
        values["coverage"] = next((each.values["status"] for each in coverage if view.number in each.lines), "no-row")
        yield Fact("abn", values, (view.number,))


def _fault_order(check: NoticeCheck) -> tuple[object, ...]:
    """The best of several notices first; of two equals always the same one."""
    days = [day.toordinal() if day else 0 for day in (check.notice.day, check.notice.expires)]
    return len(check.faults), check.leaves_out, len(check.doubts), check.faults, check.doubts, days


PROVIDER, PATIENT, UNSETTLED = "provider", "patient", "unsettled"


def liabilities(
    views: Sequence[LineView], notices: Notices, exclusions: Exclusions, lists: CodeLists, reference: Reference
) -> Mapping[int, str]:
    """Who bears a denial of coverage or frequency, by line number; a line that is not named is the provider's.

    Under Original Medicare the patient bears it with GA and a valid notice, or with GY where a row excludes the
    service by law. What is bundled or not valid for Medicare stays the provider's whatever is said of it. A code that
    Medicare does not cover (status N), of which nothing else is known, is unsettled.
    """
    found = {view.number: _liability(view, notices, exclusions, lists, reference) for view in views}
    return {number: who for number, who in found.items() if who != PROVIDER}


def _liability(view: LineView, notices: Notices, exclusions: Exclusions, lists: CodeLists, reference: Reference) -> str:
    code = view.line.procedure
    if view.payer.line_of_business != ORIGINAL_MEDICARE or code is None or view.first is None:
        return PROVIDER
    status = fee_status(code, view.first, reference).letter
    if status in PROVIDER_BEARS:
        return PROVIDER
    if exclusions.billed_for_denial(view) and not listed_modifiers(OF_DENIALS, view, lists):
        return PATIENT
    if status == NOT_COVERED:
        return UNSETTLED
    return PATIENT if notices.is_stated(view) and notices.state(view).get("abn") == "valid" else PROVIDER
