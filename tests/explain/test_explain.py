"""Explanations: their verdicts are those of the scrub, every condition is told, and the words say why."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from scrubber.app import create_app
from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.cli import main
from scrubber.config import Settings
from scrubber.engine.plain import predicate
from scrubber.errors import WrongQuestion
from scrubber.explain import Asked, explain
from scrubber.explain.as_json import to_bytes
from scrubber.explain.conditions import leaves_of, parts_of
from scrubber.explain.explain import ScrubbedClaim, explain_rule
from scrubber.explain.model import (
    DID_NOT_FIRE,
    FALSE,
    FIRED,
    IN_SHADOW,
    NO_FACT,
    NOT_ADOPTED,
    NOT_CHECKED,
    NOT_JUDGED,
    SWITCHED_OFF,
    TRUE,
    WOULD_FIRE,
    RuleExplained,
)
from scrubber.explain.text import render
from scrubber.findings import NO_SWITCHES, read_switches
from scrubber.rulebook.rule import AllOf, AnyOf, Condition, window
from scrubber.scrub import Scrubber, open_scrubber
from tests.conftest import ROOT
from tests.support.claims import tbs_claim
from tests.support.random_claims import random_claim
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

DAY = date(2026, 11, 23)
EVERYTHING = 10**6
Body = dict[str, Any]


def body_of(name: str) -> Body:
    body: Body = orjson.loads((ROOT / "examples" / f"{name}.json").read_bytes())
    return body


def service(body: Body, line: int) -> Body:
    found: Body = body["claimInformation"]["serviceLines"][line - 1]["professionalService"]
    return found


def one(scrubber: Scrubber, body: Body, rule: str, line: int | None = None) -> RuleExplained:
    (told,) = explain(scrubber, read_v3(body), DAY, Asked((rule,), line)).rules
    return told


# Verdicts are those of the scrub


def seeds(first: int, end: int) -> list[Any]:
    """Of random claims: a third of them, and the others in `make proofs`."""
    fewer = first + (end - first) // 3
    return [*range(first, fewer), *(pytest.param(seed, marks=pytest.mark.proof) for seed in range(fewer, end))]


@pytest.mark.parametrize("seed", seeds(0, 60))
def test_an_explanation_fires_where_the_scrub_finds(seed: int, shipped: Scrubber) -> None:
    claim = read_v3(random_claim(seed))
    result = shipped.scrub(claim, DAY)
    found = sorted((f.rule.id, f.lines, f.related_lines, f.message, f.impact) for f in result.findings)
    unchecked = {(item.rule.id, item.lines, item.message) for item in result.not_checked}
    fired, not_checked = [], set()
    for told in everything(shipped, claim):
        for fact in told.facts:
            assert (fact.outcome == FIRED) == (fact.finding is not None)
            if fact.finding is not None:
                finding = fact.finding
                fired.append((told.rule.id, fact.lines, fact.related, finding.message, finding.impact))
            elif fact.outcome == NOT_CHECKED:
                not_checked.add((told.rule.id, fact.lines, fact.because))
    assert sorted(fired) == found
    assert not_checked == unchecked


def everything(scrubber: Scrubber, claim: Claim) -> Iterator[RuleExplained]:
    scrubbed = ScrubbedClaim(scrubber, claim, DAY, NO_SWITCHES)
    for rule in scrubber.rulebook.rules.values():
        yield explain_rule(scrubbed.check(rule), Asked((rule.id,)), EVERYTHING)


def every_leaf(condition: Condition) -> Iterator[Condition]:
    """Every comparison and question, from left to right."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from every_leaf(part)
    else:
        yield condition


@pytest.mark.parametrize("seed", seeds(60, 90))
def test_every_condition_is_judged_as_the_plain_engine_does(seed: int, shipped: Scrubber) -> None:
    scrubbed = ScrubbedClaim(shipped, read_v3(random_claim(seed)), DAY, NO_SWITCHES)
    lists = shipped.rulebook.lists
    for rule in shipped.rulebook.rules.values():
        for fact in (fact for fact in scrubbed.context.known.facts if fact.kind == rule.scope):
            parts = {part.name: part.node for part in parts_of(rule, fact, lists)}
            asked = {"in-force": AllOf(window(rule)), "applies": rule.applies, "when": rule.when}
            for name, condition in asked.items():
                told = [leaf.verdict == TRUE for leaf in leaves_of(parts[name])] if name in parts else []
                assert told == [predicate(leaf, lists)(fact.values) for leaf in every_leaf(condition)]
                assert name not in parts or (parts[name].verdict == TRUE) == predicate(condition, lists)(fact.values)
            lacking = [leaf.fact for leaf in leaves_of(parts["needs"]) if leaf.verdict != TRUE] if rule.needs else []
            assert lacking == [need for need in rule.needs if fact.values.get(f"{need}?") == "not-supplied"]


# Why not


def test_the_first_decisive_condition_is_told_in_a_sentence(shipped: Scrubber) -> None:
    body = body_of("tbs-bundled")
    service(body, 2)["procedureModifiers"] = ["59"]
    told = one(shipped, body, "cms-ncci-ptp-modifier-missing")
    assert told.outcome == DID_NOT_FIRE
    assert told.because == (
        "line 2 with line 1: the rule is for others: `modifierIndicator` (whether a modifier may separate the pair)"
        " is 0; the rule asks for 1"
    )
    (fact,) = told.facts
    assert "modifier 59 on line 2 may separate pairs (group distinct), but not this one: its indicator is 0" in {
        lookup.says for lookup in fact.lookups
    }
    assert [part.node.verdict for part in fact.parts] == [TRUE, FALSE, FALSE]  # all are judged


def test_a_rule_that_was_not_yet_in_force_says_since_when_it_holds(shipped: Scrubber) -> None:
    body = body_of("tbs-no-number")
    body["claimInformation"]["serviceLines"][0]["serviceDate"] = "20211112"
    told = one(shipped, body, "documentation-tbs-number")
    assert told.because == "line 1: the date of service is 2021-11-12, and the rule holds from 2022-01-01 on"


def test_alternatives_on_one_fact_are_one_sentence(shipped: Scrubber) -> None:
    told = one(shipped, body_of("tbs-interpretation"), "documentation-tbs-number")
    assert told.because == (
        "line 1: `tbsValue` (the trabecular bone score) is 1.285; the rule asks for absent or not-a-number"
    )


def test_the_first_of_several_false_conditions_is_told(tmp_path: Path) -> None:
    tests = "{fact: charge, over: 1}, {fact: units, over: 1}, {fact: charge, over: 5000}"
    folder = rule_folder(tmp_path, with_lines(RULE, when=f"when: {{all: [{tests}]}}"))
    told = one(open_scrubber(folder, None), tbs_claim(), "sample-rule")
    assert told.because == "line 1: `units` (units of the line) is 1; the rule asks for more than 1"
    (*_, when) = told.facts[0].parts
    assert [leaf.verdict for leaf in leaves_of(when.node)] == [TRUE, FALSE, FALSE]


def test_what_was_not_supplied_says_what_would_settle_it(shipped: Scrubber) -> None:
    body = body_of("tbs-interpretation")
    del body["scrubContext"]["documentation"]
    told = one(shipped, body, "documentation-tbs-number")
    (fact,) = told.facts
    assert told.outcome == fact.outcome == NOT_CHECKED
    assert fact.missing == (("tbsValue", "scrubContext.documentation[].elements.tbsValue"),)
    needs = next(part.node for part in fact.parts if part.name == "needs")
    when = next(part.node for part in fact.parts if part.name == "when")
    assert needs.verdict == when.verdict == NOT_JUDGED


def test_a_payer_that_no_row_speaks_of(shipped: Scrubber) -> None:
    body = body_of("tbs-bundled")
    body["claimInformation"]["claimFilingCode"] = "16"
    told = one(shipped, body, "cms-ncci-ptp-column-two")
    assert (told.outcome, told.adoption.adopted) == (NOT_CHECKED, None)
    (row,) = told.adoption.rows
    assert row.place == "payers/tables/adoptions.csv:4"
    assert row.because == "not for this claim: its line of business is medicare-advantage"
    assert "cms-ncci,,medicare-advantage,,,yes" in told.facts[0].missing[0].settled_by


@pytest.mark.parametrize(
    ("rule", "change", "reason"),
    [
        ("cms-ncci-ptp-column-two", {}, "no PTP edit joins 99213 and 93000"),
        ("cms-ncci-ptp-column-two", {"renderingProvider": {"npi": "1555666779"}}, "different practitioners"),
        ("cms-ncci-ptp-column-two", {"serviceDate": "20251113"}, "share no date of service"),
        ("cms-ncci-mue-day-absolute", {}, "the edit allows"),
        ("documentation-tbs-number", {}, "the rule is for others"),
        ("payer-coverage-unknown", {}, "no row of payer-coverage/tables/policies.csv is about"),
        ("medicare-abn-gz", {}, "carries none of GA, GX, GY, GZ"),
        ("x12-837p-duplicate-line", {}, "no line before line 2 bills the same code"),
        ("icd10cm-header", {}, "nothing speaks against"),
        ("x12-837p-diagnosis-missing", {}, "none is"),
        ("reference-table-stale", {}, "asks for stale"),
    ],
)
def test_why_there_is_nothing_that_a_rule_could_be_about(
    rule: str, change: Body, reason: str, shipped: Scrubber
) -> None:
    body = body_of("office-visit")
    body["claimInformation"]["serviceLines"][1] |= change
    if rule not in shipped.rulebook.rules:
        rule = next(name for name, each in shipped.rulebook.rules.items() if each.scope == "element")
    told = one(shipped, body, rule)
    assert told.outcome in (NO_FACT, DID_NOT_FIRE)
    assert reason in " ".join((told.because, *told.nothing))


def test_a_line_without_a_date_says_so(shipped: Scrubber) -> None:
    body = body_of("tbs-bundled")
    del body["claimInformation"]["serviceLines"][1]["serviceDate"]
    told = one(shipped, body, "cms-ncci-ptp-column-two")
    (fact,) = told.facts
    assert (fact.outcome, fact.lines, fact.parts) == (NOT_CHECKED, (2,), ())
    assert fact.missing[0].name == "service-date"


# Look-ups and precedence


def test_look_ups_name_row_release_and_standing(shipped: Scrubber) -> None:
    told = one(shipped, body_of("tbs-bundled"), "cms-ncci-ptp-column-two")
    (fact,) = told.facts
    (edit,) = fact.lookups
    assert (edit.table, edit.release, edit.standing) == ("ncci-ptp", "2024Q3", "carried-forward")
    assert {name: edit.row[name] for name in ("column1", "column2", "indicator")} == {
        "column1": "77092", "column2": "77089", "indicator": "0",
    }  # fmt: skip
    assert told.adoption.rows[0].answered
    assert told.adoption.rows[0].place == "payers/tables/adoptions.csv:4"


def test_the_row_that_says_more_of_the_payer_wins_and_says_why(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    table = tmp_path / "rules" / "payer-coverage" / "tables" / "policies.csv"
    row = "77092,,original-medicare,,04112,covered,warn,,,2022-01-01,,payer-policy,the article,,,2026-11-22,yes\n"
    table.write_text(table.read_text() + row)
    told = one(open_scrubber(tmp_path / "rules", None), body_of("tbs-interpretation"), "payer-coverage-unknown")
    assert told.because.endswith("is covered; the rule asks for unknown")
    won, *others = told.facts[0].competing
    assert (won.answered, won.scope) == (True, "for contractor 04112, line of business original-medicare")
    assert won.place == f"payer-coverage/tables/policies.csv:{len(table.read_text().splitlines())}"
    assert {other.because for other in others} == {
        f"fits, but the row {won.scope} says more: a contractor goes before a line of business",
        "not in force on 2025-11-12",
    }


@pytest.mark.parametrize(
    ("rule", "says", "place"),
    [
        ("documentation-tbs-source-study-no-spine", "77080 stands in the list studies-with-lumbar-spine", "lists.csv:"),
        (
            "documentation-tbs-software",
            "K243218 stands in the list cleared-tbs-software",
            "documentation/tables/lists.csv:",
        ),
        ("documentation-tbs-value-implausible", "tbs-plausible-low is 0.8", "documentation/tables/limits.csv:3"),
        ("tbs-technologist-rendering", "taxonomy codes that begin with", "taxonomy"),
        ("tbs-facility-place", "does not stand in the list tbs-hospital-places", "code-lists"),
        ("reference-code-unknown", "77092 may be billed from 2022-01-01 on", "procedures"),
        ("reference-place-unknown", "place of service 11 pays the non-facility rate", "place-of-service"),
        ("cms-ncci-mue-line", "at most 1 of 77092 a day, adjudication indicator 3", "ncci-mue"),
    ],
)
def test_each_fact_has_its_look_up(rule: str, says: str, place: str, shipped: Scrubber) -> None:
    told = one(shipped, body_of("tbs-interpretation"), rule)
    found = [each for each in told.facts[0].lookups if says in each.says]
    assert len(found) == 1, told.facts[0].lookups
    assert place in (found[0].place or found[0].table)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"state": "AL", "postalCode": "352040000"}, "lies in locality 10112-00: contractor 10112"),
        ({"state": "AL", "postalCode": "35958"}, "decide; its state has one contractor, 10112"),
        ({"state": "CO"}, "its state has one contractor, 04112"),
        ({"state": "CA", "postalCode": "9"}, "its state has several contractors"),
        ({"state": "XX"}, "no row is about its state"),
    ],
)
def test_how_the_payer_was_told(address: Body, says: str, shipped: Scrubber) -> None:
    body = body_of("tbs-bundled") | {"tradingPartnerServiceId": "60054"}
    body["billing"]["address"] = {"address1": "1 Sample Street", "city": "Sampletown"} | address
    told = explain(shipped, read_v3(body), DAY)
    business, name, contractor = told.payer_lookups
    assert (business.row["line_of_business"], name.row["payer"]) == told.payer[1::-1]
    assert says in contractor.says
    assert (told.payer.contractor or "several") in contractor.says or told.payer.contractor is None
    body["scrubContext"]["eligibility"] = {"plan": "medicare-advantage"}
    planned, *_ = explain(shipped, read_v3(body), DAY).payer_lookups
    assert (planned.table, planned.row["line_of_business"]) == ("plans", "medicare-advantage")


# Status and switches


@pytest.fixture(scope="module")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = rule_folder(tmp_path_factory.mktemp("rules"))
    statuses = {"sample-trial": "shadow", "sample-draft": "draft", "sample-old": "deprecated"}
    for name, status in statuses.items():
        successor = {"superseded_by": "superseded-by: sample-rule"} if status == "deprecated" else {}
        text = with_lines(
            RULE, id=f"id: {name}", status=f"status: {status}", title=f"title: One of status {status}", **successor
        )
        put(folder, f"sample/family/{name}.yaml", text)
    return folder


def two_units() -> Body:
    body = tbs_claim()
    service(body, 1)["serviceUnitCount"] = "2"
    return body


@pytest.mark.parametrize(
    ("rule", "outcome", "effect"),
    [
        ("sample-rule", FIRED, "active: what it finds counts"),
        ("sample-trial", IN_SHADOW, "shadow: it runs, and what it finds is told apart and has no effect"),
        ("sample-draft", WOULD_FIRE, "draft: it does not run, and is explained as if it did"),
        ("sample-old", WOULD_FIRE, "deprecated, sample-rule took over: it does not run, and is explained as if it did"),
    ],
)
def test_rules_of_every_status_are_explained(rule: str, outcome: str, effect: str, trying: Path) -> None:
    scrubber = open_scrubber(trying, None)
    told = one(scrubber, two_units(), rule)
    assert (told.outcome, told.effect) == (outcome, effect)
    finding = told.facts[0].finding
    assert finding is not None
    assert finding.rule.status == scrubber.rulebook.rules[rule].status
    assert finding.impact is not None
    assert finding.impact.at_risk is not None
    silent = one(scrubber, tbs_claim(), rule)
    assert silent.outcome == DID_NOT_FIRE
    assert silent.because == "line 1: `units` (units of the line) is 1; the rule asks for more than 1"


def test_a_request_that_leaves_a_rule_out(trying: Path) -> None:
    scrubber = open_scrubber(trying, None)
    switches = read_switches(["sample-trial"], ["sample-rule"], scrubber.rulebook)
    asked = Asked(("sample-rule", "sample-trial"))
    told = {each.rule.id: each for each in explain(scrubber, read_v3(two_units()), DAY, asked, switches).rules}
    assert (told["sample-rule"].outcome, told["sample-trial"].outcome) == (SWITCHED_OFF, FIRED)


def test_a_payer_that_does_not_apply_a_pack(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    pack = folder / "payers" / "pack.yaml"
    pack.write_text(pack.read_text().replace("{filing", "{adoptions.csv: adoptions, filing"))
    rows = (
        "pack,payer,line_of_business,plan,contractor,adopted,since,until,source\nsample,,original-medicare,,,no,,,us\n"
    )
    put(folder, "payers/tables/adoptions.csv", rows)
    told = one(open_scrubber(folder, None), two_units(), "sample-rule")
    assert told.outcome == NOT_ADOPTED
    assert "the payer does not apply pack sample" in told.because
    assert told.facts[0].finding is None


# What is asked


def test_what_is_explained_when_nothing_is_named(shipped: Scrubber) -> None:
    claim = read_v3(body_of("tbs-bundled"))
    told = explain(shipped, claim, DAY)
    assert {each.rule.id for each in told.rules} == {f.rule.id for f in shipped.scrub(claim, DAY).findings}
    assert all(fact.outcome == FIRED for each in told.rules for fact in each.facts)


def test_a_line_is_explained_by_every_rule_that_applies_to_its_code(shipped: Scrubber) -> None:
    told = {each.rule.id: each for each in explain(shipped, read_v3(body_of("tbs-bundled")), DAY, Asked((), 2)).rules}
    assert {"cms-ncci-ptp-column-two", "documentation-tbs-number", "cms-ncci-mue-line"} <= told.keys()
    assert "tbs-calculated-by-interpreter" not in told  # it is for 77092 only, which is on line 1
    assert all(2 in (*fact.lines, *fact.related) for each in told.values() for fact in each.facts)


@pytest.mark.parametrize("asked", [Asked(("no-such-rule",)), Asked((), 3), Asked((), 0)])
def test_what_there_is_not_cannot_be_asked_about(asked: Asked, shipped: Scrubber) -> None:
    with pytest.raises(WrongQuestion):
        explain(shipped, read_v3(body_of("tbs-bundled")), DAY, asked)


@pytest.mark.parametrize("asked", [Asked(), Asked(("cms-ncci-ptp-column-two",)), Asked((), 40)])
def test_a_claim_of_many_findings_is_explained_in_part(asked: Asked, shipped: Scrubber) -> None:
    body = body_of("tbs-bundled")
    pair = body["claimInformation"]["serviceLines"]
    body["claimInformation"]["serviceLines"] = [copy.deepcopy(pair[n % 2]) for n in range(50)]
    told = explain(shipped, read_v3(body), DAY, asked)
    shown = sum(len(each.facts) for each in told.rules)
    assert 0 < shown <= 2 * max(200, len(told.rules))
    assert (told.left_off > 0) == (asked == Asked())
    assert told.left_off == sum(each.left_off for each in told.rules)
    assert any(fact.outcome == FIRED for each in told.rules for fact in each.facts)


def test_a_claim_of_too_many_lines_is_explained_by_their_number_alone(shipped: Scrubber) -> None:
    body = body_of("tbs-bundled")
    body["claimInformation"]["serviceLines"] *= 500
    told = explain(shipped, read_v3(body), DAY)
    assert [each.rule.id for each in told.rules] == ["x12-837p-too-many"]


# Pages and answers


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "examples").glob("*.json"))])
def test_a_page_is_as_wide_as_it_may_be(name: str, shipped: Scrubber) -> None:
    told = explain(shipped, read_v3(body_of(name)), DAY, Asked((), 1))
    page = re.sub(r"\x1b\[\d+m", "", render(f"{name}.json", told, 80, in_full=True))
    assert max(map(len, page.splitlines())) <= 80


def test_the_command_line() -> None:
    file = str(ROOT / "examples" / "tbs-bundled.json")
    page = CliRunner().invoke(main, ["rules", "explain", file, "--rule", "cms-ncci-ptp-column-two", "--line", "2"])
    assert page.exit_code == 0, page.output
    assert "FIRED on line 2 with line 1" in page.output
    assert "✓ modifierIndicator: 0 — asked: 0" in page.output
    assert "payers/tables/adoptions.csv:4" in page.output
    assert (
        "At risk: $38.82, borne by the provider; MPFS 2025, national\n      1.20 RVU x 32.3465 = 38.82" in page.output
    )
    wrong = CliRunner().invoke(main, ["rules", "explain", file, "--rule", "no-such-rule"])
    assert (wrong.exit_code, "scrubber rules list" in wrong.output) == (2, True)


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000)).test_client()


@pytest.mark.parametrize("query", ["", "?line=1", "?rule=documentation-tbs-number&rule=icd10cm-header"])
def test_answers_keep_to_the_document(query: str, client: FlaskClient) -> None:
    spec: Any = client.get("/openapi.json").json
    schema = {"$ref": "#/components/schemas/Explanation", "components": spec["components"]}
    for path in sorted((ROOT / "examples").glob("*.json")):
        told = client.post(f"/v1/claims/explain{query}", data=path.read_bytes(), content_type="application/json")
        assert told.status_code == 200, told.text
        Draft202012Validator(schema).validate(told.json)
        command = ["rules", "explain", str(path), "--json", *_options(query)]
        assert CliRunner().invoke(main, command).output.encode() == told.data + b"\n"


def _options(query: str) -> list[str]:
    return [
        word
        for part in query.lstrip("?").split("&")
        if part
        for word in (f"--{part.split('=')[0]}", part.split("=")[1])
    ]


@pytest.mark.parametrize("query", ["rule=CANARY", "line=0", "line=CANARY", "line=7", "line=99999", "disable=CANARY"])
def test_a_wrong_question_is_refused_without_repeating_it(query: str, client: FlaskClient) -> None:
    body = (ROOT / "examples" / "tbs-bundled.json").read_bytes()
    told = client.post(f"/v1/claims/explain?{query}", data=body, content_type="application/json")
    assert told.status_code == 400
    assert "CANARY" not in told.text


def test_an_explanation_names_nobody(shipped: Scrubber) -> None:
    body = body_of("tbs-no-number")
    body["tradingPartnerServiceId"] = body["tradingPartnerName"] = "CANARY"
    body["subscriber"] |= {"lastName": "CANARY", "memberId": "CANARY", "address": {"address1": "CANARY"}}
    body["billing"] |= {"organizationName": "CANARY", "employerId": "CANARY"}
    body["rendering"] |= {"lastName": "CANARY"}
    told = explain(shipped, read_v3(body), DAY, Asked(tuple(shipped.rulebook.rules)))
    assert b"CANARY" not in to_bytes(told)


def test_explanations_are_equal_bytes_for_equal_questions(client: FlaskClient) -> None:
    body = (ROOT / "examples" / "tbs-bundled.json").read_bytes()
    asked = [client.post("/v1/claims/explain?line=2", data=body, content_type="application/json") for _ in range(2)]
    assert asked[0].data == asked[1].data


def test_the_rule_page_shows_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "writing-rules.md").read_text(encoding="utf-8")
    (shown,) = (block for block in re.findall(r"```console\n(.*?)\n```", page, re.DOTALL) if "asked:" in block)
    commands = [" ".join(command.split()) for command in re.findall(r"`(scrubber rules explain [^`]+)`", page)]
    assert len(commands) == 3
    told = [CliRunner(env={"COLUMNS": "80"}).invoke(main, command.split()[1:]) for command in commands]
    assert [each.exit_code for each in told] == [0, 0, 0]
    assert shown in told[0].output


def misspelt_bodies() -> Iterator[tuple[str, Body]]:
    """The same claim with one name misspelt, each of which decides other rules."""
    pair = tbs_claim()
    lines = pair["claimInformation"]["serviceLines"]
    lines.append(copy.deepcopy(lines[0]))
    for line, code in zip(lines, ("77080", "77081"), strict=True):
        line["professionalService"]["procedureCode"] = code
    lines[1]["professionalService"]["procedureModifiers"] = ["XS"]
    line, subscriber, information = ("claimInformation", "serviceLines", 1), ("subscriber",), ("claimInformation",)
    for path, name, other in (
        ((*line, "professionalService"), "procedureModifiers", "procedureModifers"),
        ((*line, "professionalService"), "procedureCode", "ProcedureCode"),
        (line, "professionalService", "profesionalService"),
        (subscriber, "dateOfBirth", "date_of_birth"),
        (information, "healthCareCodeInformation", "diagnoses"),
        (information, "claimFilingCode", "claimFilingCod"),
    ):
        body = copy.deepcopy(pair)
        node: Any = body
        for step in path:
            node = node[step]
        node[other] = node.pop(name)
        yield other, body


@pytest.mark.parametrize(("other", "body"), list(misspelt_bodies()))
def test_what_depends_on_a_misspelt_name_is_explained_as_not_checked(other: str, body: Body, shipped: Scrubber) -> None:
    claim = read_v3(body)
    result = shipped.scrub(claim, DAY)
    unchecked = {item.rule.id for item in result.not_checked if item.why == "unreadable"}
    assert unchecked
    told = explain(shipped, claim, DAY, Asked(tuple(shipped.rulebook.rules))).rules
    active = [each for each in told if each.rule.status == "active"]
    fired = {
        (each.rule.id, fact.lines, fact.related) for each in active for fact in each.facts if fact.outcome == FIRED
    }
    assert fired <= {(found.rule.id, found.lines, found.related_lines) for found in result.findings}
    not_checked = {each.rule.id for each in active for fact in each.facts if fact.outcome == NOT_CHECKED}
    assert unchecked <= not_checked
    if other == "procedureModifers":
        bundled = next(each for each in active if each.rule.id == "cms-ncci-ptp-modifier-missing")
        (fact,) = [fact for fact in bundled.facts if fact.outcome == NOT_CHECKED]
        assert (fact.lines, fact.related) == ((2,), (1,))
        assert "a name like procedureModifiers" in fact.because
        assert [missing.settled_by for missing in fact.missing] == [
            "what stands under a name like procedureModifiers, sent as procedureModifiers"
        ]
