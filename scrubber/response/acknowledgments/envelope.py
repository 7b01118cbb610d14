"""The interchange around an acknowledgment: from who received the claims to who sent them, with their delimiters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from scrubber.claim.x12.segments import Delimiters
from scrubber.response.acknowledgments.received import Received, ReceivedClaim, element

Segment = list[str]
COMPONENT = "\x1f"  # between components, until the delimiters are put in
_USUAL = Delimiters("*", "^", ":", "~")


class AcknowledgmentHeader(NamedTuple):
    """What an acknowledgment says of itself: when it is written, its control number, and when the claims came in."""

    moment: datetime
    control_number: int
    received_on: date


class Interchange(NamedTuple):
    """What is answered: the headers of its first interchange and group, and its delimiters."""

    isa: list[str]
    gs: list[str]
    delimiters: Delimiters


def answered(first: Received) -> Interchange:
    """What the answer to a file takes over from the beginning of it."""
    if isinstance(first, ReceivedClaim):
        marks = first.loops.delimiters
        return Interchange(first.loops.isa, first.loops.gs, marks._replace(repetition=marks.repetition or "^"))
    return Interchange([], getattr(first, "group", []), _USUAL)


def in_interchange(
    sets: Iterable[Iterable[Segment]],
    kind: tuple[str, str, str],
    to: Interchange,
    header: AcknowledgmentHeader,
    before: Iterable[Segment] = (),
) -> Iterator[str]:
    """An interchange with one group of these sets. `kind`: GS01, ST01 and the guide.

    `before`: segments between ISA and GS.
    """
    marks = to.delimiters
    when = [f"{header.moment:%Y%m%d}", f"{header.moment:%H%M}"]
    sender, receiver = _party(to.isa, 7, to.gs, 3), _party(to.isa, 5, to.gs, 2)
    number = f"{header.control_number:09}"
    yield _joined(_isa(sender, receiver, number, to, header), marks, data=False)
    for segment in before:
        yield _joined(segment, marks)
    group = str(header.control_number)
    yield _joined(["GS", kind[0], sender.code, receiver.code, *when, group, "X", kind[2]], marks)
    count = 0
    for count, segments in enumerate(sets, start=1):
        yield from _set(segments, f"{count:04}", kind, marks)
    yield _joined(["GE", str(count), group], marks)
    yield _joined(["IEA", "1", number], marks)


def _set(segments: Iterable[Segment], number: str, kind: tuple[str, str, str], marks: Delimiters) -> Iterator[str]:
    yield _joined(["ST", kind[1], number, kind[2]], marks)
    written = 2
    for segment in segments:
        written += 1
        yield _joined(segment, marks)
    yield _joined(["SE", str(written), number], marks)


class _Party(NamedTuple):
    qualifier: str
    id: str
    code: str  # of the group


def _party(isa: list[str], at: int, gs: list[str], code_at: int) -> _Party:
    """A sender or receiver of the claims, which is now the other one."""
    found = element(isa, at + 1)
    return _Party(element(isa, at) or "ZZ", found, element(gs, code_at) or found)


def _isa(sender: _Party, receiver: _Party, number: str, to: Interchange, header: AcknowledgmentHeader) -> Segment:
    blanks = " " * 10
    parties = [sender.qualifier, f"{sender.id:15}", receiver.qualifier, f"{receiver.id:15}"]
    when = [f"{header.moment:%y%m%d}", f"{header.moment:%H%M}"]
    usage = element(to.isa, 15)
    rest = [to.delimiters.repetition, "00501", number, "0", usage if usage in ("P", "T") else "P"]
    return ["ISA", "00", blanks, "00", blanks, *parties, *when, *rest, to.delimiters.component]


def _joined(segment: Segment, marks: Delimiters, *, data: bool = True) -> str:
    """A segment with these delimiters, which become blanks in the values of an interchange that had others."""
    if not data:
        return marks.element.join(segment) + marks.terminator + "\n"
    texts = [_clean(text, marks) for text in segment]
    while texts and not texts[-1]:
        texts.pop()
    return marks.element.join(texts) + marks.terminator + "\n"


def _clean(text: str, marks: Delimiters) -> str:
    for mark in (marks.element, marks.repetition, marks.component, marks.terminator, "\r", "\n"):
        if mark in text:
            text = text.replace(mark, " ")
    return marks.component.join(text.split(COMPONENT)).rstrip(marks.component)
