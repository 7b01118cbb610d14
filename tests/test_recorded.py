"""Answers are byte for byte those that are on record: a part of them here, all of them in the proof."""

from __future__ import annotations

import hashlib

import pytest

from tests.recorded.digests import compare, differences, digest_of, read_digests

SAMPLE = ("answers/own", "answers/rules-03", "answers/generated-misspelt-00", "claims/generated", "requests", "openapi",
          "explanations/rules-01", "rules/lists", "help")  # fmt: skip


def test_a_part_is_answered_as_it_is_on_record() -> None:
    assert {name.split("-")[0] for name in read_digests()} > {"answers/own", "help", "openapi", "requests"}
    assert compare(lambda line: None, *SAMPLE) == []


@pytest.mark.proof
def test_everything_is_answered_as_it_is_on_record_and_every_rule_fires() -> None:
    assert compare(lambda line: None) == []


def test_a_difference_is_named() -> None:
    before = digest_of(iter([("one", b"1"), ("two", b"2"), ("three", b"3")]))
    on_record = before.written(by_item=True)
    assert differences("group", on_record, before) == []
    other = digest_of(iter([("one", b"1"), ("two", b"two"), ("three", b"3")]))
    assert differences("group", on_record, other) == ["group: two"]
    assert differences("group", on_record, digest_of(iter([("one", b"1")]))) == ["group: 3 items before, 1 now"]
    renamed = digest_of(iter([("one", b"1"), ("other", b"2"), ("three", b"3")]))
    assert differences("group", on_record, renamed) == ["group: names of items"]
    assert differences("group", None, before) == ["group: was not recorded before"]
    assert differences("group", before.written(by_item=False), other) == ["group: other claims go in than did"]
    assert before.items[0] == hashlib.sha256(b"1").hexdigest()[:4]
