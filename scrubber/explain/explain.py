"""Explains a claim to whoever asks: scrubs it as any other, and once more with every rule running.

An explanation is bounded: of each rule so many facts are told, those first on which it fired; the others are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from scrubber.claim.model import Claim
from scrubber.engine.plain import PlainEngine
from scrubber.errors import WrongQuestion
from scrubber.explain.absent_facts import why_no_fact
from scrubber.explain.context import ExplanationContext, adoption
from scrubber.explain.lookups import payer_lookups
from scrubber.explain.model import NO_FACT, OUTCOMES, Explanation, FactExplained, RuleExplained
from scrubber.explain.outcome import RuleCheck, explain_doubtful, explain_fact, explain_unread, unread_line
from scrubber.facts.fact import Fact
from scrubber.findings import NO_SWITCHES, Finding, NotChecked, Switches
from scrubber.findings.judge import RANKS, judge, rule_tests
from scrubber.findings.misspelled_names import found_on_one_reading
from scrubber.findings.not_checked import LINE_SCOPES, lacking_something, may_apply
from scrubber.pricing import add_impacts, price_lines
from scrubber.rulebook.check import rule_questions
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rulebook import RUNNING, Rulebook
from scrubber.scrub import Scrubber, conclude, read_corrected, read_facts, received_on_corrected

EVERYONE = "everyone"  # the adoption of a pack that holds for every payer
UnreadOf = Mapping[str, Mapping[int, NotChecked]]  # by rule, then by line


@lru_cache(maxsize=2)
def all_running(book: Rulebook) -> Rulebook:
    """The rulebook with every rule active: a draft or deprecated rule is explained as if it ran."""
    rules = {name: replace(rule, status="active") for name, rule in book.rules.items()}
    return book.with_others(rules)


class ScrubbedClaim:
    """One claim and its answer; what rules that do not run would stand on is worked out when one is asked about."""

    def __init__(self, scrubber: Scrubber, claim: Claim, received_on: date, switches: Switches) -> None:
        self.switches = switches
        self.context = _context(claim, scrubber, scrubber.rulebook, received_on)
        self._scrubber = scrubber
        known = self.context.known
        matches = scrubber.engine.match(known.facts)
        book, reference, stale_after = scrubber.rulebook, scrubber.reference, scrubber.stale_after
        as_meant = read_corrected(claim, book, reference, scrubber.engine, received_on, switches)
        self.result = conclude(claim, known, matches, book, reference, received_on, switches, stale_after, as_meant)
        self._found = {_identity(each): each for each in (*self.result.findings, *self.result.shadow)}
        self._unread: dict[Rulebook, UnreadOf] = {}
        self._with_every_rule: ExplanationContext | None = None
        self._as_meant: dict[Rulebook, ExplanationContext] = {}
        self._applied: dict[tuple[str, Rulebook], ExplanationContext] = {}  # by pack, of the book that runs

    def check(self, rule: Rule) -> RuleCheck:
        """What one rule is held against."""
        context = self.context if rule.status in RUNNING else self._all_running()
        known = context.known
        adopted = adoption(rule, known.payer, known.day, context.book)
        if adopted.adopted is False and (rule.names or any(True for _ in rule_questions(rule))):
            context = self._as_if_applied(rule, context)
        number = next(index for index, each in enumerate(context.book.running) if each.id == rule.id)
        unread, doubtful = self._unread_of(rule, context), self._doubtful_of(rule, number, context)
        return RuleCheck(rule, number, context, adopted, self.switches, unread, self._priced, doubtful)

    def _doubtful_of(self, rule: Rule, number: int, context: ExplanationContext) -> tuple[Finding, ...]:
        """What the rule finds on one reading only, where the claim has names that resemble known ones."""
        claim = context.claim
        if claim.corrected is None:
            return ()
        if context.book not in self._as_meant:
            received_on = received_on_corrected(claim, claim.corrected, context.received_on)
            self._as_meant[context.book] = _context(claim.corrected, self._scrubber, context.book, received_on)
        as_meant = self._as_meant[context.book]
        return tuple(
            found_on_one_reading(self._found_by(rule, number, context), self._found_by(rule, number, as_meant))
        )

    def _found_by(self, rule: Rule, number: int, context: ExplanationContext) -> list[Finding]:
        known = context.known
        facts = [fact for fact in known.facts if fact.kind == rule.scope]
        matches = [
            (2 * number + key, index) for index, keys in matched(rule, facts, context.book).items() for key in keys
        ]
        judged = judge(
            matches, facts, context.claim, known.payer, known.day, context.book, context.reference, self.switches
        )
        return [finding for finding in (*judged.findings, *judged.shadow) if finding.rule.id == rule.id]

    def _all_running(self) -> ExplanationContext:
        if self._with_every_rule is None:
            context = self.context
            self._with_every_rule = _context(
                context.claim, self._scrubber, all_running(context.book), context.received_on
            )
        return self._with_every_rule

    def _as_if_applied(self, rule: Rule, context: ExplanationContext) -> ExplanationContext:
        """With the answers to questions that were not asked, since the payer does not apply the pack."""
        key = rule.pack, context.book
        if key not in self._applied:
            book = context.book
            pack = replace(book.packs[rule.pack], adoption=EVERYONE)
            rows = tuple(row for row in book.rows.get("adoptions", ()) if row.pack != rule.pack)
            applied = book.with_others(packs={**book.packs, rule.pack: pack}, rows={**book.rows, "adoptions": rows})
            known = _context(context.claim, self._scrubber, applied, context.received_on).known
            self._applied[key] = replace(context, known=known)
        return self._applied[key]

    def _unread_of(self, rule: Rule, context: ExplanationContext) -> Mapping[int, NotChecked]:
        if context.book not in self._unread:
            known = context.known
            found: dict[str, dict[int, NotChecked]] = {}
            asked = known.views, known.payer, known.day, context.book
            for item in lacking_something(*asked, context.reference, self.switches):
                found.setdefault(item.rule.id, {})[item.lines[0]] = item
            self._unread[context.book] = found
        return self._unread[context.book].get(rule.id, {})

    def _priced(self, finding: Finding) -> Finding:
        """With the dollars of the answer; one that is not in the answer, as if it were there alone."""
        found = self._found.get(_identity(finding))
        if found is not None:
            return found
        context = self.context
        prices = price_lines(context.claim, context.known.views, context.book, context.reference)
        return add_impacts((finding,), prices, context.known.liabilities)[0][0]


def matched(rule: Rule, facts: Sequence[Fact], book: Rulebook) -> Mapping[int, tuple[int, ...]]:
    """By fact: 0 where the rule's conditions hold, 1 where something needed was not supplied."""
    engine = PlainEngine(rule_tests([rule]), book.lists)
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for key, index in engine.match(facts):
        found[index] += (key,)
    return found


def _context(claim: Claim, scrubber: Scrubber, book: Rulebook, received_on: date) -> ExplanationContext:
    known = read_facts(claim, book, scrubber.reference, received_on, scrubber.stale_after)
    return ExplanationContext(claim, known, book, scrubber.reference, received_on, scrubber.stale_after)


def _identity(finding: Finding) -> tuple[object, ...]:
    return finding.rule.id, finding.lines, finding.related_lines, finding.pointer, finding.message


MOST_FACTS_EXPLAINED = 200  # told in one explanation, so that it stays small and quick
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
    switches: Switches = NO_SWITCHES,
) -> Explanation:
    """Why the rules asked about fired or did not; those that do not run, as if they ran.

    Raises WrongQuestion for a rule or a line that there is not.
    """
    _check(asked, claim, scrubber.rulebook)
    scrubbed = ScrubbedClaim(scrubber, claim, received_on, switches)
    rules = _chosen(asked, scrubbed)
    most = max(LEAST_OF_RULE, MOST_FACTS_EXPLAINED // max(len(rules), 1))
    explained = sorted((explain_rule(scrubbed.check(rule), asked, most) for rule in rules), key=_rank)
    return _explanation(scrubbed, tuple(explained))


def _explanation(scrubbed: ScrubbedClaim, explained: tuple[RuleExplained, ...]) -> Explanation:
    context, result = scrubbed.context, scrubbed.result
    unchecked = {item.rule.id for item in result.not_checked} - {each.rule.id for each in explained}
    return Explanation(
        context.known.payer,
        tuple(payer_lookups(context)),
        context.known.day,
        explained,
        sum(each.left_off for each in explained),
        tuple(sorted(unchecked)),
        result.versions,
        context.received_on,
        scrubbed.switches,
    )


def _check(asked: Asked, claim: Claim, book: Rulebook) -> None:
    for rule in asked.rules:
        if rule not in book.rules:
            raise WrongQuestion(
                f"a rule is asked about that there is not{book.no_such_rule(rule)}; `scrubber rules list` and "
                "GET /v1/rules name them"
            )
    if asked.line is not None and not 1 <= asked.line <= len(claim.lines):
        raise WrongQuestion("a line is asked about that the claim does not have; its lines are numbered from 1")


def _rank(explained: RuleExplained) -> tuple[int, int, str]:
    return OUTCOMES.index(explained.outcome), RANKS[explained.rule.severity], explained.rule.id


def _chosen(asked: Asked, scrubbed: ScrubbedClaim) -> list[Rule]:
    """The rules to explain, each once."""
    context = scrubbed.context
    if asked.rules:
        return [context.book.rules[name] for name in dict.fromkeys(asked.rules)]
    found = (*scrubbed.result.findings, *scrubbed.result.shadow)
    chosen = [each.rule for each in found if asked.line is None or _is_on(asked.line, each)]
    if asked.line is not None:
        view = context.known.views[asked.line - 1]
        rules = context.book.rules.values()
        chosen += [rule for rule in rules if rule.scope in LINE_SCOPES and may_apply(rule, view, context.book.lists)]
    return list({rule.id: rule for rule in chosen}.values())


def _is_on(line: int, finding: Finding) -> bool:
    return line in finding.lines or line in finding.related_lines


def explain_rule(check: RuleCheck, asked: Asked, most: int) -> RuleExplained:
    """A rule on the facts of its scope, of which at most so many are told; where nothing was named, what it matched."""
    line = asked.line
    facts = [fact for fact in check.context.known.facts if fact.kind == check.rule.scope and _is_about(line, fact)]
    keys = matched(check.rule, facts, check.context.book)
    wanted = [index for index in range(len(facts)) if keys[index] or asked != EVERYTHING_FIRED]
    first = sorted(wanted, key=lambda index: _FIRED_FIRST[keys[index]])[:most]
    explained = [explain_fact(check, facts[index], keys[index]) for index in first]
    unread = [number for number in check.unread if line in (None, number)]
    without_fact = set(unread) - {unread_line(check, facts[index]) for index in wanted if keys[index] in ((), (0,))}
    explained += [
        explain_unread(check, check.unread[number]) for number in sorted(without_fact)[: most - len(explained)]
    ]
    on_one_reading = [
        finding for finding in check.doubtful if not any(_is_explained(finding, each) for each in explained)
    ]
    on_one_reading = [
        finding for finding in on_one_reading if line is None or not finding.lines or _is_on(line, finding)
    ]
    explained += [explain_doubtful(check, finding) for finding in on_one_reading[: most - len(explained)]]
    explained.sort(key=lambda each: (OUTCOMES.index(each.outcome), each.lines, each.related))
    return _of_rule(check, line, explained, len(wanted) + len(without_fact) + len(on_one_reading) - len(explained))


def _is_explained(finding: Finding, explained: FactExplained) -> bool:
    return (finding.lines, finding.related_lines) == (explained.lines, explained.related)


def _of_rule(check: RuleCheck, line: int | None, explained: Sequence[FactExplained], left_off: int) -> RuleExplained:
    nothing = () if explained else why_no_fact(check.rule, line, check.context)
    return RuleExplained(
        check.rule,
        explained[0].outcome if explained else NO_FACT,
        explained[0].because if explained else nothing[0],
        _effect(check),
        check.adoption,
        tuple(explained),
        nothing,
        left_off,
    )


def _is_about(line: int | None, fact: Fact) -> bool:
    """Whether a fact is told when a line is asked about: what is about the whole claim is."""
    return line is None or not fact.lines or line in fact.lines or line in fact.related


def _effect(check: RuleCheck) -> str:
    """What the rule's status means for this answer."""
    rule, standing = check.rule, check.standing
    if rule.status not in RUNNING:
        after = f", {rule.superseded_by} took over" if rule.superseded_by else ""
        return f"{rule.status}{after}: it does not run, and is explained as if it did"
    if standing is None:
        return f"{rule.status}, but this request leaves it out"
    if rule.status == "shadow":
        return "shadow, enabled by this request" if standing == "active" else _SHADOW
    return "active: what it finds counts"


_SHADOW = "shadow: it runs, and what it finds is told apart and has no effect"
