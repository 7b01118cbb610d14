"""Beside the path: why rules fired or did not on a claim. Each rule asked about is held against each fact of its scope.

An explanation is bounded: of each rule so many facts are told, those first on which it fired; the others are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from scrubber.claim import Claim
from scrubber.errors import WrongQuestion
from scrubber.facts.fact import Fact
from scrubber.findings import AS_WRITTEN, Finding, Switches
from scrubber.findings.judge import RANKS
from scrubber.findings.unjudged import LINE_SCOPES, may_apply
from scrubber.rulebook.book import RUNNING, Rulebook
from scrubber.rulebook.rule import Rule
from scrubber.scrub import Scrubber
from scrubber.workshop.explain.explanation import NO_FACT, OUTCOMES, Explanation, FactExplained, RuleExplained
from scrubber.workshop.explain.no_fact import why_no_fact
from scrubber.workshop.explain.outcome import Trial, explain_doubtful, explain_fact, explain_unread, unread_line
from scrubber.workshop.explain.payer_lookups import payer_lookups
from scrubber.workshop.explain.scrubbed import Scrubbed, matched

MOST_FACTS = 200  # told in one explanation, so that it stays small and quick
LEAST_OF_RULE = 2
_FIRED_FIRST = {(0,): 0, (0, 1): 1, (1,): 1, (): 2}


class Asked(NamedTuple):
    """What to explain: rules by id (none: those that fired, and that apply to the line), and a line, from 1."""

    rules: tuple[str, ...] = ()
    line: int | None = None


EVERYTHING_FIRED = Asked()


def explain(
    scrubber: Scrubber,
    claim: Claim,
    received_on: date,
    asked: Asked = EVERYTHING_FIRED,
    switches: Switches = AS_WRITTEN,
) -> Explanation:
    """Why the rules asked about fired or did not; those that do not run, as if they ran.

    Raises WrongQuestion for a rule or a line that there is not.
    """
    _check(asked, claim, scrubber.rulebook)
    scrubbed = Scrubbed(scrubber, claim, received_on, switches)
    rules = _chosen(asked, scrubbed)
    most = max(LEAST_OF_RULE, MOST_FACTS // max(len(rules), 1))
    told = sorted((explain_rule(scrubbed.trial(rule), asked, most) for rule in rules), key=_rank)
    return _explanation(scrubbed, tuple(told))


def _explanation(scrubbed: Scrubbed, told: tuple[RuleExplained, ...]) -> Explanation:
    ground, result = scrubbed.ground, scrubbed.result
    unchecked = {item.rule.id for item in result.not_checked} - {each.rule.id for each in told}
    return Explanation(
        ground.known.payer,
        tuple(payer_lookups(ground)),
        ground.known.day,
        told,
        sum(each.left_off for each in told),
        tuple(sorted(unchecked)),
        result.versions,
        ground.received_on,
        scrubbed.switches,
    )


def _check(asked: Asked, claim: Claim, book: Rulebook) -> None:
    if any(rule not in book.rules for rule in asked.rules):
        raise WrongQuestion(
            "a rule is asked about that there is not; `scrubber rules list` and GET /v1/rules name them"
        )
    if asked.line is not None and not 1 <= asked.line <= len(claim.lines):
        raise WrongQuestion("a line is asked about that the claim does not have; its lines are numbered from 1")


def _rank(told: RuleExplained) -> tuple[int, int, str]:
    return OUTCOMES.index(told.outcome), RANKS[told.rule.severity], told.rule.id


def _chosen(asked: Asked, scrubbed: Scrubbed) -> list[Rule]:
    """The rules to explain, each once."""
    ground = scrubbed.ground
    if asked.rules:
        return [ground.book.rules[name] for name in dict.fromkeys(asked.rules)]
    found = (*scrubbed.result.findings, *scrubbed.result.shadow)
    chosen = [each.rule for each in found if asked.line is None or _is_on(asked.line, each)]
    if asked.line is not None:
        view = ground.known.views[asked.line - 1]
        rules = ground.book.rules.values()
        chosen += [rule for rule in rules if rule.scope in LINE_SCOPES and may_apply(rule, view, ground.book.lists)]
    return list({rule.id: rule for rule in chosen}.values())


def _is_on(line: int, finding: Finding) -> bool:
    return line in finding.lines or line in finding.related_lines


def explain_rule(trial: Trial, asked: Asked, most: int) -> RuleExplained:
    """A rule on the facts of its scope, of which at most so many are told; where nothing was named, what it matched."""
    line = asked.line
    facts = [fact for fact in trial.ground.known.facts if fact.kind == trial.rule.scope and _is_about(line, fact)]
    keys = matched(trial.rule, facts, trial.ground.book)
    wanted = [index for index in range(len(facts)) if keys[index] or asked != EVERYTHING_FIRED]
    first = sorted(wanted, key=lambda index: _FIRED_FIRST[keys[index]])[:most]
    told = [explain_fact(trial, facts[index], keys[index]) for index in first]
    unread = [number for number in trial.unread if line in (None, number)]
    untold = set(unread) - {unread_line(trial, facts[index]) for index in wanted if keys[index] in ((), (0,))}
    told += [explain_unread(trial, trial.unread[number]) for number in sorted(untold)[: most - len(told)]]
    apart = [finding for finding in trial.doubtful if not any(_is_told(finding, each) for each in told)]
    apart = [finding for finding in apart if line is None or not finding.lines or _is_on(line, finding)]
    told += [explain_doubtful(trial, finding) for finding in apart[: most - len(told)]]
    told.sort(key=lambda each: (OUTCOMES.index(each.outcome), each.lines, each.related))
    return _of_rule(trial, line, told, len(wanted) + len(untold) + len(apart) - len(told))


def _is_told(finding: Finding, told: FactExplained) -> bool:
    return (finding.lines, finding.related_lines) == (told.lines, told.related)


def _of_rule(trial: Trial, line: int | None, told: Sequence[FactExplained], left_off: int) -> RuleExplained:
    nothing = () if told else why_no_fact(trial.rule, line, trial.ground)
    return RuleExplained(
        trial.rule,
        told[0].outcome if told else NO_FACT,
        told[0].because if told else nothing[0],
        _effect(trial),
        trial.adoption,
        tuple(told),
        nothing,
        left_off,
    )


def _is_about(line: int | None, fact: Fact) -> bool:
    """Whether a fact is told when a line is asked about: what is about the whole claim is."""
    return line is None or not fact.lines or line in fact.lines or line in fact.related


def _effect(trial: Trial) -> str:
    """What the rule's status means for this answer."""
    rule, standing = trial.rule, trial.standing
    if rule.status not in RUNNING:
        after = f", {rule.superseded_by} took over" if rule.superseded_by else ""
        return f"{rule.status}{after}: it does not run, and is explained as if it did"
    if standing is None:
        return f"{rule.status}, but this request leaves it out"
    if rule.status == "shadow":
        return "shadow, enabled by this request" if standing == "active" else _SHADOW
    return "active: what it finds counts"


_SHADOW = "shadow: it runs, and what it finds is told apart and has no effect"
