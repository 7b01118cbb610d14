"""Makes the facts of documentation: what is stated of the report behind a line, three-valued, element by element."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.model import ABSENT, Absence, Claim, Documentation
from scrubber.facts.fact import LIST, Fact, LookUps
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView, millionths
from scrubber.facts.stated_values import READERS, as_text, number_in
from scrubber.rulebook.family import SIGNATURE, UNREADABLE, DocumentElement
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rulebook import Rulebook

Elements = Mapping[str, str | Absence]
Values = dict[str, Any]
NONE_UNREADABLE: frozenset[str] = frozenset()
_ENTRY = re.compile(r"\.[0-9]+(?=\.|$)")  # the number of an entry in a flat name

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
    """What all documentation blocks together say of each line. A later block wins over an earlier one.

    `conflicts` are the lines of which two blocks say different things, under names that are known: `declared` are those
    of the families, beside those of the reader.
    """

    def __init__(self, claim: Claim, declared: Collection[str] = ()) -> None:
        self._by_line: dict[int, Elements] = {}
        self._pointers: dict[int, str] = {}
        self._unreadable: dict[int, frozenset[str]] = {}
        self.conflicts: set[int] = set()
        unknown = {each.name for block in claim.context.documentation for each in block.further} - {*declared}
        for block in claim.context.documentation:
            for number in block.lines:
                self._pointers[number] = block.pointer
                self._add(number, block, unknown)

    def _add(self, number: int, block: Documentation, unknown: Collection[str]) -> None:
        earlier, elements = self._by_line.get(number), block.elements
        if block.unreadable:
            self._unreadable[number] = self._unreadable.get(number, NONE_UNREADABLE) | block.unreadable
        if earlier is None:
            self._by_line[number] = elements
            return
        differing = [name for name, value in elements.items() if earlier.get(name, value) != value]
        if any(not _is_unknown(name, unknown) for name in differing):
            self.conflicts.add(number)
        self._by_line[number] = {**earlier, **elements}

    def of(self, number: int) -> Elements:
        """The elements supplied for a line, by flat name."""
        return self._by_line.get(number, {})

    def unreadable(self, number: int) -> frozenset[str]:
        """The flat names of what was supplied for a line and is no text, number or truth."""
        return self._unreadable.get(number, NONE_UNREADABLE)

    def pointer(self, number: int) -> str | None:
        """Where the elements of a line's last block stand in the body; None when no block is about it."""
        block = self._pointers.get(number)
        return f"{block}/elements" if block else None


def _is_unknown(name: str, unknown: Collection[str]) -> bool:
    """Whether a flat name, or all names in the object or list of that name, are among those that nobody knows."""
    bare = _ENTRY.sub("", name)
    return any(each == bare or each.startswith(f"{bare}.") for each in unknown)


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


class DocumentValue(NamedTuple):
    """The value of an element for a line, or the state why there is none: absent, not-supplied or unreadable."""

    value: Any
    state: str | None = None

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<DocumentValue>"


NOT_SUPPLIED = DocumentValue(None, NOT_SUPPLIED_STATE)
NONE_THERE = DocumentValue(None, Absence.ABSENT.value)
CANNOT_BE_READ = DocumentValue(None, UNREADABLE)


def document_value(documents: Documents, number: int, name: str, rulebook: Rulebook) -> DocumentValue:
    """The element that a family declares under a name, for a line; what no family declares is not supplied.

    Text, word: as it stands, a word as the family writes it. Number: millionths; minutes: a whole number; day: its
    ordinal; time: minutes since day 0; yes-no: whether yes; signature: True. Of an element that is there several times
    the sum of its numbers, or all texts.
    """
    element = rulebook.documentation_elements.get(name)
    if element is None:
        return NOT_SUPPLIED
    elements, unreadable = documents.of(number), documents.unreadable(number)
    if element.several:
        return _several(element, elements, unreadable)
    return _one(element, name, elements, unreadable)


def _one(element: DocumentElement, name: str, elements: Elements, unreadable: frozenset[str]) -> DocumentValue:
    if element.kind == SIGNATURE:
        return _signature_value(name, elements, unreadable)
    if name in unreadable:
        return CANNOT_BE_READ
    given = elements.get(name)
    if given is None:
        return NONE_THERE if _whole_is_absent(name, elements) else NOT_SUPPLIED
    if isinstance(given, Absence) or given.casefold().rstrip(".") in element.absent:
        return NONE_THERE
    value = None if _holds_others(name, elements) else READERS[element.kind](given, element)
    return CANNOT_BE_READ if value is None else DocumentValue(value)


def _whole_is_absent(name: str, elements: Elements) -> bool:
    """Whether an object that the element would stand in is stated absent."""
    above = name.rpartition(".")[0]
    return bool(above) and (elements.get(above) is ABSENT or _whole_is_absent(above, elements))


def _several(element: DocumentElement, elements: Elements, unreadable: frozenset[str]) -> DocumentValue:
    matches = re.compile("".join(rf"{re.escape(part)}(?:\.\d+)*\." for part in element.name.split("."))[:-2]).fullmatch
    if any(matches(name) for name in unreadable):
        return CANNOT_BE_READ
    named = [
        name for name in elements if matches(name) and f"{name}.0" not in elements
    ]  # lists stand for their entries
    found = [_one(element, name, elements, unreadable) for name in named]
    if any(each.state == UNREADABLE for each in found):
        return CANNOT_BE_READ
    values = [each.value for each in found if each.state is None]
    if not values:
        return NONE_THERE if found or _whole_is_absent(element.name, elements) else NOT_SUPPLIED
    if element.kind in ("number", "minutes"):
        return DocumentValue(sum(values))
    return DocumentValue(tuple(as_text(element, value) for value in values))


def _holds_others(name: str, elements: Elements) -> bool:
    """Whether a flat name is that of an object or a list, which stands for what is in it."""
    return any(each.startswith(f"{name}.") for each in elements)


def _signature_value(name: str, elements: Elements, unreadable: frozenset[str]) -> DocumentValue:
    """Given where it has a name or an NPI; absent where it, or the name and no NPI, is stated absent."""
    person = elements.get(f"{name}.name"), elements.get(f"{name}.npi")
    if any(isinstance(each, str) for each in person) or isinstance(elements.get(name), str):
        stated_absent = person[0] is ABSENT and not isinstance(person[1], str)
        return NONE_THERE if stated_absent else DocumentValue(True)
    if unreadable & {name, f"{name}.name", f"{name}.npi"}:
        return CANNOT_BE_READ
    return NONE_THERE if ABSENT in (elements.get(name), person[0]) else NOT_SUPPLIED
