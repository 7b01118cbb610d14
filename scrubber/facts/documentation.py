"""Makes the facts of documentation: what is stated of the report behind a line, three-valued, element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from scrubber.claim.model import ABSENT, Absence, Claim
from scrubber.facts.fact import LIST, Fact, LookUps
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView, millionths
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rulebook import Rulebook

Elements = Mapping[str, str | Absence]
Values = dict[str, Any]

NOT_SUPPLIED_STATE = Absence.NOT_SUPPLIED.value
ROUTINE = "routine-indications"
NOTHING = frozenset(("n/a", "na", "none", "nil", "-", "not stated", "not documented", "not applicable"))
SPINE_STUDIES = "studies-with-lumbar-spine"
OTHER_STUDIES = "studies-without-lumbar-spine"
CLEARED = "cleared-tbs-software"
STATED = ("findings", "interpretation", "recommendation")  # passages of a report: there, or not
LOWEST_SCORE, HIGHEST_SCORE = "tbs-plausible-low", "tbs-plausible-high"

DOCUMENT_LOOK_UPS: LookUps = {
    **SHARED_LOOK_UPS,
    "tbsRange": (("limit", LOWEST_SCORE), ("limit", HIGHEST_SCORE)),
    "sourceStudy": ((LIST, SPINE_STUDIES), (LIST, OTHER_STUDIES)),
    "tbsSoftware": ((LIST, CLEARED),),
    "indication": ((LIST, ROUTINE),),
    "softwareVendor": (("software_vendors", ""),),
}

# Where the element behind each field of a document fact stands in its block.
DOCUMENT_PLACES = {
    "tbsValue": "tbsValue",
    "tbsRange": "tbsValue",
    "tbsEqualsTScore": "tbsValue",
    "tScore": "tScore",
    "indication": "indication",
    "interpretation": "interpretation",
    "findings": "findings",
    "recommendation": "recommendation",
    "separateReport": "separateReport",
    "signature": "signature",
    "signer": "signature/npi",
    "sourceStudy": "sourceStudy",
    "tbsSoftware": "tbsSoftware",
    "softwareVendor": "tbsSoftware/vendor",
}


class Documents:
    """What all documentation blocks together say of each line. A later block wins over an earlier one."""

    def __init__(self, claim: Claim) -> None:
        self._by_line: dict[int, Elements] = {}
        self._pointers: dict[int, str] = {}
        self.conflicts: set[int] = set()
        for block in claim.context.documentation:
            for number in block.lines:
                self._pointers[number] = block.pointer
                self._add(number, block.elements)

    def _add(self, number: int, elements: Elements) -> None:
        earlier = self._by_line.get(number)
        if earlier is None:
            self._by_line[number] = elements
            return
        if any(earlier.get(name, value) != value for name, value in elements.items()):
            self.conflicts.add(number)
        self._by_line[number] = {**earlier, **elements}

    def of(self, number: int) -> Elements:
        """The elements supplied for a line, by flat name."""
        return self._by_line.get(number, {})

    def pointer(self, number: int) -> str | None:
        """Where the elements of a line's last block stand in the body; None when no block is about it."""
        block = self._pointers.get(number)
        return f"{block}/elements" if block else None


def document_facts(claim: Claim, views: Sequence[LineView], documents: Documents, rulebook: Rulebook) -> Iterator[Fact]:
    """One fact a line, whether or not anything was said of its report."""
    for view in views:
        elements = documents.of(view.number)
        values: Values = dict(view.values)
        values |= _scores(elements, view, rulebook)
        values |= _indication(elements, view, rulebook)
        for name in STATED:
            values |= _word_state(name, elements, "stated")
        values |= flag_state("separateReport", elements)
        values |= _signature(elements, view)
        values |= _source_study(claim, elements, view, rulebook)
        values |= _software(elements, view, rulebook)
        values |= _software_vendor(elements, view, rulebook)
        yield Fact("document", values, (view.number,), pointer=documents.pointer(view.number))


def flag_state(name: str, elements: Elements) -> Values:
    """A yes-or-no element: its value, or its state. Any text but a no counts as yes."""
    given = elements.get(name)
    if given is None:
        return {state_key(name): NOT_SUPPLIED_STATE}
    if isinstance(given, Absence):
        return {state_key(name): given.value}
    return {name: given.strip().casefold() not in ("false", "no", "n", "none")}


def modifier_support(documents: Documents, *numbers: int) -> Values:
    """Whether the record supports a modifier on some of these lines: the first of them that anything is said of."""
    for number in numbers:
        state = flag_state("modifierSupport", documents.of(number))
        if state.get("modifierSupport?") != NOT_SUPPLIED_STATE:
            return state
    return {"modifierSupport?": NOT_SUPPLIED_STATE}


def _word_state(name: str, elements: Elements, word: str) -> Values:
    given = elements.get(name)
    if given is None:
        return {state_key(name): NOT_SUPPLIED_STATE}
    if isinstance(given, Absence):
        return {state_key(name): given.value}
    if given.strip().casefold().rstrip(".") in NOTHING:
        return {state_key(name): Absence.ABSENT.value}
    return {name: word}


# Digits that belong to a word are no number: the levels L1-L4 of "1.285 (L1-L4)". A comma between digits is a point.
_NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:[0-9]{1,9}(?:[.,][0-9]{1,9})?|[.,][0-9]{1,9})(?!\w|[.,][0-9])")
_MINUS = str.maketrans("\u2212\u2013", "--")


def number_in(given: str | Absence | None) -> Decimal | str:
    """The one number in a text, or the state of the element.

    Of several numbers nobody can tell which is meant: that is a state of its own, for the report may well be sound.
    """
    if given is None:
        return NOT_SUPPLIED_STATE
    if isinstance(given, Absence):
        return given.value
    found = _NUMBER.findall(given.translate(_MINUS))
    if len(found) > 1:
        return "several-numbers"
    return Decimal(found[0].replace(",", ".")) if found else "not-a-number"


def _scores(elements: Elements, view: LineView, rulebook: Rulebook) -> Values:
    values: Values = {}
    numbers = {name: number_in(elements.get(name)) for name in ("tbsValue", "tScore")}
    for name, number in numbers.items():
        if isinstance(number, str):
            values[state_key(name)] = number
        else:
            values[name] = millionths(number)
    score, t_score = numbers["tbsValue"], numbers["tScore"]
    if isinstance(score, Decimal):
        values["tbsRange"] = _range_of(score, view, rulebook)
        if isinstance(t_score, Decimal):
            values["tbsEqualsTScore"] = score == t_score
    return values


def _range_of(score: Decimal, view: LineView, rulebook: Rulebook) -> str:
    if score <= 0:
        return "impossible"
    low = rulebook.limit(LOWEST_SCORE, view.first) if view.first else None
    high = rulebook.limit(HIGHEST_SCORE, view.first) if view.first else None
    outside = (low is not None and score < low) or (high is not None and score > high)
    return "implausible" if outside else "plausible"


def _indication(elements: Elements, view: LineView, rulebook: Rulebook) -> Values:
    given = elements.get("indication")
    values = _word_state("indication", elements, "stated")
    if isinstance(given, str) and "indication" in values:
        words = " ".join(re.findall(r"[a-z0-9]+", given.casefold()))
        if rulebook.lists.contains(ROUTINE, words, view.values.get("day", 0)):
            values["indication"] = "routine-only"
    return values


def _signature(elements: Elements, view: LineView) -> Values:
    name, npi = elements.get("signature.name"), elements.get("signature.npi")
    values = _word_state("signature", elements, "given")
    if name is ABSENT and (npi is ABSENT or npi is None):
        values = {state_key("signature"): Absence.ABSENT.value}
    if "signature" not in values:
        return values
    rendering = view.rendering.npi if view.rendering else None
    signer = npi.replace("-", "").replace(" ", "") if isinstance(npi, str) else ""
    if signer.isdigit() and rendering:
        return values | {"signer": "same" if signer == rendering else "other"}
    return values | {state_key("signer"): NOT_SUPPLIED_STATE}


_SPINE = re.compile(r"\bL\s?[1-5]\b|lumbar|spine", re.IGNORECASE)


def _source_study(claim: Claim, elements: Elements, view: LineView, rulebook: Rulebook) -> Values:
    name, day = "sourceStudy", view.values.get("day", 0)
    code, levels = elements.get("sourceStudy.code"), elements.get("sourceStudy.levels")
    if elements.get(name) is ABSENT:
        return {state_key(name): Absence.ABSENT.value}
    if isinstance(code, str):
        code = code.strip().upper().partition("-")[0]  # 77080-TC is a part of 77080
        if rulebook.lists.contains(SPINE_STUDIES, code, day):
            return {name: "spine"}
        if rulebook.lists.contains(OTHER_STUDIES, code, day):
            return {name: "no-spine"}
    if isinstance(levels, str):
        return {name: "spine" if _SPINE.search(levels) else "no-spine"}
    billed = any(rulebook.lists.contains(SPINE_STUDIES, line.procedure or "", day) for line in claim.lines)
    return {name: "spine"} if billed else {state_key(name): NOT_SUPPLIED_STATE}


_CLEARANCE = re.compile(r"K[0-9]{6}")


def _software(elements: Elements, view: LineView, rulebook: Rulebook) -> Values:
    name, clearance = "tbsSoftware", elements.get("tbsSoftware.clearance")
    if elements.get(name) is ABSENT:
        return {state_key(name): Absence.ABSENT.value}
    if isinstance(clearance, str):
        number = _CLEARANCE.search(clearance.upper())  # some reports write K243218 v4
        listed = number is not None and rulebook.lists.contains(CLEARED, number[0], view.values.get("day", 0))
        return {name: "cleared" if listed else "not-listed"}
    if clearance is ABSENT:
        return {name: "no-clearance-given"}
    return {state_key(name): NOT_SUPPLIED_STATE}


def _software_vendor(elements: Elements, view: LineView, rulebook: Rulebook) -> Values:
    """Only where some row says whose software the payer accepts."""
    name, given = "softwareVendor", elements.get("tbsSoftware.vendor")
    accepted = rulebook.software_vendors(view.payer, view.first) if view.first else frozenset()
    if not accepted:
        return {}
    if isinstance(given, str):
        return {name: "accepted" if given.strip().casefold() in accepted else "not-accepted"}
    absent = ABSENT in (given, elements.get("tbsSoftware"))
    return {state_key(name): Absence.ABSENT.value if absent else NOT_SUPPLIED_STATE}
