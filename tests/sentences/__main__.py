"""The command `python -m tests.sentences FOLDER [SENTENCE...]`: see the package."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.sentences.score import judged, sentence_rules


def main(folder: str, *sentences: str) -> int:
    """Prints right/of for each sentence and each claim that came out otherwise; 1 where a written one has such."""
    reference = os.environ.get("SCRUBBER_REFERENCE")
    written = {row.sentence for row in sentence_rules() if reference is not None or row.reference != "yes"}
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    failed = False
    with tempfile.TemporaryDirectory() as place:
        for claim in judged(Path(folder), Path(place), reference):
            if sentences and claim.sentence not in sentences:
                continue
            every[claim.sentence] += 1
            right[claim.sentence] += not claim.wrong
            failed = failed or bool(claim.wrong and claim.sentence in written)
            if claim.wrong and (claim.sentence in written or sentences):
                sys.stdout.write(f"  {claim.file}: {claim.wrong}\n")
    for sentence, count in every.items():
        sys.stdout.write(f"{right[sentence]}/{count} {sentence}\n")
    sys.stdout.write(f"{right.total()}/{every.total()} right\n")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("python -m tests.sentences FOLDER [SENTENCE...]")
    sys.exit(main(*sys.argv[1:]))
