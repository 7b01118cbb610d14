"""Defines the rows of the tables of the Medicare Coverage Database: local coverage articles and policies.

`since` is the first day in force, `until` the first day no longer in force; None = open. `source` is a short citation.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

CoverageTest = Literal["covered", "excluded"]


class CoverageArticle(NamedTuple):
    """A version of a local coverage article ("A57132"). One that lists no covered diagnoses states them in its text."""

    article: str
    version: str
    title: str
    retired: bool
    since: date | None
    until: date | None
    source: str


class ArticleProcedure(NamedTuple):
    """A CPT or HCPCS code that an article lists; `group` is a number within this article."""

    article: str
    version: str
    code: str
    group: str
    since: date | None
    until: date | None
    source: str


class ArticleDiagnosis(NamedTuple):
    """A diagnosis in an article's group of covered or of excluded ones. `noted`: an asterisk, a note narrows it."""

    article: str
    version: str
    test: CoverageTest
    group: str
    code: str
    noted: bool
    since: date | None
    until: date | None
    source: str


class ArticleList(NamedTuple):
    """States that an article lists covered, or excluded, diagnoses; one without covered ones has them in its text."""

    article: str
    version: str
    test: CoverageTest
    since: date | None
    until: date | None
    source: str


class ArticleGroup(NamedTuple):
    """A group of an article's procedures or diagnoses. `worded`: a paragraph states a condition for the group.

    `names` are the procedure codes in that paragraph, separated by blanks; a range is FIRST-LAST, and `group-2` a group
    of procedures of the article. Diagnoses of a group that only names procedures apply to these alone.
    """

    article: str
    version: str
    test: Literal["procedure", "covered", "excluded"]
    group: str
    worded: bool
    names: str
    since: date | None
    until: date | None
    source: str


class ArticleContractor(NamedTuple):
    """Whose article it is, by the database's own key of contractors."""

    article: str
    version: str
    contractor_key: str
    since: date | None
    until: date | None
    source: str


class ArticlePolicy(NamedTuple):
    """The local coverage determination ("L36460") that an article goes with."""

    article: str
    version: str
    lcd: str
    since: date | None
    until: date | None
    source: str


class CoverageContractor(NamedTuple):
    """The contractor number ("15102") and name behind a key of the coverage database."""

    contractor_key: str
    contractor: str
    name: str
    since: date | None
    until: date | None
    source: str


class ContractorRegion(NamedTuple):
    """A state, or a part of a split one, that a contractor of the coverage database serves on these days."""

    contractor_key: str
    region: str
    since: date | None
    until: date | None
    source: str


class CoverageRegion(NamedTuple):
    """The postal abbreviation of a region of the coverage database; parts of split states have their own ("DN")."""

    region: str
    state: str
    since: date | None
    until: date | None
    source: str


class CoveragePolicy(NamedTuple):
    """A version of a local coverage determination: title and days."""

    lcd: str
    version: str
    title: str
    retired: bool
    since: date | None
    until: date | None
    source: str
