"""Adds to documents the words that families derive from elements, before rules read them."""

from __future__ import annotations

from collections.abc import Sequence

from scrubber.facts.documentation import words_read
from scrubber.facts.fact import Fact
from scrubber.relations.evaluate import Evaluator
from scrubber.relations.surroundings import Subject, Surroundings
from scrubber.rulebook.family import STATES, DerivedWord
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import YES
from scrubber.rulebook.rulebook import Rulebook

DOCUMENT = "document"
_FLAGS = {"yes": True, "no": False}


def add_derived_words(facts: Sequence[Fact], surroundings: Surroundings, rulebook: Rulebook) -> None:
    """Writes into each document the words that running rules read: each a word, a state, or neither."""
    words = words_read(rulebook)
    documents = [fact for fact in facts if fact.kind == DOCUMENT] if words else []
    if not documents:
        return
    evaluator = Evaluator(surroundings)
    for fact in documents:
        subject = surroundings.subject(fact)
        found = [(word.field.name, _derived(word, subject, evaluator)) for word in words]
        for name, answer in found:
            fact.values.pop(name, None)
            fact.values.pop(state_key(name), None)
            if answer is not None:
                fact.values[state_key(name) if answer in STATES else name] = _FLAGS.get(answer, answer)
        evaluator.reset()


def _derived(word: DerivedWord, subject: Subject, evaluator: Evaluator) -> str | None:
    if word.only_where is not None and evaluator.holds(word.only_where, subject) != YES:
        return None
    for answer, condition in word.cases:
        if evaluator.holds(condition, subject) == YES:
            return answer
    return word.otherwise
