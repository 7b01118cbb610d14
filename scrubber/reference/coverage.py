"""Look-ups of facts and money: the local coverage articles of Medicare contractors that list a code on a day.

Of an article its latest version that has begun counts, and only while that runs: a code that a later version dropped
is listed no more. Lists alone do not always decide: where a paragraph says in words what a group is for, or an
asterisk notes a diagnosis, or no covered diagnosis is listed at all, only a reader of the article can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol, get_args

from scrubber.reference.catalogue import (
    ARTICLE_CONTRACTORS,
    ARTICLE_DIAGNOSES,
    ARTICLE_GROUPS,
    ARTICLE_LISTS,
    ARTICLE_POLICIES,
    ARTICLE_PROCEDURES,
    ARTICLES,
    COVERAGE_CONTRACTORS,
    R,
    Table,
    article_key,
)
from scrubber.reference.coverage_rows import ArticleDiagnosis, CoverageArticle
from scrubber.tables import in_force

Decides = Literal["lists", "paragraphs", "text"]
DECIDES: tuple[Decides, ...] = get_args(Decides)
DiagnosisWord = Literal["listed", "noted", "not-listed", "excluded-only", "no-diagnosis"]


class Lookup(Protocol):
    """Rows of a table by key, of the release that answers for a day."""

    def __call__(self, table: Table[R], key: str, day: date, /) -> tuple[R, ...]:
        """In the order of the release."""


class LocalArticle(NamedTuple):
    """A version of an article that lists a code, and the numbers of the contractors whose it is.

    `lcds` are the ids of the coverage determinations that it goes with.

    `decides` says whether its diagnosis lists can be judged by themselves: "lists"; or not, since "paragraphs" say
    when they apply, or since it has no list of covered diagnoses ("text").
    """

    row: CoverageArticle
    contractors: tuple[str, ...]
    lcds: tuple[str, ...]
    decides: Decides


def local_articles(code: str, day: date, rows: Lookup) -> tuple[LocalArticle, ...]:
    """The articles in force on a day that list the code, of every contractor, by article id."""
    listing = rows(ARTICLE_PROCEDURES, code, day)
    found = []
    for article in sorted({row.article for row in listing}):
        version = _version(article, day, rows)
        groups = {row.group for row in listing if version and _of(version, row)}
        if version and groups:
            found.append(_local(version, groups, day, rows))
    return tuple(found)


def judged(article: LocalArticle, diagnoses: Collection[str], day: date, rows: Lookup) -> DiagnosisWord:
    """Diagnoses (no dots) against the lists of an article. Noted: what is listed has a note that narrows it."""
    if not diagnoses:
        return "no-diagnosis"
    tests = [_tests(article.row, code, day, rows) for code in diagnoses]
    covered = [found for found in tests if "covered" in found and "excluded" not in found]
    if covered:
        return "listed" if any("noted" not in found for found in covered) else "noted"
    return "excluded-only" if all("excluded" in found for found in tests) else "not-listed"


def _version(article: str, day: date, rows: Lookup) -> CoverageArticle | None:
    """The latest version begun by the day, if that is still in force."""
    begun = [row for row in rows(ARTICLES, article, day) if row.since is None or row.since <= day]
    latest = max(begun, key=lambda row: (row.since or date.min, int(row.version)), default=None)
    if latest is None or not in_force(latest, day) or (latest.retired and latest.until is None):
        return None
    return latest


def _local(version: CoverageArticle, groups: Collection[str], day: date, rows: Lookup) -> LocalArticle:
    lcds = {row.lcd for row in rows(ARTICLE_POLICIES, version.article, day) if _of(version, row)}
    return LocalArticle(
        version, _contractors(version, day, rows), tuple(sorted(lcds)), _decides(version, groups, day, rows)
    )


def _contractors(version: CoverageArticle, day: date, rows: Lookup) -> tuple[str, ...]:
    keys = [row.contractor_key for row in rows(ARTICLE_CONTRACTORS, version.article, day) if _of(version, row)]
    return tuple(sorted({row.contractor for key in keys for row in rows(COVERAGE_CONTRACTORS, key, day)}))


def _decides(version: CoverageArticle, groups: Collection[str], day: date, rows: Lookup) -> Decides:
    lists = rows(ARTICLE_LISTS, version.article, day)
    if not any(row.test == "covered" for row in lists if _of(version, row)):
        return "text"
    worded = (row for row in rows(ARTICLE_GROUPS, version.article, day) if row.worded and _of(version, row))
    return "paragraphs" if any(row.test != "procedure" or row.group in groups for row in worded) else "lists"


def _tests(version: CoverageArticle, diagnosis: str, day: date, rows: Lookup) -> frozenset[str]:
    """What is said of one diagnosis: covered, excluded, and noted when it is covered in no group without a note."""
    found: list[ArticleDiagnosis] = [
        row for row in rows(ARTICLE_DIAGNOSES, article_key(version.article, diagnosis), day) if _of(version, row)
    ]
    return frozenset(_words(found))


def _words(found: Collection[ArticleDiagnosis]) -> Iterator[str]:
    yield from (row.test for row in found)
    if all(row.noted for row in found if row.test == "covered"):
        yield "noted"


def _of(version: CoverageArticle, row: Any) -> bool:
    return bool(row.article == version.article and row.version == version.version)
