"""Files that no sender should write: never a crash, a hang or growth without bound, and no value in any message."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubber.claim.x12 import ClaimLoops, Loop, read_loops
from scrubber.claim.x12.segments import read_blocks
from scrubber.errors import NotX12
from tests.fuzz.x12 import read_all
from tests.support.x12 import (
    BODY,
    CANARY,
    claims,
    envelope,
    in_group,
    in_interchange,
    in_set,
    isa,
    outcome,
    plain,
    written,
)

DATA = envelope()
WHOLE = [plain(claim) for claim in claims(DATA)]


def read(data: bytes) -> list[Any]:
    """What is read; a refusal has a place, and neither it nor a fault has a value of the file."""
    found = outcome([data])
    for item in found:
        if item[0] == "NotX12":
            assert 0 <= item[3] <= len(data)
            assert item[4] >= 0
            assert CANARY not in item[2]
        assert CANARY not in str(item[-1])
    return found


def test_a_file_that_ends_anywhere_gives_no_claim_that_looks_whole_and_is_not() -> None:
    for end in range(len(DATA)):
        found = read(DATA[:end])
        for item in found:
            if isinstance(item[0], int) and not item[-1]:
                assert item in WHOLE, end
        last = found[-1]
        assert last[0] == "NotX12" or last[-1] or end >= len(DATA) - 2, end


def test_a_byte_that_is_another_stops_nothing_behind_the_next_header() -> None:
    sound = written(in_interchange(in_group(in_set()), number="000000002"))
    headers = DATA.index(b"BHT")
    for at, other in zip(range(0, len(DATA), 3), itertools.cycle(b"~*:\n\0\xff^A "), strict=False):
        damaged = DATA[:at] + bytes([other]) + DATA[at + 1 :]
        read(damaged)
        if headers < at < len(DATA) - 60:
            last = claims(damaged + sound)[-1]
            assert (last.claim.segments[0][1], last.faults) == ("CLAIM-2", [])


@pytest.mark.parametrize("pair", list(itertools.permutations("*:~", 2)))
def test_delimiters_that_are_exchanged_behind_isa_only_are_refused_or_told(pair: tuple[str, str]) -> None:
    one, other = pair
    text = DATA.decode()
    exchanged = text.translate({ord(one): other, ord(other): one})
    assert [claim.faults for claim in claims(exchanged.encode())] == [[], []]
    for data in (text[:106] + exchanged[106:], exchanged[:106] + text[106:]):
        found = read(data.encode())
        assert any(item[0] == "NotX12" or item[-1] for item in found)


def test_every_element_of_the_envelope_may_be_anything() -> None:
    lines = in_interchange(in_group(in_set())).split("\n")
    for at in (1, 2, len(lines) - 3, len(lines) - 2, len(lines) - 1):
        elements = lines[at].split("*")
        for number in range(len(elements)):
            for value in (CANARY, "", "-1", "9" * 300, "٣", "1e3"):
                damaged = "*".join((*elements[:number], value, *elements[number + 1 :]))
                read(written("\n".join((*lines[:at], damaged, *lines[at + 1 :]))))


@pytest.mark.parametrize("at", range(1, 17))
def test_an_isa_with_another_value_is_read_or_refused(at: int) -> None:
    elements = isa().split("*")
    value = (CANARY * 3)[: len(elements[at])]
    header = "*".join((*elements[:at], value, *elements[at + 1 :]))
    read(written("\n".join((header, *in_interchange(in_group(in_set())).split("\n")[1:]))))


def repeated(text: bytes, count: int) -> Iterator[bytes]:
    """Many copies, in pieces of a hundred."""
    for _ in range(count // 100):
        yield text * 100


HEAD = written("\n".join(in_interchange(in_group(in_set())).split("\n")[:30]))  # in the middle of a claim


@pytest.mark.parametrize(
    ("segments", "most"),
    [
        *(
            (segments, 3_000_000)
            for segments in (
                "NM1*ZZ*1*A", "CLM*1*1", "HL*2*1*22*1", "ST*837*1*005010X222A1", "ST*835*1", "IEA*1*1",
                in_interchange(in_group(in_set("HL*1**20*1\nCLM*1*1"))),
            )
        ),
        *(
            (segments, 14_000_000)  # a claim's segments up to the bound
            for segments in (
                "NM1*82*1*A", "LX*1\nSV1*HC:99213*1*UN*1\nSVD*A*1\nLQ*UT*1\nNM1*82*1*A\nLIN**N4*1",
            )
        ),
    ],
)  # fmt: skip
def test_memory_does_not_grow_with_the_file(segments: str, most: int) -> None:
    """Any segments without end, behind a sound beginning; more than would fit if they were kept."""
    count = (10_000 if most < 10_000_000 else 30_000) // len(segments.split("\n"))
    tracemalloc.start()
    try:
        for _ in read_loops(itertools.chain([HEAD], repeated(written(segments, end="~"), count))):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


@pytest.mark.proof
@pytest.mark.parametrize("segment", ["LX*1", "HL*3*3*23*0", "CLM*1*1", "XYZ"])
def test_ten_million_segments_are_read_in_little_memory(segment: str) -> None:
    program = f"""
import itertools, resource
from scrubber.claim.x12 import read_loops
from tests.claim.x12.test_damaged_files import HEAD, repeated
resource.setrlimit(resource.RLIMIT_DATA, (150_000_000,) * 2)
for _ in read_loops(itertools.chain([HEAD], repeated({segment + "~"!r}.encode(), 10_000_000))):
    pass
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.proof
def test_a_segment_of_100_megabytes_is_refused_in_little_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(NotX12, match="longer than 100,000 bytes"):
            list(read_loops(itertools.chain([HEAD], itertools.repeat(b"X" * 100_000, 1_000))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_claims_of_files_that_end_anywhere_are_read_or_refused() -> None:
    for end in range(100, len(DATA), 13):
        read_all(DATA[:end])


def test_claims_of_files_with_another_byte_are_read_or_refused() -> None:
    for at, other in zip(range(100, len(DATA), 7), itertools.cycle(b"~*:\n\0\xff^A 0-"), strict=False):
        read_all(DATA[:at] + bytes([other]) + DATA[at + 1 :])


def test_a_claim_is_handed_out_before_the_file_has_ended() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield DATA[: DATA.index(b"SE*70")]
        while True:
            taken += 1
            yield b"HL*3*2*23*0~\n" * 1000

    first = next(read_loops(pieces()))
    assert isinstance(first, ClaimLoops)
    assert taken < 10


# What a generator of damage writes: sound text, parts of it, delimiters, and any bytes.
_PARTS = [(line + "~\n").encode() for line in in_interchange(in_group(in_set())).split("\n")]
_DAMAGE = st.lists(
    st.sampled_from(
        [*_PARTS, DATA, b"~", b"*", b":", b"^", b"\n", b"\r\n", b"ISA", b"IEA*", b"\0", b"\x1a", b"\xef\xbb\xbf"]
    )
    | st.binary(max_size=20)
    | st.integers(0, len(DATA)).map(lambda at: DATA[:at])
    | st.integers(0, len(DATA)).map(lambda at: DATA[at:]),
    max_size=12,
).map(b"".join)


def _utf_16(data: bytes) -> bytes:
    return data.decode("latin-1").encode("utf-16")


@given(st.binary(max_size=300) | _DAMAGE | _DAMAGE.map(lambda damage: _PARTS[0] + damage) | _DAMAGE.map(_utf_16))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    read(data)


@given(_DAMAGE.map(lambda damage: _PARTS[0] + damage))
@settings(deadline=None)
def test_claims_of_any_damaged_file_are_read_or_refused(data: bytes) -> None:
    read_all(data)


@given(
    data=_DAMAGE | _DAMAGE.map(lambda damage: _PARTS[0] + damage),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
    chunk=st.integers(1, 300),
)
@settings(deadline=None)
def test_pieces_and_chunks_change_nothing(data: bytes, cuts: list[int], chunk: int) -> None:
    ends = sorted(min(cut, len(data)) for cut in cuts)
    pieces = [data[start:end] for start, end in itertools.pairwise([0, *ends, len(data)])]
    assert outcome(pieces) == outcome([data])
    assert flat(data, chunk) == flat(data, 1 << 20)


def flat(data: bytes, chunk: int) -> tuple[list[object], list[object], str]:
    """Segments and faults of a file with their ordinals, and the refusal."""
    segments: list[object] = []
    faults: list[object] = []
    try:
        for block in read_blocks([data], chunk):
            segments += [(block.first + at, block.delimiters, segment) for at, segment in enumerate(block.segments)]
            faults += [(block.first + at, word) for at, word in block.faults]
    except NotX12 as refused:
        return segments, faults, str(refused)
    return segments, faults, ""


@given(body=st.lists(st.sampled_from(BODY.split("\n")), max_size=80))
@settings(deadline=None)
def test_segments_of_the_guide_in_any_order_are_read_and_none_is_lost_in_silence(body: list[str]) -> None:
    """Each segment behind the first CLM stands in a loop of its claim, or is told of."""
    lines = ["HL*1**20*1", "HL*2*1*22*0", "CLM*CLAIM-0*1", *body]
    items = list(read_loops([envelope("\n".join(lines))]))
    kept: set[int] = set()
    for item in items:
        kept.update(fault.ordinal for fault in item.faults)
        if isinstance(item, ClaimLoops):
            for loop in (item.header, item.billing, item.subscriber, item.patient, item.claim):
                kept.update(ordinals(loop) if loop else ())
    for at, line in enumerate(lines, start=4):
        if at not in kept:
            assert line.split("*")[0] in ("N3", "N4", "REF", "PER", "PRV", "DMG", "HL") or under_a_level(
                lines[: at - 3]
            )


def ordinals(loop: Loop) -> list[int]:
    return loop.ordinals + [at for inner in loop.loops for at in ordinals(inner)]


def under_a_level(lines: list[str]) -> bool:
    """Whether these lines end in a level: it may have no claim, and is then no part of one."""
    return next(line[:2] for line in reversed(lines) if line.startswith(("HL", "CLM"))) == "HL"
