"""What the document says of the types of a claim's body is what the readers of the body do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scrubber.api.schemas.body import TYPES, ScalarTypes
from scrubber.app import create_app
from scrubber.claim.v3.values import IrregularList, IrregularValue, Reader
from scrubber.config import Settings
from tests.support.service import ROOT

Schema = dict[str, Any]
# Of each JSON type what any reader of that type takes: as a code, a date, an amount, a locality, a word.
SAMPLES: dict[str, tuple[object, ...]] = {
    "string": ("1", "20250312", "77092", "10112-00", "par", "payer", "yes", "A"),
    "integer": (1, 20250312),
    "number": (1.5,),
    "boolean": (True, False),
}


def understood(reader: Reader, sample: object) -> bool:
    found = reader(sample)
    if isinstance(found, IrregularValue):
        return found.expected is None
    return not isinstance(found, IrregularList) or all(odd.expected is None for _, odd in found.odd)


def read(reader: Reader, samples: tuple[object, ...]) -> bool:
    return any(understood(reader, sample) for sample in samples)


@pytest.mark.parametrize(("reader", "sent"), TYPES.items(), ids=map(str, range(len(TYPES))))
def test_each_reader_takes_the_types_that_are_documented_and_no_others(reader: Reader, sent: ScalarTypes) -> None:
    taken = {kind for kind, samples in SAMPLES.items() if read(reader, samples)}
    if sent.entries is None:
        assert taken == {sent.type, *sent.also}
        return
    assert taken == set(sent.also)
    assert {kind for kind in taken if read(reader, tuple([sample] for sample in SAMPLES[kind]))} == taken
    assert sent.entries in taken


def test_what_is_documented_first_is_the_form_of_the_model() -> None:
    """What is read without a word of it under `normalised`, in each place."""
    for reader, sent in TYPES.items():
        samples = SAMPLES[sent.entries or sent.type]
        asked = [[sample] for sample in samples] if sent.entries else samples
        assert any(not isinstance(reader(sample), IrregularValue | IrregularList) for sample in asked), reader


def properties(document: Schema, name: str, seen: set[str]) -> Iterator[tuple[str, str, Schema]]:
    """Shape, name and schema of each member of an object of the body and of those in it."""
    if name in seen:
        return
    seen.add(name)
    for member, schema in document["components"]["schemas"][name]["properties"].items():
        yield name, member, schema
        for inner in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
            if "$ref" in inner:
                yield from properties(document, inner["$ref"].rpartition("/")[2], seen)


def test_every_member_of_the_body_has_a_type() -> None:
    app = create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000))
    document: Any = app.test_client().get("/openapi.json").json
    members = list(properties(document, "Body", set()))
    assert len(members) > 100
    assert [(shape, name) for shape, name, schema in members if not {"type", "$ref", "anyOf"} & schema.keys()] == []
    by_name = {(shape, name): schema for shape, name, schema in members}
    assert by_name["Service", "lineItemChargeAmount"]["type"] == ["string", "null"]
    assert by_name["Service", "procedureCode"]["description"].endswith("Other names that are read: cptCode, hcpcsCode")
    assert by_name["Pointers", "diagnosisCodePointers"]["items"] == {"type": "string"}
    assert by_name["Eligibility", "qmb"]["type"] == ["boolean", "null"]
