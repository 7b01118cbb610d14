from __future__ import annotations

import itertools
import random

import pytest

from scrubber.claim.x12.segments import LONGEST_SEGMENT, Delimiters, byte_of, read_blocks
from scrubber.errors import NotX12
from tests.support.x12 import (
    BODY,
    claims,
    envelope,
    faults,
    in_group,
    in_interchange,
    in_set,
    isa,
    ordinal,
    outcome,
    plain,
    refusal,
    written,
)

FILE = in_interchange(in_group(in_set()))


def segments(data: bytes, chunk: int = 1 << 14) -> list[list[str]]:
    return [segment for block in read_blocks([data], chunk) for segment in block.segments]


def without_delimiters(data: bytes) -> list[object]:
    """The trees of all claims and their faults."""
    return [plain(claim)[4:] for claim in claims(data)]


def trees(data: bytes) -> list[object]:
    return [plain(claim)[4] for claim in claims(data)]


PLAIN = without_delimiters(envelope())


@pytest.mark.parametrize("end", ["~", "~\n", "~\r\n", "\n", "\r", "\r\n", "~ ", "~\n\n", "~\n    ", "\x1c"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_breaks_and_blanks_behind_segments_change_nothing(end: str, mark: bytes) -> None:
    assert without_delimiters(mark + written(FILE, end=end)) == PLAIN


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_its_byte_order_mark_and_without(encoding: str) -> None:
    assert without_delimiters(envelope().decode().encode(encoding)) == PLAIN


@pytest.mark.parametrize("padding", [b"\n", b"\r\n\r\n", b"   ", b"\0\0", b"\x1a", b"\t \n\0\x1a"])
def test_padding_around_interchanges_changes_nothing(padding: bytes) -> None:
    second = written(in_interchange(in_group(in_set()), number="000000002"))
    padded = padding + envelope() + padding + second + padding * 999
    assert outcome([padded]) == outcome([envelope() + second])
    assert len(claims(padded)) == 4


def test_segment_ids_in_lower_case_are_read() -> None:
    lower = "\n".join(line[:3].lower() + line[3:] for line in FILE.split("\n"))
    assert without_delimiters(written(lower)) == PLAIN


@pytest.mark.parametrize(
    ("element", "component", "end", "repetition"),
    [
        ("|", "<", "~\n", "^"), ("~", "^", "_", "`"), ("+", "\\", "\n", "!"), ("\x1d", "\x1f", "\x1c", "\x1e"),
        ("\t", ":", "\r\n", "^"), ("*", ">", "'", ";"),
    ],
)  # fmt: skip
def test_every_interchange_has_its_own_delimiters(element: str, component: str, end: str, repetition: str) -> None:
    first = written(FILE, element, component, end, repetition)
    second = written(in_interchange(in_group(in_set()), number="000000002"))
    read = claims(first + second)
    assert read[0].delimiters == Delimiters(element, repetition, component, end[:1])
    assert read[2].delimiters == Delimiters("*", "^", ":", "~")
    assert [claim.claim.segments[0][1] for claim in read] == ["CLAIM-1", "CLAIM-2", "CLAIM-1", "CLAIM-2"]
    line = read[0].claim.loops[4].segments[1]
    assert line[:3] == ["SV1", f"HC{component}J0897", "200.00"]
    assert not any(claim.faults for claim in read)


@pytest.mark.parametrize(
    ("isa11", "version", "repetition"), [("U", "00501", ""), ("^", "00401", ""), (" ", "00501", "")]
)
def test_isa11_is_no_separator_where_it_cannot_be(isa11: str, version: str, repetition: str) -> None:
    header = isa().replace("*^*00501*", f"*{isa11}*{version}*")
    (block, *_) = read_blocks([written(header)])
    assert block.delimiters.repetition == repetition


def test_lines_of_80_characters_are_put_together_and_told() -> None:
    wrapped = envelope().replace(b"~\n", b"~")
    lines = b"\r\n".join(wrapped[at : at + 80] for at in range(0, len(wrapped), 80))
    assert trees(lines) == trees(envelope())
    words = {fault[0] for fault in faults(lines)}
    assert words == {"line-break"}


def test_what_is_wrong_with_the_writing_of_a_segment_is_told_with_its_claim() -> None:
    body = BODY.replace("SYNTHETIC NOTE", "SYNTHETIC\0NOTE").replace("SV1*HC:99213", "SV1*HC\r:99213")
    assert faults(envelope(body)) == [
        ("control-character", ordinal("NTE"), "NTE", ""),
        ("line-break", ordinal("SV1*HC:99213"), "SV1", ""),
    ]


def test_a_segment_that_is_not_utf_8_is_read_as_windows_1252() -> None:
    body = BODY.replace("TESTER*DANA", "TESTER*DÁNA")
    data = envelope(body).decode().encode("cp1252")
    _, claim = claims(data)
    assert claim.patient is not None
    assert claim.patient.loops[0].segments[0][4] == "DÁNA"
    assert claim.faults == [("encoding", ordinal("NM1*QC"), "NM1", "")]
    assert claims(envelope(body))[1].faults == []


def test_a_last_iea_without_its_terminator_is_read_and_anything_else_is_cut_off() -> None:
    data = envelope().rstrip(b"~\n")
    assert faults(data) == []
    assert without_delimiters(data) == PLAIN
    cut = data[: data.index(b"~\nIEA*")]
    count = len(FILE.split("\n"))
    assert faults(cut) == [("cut-off", count - 1, "", ""), ("cut-off", 2, "GS", ""), ("cut-off", 1, "ISA", "")]


def test_chunks_and_pieces_of_any_size_give_the_same() -> None:
    chance = random.Random(7)
    data = b"\xef\xbb\xbf" + envelope() + b"\n" + written(in_interchange(in_group(in_set())), "|", ">", "'\r\n")
    whole = segments(data)
    for chunk in (1, 2, 3, 5, 7, 50, 105, 106, 107, 108, 109, 1000):
        assert segments(data, chunk) == whole, chunk
    for _ in range(50):
        cuts = sorted(chance.choices(range(len(data)), k=chance.randrange(20)))
        pieces = [data[start:end] for start, end in itertools.pairwise([0, *cuts, len(data)])]
        assert outcome(pieces) == outcome([data])


def test_the_byte_of_a_segment_is_known() -> None:
    body = BODY.replace("TESTER*DANA", "TESTER*DÁNA")
    text = "\n" + envelope(body).decode()
    for encoding, mark in (("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")):
        data = mark + text.encode(encoding)
        for block in read_blocks([data], 200):
            for index, segment in enumerate(block.segments):
                assert data[byte_of(block, index) :].decode(encoding).startswith("*".join(segment) + "~")


ISA = isa()


@pytest.mark.parametrize(
    ("header", "word", "reason"),
    [
        (ISA.replace("SENDER ", "SENDER"), "isa-length", "ISA06 has 15 of them, here it has 14"),
        (ISA.replace("SENDER ", "SENDER  "), "isa-length", "ISA06 has 15 of them, here it has 16"),
        (" ".join(ISA.split()), "isa-length", "ISA02 has 10 of them, here it has 1"),
        (ISA[:-1], "isa-delimiters", "no letters"),
        (ISA + ":", "isa-delimiters", "must differ"),
        (ISA[:-1] + "A", "isa-delimiters", "no letters"),
        (ISA[:-1] + " ", "isa-delimiters", "no letters"),
        (ISA[:-1] + "*", "isa-delimiters", "must differ"),
        (ISA[:-1] + "^", "isa-delimiters", "must differ"),
        (ISA[:40], "isa-length", "ISA06"),
    ],
)
def test_an_isa_that_does_not_say_what_the_delimiters_are_is_refused(header: str, word: str, reason: str) -> None:
    refused = refusal(written("\n".join((header, *FILE.split("\n")[1:])), end="~"))
    assert (refused.word, refused.byte, refused.segment) == (word, 0, 1)
    assert reason in refused.reason


def test_an_empty_isa16_is_not_taken_for_the_terminator() -> None:
    refused = refusal(written("\n".join((ISA[:-1], *FILE.split("\n")[1:]))))
    assert (refused.word, refused.reason) == ("isa-delimiters", "ISA16, the component separator, is empty")


def test_a_file_that_ends_in_isa_is_refused() -> None:
    refused = refusal(written(ISA)[:90])
    assert (refused.word, refused.reason) == ("isa-cut-off", "ISA ends after 90 of its 106 characters")


def test_an_isa_that_cannot_be_read_stops_the_file_behind_what_was_read() -> None:
    good = envelope()
    bad = written(in_interchange(in_group(in_set()), number="00000002"))
    read = outcome([good + bad])
    assert read[:-1] == outcome([good])
    count = len(FILE.split("\n"))
    assert read[-1][:2] == ("NotX12", "isa-length")
    assert read[-1][3:] == (len(good), count + 1)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\0\x1a" * 1000, b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_is_refused(data: bytes) -> None:
    assert refusal(data).word == "empty"


def test_a_segment_that_is_too_long_is_refused_and_not_kept() -> None:
    taken = 0

    def pieces() -> object:
        nonlocal taken
        yield written(in_interchange(in_group(in_set()))[:-20])
        for _ in range(100):
            taken += 1
            yield b"A" * 1_000_000

    with pytest.raises(NotX12, match=f"longer than {LONGEST_SEGMENT:,} bytes") as refused:
        list(read_blocks(pieces()))  # type: ignore[arg-type]
    assert refused.value.word == "segment-too-long"
    assert taken == 1


@pytest.mark.parametrize("chunk", [1 << 12, 1 << 14, 1 << 17, 1 << 20])
@pytest.mark.parametrize("over", [0, 1])
def test_how_long_a_segment_may_be_does_not_depend_on_chunks(chunk: int, over: int) -> None:
    note = "NTE*ADD*"
    long = note + "é" * ((LONGEST_SEGMENT - len(note)) // 2) + "A" * over
    data = written("\n".join((isa(), "GS", long, "ST", "IEA")), end="~")
    read: list[list[str]] = []

    def take() -> None:
        for block in read_blocks([data], chunk):
            read.extend(block.segments)

    if not over:
        take()
        assert len(read) == 5
        assert read[2][2] == long[len(note) :]
        return
    with pytest.raises(NotX12) as refused:
        take()
    assert (refused.value.word, refused.value.segment, refused.value.byte) == ("segment-too-long", 3, 109)
    assert len(read) == 2
