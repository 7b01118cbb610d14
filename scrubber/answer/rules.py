"""Beside the path: a rule as JSON, in the words of its file, for whoever asks what a finding rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.answer.json import authority, claim_status, reason, x12_place
from scrubber.rulebook.conditions import DAY_WORDS, IN_WORDS
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, Rule
from scrubber.tables import Dated
from scrubber.vocabulary import DECIMAL_PLACES, ELEMENTS, KINDS, Field, Type, state_key

Document = dict[str, Any]

_DAY_WORDS = {op: word for word, op in DAY_WORDS.items()}
_IN_WORDS = {op: word for word, op in IN_WORDS.items()}


def summary(rule: Rule) -> Document:
    """One line of a list of rules."""
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "pack": rule.pack,
        "status": rule.status,
        "severity": rule.severity,
        "stage": rule.stage,
        "category": rule.category,
    }


def document(rule: Rule) -> Document:
    """Everything that the rule's file says; conditions as data, dates in ISO form."""
    fields = KINDS[rule.scope].fields
    return summary(rule) | {
        "file": rule.file,
        "scope": rule.scope,
        "owner": rule.owner,
        "reviewed": rule.reviewed.isoformat(),
        "effective": effective(rule),
        "authority": authority(rule.authority),
        "applies": condition(rule.applies, fields),
        "needs": rule.needs,
        "when": condition(rule.when, fields),
        "bypassed": None if rule.bypassed is None else condition(rule.bypassed, fields),
        "pointsAt": _place(rule.element),
        "message": rule.message,
        "fix": rule.fix,
        "notChecked": rule.not_checked,
        "reason": reason(rule.reason),
        "claimStatus": claim_status(rule.claim_status),
        "atRisk": rule.at_risk,
        "falseAlarms": rule.false_alarms,
        "related": rule.related,
        "supersededBy": rule.superseded_by,
        "backTest": rule.back_test,
    }


def effective(row: Dated) -> Document:
    """First day in force and first day no longer, in ISO form; null = open."""
    return {"from": _iso(row.since), "to": _iso(row.until)}


def condition(tree: Condition, fields: Mapping[str, Field]) -> Document:
    """A condition as a rule file writes it: {all: […]}, {any: […]} or {fact: NAME, OPERATOR: VALUE}."""
    match tree:
        case AllOf(parts):
            return {"all": [condition(part, fields) for part in parts]}
        case AnyOf(parts):
            return {"any": [condition(part, fields) for part in parts]}
        case Has(fact, op, values):
            return {"fact": fact, op: values}
        case InList(fact, op, name):
            return {"fact": fact, _IN_WORDS[op]: name}
        case Compare(fact, op, value):
            return _comparison(fact, op, value, fields)


def _comparison(fact: str, op: str, value: str | int | bool, fields: Mapping[str, Field]) -> Document:
    field = fields.get(fact)
    if field is None:  # a state: `tbsValue?` holds why tbsValue has no value
        name = next(name for name in fields if state_key(name) == fact)
        return {"fact": name, op: value}
    word = _DAY_WORDS[op] if field.type is Type.DAY and op in _DAY_WORDS else op
    return {"fact": fact, word: _written(value, field.type)}


def _written(value: str | int | bool, kind: Type) -> str:
    """A constant as the rule file writes it, out of cents, millionths and day ordinals."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
    match kind:
        case Type.DAY:
            return date.fromordinal(value).isoformat()
        case Type.AMOUNT:
            return f"{Decimal(value).scaleb(-2):.2f}"
        case Type.DECIMAL:
            return f"{Decimal(value).scaleb(-DECIMAL_PLACES).normalize():f}"
    return str(value)


def _place(element: str) -> Document:
    return {"element": element, "x12": x12_place(element), "box": ELEMENTS[element].box}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
