"""An explanation as JSON; its keys are promised to callers."""

from __future__ import annotations

from typing import Any

import orjson

from scrubber.explain.model import Candidate, Explanation, FactExplained, Leaf, Lookup, Node, RuleExplained
from scrubber.response.catalog import effective, summary
from scrubber.response.claim import day, one_finding, switched, versions

Document = dict[str, Any]


def to_bytes(explanation: Explanation) -> bytes:
    """The explanation as compact JSON; the same claim, question and versions give the same bytes."""
    return orjson.dumps(document(explanation))


def document(explanation: Explanation) -> Document:
    """The explanation as plain dicts, lists and texts, ready for JSON."""
    payer = explanation.payer
    return {
        "rules": [_rule(rule) for rule in explanation.rules],
        "leftOff": explanation.left_off,
        "unexplainedNotChecked": explanation.unchecked,
        "payer": {
            "name": payer.name,
            "lineOfBusiness": payer.line_of_business,
            "plan": payer.plan,
            "contractor": payer.contractor,
            "day": explanation.day.isoformat(),
            "lookups": [_lookup(lookup) for lookup in explanation.payer_lookups],
        },
        "versions": versions(explanation.versions),
        "receivedOn": day(explanation.received_on),
        **switched(explanation.switches),
    }


def _rule(told: RuleExplained) -> Document:
    return {
        "rule": summary(told.rule) | {"file": told.rule.file},
        "outcome": told.outcome,
        "because": told.because,
        "effect": told.effect,
        "effective": effective(told.rule),
        "adoption": {
            "adopted": told.adoption.adopted,
            "because": told.adoption.because,
            "rows": [_candidate(row) for row in told.adoption.rows],
        },
        "facts": [_fact(fact) for fact in told.facts],
        "noFact": told.nothing,
        "leftOff": told.left_off,
    }


def _fact(told: FactExplained) -> Document:
    return {
        "kind": told.kind,
        "about": told.about,
        "lines": told.lines,
        "relatedLines": told.related,
        "outcome": told.outcome,
        "because": told.because,
        "conditions": [{"part": part.name, **_node(part.node)} for part in told.parts],
        "lookups": [_lookup(lookup) for lookup in told.lookups],
        "competing": [_candidate(row) for row in told.competing],
        "missing": [{"name": name, "settledBy": settled_by} for name, settled_by in told.missing],
        "finding": told.finding and one_finding(told.finding),
    }


def _node(node: Node) -> Document:
    if not isinstance(node, Leaf):
        return {"verdict": node.verdict, node.word: [_node(part) for part in node.parts]}
    told: Document = {"verdict": node.verdict, "fact": node.fact, "about": node.about, "value": node.value}
    return told | ({"state": node.state} if node.state else {}) | {"asked": node.asked}


def _lookup(lookup: Lookup) -> Document:
    return {
        "table": lookup.table,
        "says": lookup.says,
        "row": dict(lookup.row),
        "place": lookup.place,
        "release": lookup.release,
        "standing": lookup.standing,
    }


def _candidate(row: Candidate) -> Document:
    return row._asdict()
