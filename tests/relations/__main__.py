"""Random rules on random claims, more than a test run has time for: `python -m tests.relations BOOKS [FIRST SEED]`.

A book has 100 rules, each held against 100 claims. Prints each difference with its rule and its claim.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.relations.compare import differences, random_book, random_claims

CLAIMS = 100


def main(books: int, first: int) -> int:
    """The number of differences."""
    found = 0
    for seed in range(first, first + books):
        with TemporaryDirectory() as folder:
            book = random_book(seed, Path(folder))
            for each in differences(book, random_claims(seed, CLAIMS)):
                found += 1
                sys.stdout.write(f"seed {seed}, line {each.line}: {each.naive}, product: {each.product}\n")
                sys.stdout.write(f"{json.dumps(each.rule)}\n{json.dumps(each.body)}\n")
    return found


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)))
