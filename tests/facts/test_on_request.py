"""Fields that only some rules ask for are right, absent or unreadable, and are not made where none asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.facts.on_request import age, component
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.vocabulary import KINDS
from scrubber.scrub import Scrubber, open_scrubber, read_facts
from tests.support.claims import CLINIC_NPI, PHYSICIAN_NPI, Body, office_claim
from tests.support.rule_folders import LISTS, RULE, SHIPPED, put, rule_folder, with_lines

CI = "claimInformation"
RECEIVED = date(2026, 3, 20)
SITES = """\
sites-right,RT,,,,sample
sites-right,T5,T9,,,sample
sites-right,50,,,,sample
sites-left,LT,,,,sample
sites-left,TA,,,,sample
sites-left,T1,T4,,,sample
sites-left,50,,,,sample
sites-whole-side,RT,,,,sample
sites-whole-side,LT,,,,sample
sites-whole-side,50,,,,sample
sites-vessels,LD,,,,sample
"""
ASKED = {scope: [name for name, field in KINDS[scope].fields.items() if field.made_from] for scope in ("line", "claim")}


def scrubber_asking(folder: Path, scope: str, names: list[str]) -> Scrubber:
    """A scrubber with a rule for each name, which reads that alone."""
    rule_folder(folder)
    put(folder, "sample/tables/lists.csv", LISTS + SITES)
    for name in names:
        rule = with_lines(
            RULE,
            id=f"id: asks-{name.lower()}",
            title=f"title: Asks {name}",
            scope=f"scope: {scope}",
            applies="applies: {}",
            when=f"when: {{fact: {name}, is: absent}}",
            message='message: "It is so."',
        )
        put(folder, f"sample/family/asks-{name.lower()}.yaml", rule)
    return open_scrubber(folder, None)


@pytest.fixture(scope="module")
def of_line(tmp_path_factory: pytest.TempPathFactory) -> Scrubber:
    return scrubber_asking(tmp_path_factory.mktemp("line"), "line", ASKED["line"])


@pytest.fixture(scope="module")
def of_claim(tmp_path_factory: pytest.TempPathFactory) -> Scrubber:
    return scrubber_asking(tmp_path_factory.mktemp("claim"), "claim", ASKED["claim"])


def values(scrubber: Scrubber, body: Body, kind: str = "line") -> dict[str, Any]:
    """The values of the first fact of a kind."""
    facts = read_facts(read_v3(body), scrubber.rulebook, scrubber.reference, RECEIVED).facts
    return next(fact.values for fact in facts if fact.kind == kind)


def changed(change: Callable[[Body, Body], Any]) -> Body:
    """The office claim after a change of it, or of its first line."""
    body = office_claim()
    change(body, body[CI]["serviceLines"][0])
    return body


def rendering_in(body: Body) -> Body:
    """The entry of the rendering provider."""
    return next(each for each in body["providers"] if each["providerType"] == "RenderingProvider")


def with_modifiers(modifiers: Any) -> Body:
    return changed(lambda _, line: line["professionalService"].update(procedureModifiers=modifiers))


@pytest.mark.parametrize(
    ("modifiers", "side", "site"),
    [
        ([], None, None),
        (["59"], None, None),
        (["RT"], "right", "RT"),
        (["59", "LT"], "left", "LT"),
        (["50"], "both", "50"),
        (["RT", "LT"], "both", "RT"),
        (["T1"], "left", "T1"),
        (["LT", "TA"], "left", "TA"),
        (["T5", "LT"], "both", "T5"),
        (["LD"], None, "LD"),
    ],
)
def test_side_and_site_of_a_line(of_line: Scrubber, modifiers: list[str], side: str | None, site: str | None) -> None:
    found = values(of_line, with_modifiers(modifiers))
    assert (found.get("side"), found.get("site")) == (side, site)
    assert (found.get("side?"), found.get("site?")) == (
        None if side else "absent",
        None if site else "absent",
    )


@pytest.mark.parametrize(
    ("modifiers", "part"), [((), "whole"), (("59",), "whole"), (("59", "26"), "26"), (("TC", "RT"), "TC")]
)
def test_component_of_a_line(modifiers: tuple[str, ...], part: str) -> None:
    assert component(modifiers, date(2025, 3, 12), load_rulebook(SHIPPED).lists) == part


def test_modifiers_that_cannot_be_read_leave_what_is_made_of_them_unreadable(of_line: Scrubber) -> None:
    body = with_modifiers(["RT", {}])
    found = values(of_line, body)
    names = ("side", "site", "component", "firstModifier")
    assert {name: found.get(f"{name}?") for name in names} == dict.fromkeys(names, "unreadable")
    rows = of_line.scrub(read_v3(body), RECEIVED).not_checked
    assert {row.rule.id for row in rows if row.lines == (1,) and row.missing == ("modifiers",)} >= {
        f"asks-{name.lower()}" for name in names
    }


def test_who_rendered_and_who_bills(of_line: Scrubber) -> None:
    found = values(of_line, office_claim())
    assert (found["renderingProvider"], found["billingProvider"], found["specialty"]) == (
        PHYSICIAN_NPI,
        CLINIC_NPI,
        "207R00000X",
    )
    own = {"npi": "1555666779", "lastName": "Other", "firstName": "Kim", "taxonomyCode": "363L00000X"}
    found = values(of_line, changed(lambda _, line: line.update(renderingProvider=own)))
    assert (found["renderingProvider"], found["specialty"]) == ("1555666779", "363L00000X")
    found = values(of_line, changed(lambda body, _: body["providers"].remove(rendering_in(body))))
    assert (found["renderingProvider"], found["specialty"]) == (CLINIC_NPI, "207R00000X")
    found = values(of_line, changed(lambda body, _: rendering_in(body).pop("taxonomyCode")))
    assert found["specialty?"] == "absent"


def test_the_specialty_of_who_referred(of_line: Scrubber) -> None:
    """Of the line's own referring provider, else of the claim's."""
    assert values(of_line, office_claim())["referringSpecialty?"] == "absent"
    referring = {"npi": "1555666779", "lastName": "Other", "firstName": "Kim", "taxonomyCode": "363L00000X"}
    claim = changed(lambda body, _: body.update(referring=referring))
    assert values(of_line, claim)["referringSpecialty"] == "363L00000X"
    own = {**referring, "taxonomyCode": "208D00000X"}
    line = changed(lambda body, line: (body.update(referring=referring), line.update(referringProvider=own)))
    assert values(of_line, line)["referringSpecialty"] == "208D00000X"
    found = values(of_line, changed(lambda body, _: rendering_in(body).update(npi=["x"], taxonomyCode=["x"])))
    assert (found["renderingProvider?"], found["specialty?"]) == ("unreadable", "unreadable")


def test_days_of_a_line(of_line: Scrubber) -> None:
    day = date(2026, 3, 1)
    body = changed(lambda _, line: line.update(serviceDate="20260301", serviceDateEnd="20260303"))
    found = values(of_line, body)
    assert (found["lastDay"], found["receivedOn"]) == (day.toordinal() + 2, RECEIVED.toordinal())
    assert found["daysSinceService"] == 19


@pytest.mark.parametrize(
    ("born", "day", "years", "months", "days"),
    [
        (date(2000, 3, 1), date(2026, 3, 1), 26, 312, 9_496),
        (date(2000, 3, 2), date(2026, 3, 1), 25, 311, 9_495),
        (date(2024, 2, 29), date(2025, 2, 28), 0, 11, 365),
        (date(2024, 2, 29), date(2025, 3, 1), 1, 12, 366),
        (date(2026, 1, 31), date(2026, 2, 28), 0, 0, 28),
        (date(2026, 3, 1), date(2026, 3, 1), 0, 0, 0),
        (date(2026, 3, 2), date(2026, 3, 1), None, None, None),
        (None, date(2026, 3, 1), None, None, None),
    ],
)
def test_ages_are_full_years_full_months_and_days(
    born: date | None, day: date, years: int | None, months: int | None, days: int | None
) -> None:
    assert [age(unit, born, day) for unit in ("ageYears", "ageMonths", "ageDays")] == [years, months, days]


def test_the_age_on_a_line_is_that_on_its_day(of_line: Scrubber, of_claim: Scrubber) -> None:
    body = changed(lambda _, line: line.update(serviceDate="20250213"))
    assert values(of_line, body)["ageYears"] == 74
    body["subscriber"]["dateOfBirth"] = "20260101"
    assert values(of_line, body)["ageYears?"] == "absent"
    body["subscriber"]["dateOfBirth"] = "soon"
    assert values(of_line, body)["ageDays?"] == "unreadable"
    assert values(of_claim, body, "claim")["ageDays?"] == "unreadable"


def test_diagnoses_of_a_line_and_of_the_claim(of_line: Scrubber, of_claim: Scrubber) -> None:
    def pointing(pointers: Any) -> Body:
        body = office_claim()
        body[CI]["healthCareCodeInformation"] = [
            {"diagnosisTypeCode": "ABF", "diagnosisCode": code} for code in ("M810", "E559", "I10")
        ]
        service = body[CI]["serviceLines"][0]["professionalService"]
        service["compositeDiagnosisCodePointers"]["diagnosisCodePointers"] = pointers
        return body

    found = values(of_line, pointing(["3", "1"]))
    assert (found["firstDiagnosis"], found["claimDiagnoses"]) == ("I10", ("M810", "E559", "I10"))
    assert values(of_line, pointing(["9", "1"]))["firstDiagnosis?"] == "absent"
    assert values(of_line, pointing([{}, "1"]))["firstDiagnosis?"] == "unreadable"
    assert values(of_claim, pointing(["1"]), "claim")["firstDiagnosis"] == "M810"
    assert values(of_claim, office_claim(), "claim")["receivedOn"] == RECEIVED.toordinal()


def test_the_state_is_that_of_the_facility_else_of_who_bills(of_line: Scrubber) -> None:
    assert values(of_line, office_claim())["state"] == "AL"
    facility = {"organizationName": "Sample Hospital", "address": {"address1": "1 Street", "city": "C", "state": "GA"}}
    body = changed(lambda whole, _: whole[CI].update(serviceFacilityLocation=facility))
    assert values(of_line, body)["state"] == "GA"


def test_nothing_is_made_that_no_rule_asks_for(tmp_path: Path) -> None:
    found = values(scrubber_asking(tmp_path, "line", ["side"]), office_claim())
    assert {name for name in ASKED["line"] if name in found or f"{name}?" in found} == {"side"}


def test_what_lines_are_held_against_each_other_by_is_made(tmp_path: Path) -> None:
    scrubber_asking(tmp_path, "line", [])
    put(tmp_path, "sample/pack.yaml", (tmp_path / "sample/pack.yaml").read_text() + "grammar: 2\n")
    rule = with_lines(
        RULE,
        id="id: same-group",
        title="title: Two lines of one group",
        scope="scope: line",
        applies="applies: {}",
        when="when: {some-other-line: {same: [group-and-specialty, side]}}",
        message='message: "It is so."',
    )
    put(tmp_path, "sample/family/same-group.yaml", rule)
    scrubber = open_scrubber(tmp_path, None)
    found = values(scrubber, office_claim())
    assert (found["billingProvider"], found["specialty"], found["side?"]) == (CLINIC_NPI, "207R00000X", "absent")
    result = scrubber.scrub(read_v3(office_claim()), RECEIVED)
    assert {finding.lines for finding in result.findings if finding.rule.id == "same-group"} == {(1,), (2,), (3,), (4,)}
