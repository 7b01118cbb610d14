"""A folder of rules for tests: a pack with one rule, its tests and a code list, and a pack that knows Medicare."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

from scrubber.reference import open_reference
from scrubber.rulebook.json_schema import write_schemas
from scrubber.rulebook.load import rule_files
from scrubber.rulebook.load_families import family_files
from scrubber.rulebook.test_case import TEST_SUFFIX
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import tbs_claim

_RELATED = re.compile(r"(?ms)^ *related: \[(.*?)\]")
_RELATED_NAME = re.compile(r"[a-z0-9-]+")
SHIPPED = Path(__file__).resolve().parents[2] / "rules"
PACK = """\
# yaml-language-server: $schema=../pack.schema.json
name: sample
title: Sample pack
about: House policy of a sample clinic.
adoption: everyone
tables: {lists.csv: code-lists}
"""
LISTS = """\
list,code,through,since,until,source
tbs,77089,,,,sample
"""
PAYERS = """\
# yaml-language-server: $schema=../pack.schema.json
name: payers
title: Payers
about: Who pays.
adoption: everyone
tables: {filing-indicators.csv: filing-indicators}
"""
FILING = """\
filing_indicator,line_of_business,since,until,source
MB,original-medicare,,,sample
"""
RULE = """\
# yaml-language-server: $schema=../../rule.schema.json
id: sample-rule
version: 1
title: A sample rule
status: active
severity: warn
stage: adjudication
category: coding
scope: line
owner: sample policy
reviewed: "2026-11-22"
effective: {from: "2022-01-01", to: "2030-01-01"}
authority:
  - {kind: house-policy, title: Sample policy, locator: "1", url: "https://policy.example/1", retrieved: "2026-11-22"}
applies: {procedure: {any: ["77092"]}}
when: {fact: units, over: 1}
message: "Line {line} bills {units} units of {procedure}."
fix: Bill one unit.
reason: {group: CO, carc: "045", rarc: [N362]}
at-risk: line-allowed
"""
CASES = """\
- name: two units
  claim: tbs
  change: {line.1.units: 2}
  finds: [{line: 1, severity: warn}]
- name: three units
  claim: tbs
  change: {line.1.units: 3}
  finds: [{line: 1}]
- name: one unit
  claim: tbs
  finds: []
- name: another code
  claim: tbs
  change: {line.1.procedure: "99213", line.1.units: 2}
  finds: []
"""


def rule_folder(folder: Path, rule: str = RULE, cases: str = CASES, pack: str = PACK, lists: str = LISTS) -> Path:
    """Writes the sample pack, its rule and all that lint asks for into `folder`."""
    put(folder, "payers/pack.yaml", PAYERS)
    put(folder, "payers/CHANGES.md", "# Changes\n")
    put(folder, "payers/tables/filing-indicators.csv", FILING)
    put(folder, "sample/pack.yaml", pack)
    put(folder, "sample/CHANGES.md", "# Changes\n")
    put(folder, "sample/tables/lists.csv", lists)
    put(folder, "sample/family/sample-rule.yaml", rule)
    put(folder, "sample/family/sample-rule.test.yaml", cases)
    put(folder, "claims/tbs.json", json.dumps(tbs_claim()))
    write_schemas(folder)
    return folder


def put(folder: Path, name: str, text: str) -> None:
    """Writes one file of the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def with_lines(text: str, **lines: str) -> str:
    """A YAML file with some top-level entries in other words; an empty text takes the entry out."""
    changed: list[str] = []
    replaced = False
    for line in text.splitlines():
        if line.startswith(" ") and replaced:
            continue
        key = line.split(":")[0].replace("-", "_")
        replaced = key in lines
        changed.append(lines.pop(key) if replaced else line)
    return "\n".join([*(line for line in changed if line), *lines.values()]) + "\n"


@cache
def shipped_scrubber() -> Scrubber:
    """The shipped rules over the starter tables, opened once in a process."""
    return open_scrubber(SHIPPED, None)


def shipped_over(store: Path) -> Scrubber:
    """The shipped rules over the reference data in `store`, without reading them again."""
    return replace(shipped_scrubber(), reference=open_reference(str(store)))


def shipped_rules(folder: Path, count: int) -> Path:
    """`count` rules in `folder`, with tests: the shipped ones, and then as many of them again, under other names."""
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    originals = rule_files(SHIPPED)
    for number in range(count - len(shipped_scrubber().rulebook.rules)):
        original, again = originals[number % len(originals)], number // len(originals) + 2
        name = f"{original.stem}-{again}"
        text = re.sub(r"(?m)^(title: \"?)", rf"\g<1>{again} ", original.read_text(encoding="utf-8"), count=1)
        text = re.sub(r"(?m)^version: .*", "version: 1", text, count=1)  # later ones are told in CHANGES.md
        place = folder / original.relative_to(SHIPPED).parent
        (place / f"{name}.yaml").write_text(text.replace(f"id: {original.stem}\n", f"id: {name}\n", 1), "utf-8")
        shutil.copy(original.with_name(original.stem + TEST_SUFFIX), place / (name + TEST_SUFFIX))
    return folder


def few_shipped_rules(folder: Path, *names: str) -> Path:
    """The shipped packs with their tables and base claims in `folder`; of their rules these, those of families,
    and all those related.

    For tests of something else than the shipped rules, which would read all of them again and again.
    """
    kept, left = set[str](), [*names]
    for family in family_files(SHIPPED):  # families stay, so what their rules name does
        left += _RELATED_NAME.findall(" ".join(_RELATED.findall(family.read_text(encoding="utf-8"))))
    while left:
        name = left.pop()
        if name not in kept and not shipped_scrubber().rulebook.rules[name].is_of_family:
            kept.add(name)
            left += _RELATED_NAME.findall(" ".join(_RELATED.findall(_shipped()[name].read_text(encoding="utf-8"))))
    others = {file for name in _shipped().keys() - kept for file in (f"{name}.yaml", name + TEST_SUFFIX)}
    shutil.copytree(SHIPPED, folder, ignore=lambda _, files: others.intersection(files))
    for path in folder.glob("*/tables/adopted-rules.csv"):  # whose rows name rules
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        gone = [line for line in lines if any(f",{name}," in line for name in _shipped().keys() - kept)]
        path.write_text("".join(line for line in lines if line not in gone), encoding="utf-8")
    return folder


@cache
def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in rule_files(SHIPPED)}
