"""What can be wrong with the structure of an X12 file: a fixed word for each, and a clause of our own."""

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
    "encoding": "there are bytes that are not UTF-8; they are read as Windows-1252",
    "line-break": "a line break stands inside the segment, which is read without it",
    "control-character": "a control character stands inside the segment",
    "cut-off": "the file ends before the end of what begins here",
    # The envelope.
    "not-in-interchange": "no interchange (ISA to IEA) is open here",
    "not-in-group": "no functional group (GS to GE) is open here",
    "not-in-set": "no transaction set (ST to SE) is open here",
    "not-closed": "what begins here is not closed before the next begins",
    "not-open": "what ends here has not begun",
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
    "hl-child": "the level above says that it has none below it",
    "no-billing-level": "the claim stands under no billing provider level",
    "no-subscriber-level": "the claim stands under no subscriber level",
    # Segments of a loop.
    "unknown-segment": "the guide has no segment with this id; it is not read",
    "unexpected-segment": "the guide has no such segment here; it is not read",
    "unknown-qualifier": "the guide has no such qualifier here",
    "unexpected-loop": "the guide has no such loop here; it is not read",
    "out-of-order": "the guide has this before what stands before it here",
    "too-many": "the guide allows fewer of these here",
    "missing-segment": "the guide requires this segment in the loop that begins here",
    "missing-element": "the guide requires this element in the segment",
    "component-separator": "the composite is not written with the component separator of ISA16, so it is not read",
    "no-lx": "a service line begins without LX",
    "too-many-segments": "the claim or level has more segments than are read; those from here on are not read",
    "more-faults": "there are more faults than are kept",
}


def in_words(fault: X12Fault) -> str:
    """The fault with its place, for people: `segment 12 (SE01): ...`."""
    name = fault.element or fault.segment
    place = f"segment {fault.ordinal} ({name})" if name else f"segment {fault.ordinal}"
    return f"{place}: {FAULTS[fault.word]}"


def add_fault(faults: list[X12Fault], word: str, ordinal: int, segment: str, element: str = "") -> None:
    """Append it, as long as not too many are kept."""
    if len(faults) < MOST_FAULTS - 1:
        faults.append(X12Fault(word, ordinal, segment, element))
    elif len(faults) < MOST_FAULTS:
        faults.append(X12Fault("more-faults", ordinal, "", ""))
