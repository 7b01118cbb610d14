"""Random claims and damaged ones, and what comes of each: the same from the compiled package and from its source.

Run in a process of its own by test_compiled.py: `python -P -m tests.support.compiled_check COUNT`.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from datetime import date
from typing import Any

from scrubber.errors import NotAClaim
from scrubber.facts import service_lines
from scrubber.scrub import Receipt, Scrubber, open_scrubber, scrub_bytes
from tests.conftest import ROOT
from tests.support.random_claims import random_claim

RECEIVED = date(2026, 11, 23)
ODD: list[Any] = [
    None, "", " ", [], {}, [[]], [{}], {"": ""}, 0, -1, 1.5, 10**20, 1e308, True, False, "0", "-0.00", "1e5", "é" * 70,
    "20260231", "2026-03-01", "20250312-20250314", "a" * 11_000, ["1", None, 2, "x"], "99999999999.999999",
]  # fmt: skip


def main(count: int) -> None:
    """Prints whether the package is compiled, then a digest for each hundred claims."""
    sys.stdout.write(f"{'source' if service_lines.__file__.endswith('.py') else 'compiled'}\n")
    scrubber = open_scrubber(ROOT / "rules", None)
    digest = hashlib.sha256()
    for seed in range(count):
        digest.update(_outcome(_damaged(random_claim(seed), random.Random(seed)), scrubber))
        if seed % 100 == 99:
            sys.stdout.write(f"{seed} {digest.hexdigest()}\n")


def _outcome(body: object, scrubber: Scrubber) -> bytes:
    try:
        return scrub_bytes(json.dumps(body).encode(), scrubber, Receipt(RECEIVED)).content
    except NotAClaim as error:
        return repr(error.problems).encode(errors="backslashreplace")


def _damaged(body: Any, rng: random.Random) -> Any:
    """Up to three places of a body hold something else; half of the bodies stay as they are."""
    for _ in range(rng.choice((0, 0, 0, 1, 2, 3))):
        holder, key = rng.choice([*_places(body)])
        holder[key] = rng.choice(ODD)
    return body


def _places(holder: Any) -> Any:
    keys = [*holder] if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _places(holder[key])


if __name__ == "__main__":
    main(int(sys.argv[1]))
