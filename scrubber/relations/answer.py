"""Answers the questions of rules for the facts that these rules could fire on, and writes the answers into the facts.

A rule is looked at only where its other conditions hold, so that a rule that does not apply costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.engine.plain import Predicate, predicate
from scrubber.facts.fact import Fact, QuestionAnswer, RowValue
from scrubber.facts.rule_codes import procedure_test
from scrubber.relations.days import MINUTES_OF_A_DAY
from scrubber.relations.derived import add_derived_words
from scrubber.relations.evaluate import Evaluator, TooManySteps
from scrubber.relations.surroundings import Subject, Surroundings
from scrubber.relations.values import Bounds, NoValue, SomeCodes, Value
from scrubber.remembered import remembered
from scrubber.rulebook.field import UNKNOWN, Type
from scrubber.rulebook.relations import (
    HISTORY,
    Column,
    Compared,
    LookUp,
    Operand,
    Outer,
    Own,
    Question,
    RowFound,
    Shared,
    ValueTested,
)
from scrubber.rulebook.rule import (
    ANSWERED,
    NO,
    NOT_KNOWN,
    AllOf,
    AnyOf,
    Asks,
    Compare,
    Condition,
    FromRow,
    Has,
    InList,
    Rule,
    asks,
    conditions_of,
    window,
    without_questions,
)
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import KINDS

PROCEDURE, LINE_OF_BUSINESS = "procedure", "lineOfBusiness"
MOST_SERVICES = 5  # that evidence names
TOO_LONG = "time"  # what is missing where the answer would take too long
CODES_KEPT = 16_384
PAYERS_KEPT = 1_024  # payers, each on a day


@dataclass(frozen=True, slots=True)
class AskingRule:
    """A running rule with questions. Whether it may fire, whatever these come to: in any case, and whoever pays."""

    rule: Rule
    questions: tuple[Asks, ...]
    taken: tuple[FromRow, ...]
    decisive: frozenset[str]  # the keys of those that must be answered with yes for the rule to fire
    is_for: Callable[[str], bool]  # whether it may fire on a procedure code
    has_words: Predicate  # whether its tests of the procedure code and of `words` hold
    words: tuple[str, ...]
    may_fire: Predicate  # whether its other conditions hold
    may_fire_for_somebody: Predicate


class AskingRules(NamedTuple):
    """The running rules with questions by scope; `by_key` is filled as facts come.

    `words` are the fields of few words that their conditions test: with the procedure code they choose the rules.
    """

    by_scope: Mapping[str, tuple[AskingRule, ...]]
    words: Mapping[str, tuple[str, ...]]
    by_key: dict[tuple[Any, ...], tuple[AskingRule, ...]]

    def of(self, fact: Fact) -> tuple[AskingRule, ...]:
        """The rules that may apply to a fact, by its procedure code and its words."""
        rules = self.by_scope.get(fact.kind, ())
        if not rules:
            return rules
        values = fact.values
        code = values.get(PROCEDURE)
        key = (fact.kind, code, *map(values.get, self.words[fact.kind]))
        found = self.by_key.get(key)
        if found is None:
            if len(self.by_key) >= CODES_KEPT:
                self.by_key.clear()
            found = tuple(
                rule for rule in rules if (type(code) is not str or rule.is_for(code)) and rule.has_words(values)
            )
            self.by_key[key] = found
        return found


@remembered(4)
def asking_rules(rulebook: Rulebook) -> AskingRules:
    """The rules of a rulebook that ask questions."""
    found: dict[str, list[AskingRule]] = {}
    for rule in rulebook.running:
        questions = tuple(dict.fromkeys(each for part in conditions_of(rule) for each in asks(part)))
        if questions or rule.names or _taken(rule):
            found.setdefault(rule.scope, []).append(_asking(rule, questions, rulebook))
    words = {
        scope: tuple(dict.fromkeys(name for each in rules for name in each.words)) for scope, rules in found.items()
    }
    return AskingRules({scope: tuple(rules) for scope, rules in found.items()}, words, {})


def _asking(rule: Rule, questions: tuple[Asks, ...], rulebook: Rulebook) -> AskingRule:
    # What holds for few facts is tested first; a date of service within the rule's days is what nearly all have.
    held = [
        test
        for part in (without_questions(rule.when), without_questions(rule.applies), *window(rule))
        for test in _each(part)
    ]
    settled = [test for test in held if _is_settled(test, rule.scope)]
    left = [test for test in held if not _is_settled(test, rule.scope)]
    lists = rulebook.lists
    return AskingRule(
        rule,
        questions,
        _taken(rule),
        frozenset(each.fact for part in (rule.applies, rule.when) for each in _each(part) if isinstance(each, Asks)),
        _code_test(rule, rulebook),
        predicate(AllOf(tuple(settled)), lists),
        tuple(test.fact for test in settled if isinstance(test, Compare | Has) and test.fact != PROCEDURE),
        predicate(AllOf(tuple(left)), lists),
        predicate(AllOf(tuple(test for test in left if not _is_of_payer(test))), lists),
    )


def _each(condition: Condition) -> Iterator[Condition]:
    """The conditions of which all must hold for a condition to hold."""
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from _each(part)
    else:
        yield condition


def _is_settled(test: Condition, scope: str) -> bool:
    """Whether it tests the procedure code or a field with few words, which each fact has from the beginning."""
    if not isinstance(test, Compare | Has) or _is_of_payer(test):
        return False
    field = KINDS[scope].fields.get(test.fact)
    if field is None or field.element or field.made_from:
        return False
    return field.name == PROCEDURE or field.type in (Type.WORD, Type.FLAG)


def _is_of_payer(test: Condition) -> bool:
    return isinstance(test, Compare | Has | InList) and test.fact == LINE_OF_BUSINESS


def _taken(rule: Rule) -> tuple[FromRow, ...]:
    """What findings of the rule take from rows and amounts, and not from a field of the fact."""
    if rule.by_row is None and not rule.remedies:
        return ()
    taken = [*rule.by_row.taken()] if rule.by_row is not None else []
    taken += [each.value for each in rule.remedies if isinstance(each.value, FromRow)]
    return tuple(each for each in taken if not each.plain)


def _code_test(rule: Rule, rulebook: Rulebook) -> Callable[[str], bool]:
    """Whether a rule may fire on a procedure code: it applies to it, and the tables that must have a row for it do."""
    applies = procedure_test(rule.applies, rulebook)
    tables = [
        (rulebook.typed_tables[look_up.table], key)
        for part in (rule.applies, rule.when)
        for each in _each(part)
        if isinstance(each, Asks)
        for look_up in _rows_needed(each.question)
        if look_up.table in rulebook.typed_tables
        for key, operand in look_up.keys
        if isinstance(operand, Own) and operand.name == PROCEDURE
    ]
    return lambda code: applies(code) and all(table.fitting({key: code}, None) for table, key in tables)


def _rows_needed(question: Question) -> Iterator[LookUp]:
    """The look-ups without a row of which the answer to a question is no."""
    match question:
        case RowFound(look_up, found, 0) if found:
            yield look_up
        case Compared(left, _, right) | Shared(left, _, right):
            yield from [each.look_up for each in (left, right) if isinstance(each, Column) and not each.look_up.every]
        case ValueTested(Column(look_up), test) if not look_up.every and not test.fact.endswith("?"):
            yield look_up


def answer_questions(
    facts: Sequence[Fact], surroundings: Surroundings, payer: Payer, day: date, rulebook: Rulebook
) -> None:
    """Writes into each fact the answers to the questions of the rules that could fire on it.

    What the payer is known not to apply is not asked; `day` is the claim's first date of service.
    """
    add_derived_words(facts, surroundings, rulebook)
    rules = asking_rules(rulebook)
    if not rules.by_scope:
        return
    applied = _applied(payer, day, rulebook)
    evaluator: Evaluator | None = None
    for fact in facts:
        answers: dict[str, QuestionAnswer] | None = None
        subject: Subject | None = None
        whoever_pays = fact.values.get(LINE_OF_BUSINESS) == UNKNOWN
        for asking in rules.of(fact):
            rule = asking.rule
            if rule.id not in applied:
                applied[rule.id] = rulebook.applied(rule, payer, day) is not False
            test = asking.may_fire_for_somebody if whoever_pays else asking.may_fire
            if applied[rule.id] and test(fact.values):
                answers = dict(fact.answers or {}) if answers is None else answers
                evaluator = evaluator or Evaluator(surroundings)
                subject = subject or surroundings.subject(fact)
                if _may_fire(asking, answers, subject, evaluator) and (rule.names or asking.taken):
                    _name(asking, fact, subject, evaluator)
        if answers is not None:
            _write(answers, fact)


@remembered(PAYERS_KEPT)
def _applied(payer: Payer, day: date, rulebook: Rulebook) -> dict[str, bool]:  # noqa: ARG001  its key
    """Whether the payer may apply a rule on a day, by rule; filled as rules come."""
    return {}


def _may_fire(asking: AskingRule, answers: dict[str, QuestionAnswer], subject: Subject, evaluator: Evaluator) -> bool:
    """Answers the questions of a rule, unless another rule has asked them, and says whether it may fire.

    Once it cannot, its further questions are not asked.
    """
    for each in asking.questions:
        found = answers.get(each.fact)
        if found is None:
            found = answers[each.fact] = _answer(each, subject, evaluator)
        if found.answer == NO and each.fact in asking.decisive:
            return False
    return not any(_cannot_hold(part, answers) for part in (asking.rule.applies, asking.rule.when))


def _cannot_hold(condition: Condition, answers: Mapping[str, QuestionAnswer]) -> bool:
    """Whether a condition cannot hold by the answers to its questions, whatever else is so."""
    match condition:
        case Asks(key):
            return answers[key].answer == NO
        case AllOf(parts):
            return any(_cannot_hold(part, answers) for part in parts)
        case AnyOf(parts):
            return all(_cannot_hold(part, answers) for part in parts)
    return False


def _answer(asked: Asks, subject: Subject, evaluator: Evaluator) -> QuestionAnswer:
    evaluator.reset()
    try:
        answer = evaluator.answer(asked.question, subject)
    except TooManySteps:
        answer, evaluator.missing = NOT_KNOWN, {TOO_LONG: None}
    seen = evaluator.seen.values()
    return QuestionAnswer(
        answer,
        tuple(evaluator.missing) if answer == NOT_KNOWN else (),
        tuple(sorted(_lines(seen, subject))) if seen else (),
        tuple(_services(seen)) if seen else (),
        tuple([format_value(value, operand) for value, operand in evaluator.compared]),
    )


def _write(answers: Mapping[str, QuestionAnswer], fact: Fact) -> None:
    """Writes answers into a fact, and into its fields the keys of those that rules may fire on."""
    fact.answers = answers
    for words, name in ANSWERED.items():
        keys = tuple([key for key in answers if answers[key].answer in words])
        if keys:
            fact.values[name] = keys


def _name(asking: AskingRule, fact: Fact, subject: Subject, evaluator: Evaluator) -> None:
    """Writes into a fact what the names of a rule that may fire stand for."""
    evaluator.missing = {}
    if asking.rule.names:
        named = {name: format_value(_value(evaluator, each, subject), each) for name, each in asking.rule.names}
        fact.names = {**(fact.names or {}), asking.rule.id: named}
    if asking.taken:
        values = {each.name: _row_value(evaluator, each.operand, subject) for each in asking.taken}
        fact.row_values = {**(fact.row_values or {}), asking.rule.id: values}


def _value(evaluator: Evaluator, operand: Operand, subject: Subject) -> Value:
    try:
        return evaluator.value(operand, subject)
    except TooManySteps:
        return NoValue.UNKNOWN


def _row_value(evaluator: Evaluator, operand: Operand, subject: Subject) -> RowValue:
    value = _value(evaluator, operand, subject)
    rows = subject.rows.get(operand.look_up) if isinstance(operand, Column) else None
    row = rows[0] if rows else None
    if isinstance(value, NoValue):
        return RowValue(None, value is not NoValue.UNKNOWN, row)
    if isinstance(value, SomeCodes | Bounds):
        return RowValue(None, False, row)
    return RowValue(format_value(value, operand) if value != () else None, True, row)


def _lines(seen: Iterable[Subject], subject: Subject) -> Iterator[int]:
    for item in seen:
        if item.kind != HISTORY and item.number is not None and item.number != subject.number:
            yield item.number


def _services(seen: Iterable[Subject]) -> Iterator[str]:
    """Earlier services as evidence: code and day."""
    found = [item for item in seen if item.kind == HISTORY]
    for item in found[:MOST_SERVICES]:
        day = item.values.get("day")
        yield f"{item.values.get(PROCEDURE, UNKNOWN)} on {date.fromordinal(day) if isinstance(day, int) else UNKNOWN}"


def format_value(value: Value, operand: Operand) -> str:
    """A value in a message: dollars with cents, days, numbers; unknown where there is none."""
    inner = operand
    while isinstance(inner, Outer):
        inner = inner.operand
    kind = inner.type
    if isinstance(value, NoValue) or value == ():
        return UNKNOWN
    if isinstance(value, Decimal):
        return f"{value:.2f}" if kind is Type.AMOUNT else f"{value.normalize():f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _day_or_time(value, kind)
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " ".join(value)
    return _known_part(value, operand, kind)


def _day_or_time(value: int, kind: Type) -> str:
    if kind is Type.DAY:
        return date.fromordinal(value).isoformat()
    hour, minute = divmod(value % MINUTES_OF_A_DAY, 60)
    if kind is Type.CLOCK:
        return f"{hour:02}:{minute:02}"
    if kind is Type.TIME:
        return f"{date.fromordinal(value // MINUTES_OF_A_DAY)} {hour:02}:{minute:02}"
    return str(value)


def _known_part(value: SomeCodes | Bounds, operand: Operand, kind: Type) -> str:
    """What is known of a value that is not known in whole."""
    if isinstance(value, SomeCodes):
        return " ".join((*value.codes, f"and {UNKNOWN}"))
    if value.low is None:
        if kind is Type.DAY and value.high is not None:
            return f"{date.fromordinal(int(value.high))} or an earlier day"
        return UNKNOWN
    if kind is Type.DAY:
        return f"{date.fromordinal(int(value.low))} or a later day"
    return f"at least {format_value(value.low, operand)}"
