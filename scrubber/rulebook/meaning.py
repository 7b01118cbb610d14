"""Beside the path: what a rule means, as one hash: a back-test of a rule speaks of it only while it means the same."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, Rule


def meaning(rule: Rule) -> str:
    """SHA-256 (`sha256:…`) over scope, applies, needs, when, severity and effective dates, as they are typed.

    Texts, order of codes, layout, version and status leave it as it is.
    """
    told = {
        "scope": rule.scope,
        "applies": _told(rule.applies),
        "needs": sorted(rule.needs),
        "when": _told(rule.when),
        "severity": rule.severity,
        "effective": [_iso(rule.since), _iso(rule.until)],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _told(condition: Condition) -> list[Any]:
    match condition:
        case AllOf(parts):
            return ["all", *map(_told, parts)]
        case AnyOf(parts):
            return ["any", *map(_told, parts)]
        case Has(fact, op, values):
            return ["has", fact, op, sorted(values)]
        case InList(fact, op, name):
            return ["in-list", fact, op, name]
        case Compare(fact, op, value):
            return ["compare", fact, op, value]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
