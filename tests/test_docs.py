"""README, the pages in docs/ and the examples: what they show is what the program does, and every command runs."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scrubber.authoring.fact_docs import renewed
from scrubber.claim import read_v3
from scrubber.response.claim import document
from scrubber.rulebook.amounts import AMOUNT_WORDS, MOVES, ROUNDED
from scrubber.rulebook.column_types import COLUMN_TYPES
from scrubber.rulebook.field import Type
from scrubber.rulebook.line_items import ITEMS
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.operators import OPERATORS
from scrubber.rulebook.relations import QUANTIFIERS
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.same import SAME, SAME_MODIFIERS
from scrubber.rulebook.same_and_within import SIDES, UNITS
from scrubber.rulebook.schema import AUTHORITY_KINDS, STATUSES, PackFileSchema, RuleYamlSchema
from scrubber.rulebook.test_case import CaseSchema, ExpectedFindingSchema, ExpectedNotCheckedSchema
from scrubber.scrub import Scrubber, open_scrubber
from tests.conftest import ROOT
from tests.support.service import JSON, Service, running

README = ROOT / "README.md"
TRAVELS = ROOT / "docs" / "how-a-claim-travels.md"
RULES_PAGE = ROOT / "docs" / "writing-rules.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = (README, CONTRIBUTING, *sorted((ROOT / "docs").glob("*.md")))
SERVED = "http://127.0.0.1:8080"


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line of text above it."""

    language: str
    text: str
    above: str


def blocks(page: Path) -> list[Block]:
    found = re.finditer(r"([^\n]*)\n\n```(\w*)\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [Block(language, text, above) for above, language, text in (match.groups() for match in found)]


def commands(page: Path) -> list[str]:
    return [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of a page, with this Python in place of the environment's."""
    words = shlex.split(command)
    program = {".venv/bin/scrubber": [sys.executable, "-m", "scrubber"], ".venv/bin/python": [sys.executable]}
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("SCRUBBER_", "MAKE", "MFLAGS"))}
    return subprocess.run(
        [*program.get(words[0], words[:1]), *words[1:]],
        cwd=folder,
        env=outer | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def make_target(command: str) -> None:
    """That make knows the target; running it here would run these tests in themselves."""
    done = run(command.replace("make ", "make -n ", 1), ROOT)
    assert done.returncode == 0, done.stderr


def body_of(name: str) -> Any:
    return json.loads((ROOT / "examples" / f"{name}.json").read_bytes())


def answer_of(scrubber: Scrubber, body: Any) -> Any:
    claim = read_v3(body)
    assert claim.context.received_on is not None
    return json.loads(json.dumps(document(scrubber.scrub(claim, claim.context.received_on))))


# The examples

STORIES: dict[
    str, tuple[str, set[str], str | None, str | None]
] = {  # Disposition, categories of what is above info, dollars at risk, and who bears them
    "office-visit": ("accept", set(), "0.00", None),
    "tbs-interpretation": ("warn", {"coverage"}, "9.38", "provider"),
    "tbs-bundled": ("deny", {"bundling", "coverage"}, "48.20", "provider"),
    "dxa-axial-and-peripheral": ("deny", {"bundling"}, "27.64", "provider"),
    "tbs-no-number": ("deny", {"documentation", "coverage"}, "9.38", "provider"),
    "tbs-abn": ("accept", set(), "0.00", None),
    "commercial": ("warn", {"coding"}, None, None),
}


def test_every_example_has_its_story() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.json")} == STORIES.keys()


@pytest.mark.parametrize("name", STORIES)
def test_an_example_tells_its_story_and_no_other(name: str, shipped: Scrubber) -> None:
    disposition, categories, at_risk, bearer = STORIES[name]
    answer = answer_of(shipped, body_of(name))
    assert answer["disposition"] == disposition
    assert {item["category"] for item in answer["findings"] if item["severity"] != "info"} == categories
    assert answer["impact"]["atRisk"] == at_risk
    assert not bearer or answer["impact"]["byLiability"][bearer] == at_risk


@pytest.mark.parametrize("name", STORIES)
def test_an_example_is_a_complete_claim(name: str, shipped: Scrubber) -> None:
    claim = read_v3(body_of(name))
    assert (claim.normalised, claim.unmapped, claim.unreadable) == ((), (), ())
    answer = answer_of(shipped, body_of(name))
    # The examples send no history: what only the patient's earlier services could tell is said not to be checked.
    missing = [item["missing"] for item in answer["notChecked"] if item["missing"] != ["history"]]
    assert missing == ([["adoption"]] if name == "commercial" else [])


def test_the_examples_show_every_severity(shipped: Scrubber) -> None:
    found = [item for name in STORIES for item in answer_of(shipped, body_of(name))["findings"]]
    assert {item["severity"] for item in found} == {"info", "warn", "deny"}


def test_figures_of_the_examples(shipped: Scrubber) -> None:
    bundled = answer_of(shipped, body_of("tbs-bundled"))["findings"][0]
    assert (bundled["lines"], bundled["impact"]["atRisk"], bundled["reason"]["carc"]) == ([2], "38.82", "236")
    no_number = answer_of(shipped, body_of("tbs-no-number"))["findings"]
    denied = {item["rule"]["id"] for item in no_number if item["severity"] == "deny"}
    assert denied == {"documentation-tbs-number", "documentation-tbs-signature"}
    commercial = answer_of(shipped, body_of("commercial"))["impact"]
    assert (commercial["allowed"], commercial["unknown"]) == (None, "no-schedule")


# Every page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_typed_as_they_run_in_a_clone(page: Path) -> None:
    fenced = re.findall(r"```\w*\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    bare = re.compile(r"^(?:\$ )?(?:\w+=\S+ )*scrubber |\| scrubber ")
    assert [line for block in fenced for line in block.splitlines() if bare.search(line)] == []


# README


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("command", [line for line in commands(README) if not line.startswith("curl")])
def test_a_command_of_the_readme(command: str) -> None:
    if command.startswith("make "):
        make_target(command)
        return
    done = run(command, ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("served")) as service:
        yield service


def test_the_readme_posts_a_claim_as_it_says(service: Service, shipped: Scrubber) -> None:
    (command,) = (line for line in commands(README) if line.startswith("curl"))
    if shutil.which("curl"):
        done = run(command.replace(SERVED, f"http://127.0.0.1:{service.port}"), ROOT)
        assert done.returncode == 0
        answer = json.loads(done.stdout)
    else:
        *_, header, _, file, address = shlex.split(command)
        assert header == "Content-Type: application/json"
        content = (ROOT / file.removeprefix("@")).read_bytes()
        answer = service.ask("POST", address.removeprefix(SERVED), content, JSON).json
    assert answer == answer_of(shipped, body_of("tbs-bundled"))


def test_the_documentation_page_is_where_the_readme_says(service: Service) -> None:
    (address,) = re.findall(rf"`{SERVED}(/\w+)`", README.read_text(encoding="utf-8"))
    assert service.ask("GET", address).status == 200


def is_part(shown: Any, whole: Any) -> bool:
    """Whether what is shown only leaves keys out of objects and entries off the end of lists."""
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(key in whole and is_part(shown[key], whole[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(whole, list) and len(shown) <= len(whole) and all(map(is_part, shown, whole))
    return bool(shown == whole)


def test_the_readme_shows_a_claim_and_its_real_answer(shipped: Scrubber) -> None:
    shown_claim, shown_answer = (json.loads(block.text) for block in blocks(README) if block.language == "json")
    body = body_of("tbs-bundled")
    answer = answer_of(shipped, body)
    assert is_part(shown_claim, body)
    assert is_part(shown_answer, answer), json.dumps(answer["findings"][0], indent=1)


def test_the_readme_shows_a_rule_and_its_test_as_they_are() -> None:
    rule, *cases = (block.text for block in blocks(README) if block.language == "yaml")
    name = re.findall(r"^id: (\S+)$", rule, re.MULTILINE)[0]
    (path,) = (ROOT / "rules").glob(f"*/*/{name}.yaml")
    assert rule == path.read_text(encoding="utf-8").strip()
    tested = path.with_suffix(".test.yaml").read_text(encoding="utf-8")
    assert cases
    assert all(f"{case}\n" in tested for case in cases)


# Pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_commands_of_contributing(rules_copy: Path) -> None:
    for command in commands(CONTRIBUTING):
        if command.startswith("make "):
            make_target(command)
        else:
            assert run(command, rules_copy).returncode == 0, command


def test_the_journey_of_a_claim_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = doctest.testfile(str(TRAVELS), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8")
    assert done.attempted > 20
    assert done.failed == 0


# Writing rules


@pytest.fixture
def rules_copy(tmp_path: Path) -> Path:
    """A folder with copies of the rules, the examples and the rule page, to be changed."""
    for name in ("rules", "examples", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def write_worked_example(folder: Path) -> list[str]:
    """Writes the files of the page's worked example; returns its commands."""
    for block in blocks(RULES_PAGE):
        if name := re.fullmatch(r"File `(.*)`:", block.above):
            path = folder / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n", encoding="utf-8")
    return commands(RULES_PAGE)


def test_the_worked_example_works(rules_copy: Path) -> None:
    outputs = [run(command, rules_copy) for command in write_worked_example(rules_copy)]
    assert [(done.returncode, done.stderr) for done in outputs] == [(0, "")] * 2, outputs
    assert "no faults" in outputs[0].stdout
    shown, _ = (block.text for block in blocks(RULES_PAGE) if block.language == "text")
    assert outputs[1].stdout.strip() == shown


def test_the_worked_mistake_is_told_as_the_page_says(rules_copy: Path) -> None:
    lint, _ = write_worked_example(rules_copy)
    (rule,) = rules_copy.glob("rules/our-clinic/modifiers/our-clinic-modifier-25.yaml")
    rule.write_text(rule.read_text().replace("severity: warn", "severity: warning"))
    done = run(lint, rules_copy)
    _, shown = (block.text for block in blocks(RULES_PAGE) if block.language == "text")
    assert done.returncode == 1
    assert shown in done.stdout.splitlines()


def test_rows_for_payers_do_what_the_page_says(rules_copy: Path) -> None:
    added = 0
    _, _, text = RULES_PAGE.read_text(encoding="utf-8").partition("\n## Payers\n")
    for name, rows in re.findall(r"\sto\s`(rules/[\w./-]+)`:\n\n```csv\n(.*?)\n```", text, re.DOTALL):
        with (rules_copy / name).open("a", encoding="utf-8") as table:
            table.write(rows + "\n")
        added += 1
    assert added == text.count("\n```csv\n")
    scrubber = open_scrubber(rules_copy / "rules", None)
    commercial = answer_of(scrubber, body_of("commercial"))
    assert commercial["disposition"] == "deny"
    assert {item["rule"]["id"] for item in commercial["notChecked"]} == {"clinic-checks-duplicate-of-earlier"}
    assert commercial["impact"]["allowed"] == "55.20"
    assert commercial["findings"][0]["impact"]["allowed"] == "42.70"
    assert answer_of(scrubber, body_of("tbs-interpretation"))["disposition"] == "accept"
    undocumented = body_of("tbs-no-number") | {"tradingPartnerServiceId": "COMMERCIAL-SAMPLE"}
    assert "documentation" not in {item["category"] for item in answer_of(scrubber, undocumented)["findings"]}


def test_rows_that_name_a_rule_load_as_the_page_has_them(rules_copy: Path) -> None:
    _, _, text = RULES_PAGE.read_text(encoding="utf-8").partition("\n**Switch one rule on or off")
    table = text.partition("```console\n")[2].partition("\n```")[0]
    folder = rules_copy / "rules" / "our-clinic"
    (folder / "tables").mkdir(parents=True)
    pack = "{name: our-clinic, title: Ours, about: Ours., adoption: everyone, tables: {adopted-rules.csv: adoptions}}"
    (folder / "pack.yaml").write_text(pack, encoding="utf-8")
    (folder / "tables" / "adopted-rules.csv").write_text(table + "\n", encoding="utf-8")
    with (rules_copy / "rules/payers/tables/aliases.csv").open("a", encoding="utf-8") as aliases:
        aliases.write("COMMERCIAL-SAMPLE,Sample Commercial,,,list of our clearinghouse\n")
    book = load_rulebook(rules_copy / "rules")
    payer, day = Payer("Sample Commercial", "commercial", None, None), date(2025, 3, 12)
    on_page = {line.split(",")[1] for line in table.splitlines()[1:]}  # shipped rows name other rules
    rules = {row.rule: book.rules[row.rule] for row in book.rows["adoptions"] if row.rule in on_page}
    assert len(rules) == len(table.splitlines()) - 1
    changed = {name: (book.applied(rule, payer, day), book.severity(rule, payer, day)) for name, rule in rules.items()}
    assert all(not applied or severity != rules[name].severity for name, (applied, severity) in changed.items())


@pytest.mark.parametrize("page", [RULES_PAGE, ROOT / "docs" / "elements.md"], ids=lambda page: page.name)
def test_the_tables_that_the_program_writes_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == renewed(text), "CONTRIBUTING.md says how to write them anew"


@pytest.mark.parametrize(
    "words",
    [
        [field.data_key or name for name, field in RuleYamlSchema().fields.items()],
        [field.data_key or name for name, field in CaseSchema().fields.items()],
        [field.data_key or name for name, field in ExpectedFindingSchema().fields.items()],
        [field.data_key or name for name, field in ExpectedNotCheckedSchema().fields.items()],
        [field.data_key or name for name, field in PackFileSchema().fields.items()],
        OPERATORS,
        [kind.value for kind in Type],
        STATUSES,
        AUTHORITY_KINDS,
        [path.stem for path in sorted((ROOT / "rules" / "claims").glob("*.json"))],
    ],
    ids=["rule", "case", "finding", "not checked", "pack", "operators", "types", "statuses", "authorities", "claims"],
)
def test_the_rule_page_explains_every_word(words: list[str]) -> None:
    prose = RULES_PAGE.read_text(encoding="utf-8").split("## Reference: facts")[0]
    assert not [word for word in words if f"`{word}`" not in prose and f"`{word}:" not in prose]


@pytest.mark.parametrize(
    "words",
    [
        [*SAME, SAME_MODIFIERS],
        [*UNITS, *SIDES],
        [*AMOUNT_WORDS, *MOVES, *ROUNDED],
        [name for kind in ITEMS.values() for name in (kind.name, kind.plural)],
        [f"{quantifier}-" for quantifier in QUANTIFIERS],
        COLUMN_TYPES,
    ],
    ids=["same", "within", "amounts", "items", "quantifiers", "columns"],
)
def test_the_rule_page_names_every_word_of_relations_and_tables(words: list[str]) -> None:
    page = RULES_PAGE.read_text(encoding="utf-8")
    assert not [word for word in words if f"`{word}`" not in page and f"`{word}" not in page and f"{word}:" not in page]
