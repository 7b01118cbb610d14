"""Reference data at full size: loading, the store, look-ups, and what a worker keeps for itself.

    .venv/bin/python benchmarks/reference.py FOLDER

FOLDER has the four text files of one or two PTP releases as CMS publishes them (`ccipra-v302r0-f1.txt` …). Without it
a release of made-up pairs of the same size is written first. Prints one table.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from scrubber.reference import open_reference  # noqa: E402
from scrubber.reference.load.format import StatedRelease  # noqa: E402
from scrubber.reference.load.loader import LoadRequest, load  # noqa: E402
from scrubber.reference.lookup import Reference  # noqa: E402
from scrubber.reference.storage.sqlite import FolderStorage  # noqa: E402
from scrubber.reference.tables import PTP  # noqa: E402
from tests.support.ncci_files import PTP_HEADER, ptp_line  # noqa: E402

ROWS, CODES = 2_546_000, 12_800
ROUNDS = 2_000


def measured(work: Callable[..., None], *arguments: object) -> tuple[float, float]:
    """Seconds of a piece of work in a process of its own, and the most memory that it had, in MB."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=_measure, args=(answers, work, arguments))
    child.start()
    answer: tuple[float, float] = answers.get()
    child.join()
    return answer


def _measure(answers, work: Callable[..., None], arguments: tuple[object, ...]) -> None:  # type: ignore[no-untyped-def]
    begun = time.perf_counter()
    work(*arguments)
    spent = time.perf_counter() - begun
    # Not ru_maxrss, which a new process has from the one that started it.
    status = Path("/proc/self/status").read_text().splitlines()
    [most] = [line.split()[1] for line in status if line.startswith("VmHWM")]
    answers.put((spent, int(most) / 1024))


def load_release(store: Path, files: list[str]) -> None:
    """Loads one release."""
    wanted = LoadRequest("ncci-ptp", files, StatedRelease(), datetime(2026, 1, 1, tzinfo=UTC))
    load(FolderStorage(store), wanted, lambda *_: None)


def releases_in(folder: Path) -> list[list[str]]:
    """The files of each release, by the version in their names."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("ccipra-v*-f*")):
        found[path.name.split("-")[1]].append(str(path))
    return list(found.values())


def made_up(folder: Path) -> list[list[str]]:
    """Two releases of the size of a real one, which share nearly all pairs."""
    rng = random.Random(1)
    codes = [f"{number:05}" for number in rng.sample(range(100_000), CODES)]
    pairs = sorted({(rng.choice(codes), rng.choice(codes)) for _ in range(ROWS)})
    lines = [ptp_line(one, other, "20200101", indicator="1") for one, other in pairs]
    for version in ("v301r0", "v302r0"):
        for part in range(4):
            path = folder / f"ccipra-{version}-f{part + 1}.txt"
            path.write_text(PTP_HEADER + "".join(lines[part::4]), newline="")
        lines = lines[: -len(lines) // 1000]
    return releases_in(folder)


def codes_of(reference: Reference) -> list[str]:
    """Every column 1 code."""
    return [key for key, _ in reference.backend.every(PTP, part_of(reference))]


def part_of(reference: Reference) -> str:
    """What holds the rows of the first release."""
    return next(release for release in reference.releases() if release.table == PTP.name).sha256


def look_up(reference: Reference, count: int) -> tuple[float, float]:
    """Microseconds, median and 99th percentile, to find all pairs of so many codes; nothing is remembered."""
    part, codes = part_of(reference), codes_of(reference)
    rng = random.Random(2)
    rounds = []
    for _ in range(ROUNDS):
        asked = frozenset(rng.sample(codes, count))
        begun = time.perf_counter()
        reference.backend.ptp_among(part, asked)
        rounds.append((time.perf_counter() - begun) * 1e6)
    rounds = rounds[ROUNDS // 4 :]  # the first ones warm the pages
    return statistics.median(rounds), statistics.quantiles(rounds, n=100)[98]


def private_memory() -> float:
    """MB that this process can share with nobody; pages of a file are clean and shared by all who map it."""
    rollup = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty")) / 1024


def tell_private(location: str | None, codes: list[str], answers) -> None:  # type: ignore[no-untyped-def]
    """What a worker keeps for itself after it has looked up more than it remembers, all over a table."""
    before = private_memory()
    reference = open_reference(location)
    rng = random.Random(3)
    day = date(2024, 8, 1)
    for _ in range(20_000):
        reference.ptp_among(rng.sample(codes, 4), day, day)
    answers.put(private_memory() - before)


def line(what: str, measured: str, wanted: str) -> None:
    """One line of the table."""
    print(f"{what:<52}{measured:>24}{wanted:>20}")


def main(folder: str | None = None) -> None:
    """Measures and prints the table."""
    with tempfile.TemporaryDirectory() as temporary:
        source, store = Path(temporary) / "files", Path(temporary) / "store"
        source.mkdir()
        releases = releases_in(Path(folder)) if folder else made_up(source)
        line("", "measured", "wanted")
        for files in releases[:2]:
            seconds, most = measured(load_release, store, files)
            name = Path(files[0]).name.split("-")[1]
            line(f"load {name} from {len(files)} files", f"{seconds:.1f} s, {most:.0f} MB", "60 s, 500 MB")
        loaded = FolderStorage(store).loaded()
        size = sum(path.stat().st_size for path in store.rglob("*.sqlite")) / 1e6
        rows = sum(count for release in loaded for count in release.rows.values())
        line(f"store of {len(loaded)} releases, {rows:,} rows", f"{size:.0f} MB", "140 MB for two")
        reference = open_reference(str(store))
        answers = multiprocessing.get_context("spawn").Queue()
        for count, wanted in ((4, "p50 40 us"), (50, "p50 1500 us")):
            median, most = look_up(reference, count)
            line(f"all pairs of {count} codes", f"p50 {median:.0f} us, p99 {most:.0f} us", wanted)
        codes = codes_of(reference)
        for what, location in (("starter tables", None), ("both releases", str(store))):
            worker = multiprocessing.get_context("spawn").Process(target=tell_private, args=(location, codes, answers))
            worker.start()
            line(f"private to a worker on {what}", f"{answers.get():.0f} MB", "as the other")
            worker.join()


if __name__ == "__main__":
    main(*sys.argv[1:2])
