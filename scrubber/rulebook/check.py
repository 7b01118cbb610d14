"""Checks a typed rule for what its schema cannot see: needs, placeholders, authority, ids, succession."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from string import Formatter
from typing import NamedTuple

from scrubber.claim.model import NOT_SUPPLIED
from scrubber.errors import Fault
from scrubber.likeness import Suggestions, known_names, perhaps
from scrubber.rulebook.backtest_record import record_name
from scrubber.rulebook.names import ReportFault, known_fields
from scrubber.rulebook.operators import IN_LIST_OPERATORS
from scrubber.rulebook.relations import Group, HowMany, OfLimit, walk
from scrubber.rulebook.rule import SEVERITIES, Asks, Compare, InList, Rule, asks, conditions_of, leaves
from scrubber.rulebook.rule_tables import AdoptionRow, RuleTable
from scrubber.rulebook.same import SAME_MODIFIERS
from scrubber.rulebook.yaml_file import Document, Position


def check_successors(files: Sequence[RuleFile], ids: Mapping[str, bool]) -> Iterator[Fault]:
    """Deprecated rules without a rule that took over, and successors that are none.

    `ids`: of every rule file, also those that do not load, and whether it is of a draft.
    """
    by_id = {rule.id: rule for _, rule in files}
    like = Suggestions(ids)
    for document, rule in files:
        message = _successor_fault(rule, by_id, ids, like)
        if message:
            yield document.fault(("superseded-by" if rule.superseded_by else "status",), message)


def _successor_fault(rule: Rule, by_id: Mapping[str, Rule], ids: Mapping[str, bool], like: Suggestions) -> str | None:
    name = rule.superseded_by
    if name is None:
        wanted = "a deprecated rule needs `superseded-by`: the id of the rule that took over"
        return wanted if rule.status == "deprecated" else None
    if name not in ids:
        return f"superseded-by: there is no rule `{name}`{like.perhaps(name)}"
    if name == rule.id:
        return "superseded-by: names the rule itself"
    successor = by_id.get(name)
    if successor is not None and successor.status == "deprecated":
        return f"superseded-by: `{name}` is deprecated itself: name the rule that holds now"
    status = successor.status if successor is not None else "draft" if ids[name] else "active"
    if rule.status == "deprecated" and status != "active":
        return f"superseded-by: `{name}` is {status} and has no effect: make it active before this one goes"
    return "superseded-by: goes round in a circle back to this rule" if _returns(rule, by_id) else None


def _returns(rule: Rule, by_id: Mapping[str, Rule]) -> bool:
    """Whether the successors of a rule lead back to it."""
    seen: set[str] = set()
    name = rule.superseded_by
    while name is not None and name in by_id and name not in seen:
        if name == rule.id:
            return True
        seen.add(name)
        name = by_id[name].superseded_by
    return False


def check_days(files: Sequence[RuleFile]) -> Iterator[Fault]:
    """Days on which a rule and the one that took over both hold, and days on which neither does."""
    by_id = {rule.id: rule for _, rule in files}
    for document, rule in files:
        successor = by_id.get(rule.superseded_by or "")
        if successor is None or successor.id == rule.id:
            continue
        message = _left_unjudged(rule, successor) if rule.status == "deprecated" else _seam(rule, successor)
        if message:
            yield document.fault(("superseded-by",), message)


def _left_unjudged(rule: Rule, successor: Rule) -> str | None:
    """A deprecated rule never runs, so the one that took over must hold on all its days."""
    if (successor.since or date.min) <= (rule.since or date.min):
        return None
    return (
        f"superseded-by: dates of service before {successor.since} are left to no rule: `{successor.id}` begins then "
        f"and a deprecated rule never runs; keep this one active with `effective: {{to: {successor.since}}}`"
    )


def _seam(rule: Rule, successor: Rule) -> str | None:
    """A rule that still runs for old dates ends on the day that the one after it begins."""
    if successor.since is None or rule.until is None or successor.since < rule.until:
        ends = f"effective: {{to: {successor.since}}}" if successor.since else "a first day to the later one"
        return f"superseded-by: this rule and `{successor.id}` hold on one day: give {ends}"
    if successor.since > rule.until:
        return (
            f"superseded-by: dates of service from {rule.until} to the day before {successor.since} are left to no "
            f"rule: `{successor.id}` begins only then"
        )
    return None


MOST_CONDITIONS = 60  # of one rule


class RuleFile(NamedTuple):
    """A rule and the document it was read from, which knows the lines."""

    document: Document
    rule: Rule


def check_rule(rule: Rule, report: ReportFault) -> None:
    """Reports everything wrong with one rule that can be seen without the others."""
    if rule.since and rule.until and rule.since >= rule.until:
        report(("effective",), "`to` must be after `from`")
    if rule.stage == "postPayment" and (rule.reason is not None or (rule.by_row is not None and rule.by_row.of_reason)):
        report(("reason",), "what is taken back after payment has no reason on the remittance: say `reason: null`")
    if sum(1 for part in conditions_of(rule) for _ in (*leaves(part), *asks(part))) > MOST_CONDITIONS:
        report(("when",), f"over {MOST_CONDITIONS} conditions in one rule (a limit counts up to three a row): split it")
    _check_deny(rule, report)
    _check_needs(rule, report)
    _check_reads(rule, report)
    _check_texts(rule, report)


def may_deny(rule: Rule) -> bool:
    """Whether a finding of the rule may be a deny, by what it says itself or by what a row may say."""
    return rule.severity == "deny" or (rule.by_row is not None and rule.by_row.severity is not None)


def rests_on_authority(rule: Rule) -> bool:
    """Whether the rule may deny without a back-test: an authority binds, or it is declared house policy."""
    return any(a.kind == "house-policy" or (a.binding and a.kind != "advice") for a in rule.authority)


def _check_deny(rule: Rule, report: ReportFault) -> None:
    """Only active rules are checked: a draft or a shadow rule may exist before its back-test."""
    if rule.back_test is not None and rule.back_test != record_name(rule):
        report(("back-test",), f"must be {record_name(rule)}")
    if rule.severity == "deny" and rule.status == "active" and not (rests_on_authority(rule) or rule.back_test):
        report(
            ("severity",),
            "an active deny needs a binding authority, a house-policy, or a back-test on record: add one "
            "(`scrubber rules backtest --record` writes a record), or make it warn, or set `status: shadow`",
        )


def _check_needs(rule: Rule, report: ReportFault) -> None:
    kind = rule.kind
    for index, name in enumerate(rule.needs):
        field = kind.fields.get(name)
        if field is None or not field.may_be_missing:
            named = ", ".join(sorted(f.name for f in kind.fields.values() if f.may_be_missing)) or "none"
            like = perhaps(name, [field.name for field in kind.fields.values() if field.may_be_missing])
            report(
                ("needs", index), f"`{name}` is no fact that can be left out of {kind.name}{like}; there are: {named}"
            )
        if name in rule.needs[:index]:
            report(("needs", index), f"`{name}` stands here twice")
    if rule.needs and rule.not_checked is None:
        report(("needs",), "a rule with `needs` must say what to tell when they are not supplied: add `not-checked`")
    if rule.not_checked is not None and not rule.needs and not any(True for _ in rule_questions(rule)):
        report(("not-checked",), "is never said by a rule without `needs`")


def _check_reads(rule: Rule, report: ReportFault) -> None:
    """A fact that the sender may leave out is listed under `needs`, or the rule tests for `not-supplied`."""
    fields = rule.kind.fields
    read: set[str] = set()
    settled: set[str] = set()
    for leaf in (leaf for part in conditions_of(rule) for leaf in leaves(part)):
        name = leaf.fact.removesuffix("?")
        left_out = isinstance(leaf, Compare) and leaf.fact != name and leaf.value == NOT_SUPPLIED.value
        (settled if left_out else read).add(name)
    for name in sorted(settled):
        _check_left_out(rule, name, report)
    for name in sorted(read - settled - set(rule.needs)):
        if name in fields and fields[name].may_be_missing:
            report(("needs",), f"`{name}` may be left out by the sender: list it under `needs`")


def _check_left_out(rule: Rule, name: str, report: ReportFault) -> None:
    if may_deny(rule):
        report(("when",), f"what is not supplied never denies: take out `{name}` is not-supplied")
    elif name in rule.needs:
        report(("needs",), f"a rule that needs `{name}` is not judged without it, so not-supplied never holds")


def _check_texts(rule: Rule, report: ReportFault) -> None:
    kind = rule.kind
    others = ("line", "lines", "which-lines", "related", *kind.placeholders)
    for key, text in (("message", rule.message), ("fix", rule.fix), ("not-checked", rule.not_checked)):
        for name in _placeholders(text or "", key, report):
            if name not in kind.fields and name not in others and name not in dict(rule.names):
                report((key,), f"{{{name}}} is no fact of {kind.name}; {known_fields(name, kind, *others)}")


_PLACEHOLDER = re.compile(r"[a-zA-Z0-9-]+(\.[a-zA-Z0-9_-]+)*")


def placeholders(text: str) -> list[str]:
    """The names between the braces of a text; none of a text whose braces are wrong."""
    try:
        return [name for _, name, _, _ in Formatter().parse(text) if name]
    except ValueError:
        return []


def _placeholders(text: str, key: str, report: ReportFault) -> Iterator[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        report((key,), "a brace stands alone: write {name}, or {{ and }} for a brace itself")
        return
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if spec or conversion or not _PLACEHOLDER.fullmatch(name):
            report((key,), "between braces stands one name and nothing else")
        else:
            yield name


def check_related(files: Iterable[RuleFile], ids: Collection[str]) -> Iterator[Fault]:
    """Related rules that there are not."""
    like = Suggestions(ids)
    for document, rule in files:
        for index, other in enumerate(rule.related):
            if other not in ids:
                message = f"related: there is no rule `{other}`{like.perhaps(other)}"
                yield document.fault(("related", index), message)
            elif other == rule.id:
                yield document.fault(("related", index), "related: names the rule itself")


def rule_questions(rule: Rule) -> Iterator[Asks]:
    """Every question of a rule."""
    return (each for part in conditions_of(rule) for each in asks(part))


def lists_named(rule: Rule) -> Iterator[str]:
    """The lists of codes that the conditions of a rule name, also within relations and amounts."""
    yield from lists_in(conditions_of(rule))


def lists_in(conditions: object) -> Iterator[str]:
    """The lists of codes that conditions name, also within relations and amounts."""
    for part in walk(conditions):
        if isinstance(part, InList | HowMany) and part.list:
            yield part.list
        elif isinstance(part, Group):
            yield from part.same_modifiers


def limits_named(rule: Rule) -> Iterator[str]:
    """The limits that the amounts of a rule name: `limit.NAME`."""
    for part in walk((conditions_of(rule), rule.names)):
        if isinstance(part, OfLimit):
            yield part.name


def check_lists(files: Iterable[RuleFile], lists: Collection[str]) -> Iterator[Fault]:
    """Code lists that there are not."""
    for document, rule in files:
        for name in sorted(set(lists_named(rule)) - set(lists)):
            for position in _positions_of_list(document, name):
                yield document.fault(
                    position, f"there is no code list `{name}` in any tables/*.csv{known_names(name, lists)}"
                )


def _positions_of_list(document: Document, name: str) -> Iterator[Position]:
    return (
        position
        for position in document.lines
        if position and position[-1] in (*IN_LIST_OPERATORS, SAME_MODIFIERS) and document.at(position) == name
    )


def check_adoptions(tables: Iterable[RuleTable], files: Iterable[RuleFile], ids: Collection[str]) -> Iterator[Fault]:
    """Rows of adoptions that name a rule that there is not, or of another pack, or would raise its severity.

    `ids` has every rule file, also those that do not load.
    """
    rules, known = {rule.id: rule for _, rule in files}, Suggestions(ids)
    for table in tables:
        for line, row in table.numbered if table.kind == "adoptions" else ():
            if row.rule is not None:
                message = _adoption_fault(row, rules.get(row.rule), known)
                if message:
                    yield Fault(table.name, line, message)


def _adoption_fault(row: AdoptionRow, rule: Rule | None, known: Suggestions) -> str | None:
    if row.rule not in known:
        return f"rule: there is no rule `{row.rule}`{known.perhaps(row.rule or '')}"
    if rule is None:
        return None  # a draft that does not load
    if rule.pack != row.pack:
        return f"rule: `{rule.id}` is of pack {rule.pack}, and not of {row.pack}"
    if rule.status == "deprecated":
        return f"rule: `{rule.id}` is deprecated and never runs: name the rule that took over, `{rule.superseded_by}`"
    if rule.by_row is not None and rule.by_row.severity is not None:
        return None  # its rows say how severe it is; this one caps it
    if row.severity == rule.severity:
        return f"severity: is that of `{rule.id}` already: leave it blank"
    if row.severity is not None and SEVERITIES.index(row.severity) > SEVERITIES.index(rule.severity):
        return (
            f"severity: a row never makes a rule worse; `{rule.id}` says {rule.severity}, as its authority binds: "
            "write a rule of your own, with its authority"
        )
    return None


def check_unique(files: Iterable[RuleFile]) -> Iterator[Fault]:
    """Ids and titles that two rules share."""
    seen: dict[tuple[str, str], Document] = {}
    for document, rule in files:
        for word, value in (("id", rule.id), ("title", " ".join(rule.title.casefold().split()))):
            first = seen.setdefault((word, value), document)
            if first is not document:
                line = f":{first.line((word,))}" if first.within else ""  # one of several rules of a family
                yield document.fault((word,), f"{word} is used by {first.file}{line} too")
