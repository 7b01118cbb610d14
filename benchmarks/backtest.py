"""Claims a second of a back-test: a rule switched on over a file of claims, compared with the same rules without it.

    .venv/bin/python benchmarks/backtest.py [CLAIMS] [JOBS]

Prints one table: for each file of CLAIMS claims (100,000) and JOBS processes (as many as cores), whether remittances
were held against it, seconds from start to report, claims per second in all and by second of a core, and the most
memory that any of its processes had. `mixed` is nine office claims to one of the bone-density family; `random` are the
claims of the tests, most of which have a dozen faults.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402

from benchmarks.scrub import four_tbs_lines, variants  # noqa: E402
from scrubber.backtest.report import document  # noqa: E402
from scrubber.backtest.rulebooks import Choice  # noqa: E402
from scrubber.backtest.run import back_test  # noqa: E402
from tests.support.claims import office_claim  # noqa: E402
from tests.support.random_claims import random_claim  # noqa: E402

RULE = "cms-ncci-ptp-column-two"
DAY = date(2026, 11, 23)
RANDOM_CLAIMS = 5_000  # different ones; a file repeats them under other numbers


def office() -> Iterator[bytes]:
    """Four clean lines of a visit."""
    return cycle(variants(office_claim()))


def mixed() -> Iterator[bytes]:
    """Nine office claims to one with a bundled pair."""
    for visits, study in zip(zip(*[office()] * 9, strict=False), cycle(variants(four_tbs_lines())), strict=False):
        yield from visits
        yield study


def at_random() -> Iterator[bytes]:
    """Claims with a dozen faults each."""
    return cycle([orjson.dumps(random_claim(seed)) for seed in range(RANDOM_CLAIMS)])


def write(claims: Iterator[bytes], count: int, folder: Path) -> tuple[Path, Path]:
    """A file of claims under numbers of their own, and one of remittances for two lines of each."""
    rng = random.Random(1)
    files = folder / "claims.ndjson", folder / "remits.csv"
    with files[0].open("wb") as rows, files[1].open("w") as remits:
        remits.write("claim,line,charge,paid,group,reason,amount\n")
        for number, data in enumerate(islice(claims, count)):
            body = orjson.loads(data)
            body["claimInformation"]["patientControlNumber"] = f"B-{number}"
            rows.write(orjson.dumps(body) + b"\n")
            for line in (1, 2):
                remits.write(f"B-{number},{line},,0.00,CO,{rng.choice(('45', '97'))},\n")
    return files


def cpu() -> float:
    """Seconds that this process and those that it waited for have worked."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(count: int = 100_000, jobs: int = len(os.sched_getaffinity(0))) -> None:
    """Measures and prints the table."""
    print(f"{count:,} claims, {jobs} processes, load {os.getloadavg()[0]:.1f}")
    print(f"{'claims':<8}{'remits':>7}{'seconds':>9}{'claims/s':>10}{'a core second':>15}{'MB here':>9}{'MB child':>9}")
    for name, claims in (("office", office), ("mixed", mixed), ("random", at_random)):
        with tempfile.TemporaryDirectory() as folder:
            file, remits = write(claims(), count, Path(folder))
            for given in (None, remits):
                begun, worked = time.perf_counter(), cpu()
                document(back_test(Choice(ROOT / "rules", (RULE,)), None, file, given, DAY, jobs, lambda *_: None))
                seconds, worked = time.perf_counter() - begun, cpu() - worked
                here, child = (
                    resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
                )
                print(
                    f"{name:<8}{'yes' if given else 'no':>7}{seconds:>9.1f}{count / seconds:>10,.0f}"
                    f"{count / worked:>15,.0f}{here:>9.0f}{child:>9.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
