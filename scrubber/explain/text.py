"""Writes an explanation as a page of text, with values, lists and days as a billing expert writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from click import style

from scrubber.dated_rows import Dated
from scrubber.explain.model import (
    DID_NOT_FIRE,
    FALSE,
    FIRED,
    IN_SHADOW,
    NO_FACT,
    NOT_ADOPTED,
    NOT_CHECKED,
    NOT_JUDGED,
    SWITCHED_OFF,
    TRUE,
    WOULD_FIRE,
    WOULD_NOT_CHECK,
    Candidate,
    ConditionLeaf,
    ConditionNode,
    Explanation,
    FactExplained,
    FactValue,
    LookupExplained,
    RuleExplained,
    RulePart,
)
from scrubber.facts.fact import Fact
from scrubber.findings import Impact
from scrubber.pricing.impact import puts_at_risk
from scrubber.response.terminal import dollars, wrap
from scrubber.rulebook.condition_words import join_first


def in_words(value: FactValue) -> str:
    """A value in a sentence."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return join_first(value) or "none"
    return str(value)


def in_days(row: Dated) -> str:
    """The days in force of a row or a rule."""
    if row.since and row.until:
        return f"from {row.since} until before {row.until}"
    if row.since:
        return f"from {row.since} on"
    return f"until before {row.until}" if row.until else "on all days"


def numbered(lines: Sequence[int]) -> str:
    """`line 2`, `lines 1, 3`."""
    return f"line{'' if len(lines) == 1 else 's'} {join_first(lines)}"


def where(fact: Fact) -> str:
    """The fact's place on the claim, to begin a sentence with."""
    if not fact.lines:
        return "the claim"
    return f"{numbered(fact.lines)} with {numbered(fact.related)}" if fact.related else numbered(fact.lines)


def on_day(ordinal: object) -> str:
    """A fact's day."""
    return f" on {date.fromordinal(ordinal)}" if isinstance(ordinal, int) else ""


def sentence(text: str) -> str:
    """With a capital letter first and a full stop last."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", ":")) else ".")


_NARROWEST, _WIDEST = 60, 110
_MARKS = {TRUE: "✓", FALSE: "✗", NOT_JUDGED: "?"}
_COLOURS = {TRUE: "green", FALSE: "red", NOT_JUDGED: "yellow"}
_OUTCOMES = {
    FIRED: ("FIRED", "red"),
    IN_SHADOW: ("FIRED IN SHADOW, WITHOUT EFFECT", "magenta"),
    WOULD_FIRE: ("WOULD FIRE, IF IT RAN", "magenta"),
    SWITCHED_OFF: ("SWITCHED OFF", "yellow"),
    NOT_ADOPTED: ("NOT FOR THIS PAYER", "yellow"),
    NOT_CHECKED: ("NOT CHECKED", "yellow"),
    WOULD_NOT_CHECK: ("COULD NOT BE CHECKED, IF IT RAN", "yellow"),
    DID_NOT_FIRE: ("DID NOT FIRE", "green"),
    NO_FACT: ("DID NOT FIRE: NOTHING THAT IT COULD BE ABOUT", "green"),
}
_PARTS = {
    "in-force": "In force on the date of service",
    "applies": "What the rule is for (applies)",
    "needs": "What must be supplied (needs)",
    "when": "What is wrong (when)",
}
_STANDINGS = {"carried-forward": "carried forward", "past-last-release": "stale: past the last release",
              "before-first-release": "before the first release"}  # fmt: skip


def render(name: str, explanation: Explanation, width: int, in_full: bool) -> str:
    """The explanation of the file `name` in at most `width` columns (60 to 110), with colour codes.

    `in_full`: also rules that did not fire are told condition by condition; else in a sentence each.
    """
    width = max(_NARROWEST, min(width, _WIDEST))
    lines = [*_heading(name, explanation, width)]
    brief = [] if in_full else [rule for rule in explanation.rules if rule.outcome in (DID_NOT_FIRE, NO_FACT)]
    for rule in explanation.rules:
        if rule not in brief:
            lines += ["", *_rule(rule, width)]
    lines += ["", *_brief(brief, width)] if brief else []
    return "\n".join([*lines, *_ending(explanation, width), ""])


def _heading(name: str, explanation: Explanation, width: int) -> Iterator[str]:
    payer, day = explanation.payer, explanation.day
    named = [payer.name] if payer.name else []
    named += [payer.line_of_business.replace("-", " ")] if payer.line_of_business != "unknown" else ["payer not known"]
    named += [f"contractor {payer.contractor}"] if payer.contractor else []
    yield style("".join(character if character.isprintable() else "?" for character in name), bold=True)
    yield from wrap(f"first date of service {day}; {', '.join(named)}", 2, width)
    for lookup in explanation.payer_lookups:
        yield from wrap(f"· {lookup.says}{_source(lookup)}", 4, width, hang=2)
    if not explanation.rules:
        yield from wrap("No rule fired. --rule ID explains one rule, --line N every rule for a line.", 2, width)


def _rule(explained: RuleExplained, width: int) -> Iterator[str]:
    rule = explained.rule
    yield style(rule.id, bold=True)
    yield from wrap(f"{rule.title} ({rule.severity_in_words}, {rule.category}; {rule.file})", 2, width)
    for fact in explained.facts:
        yield from _fact(fact, width)
    if explained.nothing:
        yield _outcome(explained.outcome, "")
        yield from wrap(sentence(explained.nothing[0]), 4, width)
        yield from wrap(f"(a fact of the kind {rule.scope}: {rule.kind.about})", 4, width)
        for reason in explained.nothing[1:]:
            yield from wrap(f"· {reason}", 4, width, hang=2)
    if explained.left_off:
        yield from wrap(f"and {explained.left_off} more of such facts, not told here: name a line", 2, width)
    yield from _standing(explained, width)


def _standing(explained: RuleExplained, width: int) -> Iterator[str]:
    """Status and payer of the rule: the same for all its facts."""
    yield style("  Whom it holds for, and what it counts", bold=True)
    mark = {True: TRUE, False: FALSE, None: NOT_JUDGED}[explained.adoption.adopted]
    yield from _marked(mark, explained.adoption.because, 4, width)
    yield from _candidates([row for row in explained.adoption.rows if not row.answered], width)
    yield from wrap(f"· status {explained.effect}", 4, width, hang=2)
    if explained.rule.related:
        yield from wrap(f"· see also {', '.join(explained.rule.related)}", 4, width, hang=2)


def _fact(fact: FactExplained, width: int) -> Iterator[str]:
    yield _outcome(fact.outcome, _place(fact))
    yield from wrap(sentence(fact.because), 4, width)
    if fact.finding and fact.finding.impact and puts_at_risk(fact.finding):
        yield from _at_risk(fact.finding.impact, width)
    for missing in fact.missing:
        yield from wrap(f"→ {missing.name} would be settled by {missing.settled_by}", 4, width, hang=2)
    for part in fact.parts:
        yield from _part(part, width)
    if fact.lookups or fact.competing:
        yield style("    Looked up", bold=True)
    for lookup in fact.lookups:
        yield from wrap(f"· {lookup.says}{_source(lookup)}", 6, width, hang=2)
    yield from _candidates(fact.competing, width)


def _at_risk(impact: Impact, width: int) -> Iterator[str]:
    bearer = f", borne by the {impact.liability}" if impact.liability else ""
    basis = f"; {impact.basis}" if impact.basis else ""
    yield from wrap(f"At risk: {dollars(impact.at_risk)}{bearer}{basis}", 4, width)
    for step in impact.steps:
        yield from wrap(step, 6, width, hang=2)


def _place(fact: FactExplained) -> str:
    if not fact.lines:
        return " on the claim"
    return f" on {numbered(fact.lines)}" + (f" with {numbered(fact.related)}" if fact.related else "")


def _outcome(outcome: str, place: str) -> str:
    word, colour = _OUTCOMES[outcome]
    return f"  {style(word, fg=colour, bold=True)}{place}"


def _part(part: RulePart, width: int) -> Iterator[str]:
    yield from _marked(part.node.verdict, _PARTS[part.name], 4, width)
    alone = isinstance(part.node, ConditionLeaf) or part.node.word == "all"
    nodes = (part.node,) if isinstance(part.node, ConditionLeaf) or not alone else part.node.parts
    for node in nodes:
        yield from _node(node, 6, width)


def _node(node: ConditionNode, indent: int, width: int) -> Iterator[str]:
    if isinstance(node, ConditionLeaf):
        value = in_words(node.value) if node.value is not None else (node.state or "no value here").replace("-", " ")
        yield from _marked(node.verdict, f"{node.fact}: {value} — asked: {node.asked}", indent, width)
        yield from wrap(f"({node.about})", indent + 2, width)
        return
    word = "all of these:" if node.word == "all" else "at least one of these:"
    yield from _marked(node.verdict, word, indent, width)
    for part in node.parts:
        yield from _node(part, indent + 2, width)


def _marked(verdict: str, text: str, indent: int, width: int) -> Iterator[str]:
    """With a coloured mark before the first line, which takes no part in the layout."""
    first, *rest = wrap(f"{_MARKS[verdict]} {text}", indent, width, hang=2)
    yield first.replace(_MARKS[verdict], style(_MARKS[verdict], fg=_COLOURS[verdict], bold=True), 1)
    yield from rest


def _source(lookup: LookupExplained) -> str:
    """Where a look-up was answered: file and line, or table and release."""
    if lookup.place:
        return f" [{lookup.place}]"
    if lookup.release is None:
        return f" [{lookup.table}]"
    standing = _STANDINGS.get(lookup.standing or "")
    return f" [{lookup.table} {lookup.release}{f', {standing}' if standing else ''}]"


def _candidates(rows: Sequence[Candidate], width: int) -> Iterator[str]:
    for row in rows:
        place = f" [{row.place}]" if row.place else ""
        yield from wrap(f"· row {row.scope}, {row.days}: {row.says}; {row.because}{place}", 6, width, hang=2)


def _brief(rules: Sequence[RuleExplained], width: int) -> Iterator[str]:
    yield style("OTHER RULES THAT APPLY, WHICH DID NOT FIRE (--rule ID tells the whole)", bold=True)
    alike: dict[str, list[str]] = {}
    for explained in rules:
        alike.setdefault(explained.because, []).append(explained.rule.id)
    for because, ids in alike.items():
        yield from wrap(f"{sentence(because)} [{', '.join(ids)}]", 2, width, hang=2)


def _ending(explanation: Explanation, width: int) -> Iterator[str]:
    if explanation.unchecked:
        yield ""
        count = len(explanation.unchecked)
        rules = "1 rule that was not checked is" if count == 1 else f"{count} rules that were not checked are"
        rules += " not explained here"
        yield from wrap(f"{rules}: {join_first(explanation.unchecked)}", 0, width, hang=2)
    if explanation.left_off:
        yield from wrap(f"{explanation.left_off} facts are not told here: name a rule and a line.", 0, width)
