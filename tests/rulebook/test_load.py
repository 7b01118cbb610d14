"""Loading rules: what an author may write, and that everything else is told with file and line, all at once."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrubber.errors import Fault, Faults
from scrubber.rulebook.load import digest, load_rulebook
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has, InList
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from tests.support.rule_folders import LISTS, PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
RULES = Path(__file__).parents[2] / "rules"


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def load(folder: Path, **lines: str) -> Rulebook:
    return load_rulebook(rule_folder(folder, with_lines(RULE, **lines)))


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        load_rulebook(folder)
    return caught.value.faults


def fault(folder: Path, **lines: str) -> Fault:
    """The one fault of a rule with such lines."""
    faults = faults_of(rule_folder(folder, with_lines(RULE, **lines)))
    assert len(faults) == 1, faults
    return faults[0]


def test_a_rule_is_typed(tmp_path: Path) -> None:
    rule = load(tmp_path).rules["sample-rule"]
    assert rule.applies == AllOf((Has("procedure", "any", ("77092",)),))
    assert rule.when == Compare("units", "over", 1_000_000)
    assert (rule.since, rule.until) == (date(2022, 1, 1), date(2030, 1, 1))
    assert rule.reason is not None
    assert rule.reason.carc == "045"
    assert (rule.pack, rule.file, rule.element) == ("sample", FILE, "procedure")


def test_codes_stay_text_without_quotes(tmp_path: Path) -> None:
    rule = load(tmp_path, applies="applies: {modifiers: {any: [0450, NO, 1e3, 2025-01-01]}}").rules["sample-rule"]
    assert rule.applies == AllOf((Has("modifiers", "any", ("0450", "NO", "1e3", "2025-01-01")),))


@pytest.mark.parametrize(
    ("when", "typed"),
    [
        ("{fact: charge, at-most: 0.01}", Compare("charge", "at-most", 1)),
        ("{fact: mue, is: 3}", Compare("mue", "is", 3)),
        ("{fact: day, before: 2022-01-01}", Compare("day", "under", date(2022, 1, 1).toordinal())),
        ("{fact: placeUnknown, is: yes}", Compare("placeUnknown", "is", True)),
        ("{fact: pcTc, none: [1, 6]}", Has("pcTc", "none", ("1", "6"))),
        ("{fact: procedure, any-in: tbs}", InList("procedure", "any", "tbs")),
        (
            "{any: [{fact: units, over: 0, under: 1}]}",
            AnyOf((AllOf((Compare("units", "over", 0), Compare("units", "under", 1_000_000))),)),
        ),
    ],
)
def test_conditions_are_typed(tmp_path: Path, when: str, typed: object) -> None:
    assert load(tmp_path, when=f"when: {when}").rules["sample-rule"].when == typed


def test_a_state_is_read_under_its_own_key(tmp_path: Path) -> None:
    lines = {
        "scope": "scope: document",
        "when": "when: {fact: tbsValue, is: not-a-number}",
        "needs": "needs: [tbsValue]",
    }
    element = "tbsValue: {type: number, about: the score}"
    put(tmp_path, "sample/families/report.yaml", f"family: report\ntitle: Report\nlist: tbs\nelements:\n  {element}\n")
    rule = load(tmp_path, **lines, not_checked="not-checked: Nothing was sent.").rules["sample-rule"]
    assert rule.when == Compare("tbsValue?", "is", "not-a-number")
    assert rule.needs == ("tbsValue",)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("{fact: unitz, over: 1}", "`unitz` is no fact of line"),
        ("{fact: units, above: 1}", "`above` is no operator"),
        ("{fact: units, any: [1]}", "`any` is for codes and words"),
        ("{fact: procedure, over: 1}", "does not go with `procedure`"),
        ("{fact: units, over: many}", "needs a plain number"),
        ("{fact: units, over: 1e999999}", "needs a plain number"),
        ("{fact: units, over: 1_000}", "needs a plain number"),
        ("{fact: units, over: NaN}", "needs a plain number"),
        ("{fact: units, over: 0.0000001}", "at most 6 decimals"),
        ("{fact: charge, over: 0.001}", "at most 2 decimals"),
        ("{fact: mue, over: 0.5}", "at most 0 decimals"),
        ("{fact: units, over: [1]}", "needs one text or number"),
        ("{fact: units, over: }", "needs one text or number"),
        ("{fact: day, before: 20220101}", "needs a date"),
        ("{fact: day, before: 2022-02-30}", "needs a date"),
        ("{fact: day, over: 1}", "does not go with `day`"),
        ("{fact: placeUnknown, is: maybe}", "is `yes` or `no`"),
        ("{fact: setting, is: hospital}", "`setting` is never `hospital`"),
        ("{fact: setting, any: [hospital]}", "`setting` is never `hospital`"),
        ("{fact: modifiers, is: GA}", "is a list: say"),
        ("{fact: modifiers, any: GA}", "needs a list"),
        ("{fact: modifiers, any: []}", "needs a list"),
        ("{fact: procedure, any-in: nothing}", "there is no code list `nothing`"),
        ("{fact: units}", "says nothing of `units`"),
        ("{all: []}", "`all` needs a list"),
        ("{all: [{fact: units, over: 1}], any: [{fact: units, over: 1}]}", "exactly one of"),
        ("{}", "exactly one of"),
        ("[]", "must be {all"),
        ("always", "must be {all"),
        ("", "when: must not be empty"),
    ],
)
def test_a_condition_that_cannot_be_meant(tmp_path: Path, when: str, said: str) -> None:
    found = fault(tmp_path, when=f"when: {when}")
    assert said in found.message
    assert (found.file, found.line) == (FILE, line_of(RULE, "when"))


def test_a_fault_deep_in_a_condition_names_its_own_line(tmp_path: Path) -> None:
    when = "when:\n  all:\n    - {fact: units, over: 1}\n    - fact: charge\n      over: much"
    assert fault(tmp_path, when=when).line == line_of(RULE, "when") + 4


def test_is_not_does_not_go_with_a_state(tmp_path: Path) -> None:
    lines = {"when": "when: {fact: calculatedBy, is-not: absent}", "needs": "needs: [calculatedBy]"}
    found = fault(tmp_path, **lines, not_checked="not-checked: Nothing was sent.")
    assert "`is-not` does not go with the state" in found.message


@pytest.mark.parametrize(
    ("lines", "start", "said"),
    [
        ({"id": "id: other"}, "id", "must be the file's name"),
        ({"id": "id: Sample Rule"}, "id", "Must look like our-clinic-modifier-25"),
        ({"version": "version: 0"}, "version", "version"),
        ({"version": "version: one"}, "version", "version: must be a whole number"),
        ({"status": "status: on"}, "status", "Must be one of: draft, shadow"),
        ({"scope": "scope: world"}, "scope", "Must be one of: claim"),
        ({"owner": ""}, "id", "owner: is missing"),
        ({"colour": "colour: red"}, "colour", "colour: is no key"),
        ({"reviewed": "reviewed: 20261122"}, "reviewed", "Not a date"),
        ({"effective": "effective: {from: 2025-02-29}"}, "effective", "Not a date"),
        ({"effective": "effective: {from: 2025-01-01, to: 2025-01-01}"}, "effective", "`to` must be after `from`"),
        ({"severity": "severity: deny", "authority": "authority: []"}, "authority", "authority: must not be empty"),
        ({"message": 'message: "Line {line} of {patient}"'}, "message", "{patient} is no fact of line"),
        ({"message": 'message: "Line {line"'}, "message", "a brace stands alone"),
        ({"message": 'message: "Line {line!r}"'}, "message", "one name and nothing else"),
        ({"message": 'message: "Line {}"'}, "message", "one name and nothing else"),
        ({"fix": 'fix: "See {line.number}"'}, "fix", "is no fact of line"),
        ({"reason": "reason: {group: CO, carc: abc}"}, "reason", "reason.carc: Must look like 236"),
        ({"stage": "stage: postPayment"}, "reason", "no reason on the remittance"),
        ({"points_at": "points-at: shoes"}, "points-at", "Must be one of"),
        ({"related": "related: [no-such-rule]"}, "related", "there is no rule `no-such-rule`"),
        ({"related": "related: [sample-rule]"}, "related", "names the rule itself"),
        ({"needs": "needs: [units]", "not_checked": "not-checked: x"}, "needs", "no fact that can be left out"),
        ({"needs": "needs: [calculatedBy]"}, "needs", "add `not-checked`"),
        ({"not_checked": "not-checked: x"}, "not-checked", "never said"),
        ({"when": "when: {fact: calculatedBy, is: self}"}, "id", "list it under `needs`"),
        ({"when": "when: {fact: calculatedBy, is: absent}"}, "id", "list it under `needs`"),
    ],
)
def test_a_rule_that_cannot_be_meant(tmp_path: Path, lines: dict[str, str], start: str, said: str) -> None:
    found = fault(tmp_path, **lines)
    assert said in found.message
    assert (found.file, found.line) == (FILE, line_of(with_lines(RULE, **lines), start))


@pytest.mark.parametrize("kind", ["regulation", "cms-manual", "advice"])
def test_a_deny_needs_a_binding_authority(tmp_path: Path, kind: str) -> None:
    lines = {"severity": "severity: deny", "authority": f"authority: [{{kind: {kind}, title: Sample}}]"}
    assert fault(tmp_path / "loose", **lines).line == line_of(RULE, "severity")
    lines["authority"] = lines["authority"].replace("}", ", binding: yes}")
    if kind == "advice":
        assert "binding authority" in fault(tmp_path / "bound", **lines).message
    else:
        assert load(tmp_path / "bound", **lines).rules


def test_what_is_not_supplied_may_be_asked_for_but_never_denies(tmp_path: Path) -> None:
    when = "when: {fact: calculatedBy, is: not-supplied}"
    assert load(tmp_path / "warn", when=when).rules
    assert "never denies" in fault(tmp_path / "deny", when=when, severity="severity: deny").message
    found = fault(tmp_path / "needs", when=when, needs="needs: [calculatedBy]", not_checked="not-checked: x")
    assert "not-supplied never holds" in found.message


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    rule = with_lines(RULE, severity="severity: bad", when="when: {fact: units, above: 1}", fix="fix: ''")
    folder = rule_folder(tmp_path, rule, lists=LISTS + "tbs,1,2,later,,\n")
    put(folder, "sample/other.yaml", "just text")
    put(folder, "empty/rule.yaml", "")
    found = {(one.file, one.line) for one in faults_of(folder)}
    assert found == {
        (FILE, line_of(rule, "severity")),
        (FILE, line_of(rule, "when")),
        (FILE, line_of(rule, "fix")),
        ("sample/tables/lists.csv", 3),
        ("sample/other.yaml", 1),
        ("empty/pack.yaml", 0),
        ("empty/rule.yaml", 0),
    }


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("medicare-therapy/pack.yaml", "adoption: ", "adoption: sometimes #"),
        ("medicare-therapy/tables/lists.csv", "\n", "\none,cell,too,few\n"),
        ("documentation/families/trabecular-bone-score.yaml", "type: ", "type: nothing #"),
    ],
)
def test_what_rests_on_a_faulty_declaration_is_not_told_to_be_wrong(
    tmp_path: Path, file: str, before: str, after: str
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    place = text.rindex(before) if file.endswith(".csv") else text.index(before)
    path.write_text(text[:place] + after + text[place + len(before) :], encoding="utf-8")
    assert {each.file for each in faults_of(folder)} == {file}


def test_faults_read_as_file_line_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Faults, match=rf"^{FILE}:{line_of(RULE, 'owner')}: owner: must not be empty$"):
        load(tmp_path, owner="owner: ''")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("", "the file is empty", 0),
        ("# only a comment\n", "the file is empty", 0),
        ("a: &x 1\nb: *x\n", "anchors and aliases", 1),
        ("a: 1\nb: *x\n", "anchors and aliases", 2),
        ("a: 1\nb: !!python/object:os.system 1\n", "tags are not allowed", 2),
        ("a: 1\nb: 2\na: 3\n", "`a` stands here twice", 3),
        ("a: {b: 1, b: 2}\n", "`b` stands here twice", 1),
        ("? [a]\n: 1\n", "a key must be a word", 1),
        ("a: 1\nb: [1\nc: 2\n", "not YAML: a [ is opened here and not closed", 2),
        ("a: {b: 1 c: 2}\n", "or a comma is missing", 1),
        ('a: 1\nb: "x\nc: 1\n', "a quotation mark is opened here and not closed", 2),
        ("a: 1\nb 2\n", "a key has no colon", 2),
        ('a: 1\nb: "x" y\nc: 1\n', "nothing follows a closing quote", 2),
        ("a: one: two\n", "put a text with a colon in quotes", 1),
        ("a: 1\nb:\n\t- x\n", "indent with blanks, not tabs", 3),
        ("a: 1\n---\nb: 2\n", "a second document begins here", 2),
        ("a: " + "[" * 30 + "]" * 30, "nested deeper than 24 levels", 1),
        ("[" * 200_000, "nested deeper than 24 levels", 1),
        ("{a: " * 60_000, "nested deeper than 24 levels", 1),
        ("- " * 100_000, "nested deeper than 24 levels", 1),
        ("a: b\nc: \x00", "a character that no text has", 2),
        ("x" * 300_000, "larger than 256 KB", 0),
        ("a: " + "x" * 10_000_000, "larger than 256 KB", 0),
        ("- 1\n", "must be keys with values", 1),
    ],
)
def test_a_file_that_is_no_rule(tmp_path: Path, text: str, said: str, line: int) -> None:
    found = faults_of(rule_folder(tmp_path, text))
    assert len(found) == 1
    assert said in found[0].message
    assert (found[0].file, found[0].line) == (FILE, line)


def test_a_yaml_bomb_is_refused_at_its_first_anchor(tmp_path: Path) -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = faults_of(rule_folder(tmp_path, bomb))
    assert [(one.line, "anchors" in one.message) for one in found] == [(1, True)]


def test_latin_1_is_refused(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    (folder / FILE).write_bytes(RULE.replace("A sample", "Ein übles").encode("latin-1"))
    assert "not UTF-8" in faults_of(folder)[0].message


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + RULE.encode(), RULE.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path, content: bytes) -> None:
    folder = rule_folder(tmp_path / "plain")
    plain = load_rulebook(folder).rules
    (folder / FILE).write_bytes(content)
    assert load_rulebook(folder).rules == plain


def test_two_rules_of_one_id_or_title(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    put(folder, "second/pack.yaml", with_lines(PACK, name="name: second", tables=""))
    put(folder, "second/sample-rule.yaml", RULE)
    found = faults_of(folder)
    assert [(one.file, one.line) for one in found] == [
        ("second/sample-rule.yaml", line_of(RULE, "id")),
        ("second/sample-rule.yaml", line_of(RULE, "title")),
    ]


def test_a_cycle_of_related_rules_is_fine(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, RULE + "related: [other-rule]\n")
    put(
        folder,
        "sample/other-rule.yaml",
        with_lines(RULE, id="id: other-rule", title="title: Other") + "related: [sample-rule]\n",
    )
    assert set(load_rulebook(folder).rules) == {"sample-rule", "other-rule"}


def test_files_that_would_silently_be_no_rules(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    put(folder, "stray.yaml", RULE)
    put(folder, "sample/family/short.yml", RULE)
    assert [one.file for one in faults_of(folder)] == ["sample/family/short.yml", "stray.yaml"]


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    assert "no such folder" in faults_of(tmp_path / "nothing")[0].message
    assert not load_rulebook(tmp_path).rules


def test_too_many_rules_are_one_fault(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    for number in range(4_001):
        (folder / "sample" / f"rule-{number}.yaml").touch()
    assert "at most 4000" in faults_of(folder)[0].message


@pytest.mark.parametrize(
    ("pack", "said"),
    [
        (with_lines(PACK, name="name: other"), "must be the folder's name"),
        (with_lines(PACK, adoption="adoption: perhaps"), "Must be one of"),
        (with_lines(PACK, tables="tables: {lists.csv: shoes}"), "Must be one of"),
        (with_lines(PACK, tables="tables: {../lists.csv: code-lists}"), "Must look like limits.csv"),
        (with_lines(PACK, tables="tables: {}"), "is not listed"),
        (with_lines(PACK, tables="tables: {lists.csv: code-lists, more.csv: limits}"), "cannot be read"),
    ],
)
def test_a_pack_that_cannot_be_meant(tmp_path: Path, pack: str, said: str) -> None:
    found = faults_of(rule_folder(tmp_path, pack=pack))
    assert len(found) == 1
    assert said in found[0].message


POLICIES = (
    "code,payer,line_of_business,plan,contractor,status,effect,diagnosis_list,frequency,since,until,authority,title,"
    "locator,url,retrieved,binding\n"
)


def with_policies(folder: Path, rows: str) -> Path:
    tables = "tables: {lists.csv: code-lists, policies.csv: policies, aliases.csv: aliases}"
    pack = with_lines(PACK, tables=tables)
    put(folder, "sample/tables/policies.csv", POLICIES + rows)
    put(folder, "sample/tables/aliases.csv", "payer_id,payer,since,until,source\nS1,sample-plan,,,sample\n")
    return rule_folder(folder, pack=pack)


def policy(code: str = "77092", payer: str = "", **cells: str) -> str:
    row = {
        "line": "", "plan": "", "contractor": "", "status": "unknown", "effect": "warn", "diagnoses": "",
        "frequency": "", "since": "", "until": "", "authority": "payer-policy", "binding": "no",
    } | cells  # fmt: skip
    return (
        f"{code},{payer},{row['line']},{row['plan']},{row['contractor']},{row['status']},{row['effect']},{row['diagnoses']},{row['frequency']},"
        f"{row['since']},{row['until']},{row['authority']},Sample,,,2026-11-22,{row['binding']}\n"
    )


def test_the_row_that_says_most_of_the_payer_wins(tmp_path: Path) -> None:
    rows = policy() + policy(line="commercial", status="adjunct") + policy(payer="sample-plan", status="covered")
    book = load_rulebook(with_policies(tmp_path, rows))
    day = date(2025, 3, 12)

    def status(payer: Payer) -> str | None:
        row = book.policy("77092", payer, day)
        return row.status if row else None

    assert status(Payer("sample-plan", "commercial", None, None)) == "covered"
    assert status(Payer("other-plan", "commercial", None, None)) == "adjunct"
    assert status(Payer(None, "unknown", None, None)) == "unknown"
    assert book.policy("99213", Payer(None, "unknown", None, None), day) is None


def test_the_day_decides_between_rows(tmp_path: Path) -> None:
    rows = policy(until="2025-01-01") + policy(since="2025-01-01", status="covered")
    book = load_rulebook(with_policies(tmp_path, rows))
    payer = Payer(None, "unknown", None, None)
    found = [book.policy("77092", payer, day) for day in (date(2024, 12, 31), date(2025, 1, 1))]
    assert [row.status for row in found if row] == ["unknown", "covered"]


@pytest.mark.parametrize(
    ("rows", "said", "line"),
    [
        (policy() + policy(), "in force on a day on which", 3),
        (policy(until="2025-01-02") + policy(since="2025-01-01"), "in force on a day on which", 3),
        (policy(since="2025-01-01", until="2025-01-01"), "must be a later day", 2),
        (policy(status="perhaps"), "status: expected one of", 2),
        (policy(line="shoes"), "`line_of_business` is one of", 2),
        (policy(authority="hearsay"), "`authority` is one of", 2),
        (policy(diagnoses="none"), "there is no diagnosis list `none`", 2),
        (policy(frequency="none"), "there is no frequency limit `none`", 2),
        (policy(effect="deny"), "a deny needs a binding authority", 2),
        (policy() + policy(payer="sampel-plan"), "names the payer `sampel-plan`: `sample-plan` is probably meant", 3),
        (policy(plan="gold"), "no row of plans has the plan `gold`", 2),
        (policy(contractor="1011"), "five digits of a Medicare contractor", 2),
        (policy(code="77092-26"), "without a modifier", 2),
    ],
)
def test_rows_that_cannot_be_meant(tmp_path: Path, rows: str, said: str, line: int) -> None:
    found = faults_of(with_policies(tmp_path, rows))
    assert len(found) == 1
    assert said in found[0].message
    assert (found[0].file, found[0].line) == ("sample/tables/policies.csv", line)


def test_rows_of_two_packs_that_tie(tmp_path: Path) -> None:
    folder = with_policies(tmp_path, policy(since="2025-01-01"))
    put(folder, "second/pack.yaml", with_lines(PACK, name="name: second", tables="tables: {policies.csv: policies}"))
    put(folder, "second/tables/policies.csv", POLICIES + policy(until="2025-01-01") + policy(code="99213"))
    assert load_rulebook(folder).rules
    put(folder, "second/tables/policies.csv", POLICIES + policy())
    found = faults_of(folder)
    assert [(one.file, one.line) for one in found] == [("second/tables/policies.csv", 2)]
    assert "line 2 of sample/tables/policies.csv" in found[0].message


def test_code_lists_hold_codes_and_ranges_on_their_days(tmp_path: Path) -> None:
    rows = "tbs,99202,99215,,2025-01-01,sample\n"
    lists = load_rulebook(rule_folder(tmp_path, lists=LISTS + rows)).lists
    last_day = date(2024, 12, 31).toordinal()
    assert lists.contains("tbs", "77089", 1)
    assert [lists.contains("tbs", "99210", day) for day in (last_day, last_day + 1)] == [True, False]
    assert not lists.contains("tbs", "992", last_day)
    assert lists.may_contain("tbs", "99215")
    assert not lists.contains("other", "77089", 1)
    reversed_range = rule_folder(tmp_path / "bad", lists=LISTS + "tbs,99215,99202,,,sample\n")
    assert "`through` must be a later code" in faults_of(reversed_range)[0].message


def test_a_range_of_codes_that_end_in_a_letter_holds_codes_of_that_letter(tmp_path: Path) -> None:
    rows = "tests,0001U,0999U,,,sample\ntests,00100,01999,,,sample\n"
    lists = load_rulebook(rule_folder(tmp_path, lists=LISTS + rows)).lists
    asked = ("0042U", "0042T", "0999U", "1000U", "0042", "00142", "0014F")
    expected = [True, False, True, False, False, True, False]
    assert [lists.contains("tests", code, 1) for code in asked] == expected
    assert [lists.may_contain("tests", code) for code in asked] == expected
    assert [lists.on("tests", 1).has(code) for code in asked] == expected
    two_letters = rule_folder(tmp_path / "bad", lists=LISTS + "tests,0001U,0099Z,,,sample\n")
    assert "end in the same letter" in faults_of(two_letters)[0].message


def test_a_list_in_a_broken_table_is_not_called_unknown_as_well(tmp_path: Path) -> None:
    rule = with_lines(RULE, applies="applies: {procedure: {any-in: tbs}}")
    assert load_rulebook(rule_folder(tmp_path / "whole", rule)).rules
    broken = rule_folder(tmp_path / "broken", rule, lists=LISTS + "tbs,77090,,soon,,sample\n")
    assert [one.file for one in faults_of(broken)] == ["sample/tables/lists.csv"]
    unknown = fault(tmp_path / "unknown", applies="applies: {procedure: {any-in: bones}}")
    assert unknown.message.endswith("there are: tbs")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("77092,,,,,-1.00,,,,sample", "below zero"),
        ("77092,,,,,,-5,,,sample", "below zero"),
        ("77092,,,,,1.00,5,,,sample", "give either"),
        ("G051,,,,,1.00,,,,sample", "without a modifier"),
        ("77092,nobody,,,,1.00,,,,sample", "names the payer `nobody`"),
    ],
)
def test_payer_fees_that_cannot_be_meant(tmp_path: Path, row: str, said: str) -> None:
    columns = "code,payer,line_of_business,plan,contractor,amount,percent_of_medicare,since,until,source\n"
    put(tmp_path, "sample/tables/fees.csv", columns + row + "\n")
    pack = with_lines(PACK, tables="tables: {lists.csv: code-lists, fees.csv: payer-fees}")
    found = faults_of(rule_folder(tmp_path, pack=pack))
    assert [(one.file, one.line) for one in found] == [("sample/tables/fees.csv", 2)]
    assert said in found[0].message


def test_limits_are_looked_up_by_day(tmp_path: Path) -> None:
    pack = with_lines(PACK, tables="tables: {lists.csv: code-lists, limits.csv: limits}")
    put(tmp_path, "sample/tables/limits.csv", "name,value,since,until,source\nmost,0.5,2025-01-01,,sample\n")
    book = load_rulebook(rule_folder(tmp_path, pack=pack))
    assert book.limit("most", date(2025, 1, 1)) == Decimal("0.5")
    assert book.limit("most", date(2024, 12, 31)) is None


def test_the_digest_names_what_changes_answers(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    first = digest(folder)
    put(folder, "sample/family/sample-rule.test.yaml", "[]")
    put(folder, "sample/CHANGES.md", "other")
    assert digest(folder) == first == load_rulebook(folder).digest
    put(folder, "sample/tables/lists.csv", LISTS + "tbs,77090,,,,sample\n")
    assert digest(folder) != first


of_files = settings(  # each example writes a folder
    max_examples=settings().max_examples // 3,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@of_files
@given(st.one_of(st.text(max_size=200), st.text(alphabet="ab:-[]{}#&*!|>'\"? \n,%@`0", max_size=200)))
def test_no_text_does_anything_but_load_or_be_a_fault(tmp_path: Path, text: str) -> None:
    folder = rule_folder(tmp_path)
    (folder / FILE).write_bytes(text.encode("utf-8", "replace"))
    assert faults_of(folder)


@of_files
@given(st.sampled_from([line.split(":")[0] for line in RULE.splitlines() if line[0].isalpha()]), st.text(max_size=30))
def test_no_value_of_a_key_does_anything_but_load_or_be_a_fault(tmp_path: Path, key: str, value: str) -> None:
    folder = rule_folder(tmp_path, with_lines(RULE, **{key.replace("-", "_"): f"{key}: {value!r}"}))
    with suppress(Faults):
        assert load_rulebook(folder).rules
