"""Rule folders that somebody broke: each is a clear fault or a clean load, within bounds, and never a traceback."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scrubber.rulebook.load import load_rulebook
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, with_lines
from tests.support.service import ROOT
from tests.support.waiting import PATIENCE

FILE = "sample/family/sample-rule.yaml"
TESTS = "sample/family/sample-rule.test.yaml"
MORE = "sample/family/sample-more.yaml"
TABLE = "sample/tables/lists.csv"
FILES = (FILE, TESTS, "sample/pack.yaml", TABLE)
SECONDS, BYTES = 60, 2 << 30  # of processor time, which does not pass while other programs run

Break = Callable[[Path], object]


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """`rules lint` on the folder, with little memory and time."""

    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    return subprocess.run(
        [sys.executable, "-m", "scrubber", "rules", "lint"],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_RULES": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=bounds,
    )


def written(name: str, text: str) -> Break:
    return lambda folder: put(folder, name, text)


def in_place(name: str, make: Callable[[Path], object]) -> Break:
    def break_it(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return break_it


def rewritten(change: Callable[[bytes], bytes]) -> Break:
    def break_it(folder: Path) -> None:
        for name in FILES:
            (folder / name).write_bytes(change((folder / name).read_bytes()))

    return break_it


def ruled(**lines: str) -> Break:
    return written(FILE, with_lines(RULE, **lines))


def cycle_of(count: int) -> Break:
    def write(folder: Path) -> None:
        for number in range(count):
            names = {"id": f"id: sample-r{number}", "title": f"title: Rule {number}"}
            related = f"related: [sample-r{(number + 1) % count}]"
            put(folder, f"sample/family/sample-r{number}.yaml", with_lines(RULE, **names, related=related))
            if count < 1000:
                put(folder, f"sample/family/sample-r{number}.test.yaml", CASES)

    return write


def second_pack(folder: Path) -> None:
    put(folder, "other/pack.yaml", with_lines(PACK, name="name: other", tables=""))
    put(folder, "other/family/sample-rule.yaml", with_lines(RULE, title="title: Other"))


def rival_tables(folder: Path) -> None:
    put(folder, "sample/pack.yaml", with_lines(PACK, tables="tables: {lists.csv: code-lists, more.csv: code-lists}"))
    rows = "".join(f"tie,1,,{2000 + day // 300}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02},,x\n" for day in range(2))
    put(folder, "sample/tables/more.csv", LISTS + rows[: rows.index("\n") + 1])
    put(folder, TABLE, LISTS + "tie,1,,1999-01-01,,x\n")


CODES = "applies: {procedure: {any: [%s]}}"
MANY = ", ".join(["{fact: units, over: 1}"] * 9_000)
NESTED = "when: " + "{all: [" * 5_000 + "]}" * 5_000

FAULTS: dict[str, tuple[Break, str]] = {
    "10 MB": (written(MORE, "a: " + "b" * 10_000_000), f"{MORE}: larger than 256 KB"),
    "10,000 levels": (written(MORE, "[" * 10_000), f"{MORE}:1: nested deeper than 24 levels"),
    "10,000 levels in blocks": (written(MORE, "- " * 10_000), f"{MORE}:1: nested deeper"),
    "10,000 levels of conditions": (ruled(when=NESTED), f"{FILE}:16: nested deeper"),
    "aliases": (written(MORE, "a: &a [x]\nb: [*a, *a]\n"), f"{MORE}:1: anchors and aliases are not allowed"),
    "a merge key": (written(FILE, RULE + "<<: {id: x}\n"), f"{FILE}:21: <<: is no key"),
    "a tag": (written(MORE, "a: !!python/object:os.system {}\n"), f"{MORE}:1: tags are not allowed"),
    "two documents": (written(FILE, RULE + "---\na: b\n"), f"{FILE}:21: a second document begins here"),
    "Latin-1": (rewritten(lambda text: text.replace(b"ample", b"\xe4mple")), f"{FILE}: not UTF-8"),
    "UTF-16": (rewritten(lambda text: text.decode().encode("utf-16")), f"{FILE}: not UTF-8"),
    "NUL": (written(FILE, RULE.replace("Bill one", "Bill \0ne")), f"{FILE}:18: has a character that no text has"),
    "NUL, escaped": (ruled(fix='fix: "\\0"'), f"{FILE}:18: a text holds a control character"),
    "text that is shown in reverse": (
        ruled(fix="fix: Bill \u202eenil eno\u202c."),
        f"{FILE}:18: a text holds a control character",
    ),
    "NUL in a table": (written(TABLE, LISTS + "a\0,1,,,,x\n"), f"{TABLE}:3: holds a control character"),
    "tabs": (written(FILE, RULE.replace("  - {kind", "\t- {kind")), f"{FILE}:14: not YAML"),
    "10 MB of changes": (written("sample/CHANGES.md", "## 2026-11-23\n" * 700_000), "CHANGES.md: larger than 512 KB"),
    "a folder": (in_place(MORE, Path.mkdir), f"{MORE}: is a folder"),
    "a folder of a table": (in_place(TABLE, Path.mkdir), f"{TABLE}: is a folder"),
    "a pipe": (in_place(MORE, os.mkfifo), f"{MORE}: is no file that can be read"),
    "a pipe of a table": (in_place(TABLE, os.mkfifo), f"{TABLE}: is no file that can be read"),
    "a pipe of a claim": (in_place("claims/x.json", os.mkfifo), "claims/x.json: is no file"),
    "a link to itself": (in_place(MORE, lambda path: path.symlink_to(path.name)), f"{MORE}: is no file"),
    "a link to nothing": (in_place(MORE, lambda path: path.symlink_to("gone")), f"{MORE}: is no file"),
    "100,000 codes": (ruled(applies=CODES % ", ".join(["'77092'"] * 100_000)), f"{FILE}: larger than 256 KB"),
    "20,000 codes": (ruled(applies=CODES % ", ".join(["'77092'"] * 20_000)), f"{FILE}:15: more than 12 codes"),
    "9,000 conditions": (ruled(when=f"when: {{all: [{MANY}]}}"), "over 60"),
    "a long text": (ruled(message="message: " + "x " * 10_000), f"{FILE}:17: message: has over 2,000 characters"),
    "200,000 braces": (ruled(message=f'message: "{"{" * 200_000}"'), f"{FILE}:17: message: has over 2,000"),
    "200,000 digits": (ruled(version="version: " + "9" * 200_000), f"{FILE}:3: version: must be a whole number"),
    "a million rows": (written(TABLE, LISTS + "a,1,,,,x\n" * 1_000_000), f"{TABLE}: has over 200,000 rows"),
    "a long cell": (written(TABLE, f"{LISTS}a,{'1' * 200_000},,,,x\n"), f"{TABLE}:3: has a quote"),
    "40 MB of a table": (written(TABLE, "x" * 40_000_000), f"{TABLE}: is larger than 32 MB"),
    "rows of two tables": (rival_tables, "sample/tables/more.csv:3: answers for the same on the same day"),
    "5,000 rules": (cycle_of(5_000), "5001 rules; at most 4000 can be loaded"),
    "one id in two packs": (second_pack, f"{FILE}:2: id is used by other/family/sample-rule.yaml too"),
    "a claim that is none": (written("claims/tbs.json", '{"claimInformation": []}'), "claims/tbs.json: is no claim"),
}  # fmt: skip


@pytest.mark.parametrize("broken", FAULTS)
def test_a_fault_says_what_is_wrong(tmp_path: Path, broken: str) -> None:
    break_it, said = FAULTS[broken]
    break_it(rule_folder(tmp_path))
    done = linted(tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{tmp_path}/{said}" in done.stdout or said in done.stdout, done.stdout[:2000]
    assert len(done.stderr) < 500


CLEAN: dict[str, Break] = {
    "CRLF": rewritten(lambda text: text.replace(b"\n", b"\r\n")),
    "BOM": rewritten(lambda text: b"\xef\xbb\xbf" + text),
    "a cycle of related": cycle_of(3),
    "300 rules": cycle_of(300),
    "a link in a circle of folders": in_place("sample/family/up", lambda path: path.symlink_to("..")),
    "letters of other tongues": ruled(message="message: “Zeile {line}” строка, 行, \U0001f9b4"),
    "50,000 rows": written(TABLE, LISTS + "".join(f"a,{number:06},,,,x\n" for number in range(50_000))),
}


@pytest.mark.parametrize("odd", CLEAN)
def test_what_loads_all_the_same(tmp_path: Path, odd: str) -> None:
    CLEAN[odd](rule_folder(tmp_path))
    done = linted(tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[:2000]
    assert load_rulebook(tmp_path).rules


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_nobody_may_read(tmp_path: Path) -> None:
    (rule_folder(tmp_path) / FILE).chmod(0)
    assert f"{FILE}: cannot be read: Permission denied" in linted(tmp_path).stdout
