"""Facts of coverage where no policy row speaks: what a loaded article of the Medicare contractor lists for a code."""

from __future__ import annotations

from typing import Any, Literal

from scrubber.facts.abn import Notices
from scrubber.facts.fact import Fact
from scrubber.facts.lines import LineView
from scrubber.reference import Reference
from scrubber.reference.coverage import LocalArticle
from scrubber.rulebook.rule import Authority

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
    judged = ((article, _judge(article, view, reference)) for article in reference.coverage(code, contractor, day))
    answers = [(article, *found) for article, found in judged if found is not None]
    if not answers:
        return None
    article, status, test = min(answers, key=lambda answer: _BEST_FIRST.index(answer[2]))
    values = view.values | {"status": status, "effect": "warn", "diagnosisTest": test, "frequencyTest": "no-limit"}
    values |= notices.state(view) | {"noticeHolds": notices.holds(view)}
    title = _title(article)
    says = {"policy": f"{title}, {_WHY_UNKNOWN[article.decides]}" if status == "unknown" else title}
    authority = Authority("payer-policy", title, f"version {article.row.version}", binding=True)
    evidence = _evidence(article, status, contractor)
    return Fact("coverage", values, (view.number,), says=says, evidence=evidence, authority=(authority,))


def _judge(article: LocalArticle, view: LineView, reference: Reference) -> tuple[Status, str] | None:
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
