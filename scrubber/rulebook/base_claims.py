"""Beside the path: base claims of test cases, `claims/NAME.json` of a folder of rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrubber.errors import Fault, Faults

MOST_BYTES = 1024 * 1024
FOLDER = "claims"


def claim_faults(folder: Path) -> Iterator[Fault]:
    """Base claims of a folder of rules that cannot be read."""
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            read_base_claim(folder, path.stem)
        except Faults as error:
            yield from error.faults


def read_base_claim(folder: Path, name: str) -> dict[str, Any]:
    """A fresh copy of the base claim `name`: a body with at least one service line. Raises Faults."""
    path = folder / FOLDER / f"{name}.json"
    message = "is no claim: a JSON object with claimInformation and serviceLines"
    try:
        if not path.is_file():
            message = "is no file"
        elif path.stat().st_size > MOST_BYTES:
            message = f"larger than {MOST_BYTES // 1024} KB"
        elif _is_claim(body := json.loads(path.read_bytes())):
            return dict(body)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        message = "is no JSON"
    raise Faults([Fault(f"{FOLDER}/{path.name}", 0, message)])


def _is_claim(body: Any) -> bool:
    claim = body.get("claimInformation") if isinstance(body, dict) else None
    lines = claim.get("serviceLines") if isinstance(claim, dict) else None
    return isinstance(lines, list) and bool(lines) and all(isinstance(line, dict) for line in lines)
