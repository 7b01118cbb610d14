"""Which reference data test cases of rules run on: the same answer whatever is loaded, or what an author asks for."""

from __future__ import annotations

import csv
import lzma
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.admission import admit, warning_event
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.coverage import cover
from scrubber.authoring.mutation import mutate
from scrubber.authoring.run_tests import CaseResult, run_tests
from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.tables import PROCEDURES
from scrubber.reference.typed_tables import read_contents
from scrubber.rulebook.lint import lint_report
from scrubber.scrub import Scrubber, open_scrubber
from tests.reference.load.test_loader import load_into
from tests.server.test_reload import digests, hup, serving, workers_of
from tests.support.ncci_files import mue_text, ptp_file, ptp_line
from tests.support.published import DATA
from tests.support.rule_folders import CASES, PACK, RULE, SHIPPED, put, rule_folder, shipped_over, with_lines

NCCI = DATA / "ncci"
LASTING = StatedRelease("2024Q3", date(2024, 7, 1), date(2027, 1, 1))
# The starter tables have 77092 over 77089, never to be separated, and one unit of 77092 a day.
CONTRARY_PAIRS = (ptp_line("77089", "77092", "20000101", indicator="1"),)
CONTRARY_UNITS = ("77092,9,3 Date of Service Edit: Clinical,Made Up\n",)
UNITS_OVER_MUE = with_lines(RULE, when="when: {fact: unitsOverMue, is: yes}")
TWO_UNITS_ARE_TOO_MANY = CASES.replace(", severity: warn", "").replace('"99213", line.1.units: 2', '"77089"')
TEN_UNITS_ARE_TOO_MANY = TWO_UNITS_ARE_TOO_MANY.replace("units: 2", "units: 10").replace("units: 3", "units: 11")


@pytest.fixture(scope="module")
def contrary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loaded NCCI tables that say the contrary of the starter tables."""
    folder = tmp_path_factory.mktemp("contrary")
    load_into(folder / "store", "ncci-ptp", ptp_file(folder, lines=CONTRARY_PAIRS), chosen=LASTING)
    units = folder / "units.csv"
    units.write_text(mue_text(*CONTRARY_UNITS))
    load_into(folder / "store", "ncci-mue", units, chosen=LASTING)
    return folder / "store"


@pytest.fixture(scope="module")
def over_contrary(contrary: Path) -> Scrubber:
    return shipped_over(contrary)


def failed(results: list[CaseResult]) -> list[tuple[str, str]]:
    return [(result.rule, result.case) for result in results if not result.passed]


def scrubber(*words: str, rules: Path, reference: Path | None = None, state: Path | None = None) -> Result:
    environ = {"SCRUBBER_RULES": str(rules)}
    if reference is not None:
        environ["SCRUBBER_REFERENCE"] = str(reference)
    if state is not None:
        environ["SCRUBBER_STATE"] = str(state)
    return CliRunner().invoke(main, words, env=environ)


def house(folder: Path, cases: str, pack: str = PACK) -> Path:
    return rule_folder(folder, UNITS_OVER_MUE, cases, pack)


def test_shipped_cases_come_out_whatever_is_loaded(over_contrary: Scrubber) -> None:
    results = run_tests(over_contrary, SHIPPED)
    assert len({result.rule for result in results}) == len(over_contrary.rulebook.rules)
    assert failed(results) == []


def test_the_loaded_tables_would_have_made_them_fail(contrary: Path, tmp_path: Path) -> None:
    """Else the test above shows nothing."""
    for name, failing in (("starter", []), ("in-use", ["two units", "three units"])):
        folder = house(tmp_path / name, TWO_UNITS_ARE_TOO_MANY, PACK + f"test-releases: {name}\n")
        results = run_tests(open_scrubber(folder, str(contrary)), folder)
        assert [case for _, case in failed(results)] == failing


def test_coverage_and_mutation_are_the_same_whatever_is_loaded(over_contrary: Scrubber, shipped: Scrubber) -> None:
    rules = ["cms-ncci-mue-line", "cms-ncci-ptp-column-two"]
    over, plain = (
        (list(cover(opened, SHIPPED, rules)), list(mutate(opened, SHIPPED, rules)))
        for opened in (over_contrary, shipped)
    )
    assert [each.failing for each in over[1]] == [()] * len(rules)
    assert [(each.tried, each.survived) for each in over[1]] == [(each.tried, each.survived) for each in plain[1]]
    assert [[(seen.true, seen.false) for seen in each.conditions] for each in over[0]] == [
        [(seen.true, seen.false) for seen in each.conditions] for each in plain[0]
    ]


def test_a_case_says_that_it_is_for_the_releases_in_use(contrary: Path, tmp_path: Path) -> None:
    cases = TEN_UNITS_ARE_TOO_MANY.replace("  claim: tbs\n", "  claim: tbs\n  releases: in-use\n")
    folder = house(tmp_path, cases)
    assert failed(run_tests(open_scrubber(folder, str(contrary)), folder)) == []
    silent = run_tests(open_scrubber(folder, None), folder)
    assert failed(silent) == []  # ten are too many for the starter tables as well
    assert {result.releases for result in silent} == {"in-use"}


def test_a_pack_says_it_for_all_its_cases_and_one_case_for_itself(contrary: Path, tmp_path: Path) -> None:
    own = "- name: on the starter tables\n  claim: tbs\n  releases: starter\n  change: {line.1.units: 2}\n"
    cases = f"{TEN_UNITS_ARE_TOO_MANY}- name: nine\n  claim: tbs\n  change: {{line.1.units: 9}}\n  finds: []\n{own}"
    folder = house(tmp_path, f"{cases}  finds: [{{line: 1}}]\n", PACK + "test-releases: in-use\n")
    assert failed(run_tests(open_scrubber(folder, str(contrary)), folder)) == []
    assert failed(run_tests(open_scrubber(folder, None), folder)) == [("sample-rule", "nine")]


def test_a_case_that_was_written_for_other_tables_says_so_when_it_fails(contrary: Path, tmp_path: Path) -> None:
    nine = "- name: nine\n  claim: tbs\n  change: {line.1.units: 9}\n  finds: []\n"
    folder = house(tmp_path / "a", nine)
    told = scrubber("rules", "test", rules=folder, reference=contrary)
    assert told.exit_code == 1
    assert "where it is meant for those, add `releases: in-use`" in told.stdout
    folder = house(tmp_path / "b", nine.replace("finds", "releases: in-use\n  finds"))
    assert scrubber("rules", "test", rules=folder, reference=contrary).exit_code == 0
    told = scrubber("rules", "test", rules=folder)
    assert told.exit_code == 1
    assert "SCRUBBER_REFERENCE names none beside the starter tables" in told.stdout


def test_lint_counts_the_cases_that_other_tables_may_change(tmp_path: Path) -> None:
    cases = CASES.replace("name: two units\n", "name: two units\n  releases: in-use\n")
    folder = rule_folder(tmp_path / "a", cases=cases)
    assert lint_report(folder, date(2026, 11, 23)).in_use == 1
    assert "1 case runs on the releases in use" in scrubber("rules", "lint", rules=folder).stdout
    folder = rule_folder(tmp_path / "b", pack=PACK + "test-releases: in-use\n")
    assert lint_report(folder, date(2026, 11, 23)).in_use == 4
    assert lint_report(SHIPPED, date(2026, 11, 23)).in_use == 0


@pytest.mark.parametrize("where", ["pack", "case"])
def test_another_word_is_a_fault_with_its_line(tmp_path: Path, where: str) -> None:
    if where == "pack":
        folder = rule_folder(tmp_path, pack=PACK + "test-releases: mine\n")
        found = ("sample/pack.yaml", 7)
    else:
        folder = rule_folder(tmp_path, cases=CASES.replace("two units\n", "two units\n  releases: mine\n"))
        found = ("sample/family/sample-rule.test.yaml", 2)
    [fault] = [fault for fault in lint_report(folder, date(2026, 11, 23)).faults if "releases" in fault.message]
    assert (fault.file, fault.line) == found
    assert "Must be one of: starter, loaded, complete, in-use." in fault.message


def test_new_tables_ask_only_those_cases_anew_that_run_on_them(contrary: Path, tmp_path: Path) -> None:
    passed = CheckCache(tmp_path)
    starter, loaded = open_reference(None), open_reference(str(contrary))
    alone = house(tmp_path / "alone", TWO_UNITS_ARE_TOO_MANY)
    assert admit(alone, starter, passed, 1).cases == 4
    assert admit(alone, loaded, passed, 1).cases == 0
    in_use = house(tmp_path / "in-use", TEN_UNITS_ARE_TOO_MANY, PACK + "test-releases: in-use\n")
    assert admit(in_use, starter, passed, 1).cases == 4
    assert admit(in_use, starter, passed, 1).cases == 0
    assert admit(in_use, loaded, passed, 1).cases == 4
    put(in_use, "sample/CHANGES.md", "# Changes\n\n## 2026-11-29\n\n- Nothing.\n")  # no case rests on it
    assert admit(in_use, loaded, passed, 1).cases == 0


def test_cases_in_use_that_do_not_come_out_are_told_and_stop_nothing(contrary: Path, tmp_path: Path) -> None:
    nine = TEN_UNITS_ARE_TOO_MANY.replace("units: 10", "units: 9")
    folder = house(tmp_path / "rules", nine, PACK + "test-releases: in-use\n")
    passed = CheckCache(tmp_path)
    assert admit(folder, open_reference(None), passed, 1).warnings == ()
    for _ in range(2):  # at each check, until they come out again
        admitted = admit(folder, open_reference(str(contrary)), passed, 1)
        [warning] = admitted.warnings
        assert warning.message.startswith("a case on the releases in use: ")
        assert "two units: expected finding" in warning.message
        assert warning_event(str(warning)) == "case"
    assert admit(folder, open_reference(None), passed, 1).cases == 0


def test_a_case_on_the_starter_tables_still_refuses_beside_one_in_use(contrary: Path, tmp_path: Path) -> None:
    nine = TEN_UNITS_ARE_TOO_MANY.replace("units: 10", "units: 9")
    folder = house(tmp_path / "rules", nine, PACK + "test-releases: in-use\n")
    tests = next(folder.glob("sample/**/*.test.yaml"))
    tests.write_text(tests.read_text() + "- {name: nothing fires, claim: tbs, releases: starter, finds: [{line: 1}]}\n")
    with pytest.raises(Faults) as caught:
        admit(folder, open_reference(str(contrary)), CheckCache(tmp_path), 1)
    assert ["nothing fires" in fault.message for fault in caught.value.faults] == [True]


# Shipped rules in a service with full tables. Real gunicorn, real signals.


@pytest.fixture(scope="module", params=["contrary", "published"])
def loaded(request: pytest.FixtureRequest, contrary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of loaded NCCI tables: a few rows against the starter tables, or what CMS published for 2024Q3."""
    if request.param == "contrary":
        return contrary
    if not NCCI.is_dir():
        pytest.skip("the published files are not beside the project")
    folder = tmp_path_factory.mktemp("published")
    load_into(folder / "store", "ncci-ptp", ptp_file(folder, lines=published_edits()), chosen=LASTING)
    units = folder / "units.csv"
    units.write_text(mue_text(*published_units()))
    load_into(folder / "store", "ncci-mue", units, chosen=LASTING)
    return folder / "store"


def test_shipped_rules_are_reloaded_in_a_service_with_loaded_tables(
    tmp_path: Path, loaded: Path, shipped_passed: Callable[[Path], Path]
) -> None:
    rules = shutil.copytree(SHIPPED, tmp_path / "rules")
    shipped_passed(tmp_path / "state")
    pack, rule = rules / "tbs" / "pack.yaml", rules / "cms-ncci" / "ptp" / "cms-ncci-ptp-column-two.yaml"
    with serving(tmp_path, rules, SCRUBBER_REFERENCE=str(loaded)) as service:
        workers_of(service)
        (first,) = digests(service)
        pack.write_text(pack.read_text() + "# every case runs again\n")
        outcome = hup(tmp_path, service)
        assert (outcome.outcome, outcome.reasons) == ("reloaded", ())
        assert outcome.cases > 900
        (second,) = digests(service)
        rule.write_text(rule.read_text() + "# the cases of this rule run again\n")
        done = scrubber("rules", "reload", rules=rules, reference=loaded, state=tmp_path / "state")
        assert (done.exit_code, done.stderr) == (0, ""), done.stdout
        (third,) = digests(service)
        assert len({first, second, third}) == 3


def published_units() -> Iterator[str]:
    """Every medically unlikely edit of 2024Q3."""
    with lzma.open(NCCI / "mue_practitioner_eff_2024-07-01.csv.xz", "rt", newline="") as file:
        for row in csv.reader(line for line in file if not line.startswith("hcpcs")):
            yield ",".join((*row[:2], f"{row[2]} Edit", "Made Up")) + "\n"


def published_edits() -> Iterator[str]:
    """Every edit of 2024Q3 that a code of the starter tables is in: no other one can meet a shipped case."""
    codes = {row.code for row in read_contents(None).tables[PROCEDURES]}
    with lzma.open(NCCI / "ncci_ptp_practitioner_v30.2_2024q3.csv.xz", "rt", newline="") as file:
        header = next(file)
        lines = (line for line in file if line[:5] in codes or line[6:11] in codes)
        for row in csv.DictReader([header, *lines]):
            if row["deletion_date"] == "*":
                yield ptp_line(row["column_1"], row["column_2"], "20000101", "*", row["modifier_indicator"])
