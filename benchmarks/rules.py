"""What rules cost a claim: those that ship, 400 of which a hundred have relations, and a thousand that never apply.

    .venv/bin/python benchmarks/rules.py [CHECKOUT]

CHECKOUT is a checkout of an earlier revision, whose rules are measured on the same claims in the same run. Each set of
rules is measured in a process of its own, all in turn, and the least of ROUNDS counts: what else runs on the machine
then matters less. Prints microseconds of processor a claim and the ratio to the first row, and what one further rule
costs that applies to no line. Of the rules that are added, USEFUL with a relation could fire on the claim.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
WANTED, RELATED, USEFUL, FURTHER = 400, 100, 20, 1_000

# What a process runs: TREE RULES CLAIM; it prints the microseconds of a claim.
MEASURE = """
import os, sys
tree, rules, claim = sys.argv[1:]
os.chdir(tree)
sys.path[:0] = [tree, os.path.join(tree, "benchmarks")]
from pathlib import Path
import scrub as benchmark
scrubber = benchmark.open_scrubber(Path(rules), None)
body = benchmark.office_claim() if claim == "office" else benchmark.four_tbs_lines()
inputs = benchmark.variants(body)
for data in inputs:
    benchmark.answer(scrubber, data)
print(benchmark.microseconds(lambda data: benchmark.answer(scrubber, data), inputs, 1.0))
"""

PACK = (
    "name: added\ntitle: Rules of a benchmark\nabout: Rules that are added to see what they cost.\nadoption: everyone\n"
)
RULE = """# yaml-language-server: $schema=../../rule.schema.json
id: added-{number:04}
version: 1
title: Rule {number} of a benchmark
status: active
severity: warn
stage: submission
category: coding
scope: line
owner: benchmark
reviewed: "2026-11-30"
effective: {{from: "2000-01-01"}}
authority: [{{kind: advice, title: A benchmark}}]
applies: {{procedure: {{any: {codes}}}}}
when: {when}
points-at: procedure
message: A finding of a benchmark.
fix: Nothing.
reason: null
at-risk: nothing
"""
OF_ONE_LINE = "{fact: units, over: 100}"
OF_LINES = "{some-other-line: {same: [day], procedure: {any: ['0099T']}, units: {over: 100}}}"


def rule(number: int, when: str, codes: tuple[str, ...]) -> str:
    """The file of a rule for these procedure codes."""
    return RULE.format(number=number, when=when, codes=str(list(codes)))


def of_no_line(number: int) -> tuple[str, ...]:
    """Codes of a rule that are on no line of the claims."""
    return tuple(f"{chr(66 + number % 20)}{number % 10_000:04}" for number in (number, number + 5_000))


def with_rules(folder: Path, rules: list[str]) -> Path:
    """The shipped rules with these beside them, written below a folder."""
    shutil.copytree(ROOT / "rules", folder)
    added = folder / "added" / "added"
    added.mkdir(parents=True)
    (folder / "added" / "pack.yaml").write_text(f'{PACK}grammar: "2"\n', encoding="utf-8")
    for number, text in enumerate(rules):
        (added / f"added-{number:04}.yaml").write_text(text, encoding="utf-8")
    return folder


def four_hundred() -> list[str]:
    """What makes the shipped rules WANTED ones, of which RELATED have relations; the first USEFUL could fire."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*/*/*.yaml")]
    shipped = [text for text in texts if "\nscope: " in text and "\nid: " in text]
    related = sum(any(f"{word}-" in text for word in ("some", "no", "every", "count")) for text in shipped)
    more = max(RELATED - related, USEFUL)
    rules = [rule(number, OF_LINES, ("99213", "77092", "77080") if number < USEFUL else of_no_line(number))
             for number in range(more)]  # fmt: skip
    return rules + [rule(number, OF_ONE_LINE, of_no_line(number)) for number in range(more, WANTED - len(shipped))]


def microseconds(tree: Path, rules: Path, claim: str) -> float:
    """What a claim costs in a process of its own."""
    words = [sys.executable, "-P", "-c", MEASURE, str(tree), str(rules), claim]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main(checkout: str | None = None) -> None:
    """Measures and prints the table."""
    with tempfile.TemporaryDirectory() as work:
        wanted = four_hundred()
        further = [rule(len(wanted) + number, OF_LINES, of_no_line(number)) for number in range(FURTHER)]
        measured = {
            **(
                {f"rules of {checkout}": (Path(checkout).resolve(), Path(checkout).resolve() / "rules")}
                if checkout
                else {}
            ),
            "rules that ship": (ROOT, ROOT / "rules"),
            f"{WANTED} rules": (ROOT, with_rules(Path(work, "wanted"), wanted)),
            f"{WANTED + FURTHER} rules": (ROOT, with_rules(Path(work, "further"), wanted + further)),
        }
        print(f"{'rules':<40}{'claim':>8}{'us/claim':>10}{'ratio':>8}")
        for claim in ("office", "TBS"):
            rounds = [{name: microseconds(*places, claim) for name, places in measured.items()} for _ in range(ROUNDS)]
            least = {name: min(each[name] for each in rounds) for name in measured}
            first = next(iter(least.values()))
            for name, spent in least.items():
                print(f"{name:<40}{claim:>8}{spent:>10.0f}{spent / first:>8.2f}")
            *_, before, after = least.values()
            print(f"one further rule that applies to no line: {(after - before) / FURTHER:.2f} us")


if __name__ == "__main__":
    main(*sys.argv[1:2])
