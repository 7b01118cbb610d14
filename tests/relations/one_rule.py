"""One rule of grammar 2 on one claim, for tests of the semantics: what it says of each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from scrubber.claim import read_v3
from scrubber.findings.finding import ScrubResult
from scrubber.reference import open_reference
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import assemble
from tests.relations.compare import BUSINESSES, RECEIVED, product_outcomes
from tests.relations.random_rules import random_tables, write_pack
from tests.support.claims import Body, office_claim
from tests.support.rule_folders import PAYERS, put


def write_rules(folder: Path, *rules: Mapping[str, Any]) -> Path:
    """A folder with these rules of lines, and the tables of random rules."""
    put(folder, "payers/pack.yaml", PAYERS)
    put(folder, "payers/tables/filing-indicators.csv", BUSINESSES)
    write_pack(folder, [{"scope": "line", **rule} for rule in rules], random_tables(Random(1)))
    return folder


def outcomes(folder: Path, rule: Mapping[str, Any], body: Body) -> list[str]:
    """What a rule says of each line: fires, not checked or silent."""
    scrubber = assemble(load_rulebook(write_rules(folder, rule)), open_reference(None))
    claim = read_v3(body)
    found = product_outcomes(scrubber.scrub(claim, RECEIVED))
    return [found.get(("random-0000", line.number), "silent") for line in claim.lines]


def claim_fires(folder: Path, rule: Mapping[str, Any], body: Body) -> bool:
    """Whether a rule of the claim as a whole fires."""
    return ("random-0000", None) in product_outcomes(scrubbed(folder, rule, body))


def scrubbed(folder: Path, rule: Mapping[str, Any], body: Body) -> ScrubResult:
    """The answer to a claim by a rule alone."""
    return assemble(load_rulebook(write_rules(folder, rule)), open_reference(None)).scrub(read_v3(body), RECEIVED)


def claim_of(*lines: Mapping[str, Any], history: Sequence[Mapping[str, Any]] | None = None, **context: Any) -> Body:
    """A claim with lines of these days, codes, units and charges, and with this history."""
    body = office_claim()
    template = body["claimInformation"]["serviceLines"][0]
    body["claimInformation"]["serviceLines"] = [
        {
            "serviceDate": each.get("day", "20250312"),
            "professionalService": {
                **template["professionalService"],
                "procedureCode": each.get("code", "99213"),
                "serviceUnitCount": each.get("units", "1"),
                "lineItemChargeAmount": each.get("charge", "10.00"),
            },
        }
        for each in lines
    ]
    body["scrubContext"] = {"receivedOn": "20250705", **context} | ({} if history is None else {"history": [*history]})
    return body
