"""A back-test: a change of rules over past claims, counted by hand and against brute force."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubber.backtest.compare import open_comparison
from scrubber.backtest.files import FileChunk
from scrubber.backtest.html import page
from scrubber.backtest.report import document
from scrubber.backtest.rulebooks import Choice, Rulebooks
from scrubber.backtest.run import BackTestRun, ChunkJudge, back_test
from scrubber.claim import read_v3
from scrubber.cli import main
from scrubber.cli.rules.backtest import render
from scrubber.rulebook.lint import lint
from scrubber.rulebook.rule import AllOf, Compare, Has
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Scrubber, assemble
from tests.conftest import ROOT
from tests.support.claims import office_claim, tbs_claim
from tests.support.random_claims import random_claim
from tests.support.rule_folders import RULE, rule_folder, with_lines
from tests.support.waiting import PATIENCE, until

RULES = ROOT / "rules"
DAY = date(2026, 11, 23)
BUNDLED = "cms-ncci-ptp-column-two"
Body = dict[str, Any]


def bundled(number: str, filing: str = "MB") -> Body:
    """77092 and 77089 on one day: Medicare never pays line 2 (95.00, allowed 38.82) beside line 1."""
    body: Body = json.loads((ROOT / "examples" / "tbs-bundled.json").read_bytes())
    body["claimInformation"] |= {"patientControlNumber": number, "claimFilingCode": filing}
    return body


def office(number: str) -> Body:
    body = office_claim()
    body["claimInformation"]["patientControlNumber"] = number
    return body


def written(path: Path, bodies: list[Body]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(body) + b"\n" for body in bodies))
    return path


def the_run(claims: Path, remits: Path | None = None, jobs: int = 1, choice: Choice | None = None) -> BackTestRun:
    return back_test(choice or Choice(RULES, (BUNDLED,)), None, claims, remits, DAY, jobs, lambda rows, share: None)


HEADER = "claim,line,charge,paid,group,reason,amount\n"
REMITS = (
    HEADER
    + """\
A1,1,60.00,9.38,CO,45,50.62
A1,2,95.00,0.00,CO,236,95.00
A2,2,95.00,38.82,CO,45,56.18
A3,2,95.00,0.00,CO,97,95.00
A4,2,95.00,10.00,CO,236,28.82
A4,2,,,CO,45,56.18
A5,2,95.00,0.00,CO,236,10.00
A8,2,95.00,0.00,CO,236,95.00
A8,2,95.00,0.00,CO,236,95.00
A8,9,1.00,0.00,CO,236,1.00
B1,1,150.00,0.00,CO,29,150.00
B1,2,40.00,20.00,CO,45,20.00
Z9,1,10.00,0.00,CO,29,10.00
Z9,2,10.00,0.00,CO,29,10.00
"""
)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Body:
    folder = tmp_path_factory.mktemp("by-hand")
    bodies = [bundled(f"A{number}") for number in range(1, 7)]
    bodies += [bundled("A7", "CI"), bundled("A8"), office("B1"), bundled("A2")]
    (folder / "remits.csv").write_text(REMITS)
    run = the_run(written(folder / "claims.ndjson", bodies), folder / "remits.csv")
    return document(run)


def test_findings_gained_and_lost_counted_by_hand(by_hand: Body) -> None:
    # A1 to A6, A8 and the second A2; a commercial payer applies no NCCI edit until a row says so.
    assert by_hand["totals"]["gained"] == {
        "findings": 8, "claims": 8, "atRisk": "310.56", "unknownLines": 0,
        "charged": "760.00", "linesWithoutCharge": 0,  # 8 x 95.00
    }  # fmt: skip
    assert by_hand["totals"]["lost"] == {
        "findings": 0, "claims": 0, "atRisk": "0.00", "unknownLines": 0, "charged": "0.00", "linesWithoutCharge": 0,
    }  # fmt: skip
    (code,) = by_hand["codes"]
    assert (code["name"], code["gained"]["findings"]) == ("77089", 8)
    (payer,) = by_hand["payers"]
    assert payer["name"].endswith("original-medicare")
    changed = [each for each in by_hand["dispositions"] if each["baseline"] != each["candidate"]]
    assert [(each["baseline"], each["candidate"], each["claims"]) for each in changed] == [("warn", "deny", 8)]
    assert changed[0]["samples"][:3] == ["A1", "A2", "A3"]


def test_precision_counted_by_hand(by_hand: Body) -> None:
    (rule,) = [rule for rule in by_hand["rules"] if rule["tested"]]
    assert rule["id"] == BUNDLED
    outcomes = rule["outcomes"]
    # Denied A1, A3, A8; not A2; in part A4; A5 does not add up.
    counted = [outcomes[name] for name in ("lines", "denied", "partlyDenied", "notDenied", "unclear")]
    assert counted == [5, 3, 1, 1, 1]
    assert outcomes["precision"] == "0.6000"
    assert (outcomes["predictedReason"], outcomes["deniedForPredictedReason"]) == ("236", 2)
    assert outcomes["deniedDollars"] == "313.82"  # 3 x 95.00 and 28.82
    assert outcomes["paidDollars"] == "48.82"  # 38.82 and 10.00
    assert (outcomes["deniedSamples"], outcomes["notDeniedSamples"]) == (["A1", "A3", "A8"], ["A2"])


def test_only_lines_that_the_rules_tested_flag_are_counted_as_theirs(tmp_path: Path) -> None:
    """What other rules flag on the claims says nothing of the rule that is tried."""
    repeated = office("B1")
    lines = repeated["claimInformation"]["serviceLines"]
    lines.append(orjson.loads(orjson.dumps(lines[1])))
    repeated["claimInformation"]["claimChargeAmount"] = "230.00"
    (tmp_path / "remits.csv").write_text(
        HEADER
        + "A1,2,95.00,0.00,CO,236,95.00\nB1,1,150.00,150.00,,,\nB1,2,40.00,40.00,,,\nB1,3,40.00,0.00,CO,18,40.00\n"
    )
    run = the_run(written(tmp_path / "claims", [bundled("A1"), repeated]), tmp_path / "remits.csv")
    outcomes = document(run)["outcomes"]
    told = {side: (outcomes[side]["flagged"]["lines"], outcomes[side]["flagged"]["denied"]) for side in outcomes
            if side in ("tested", "candidate")}  # fmt: skip
    assert told["tested"] == (1, 1)
    assert told["candidate"] == (4, 2)  # and three lines that other rules flag
    assert outcomes["tested"]["flagged"]["deniedDollars"] == "95.00"
    said = render(document(run))
    assert "Flagged by the 1 rule tested:\n           1 of 1 were denied, $95.00" in said


def test_charges_are_told_where_prices_are_not_known(tmp_path: Path) -> None:
    body = office("B1")
    body["claimInformation"]["claimFilingCode"] = "CI"
    lines = body["claimInformation"]["serviceLines"]
    lines.append(orjson.loads(orjson.dumps(lines[1])))
    body["claimInformation"]["claimChargeAmount"] = "230.00"
    run = the_run(written(tmp_path / "claims", [body]), choice=Choice(RULES, ("x12-837p-duplicate-line",)))
    gained = document(run)["totals"]["gained"]
    assert (gained["atRisk"], gained["unknownLines"], gained["charged"]) == (None, 1, "40.00")
    assert "1 lines unknown at risk\n                 $40.00 were charged for the lines at risk\n" in render(
        document(run)
    )


def test_misses_counted_by_hand(by_hand: Body) -> None:
    outcomes = by_hand["outcomes"]
    assert outcomes["missed"] == {"lines": 1, "deniedDollars": "150.00", "withoutAmount": 0}
    (reason,), (code,) = outcomes["missedByReason"], outcomes["missedByCode"]
    assert (reason["name"], reason["samples"], code["name"]) == ("29", ["B1"], "99213")
    assert outcomes["lines"] == {"denied": 4, "partly denied": 1, "not denied": 3, "unclear": 1}


def test_what_could_not_be_brought_together_is_told(by_hand: Body) -> None:
    remits = by_hand["inputs"]["remittances"]
    told = {name: remits[name] for name in remits if name not in ("name", "sha256", "bytes", "told")}
    assert told == {
        "rows": 14,
        "claims": 8,
        "badRows": 0,
        "joinedClaims": 7,
        "claimsWithoutRemittance": 3,
        "claimsWithoutNumber": 0,
        "claimsOfRepeatedNumber": 1,
        "remittancesWithoutClaim": 1,
        "linesWithoutClaimLine": 1,
        "repeatedRows": 1,
        "wholeClaimRowsUnused": 0,
    }


def test_of_few_cases_no_share_is_told(tmp_path: Path) -> None:
    (tmp_path / "remits.csv").write_text(HEADER + "A1,2,95.00,0.00,CO,236,95.00\n")
    run = the_run(written(tmp_path / "claims", [bundled("A1"), bundled("A2")]), tmp_path / "remits.csv")
    outcomes = document(run)["rules"][0]["outcomes"]
    assert (outcomes["lines"], outcomes["denied"], outcomes["precision"]) == (1, 1, None)


# Against brute force


def changed(book: Rulebook, rng: random.Random) -> Rulebook:
    """The rulebook with some rules gone, switched off, with another severity or another condition, or another table."""
    rules = dict(book.rules)
    for name, rule in book.rules.items():
        change = rng.random()
        if change < 0.1:
            del rules[name]
        elif change < 0.2:
            rules[name] = replace(rule, status=rng.choice(["shadow", "draft"]))
        elif change < 0.3:
            rules[name] = replace(rule, severity=rng.choice(["info", "warn", "deny"]), message="Other words.")
        elif change < 0.4:
            rules[name] = replace(rule, when=Compare("day", "at-least", rng.choice([737000, 739500])))
        elif change < 0.5:
            changed: dict[str, Any] = {rng.choice(["since", "until"]): rng.choice([None, date(2025, 3, 12)])}
            rules[name] = replace(rule, **changed)
    rows = dict(book.rows)
    if rng.random() < 0.3:
        kind = rng.choice(sorted(rows))
        rows[kind] = rows[kind][:: rng.choice([1, 2])]
    return Rulebook(rules, book.packs, rows, book.digest)


def misspelt_by_chance(body: Body, rng: random.Random) -> Body:
    """The claim, or it with a name that only resembles a known one in some of its lines."""
    if rng.random() < 0.6:
        return body
    known = rng.choice(["procedureModifiers", "serviceUnitCount", "procedureCode"])
    services = [line["professionalService"] for line in body["claimInformation"]["serviceLines"]]
    for service in services:
        if known in service and rng.random() < 0.7:
            service[known[:-1]] = service.pop(known)
    return body


def found(scrubber: Scrubber, bodies: list[Body]) -> tuple[Counter[tuple[object, ...]], list[str], Decimal]:
    findings: Counter[tuple[object, ...]] = Counter()
    dispositions, dollars = [], Decimal()
    for number, body in enumerate(bodies):
        result = scrubber.scrub(read_v3(body), DAY)
        findings.update(
            (number, each.rule.id, each.severity, each.lines, each.related_lines) for each in result.findings
        )
        dispositions.append(result.disposition)
        dollars += result.impact.at_risk or 0
    return findings, dispositions, dollars


def by_rule(findings: Counter[tuple[object, ...]]) -> dict[object, int]:
    rules: Counter[object] = Counter()
    for (_, rule, *_), count in findings.items():
        rules[rule] += count
    return dict(rules)


@given(st.integers(0, 10**6))
@settings(max_examples=settings().max_examples // 25)
def test_same_as_two_full_scrubs_one_by_one(shipped: Scrubber, seed: int) -> None:
    rng = random.Random(seed)
    one, other = changed(shipped.rulebook, rng), changed(shipped.rulebook, rng)
    if rng.random() < 0.5:
        other = Rulebook(other.rules, other.packs, one.rows, other.digest)
    bodies = [misspelt_by_chance(random_claim(rng.randrange(10**6)), rng) for _ in range(25)]
    before = found(assemble(one, shipped.reference), bodies)
    after = found(assemble(other, shipped.reference), bodies)
    judging = ChunkJudge(open_comparison(Rulebooks(other, one, ()), shipped.reference), DAY, None, ())
    rows = tuple(orjson.dumps(body | {"scrubContext": body["scrubContext"] | {"receivedOn": None}}) for body in bodies)
    tally = judging.chunk(FileChunk(1, rows, (None,) * len(rows), 1.0))
    sums = {
        side: {name: each.findings for (which, by, name), each in tally.sums.items() if (which, by) == (side, "rule")}
        for side in ("gained", "lost", "candidate")
    }
    assert sums["gained"] == by_rule(after[0] - before[0])
    assert sums["lost"] == by_rule(before[0] - after[0])
    assert sums["candidate"] == by_rule(after[0])
    assert tally.dispositions == Counter(zip(before[1], after[1], strict=True))
    assert tally.sum("baseline", "all", "").dollars == before[2]
    assert tally.sum("candidate", "all", "").dollars == after[2]


def test_what_depends_on_a_misspelt_name_is_no_finding_of_a_back_test(tmp_path: Path) -> None:
    """As when it is scrubbed: whoever writes `procedureModifers` may have separated the pair."""
    separated = bundled("A1")
    for line, code in zip(separated["claimInformation"]["serviceLines"], ("77080", "77081"), strict=True):
        line["professionalService"]["procedureCode"] = code
    misspelt = json.loads(json.dumps(separated))
    misspelt["claimInformation"]["serviceLines"][1]["professionalService"]["procedureModifers"] = ["XS"]
    del misspelt["claimInformation"]["serviceLines"][1]["professionalService"]["procedureModifiers"]
    missing, resembling = Choice(RULES, ("cms-ncci-ptp-modifier-missing",)), Choice(RULES, ("x12-837p-name-resembles",))
    lines = {}
    for choice in (missing, resembling):
        for name, body in (("separated", separated), ("misspelt", misspelt)):
            run = the_run(written(tmp_path / f"{name}.ndjson", [body]), choice=choice)
            lines[choice.switched_on[0], name] = run.tally.sum("gained", "all", "").findings
    assert lines == {
        ("cms-ncci-ptp-modifier-missing", "separated"): 1,
        ("cms-ncci-ptp-modifier-missing", "misspelt"): 0,
        ("x12-837p-name-resembles", "separated"): 0,
        ("x12-837p-name-resembles", "misspelt"): 1,
    }


def test_the_same_tables_are_read_once_and_others_twice(shipped: Scrubber) -> None:
    book = shipped.rulebook
    fewer = Rulebook(book.rules, book.packs, {**book.rows, "limits": ()}, book.digest)
    assert open_comparison(Rulebooks(book, book, ()), shipped.reference).shared_facts
    assert not open_comparison(Rulebooks(book, fewer, ()), shipped.reference).shared_facts


# Files


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 random claims, two chunks, with rows among them that are none, and remittances of half of them."""
    folder = tmp_path_factory.mktemp("many")
    rng = random.Random(7)
    rows, remits = [], [HEADER]
    for seed in range(300):
        body = random_claim(seed)
        body["claimInformation"]["patientControlNumber"] = f"R-{seed % 290}"
        rows.append(orjson.dumps(body))
        if seed % 100 == 3:
            rows += [b"{not json", b"", b'{"claimInformation": []}', b'"a text"']
        remits += [
            f"R-{seed},{line},,0.00,CO,{rng.choice(['97', '50', '45'])},\n" for line in (1, 2) if rng.random() < 0.5
        ]
    (folder / "claims.ndjson").write_bytes(b"\n".join(rows))
    (folder / "claims.ndjson.gz").write_bytes(gzip.compress(b"\n".join(rows), mtime=0))
    (folder / "remits.csv").write_text("".join(remits))
    return folder


def scrubber(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["rules", "backtest", "--run-on", "2026-11-23", *map(str, args)])


def test_the_same_bytes_whatever_the_number_of_processes(many: Path, tmp_path: Path) -> None:
    for jobs in ("1", "2"):
        done = scrubber(
            "--rules", BUNDLED, "--claims", many / "claims.ndjson", "--remits", many / "remits.csv",
            "--jobs", jobs, "--report", tmp_path / jobs,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    for name in ("report.json", "report.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_packed_file_gives_the_same_figures(many: Path) -> None:
    plain, packed = (document(the_run(many / name)) for name in ("claims.ndjson", "claims.ndjson.gz"))
    assert plain["inputs"].pop("claims")["sha256"] != packed["inputs"].pop("claims")["sha256"]
    assert plain == packed


def test_rows_that_are_no_claims_are_told_by_number_and_the_rest_go_on(many: Path) -> None:
    claims = document(the_run(many / "claims.ndjson"))["inputs"]["claims"]
    assert (claims["rows"], claims["claims"], claims["noClaims"], claims["failed"]) == (312, 300, 9, 0)
    assert [each["row"] for each in claims["told"]][:3] == [5, 7, 8]
    assert len(claims["told"]) == 9


def test_a_file_without_claims(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "remits.csv").write_text(HEADER)
    report = document(the_run(tmp_path / "empty", tmp_path / "remits.csv"))
    assert report["inputs"]["claims"]["rows"] == 0
    assert "finding" in page(report)


def test_a_row_too_long_for_a_claim_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "claims"
    file.write_bytes(b"x" * 25_000_000 + b"\n" + orjson.dumps(bundled("A1")))
    claims = document(the_run(file))["inputs"]["claims"]
    assert (claims["rows"], claims["claims"]) == (2, 1)
    assert claims["told"] == [{"row": 1, "problem": "is too long to be a claim"}]


# The command


def test_summary_fits_a_terminal(many: Path) -> None:
    done = scrubber(
        "--rules", BUNDLED, "--claims", many / "claims.ndjson", "--remits", many / "remits.csv", "--jobs", "1"
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"{BUNDLED} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_folder_is_compared_with_the_rules_in_force(tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(RULES, folder)
    rule = folder / "cms-ncci" / "ptp" / f"{BUNDLED}.yaml"
    rule.write_text(rule.read_text().replace("severity: deny", "severity: warn"))
    claims = written(tmp_path / "claims.ndjson", [bundled("A1")])
    report = orjson.loads(scrubber("--rules", folder, "--claims", claims, "--jobs", "1", "--json").stdout)
    assert report["rulebooks"]["tested"] == [BUNDLED]
    (rule_row,) = [each for each in report["rules"] if each["tested"]]
    assert (rule_row["gained"]["findings"], rule_row["lost"]["findings"]) == (1, 1)
    assert rule_row["severity"] == {"baseline": "deny", "candidate": "warn"}
    assert report["dispositions"][0] | {"samples": []} == {
        "baseline": "deny", "candidate": "warn", "claims": 1, "samples": [],
    }  # fmt: skip
    back = orjson.loads(scrubber("--against", folder, "--claims", claims, "--jobs", "1", "--json").stdout)
    assert back["dispositions"][0]["candidate"] == "deny"


def test_without_rules_those_in_force_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "remits.csv").write_text(REMITS)
    claims = written(tmp_path / "claims.ndjson", [bundled("A1")])
    done = scrubber("--claims", claims, "--remits", tmp_path / "remits.csv", "--jobs", "1", "--json")
    report = orjson.loads(done.stdout)
    assert report["rulebooks"]["baseline"] is None
    assert report["totals"]["gained"]["findings"] == 0
    assert report["outcomes"]["lines"]["denied"] == 1
    assert "alone" in " ".join(report["method"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rules", "no-such-rule"), "no such rule"),
        (("--rules", "nowhere/rules"), "no such folder"),
        (("--rules", "a/", "--rules", "b/"), "one folder"),
        (("--against", "no-such-revision"), "no-such-revision"),
        (("--remits", "claims.ndjson"), "no column claim"),
    ],
)
def test_what_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCRUBBER_RULES", str(RULES))
    (tmp_path / "claims.ndjson").write_text("[]\n")
    done = scrubber("--claims", "claims.ndjson", "--jobs", "1", *options)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_record_lets_a_rule_deny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advice = '  - {kind: advice, title: Somebody says so, url: "https://advice.example/1", retrieved: "2026-11-22"}'
    denying = with_lines(
        RULE, status="status: active", severity="severity: deny", authority=f"authority:\n{advice}",
        back_test="back-test: backtests/sample-rule.json",
    )  # fmt: skip
    rules = rule_folder(tmp_path / "rules", denying)
    assert any("is no record" in fault.message for fault in lint(rules))
    monkeypatch.setenv("SCRUBBER_RULES", str(rules))
    two_units = bundled("A1")
    two_units["claimInformation"]["serviceLines"][0]["professionalService"]["serviceUnitCount"] = "2"
    claims = written(tmp_path / "claims.ndjson", [two_units])
    done = scrubber("--rules", "sample-rule", "--claims", claims, "--jobs", "1", "--record")
    assert done.exit_code == 0, done.output
    record = json.loads((rules / "sample" / "backtests" / "sample-rule.json").read_text())
    assert (record["claims"], record["findings"], record["precision"], record["run"]) == (1, 1, None, "2026-11-23")
    assert not [fault for fault in lint(rules) if "record" in fault.message or "back-test" in fault.message]


# Patients

CANARIES = ("Canaria", "Canaryson", "MBR77CANARY", "19511213", "1951-12-13", "12131951", "CANARY STREET")


def test_nothing_of_a_patient_is_told(tmp_path: Path, many: Path) -> None:
    bodies = []
    for number in ("A1", "CANARYSON-1", "X-MBR77CANARY", "P19511213", "Canaria Canaryson"):
        body = bundled(number)
        body["subscriber"] |= {
            "firstName": "Canaria", "lastName": "Canaryson", "memberId": "MBR77CANARY", "dateOfBirth": "19511213",
        }  # fmt: skip
        body["subscriber"]["address"]["address1"] = "1 CANARY STREET"
        bodies.append(body)
    claims = written(tmp_path / "claims.ndjson", bodies)
    with claims.open("ab") as file:
        file.write(b'{"claimInformation": "Canaria Canaryson"}\n{"Canaria": Canaryson}\n')
    (tmp_path / "remits.csv").write_text(
        HEADER + "A1,2,95.00,0.00,CO,236,95.00\nCanaria,2,Canaryson,0.00,CO,236,95.00\nA1,2,1,2,Canaria,MBR77CANARY,3\n"
    )
    done = scrubber(
        "--rules",
        BUNDLED,
        "--claims",
        claims,
        "--remits",
        tmp_path / "remits.csv",
        "--report",
        tmp_path / "out",
        "--jobs",
        "1",
    )
    assert done.exit_code == 0, done.output
    written_down = "".join((tmp_path / "out" / name).read_text() for name in ("report.json", "report.html"))
    assert "row 2" in written_down
    for canary in CANARIES:
        assert canary.casefold() not in (done.stdout + done.stderr + written_down).casefold()


def test_the_page_asks_for_nothing_from_outside(many: Path) -> None:
    html = page(document(the_run(many / "claims.ndjson", many / "remits.csv")))
    assert "<svg" in html
    for outside in ("http://", "https://", "<script", "src=", "url(", "@import", "<link"):
        assert outside not in html


def test_texts_of_rules_are_escaped_in_the_page(by_hand: Body) -> None:
    rules = [rule | {"title": "<script>alert(1)</script>"} for rule in by_hand["rules"]]
    html = page(by_hand | {"rules": rules})
    assert "<script" not in html
    assert "&lt;script" in html


def test_the_page_on_rules_shows_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prose = (ROOT / "docs" / "writing-rules.md").read_text(encoding="utf-8").split("## Try a rule on past claims")[1]
    command, remits = (block.split("\n```")[0] for block in prose.split("```console\n")[1:3])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCRUBBER_RULES", str(RULES))
    written(tmp_path / "claims.ndjson", [office_claim(), tbs_claim()])
    (tmp_path / "remits.csv").write_text(remits + "\n")
    options = command.split()[3:]
    done = scrubber(*options, "--remits", "remits.csv", "--jobs", "1")
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "back-test" / "report.json").read_text())
    assert report["outcomes"]["lines"] == {"denied": 2, "partly denied": 0, "not denied": 1, "unclear": 0}
    assert report["inputs"]["remittances"]["joinedClaims"] == 2


# Long runs

LONG_RUN = """
import resource, sys
from pathlib import Path
from scrubber.backtest.rulebooks import Choice
from scrubber.backtest.run import back_test
from datetime import date

def run(count):
    rules, folder = Path(sys.argv[1]), Path(sys.argv[2])
    files = folder / f"{count}.ndjson", folder / f"{count}.csv"
    done = back_test(Choice(rules, ("sample-rule",)), None, *files, date(2026, 11, 23), 1, lambda *_: None)
    assert done.tally.counts["joined"] == count
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

few = run(500)
print(run(8000) - few)
"""


def test_memory_does_not_grow_with_the_number_of_claims(tmp_path: Path) -> None:
    rules = rule_folder(tmp_path / "rules")
    body = orjson.dumps(bundled("NUMBER"))
    for count in (500, 8000):
        numbers = [f"L-{number:07}" for number in range(count)]
        claims = b"\n".join(body.replace(b"NUMBER", number.encode()) for number in numbers)
        (tmp_path / f"{count}.ndjson").write_bytes(claims)
        remits = "".join(f"{number},2,95.00,0.00,CO,236,95.00\n" for number in numbers)
        (tmp_path / f"{count}.csv").write_text(HEADER + remits)
    done = subprocess.run(
        [sys.executable, "-c", LONG_RUN, str(rules), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 8  # megabytes; the claims are 20


def test_an_interrupt_ends_every_process_and_leaves_nothing(tmp_path: Path) -> None:
    body = orjson.dumps(bundled("A1")) + b"\n"
    (tmp_path / "claims.ndjson").write_bytes(body * 40_000)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "remits.csv").write_text(REMITS)
    command = [sys.executable, "-m", "scrubber", "rules", "backtest", "--rules", BUNDLED, "--jobs", "2"]
    files = ["--claims", str(tmp_path / "claims.ndjson"), "--remits", str(tmp_path / "remits.csv")]
    run = subprocess.Popen(
        [*command, *files],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: [*(tmp_path / "tmp").glob("*/remits.numbers")])
    time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    out, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, out) == (1, "")
    assert "Traceback" not in err
    assert "Aborted" in err
    assert not [*(tmp_path / "tmp").iterdir()]
    until(lambda: not alive(run.pid))  # the interpreter's own tracker of resources notices a little later


def alive(group: int) -> list[str]:
    """Processes of a group that have not ended, as Linux lists them."""
    stats = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            stats.append(file.read_text().rpartition(")")[2].split())
    return [state for state, _, of, *_ in stats if of == str(group) and state not in "ZX"]


def test_a_pair_that_one_rulebook_names_is_no_fact_of_the_other(shipped: Scrubber) -> None:
    book = shipped.rulebook
    naming = replace(
        book.rules[BUNDLED],
        id="names-a-pair",
        applies=AllOf((Has("first", "any", ("99213",)), Has("second", "any", ("36415",)))),
        when=AllOf(()),
    )
    general = replace(naming, id="any-pair", applies=AllOf(()))
    one = Rulebook(dict(book.rules) | {"any-pair": general}, book.packs, book.rows, book.digest)
    other = Rulebook(dict(one.rules) | {"names-a-pair": naming}, book.packs, book.rows, book.digest)
    judged = open_comparison(Rulebooks(other, one, ()), shipped.reference).judge(read_v3(office_claim()), DAY)
    found_by = [{each.rule.id for each in side.findings} & {"any-pair", "names-a-pair"} for side in judged]
    assert found_by == [set(), {"any-pair", "names-a-pair"}]
