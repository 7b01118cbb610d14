"""What can be wrong with the structure of an X12 file: a fixed word for each, and a sentence of our own."""

from __future__ import annotations

from typing import NamedTuple


class X12Fault(NamedTuple):
    """`word` of `FAULTS`; `ordinal` of the segment in the file, from 1; its id, if the guide has it, and the element.

    Never a value: an id that the guide does not have may be text of a claim, and is left out.
    """

    word: str
    ordinal: int
    segment: str
    element: str


MOST_FAULTS = 100  # that are kept of one claim, set, group or interchange; the last is then `more-faults`

FAULTS = {
    # How segments are written.
    "encoding": "has bytes that are not UTF-8; it is read as Windows-1252",
    "line-break": "has a line break inside; it is read without",
    "control-character": "has a control character inside",
    "cut-off": "the file ends before the end of what begins here",
    # The envelope.
    "not-in-interchange": "stands outside an interchange (ISA to IEA)",
    "not-in-group": "stands outside a functional group (GS to GE)",
    "not-in-set": "stands outside a transaction set (ST to SE)",
    "not-closed": "what begins here is not closed before the next begins",
    "not-open": "closes what was not opened",
    "control-number": "the control number is not that of the header",
    "control-number-repeated": "the control number was used before in the same envelope",
    "control-number-missing": "there is no control number",
    "count": "the count is not what was counted",
    "version": "the version is not that of the guide",
    "functional-group": "the functional group is not one of claims",
    "foreign-set": "the transaction set is no professional claim that is read here",
    # Levels.
    "hl-number": "the number of the level does not follow the one before",
    "hl-parent": "the parent is not the level that this one stands under",
    "hl-level": "the level is not one of the guide (20, 22, 23)",
    "hl-child": "stands under a level that says it has none below it",
    "no-billing-level": "stands under no billing provider level",
    "no-subscriber-level": "stands under no subscriber level",
    # Segments of a loop.
    "unknown-segment": "is no segment of the guide",
    "unexpected-segment": "the guide has no such segment here; it is not read",
    "unknown-qualifier": "the guide has no such qualifier here",
    "unexpected-loop": "the guide has no such loop here; it is not read",
    "out-of-order": "stands behind what it should come before",
    "too-many": "stands more often than the guide allows",
    "no-lx": "begins a service line without LX",
    "too-many-segments": "here the claim or level has more segments than are read; the rest of it is not read",
    "more-faults": "there are more faults than are kept",
}


def add_fault(faults: list[X12Fault], word: str, ordinal: int, segment: str, element: str = "") -> None:
    """Append it, as long as not too many are kept."""
    if len(faults) < MOST_FAULTS - 1:
        faults.append(X12Fault(word, ordinal, segment, element))
    elif len(faults) < MOST_FAULTS:
        faults.append(X12Fault("more-faults", ordinal, "", ""))
