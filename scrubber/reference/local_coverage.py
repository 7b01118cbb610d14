"""Finds the local coverage articles of Medicare contractors that list a code on a day, and holds diagnoses against
them.

The latest version of an article that has begun counts, and only while it is in force: a code that a later version
dropped is no longer listed. Lists alone do not always decide. Where a paragraph states when a group applies, where an
asterisk marks a diagnosis, or where no covered diagnosis is listed at all, only a reader of the article can judge. A
paragraph that only names procedure codes says which of them its list is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol, get_args

from scrubber.dated_rows import in_force
from scrubber.reference.coverage_rows import ArticleDiagnosis, ArticleGroup, CoverageArticle, CoverageTest
from scrubber.reference.tables import (
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

Decides = Literal["lists", "exclusions", "paragraphs", "text"]
DECIDES: tuple[Decides, ...] = get_args(Decides)
DiagnosisGroup = tuple[str, str]  # of diagnoses: covered or excluded, and its number
GROUP = "group-"  # before the number of a group of procedures, among the names of a group
_AS_ZERO = str.maketrans("123456789", "000000000")
DiagnosisResult = Literal["listed", "noted", "not-listed", "excluded-only", "no-diagnosis"]


class RowLookup(Protocol):
    """A function that returns the rows of a table by key, of the release in use on a day."""

    def __call__(self, table: Table[R], key: str, day: date, /) -> tuple[R, ...]:
        """In the order of the release."""


class LocalArticle(NamedTuple):
    """A version of an article that lists a code, and the numbers of the contractors whose it is.

    `lcds` are the ids of the coverage determinations that it goes with.

    `decides` says whether its diagnosis lists can be judged by themselves: "lists"; "exclusions", when all that it
    lists is what is not covered; or not, since "paragraphs" say when they apply, or since it lists nothing ("text").
    `others` are its groups of diagnoses that are for other codes than the one asked for.
    """

    row: CoverageArticle
    contractors: tuple[str, ...]
    lcds: tuple[str, ...]
    decides: Decides
    others: frozenset[DiagnosisGroup]


def local_articles(code: str, day: date, rows: RowLookup) -> tuple[LocalArticle, ...]:
    """The articles in force on a day that list the code, of every contractor, by article id."""
    listing = rows(ARTICLE_PROCEDURES, code, day)
    found = []
    for article in sorted({row.article for row in listing}):
        version = _version(article, day, rows)
        groups = {row.group for row in listing if version and _of(version, row)}
        if version and groups:
            found.append(_local(version, code, groups, day, rows))
    return tuple(found)


def diagnosis_result(article: LocalArticle, diagnoses: Collection[str], day: date, rows: RowLookup) -> DiagnosisResult:
    """Diagnoses (no dots) compared with the lists of an article. Noted: each listed one has a note that narrows it."""
    if not diagnoses:
        return "no-diagnosis"
    tests = [_tests(article, code, day, rows) for code in diagnoses]
    covered = [found for found in tests if "covered" in found and "excluded" not in found]
    if covered:
        return "listed" if any("noted" not in found for found in covered) else "noted"
    return "excluded-only" if all("excluded" in found for found in tests) else "not-listed"


def _version(article: str, day: date, rows: RowLookup) -> CoverageArticle | None:
    """The latest version begun by the day, if that is still in force."""
    begun = [row for row in rows(ARTICLES, article, day) if row.since is None or row.since <= day]
    latest = max(begun, key=lambda row: (row.since or date.min, int(row.version)), default=None)
    if latest is None or not in_force(latest, day) or (latest.retired and latest.until is None):
        return None
    return latest


def _local(version: CoverageArticle, code: str, groups: Collection[str], day: date, rows: RowLookup) -> LocalArticle:
    lcds = {row.lcd for row in rows(ARTICLE_POLICIES, version.article, day) if _of(version, row)}
    worded_groups = [row for row in rows(ARTICLE_GROUPS, version.article, day) if _of(version, row)]
    others = frozenset(
        (row.test, row.group) for row in worded_groups if row.test != "procedure" and not _speaks_of(row, code, groups)
    )
    tests = {row.test for row in rows(ARTICLE_LISTS, version.article, day) if _of(version, row)}
    worded = any(row.worded and (row.test != "procedure" or row.group in groups) for row in worded_groups)
    return LocalArticle(
        version,
        _contractors(version, day, rows),
        tuple(sorted(lcds)),
        _decides(tests, worded_groups, others, worded),
        others,
    )


def _speaks_of(row: ArticleGroup, code: str, groups: Collection[str]) -> bool:
    """Whether a group of diagnoses is for a procedure, which is in these groups of procedures."""
    names = () if row.worded else row.names.split()
    return not names or any(_names_code(name, code, groups) for name in names)


def _names_code(name: str, code: str, groups: Collection[str]) -> bool:
    if name.startswith(GROUP):
        return name.removeprefix(GROUP) in groups
    first, _, last = name.partition("-")
    return first <= code <= (last or first) and shape(first) == shape(code)


def shape(code: str) -> str:
    """A code with 0 for every digit; codes of different shape, such as 0554T and 77080, are never in one range."""
    return code.translate(_AS_ZERO)


def _contractors(version: CoverageArticle, day: date, rows: RowLookup) -> tuple[str, ...]:
    keys = [row.contractor_key for row in rows(ARTICLE_CONTRACTORS, version.article, day) if _of(version, row)]
    return tuple(sorted({row.contractor for key in keys for row in rows(COVERAGE_CONTRACTORS, key, day)}))


def _decides(
    tests: Collection[CoverageTest],
    worded_groups: Collection[ArticleGroup],
    others: Collection[DiagnosisGroup],
    worded: bool,
) -> Decides:
    if "covered" in tests:
        groups = [(row.test, row.group) for row in worded_groups if row.test == "covered"]
        for_it = not groups or any(group not in others for group in groups)
        return "paragraphs" if worded else "lists" if for_it else "text"
    return "exclusions" if "excluded" in tests and not worded else "text"


def _tests(article: LocalArticle, diagnosis: str, day: date, rows: RowLookup) -> frozenset[str]:
    """The lists that one diagnosis is on: covered, excluded; and "noted" when every covered entry has a note."""
    listing = rows(ARTICLE_DIAGNOSES, article_key(article.row.article, diagnosis), day)
    return frozenset(
        _test_results([row for row in listing if _of(article.row, row) and (row.test, row.group) not in article.others])
    )


def _test_results(found: Collection[ArticleDiagnosis]) -> Iterator[str]:
    yield from (row.test for row in found)
    if all(row.noted for row in found if row.test == "covered"):
        yield "noted"


def _of(version: CoverageArticle, row: Any) -> bool:
    return bool(row.article == version.article and row.version == version.version)
