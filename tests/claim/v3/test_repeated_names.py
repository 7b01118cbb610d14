"""Names that repeat in one object of a body are told, whatever way the body is written; others never are."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.claim import parse_json, read_claim, read_v3
from scrubber.claim.v3.repeated_names import CHANGE, repeated_names
from scrubber.errors import NotAClaim, Problem
from tests.support.bodies import CANARY, JSON
from tests.support.claims import office_claim

CI = "/claimInformation"


def told(data: bytes) -> list[str]:
    return [found.pointer for found in repeated_names(data, parse_json(data))]


def test_the_last_of_repeated_names_is_read_and_told() -> None:
    text = json.dumps(office_claim()).replace(
        '"procedureCode": "93000"', '"procedureCode": "1", "procedureCode": "93000"'
    )
    claim = read_claim(text.encode())
    assert claim.lines == read_v3(office_claim()).lines
    pointer = f"{CI}/serviceLines/1/professionalService/procedureCode"
    assert [(found.pointer, found.change) for found in claim.normalised] == [(pointer, CHANGE)]


@pytest.mark.parametrize(
    ("data", "pointers"),
    [
        (b'{"a":1,"a":2}', ["/a"]),
        (b'{"a" : 1,"a"\t\n:2}', ["/a"]),
        (b'{"a"  :1,"b":1,"b":2}', ["/b"]),
        (b'{"a":"\\u0022:","b":1,"b":2}', ["/b"]),
        (b'{"a":{"b":[{"c":1,"c":1}]},"d":1,"d":1}', ["/d", "/a/b/0/c"]),
        (b'{"a":{"x":1,"x":2},"a":{"x":3}}', ["/a"]),
        (b'{"\\u0061":1,"a":2}', ["/a"]),
        (b'{"Terry Testerson":1,"Terry Testerson":2}', ["/(unreadable name)"]),
        (b'\xef\xbb\xbf{"a":1e400000,"a":2}'.replace(b"e400000", b"e3"), ["/a"]),
        (b'{"a":123456789012345678901234567890,"a":2}', ["/a"]),
        (b'{"a":"\\":\\":","b\\\\":1}', []),
        (b'{"a" : "x : y", "b" :\r\n[1.50, {"c": null}]}', []),
        (b'{"a":"\\u0022:"}', []),
        (b"[]", []),
    ],
)
def test_where_names_repeat(data: bytes, pointers: list[str]) -> None:
    assert told(data) == pointers


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_no_body_without_repeated_names_is_told_of_any(body: dict[str, Any], indent: Any, plain: bool) -> None:
    data = json.dumps(body, indent=indent, ensure_ascii=plain).encode(errors="replace")
    assert told(data) == []


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=4), st.booleans(), st.data())
def test_any_repeated_name_is_found(body: dict[str, Any], spaced: bool, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(body)))
    again = json.dumps({name: data.draw(JSON)}, separators=(", ", " : ") if spaced else None)
    text = json.dumps(body, indent=data.draw(st.sampled_from([None, 2])))
    assert told(f"{text[:-1]},{again[1:]}".encode()) != []


def test_what_is_told_holds_no_value_and_is_bounded() -> None:
    names = ",".join(f'"n{number}":1,"n{number}":2' for number in range(500))
    data = f'{{"claimInformation":{{"serviceLines":[{{}}]}},"{CANARY} 1":1,"{CANARY} 1":"{CANARY}",{names}}}'.encode()
    found = read_claim(data).normalised
    assert len(found) == 200
    assert CANARY not in repr(found)


@pytest.mark.parametrize("nested", [b'{"a":%b}', b"[%b]", b'[{"b":1,"b":2},%b]'])
@pytest.mark.parametrize("name", ["colour", "claimNote", "NPI", "procedureModifers"])
def test_bodies_are_read_up_to_a_depth_and_refused_beyond(nested: bytes, name: str) -> None:
    """A name that is unknown, one that is not read, a synonym, a misspelling: each is looked into on its own way."""
    for levels in (240, 260, 480, 900, 1_000):
        deep = b"1"
        for _ in range(levels):
            deep = nested.replace(b"%b", deep)
        claim = office_claim()
        for place in (claim, claim["claimInformation"], claim["providers"][0]):
            place[name] = "DEEP"
        data = orjson.dumps(claim).replace(b'"DEEP"', deep)
        if levels == 240:
            assert read_claim(data).lines
            continue
        with pytest.raises(NotAClaim) as refusal:
            read_claim(data)
        assert refusal.value.problems == (Problem("", "must be nested at most 254 levels deep"),)
