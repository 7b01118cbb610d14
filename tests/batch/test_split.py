"""An upload cut into rows: nothing is lost, nothing is read twice, whatever the pieces that it comes in."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.batch.model import ROWS_A_CHUNK
from scrubber.batch.split import cut_lines, lines_of_array, rows_of, unpacked
from scrubber.errors import NotABatch

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9**9) | st.text(max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=4), parts, max_size=3),
    max_leaves=12,
)


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=12), st.integers(1, 40))
def test_every_line_that_is_not_blank_is_a_row_with_its_line_number(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    cut = cut_lines(in_pieces(data, size), 1_000)
    found = [row for chunk in cut.chunks for row in rows_of(chunk, data[chunk.start : chunk.stop])]
    assert found == [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    assert cut.rows == len(found)


def test_a_chunk_has_so_many_rows() -> None:
    cut = cut_lines([b"{}\n" * (2 * ROWS_A_CHUNK + 1)], 1_000)
    assert [chunk.rows for chunk in cut.chunks] == [ROWS_A_CHUNK, ROWS_A_CHUNK, 1]
    assert [chunk.number for chunk in cut.chunks] == [0, 1, 2]


@pytest.mark.parametrize("size", [7, 1_000, 10_000_000])
def test_a_chunk_has_fewer_rows_where_they_have_many_service_lines(size: int) -> None:
    """Findings of a thousand lines may take twenty megabytes, and those of a chunk are in memory together."""
    usual, long = b'{"lines":[%b]}\n' % b",".join([b"{}"] * 30), b'{"lines":[%b]}\n' % b",".join([b"{}"] * 999)
    cut = cut_lines(in_pieces(usual * 2 * ROWS_A_CHUNK + long * 9 + usual * 3, size), 1_000_000)
    assert [chunk.rows for chunk in cut.chunks] == [ROWS_A_CHUNK, ROWS_A_CHUNK, 4, 4, 4]


def test_a_row_that_is_too_large_is_not_read() -> None:
    data = b"{}\n" + b"x" * 200 + b"\n{}\n"
    cut = cut_lines([data], 100)
    found = [row for chunk in cut.chunks for row in rows_of(chunk, data[chunk.start : chunk.stop])]
    assert found == [(1, b"{}"), (2, None), (3, b"{}")]


@given(st.lists(VALUES, max_size=6), st.integers(1, 50), st.sampled_from([None, 1]), st.booleans())
def test_elements_of_an_array_become_lines(values: list[object], size: int, indent: int | None, ascii_: bool) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_).encode()
    *lines, rest = b"".join(lines_of_array(in_pieces(data, size))).split(b"\n")
    assert [json.loads(line) for line in lines] == values
    assert rest == b""


@pytest.mark.parametrize("size", [1, 2, 100])
def test_space_and_a_mark_before_an_array_are_passed_over(size: int) -> None:
    data = b"\xef\xbb\xbf \r\n" + b" " * 300 + b"[{}, 1]"
    assert b"".join(lines_of_array(in_pieces(data, size))).split() == [b"{}", b"1"]


def test_space_before_an_array_is_not_gathered() -> None:
    """A megabyte of gzip may be a gigabyte of it; its worker held all of that, and copied it again and again."""
    tracemalloc.start()
    assert b"".join(lines_of_array([*[b" " * 100_000] * 300, b"[{}]"])).strip() == b"{}"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def test_a_line_break_in_a_string_makes_json_of_nothing() -> None:
    """It would be none on a line of its own, either."""
    lines = b"".join(lines_of_array([b'[{"a": "x\ny"},\n{\n"a":\r\n1}]']))
    first, second = lines.removesuffix(b"\n").split(b"\n")
    assert orjson.loads(second) == {"a": 1}
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(first)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"claimInformation": {}}', "must begin with ["),
        (b"", "ends within"),
        (b"[{}", "ends within its array, in element 1"),
        (b'[{}, {"a": "b', "in element 2"),
        (b"[{},]", "element 2 of the array is empty"),
        (b"[,{}]", "element 1 of the array is empty"),
        (b"[{}] []", "goes on after the end"),
        (b"[{}}]", "closes what it did not open"),
        (b"[1," + b"[" * 10_001, "element 2 of the array has more than 10,000 levels"),
        (b"[1" + b",1" * 1_000_000 + b"]", "more than 1,000,000 rows"),
    ],
)
def test_what_is_no_array_is_told(data: bytes, words: str) -> None:
    for size in (1, 100) if len(data) < 100 else (100_000,):
        with pytest.raises(NotABatch) as told:
            list(lines_of_array(in_pieces(data, size)))
        assert words in str(told.value)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3), st.integers(1, 60))
def test_gzip_of_several_members_is_unpacked(members: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, members))
    assert b"".join(unpacked(in_pieces(packed, size), 10_000)) == b"".join(members)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"xx" + data, lambda data: data + b"junk"])
def test_damaged_gzip_is_told(damage: object) -> None:
    packed = gzip.compress(orjson.dumps(list(range(1000))))
    with pytest.raises(NotABatch, match="gzip"):
        list(unpacked([damage(packed)], 10_000))  # type: ignore[operator]


def test_a_gzip_bomb_stops_at_the_limit() -> None:
    packed = gzip.compress(b"0" * 10_000_000)
    sizes: list[int] = []
    with pytest.raises(NotABatch, match="more than 2,000,000 bytes"):
        sizes.extend(map(len, unpacked([packed], 2_000_000)))
    assert sum(sizes) <= 2_000_000
