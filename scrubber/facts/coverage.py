"""Makes the facts of coverage: a line and its diagnoses under the payer's policy, or else a contractor's article.

Rows of rule authors win: loaded articles of a Medicare contractor answer only where no row speaks of the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal

from scrubber.claim.model import ABSENT, Claim, EarlierService
from scrubber.facts.documentation import NOT_SUPPLIED_STATE, Documents
from scrubber.facts.fact import LIST, Fact, LookUps
from scrubber.facts.notices import Notices
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView
from scrubber.reference import Reference
from scrubber.reference.local_coverage import LocalArticle
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import Authority
from scrubber.rulebook.rule_tables import FrequencyRow, PolicyRow, policy_authority
from scrubber.rulebook.rulebook import Rulebook

Status = Literal["covered", "unknown"]

# Of several articles that list a code, the one that speaks best for the line answers: another may be about other uses.
_BEST_FIRST = ("listed", "no-diagnosis", "no-list", "not-listed", "excluded-only")
_WHY_UNKNOWN = {
    "lists": "which narrows the diagnosis by a note",
    "paragraphs": "which says in words when its lists apply",
    "text": "which lists no covered diagnoses for it",
}


def article_fact(view: LineView, notices: Notices, reference: Reference) -> Fact | None:
    """The coverage fact of a line by an article of its contractor; None when the contractor has none for the code.

    An article only ever warns: it denies nothing by itself.
    """
    day, code, contractor = view.first, view.line.procedure, view.payer.contractor
    if day is None or code is None or contractor is None or view.payer.line_of_business != "original-medicare":
        return None
    checked = (
        (article, _check_article(article, view, reference)) for article in reference.coverage(code, contractor, day)
    )
    answers = [(article, *found) for article, found in checked if found is not None]
    if not answers:
        return None
    article, status, test = min(answers, key=lambda answer: _BEST_FIRST.index(answer[2]))
    values = view.values | {"status": status, "effect": "warn", "diagnosisTest": test, "frequencyTest": "no-limit"}
    values |= notices.state(view) | {"noticeHolds": notices.holds(view)}
    title = _title(article)
    message_words = {"policy": f"{title}, {_WHY_UNKNOWN[article.decides]}" if status == "unknown" else title}
    authority = Authority("payer-policy", title, f"version {article.row.version}", binding=True)
    evidence = _evidence(article, status, contractor)
    return Fact(
        "coverage", values, (view.number,), message_words=message_words, evidence=evidence, authority=(authority,)
    )


def _check_article(article: LocalArticle, view: LineView, reference: Reference) -> tuple[Status, str] | None:
    """Status and the word of the diagnosis test; None: an article that only excludes does not speak of the line."""
    if article.decides in ("paragraphs", "text") or view.first is None:
        return "unknown", "no-list"
    word = reference.article_diagnoses(article, view.diagnoses, view.first)
    if article.decides == "exclusions":
        return ("covered", word) if word == "excluded-only" else None
    return ("unknown", "no-list") if word == "noted" else ("covered", word)


def _title(article: LocalArticle) -> str:
    goes_with = f" ({', '.join(article.lcds)})" if article.lcds else ""
    return f"local coverage article {article.row.article}{goes_with}"


def _evidence(article: LocalArticle, status: Status, contractor: str) -> dict[str, Any]:
    row = article.row
    days = {"since": row.since, "until": row.until}
    return {
        "article": row.article,
        "version": row.version,
        **{name: day.isoformat() for name, day in days.items() if day is not None},
        "lcds": article.lcds,
        "contractor": contractor,
        "status": status,
        "effect": "warn",
        "decides": article.decides,
        "source": row.source,
    }


BASE_STUDIES = "studies-with-lumbar-spine"
ONE_STUDY = "one-study-days"
COMPONENTS = "component-modifiers"

_ARTICLES = ("coverage", "procedure")
COVERAGE_LOOK_UPS: LookUps = {
    **SHARED_LOOK_UPS,
    "status": (_ARTICLES,),
    "effect": (_ARTICLES,),
    "diagnosisTest": (("diagnosis_rows", ""), _ARTICLES),
    "frequencyTest": (("policy", "procedure"), ("frequency", ""), ("limit", ONE_STUDY)),
    "baseStudy": ((LIST, BASE_STUDIES),),
}


def coverage_facts(
    claim: Claim,
    views: Sequence[LineView],
    documents: Documents,
    notices: Notices,
    rulebook: Rulebook,
    reference: Reference,
) -> Iterator[Fact]:
    """One fact for each line that a policy row, or else an article, speaks of."""
    for view in views:
        if view.first is None or view.line.procedure is None:
            continue
        policy = rulebook.policy(view.line.procedure, view.payer, view.first)
        if policy is not None:
            yield _coverage(claim, view, policy, documents, notices, rulebook)
        elif reference.has_articles:
            found = article_fact(view, notices, reference)
            if found is not None:
                yield found


def _coverage(
    claim: Claim, view: LineView, policy: PolicyRow, documents: Documents, notices: Notices, rulebook: Rulebook
) -> Fact:
    values: dict[str, Any] = dict(view.values)
    values["status"] = policy.status
    values["effect"] = policy.effect
    values["diagnosisTest"] = _diagnosis_test(view, policy, rulebook)
    if policy.status == "adjunct":
        values |= _base_study(claim, view, documents, rulebook)
    message_words = {"policy": policy.title}
    _add_frequency(values, message_words, claim, view, policy, rulebook)
    values |= notices.state(view) | {"noticeHolds": notices.holds(view)}
    evidence = {"policy": policy.title, "status": policy.status, "effect": policy.effect}
    table = rulebook.policy_table(policy)
    if table is not None:
        evidence["table"] = table
    return Fact(
        "coverage",
        values,
        (view.number,),
        message_words=message_words,
        evidence=evidence,
        authority=(policy_authority(policy),),
    )


def _diagnosis_test(view: LineView, policy: PolicyRow, rulebook: Rulebook) -> str:
    """The line's own diagnoses, those it points to, against the policy's list."""
    if policy.diagnosis_list is None or view.first is None:
        return "no-list"
    if not view.diagnoses:
        return "no-diagnosis"
    rows = rulebook.diagnosis_rows(policy.diagnosis_list, view.first)
    tests = [
        {row.test for row in rows if (code.startswith(row.code) if row.prefix else code == row.code)}
        for code in view.diagnoses
    ]
    if any("covered" in found and "excluded" not in found for found in tests):
        return "listed"
    if all("excluded" in found for found in tests):
        return "excluded-only"
    return "not-listed" if any(row.test == "covered" for row in rows) else "no-list"


def _base_study(claim: Claim, view: LineView, documents: Documents, rulebook: Rulebook) -> dict[str, Any]:
    day = view.values["day"]
    elements = documents.of(view.number)
    codes = [line.procedure or "" for line in claim.lines]
    codes += [service.code for service in claim.context.history or ()]
    stated = elements.get("sourceStudy.code")
    codes += [stated] if isinstance(stated, str) else []
    if any(rulebook.lists.contains(BASE_STUDIES, code, day) for code in codes):
        return {"baseStudy": "present"}
    known = elements.get("sourceStudy") is ABSENT or isinstance(stated, str)
    return {"baseStudy": "missing"} if known else {state_key("baseStudy"): NOT_SUPPLIED_STATE}


def _add_frequency(
    values: dict[str, Any],
    message_words: dict[str, str],
    claim: Claim,
    view: LineView,
    policy: PolicyRow,
    rulebook: Rulebook,
) -> None:
    limit = rulebook.frequency(policy.frequency, view.first) if policy.frequency and view.first else None
    if limit is None or view.first is None:
        values["frequencyTest"] = "no-limit"
        return
    message_words["months"] = f"{limit.months} full {'month' if limit.months == 1 else 'months'}"
    message_words["exceptions"] = limit.exceptions or "none that is known here"
    latest = _latest_before(claim, view, view.first, limit.code_list, rulebook)
    if latest is not None and _months(latest, view.first) <= limit.months:
        values["frequencyTest"] = "excepted" if _excepted(view, limit, rulebook) else "too-soon"
        message_words["earlier-day"] = latest.isoformat()
        message_words["next-day"] = _first_of_month_after(latest, limit.months + 1)
    elif claim.context.history is None:  # what stands on the claim is in time, but it is not all there was
        values[state_key("frequencyTest")] = NOT_SUPPLIED_STATE
    else:
        values["frequencyTest"] = "in-time"


def _excepted(view: LineView, limit: FrequencyRow, rulebook: Rulebook) -> bool:
    """Whether one of the line's diagnoses says by itself that an earlier repeat is accepted."""
    wanted, day = limit.excepted_diagnoses, view.values["day"]
    return wanted is not None and any(rulebook.lists.contains(wanted, code, day) for code in view.diagnoses)


def _latest_before(claim: Claim, view: LineView, day: date, code_list: str, rulebook: Rulebook) -> date | None:
    """The last day, up to `day`, of an earlier service under the list that is no part of the line's own study."""
    services = (*(claim.context.history or ()), *_earlier_lines(claim, view))
    days = [
        service.day
        for service in services
        if rulebook.lists.contains(code_list, service.code, service.day.toordinal())
        and service.day <= day
        and not _same_study(service, view, rulebook)
    ]
    return max(days, default=None)


def _earlier_lines(claim: Claim, view: LineView) -> Iterator[EarlierService]:
    for line in claim.lines:
        if line.procedure and line.first_day and view.first and line.first_day < view.first:
            yield EarlierService(line.procedure, line.first_day, line.modifiers)


def _same_study(service: EarlierService, view: LineView, rulebook: Rulebook) -> bool:
    """No repeat: the study itself on the same day, and its other component within the days of one study."""
    if view.first is None or service.day == view.first:
        return True
    most = rulebook.limit(ONE_STUDY, view.first)
    if most is not None and (view.first - service.day).days > most:
        return False
    here, there = (
        frozenset(rulebook.lists.among(COMPONENTS, modifiers, view.first.toordinal()))
        for modifiers in (view.line.modifiers, service.modifiers)
    )
    return service.code == view.line.procedure and len(here) == len(there) == 1 and here != there


def _months(earlier: date, later: date) -> int:
    """Calendar months from the one's month to the other's."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def _first_of_month_after(day: date, months: int) -> str:
    """The first day of the month so many months later, as ISO text: the calendar ends with the year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return f"{year}-{month + 1:02}-01"
