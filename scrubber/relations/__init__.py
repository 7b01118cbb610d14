"""Answers what rules ask beside the fields of a fact: relations, rows of tables, sums, counts and comparisons."""

from __future__ import annotations

from scrubber.facts.fact import QuestionAnswer
from scrubber.relations.answer import answer_questions

__all__ = ["QuestionAnswer", "answer_questions"]
