"""Writes the 277CA (005010X214) of a file: each claim taken or rejected, with the status codes of what denies it.

Each set is answered in one of its own, under who sent it and the billing providers in it. A claim is rejected where a
finding denies it; categories and codes are those of the rules. Warnings are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, NamedTuple

from scrubber.claim.x12 import ClaimLoops, Loop
from scrubber.claim.x12.envelope import EndOfSet
from scrubber.response.acknowledgments.envelope import (
    COMPONENT,
    AcknowledgmentHeader,
    Segment,
    answered,
    in_interchange,
)
from scrubber.response.acknowledgments.received import Received, ReceivedClaim, completed, element, loop_in, segment_in

_KIND = ("HN", "277", "005010X214")
_ACCEPTED, _REJECTED = "WQ", "U"  # STC03
_CODE_AND_MODIFIERS = 6  # components of SVC01: the qualifier, the code, up to four modifiers
_NO_NUMBER = "0"  # TRN02 of a provider: none was sent


class _Status(NamedTuple):
    category: str
    code: str


_RECEIVED = _Status("A1", "19")
_TAKEN = _Status("A2", "20")
_NO_STATUS = _Status("A3", "21")  # of a finding whose rule names none: missing or invalid information
_NOTHING = Decimal(0)
MOST_OF_LINE = 3  # statuses of a line; what is more than that is said of the claim


class _Totals:
    """Claims and dollars, taken and rejected."""

    def __init__(self) -> None:
        self.counts = {True: 0, False: 0}
        self.amounts = {True: _NOTHING, False: _NOTHING}

    def add(self, claim: ReceivedClaim, amount: Decimal) -> None:
        self.counts[claim.accepted] += 1
        self.amounts[claim.accepted] += amount

    def segments(self, qualifiers: tuple[str, str]) -> Iterator[Segment]:
        for accepted, qualifier in zip((True, False), qualifiers, strict=True):
            if self.counts[accepted]:
                yield ["QTY", qualifier, str(self.counts[accepted])]
        for accepted, qualifier in ((True, "YU"), (False, "YY")):
            if self.counts[accepted]:
                yield ["AMT", qualifier, f"{self.amounts[accepted]:f}"]

    @property
    def amount(self) -> str:
        return f"{self.amounts[True] + self.amounts[False]:f}"

    @property
    def verdict(self) -> str:
        return _ACCEPTED if self.counts[True] else _REJECTED


class _ProviderClaims:
    """A billing provider of a set, and its claims."""

    def __init__(self, billing: Loop | None) -> None:
        self.billing = billing
        self.totals = _Totals()
        self.claims: list[list[Segment]] = []


def write_277ca(received: Iterable[Received], header: AcknowledgmentHeader) -> Iterator[str]:
    """The interchange with the 277CA, segment by segment. Nothing for a file without anything.

    The claims of one set are held until it is whole: their number stands before them.
    """
    items = completed(received)
    first = next(items, None)
    if first is None:
        return
    yield from in_interchange(_sets(chain([first], items), header), _KIND, answered(first), header)


def _sets(items: Iterable[Received], header: AcknowledgmentHeader) -> Iterator[list[Segment]]:
    providers: list[_ProviderClaims] = []
    of_set: ClaimLoops | None = None
    for item in items:
        if isinstance(item, ReceivedClaim):
            of_set = of_set or item.loops
            if not providers or providers[-1].billing is not item.loops.billing:
                providers.append(_ProviderClaims(item.loops.billing))
            provider = providers[-1]
            amount = _amount(element(item.loops.claim.segments[0], 2))
            provider.totals.add(item, amount)
            provider.claims.append([*_claim(item, header)])
        elif isinstance(item, EndOfSet) and of_set is not None:
            yield [*_answer(of_set, providers, header)]
            providers, of_set = [], None


def _answer(of_set: ClaimLoops, providers: list[_ProviderClaims], header: AcknowledgmentHeader) -> Iterator[Segment]:
    """A set: source, receiver, providers and their claims."""
    reference = element(segment_in(of_set.header, "BHT"), 3)
    number = str(header.control_number)
    moment, day = header.moment, f"{header.moment:%Y%m%d}"
    total = _Totals()
    for provider in providers:
        for accepted in (True, False):
            total.counts[accepted] += provider.totals.counts[accepted]
            total.amounts[accepted] += provider.totals.amounts[accepted]
    yield ["BHT", "0085", "08", reference or number, day, f"{moment:%H%M}", "TH"]
    yield ["HL", "1", "", "20", "1"]
    yield _source(of_set)
    yield ["TRN", "1", number]
    yield ["DTP", "050", "D8", f"{header.received_on:%Y%m%d}"]
    yield ["DTP", "009", "D8", day]
    yield ["HL", "2", "1", "21", "1"]
    yield _submitter(of_set)
    yield ["TRN", "2", reference or number]
    yield _status(_RECEIVED, day, total.verdict, total.amount, entity="AY")
    yield from total.segments(("90", "AA"))
    level = 2
    for provider in providers:
        level += 1
        above = str(level)
        yield ["HL", above, "2", "19", "1"]
        yield _billing_provider(provider.billing)
        yield ["TRN", "1", _NO_NUMBER]
        yield _provider_status(provider.totals)
        yield from provider.totals.segments(("QA", "QC"))
        for claim in provider.claims:
            level += 1
            yield ["HL", str(level), above, "PT"]
            yield from claim


def _status(status: _Status, day: str, verdict: str, amount: str, entity: str = "") -> Segment:
    return ["STC", COMPONENT.join((*status, entity)), day, verdict, amount]


def _provider_status(totals: _Totals) -> Segment:
    return ["STC", COMPONENT.join((*_RECEIVED, "AY")), "", totals.verdict, totals.amount]


def _source(of_set: ClaimLoops) -> Segment:
    """Who answers: the receiver of the claims."""
    name = segment_in(loop_in(of_set.header, "1000B"), "NM1")
    known = element(name, 9) or element(of_set.isa, 8)
    return ["NM1", "AY", "2", element(name, 3) or known, "", "", "", "", "46", known]


def _submitter(of_set: ClaimLoops) -> Segment:
    name = segment_in(loop_in(of_set.header, "1000A"), "NM1")
    known = element(name, 9) or element(of_set.isa, 6)
    names = [element(name, 3) or known, element(name, 4), element(name, 5)]
    return ["NM1", "41", element(name, 2) or "2", *names, "", "", "46", known]


def _billing_provider(billing: Loop | None) -> Segment:
    loop = loop_in(billing, "2010AA")
    name = segment_in(loop, "NM1")
    names = [element(name, number) for number in (3, 4, 5)]
    tax_id = element(segment_in(loop, "REF", "EI") or segment_in(loop, "REF", "SY"), 2)
    known = ["XX", element(name, 9)] if element(name, 9) else ["FI", tax_id] if tax_id else ["", ""]
    return ["NM1", "85", element(name, 2) or "2", *names, "", element(name, 7), *known]


def _patient(loops: ClaimLoops) -> Segment:
    """The patient, with the member id of the subscriber where he has none of his own."""
    subscriber = segment_in(loop_in(loops.subscriber, "2010BA"), "NM1")
    dependent = segment_in(loop_in(loops.patient, "2010CA"), "NM1")
    name = dependent or subscriber
    names = [element(name, number) for number in (3, 4, 5)]
    known = element(dependent, 9) or element(subscriber, 9)
    return ["NM1", "QC", "1", *names, "", element(name, 7), *(["MI", known] if known else [])]


def _claim(claim: ReceivedClaim, header: AcknowledgmentHeader) -> Iterator[Segment]:
    loops = claim.loops
    clm = loops.claim.segments[0]
    lines = [loop for loop in loops.claim.loops if loop.name == "2400"]
    day = f"{header.moment:%Y%m%d}"
    of_claim, of_lines = _statuses(claim, len(lines))
    yield _patient(loops)
    yield ["TRN", "2", element(clm, 1)]
    verdict = _ACCEPTED if claim.accepted else _REJECTED
    for status in of_claim:
        yield _status(status, day, verdict, element(clm, 2))
    trace = element(segment_in(loops.claim, "REF", "D9"), 2)
    if trace:
        yield ["REF", "D9", trace]
    days = sorted({part for line in lines for part in _days(line).split("-") if part})
    if days:
        yield _service_days(days[0], days[-1])
    for number, statuses in of_lines.items():
        yield from _line(lines[number - 1], number, _line_status(statuses, day), loops)


def _statuses(claim: ReceivedClaim, lines: int) -> tuple[list[_Status], Mapping[int, list[_Status]]]:
    """The statuses of the claim, and of its lines by number. What denies a line rejects the claim, too."""
    if claim.answer is None:
        return [_NO_STATUS], {}
    if claim.accepted:
        return [_TAKEN], {}
    of_claim: dict[_Status, None] = {}
    of_lines: dict[int, dict[_Status, None]] = {}
    denying = [finding for finding in claim.answer["findings"] if finding["severity"] == "deny"]
    for finding in denying:
        status = _status_of(finding)
        numbers = [number for number in finding["lines"] if number <= lines]
        for number in numbers:
            of_lines.setdefault(number, {}).setdefault(status)
        if not numbers or any(len(of_lines[number]) > MOST_OF_LINE for number in numbers):
            of_claim.setdefault(status)
    if not of_claim:
        of_claim.setdefault(_status_of(denying[0]))
    return [*of_claim], {number: [*of_lines[number]] for number in sorted(of_lines)}


def _status_of(finding: Mapping[str, Any]) -> _Status:
    status = finding["claimStatus"]
    return _Status(status["category"], status["code"]) if status else _NO_STATUS


def _line_status(statuses: list[_Status], day: str) -> Segment:
    """A line has one segment of statuses, with up to three."""
    texts = [COMPONENT.join(status) for status in statuses]
    return ["STC", texts[0], day, _REJECTED, *[""] * 6, *texts[1:MOST_OF_LINE]]


def _line(line: Loop, number: int, status: Segment, loops: ClaimLoops) -> Iterator[Segment]:
    """A line that is rejected; none where the file does not say what was done, which the segment needs."""
    service = segment_in(line, "SV1")
    procedure = COMPONENT.join(element(service, 1).split(loops.delimiters.component)[:_CODE_AND_MODIFIERS])
    if COMPONENT not in procedure or not element(service, 2):
        return
    units = element(service, 4)
    yield ["SVC", procedure, element(service, 2), "", "", "", "", units]
    yield status
    control = element(segment_in(line, "REF", "6R"), 2)
    yield ["REF", "FJ", control or element(line.segments[0], 1) or str(number)]
    days = _days(line)
    if days:
        first, _, last = days.partition("-")
        yield _service_days(first, last or first)


def _days(line: Loop) -> str:
    return element(segment_in(line, "DTP", "472"), 3)


def _service_days(first: str, last: str) -> Segment:
    return ["DTP", "472", "D8", first] if first == last else ["DTP", "472", "RD8", f"{first}-{last}"]


def _amount(text: str) -> Decimal:
    """The charge of a claim; nothing where it is no amount."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return _NOTHING
    return found if found.is_finite() and abs(found.adjusted()) < 15 else _NOTHING
