"""What the document says of evidence by rule is what findings hold."""

from __future__ import annotations

from typing import Any

import orjson
from jsonschema import Draft202012Validator

from scrubber.app import create_app
from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.config import Settings
from scrubber.response import claim as response
from scrubber.scrub import Scrubber
from tests.support.service import ROOT

RULES = ROOT / "rules"


def test_the_evidence_of_every_rule_is_documented(shipped: Scrubber) -> None:
    """By the test cases of the rules, of which every rule has one that fires."""
    app = create_app(Settings("127.0.0.1", 0, RULES, None, 1, 1, 10_000_000), shipped)
    document: Any = app.test_client().get("/openapi.json").json
    documented = document["components"]["schemas"]["Evidence"]["x-evidence-by-rule"]
    valid = Draft202012Validator({"$ref": "#/components/schemas/Evidence", "components": document["components"]})
    fired, running = set(), {rule.id for rule in shipped.rulebook.running}
    for case in all_cases(RULES, shipped.rulebook):
        if case.rule not in running:
            continue  # a deprecated rule runs in its own cases alone
        ready = prepare_case(case, shipped, RULES)
        answer = response.to_bytes(ready.scrubber.scrub(ready.claim, ready.received_on))
        for finding in orjson.loads(answer)["findings"]:
            rule, evidence = finding["rule"]["id"], finding["evidence"]
            fired.add(rule)
            assert evidence.keys() <= documented[rule].keys(), rule
            assert valid.is_valid(evidence), rule
    assert fired >= {rule.id for rule in shipped.rulebook.running if rule.status == "active"}
    assert documented.keys() == running


def test_the_evidence_of_an_edit_is_told_in_words(shipped: Scrubber) -> None:
    app = create_app(Settings("127.0.0.1", 0, RULES, None, 1, 1, 10_000_000), shipped)
    document: Any = app.test_client().get("/openapi.json").json
    told = document["components"]["schemas"]["Evidence"]["x-evidence-by-rule"]["cms-ncci-ptp-column-two"]
    assert told["column1"] == "column 1 code of the NCCI edit"
