"""Before any claim: digests of the files with loaded rows, so that one that was changed or cut answers for nothing.

A release is named in every answer by the SHA-256 of the file that it was loaded from. What answers is another file,
which the load made of it: only a digest of that one tells that the rows are still those that were loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from scrubber.errors import ConfigError, DamagedPart
from scrubber.reference.place import Loaded

DIGESTS = "digests.json"
_PIECE = 1 << 20
# What this process has worked out, by path and what the system says of the file: every change changes that.
_known: dict[tuple[str, int, int, int, int], str] = {}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; worked out once in a process for as long as the file stays as it is."""
    found = path.stat()
    key = str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    if key not in _known:
        hashing = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                hashing.update(piece)
        _known[key] = hashing.hexdigest()
    return _known[key]


def read_digests(folder: Path) -> dict[str, str]:
    """SHA-256 by the name of a file in the folder; none of files that an earlier program wrote. Raises ConfigError."""
    try:
        told = orjson.loads((folder / DIGESTS).read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as failure:
        raise ConfigError(f"reference data: {folder / DIGESTS} cannot be read: {failure.strerror}") from None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ConfigError(f"reference data: {folder / DIGESTS} is not what this program wrote")
    return told


def digests_to_json(digests: Mapping[str, str]) -> bytes:
    """What `read_digests` reads."""
    return orjson.dumps(digests, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def damaged_among(files: Iterable[Path], digests: Mapping[str, str]) -> list[Path]:
    """Those of the files that are not as they were written. Raises OSError for one that cannot be read."""
    return [path for path in files if path.name in digests and digest_of(path) != digests[path.name]]


def damaged(place: str, releases: Iterable[Loaded]) -> DamagedPart:
    """What to raise for releases whose rows cannot be read, or are no longer those that were loaded."""
    wrong = sorted(releases, key=lambda each: (each.kind, each.name))
    named = ", ".join(f"{each.kind} {each.name}" for each in wrong)
    return DamagedPart(
        f"reference data: rows in {place} cannot be read, or are no longer those that were loaded: {named}. Drop each "
        "of these (scrubber reference drop KIND RELEASE) and load it again, or put a copy back",
        {each.part for each in wrong},
    )
