"""Bodies packed by gzip: read as if they were not, within bounds; what is none, or not whole, is refused and told."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from scrubber.app import create_app
from scrubber.claim.unpack import unpacked
from scrubber.config import Settings
from scrubber.errors import BadGzip
from tests.support.batches import ndjson
from tests.support.claims import tbs_claim
from tests.support.responses import json_of
from tests.support.service import JSON, write_rules

SCRUB, EXPLAIN, BATCHES = "/v1/claims/scrub", "/v1/claims/explain", "/v1/batches"
MOST = 100_000
CLAIM = orjson.dumps(tbs_claim())
PACKED = gzip.compress(CLAIM, mtime=0)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, state: Path) -> Flask:
    rules = write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))
    return create_app(Settings("127.0.0.1", 0, rules, None, 1, 1, MOST, state=state, max_batch_bytes=MOST))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def post(client: FlaskClient, body: bytes, route: str = SCRUB, encoding: str = "gzip") -> Any:
    return client.post(route, data=body, headers=JSON | {"Content-Encoding": encoding})


def damaged(packed: bytes) -> bytes:
    """With another checksum."""
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


@pytest.mark.parametrize("route", [SCRUB, EXPLAIN])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda body: gzip.compress(body[:100]) + gzip.compress(b"") + gzip.compress(body[100:]),
        lambda body: gzip.compress(body) + bytes(300),
    ],
)
def test_a_packed_claim_is_answered_like_a_plain_one(
    client: FlaskClient, route: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = client.post(route, data=CLAIM, headers=JSON)
    packed = post(client, pack(CLAIM), route, encoding)
    assert (packed.status_code, packed.data) == (200, plain.data)


REFUSED = [
    (PACKED[:-1], 400, "ends in the middle of its gzip"),
    (PACKED[:-8], 400, "ends in the middle of its gzip"),
    (PACKED[:100], 400, "ends in the middle of its gzip"),
    (PACKED[:1], 400, "ends in the middle of its gzip"),
    (damaged(PACKED), 400, "is gzip that is damaged"),
    (PACKED + b"CANARY", 400, "is gzip with something else behind it"),
    (PACKED + CLAIM, 400, "is gzip with something else behind it"),
    (CLAIM, 400, "is no gzip"),
    (zlib.compress(CLAIM), 400, "is no gzip"),
    (gzip.compress(b" " * (MOST + 1)), 413, f"unpacks to more than {MOST:,} bytes"),
    (gzip.compress(bytes(50_000_000)), 413, f"unpacks to more than {MOST:,} bytes"),
    (gzip.compress(bytes(MOST // 2)) * 3, 413, f"unpacks to more than {MOST:,} bytes"),
]


@pytest.mark.parametrize(("body", "status", "words"), REFUSED)
@pytest.mark.parametrize("route", [SCRUB, EXPLAIN, BATCHES])
def test_what_is_not_whole_or_too_large_is_refused(
    client: FlaskClient, state: Path, route: str, body: bytes, status: int, words: str
) -> None:
    answer = post(client, body, route)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert words in answer.json["detail"]
    assert "CANARY" not in answer.text
    assert json_of(client.get(BATCHES))["batches"] == []
    assert not list(state.glob("batches/*"))


def test_a_claim_as_large_as_may_be_is_read_packed(client: FlaskClient) -> None:
    assert post(client, gzip.compress(CLAIM + b" " * (MOST - len(CLAIM)))).status_code == 200


def test_a_packed_body_is_bounded_as_it_is_sent_too(client: FlaskClient) -> None:
    members = gzip.compress(b"") * (MOST // 10)
    assert post(client, members).status_code == 413


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "CANARY", ""])
@pytest.mark.parametrize("route", [SCRUB, EXPLAIN, BATCHES])
def test_other_encodings_are_refused(client: FlaskClient, route: str, encoding: str) -> None:
    answer = post(client, PACKED, route, encoding)
    assert (answer.status_code, "gzip" in answer.json["detail"]) == (415, True)
    assert "CANARY" not in answer.text


@given(st.lists(st.binary(max_size=99), min_size=1, max_size=3), st.data())
def test_a_gzip_cut_anywhere_is_told(members: list[bytes], data: st.DataObject) -> None:
    """Unless it is cut between two members, where it is whole."""
    packed = [gzip.compress(member) for member in members]
    whole, ends = b"".join(packed), [len(b"".join(packed[:count])) for count in range(len(packed) + 1)]
    cut = data.draw(st.integers(0, len(whole)).filter(lambda place: place not in ends))
    size = data.draw(st.integers(1, 50))
    with pytest.raises(BadGzip, match="ends in the middle"):
        list(unpacked((whole[at : min(at + size, cut)] for at in range(0, cut, size)), 10_000))


@pytest.mark.parametrize("media_type", ["application/gzip", "application/octet-stream", "application/x-ndjson"])
@pytest.mark.parametrize("kept", [1, 2, 3, 10, 11, 60, -9, -8, -1])
def test_a_truncated_batch_is_refused_and_nothing_of_it_kept(
    client: FlaskClient, state: Path, media_type: str, kept: int
) -> None:
    """Also where only its first bytes say that it is packed."""
    answer = client.post(BATCHES, data=gzip.compress(ndjson(9))[:kept], content_type=media_type)
    assert (answer.status_code, json_of(answer)["type"]) == (400, "urn:claim-scrubber:problem:bad-body")
    assert "ends in the middle of its gzip" in json_of(answer)["detail"]
    assert json_of(client.get(BATCHES))["batches"] == []
    assert not list(state.glob("batches/*"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "all blanks"),
        (b" \r\n\t\n", "all blanks"),
        (b"\v\f\n", "all blanks"),
        (b"\xef\xbb\xbf\n", "all blanks"),
        (b"\n" * 99_000, "all blanks"),
        (b"[]", "array of the upload is empty"),
        (b"\xef\xbb\xbf [ \n ] \n", "array of the upload is empty"),
        (b"[" + b" " * 99_000 + b"]", "array of the upload is empty"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda body: gzip.compress(body[:1]) + gzip.compress(body[1:])])
def test_a_batch_of_nothing_is_refused(
    client: FlaskClient, state: Path, pack: Callable[[bytes], bytes], body: bytes, words: str
) -> None:
    answer = client.post(BATCHES, data=pack(body), content_type="application/octet-stream")
    assert (answer.status_code, json_of(answer)["type"]) == (400, "urn:claim-scrubber:problem:no-claims")
    assert words in json_of(answer)["detail"]
    assert not list(state.glob("batches/*"))


def test_a_gzip_behind_blanks_is_refused(client: FlaskClient) -> None:
    answer = client.post(BATCHES, data=b"\n\n" + gzip.compress(ndjson(1)), content_type="application/gzip")
    assert (answer.status_code, "blanks before its gzip" in json_of(answer)["detail"]) == (400, True)
