"""An X12 file of plainly made up claims, to be written in any way and damaged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from scrubber.claim.x12 import ClaimLoops, Loop, X12Fault, read_loops
from scrubber.claim.x12.loops import Item
from scrubber.errors import NotX12

CANARY = "ZQXCANARY"

# Two claims: of a subscriber, with another payer, a drug and a decision of that payer; and of a dependent.
BODY = """
BHT*0019*00*BATCH1*20260915*1200*CH
NM1*41*2*SAMPLE BILLING SERVICE*****46*SUB001
PER*IC*ALEX SAMPLE*TE*3035550100
NM1*40*2*SAMPLE CLEARINGHOUSE*****46*REC001
HL*1**20*1
PRV*BI*PXC*207Q00000X
NM1*85*2*SAMPLE CLINIC*****XX*1000000004
N3*1 SAMPLE STREET
N4*DENVER*CO*802020001
REF*EI*990000001
PER*IC*BLAIR SAMPLE*TE*3035550101
NM1*87*2
N3*2 SAMPLE STREET
N4*DENVER*CO*80202
HL*2*1*22*1
SBR*S*18*GRP0001******MB
NM1*IL*1*TESTER*CASEY****MI*SYN00000001
N3*3 SAMPLE STREET
N4*DENVER*CO*80202
DMG*D8*19500101*F
NM1*PR*2*SAMPLE PAYER*****PI*SMPMB
CLM*CLAIM-1*250.00***11:B:1*Y*A*Y*Y
DTP*431*D8*20260901
REF*G1*AUTH0001
NTE*ADD*SYNTHETIC NOTE
HI*ABK:M810*ABF:E119
NM1*DN*1*EXAMPLE*DANA****XX*1000000012
NM1*82*1*MOCKLEY*ELLIS****XX*1000000020
PRV*PE*PXC*207R00000X
NM1*77*2*SAMPLE FACILITY*****XX*1000000038
N3*4 SAMPLE STREET
N4*DENVER*CO*802020001
SBR*P*18*******CI
CAS*PR*1*20
AMT*D*80
OI***Y***Y
NM1*IL*1*TESTER*CASEY****MI*SYN00000002
N3*3 SAMPLE STREET
N4*DENVER*CO*80202
NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*EXHP1
DTP*573*D8*20260910
REF*F8*PRIOR0001
LX*1
SV1*HC:J0897*200.00*UN*60***1:2
DTP*472*D8*20260902
REF*6R*LINE-1
LIN**N4*00000000001
CTP****60*ML
REF*XZ*RX0001
NM1*82*1*MOCKLEY*ELLIS****XX*1000000020
PRV*PE*PXC*207R00000X
SVD*EXHP1*80*HC:J0897**60
CAS*CO*45*100
DTP*573*D8*20260910
LX*2
SV1*HC:96372:59*50.00*UN*1***1
DTP*472*RD8*20260902-20260902
HL*3*2*23*0
PAT*19
NM1*QC*1*TESTER*DANA
N3*3 SAMPLE STREET
N4*DENVER*CO*80202
DMG*D8*20100101*M
CLM*CLAIM-2*75***11:B:1*Y*A*Y*Y
HI*ABK:J209
LX*1
SV1*HC:99213*75*UN*1***1
DTP*472*D8*20260903
""".strip()


def isa(number: str = "000000001") -> str:
    """An ISA of 106 characters, without its terminator."""
    blanks = " " * 10
    return f"ISA*00*{blanks}*00*{blanks}*ZZ*{'SENDER':15}*ZZ*{'RECEIVER':15}*260915*1200*^*00501*{number}*0*T*:"


def in_set(body: str = BODY, number: str = "0001", version: str = "005010X222A1") -> str:
    """ST to SE around segments, one a line."""
    count = len(body.split("\n")) + 2 if body else 2
    return "\n".join(filter(None, (f"ST*837*{number}*{version}", body, f"SE*{count}*{number}")))


def in_group(*sets: str, number: str = "1", version: str = "005010X222A1") -> str:
    """GS to GE around sets."""
    header = f"GS*HC*SENDER*RECEIVER*20260915*1200*{number}*X*{version}"
    return "\n".join((header, *sets, f"GE*{len(sets)}*{number}"))


def in_interchange(*groups: str, number: str = "000000001") -> str:
    """ISA to IEA around groups."""
    return "\n".join((isa(number), *groups, f"IEA*{len(groups)}*{number}"))


def written(segments: str, element: str = "*", component: str = ":", end: str = "~\n", repetition: str = "^") -> bytes:
    """Segments, one a line, with other delimiters; `end` stands behind each."""
    marks = str.maketrans({"*": element, ":": component, "\n": end, "^": repetition})
    return (segments.translate(marks) + end).encode()


def ordinal(segment: str, body: str = BODY) -> int:
    """The ordinal in `envelope(body)` of the first segment that begins so."""
    return next(at for at, line in enumerate(body.split("\n"), start=4) if line.startswith(segment))


def envelope(body: str = BODY) -> bytes:
    """A whole file with one set."""
    return written(in_interchange(in_group(in_set(body))))


def outcome(pieces: Iterable[bytes]) -> list[Any]:
    """All that is read of a file, as plain values, with the refusal, if there is one, last."""
    found: list[Any] = []
    try:
        for item in read_loops(pieces):
            found.append(plain(item))
    except NotX12 as refusal:
        found.append(("NotX12", refusal.word, str(refusal), refusal.byte, refusal.segment))
    return found


def plain(item: Item) -> Any:
    """A claim with all its loops, or the end of an envelope, as plain values."""
    if not isinstance(item, ClaimLoops):
        return (type(item).__name__, *item)
    loops = [item.header, item.billing, item.subscriber, item.patient, item.claim]
    return item.number, item.delimiters, item.isa, item.gs, [loop and _plain(loop) for loop in loops], item.faults


def _plain(loop: Loop) -> Any:
    return loop.name, loop.segments, loop.ordinals, [_plain(inner) for inner in loop.loops]


def claims(data: bytes) -> list[ClaimLoops]:
    """The claims of a file that is not refused."""
    return [item for item in read_loops([data]) if isinstance(item, ClaimLoops)]


def faults(data: bytes) -> list[X12Fault]:
    """Every fault in it, of claims and of envelopes, in the order in which they are told."""
    return [fault for item in read_loops([data]) for fault in item.faults]


def refusal(data: bytes) -> NotX12:
    """Why a file is refused."""
    try:
        list(read_loops([data]))
    except NotX12 as refused:
        return refused
    raise AssertionError("it is read")


def context_line(number: str, context: dict[str, Any]) -> bytes:
    """A line of the contexts beside a file."""
    return json.dumps({"patientControlNumber": number, "scrubContext": context}).encode()


def full_of_canaries() -> bytes:
    """A file with a claim that is read, with a canary in every element of its segments that may be a text."""
    head, _, _ = BODY.partition("\nHL*3*2*23")
    texts = ("N3", "N4", "REF", "PER", "NTE", "SV1", "HI", "DTP", "SVD", "CAS", "AMT", "K3", "DMG", "LIN")
    lines = []
    for line in head.split("\n"):
        name, *elements = line.split("*")
        if name == "NM1":
            elements[2:] = [CANARY] * len(elements[2:])
        elif name in texts:
            elements[1:] = [CANARY] * len(elements[1:])
        elif name == "CLM":
            elements[:2] = [CANARY, CANARY]
        lines.append("*".join([name, *elements]))
    return envelope("\n".join([*lines, f"{CANARY}*{CANARY}", f"NM1*{CANARY}*{CANARY}", f"HL*{CANARY}*{CANARY}*22*0"]))
