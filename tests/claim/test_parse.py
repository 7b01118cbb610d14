from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.claim import parse_json
from scrubber.errors import NotJson
from tests.support.bodies import CANARY


def test_json_parses_and_the_last_of_repeated_keys_wins() -> None:
    assert parse_json(b'{"a": 1, "a": [true, null, "\\u00e9", 1.5]}') == {"a": [True, None, "é", 1.5]}


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", (0, 1, 1)),
        (b'{"a": NaN}', (6, 1, 7)),
        (b'{"a": Infinity}', (6, 1, 7)),
        (b'{"a": -Infinity}', (7, 1, 8)),
        (b'{\n  "a": 1\n  "b": 2}', (13, 3, 3)),
        ('{"é": x}'.encode(), (7, 1, 7)),
        (b'{"a": "\xff"}', (7, 1, 8)),
        (b'{"a": 1', (7, 1, 8)),
        (b"\xef\xbb\xbf[x]", (4, 1, 5)),
    ],
)
def test_the_place_of_a_fault_is_told(data: bytes, place: tuple[int, int, int]) -> None:
    with pytest.raises(NotJson) as error:
        parse_json(data)
    assert (error.value.byte, error.value.line, error.value.column) == place


@pytest.mark.parametrize(
    "data", [b'"\\ud800"', b"[" * 100_000, b'{"a":' * 5_000, b"1" * 1_000_000, b"1e999", b"[1,]", b"'a'"]
)
def test_what_a_parser_may_choke_on_is_refused(data: bytes) -> None:
    with pytest.raises(NotJson):
        parse_json(data)


def test_a_refusal_holds_nothing_of_the_body() -> None:
    with pytest.raises(NotJson) as error:
        parse_json(b'{"name": "' + CANARY.encode() + b'", }')
    assert CANARY not in str(error.value)
    assert error.value.__context__ is None
    assert error.value.__cause__ is None


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    try:
        parse_json(data)
    except NotJson as refusal:
        error = refusal
    else:
        return
    assert 0 <= error.byte <= len(data)
    assert error.line >= 1
    assert error.column >= 1
