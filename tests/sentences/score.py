"""Scrubs the claims of sentences with the shipped rules, and compares with what expected.json says of them.

The rules run as a user would run them who adopts every pack: a copy of rules/ with a row of adoptions for each pack
that a sentence has its rules in, and the rows of `tables/`.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.claim.formats import read_claim
from scrubber.findings import ScrubResult
from scrubber.scrub import Receipt, Scrubber, open_scrubber

HERE = Path(__file__).resolve().parent
RULES = HERE.parents[1] / "rules"
PAYERS = ("COMMERCIAL-SAMPLE,,,", "MEDICAID-SAMPLE,,,", ",original-medicare,,")  # as rows of adoptions name them
NOT_RECEIVED = date(2024, 9, 1)  # every claim of these says the day of its receipt


class SentenceRule(NamedTuple):
    """A row of rules.csv. `severity` is blank where it is the sentence's; `why` says why it is another one.

    `reference` is yes where the rule asks a reference table that the starter tables have too little of.
    """

    sentence: str
    rule: str
    severity: str
    reference: str
    why: str


class Judged(NamedTuple):
    """A claim of a sentence. `wrong` says what came out otherwise than expected; blank where nothing did."""

    sentence: str
    file: str
    wrong: str


def sentence_rules() -> list[SentenceRule]:
    """The rows of rules.csv."""
    with (HERE / "rules.csv").open(newline="", encoding="utf-8") as rows:
        return [SentenceRule(**row) for row in csv.DictReader(rows)]


def adopted_copy(folder: Path, packs: set[str]) -> Path:
    """A copy of the shipped rules in `folder`, with the rows of `tables/`, and each of `packs` adopted."""
    rules = Path(shutil.copytree(RULES, folder / "rules"))
    for more in sorted((HERE / "tables").glob("*/*.csv")):
        _append(rules / more.parent.name / "tables" / more.name, more)
    table = rules / "payers/tables/adoptions.csv"
    there = table.read_text(encoding="utf-8").splitlines()
    rows = [f"{pack},{payer},yes,,,tests of sentences" for pack in sorted(packs) for payer in PAYERS]
    keys = {",".join(row.split(",")[:5]) for row in there}
    with table.open("a", encoding="utf-8") as adoptions:
        adoptions.writelines(f"{row}\n" for row in rows if ",".join(row.split(",")[:5]) not in keys)
    return rules


def judged(shared: Path, folder: Path, reference: str | None) -> Iterator[Judged]:
    """Each claim of `shared`/expected.json, scrubbed over the reference store (None: the starter tables)."""
    rules = sentence_rules()
    packs = {pack for pack in _packs() if any(_is_in(row.rule, pack) for row in rules)}
    scrubber = open_scrubber(adopted_copy(folder, packs), reference)
    for sentence, expected in json.loads((shared / "expected.json").read_text(encoding="utf-8")).items():
        own = {row.rule: row.severity or expected["severity"] for row in rules if row.sentence == sentence}
        for kind in ("fires", "silent"):
            for claim in expected[kind]:
                wrong = "no rule yet"
                if own:
                    data = (shared / "claims" / claim["file"]).read_bytes()
                    wrong = (_unlike_fires if kind == "fires" else _unlike_silent)(
                        _scrubbed(scrubber, data), own, claim
                    )
                yield Judged(sentence, claim["file"], wrong)


def _append(table: Path, more: Path) -> None:
    heading, *rows = more.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = table.read_text(encoding="utf-8").splitlines()
    if heading.strip() != next(line for line in lines if not line.startswith("#")):
        raise ValueError(f"{more}: other columns than {table}")
    with table.open("a", encoding="utf-8") as out:
        out.writelines(rows)


def _packs() -> list[str]:
    return [
        file.parent.name
        for file in sorted(RULES.glob("*/pack.yaml"))
        if "adoption: everyone" not in file.read_text(encoding="utf-8")
    ]


def _is_in(rule: str, pack: str) -> bool:
    return any((RULES / pack).rglob(f"{rule}.yaml"))


def _scrubbed(scrubber: Scrubber, data: bytes) -> ScrubResult:
    claim = read_claim(data)
    return scrubber.scrub(claim, Receipt(NOT_RECEIVED).day(claim))


def _unlike_fires(result: ScrubResult, own: Mapping[str, str], claim: Mapping[str, Any]) -> str:
    findings = [finding for finding in result.findings if finding.rule.id in own]
    if not findings:
        return f"silent: {claim['why']}"
    lines = sorted({line for finding in findings for line in finding.lines})
    if lines != claim["lines"]:
        return f"lines {lines} in place of {claim['lines']}: {claim['why']}"
    other = {finding.severity for finding in findings if finding.severity != own[finding.rule.id]}
    return f"severity {', '.join(sorted(other))}: {claim['why']}" if other else ""


def _unlike_silent(result: ScrubResult, own: Mapping[str, str], claim: Mapping[str, Any]) -> str:
    fired = sorted({finding.rule.id for finding in result.findings if finding.rule.id in own})
    if fired:
        return f"{', '.join(fired)} fires: {claim['why']}"
    unjudged = sorted({entry.rule.id for entry in result.not_checked if entry.rule.id in own})
    if claim.get("notChecked", False) and not unjudged:
        return f"not listed as not checked: {claim['why']}"
    if len(unjudged) == len(own) and not claim.get("notChecked", False):
        return f"{', '.join(unjudged)} not checked: {claim['why']}"
    return ""
