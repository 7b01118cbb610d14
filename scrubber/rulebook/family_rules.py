"""Makes the rules that a family of documentation states, each as if it stood in a rule file of its own.

A rule of an element is about the documents of the family's codes, needs the element, and has what `every-rule` says
where it says nothing itself. Its conditions, texts and dates keep the lines of the family's file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import Document, Position, read_yaml

FOLDER = "families"
EVERY_RULE, ELEMENTS, RULES, SCOPE = "every-rule", "elements", "rules", "document"
REQUIRED_WHEN = "required-when"


def rule_documents(family: Document) -> Iterator[Document]:
    """The rules of a family whose file is as the schema wants it, in the order of the file."""
    content = family.content
    common = content.get(EVERY_RULE) or {}
    lines = _by_part(family.lines.items())
    misread = _by_part((position, 0) for position in family.misread)
    for name, element in content[ELEMENTS].items():
        for index, stated in enumerate(element.get(RULES) or ()):
            at = (ELEMENTS, name, RULES, index)
            rule = _content(content, name, element, {**common, **stated})
            yield Document(
                family.file,
                rule,
                {(): family.line(at)} | _own(lines, at, stated),
                frozenset(_own(misread, at, stated)),
                within=at,
            )


Lines = dict[Position, int]
Parts = Mapping[Position, Lines]


def _by_part(positions: Iterable[tuple[Position, int]]) -> Parts:
    """Positions below `every-rule`, each `required-when` and each rule, from there on, with their lines."""
    parts: dict[Position, Lines] = defaultdict(dict)
    for position, line in positions:
        if position[:1] == (EVERY_RULE,):
            parts[EVERY_RULE,][position[1:]] = line
        elif position[2:3] == (REQUIRED_WHEN,):
            parts[position[:3]]["applies", *position[3:]] = line
        elif position[2:3] == (RULES,) and len(position) > 4:
            parts[position[:4]][position[4:]] = line
    return parts


def _own(parts: Parts, at: Position, stated: Mapping[str, Any]) -> Lines:
    """The positions of one rule; below a condition in short there are none, as the file does not have them."""
    common = {each: line for each, line in parts.get((EVERY_RULE,), {}).items() if each and each[0] not in stated}
    found = {**common, **parts.get((*at[:2], REQUIRED_WHEN), {}), **parts.get(at, {})}
    if isinstance(stated.get("when"), Mapping):
        return found
    return {each: line for each, line in found.items() if each[0] != "when" or len(each) == 1}


def rule_document(rule: Rule, folder: Path) -> Document:
    """The document that a rule was loaded from: its file, or what its family's file says of it. Raises Faults."""
    document = read_yaml(folder / rule.file, rule.file)
    if not rule.is_of_family:
        return document
    return next(each for each in rule_documents(document) if each.content["id"] == rule.id)


def _content(
    family: Mapping[str, Any], name: str, element: Mapping[str, Any], stated: Mapping[str, Any]
) -> dict[str, Any]:
    """What a rule file would say."""
    return {
        "reason": None,
        **stated,
        "scope": SCOPE,
        "applies": _applies(family, stated, element.get(REQUIRED_WHEN)),
        "needs": stated.get("needs") or [name],
        "when": _when(name, element, stated.get("when")),
    }


def _applies(family: Mapping[str, Any], stated: Mapping[str, Any], required: Mapping[str, Any] | None) -> Any:
    """The family's codes, what the rule says itself, and when the element is required."""
    codes = {"any-in": family["list"]} if "list" in family else {"any": family.get("codes")}
    further = stated.get("applies")
    return {"procedure": codes, **(required or {}), **(further if isinstance(further, Mapping) else {})}


def _when(name: str, element: Mapping[str, Any], wanted: object) -> Any:
    """What is wrong: a condition, or in short one or several values or states of the element."""
    texts = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(texts, list):
        return wanted
    tests = [test for text in texts for test in _tests(name, element, text)]
    return tests[0] if len(tests) == 1 else {"any": tests}


OUTSIDE = "outside-limits"
# What lies outside a limit, by the operator that says what lies inside.
_BEYOND = {"over": "at-most", "at-least": "under", "under": "at-least", "at-most": "over"}


def _tests(name: str, element: Mapping[str, Any], text: object) -> Iterator[dict[str, Any]]:
    if text != OUTSIDE:
        yield {"fact": name, "is": text}
        return
    for operator, limit in (element.get("limits") or {}).items():
        yield {"fact": name, _BEYOND[operator]: limit}
