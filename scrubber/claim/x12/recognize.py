"""Says what a file is that is no 837P: by its first bytes, or by the codes of its X12 envelope."""

from __future__ import annotations

import re
from typing import NoReturn

from scrubber.errors import NotX12

HEAD = 4096  # bytes that are enough to say so

_BY_FIRST_BYTES = (
    (b"PK\x03\x04", "zip", "a zip archive"),
    (b"\x1f\x8b", "gzip", "gzip"),
    (b"%PDF", "pdf", "a PDF"),
    (b"{\\rtf", "rtf", "a rich text document"),
    (b"{", "json", "JSON"),
    (b"[", "json", "JSON"),
    (b"<", "xml", "XML or HTML"),
    (b"MSH|", "hl7", "HL7 v2"),
    (b"UNA", "edifact", "EDIFACT"),
    (b"UNB", "edifact", "EDIFACT"),
    (b"\xc9\xe2\xc1", "ebcdic", "X12 in EBCDIC, which must be converted to ASCII"),
)

# Guides by the digits behind X in the version (ST03, GS08): our words for what the set is.
_GUIDES = {
    "096": "837I", "097": "837D", "098": "837P", "222": "837P", "223": "837I", "224": "837D",
    "291": "a predetermination (837 X291), which asks for no payment",
    "292": "a predetermination (837 X292), which asks for no payment",
    "298": "post-adjudicated claims data (837 X298)", "299": "post-adjudicated claims data (837 X299)",
    "300": "post-adjudicated claims data (837 X300)",
    "212": "277 claim status", "213": "277 request for information", "214": "277CA", "364": "277 data reporting",
}  # fmt: skip
_SETS = ("270", "271", "275", "276", "277", "278", "820", "824", "834", "835", "837", "997", "999")
_SEGMENT = re.compile(rb"(?:GS|ST)([^0-9A-Z ])")
_ST = re.compile(rb"(?<![0-9A-Z])ST[^0-9A-Z ]([0-9]{3})[^0-9A-Z]")
_ISA = re.compile(rb"(?<![0-9A-Z])ISA([^0-9A-Z ])[0-9]{2}\1")
VERSIONS = ("005010X222", "005010X222A1", "005010X222A2")


def refuse_content(start: bytes, byte: int) -> NoReturn:
    """Raises NotX12 for a file whose first bytes, `HEAD` of them, are no ISA; they stand at this byte of it."""
    for magic, word, what in _BY_FIRST_BYTES:
        if start.startswith(magic):
            raise NotX12(word, f"the file is {what}, not X12", byte, 0)
    upper = start.upper()
    if _SEGMENT.match(upper):
        found = _ST.search(upper)
        code = found.group(1).decode() if found else ""
        what = f"; the first set in it is {code}" if code in _SETS else ""
        raise NotX12("no-isa", "the file begins without ISA, which says what its delimiters are" + what, byte, 1)
    isa = _ISA.search(upper)
    if isa is not None:
        before = len(start[: isa.start()].decode(errors="replace"))
        reason = f"text stands before ISA, which begins {before} characters later"
        raise NotX12("text-before-isa", reason, byte, 0)
    if _in_columns(start):
        raise NotX12("csv", "the file is text in columns, as CSV is, not X12", byte, 0)
    raise NotX12("no-isa", "the file does not begin with ISA", byte, 0)


def _in_columns(start: bytes) -> bool:
    """Whether the first two lines have the same number, two or more, of a mark that separates columns."""
    lines = start.splitlines()
    if len(lines) < 2 or b"\0" in start:
        return False
    return any(lines[0].count(mark) == lines[1].count(mark) > 1 for mark in (b",", b";", b"\t", b"|"))


def foreign_set(transaction: str, version: str) -> str:
    """What a set is, in our words, from ST01 and its version (ST03, or GS08); empty for an 837P that is read.

    Codes that are not in the lists above give a fixed word: they may be anything that stands in the file.
    """
    if transaction == "837" and version in VERSIONS:
        return ""
    release, _, guide = version.partition("X")
    what = _GUIDES.get(guide[:3], "")
    if transaction == "837":
        if what == "837P":
            return "837P of 4010" if release.startswith("00401") else "837P of another version"
        return what if what.startswith(("837", "a pre", "post")) else "837 of an unknown guide"
    if transaction == "277" and what.startswith("277"):
        return what
    return transaction if transaction in _SETS else "a set of another kind"
