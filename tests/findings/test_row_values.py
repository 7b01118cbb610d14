"""What a finding takes from the row that a rule found: severity, expected reason, dollars and authority."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.explain.explain import Asked, explain
from scrubber.findings import Finding, ScrubResult
from scrubber.reference import open_reference
from scrubber.response.claim import document
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import Scrubber, assemble
from tests.support.claims import Body, tbs_claim
from tests.support.own_tables import folder_with
from tests.support.rule_folders import RULE, put, with_lines

RECEIVED = date(2025, 11, 14)
DECLARED = """\
most.csv:
  about: The most units that a payer takes.
  keys: {payer: payer, code: procedure}
  columns:
    units: {type: number, required: yes}
    severity: {words: [info, warn, deny]}
    group: {words: [CO, PR]}
    carc: text
    rarc: text
    fee: amount
    authority: {words: [payer-policy, advice, house-policy]}
    title: text
    binding: yes-no
  source: sample
"""
HEADER = "payer,code,units,severity,group,carc,rarc,fee,authority,title,binding\n"
ROW = "original-medicare,77092,1,deny,PR,119,N362 M53,12.50,payer-policy,Sample policy of a payer,yes\n"
LOOKS_UP = "{most: {in: most, for: {payer: payer, code: procedure}}}"
FROM_ROW = "{from: most.severity, otherwise: warn}"
REASON = '{group: {from: most.group, otherwise: CO}, carc: {from: most.carc, otherwise: "45"}, rarc: {from: most.rarc}}'
ADVICE = "[{kind: advice, title: A sample article}]"


def folder(path: Path, rows: str, **keys: str) -> Path:
    """A folder with one rule of units that takes what its findings say from these rows."""
    lines = {"severity": f"severity: {FROM_ROW}", "reason": f"reason: {REASON}", "look_up": f"look-up: {LOOKS_UP}",
             "when": "when: {fact: units, over: {fact: most.units}}"}  # fmt: skip
    lines |= {name: f"{name.replace('_', '-')}: {value}" for name, value in keys.items()}
    written = folder_with(path, DECLARED, {"most.csv": HEADER + rows})
    put(written, "sample/pack.yaml", (written / "sample/pack.yaml").read_text("utf-8") + 'grammar: "2"\n')
    put(written, "sample/family/sample-rule.yaml", with_lines(RULE, **lines))
    return written


def claim(**payer: str) -> Body:
    """Two units of 77092, for Original Medicare where nothing else is said."""
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["professionalService"]["serviceUnitCount"] = "2"
    if payer:
        body["claimInformation"]["claimFilingCode"] = payer["filing"]
    return body


def scrubbed(scrubber: Scrubber, body: Body) -> ScrubResult:
    return scrubber.scrub(read_v3(body), RECEIVED)


def finding(written: Path, body: Body | None = None) -> Finding:
    """The one finding of the rule on the claim."""
    found = scrubbed(assemble(load_rulebook(written), open_reference(None)), body or claim())
    (only,) = found.findings
    return only


def test_severity_reason_and_authority_are_those_of_the_row(tmp_path: Path) -> None:
    found = finding(folder(tmp_path, ROW))
    assert found.severity == "deny"
    assert found.reason is not None
    assert (found.reason.group, found.reason.carc, found.reason.rarc) == ("PR", "119", ("N362", "M53"))
    assert [(each.title, each.binding) for each in found.authority] == [
        ("Sample policy", False),
        ("Sample policy of a payer", True),
    ]
    assert found.evidence["most.severity"] == "deny"


@pytest.mark.parametrize(("word", "expected"), [("info", "info"), ("warn", "warn"), ("", "warn")])
def test_a_row_may_say_less_and_a_blank_cell_denies_nothing(tmp_path: Path, word: str, expected: str) -> None:
    row = ROW.replace("deny", word)
    written = folder(tmp_path, row, severity="{from: most.severity, otherwise: deny}")
    assert finding(written).severity == expected


def test_without_a_row_the_rule_says_it(tmp_path: Path) -> None:
    keys = {"when": "{fact: units, over: 1}", "severity": "{from: most.severity, otherwise: deny}"}
    found = finding(folder(tmp_path, ROW.replace("77092", "77089"), **keys))
    assert (found.severity, found.reason and found.reason.carc, found.reason and found.reason.rarc) == (
        "deny",
        "45",
        (),
    )


def test_a_reason_of_which_nobody_knows_the_code_is_none(tmp_path: Path) -> None:
    written = folder(tmp_path, ROW.replace(",119,", ",,"), reason="{group: CO, carc: {from: most.carc}}")
    assert finding(written).reason is None


def test_a_row_of_adoptions_lowers_what_the_row_says(tmp_path: Path) -> None:
    written = folder(tmp_path, ROW)
    header = "pack,rule,payer,line_of_business,plan,contractor,adopted,severity,since,until,reason,owner,source\n"
    put(written, "payers/tables/adoptions.csv", f"{header}sample,sample-rule,,original-medicare,,,,info,,,why,us,us\n")
    pack = (written / "payers/pack.yaml").read_text("utf-8")
    put(
        written,
        "payers/pack.yaml",
        pack.replace("aliases.csv: aliases", "aliases.csv: aliases, adoptions.csv: adoptions"),
    )
    assert finding(written).severity == "info"


def test_dollars_at_risk_are_an_amount_of_the_rule(tmp_path: Path) -> None:
    written = folder(tmp_path, ROW, amounts="{owed: {times: [most.fee, units]}}", at_risk="{from: owed}")
    result = scrubbed(assemble(load_rulebook(written), open_reference(None)), claim())
    (found,) = result.findings
    assert found.impact is not None
    assert (found.impact.at_risk, result.impact.at_risk) == (Decimal("25.00"), Decimal("25.00"))
    assert found.impact.steps[-1] == "at risk is what the rule names (owed): 25.00"
    assert found.impact.allowed is not None
    assert found.impact.allowed != found.impact.at_risk


def test_dollars_that_nobody_knows_are_null_and_say_why(tmp_path: Path) -> None:
    written = folder(tmp_path, ROW.replace("12.50", ""), at_risk="{from: most.fee}")
    answer = document(scrubbed(assemble(load_rulebook(written), open_reference(None)), claim()))
    of_finding = answer["findings"][0]["impact"]
    assert (of_finding["atRisk"], of_finding["unknown"]) == (None, "amount-not-known")
    assert (answer["impact"]["atRisk"], answer["impact"]["unknown"]) == (None, "amount-not-known")


def test_an_explanation_names_the_row_that_decided(tmp_path: Path) -> None:
    scrubber = assemble(load_rulebook(folder(tmp_path, ROW)), open_reference(None))
    explained = explain(scrubber, read_v3(claim()), RECEIVED, Asked(("sample-rule",)))
    (fact,) = explained.rules[0].facts
    told = {lookup.says: lookup.place for lookup in fact.lookups}
    assert told["severity is deny, by most.severity of this row"] == "sample/tables/most.csv:2"
    assert told["reason, carc is 119, by most.carc of this row"] == "sample/tables/most.csv:2"


def faults(written: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(Faults) as caught:
        load_rulebook(written)
    return [(fault.file, fault.line, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "row",
    [
        ROW.replace(",yes\n", ",no\n"),
        ROW.replace(",yes\n", ",\n"),
        ROW.replace("payer-policy", "advice"),
        ROW.replace("Sample policy of a payer", ""),
    ],
)
def test_a_row_that_does_not_bind_denies_nothing(tmp_path: Path, row: str) -> None:
    written = folder(tmp_path, ROW.replace("original-medicare", "COMMERCIAL-SAMPLE") + row, authority=ADVICE)
    ((file, line, message),) = faults(written)
    assert (file, line) == ("sample/tables/most.csv", 3)
    assert message.startswith("severity: `deny` needs an authority that binds, and neither `sample-rule` nor the row")


def test_a_row_whose_own_authority_binds_denies_for_a_rule_of_advice(tmp_path: Path) -> None:
    assert finding(folder(tmp_path, ROW, authority=ADVICE)).severity == "deny"


@pytest.mark.parametrize(
    ("key", "value", "line", "message"),
    [
        ("severity", "{from: most.carc, otherwise: warn}", 6, "`most.carc` is not a word of: info, warn, deny"),
        ("severity", "{from: most.sevrity, otherwise: warn}", 6, "`most.sevrity` stands for nothing here"),
        ("severity", "{from: most.severity}", 6, "severity.otherwise: is missing"),
        ("severity", "{from: most.severity, otherwise: bad}", 6, "Must be one of: info, warn, deny"),
        ("reason", "{group: CO, carc: {from: procedure}}", 19, "`procedure` is not a column of type text or x12-code"),
        ("at_risk", "{from: units}", 20, "`units` is not an amount of dollars"),
    ],
)
def test_what_cannot_be_taken_is_a_fault_of_the_rule(
    tmp_path: Path, key: str, value: str, line: int, message: str
) -> None:
    ((file, at, said),) = faults(folder(tmp_path, ROW, **{key: value}))
    assert (file, at) == ("sample/family/sample-rule.yaml", line)
    assert message in said


def test_a_cell_that_is_no_code_is_a_fault_of_its_row(tmp_path: Path) -> None:
    ((file, line, message),) = faults(folder(tmp_path, ROW.replace(",119,", ",CO-119,")))
    assert (file, line, message) == (
        "sample/tables/most.csv", 2, "carc: `CO-119` is no carc: one looks like 236 or B7",
    )  # fmt: skip


def test_a_pack_of_the_first_grammar_takes_nothing_from_rows(tmp_path: Path) -> None:
    written = folder(
        tmp_path,
        ROW,
        severity="{from: claimSeverity, otherwise: warn}",
        look_up="",
        when="{fact: units, over: 1}",
        reason="null",
    )
    pack = (written / "sample/pack.yaml").read_text("utf-8")
    put(written, "sample/pack.yaml", pack.replace('grammar: "2"\n', ""))
    assert any("`severity` from a row is of grammar 2" in message for _, _, message in faults(written))
