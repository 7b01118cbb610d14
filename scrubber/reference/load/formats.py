"""Lists every published format that can be loaded, and recognises by its content which of them a file has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.load import (
    code_lists,
    coverage_database,
    icd10cm,
    localities,
    mpfs,
    mpfs_factors,
    ncci,
    providers,
)
from scrubber.reference.load.archive import OpenedSource, refused
from scrubber.reference.load.format import HEAD_BYTES, Format

CHANGED = "something else, or its header has changed"
# First bytes of files that are of none of the formats: the fault names what they are, so that the right file is sought.
_FIRST_BYTES = (
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (xls or doc)"),
    (b"SQLite format 3", "a SQLite file"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"<!DOCTYPE html", "a web page: it may be a licence to be accepted before the file comes"),
    (b"<html", "a web page: it may be a licence to be accepted before the file comes"),
    (b"{", "JSON"),
    (b"7z\xbc\xaf", "a 7z archive"),
)


class Recognised(NamedTuple):
    """Files of one kind with their formats, and the names of members of archives that are not read."""

    files: tuple[tuple[OpenedSource, Format], ...]
    passed_over: tuple[str, ...]


def recognise(sources: Iterable[OpenedSource], kind: str) -> Recognised:
    """The sources that are of a kind. Other members of an archive are passed over.

    Raises Faults for a file outside archives that is of another kind, and when no source is of the kind; the faults say
    what each file looks like instead.
    """
    found: list[tuple[OpenedSource, Format]] = []
    faults: list[Fault] = []
    others: list[Fault] = []
    for source in sources:
        head = _head(source)
        matching = next((each for each in FORMATS if each.kind == kind and each.recognise(head)), None)
        if matching is not None:
            found.append((source, matching))
        else:
            fault = Fault(source.name, 0, f"is no file of {kind}: it looks like {_description(source, head)}")
            (others if source.in_archive else faults).append(fault)
    if faults or not found:
        raise Faults(faults or others or [Fault("the archive", 0, "is empty")])
    duplicates = _duplicates(found)
    used = tuple(each for each in found if each[0].name not in duplicates)
    return Recognised(used, (*(fault.file for fault in others), *duplicates))


def _duplicates(found: Iterable[tuple[OpenedSource, Format]]) -> list[str]:
    """Members of an archive that repeat another one of the same name in another form: csv, text or workbook.

    Archives often hold one table in several forms. The csv is read rather than the text, the text rather than the
    workbook.
    """
    members = [(source.name, _stem(source), _rank(source, each)) for source, each in found if source.in_archive]
    best: dict[str, tuple[bool, int]] = {}
    for _, stem, rank in members:
        best[stem] = min(rank, best.get(stem, rank))
    return [name for name, stem, rank in members if rank > best[stem]]


def _stem(source: OpenedSource) -> str:
    return source.name.rpartition(".")[0].lower()


def _rank(source: OpenedSource, matching: Format) -> tuple[bool, int]:
    return source.is_workbook, FORMATS.index(matching)


def _head(source: OpenedSource) -> bytes:
    with source.binary() as content:
        head = content.read(HEAD_BYTES)
    if not head and not source.in_archive:
        raise refused(source.name, "is empty")
    return head


def _description(source: OpenedSource, head: bytes) -> str:
    description = looks_like(head)
    if source.is_workbook and description == CHANGED:
        return "a workbook that is not read as such: give the csv or the text beside it"
    return description


def looks_like(head: bytes) -> str:
    """What content that begins with `head` is, as a phrase for a message to the operator."""
    for each in FORMATS:
        if each.recognise(head):
            return f"{each.title} ({each.kind})"
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    for first_bytes, description in _FIRST_BYTES:
        if begin.startswith(first_bytes.lower()):
            return description
    return CHANGED if _is_text(head) else "no text"


def _is_text(head: bytes) -> bool:
    return b"\x00" not in head


# In the order of the command's help.
FORMATS: tuple[Format, ...] = (
    *ncci.PTP_FORMATS,
    *ncci.MUE_FORMATS,
    *ncci.ADD_ON_FORMATS,
    *mpfs.FORMATS,
    *mpfs_factors.GPCI_FORMATS,
    *mpfs_factors.ANES_FORMATS,
    *mpfs_factors.OPPS_CAP_FORMATS,
    *localities.COUNTY_FORMATS,
    *localities.ZIP_FORMATS,
    *icd10cm.FORMATS,
    *code_lists.FORMATS,
    *coverage_database.FORMATS,
    *providers.ORDER_FORMATS,
    *providers.NPPES_FORMATS,
)

KINDS: tuple[str, ...] = tuple(dict.fromkeys(each.kind for each in FORMATS))

# Kinds that list every code of a family: from a complete release it follows that a code it lacks does not exist.
COMPLETE_KINDS = ("icd10cm", "hcpcs", "place-of-service", "mpfs")
