"""Claims a second on one core, bytes to bytes, over the shipped rules and the starter tables.

    .venv/bin/python benchmarks/scrub.py [SECONDS]

Prints one table: for each claim its lines and findings, microseconds per step of the path, and claims per second; then
start-up time and memory of this process. The claims are varied between runs, so that no answer is remembered whole.
"""

from __future__ import annotations

import copy
import resource
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

BEGUN = time.perf_counter()

import orjson  # noqa: E402

from scrubber.claim import read_claim  # noqa: E402
from scrubber.response.claim import to_bytes  # noqa: E402
from scrubber.scrub import Receipt, Scrubber, open_scrubber, scrub_bytes  # noqa: E402
from tests.support.claims import office_claim, tbs_claim  # noqa: E402

RECEIVED = date(2026, 11, 23)
VARIANTS = 1_000
FIRST_DAY = date(2024, 1, 1)


def four_tbs_lines() -> dict[str, Any]:
    """Density, the whole score service and two of its parts: bundled, documented, coverage unknown."""
    body = tbs_claim()
    information = body["claimInformation"]
    first = information["serviceLines"][0]
    information["serviceLines"] = [copy.deepcopy(first) for _ in range(4)]
    for line, code in zip(information["serviceLines"], ("77080", "77089", "77091", "77092"), strict=True):
        line["professionalService"]["procedureCode"] = code
    information["claimChargeAmount"] = "240.00"
    body["scrubContext"]["documentation"][0]["lines"] = [1, 2, 3, 4]
    return body


def variants(body: dict[str, Any]) -> list[bytes]:
    """The claim on a thousand days from 2024 to 2026, each with a charge of its own."""
    made = []
    for number in range(VARIANTS):
        claim = copy.deepcopy(body)
        lines = claim["claimInformation"]["serviceLines"]
        day = FIRST_DAY + timedelta(days=number)
        for line in lines:
            line["serviceDate"] = f"{day:%Y%m%d}"
            line["professionalService"]["lineItemChargeAmount"] = f"{60 + number}.00"
        claim["claimInformation"]["claimChargeAmount"] = f"{(60 + number) * len(lines)}.00"
        claim["claimInformation"]["patientControlNumber"] = f"BENCH-{number:04}"
        made.append(orjson.dumps(claim))
    return made


def answer(scrubber: Scrubber, data: bytes) -> bytes:
    """The whole path, as the service runs it."""
    return scrub_bytes(data, scrubber, Receipt(RECEIVED)).content


def microseconds(work: Callable[[Any], object], inputs: list[Any], seconds: float) -> float:
    """Least mean over five rounds: what the machine can do when nothing else runs."""
    rounds = []
    for _ in range(5):
        count, begun = 0, time.process_time()
        while time.process_time() - begun < seconds / 5:
            for item in inputs:
                work(item)
            count += len(inputs)
        rounds.append((time.process_time() - begun) / count * 1e6)
    return min(rounds)


def main(seconds: float = 3.0) -> None:
    """Measures and prints the table."""
    scrubber = open_scrubber(ROOT / "rules", None)
    start_up = time.perf_counter() - BEGUN
    print(f"{len(scrubber.rulebook.active)} active rules, start-up {start_up:.2f} s")
    print(f"{'claim':<18}{'lines':>6}{'findings':>9}{'read us':>9}{'scrub us':>9}{'write us':>9}{'claims/s':>10}")
    for name, body in (("office, 4 lines", office_claim()), ("TBS, 4 lines", four_tbs_lines())):
        inputs = variants(body)
        claims = [read_claim(data) for data in inputs]
        results = [scrubber.scrub(claim, RECEIVED) for claim in claims]
        read = microseconds(lambda data: read_claim(data), inputs, seconds)
        scrub = microseconds(lambda claim: scrubber.scrub(claim, RECEIVED), claims, seconds)
        write = microseconds(to_bytes, results, seconds)
        whole = microseconds(lambda data: answer(scrubber, data), inputs, seconds)
        print(
            f"{name:<18}{len(claims[0].lines):>6}{len(results[0].findings):>9}"
            f"{read:>9.0f}{scrub:>9.0f}{write:>9.0f}{1e6 / whole:>10.0f}"
        )
        print(f"{1e6 / whole:.0f} claims/s")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB resident at most")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
