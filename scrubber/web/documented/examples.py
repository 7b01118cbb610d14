"""Beside the path: a made-up claim and the answer it gets, for the API's documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

_STATIC = Path(__file__).parents[1] / "static"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((_STATIC / name).read_bytes())
    return content


CLAIM_EXAMPLE = _read("example-claim.json")
ANSWER_EXAMPLE = _read("example-answer.json")
