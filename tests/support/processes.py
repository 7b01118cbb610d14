"""What processes have used, for benchmarks: seconds of processor and memory, as Linux has them in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path


def family(process: int) -> list[int]:
    """A process and all that come from it."""
    children = map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return [process, *chain.from_iterable(map(family, children))]


def processor_seconds(processes: Iterable[int]) -> float:
    """Seconds of processor that these have had, those of the kernel for them among them."""
    told = (Path(f"/proc/{each}/stat").read_text() for each in processes)
    ticks = (sum(map(int, line.rpartition(")")[2].split()[11:13])) for line in told)
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def most_memory(process: int) -> float:
    """Megabytes resident at most since its start; what it shares with others is counted."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def own_memory(process: int) -> float:
    """Megabytes that it shares with no other process now."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in told if line.startswith("Private")) / 1024
