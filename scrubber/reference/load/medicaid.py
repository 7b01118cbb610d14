"""Medicaid's own NCCI tables, whose files have the layout of Medicare's and are told apart by who loads them.

Their kinds are those of Medicare's with `-medicaid` behind. Nothing in a file says whose it is, so whoever loads it
does; a name that says otherwise is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.load.formats import KINDS
from scrubber.reference.storage import Loaded
from scrubber.reference.tables import MEDICAID

MEDICAID_KINDS = tuple(MEDICAID)
LOADED_KINDS = (*KINDS, *MEDICAID_KINDS)
_MEDICARES = "CMS NCCI"
_MEDICAIDS = "CMS Medicaid NCCI"
_named_medicaids = re.compile(r"medicaid|mcd", re.IGNORECASE).search
_named_medicares = re.compile(r"ccipra|mcr|medicare", re.IGNORECASE).search


def layout_of(kind: str) -> str:
    """The kind by whose layout the files of a kind are read."""
    return MEDICAID[kind].name if kind in MEDICAID else kind


def check_names(kind: str, names: Iterable[str]) -> None:
    """Raises Faults for files of NCCI edits whose names say that they are of the other program."""
    if kind not in MEDICAID and kind not in _MEDICAID_OF:
        return
    told, other = (_named_medicares, layout_of(kind)) if kind in MEDICAID else (_named_medicaids, _MEDICAID_OF[kind])
    found = [name for name in names if told(name)]
    if found:
        raise Faults([Fault(name, 0, f"is of the other program by its name: load it as {other}") for name in found])


def check_bytes(kind: str, digest: str, loaded: Iterable[Loaded]) -> None:
    """Raises Faults where the same bytes are loaded as the edits of the other program."""
    other = _MEDICAID_OF.get(kind, layout_of(kind))
    same = next((each for each in loaded if each.sha256 == digest and each.kind == other != kind), None)
    if same is not None:
        raise Faults([Fault(same.files[0].name, 0, f"is loaded already as {other} {same.name}: drop that first")])


def as_loaded(kind: str, row: NamedTuple) -> NamedTuple:
    """A row of a kind, with the program that it comes from as its source."""
    if kind not in MEDICAID:
        return row
    told: Any = row
    changed: NamedTuple = told._replace(source=told.source.replace(_MEDICARES, _MEDICAIDS))
    return changed


def counted(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Rows by the table that they are told under: a kind of Medicaid has one, and its rows lie as Medicare's do."""
    return {kind: sum(counts.values())} if kind in MEDICAID else dict(counts)


_MEDICAID_OF: Mapping[str, str] = {table.name: kind for kind, table in MEDICAID.items()}
