"""Cells of the tables beside rules: mistyped ones are faults with file, line and column; what nothing uses is told."""

from __future__ import annotations

import ast
import json
import pickle
import shutil
from datetime import date
from pathlib import Path

import pytest

from scrubber.authoring.admission import admit
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.run_tests import run_tests
from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.rulebook.lint import lint, lint_report
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import LIMITS_READ, LISTS_READ
from scrubber.scrub import assemble, open_scrubber
from tests.authoring.test_same_version import command
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, SHIPPED, put, rule_folder, with_lines

TODAY = date(2026, 11, 23)
LINE = "# yaml-language-server: $schema=../../rule-test.schema.json\n"
ROWS = "list,code,through,since,until,source\n"
MORE = "sample/tables/more.csv"
HEADERS = {
    "aliases": "payer_id,payer,since,until,source\n",
    "plans": "plan,line_of_business,since,until,source\n",
    "payer-fees": "code,payer,line_of_business,plan,contractor,amount,percent_of_medicare,since,until,source\n",
    "diagnosis-lists": "list,code,prefix,test,since,until,source\n",
    "filing-indicators": "filing_indicator,line_of_business,since,until,source\n",
    "limits": "name,value,since,until,source\n",
    "code-lists": ROWS,
}


def with_list(folder: Path, type_: str, *rows: str, applies: str | None = None) -> Path:
    """A folder whose pack says that the list `own` holds `type_`."""
    pack = f"{PACK}lists: {{tbs: procedures, own: {type_}}}\n"
    lists = LISTS + "".join(f"own,{row},,,sample\n" for row in rows)
    rule = with_lines(RULE, applies=applies) if applies else RULE
    return rule_folder(folder, rule, pack=pack, lists=lists)


def with_table(folder: Path, kind: str, *rows: str) -> Path:
    pack = f"{with_lines(PACK, tables=f'tables: {{lists.csv: code-lists, more.csv: {kind}}}')}"
    rule_folder(folder, pack=pack)
    put(folder, MORE, HEADERS[kind] + "".join(f"{row}\n" for row in rows))
    return folder


@pytest.mark.parametrize(
    ("type_", "cell", "column", "meant"),
    [
        ("procedures", "7708O,", "code", "77080"),
        ("procedures", "7O9I2,", "code", "70912"),
        ("procedures", "g0130,", "code", "G0130"),
        ("procedures", "7709l,", "code", "77091"),
        ("procedures", "l1833,", "code", "L1833"),
        ("procedures", "100,", "code", "00100"),
        ("procedures", "77080-26,", "code", None),
        ("procedures", "0001U,O999U", "through", "0999U"),
        ("diagnoses", "M81.0,", "code", "M810"),
        ("diagnoses", "m810,", "code", "M810"),
        ("diagnoses", "M8O0,", "code", "M800"),
        ("diagnoses", "m8l0,", "code", "M810"),
        ("modifiers", "xs,", "code", "XS"),
        ("modifiers", "5O,", "code", "50"),
        ("places", "2,", "code", "02"),
        ("contractors", "4112,", "code", "04112"),
        ("taxonomies", "207q00000x,", "code", "207Q00000X"),
        ("elements", "billing-np,", "code", "billing-npi"),
        ("x12-codes", "mb,", "code", "MB"),
        ("words", "May deny.,", "code", "may deny"),
        ("days", "2026-02-30,", "code", None),
    ],
)
def test_a_cell_that_no_claim_can_meet(tmp_path: Path, type_: str, cell: str, column: str, meant: str | None) -> None:
    [fault] = lint(with_list(tmp_path, type_, cell))
    assert (fault.file, fault.line) == ("sample/tables/lists.csv", 3)
    assert fault.message.startswith(f"{column}: `")
    assert ("is probably meant" in fault.message) == (meant is not None)
    assert meant is None or f"`{meant}` is probably meant" in fault.message


@pytest.mark.parametrize(
    ("type_", "cells"),
    [
        ("procedures", ("00100,01999", "0001U,", "0042T,", "3014F,", "0001M,0099M", "0001A,", "G0130,", "V2787,V2788")),
        ("diagnoses", ("M810,", "O9A111,", "I10,", "C7A010,", "Z7952,", "S72001A,", "U071,")),
        ("modifiers", ("26,", "TC,", "F5,", "1P,", "HO,", "RT,")),
        ("places", ("11,", "02,", "99,")),
        ("taxonomies", ("332B00000X,332BZZZZZX", "207Q00000X,")),
        ("elements", ("billing-npi,", "abn,")),
        ("x12-codes", ("MB,", "16,", "G8,")),
        ("words", ("may not be paid,", "annual,")),
        ("days", ("2029-03-31,",)),
        ("text", ("CMS R-131,", "K121716,")),
    ],
)
def test_a_cell_as_claims_have_it(tmp_path: Path, type_: str, cells: tuple[str, ...]) -> None:
    assert lint(with_list(tmp_path, type_, *cells)) == []


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("payer-fees", "7708O,,,,,12.50,,,,x", "code: `7708O` is no procedure code: `77080` is probably meant"),
        ("payer-fees", '77080,,,,,"1,250.00",,,,x', "amount: expected a number such as 1250.85: digits with a point"),
        ("payer-fees", "77080,,,,,1,250.00,,,,x", "put a cell with a comma in double quotes"),
        ("payer-fees", "77080,,,,,12.50,,2025-06-01,2025-01-01,x", "until: must be a later day than since"),
        ("payer-fees", "77080,,,,,12.50,,06/01/2025,,x", "since: expected a day such as"),
        ("diagnosis-lists", "bones,M81.0,no,covered,,,x", "code: `M81.0` is no diagnosis code: `M810` is probably"),
        ("diagnosis-lists", "bones,m81,yes,covered,,,x", "code: `m81` is no beginning of a diagnosis code: `M81`"),
        ("plans", "Medicare Advantage,medicare-advantage,,,x", "plan: `Medicare Advantage` is no name of a plan"),
        ("filing-indicators", "mb,original-medicare,,,x", "filing_indicator: `mb` is no code of the transaction: `MB`"),
    ],
)
def test_a_cell_of_other_tables(tmp_path: Path, kind: str, row: str, said: str) -> None:
    faults = lint(with_table(tmp_path, kind, row))
    assert [(fault.file, fault.line, said in fault.message) for fault in faults] == [(MORE, 2, True)], faults


def test_a_beginning_of_diagnoses_may_be_short(tmp_path: Path) -> None:
    assert lint(with_table(tmp_path, "diagnosis-lists", "bones,M,yes,covered,,,x", "bones,M8,yes,excluded,,,x")) == []


def test_a_payer_of_a_list_that_no_alias_names(tmp_path: Path) -> None:
    folder = with_table(tmp_path, "aliases", "S1,Sample Commercial,,,x")
    put(folder, "sample/pack.yaml", (folder / "sample/pack.yaml").read_text() + "lists: {tbs: payers}\n")
    put(folder, "sample/tables/lists.csv", f"{ROWS}tbs,Sample Comercial,,,,x\n")
    [fault] = lint(folder)
    assert str(fault) == (
        "sample/tables/lists.csv:2: code: no row of aliases names the payer `Sample Comercial`: `Sample Commercial` is "
        "probably meant; else add one to a table of aliases, or correct the name"
    )
    put(folder, "sample/tables/lists.csv", f"{ROWS}tbs,Sample Commercial,,,,x\n")
    assert lint(folder) == []


def test_a_list_is_held_against_facts_of_its_own_type(tmp_path: Path) -> None:
    folder = with_list(tmp_path, "diagnoses", "M810,", applies="applies: {procedure: {any-in: own}}")
    [fault] = [fault for fault in lint(folder) if "can never fire" not in fault.message]
    assert fault.file == "sample/family/sample-rule.yaml"
    assert "`procedure` holds procedures, and the list `own` diagnoses" in fault.message


def test_a_list_of_the_program_cannot_be_said_to_hold_something_else(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, pack=f"{PACK}lists: {{tbs: procedures, sites-left: procedures}}\n")
    [fault] = lint(folder)
    assert (
        str(fault)
        == "sample/pack.yaml: lists.sites-left: the program reads that it holds modifiers, and not procedures"
    )


def test_a_list_without_a_type_is_read_as_the_rule_that_names_it_does(tmp_path: Path) -> None:
    rule = with_lines(RULE, applies="applies: {procedure: {any-in: tbs}}")
    folder = rule_folder(tmp_path, rule, LINE + CASES, lists=f"{LISTS}tbs,77O92,,,,x\ntbs,77092,,,,x\n")
    [fault] = lint(folder)
    assert "sample/tables/lists.csv:3: code: `77O92` is no procedure code" in str(fault)
    [warning] = lint_report(folder, TODAY).warnings
    assert "does not say what `tbs` holds: add under `lists` tbs: procedures" in warning.message


def test_what_nothing_uses_is_told(tmp_path: Path) -> None:
    folder = rule_folder(
        tmp_path,
        cases=LINE + CASES,
        pack=f"{with_lines(PACK, tables='tables: {lists.csv: code-lists, more.csv: limits}')}lists: {{gone: places}}\n",
        lists=f"{LISTS}tbs,77080,77089,,,x\nabn-forms,ABN,,,,x\n",
    )
    put(folder, MORE, "name,value,since,until,source\nown-most,2,,,x\nabn-most-days,366,,,x\n")
    assert lint(folder) == []
    told = [str(warning) for warning in lint_report(folder, TODAY).warnings]
    assert told == [
        "sample/pack.yaml: lists.gone: no row of a table has this list",
        "sample/tables/lists.csv:2: code: line 3 says the same for all of its days: one of the two is not needed",
        "sample/tables/lists.csv:2: list: no rule names the list `tbs`, and nothing else reads it: correct the name, "
        "or take it out",
        "sample/tables/more.csv:2: name: no rule names the limit `own-most`, and nothing else reads it: correct the "
        "name, or take it out",
    ]


def test_every_list_and_limit_shipped_is_used_and_says_what_it_holds() -> None:
    found = lint_report(SHIPPED, date(2026, 11, 23))
    assert [
        str(each) for each in (*found.faults, *found.warnings) if ".csv" in each.file or "lists." in each.message
    ] == []


def test_what_the_program_reads_is_known() -> None:
    """A list or a limit that facts or checks of remedies name and that the vocabulary lacks would be told as unused."""
    book = load_rulebook(SHIPPED)
    shipped = book.lists.names | {row.name for row in book.rows["limits"]}
    named = {
        node.value
        for path in (*sorted(Path("scrubber/facts").glob("*.py")), Path("scrubber/rulebook/remedies.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    read = LISTS_READ.keys() | LIMITS_READ
    assert named & shipped <= read
    assert read <= named & shipped


DOTTED = "Z79.52"


@pytest.fixture
def mistyped(tmp_path: Path) -> Path:
    """The shipped rules with a dot in the one diagnosis that excuses an early repeat."""
    folder = tmp_path / "rules"
    shutil.copytree(SHIPPED, folder)
    path = folder / "payer-coverage/tables/lists.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("bone-mass-early-repeat,Z7952,", f"bone-mass-early-repeat,{DOTTED},"), "utf-8")
    return folder


def test_one_mistyped_cell_denies_a_claim_that_is_right_and_is_refused(mistyped: Path) -> None:
    """Nothing but the cell's form could tell: the table loads, and the claim is denied for what it does say."""
    rule = "payer-coverage-frequency-deny"
    failed = [result for result in run_tests(open_scrubber(mistyped, None), mistyped, [rule]) if not result.passed]
    assert failed
    assert all("found finding: line 1; severity deny; at-risk 38.17" in result.differences[0] for result in failed)
    assert all(result.passed for result in run_tests(open_scrubber(SHIPPED, None), SHIPPED, [rule]))
    line = next(
        number
        for number, text in enumerate((mistyped / "payer-coverage/tables/lists.csv").read_text("utf-8").split("\n"), 1)
        if DOTTED in text
    )
    said = f"payer-coverage/tables/lists.csv:{line}: code: `Z79.52` is no diagnosis code: `Z7952` is probably meant"
    assert [str(fault).startswith(said) for fault in lint(mistyped)] == [True]
    with pytest.raises(Faults, match="`Z7952` is probably meant"):  # what a reload and a start ask
        admit(mistyped, open_reference(None), CheckCache(None), 1)


def test_a_service_does_not_start_with_a_mistyped_cell(mistyped: Path, tmp_path: Path) -> None:
    done = command("serve", rules=mistyped, state=tmp_path / "state")
    assert done.returncode != 0
    assert "code: `Z79.52` is no diagnosis code" in done.stderr


POLICIES = (
    "code,payer,line_of_business,plan,contractor,status,effect,diagnosis_list,frequency,since,until,authority,title,"
    "locator,url,retrieved,binding\n"
    "77092,,original-medicare,,04112,investigational,warn,,,2022-01-01,,payer-policy,Our article,,,2026-11-22,no\n"
)


def _carried(book: Rulebook) -> Rulebook:
    """As a reload carries it to another process."""
    again = pickle.loads(pickle.dumps(book))  # noqa: S301 -- our own
    assert isinstance(again, Rulebook)
    return again


def test_a_policy_row_is_cited_by_the_pack_that_it_stands_in(tmp_path: Path) -> None:
    """The rule that carries rows out is of payer-coverage; the row behind the finding is of our clinic."""
    folder = tmp_path / "rules"
    shutil.copytree(SHIPPED, folder)
    pack = PACK.replace("name: sample", "name: our-clinic").replace("lists.csv: code-lists", "policies.csv: policies")
    put(folder, "our-clinic/pack.yaml", pack)
    put(folder, "our-clinic/tables/policies.csv", POLICIES)
    body = json.loads((SHIPPED.parent / "examples/tbs-interpretation.json").read_bytes())
    for book in (load_rulebook(folder), _carried(load_rulebook(folder))):
        result = assemble(book, open_reference(None)).scrub(read_v3(body), date(2025, 11, 14))
        [finding] = [each for each in result.findings if each.rule.id == "payer-coverage-investigational"]
        assert finding.evidence["table"] == "our-clinic/tables/policies.csv"
        assert [each.title for each in finding.authority] == ["Coverage rows", "Our article"]
        assert not any("payer-coverage/" in (each.locator or "") for each in finding.authority)
    shipped = open_scrubber(SHIPPED, None).scrub(read_v3(body), date(2025, 11, 14))
    tables = {each.evidence.get("table") for each in shipped.findings if each.rule.scope == "coverage"}
    assert tables == {"payer-coverage/tables/policies.csv"}
