"""Loads a folder of packs into a rulebook. Fails closed: one fault anywhere and nothing is loaded; all are reported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from marshmallow import ValidationError

from scrubber.errors import Fault, Faults
from scrubber.rulebook.book import Pack, Rulebook
from scrubber.rulebook.conditions import applies_condition, when_condition
from scrubber.rulebook.rule import Authority, ClaimStatus, InList, Reason, Rule, leaves
from scrubber.rulebook.schema import PackSchema, RuleSchema
from scrubber.rulebook.tables import ROW_TYPES
from scrubber.rulebook.yaml_file import Document, Place, read_yaml
from scrubber.tables import read_rows
from scrubber.vocabulary import KINDS, Kind

MOST_RULES = 4000
_RULE_SCHEMA = RuleSchema()
_PACK_SCHEMA = PackSchema()


def load_rulebook(folder: Path) -> Rulebook:
    """The rulebook in `folder`, one subfolder a pack. Raises Faults with every fault found."""
    if not folder.is_dir():
        raise Faults([Fault(str(folder), 0, "no such folder of rules")])
    faults: list[Fault] = []
    packs = _load_packs(folder, faults)
    rules = _load_rules(folder, packs, faults)
    rows = _load_tables(folder, packs, faults)
    faults += _across(rules, rows, packs)
    if faults:
        raise Faults(faults)
    by_id = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
    return Rulebook(by_id, packs, rows, digest(folder))


def rule_files(folder: Path) -> list[Path]:
    """Every rule file below the folder, in a fixed order; tests and pack.yaml are none."""
    files = (path for path in folder.glob("*/**/*.yaml") if path.name != "pack.yaml")
    return sorted(path for path in files if not path.name.endswith(".test.yaml"))


def digest(folder: Path) -> str:
    """SHA-256 over names and bytes of all that can change an answer: rules, pack files and tables."""
    total = hashlib.sha256()
    tables = folder.glob("*/tables/*.csv")
    for path in sorted([*rule_files(folder), *folder.glob("*/pack.yaml"), *tables]):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return "sha256:" + total.hexdigest()


def _load_packs(folder: Path, faults: list[Fault]) -> dict[str, Pack]:
    packs = {}
    for path in sorted(folder.glob("*/pack.yaml")):
        name = path.relative_to(folder).as_posix()
        loaded = _typed(path, name, _PACK_SCHEMA, faults)
        if loaded is None:
            continue
        document, content = loaded
        if content["name"] != path.parent.name:
            faults.append(document.fault(("name",), f"must be the folder's name, {path.parent.name}"))
        packs[path.parent.name] = Pack(**content)
    return packs


def _typed(path: Path, name: str, schema: Any, faults: list[Fault]) -> tuple[Document, dict[str, Any]] | None:
    try:
        document = read_yaml(path, name)
    except Faults as error:
        faults += error.faults
        return None
    try:
        return document, schema.load(document.content)
    except ValidationError as error:
        faults += _schema_faults(document, error.normalized_messages())
        return None


def _schema_faults(document: Document, messages: Any, place: Place = ()) -> Iterable[Fault]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _schema_faults(document, below, place if key == "_schema" else (*place, key))
        return
    for message in messages:
        name = ".".join(str(part) for part in place)
        yield document.fault(place, f"{name}: {message}" if name else message)


def _load_rules(folder: Path, packs: Mapping[str, Pack], faults: list[Fault]) -> list[Rule]:
    files = rule_files(folder)
    if len(files) > MOST_RULES:
        faults.append(Fault(str(folder), 0, f"{len(files)} rules; at most {MOST_RULES} can be loaded"))
        return []
    rules = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        pack = name.split("/", 1)[0]
        if pack not in packs:
            faults.append(Fault(name, 0, f"{pack}/pack.yaml is missing or has faults"))
        loaded = _typed(path, name, _RULE_SCHEMA, faults)
        if loaded is not None:
            rules.append(_rule(*loaded, path.stem, pack, faults))
    return rules


def _rule(document: Document, content: dict[str, Any], stem: str, pack: str, faults: list[Fault]) -> Rule:
    kind = KINDS[content["scope"]]

    def report(place: Place, message: str) -> None:
        faults.append(document.fault(place, message))

    if content["id"] != stem:
        report(("id",), f"must be the file's name, {stem}")
    rule = Rule(
        pack=pack,
        file=document.file,
        since=content["effective"].get("since"),
        until=content["effective"].get("until"),
        authority=tuple(_authority(item) for item in content["authority"]),
        applies=applies_condition(content["applies"], kind, ("applies",), report),
        needs=tuple(content["needs"]),
        when=when_condition(content["when"], kind, ("when",), report),
        element=content.get("points_at", kind.element),
        reason=_reason(content["reason"]),
        claim_status=ClaimStatus(**content["claim_status"]) if content["claim_status"] else None,
        related=tuple(content["related"]),
        not_checked=content.get("not_checked"),
        false_alarms=content.get("false_alarms"),
        **{key: content[key] for key in _AS_IS},
    )
    _check_needs(rule, kind, report)
    _check_texts(rule, kind, report)
    _check_deny(rule, report)
    if rule.since and rule.until and rule.since >= rule.until:
        report(("effective",), "`to` must be after `from`")
    return rule


_AS_IS = (
    "id", "version", "title", "status", "severity", "stage", "category", "scope", "owner", "reviewed", "message",
    "fix", "at_risk",
)  # fmt: skip


def _authority(item: Mapping[str, Any]) -> Authority:
    retrieved = item.get("retrieved")
    return Authority(
        item["kind"], item["title"], item.get("locator"), item.get("url"),
        retrieved.isoformat() if retrieved else None, item["binding"],
    )  # fmt: skip


def _reason(item: Mapping[str, Any] | None) -> Reason | None:
    return Reason(item["group"], item["carc"], tuple(item["rarc"])) if item else None


def _check_needs(rule: Rule, kind: Kind, report: Any) -> None:
    for index, name in enumerate(rule.needs):
        field = kind.fields.get(name)
        if field is None or not field.may_be_missing:
            named = ", ".join(sorted(f.name for f in kind.fields.values() if f.may_be_missing)) or "none"
            report(("needs", index), f"`{name}` is no fact that can be left out of {kind.name}; there are: {named}")
    if rule.needs and rule.not_checked is None:
        report(("needs",), "a rule with `needs` must say what to tell when they are not supplied: add `not-checked`")
    read = {leaf.fact for leaf in leaves(rule.when)} | {leaf.fact for leaf in leaves(rule.applies)}
    supplied = {name.removesuffix("?") for name in read}
    for name in sorted(supplied):
        field = kind.fields.get(name)
        if field is not None and field.may_be_missing and name not in rule.needs:
            report(("needs",), f"`{name}` may be left out by the sender: list it under `needs`")


def _check_texts(rule: Rule, kind: Kind, report: Any) -> None:
    known = {"line", "lines", "related", *kind.fields, *kind.says}
    for key, text in (("message", rule.message), ("fix", rule.fix), ("not-checked", rule.not_checked)):
        for name in _placeholders(text or "", key, report):
            if name not in known:
                report((key,), f"{{{name}}} is no fact of {kind.name}; there are: {', '.join(sorted(known))}")


_PLACEHOLDER = re.compile(r"[a-zA-Z0-9-]+")


def _placeholders(text: str, key: str, report: Any) -> list[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        report((key,), "a brace stands alone: write {name}, or {{ and }} for a brace itself")
        return []
    for _, name, spec, conversion in parts:
        if name is not None and (spec or conversion or not _PLACEHOLDER.fullmatch(name)):
            report((key,), "between braces stands one name and nothing else")
    return [name for _, name, _, _ in parts if name]


def _check_deny(rule: Rule, report: Any) -> None:
    firm = any(a.kind == "house-policy" or (a.binding and a.kind != "advice") for a in rule.authority)
    if rule.severity == "deny" and not firm:
        report(("severity",), "a deny needs a binding authority or a house-policy: add one, or make it warn")


def _load_tables(folder: Path, packs: Mapping[str, Pack], faults: list[Fault]) -> dict[str, tuple[Any, ...]]:
    rows: dict[str, tuple[Any, ...]] = {}
    for pack in packs.values():
        for file, kind in pack.tables.items():
            path = folder / pack.name / "tables" / file
            name = f"{pack.name}/tables/{file}"
            try:
                rows[kind] = rows.get(kind, ()) + read_rows(path, ROW_TYPES[kind], _KEYS[kind])
            except Faults as error:
                faults += [fault._replace(file=name) for fault in error.faults]
        found = {path.name for path in (folder / pack.name / "tables").glob("*.csv")}
        for file in sorted(found - set(pack.tables)):
            faults.append(Fault(f"{pack.name}/tables/{file}", 0, "is not listed under `tables` of pack.yaml"))
    return rows


_SCOPE = ("payer", "line_of_business", "plan", "contractor")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "limits": ("name",),
    "aliases": ("payer_id",),
    "filing-indicators": ("filing_indicator",),
    "plans": ("plan",),
    "adoptions": ("pack", *_SCOPE),
    "payer-fees": ("code", *_SCOPE),
    "policies": ("code", *_SCOPE),
    "frequencies": ("name",),
    "needed-elements": ("element",),
    "code-lists": ("list", "code", "through"),
    "diagnosis-lists": ("list", "code"),
}


def _across(rules: list[Rule], rows: Mapping[str, tuple[Any, ...]], packs: Mapping[str, Pack]) -> Iterable[Fault]:
    """What can only be seen with everything read: ids and titles used twice, names that lead nowhere, rows that tie."""
    yield from _used_twice(rules)
    ids = {rule.id for rule in rules}
    lists = {row.list for row in rows.get("code-lists", ())}
    for rule in rules:
        for other in rule.related:
            if other not in ids:
                yield Fault(rule.file, 0, f"related: there is no rule `{other}`")
        for leaf in (*leaves(rule.applies), *leaves(rule.when)):
            if isinstance(leaf, InList) and leaf.list not in lists:
                yield Fault(rule.file, 0, f"there is no code list `{leaf.list}` in any tables/*.csv")
    yield from _dangling_rows(rows, lists, packs)


def _dangling_rows(rows: Mapping[str, tuple[Any, ...]], lists: set[str], packs: Mapping[str, Pack]) -> Iterable[Fault]:
    diagnosis_lists = {row.list for row in rows.get("diagnosis-lists", ())}
    frequencies = {row.name for row in rows.get("frequencies", ())}
    for row in rows.get("policies", ()):
        if row.diagnosis_list and row.diagnosis_list not in diagnosis_lists:
            yield Fault("policies", 0, f"{row.code}: there is no diagnosis list `{row.diagnosis_list}`")
        if row.frequency and row.frequency not in frequencies:
            yield Fault("policies", 0, f"{row.code}: there is no frequency limit `{row.frequency}`")
    for row in rows.get("frequencies", ()):
        if row.code_list not in lists:
            yield Fault("frequencies", 0, f"{row.name}: there is no code list `{row.code_list}`")
    for row in rows.get("adoptions", ()):
        if row.pack not in packs:
            yield Fault("adoptions", 0, f"there is no pack `{row.pack}`")


def _used_twice(rules: list[Rule]) -> Iterable[Fault]:
    ids: dict[str, str] = {}
    titles: dict[str, str] = {}
    for rule in rules:
        for seen, value, word in ((ids, rule.id, "id"), (titles, rule.title, "title")):
            if value in seen:
                yield Fault(rule.file, 0, f"{word} `{value}` is used by {seen[value]} too")
            seen.setdefault(value, rule.file)
