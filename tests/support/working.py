"""A pool of workers for tests, over claims that do harm.

Run: python -m tests.support.working FOLDER DATABASE RULES WORKERS STUCK

What a claim does is said in its number: `kill` ends its process at once, `crash` in C code, `hang` never ends, `slow`
takes a while. A worker that hangs is noticed after STUCK seconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from scrubber.batch import worker_pool
from scrubber.batch.maintenance import MaintenanceOptions
from scrubber.batch.storage import open_batches
from scrubber.batch.work import WorkContext
from scrubber.claim.model import Claim
from scrubber.findings import ScrubResult
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.batches import LEASE, context

SLOW = 0.05  # seconds a claim


class Harmed:
    """Some rules, and what some claims do to whoever scrubs them."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self.rulebook, self.reference = scrubber.rulebook, scrubber.reference

    def scrub(self, claim: Claim, *rest: Any) -> ScrubResult:
        harm = (claim.patient_control_number or "").partition("-")[0]
        if harm == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif harm == "crash":
            ctypes.string_at(0)
        elif harm == "hang":
            time.sleep(3_600)
        elif harm == "slow":
            time.sleep(SLOW)
        return self._scrubber.scrub(claim, *rest)


def main(folder: str, database: str, rules: str, workers: str, stuck: str) -> None:
    worker_pool.STUCK_SECONDS = int(stuck)

    def prepare() -> worker_pool.OpenContext:
        harmed = Harmed(open_scrubber(Path(rules), None))

        def opened() -> WorkContext:
            kept = open_batches(Path(folder), database or None, LEASE)
            assert kept is not None
            return context(kept, harmed, lease_seconds=1.0)  # how often it says that it is alive; leases last longer

        return opened

    def tell(event: str, told: dict[str, object]) -> None:
        sys.stderr.write(f"{event} {told}\n")

    duties = [
        worker_pool.maintenance_duty(MaintenanceOptions(timedelta(days=9_999))),
        *[worker_pool.chunks] * int(workers),
    ]
    worker_pool.Pool(duties, prepare, tell).run(lambda: True)


if __name__ == "__main__":
    main(*sys.argv[1:])
