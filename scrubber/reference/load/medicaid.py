"""Loads Medicaid's own NCCI tables, whose files have the same layout as Medicare's.

Their kinds are those of Medicare's followed by `-medicaid`. Nothing in a file says whose edits it holds, so the
operator does, by the kind; a file whose name is that of the other program is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.load.formats import KINDS
from scrubber.reference.storage import LoadedRelease
from scrubber.reference.tables import MEDICAID

MEDICAID_KINDS = tuple(MEDICAID)
LOADED_KINDS = (*KINDS, *MEDICAID_KINDS)
_MEDICARES = "CMS NCCI"
_MEDICAIDS = "CMS Medicaid NCCI"
_has_medicaid_name = re.compile(r"medicaid|mcd", re.IGNORECASE).search
_has_medicare_name = re.compile(r"ccipra|mcr|medicare", re.IGNORECASE).search


def layout_of(kind: str) -> str:
    """The kind whose layout the files of a kind have."""
    return MEDICAID[kind].name if kind in MEDICAID else kind


def check_names(kind: str, names: Iterable[str]) -> None:
    """Raises Faults for files of NCCI edits that are of the other program by their names."""
    if kind not in MEDICAID and kind not in _MEDICAID_OF:
        return
    has_other_name, other = (
        (_has_medicare_name, layout_of(kind)) if kind in MEDICAID else (_has_medicaid_name, _MEDICAID_OF[kind])
    )
    found = [name for name in names if has_other_name(name)]
    if found:
        raise Faults([Fault(name, 0, f"is of the other program by its name: load it as {other}") for name in found])


def check_bytes(kind: str, digest: str, loaded: Iterable[LoadedRelease]) -> None:
    """Raises Faults where the same bytes are loaded as the edits of the other program."""
    other = _MEDICAID_OF.get(kind, layout_of(kind))
    same = next((each for each in loaded if each.sha256 == digest and each.kind == other != kind), None)
    if same is not None:
        raise Faults([Fault(same.files[0].name, 0, f"is loaded already as {other} {same.name}: drop that first")])


def as_loaded(kind: str, row: NamedTuple) -> NamedTuple:
    """A row of a kind, with the program that it comes from as its source."""
    if kind not in MEDICAID:
        return row
    edit: Any = row
    changed: NamedTuple = edit._replace(source=edit.source.replace(_MEDICARES, _MEDICAIDS))
    return changed


def rows_by_table(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of rows by the table they are reported under: those of a Medicaid kind under that kind."""
    return {kind: sum(counts.values())} if kind in MEDICAID else dict(counts)


_MEDICAID_OF: Mapping[str, str] = {table.name: kind for kind, table in MEDICAID.items()}
