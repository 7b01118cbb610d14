"""Reads csv exports of the Medicare Coverage Database: local coverage by contractor and code.

An export is many tables; each is a format of its own, and look-ups join them: a code leads to articles, an article to
its contractors, its groups and its diagnoses of the same version. Descriptions are the AMA's and are dropped. An
article that lists no covered diagnosis states them in its text, if at all: they are unknown.

Groups are numbered within each article, and a paragraph says when a group applies. Most paragraphs only name codes:
"The following ICD-10-CM codes support medical necessity for CPT code 77080". These consist of codes, ranges, groups of
procedures and the words of NAMING_WORDS. A paragraph with anything else states a condition, which only a reader of the
article can judge.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal, NamedTuple

from scrubber.reference.coverage_rows import (
    ArticleContractor,
    ArticleDiagnosis,
    ArticleGroup,
    ArticleList,
    ArticlePolicy,
    ArticleProcedure,
    ContractorRegion,
    CoverageArticle,
    CoverageContractor,
    CoveragePolicy,
    CoverageRegion,
    CoverageTest,
)
from scrubber.reference.load.format import Format, SourceFile, StatedRelease
from scrubber.reference.load.text_rows import Convert, begins_with, day_after, iso_day, matching, records, us_day
from scrubber.reference.local_coverage import shape

_CODES = ("range", "last_updated", "long_description", "short_description")
_VERSIONED = ("article_id", "article_version")
_CONTRACTOR_KEY_COLUMNS = ("contractor_id", "contractor_type_id", "contractor_version")

ARTICLE = (
    *_VERSIONED, "article_type", "title", "article_pub_date", "article_eff_date", "article_end_date", "description",
    "other_comments", "sad_url", "status", "last_updated", "history_exp", "key_article", "icd9_covered_para",
    "icd9_noncovered_para", "revenue_para", "thirty_percent", "article_rev_end_date", "source_article_id",
    "date_retired", "keywords", "icd10_doc", "add_icd10_info", "cms_cov_policy", "display_id", "reference_article",
)  # fmt: skip
PROCEDURES = (*_VERSIONED, "hcpc_code_id", "hcpc_code_version", "hcpc_code_group", *_CODES)
PROCEDURE_GROUPS = (*_VERSIONED, "hcpc_code_group", "paragraph", "last_updated")
COVERED = (
    *_VERSIONED, "icd10_code_id", "icd10_code_version", "icd10_covered_group", "range", "last_updated", "sort_order",
    "description", "asterisk",
)  # fmt: skip
COVERED_GROUPS = (*_VERSIONED, "icd10_covered_group", "paragraph", "last_updated", "icd10_covered_ast")
NONCOVERED = (
    *_VERSIONED, "icd10_code_id", "icd10_code_version", "icd10_noncovered_group", "range", "last_updated",
    "sort_order", "description",
)  # fmt: skip
NONCOVERED_GROUPS = (*_VERSIONED, "icd10_noncovered_group", "paragraph", "last_updated")
ARTICLE_CONTRACTORS = (*_VERSIONED, "article_type", *_CONTRACTOR_KEY_COLUMNS, "last_updated")
RELATED = (
    *_VERSIONED, "related_num", "r_article_id", "r_article_version", "r_lcd_id", "r_lcd_version", "r_contractor_id",
    "last_updated",
)  # fmt: skip
LCD = (
    "lcd_id", "lcd_version", "title", "determination_number", "orig_det_eff_date", "ent_det_end_date", "rev_eff_date",
    "rev_end_date", "indication", "diagnoses_support", "icd9_dont_support_para", "icd9_dont_support_ast",
    "diagnoses_dont_support", "coding_guidelines", "doc_reqs", "appendices", "util_guide", "source_info",
    "adv_meeting", "comment_start_dt", "comment_end_dt", "notice_start_dt", "rev_hist_num", "history_exp",
    "last_reviewed_on", "status", "last_updated", "cms_cov_policy", "display_id", "draft_contact", "revenue_para",
    "thirty_percent", "keywords", "associated_info", "notice_end_dt", "date_retired", "draft_released_date",
    "source_lcd_id", "add_icd10_info", "icd10_doc", "synopsis_changes", "bibliography", "summary_of_evidence",
    "analysis_of_evidence", "mcd_publish_date", "issue", "issue_change", "mac_initiated",
)  # fmt: skip
CONTRACTOR = (
    *_CONTRACTOR_KEY_COLUMNS, "contractor_bus_name", "contractor_number", "dmerc_rgn", "address1", "address2",
    "address3", "city", "state_id", "zipcode", "phone", "fax", "status", "last_updated", "url", "email", "ignore",
    "status_flag", "cmd_name", "cmd_title", "contractor_subtype_id",
)  # fmt: skip
JURISDICTION = (*_CONTRACTOR_KEY_COLUMNS, "state_id", "last_updated", "active_date", "term_date")
STATE = ("state_id", "state_abbrev", "description")


GroupTest = Literal["procedure", "covered", "excluded"]

BLANK_PARAGRAPHS = ("", "N/A", "NA", "NONE")
NAMING_WORDS = frozenset((
    "a", "and", "any", "are", "as", "below", "billing", "code", "codes", "considered", "coverage", "covered", "cpt",
    "diagnoses", "diagnosis", "following", "follows", "for", "hcpcs", "icd", "ii", "indicate", "indicates", "is",
    "level", "list", "listed", "medical", "medically", "necessary", "necessity", "of", "or", "paragraph",
    "procedure", "procedures", "provide", "provided", "provides", "reasonable", "support", "supported",
    "supporting", "supports", "that", "the", "these", "this", "to", "which",
))  # fmt: skip
DENYING = frozenset(("not", "non", "noncovered"))
OF_EXCLUDED = NAMING_WORDS | DENYING | {"do", "does"}
AFFIRMING = frozenset((
    "considered", "coverage", "covered", "necessary", "provide", "provided", "provides", "support", "supports",
))  # fmt: skip

_CODE = r"[0-9]{4}[0-9AFMTU]|[A-Z][0-9]{4}"
_PROCEDURES = r"(?:CPT|HCPCS|procedures?)(?:[\s/,&]*(?:and|or)?[\s/]*(?:CPT|HCPCS|procedures?))*(?:\s+codes?)?"
_tag = re.compile(r"<[^>]*>|\(s\)")
_codes_in_text = re.compile(rf"\b({_CODE})\b(?:\s*(?:[-\u2013]|through|to)\s*({_CODE})\b)?")
_classification = re.compile(r"\bICD[- ]?10(?:[- ]?CM)?\b", re.IGNORECASE)
_heading = re.compile(r"group\s*([0-9]{1,3})(?:\s+paragraph|\s+codes?)?\s*(?::|$)", re.IGNORECASE)
_procedure_group = re.compile(
    rf"\b{_PROCEDURES}\s+(?:listed\s+)?(?:in|from)\s+group\s*([0-9]{{1,3}})\b|\bgroup\s*([0-9]{{1,3}})\s+{_PROCEDURES}\b",
    re.IGNORECASE,
)
_separators = re.compile(r"[\s.,:;()/&\u2013-]+")


class Paragraph(NamedTuple):
    """`worded`: it states a condition. `names`: procedure codes, ranges FIRST-LAST, and groups such as `group-2`."""

    worded: bool
    names: tuple[str, ...]


def read_paragraph(paragraph: str, test: GroupTest, group: str) -> Paragraph:
    """What the paragraph (HTML) of a group says; `group` is that group's own number."""
    text = " ".join(html.unescape(_tag.sub(" ", paragraph)).split())
    if text.strip(" .").upper() in BLANK_PARAGRAPHS:
        return Paragraph(False, ())
    rest = _procedure_group.sub(" ", _classification.sub(" ", _without_heading(text, group)))
    ranges = [(first, last or first) for first, last in _codes_in_text.findall(rest)]
    groups = [f"group-{one or other}" for one, other in _procedure_group.findall(text)]
    names = ["-".join(dict.fromkeys(codes)) for codes in ranges]
    known = _only_known_words(_codes_in_text.sub(" ", rest), test) and all(_is_range(*codes) for codes in ranges)
    own_only = test != "procedure" or set(groups) <= {f"group-{group}"}
    return Paragraph(not (known and own_only), tuple(dict.fromkeys(names + groups)))


def _is_range(first: str, last: str) -> bool:
    """Whether two codes are the ends of a range: 0554T and 0557T are, 77080 and G0130 are not."""
    return shape(first) == shape(last) and first <= last


def _without_heading(text: str, group: str) -> str:
    """The text behind "Group 1:", where that is the group's own number."""
    found = _heading.match(text)
    return text[found.end() :] if found and found[1] == group else text


def _only_known_words(text: str, test: GroupTest) -> bool:
    words = {word.lower() for word in _separators.split(text) if word}
    if test != "excluded":
        return words <= NAMING_WORDS
    return words <= OF_EXCLUDED and (not words & AFFIRMING or bool(words & DENYING))


KIND = "mcd"
SOURCE = "CMS Medicare Coverage Database"
NO_CODE = ("", "XX000", "N/A")  # how an article says that a list does not apply
PUBLISHED = {"A": False, "F": False, "R": True}  # status -> retired; drafts and proposals are no policy yet

_NUMBER = re.compile(r"[0-9]{1,9}")
_PROCEDURE = re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]")
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_CONTRACTOR = re.compile(r"[0-9A-Z]{1,10}")


def _article(cells: Sequence[str]) -> CoverageArticle | None:
    number, version, title, begins, ends, revision_ends, retired, status = cells
    since = _day(begins, "article_eff_date")
    until = _earliest_end(
        (ends, "article_end_date"), (revision_ends, "article_rev_end_date"), (retired, "date_retired")
    )
    if status not in PUBLISHED or _never(since, until):
        return None
    return CoverageArticle(*_which(number, version), title, PUBLISHED[status], since, until, SOURCE)


def _policy(cells: Sequence[str]) -> CoveragePolicy | None:
    number, version, title, begins, revised, ends, revision_ends, retired, status = cells
    since = _day(revised, "rev_eff_date") or _day(begins, "orig_det_eff_date")
    until = _earliest_end((ends, "ent_det_end_date"), (revision_ends, "rev_end_date"), (retired, "date_retired"))
    if status not in PUBLISHED or _never(since, until):
        return None
    lcd = f"L{_number(number, 'lcd_id')}"
    return CoveragePolicy(lcd, _number(version, "lcd_version"), title, PUBLISHED[status], since, until, SOURCE)


def _procedure(cells: Sequence[str]) -> ArticleProcedure | None:
    number, version, code, group = cells
    if code in NO_CODE:
        return None
    code = matching(code, _PROCEDURE, "hcpc_code_id", "a CPT or HCPCS code")
    return ArticleProcedure(*_which(number, version), code, _number(group, "hcpc_code_group"), None, None, SOURCE)


def _covered(cells: Sequence[str]) -> ArticleDiagnosis | None:
    return _diagnosis(cells[:4], "covered", noted=cells[4] == "Y")


def _excluded(cells: Sequence[str]) -> ArticleDiagnosis | None:
    return _diagnosis(cells, "excluded", noted=False)


def _diagnosis(cells: Sequence[str], test: CoverageTest, noted: bool) -> ArticleDiagnosis | None:
    number, version, code, group = cells
    if code in NO_CODE:
        return None
    code = matching(code.replace(".", ""), _DIAGNOSIS, "icd10_code_id", "an ICD-10-CM code")
    group = _number(group, f"icd10_{'covered' if test == 'covered' else 'noncovered'}_group")
    return ArticleDiagnosis(*_which(number, version), test, group, code, noted, None, None, SOURCE)


def _group_of(test: GroupTest, column: str) -> Convert:
    def convert(cells: Sequence[str]) -> ArticleGroup:
        number, version, group, paragraph = cells
        found = read_paragraph(paragraph, test, _number(group, column))
        return ArticleGroup(
            *_which(number, version), test, group, found.worded, " ".join(found.names), None, None, SOURCE
        )

    return convert


def _article_contractor(cells: Sequence[str]) -> ArticleContractor:
    return ArticleContractor(*_which(*cells[:2]), _key(cells[2:]), None, None, SOURCE)


def _related(cells: Sequence[str]) -> ArticlePolicy | None:
    number, version, lcd = cells
    if not lcd:  # it is related to another article
        return None
    return ArticlePolicy(*_which(number, version), f"L{_number(lcd, 'r_lcd_id')}", None, None, SOURCE)


def _contractor(cells: Sequence[str]) -> CoverageContractor | None:
    *key, name, contractor = cells
    if not contractor:
        return None
    contractor = matching(contractor, _CONTRACTOR, "contractor_number", "a contractor number")
    return CoverageContractor(_key(key), contractor, name, None, None, SOURCE)


def _jurisdiction(cells: Sequence[str]) -> ContractorRegion | None:
    *key, region, begins, ends = cells
    since, until = _day(begins, "active_date"), _earliest_end((ends, "term_date"))
    if _never(since, until):
        return None
    return ContractorRegion(_key(key), _number(region, "state_id"), since, until, SOURCE)


def _region(cells: Sequence[str]) -> CoverageRegion | None:
    region, state = cells
    return CoverageRegion(_number(region, "state_id"), state, None, None, SOURCE) if state else None


def _which(number: str, version: str) -> tuple[str, str]:
    return f"A{_number(number, 'article_id')}", _number(version, "article_version")


def _key(cells: Sequence[str]) -> str:
    return "-".join(_number(cell, name) for cell, name in zip(cells, _CONTRACTOR_KEY_COLUMNS, strict=True))


def _number(cell: str, column: str) -> str:
    return matching(cell, _NUMBER, column, "a whole number")


def _day(cell: str, column: str) -> date | None:
    """2024-01-04 or 01/04/2024, each with or without a time."""
    return us_day(cell.split(" ")[0], column) if "/" in cell else iso_day(cell, column)


def _earliest_end(*last_days: tuple[str, str]) -> date | None:
    """The first day after the earliest of published last days."""
    return min(filter(None, (day_after(_day(cell, column)) for cell, column in last_days)), default=None)


def _never(since: date | None, until: date | None) -> bool:
    """Whether it ended before it began."""
    return since is not None and until is not None and until <= since


def _with_lists(rows: Iterator[NamedTuple]) -> Iterator[NamedTuple]:
    """The rows, with an ArticleList before the first diagnosis of an article: it says that there is a list at all."""
    last: ArticleList | None = None
    for row in rows:
        if isinstance(row, ArticleDiagnosis):
            of_row = ArticleList(row.article, row.version, row.test, None, None, SOURCE)
            if of_row != last:
                yield of_row
                last = of_row
        yield row


def _format(name: str, header: tuple[str, ...], known_by: int, wanted: tuple[str, ...], convert: Convert) -> Format:
    """The format of one table: `known_by` first columns of its header tell it from all others."""

    def recognise(head: bytes) -> bool:
        return begins_with(head, header[:known_by])

    def read(source: SourceFile) -> Iterator[NamedTuple]:
        return _with_lists(records(source, header, wanted, convert))

    return Format(KIND, f"Medicare Coverage Database table {name}", recognise, _stated, read)


def _stated(source: SourceFile) -> StatedRelease:  # noqa: ARG001 (the signature of every format)
    """Nothing: no table says when it was exported."""
    return StatedRelease()


_VERSION = ARTICLE[:2]
_CONTRACTOR_KEY = CONTRACTOR[:3]
FORMATS = (
    _format(
        "article", ARTICLE, 4,
        (*_VERSION, "title", "article_eff_date", "article_end_date", "article_rev_end_date", "date_retired", "status"),
        _article,
    ),
    _format("article_x_hcpc_code", PROCEDURES, 4, (*_VERSION, "hcpc_code_id", "hcpc_code_group"), _procedure),
    _format(
        "article_x_hcpc_code_group", PROCEDURE_GROUPS, 4, PROCEDURE_GROUPS[:4],
        _group_of("procedure", "hcpc_code_group"),
    ),
    _format(
        "article_x_icd10_covered", COVERED, 5,
        (*_VERSION, "icd10_code_id", "icd10_covered_group", "asterisk"), _covered,
    ),
    _format(
        "article_x_icd10_covered_group", COVERED_GROUPS, 4, COVERED_GROUPS[:4],
        _group_of("covered", "icd10_covered_group"),
    ),
    _format(
        "article_x_icd10_noncovered", NONCOVERED, 5,
        (*_VERSION, "icd10_code_id", "icd10_noncovered_group"), _excluded,
    ),
    _format(
        "article_x_icd10_noncovered_group", NONCOVERED_GROUPS, 4, NONCOVERED_GROUPS[:4],
        _group_of("excluded", "icd10_noncovered_group"),
    ),
    _format(
        "article_x_contractor", ARTICLE_CONTRACTORS, 4, (*_VERSION, *_CONTRACTOR_KEY), _article_contractor,
    ),
    _format("article_related_documents", RELATED, 3, (*_VERSION, "r_lcd_id"), _related),
    _format(
        "contractor", CONTRACTOR, 4, (*_CONTRACTOR_KEY, "contractor_bus_name", "contractor_number"),
        _contractor,
    ),
    _format(
        "contractor_jurisdiction", JURISDICTION, 4,
        (*_CONTRACTOR_KEY, "state_id", "active_date", "term_date"), _jurisdiction,
    ),
    _format("state_lookup", STATE, 2, ("state_id", "state_abbrev"), _region),
    _format(
        "lcd", LCD, 3,
        ("lcd_id", "lcd_version", "title", "orig_det_eff_date", "rev_eff_date", "ent_det_end_date", "rev_end_date",
         "date_retired", "status"),
        _policy,
    ),
)  # fmt: skip
