"""Microseconds a claim, on one core: X12 bytes to Claims, v3 JSON bytes to Claims of the same claims, and pyx12.

    .venv/bin/python benchmarks/x12.py [CLAIMS]

The claims have four lines each, and subscribers, days and amounts of their own; the JSON is what `scrubber convert`
makes of the X12. pyx12 checks a part of them against its map of the guide, as it does for its users. Rounds take turns,
and the least of each counts: what the machine can do when nothing else runs.
"""

from __future__ import annotations

import gc
import io
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402
import pyx12.params  # noqa: E402
import pyx12.x12n_document  # noqa: E402

from scrubber.claim import read_claim  # noqa: E402
from scrubber.claim.x12.claims import read_claims  # noqa: E402
from scrubber.claim.x12.loops import ClaimLoops, read_loops  # noqa: E402
from scrubber.claim.x12.plans import WRITTEN  # noqa: E402
from scrubber.claim.x12.read import BodyReader  # noqa: E402
from tests.support.x12 import BODY, in_group, in_interchange, in_set, written  # noqa: E402

CLAIMS, FOR_PYX12, ROUNDS = 20_000, 500, 5
PIECE = 1 << 16  # bytes of the file that are read at once
FIRST_DAY = date(2026, 1, 1)
HEADER = BODY.partition("\nPER*IC*BLAIR")[0].strip()  # of the set and of one billing provider


def claim(number: int, made: random.Random) -> str:
    """The segments of a subscriber and a claim of theirs with four lines."""
    day = f"{FIRST_DAY + timedelta(days=made.randrange(250)):%Y%m%d}"
    charges = [made.randrange(40, 400) for _ in range(4)]
    codes = made.sample(("77080", "77089", "77091", "77092", "99213", "99214", "36415", "80053"), 4)
    lines = "\n".join(
        f"LX*{at}\nSV1*HC:{code}*{charge}*UN*1***1:2\nDTP*472*D8*{day}\nREF*6R*{number}-{at}"
        for at, (code, charge) in enumerate(zip(codes, charges, strict=True), start=1)
    )
    return f"""HL*{number + 1}*1*22*0
SBR*P*18*GRP{made.randrange(9_000):04}******MB
NM1*IL*1*TESTER*CASEY****MI*SYN{number:08}
N3*{made.randrange(999)} SAMPLE STREET
N4*DENVER*CO*80202
DMG*D8*{1930 + made.randrange(60)}0101*F
NM1*PR*2*SAMPLE PAYER*****PI*SMPMB
CLM*CLAIM-{number}*{sum(charges)}***11:B:1*Y*A*Y*Y
REF*G1*AUTH{made.randrange(9_999):04}
HI*ABK:M810*ABF:E119*ABF:I10
NM1*82*1*MOCKLEY*ELLIS****XX*1000000020
PRV*PE*PXC*207R00000X
{lines}"""


def file_of(count: int) -> bytes:
    """An X12 file of so many claims, the same each time."""
    made = random.Random(837)
    body = "\n".join((HEADER, *(claim(number, made) for number in range(1, count + 1))))
    return written(in_interchange(in_group(in_set(body))))


def as_json(data: bytes) -> list[bytes]:
    """The same claims as v3 JSON, one a line."""
    reader = BodyReader(WRITTEN)
    return [orjson.dumps(reader.body(item)[0]) for item in read_loops([data]) if isinstance(item, ClaimLoops)]


def read_x12(data: bytes) -> None:
    """X12 bytes to Claims."""
    for _ in read_claims(_pieces(data)):
        pass


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def read_json(lines: list[bytes]) -> None:
    """JSON bytes to Claims."""
    for line in lines:
        read_claim(line)


def check_with_pyx12(data: bytes) -> None:
    """X12 through the reader of pyx12, with its maps."""
    sound = pyx12.x12n_document.x12n_document(
        param=pyx12.params.params(), src_file=io.StringIO(data.decode()), fd_997=None, fd_html=None
    )
    if not sound:
        raise SystemExit("pyx12 finds faults in the claims of this benchmark")


def seconds(work: Callable[[], None]) -> float:
    """Processor time of one round."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main(count: int) -> None:
    """Print one table."""
    logging.disable()
    data, some = file_of(count), file_of(FOR_PYX12)
    lines = as_json(data)
    gc.collect()
    gc.freeze()
    least: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, work in (("X12", lambda: read_x12(data)), ("JSON", lambda: read_json(lines))):
            least[name] = min(least.get(name, 1e9), seconds(work) / count)
    least["pyx12"] = seconds(lambda: check_with_pyx12(some)) / FOR_PYX12
    print(f"{count:,} claims of four lines, {len(data) / count:,.0f} bytes each as X12, on one core")
    for name, each in least.items():
        print(f"{name:6} {each * 1e6:10,.0f} microseconds a claim")
    print(f"X12 takes {least['X12'] / least['JSON']:.2f} times as long as JSON")
    print(f"pyx12 takes {least['pyx12'] / least['X12']:.0f} times as long as X12")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CLAIMS)
