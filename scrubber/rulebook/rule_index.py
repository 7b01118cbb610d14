"""Writes the index of a folder of rules, README.md: every rule by pack, for people who look for one in a browser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from scrubber.errors import Fault
from scrubber.rulebook.rule import Authority, Rule
from scrubber.rulebook.rulebook import Pack

INDEX = "README.md"
COMMAND = "scrubber rules index"
_HEAD = ("rule", "what it finds", "severity", "status", "authority")
_ADOPTION = {
    "everyone": "It holds for every payer, unless a row of adoptions says no.",
    "by-row": "It holds only for payers for which a row of adoptions says yes.",
}


def index_text(packs: Mapping[str, Pack], rules: Iterable[Rule]) -> str:
    """The text of the index; rules that do not load are not in it."""
    by_pack: dict[str, list[Rule]] = {name: [] for name in sorted(packs)}
    for rule in rules:
        by_pack.setdefault(rule.pack, []).append(rule)
    count = sum(map(len, by_pack.values()))
    lines = ["# Rules", "", f"{count} rules in {len(packs)} packs. `{COMMAND}` writes this file; change the rules."]
    for name, found in by_pack.items():
        if name in packs:
            lines += ["", *_pack(packs[name], sorted(found, key=lambda rule: rule.id))]
    return "\n".join(lines) + "\n"


def index_faults(folder: Path, packs: Mapping[str, Pack], rules: Iterable[Rule]) -> Iterator[Fault]:
    """Whether the index of a folder that has one is no longer that of its rules."""
    path = folder / INDEX
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") != index_text(packs, rules):
        yield Fault(INDEX, 0, f"is not up to date: write it anew with `{COMMAND}`")


def _pack(pack: Pack, rules: list[Rule]) -> Iterator[str]:
    yield f"## [{pack.name}]({pack.name}/pack.yaml): {_cell(pack.title)}"
    yield ""
    yield f"{_cell(pack.about)} {_ADOPTION[pack.adoption]}"
    if rules:
        yield ""
        yield _row(_HEAD)
        yield _row(("---",) * len(_HEAD))
        yield from (_row(_cells(rule)) for rule in rules)


def _cells(rule: Rule) -> tuple[str, ...]:
    return (
        f"[{rule.id}]({rule.file})",
        _cell(rule.title),
        rule.severity_in_words,
        rule.status,
        _cell("; ".join(map(_authority, rule.authority))),
    )


def _authority(item: Authority) -> str:
    place = f"{item.title}, {item.locator}" if item.locator else item.title
    return f"[{place}]({item.url})" if item.url else place


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
