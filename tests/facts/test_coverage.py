"""Local coverage articles, loaded into a store, and what they make of claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.cli.codes import render_code
from scrubber.code_lookup import look_up_code
from scrubber.code_lookup.query import CodeQuestion
from scrubber.findings import Finding
from scrubber.reference import Reference, open_reference
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.load.loader import LoadRequest, load
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.reference.tables import TABLES
from scrubber.reference.typed_tables import MemoryBackend, TypedTables
from scrubber.response.codes import CodeAnswer, LocalArticleResponse, write_known_code
from tests.support.claims import VALID_ABN, office_claim, tbs_claim
from tests.support.coverage_export import ELSEWHERE, HERE, Rows, article, export
from tests.support.rule_folders import shipped_over

RULES = Path(__file__).resolve().parents[2] / "rules"
CODE = "71046"  # on the office claim of 2025-03-12 with R0602; no policy row speaks of it
DAY = date(2025, 3, 12)
LISTED = {"R06.02": "N", "J18.9": "N"}
OTHERS = {"J18.9": "N"}


def store_of(folder: Path, *articles: Mapping[str, Rows]) -> Path:
    store = folder / "store"
    store.mkdir()
    file = export(folder / "current_article.zip", *articles)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    wanted = LoadRequest("mcd", [str(file)], StatedRelease("2023", date(2023, 1, 1)), now, skip_bad_rows=False)
    load(FolderStorage(store), wanted, lambda rows, share: None)
    return store


def said(folder: Path, *articles: Mapping[str, Rows], body: Any = None) -> list[Finding]:
    """The findings about coverage of the office claim."""
    scrubber = shipped_over(store_of(folder, *articles))
    found = scrubber.scrub(read_v3(body or office_claim()), date(2025, 4, 1)).findings
    return [each for each in found if each.rule.pack == "payer-coverage"]


def ids(findings: list[Finding]) -> list[str]:
    return [each.rule.id for each in findings]


def test_a_listed_diagnosis_is_no_finding(tmp_path: Path) -> None:
    assert said(tmp_path, article("90001", CODE, covered=LISTED)) == []


def test_no_listed_diagnosis_warns_with_the_article_behind_it(tmp_path: Path) -> None:
    [found] = said(tmp_path, article("90001", CODE, version="7", covered=OTHERS))
    assert (found.rule.id, found.lines) == ("payer-coverage-diagnosis-not-listed", (4,))
    assert "local coverage article A90001 (L90009)" in found.message
    assert found.evidence == {
        "article": "A90001",
        "version": "7",
        "since": "2024-01-01",
        "lcds": ("L90009",),
        "contractor": HERE,
        "status": "covered",
        "effect": "warn",
        "decides": "lists",
        "diagnosisTest": "not-listed",
        "source": "CMS Medicare Coverage Database",
    }
    by = found.authority[-1]
    assert (by.kind, by.title, by.locator, by.binding) == (
        "payer-policy", "local coverage article A90001 (L90009)", "version 7", True,
    )  # fmt: skip


def test_only_excluded_diagnoses_warn(tmp_path: Path) -> None:
    found = said(tmp_path, article("90001", CODE, covered=OTHERS, excluded=["R06.02"]))
    assert ids(found) == ["payer-coverage-diagnosis-excluded"]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"covered": LISTED, "paragraph": "<p>One of group 1 and one of group 2</p>"}, "says in words"),
        ({"covered": LISTED, "procedure_paragraph": "These are not covered"}, "says in words"),
        ({"covered": {"R06.02": "Y"}}, "by a note"),
        ({"covered": LISTED, "paragraph": "The following support medical necessity for 71045"}, "no covered diagnoses"),
        ({"covered": LISTED, "paragraph": "Covered for CPT codes in group 2"}, "no covered diagnoses"),
        ({"covered": LISTED, "excluded": ["R07.9"], "paragraph": "For CPT code 71045"}, "no covered diagnoses"),
        ({}, "lists no covered diagnoses"),
    ],
)
def test_what_only_words_decide_is_unknown(tmp_path: Path, says: dict[str, Any], why: str) -> None:
    [found] = said(tmp_path, article("90001", CODE, **says))
    assert found.rule.id == "payer-coverage-unknown"
    assert why in found.message


@pytest.mark.parametrize(
    "paragraph",
    [
        "<p>The following ICD-10-CM codes support medical necessity and provide coverage for CPT code 71046:</p>",
        "ICD-10-CM codes for CPT codes 71045-71048",
        "Group 1 Codes:",
        "Codes that support medical necessity for CPT/HCPCS codes in group 1",
    ],
)
def test_a_paragraph_that_only_names_leaves_it_to_the_list(tmp_path: Path, paragraph: str) -> None:
    (tmp_path / "other").mkdir()
    assert said(tmp_path, article("90001", CODE, covered=LISTED, paragraph=paragraph)) == []
    others = said(tmp_path / "other", article("90001", CODE, covered=OTHERS, paragraph=paragraph))
    assert ids(others) == ["payer-coverage-diagnosis-not-listed"]


def test_a_group_for_other_codes_lists_nothing_for_this_one(tmp_path: Path) -> None:
    of_two = dict(article("90001", CODE, covered=OTHERS, paragraph=f"For CPT code {CODE}"))
    key = {"article_id": "90001", "article_version": "1", "icd10_covered_group": "2"}
    of_two["article_x_icd10_covered"] = [*of_two["article_x_icd10_covered"], key | {"icd10_code_id": "R06.02"}]
    of_two["article_x_icd10_covered_group"] = [
        *of_two["article_x_icd10_covered_group"], key | {"paragraph": "For CPT code 71045"},
    ]  # fmt: skip
    assert ids(said(tmp_path, of_two)) == ["payer-coverage-diagnosis-not-listed"]


def test_an_article_that_only_excludes_speaks_of_what_it_excludes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    [found] = said(tmp_path, article("90001", CODE, excluded=["R06.02"]))
    assert found.rule.id == "payer-coverage-diagnosis-excluded"
    assert found.evidence["decides"] == "exclusions"
    assert said(tmp_path / "other", article("90001", CODE, excluded=["J18.9"])) == []


@pytest.mark.parametrize(
    "other",
    [
        {"contractor": ELSEWHERE},
        {"begins": "2025-03-13"},
        {"article_end_date": "2025-03-11"},
        {"date_retired": "2025-03-11", "status": "R"},
        {"status": "R"},
        {"code": "71045"},
    ],
)
def test_articles_that_do_not_speak_of_the_line_are_silent(tmp_path: Path, other: dict[str, Any]) -> None:
    assert said(tmp_path, article("90001", **({"code": CODE, "covered": OTHERS} | other))) == []


def test_an_article_retired_later_speaks_until_then(tmp_path: Path) -> None:
    retired = article("90001", CODE, covered=OTHERS, date_retired="2025-03-12", status="R")
    assert ids(said(tmp_path, retired)) == ["payer-coverage-diagnosis-not-listed"]


def test_the_latest_version_begun_answers_alone(tmp_path: Path) -> None:
    versions = (
        article("90001", CODE, version="9", begins="2025-03-12", covered=OTHERS),
        article("90001", CODE, version="10", begins="2025-03-12", covered=LISTED),
        article("90001", CODE, version="11", begins="2025-03-13", covered=OTHERS),
    )
    assert said(tmp_path, *versions) == []


def test_a_code_that_the_latest_version_dropped_is_listed_no_more(tmp_path: Path) -> None:
    versions = (
        article("90001", CODE, version="9", covered=OTHERS),
        article("90001", "71045", version="10", begins="2025-01-01", covered=OTHERS),
    )
    assert said(tmp_path, *versions) == []


def test_of_several_articles_the_one_that_lists_the_diagnosis_answers(tmp_path: Path) -> None:
    assert said(tmp_path, article("90001", CODE, covered=OTHERS), article("90002", CODE, covered=LISTED)) == []


def test_an_article_of_original_medicare_says_nothing_of_other_payers(tmp_path: Path) -> None:
    body = office_claim()
    body["claimInformation"]["claimFilingCode"] = "CI"
    assert said(tmp_path, article("90001", CODE, covered=OTHERS), body=body) == []


def test_a_policy_row_of_the_rules_wins(tmp_path: Path) -> None:
    found = said(tmp_path, article("90001", "77092", covered=OTHERS), body=tbs_claim())
    assert ids(found) == ["payer-coverage-unknown"]
    assert "article" not in found[0].evidence


@pytest.mark.parametrize(("paragraph", "expected"), [("Only with a note", True), ("N/A", False)])
def test_a_notice_is_held_against_the_article_too(tmp_path: Path, paragraph: str, expected: bool) -> None:
    body = office_claim() | {"scrubContext": {"abn": [VALID_ABN | {"lines": [4]}]}}
    store = store_of(tmp_path, article("90001", CODE, covered=LISTED, paragraph=paragraph))
    found = shipped_over(store).scrub(read_v3(body), date(2025, 4, 1)).findings
    assert ("medicare-abn-abn-without-ga" in ids(list(found))) is expected


def test_a_place_without_articles_is_not_asked() -> None:
    reference = open_reference(None)
    assert not reference.has_articles
    assert reference.coverage(CODE, HERE, DAY) == ()


def test_memory_and_store_answer_alike(tmp_path: Path) -> None:
    articles = (
        article("90001", CODE, version="9", covered=OTHERS, excluded=["R06.02"]),
        article("90002", CODE, covered=LISTED, paragraph="Only with a note"),
        article("90003", CODE, contractor=ELSEWHERE),
    )
    stored = open_reference(str(store_of(tmp_path, *articles)))
    assert stored.has_articles
    for reference in (stored, _in_memory(stored)):
        here = reference.coverage(CODE, HERE, DAY)
        assert [(each.row.article, each.row.version, each.decides) for each in here] == [
            ("A90001", "9", "lists"),
            ("A90002", "1", "paragraphs"),
        ]
        words = [reference.article_diagnoses(each, ("R0602",), DAY) for each in here]
        assert words == ["excluded-only", "listed"]
        [there] = reference.coverage(CODE, ELSEWHERE, DAY)
        assert (there.row.article, there.lcds, there.decides) == ("A90003", ("L90009",), "text")


def _in_memory(stored: Reference) -> Reference:
    """The rows of a store in dicts."""
    digests = {release.table: release.sha256 for release in stored.releases()}
    tables = {
        TABLES[name]: tuple(row for _, rows in stored.backend.every(TABLES[name], digest) for row in rows)
        for name, digest in digests.items()
        if name.startswith(("article", "coverage"))
    }
    contents = TypedTables(tables, tuple(each for each in stored.releases() if TABLES[each.table] in tables))
    return Reference(MemoryBackend(*contents))


def test_what_is_known_of_a_code_has_its_articles(tmp_path: Path) -> None:
    articles = (article("90001", CODE, covered=OTHERS), article("90002", CODE, contractor=ELSEWHERE))
    scrubber = shipped_over(store_of(tmp_path, *articles))

    def told(**more: Any) -> list[tuple[str, list[str]]]:
        known = look_up_code(CodeQuestion(CODE, DAY, **more), scrubber.rulebook, scrubber.reference)
        local = write_known_code(CodeAnswer(known, ""))["localCoverage"]
        assert local["release"]["release"] == "2023"
        assert all(set(each) == set(LocalArticleResponse().fields) for each in local["articles"])
        for each in known.articles:
            assert each.row.article in render_code(known, 100)
        return [(each["article"], [*each["contractors"]]) for each in local["articles"]]

    assert told() == [("A90001", [HERE]), ("A90002", [ELSEWHERE])]
    assert told(zip="352330001") == [("A90001", [HERE])]
    assert told(line_of_business="commercial") == []
