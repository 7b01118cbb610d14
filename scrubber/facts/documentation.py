"""Makes the facts of documentation: what is stated of the report behind a line, three-valued, element by element."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any, NamedTuple

from scrubber.claim.model import ABSENT, Absence, Claim, Documentation
from scrubber.facts.fact import Fact
from scrubber.facts.service_lines import LineView
from scrubber.facts.stated_values import READERS, as_text, number_in
from scrubber.remembered import remembered
from scrubber.rulebook.family import OBJECT, SIGNATURE, UNREADABLE, DerivedWord, DocumentElement
from scrubber.rulebook.field import state_key
from scrubber.rulebook.relations import Own, walk
from scrubber.rulebook.rule import Compare, Has, InList, Rule, conditions_of
from scrubber.rulebook.rulebook import Rulebook

Elements = Mapping[str, str | Absence]
Values = dict[str, Any]
NONE_UNREADABLE: frozenset[str] = frozenset()
NO_ELEMENTS: Elements = {}
_ENTRY = re.compile(r"\.[0-9]+(?=\.|$)")  # the number of an entry in a flat name

NOT_SUPPLIED_STATE = Absence.NOT_SUPPLIED.value
NOTHING = frozenset(("n/a", "na", "none", "nil", "-", "not stated", "not documented", "not applicable"))
RENDERING = "renderingNpi"


class LineDocument:
    """What documentation says of a line, by flat name. `unreadable` are the names of what is no text, number or truth.

    `wholes` are the objects and lists of which something was supplied, `with_text` those in which a text was.
    """

    __slots__ = ("_absent", "_named", "elements", "unreadable", "wholes", "with_text")

    def __init__(self, elements: Elements, unreadable: frozenset[str] = NONE_UNREADABLE) -> None:
        self.elements = elements
        self.unreadable = unreadable
        self.wholes: set[str] = set()
        self.with_text: set[str] = set()
        self._absent = False
        for name, value in elements.items():
            if value is ABSENT:
                self._absent = True
            if "." in name:
                above = _wholes(name)
                self.wholes.update(above)
                if isinstance(value, str):
                    self.with_text.update(above)
        self._named = {*elements, *unreadable, *self.wholes}
        for name in unreadable:
            self._named.update(_wholes(name))
        self._named.update([_ENTRY.sub("", name) for name in self._named if "." in name])

    def bears_on(self, name: str) -> bool:
        """Whether anything was supplied that may say something of an element, by its declared name."""
        return name in self._named or (self._absent and _whole_is_absent(name, self.elements))


class Documents:
    """What all documentation blocks together say of each line. A later block wins over an earlier one.

    `conflicts` are the lines of which two blocks say different things, under names that are known: `declared` are those
    of the families, beside those of the reader.
    """

    def __init__(self, claim: Claim, declared: Collection[str] = ()) -> None:
        self._by_line: dict[int, Elements] = {}
        self._pointers: dict[int, str] = {}
        self._unreadable: dict[int, frozenset[str]] = {}
        self._lines: dict[tuple[int, frozenset[str]], LineDocument] = {}
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
        return self._by_line.get(number, NO_ELEMENTS)

    def line(self, number: int) -> LineDocument:
        """All that was supplied for a line."""
        elements, unreadable = self.of(number), self._unreadable.get(number, NONE_UNREADABLE)
        key = id(elements), unreadable  # one block is often about several lines
        found = self._lines.get(key)
        if found is None:
            found = self._lines[key] = LineDocument(elements, unreadable)
        return found

    def pointer(self, number: int) -> str | None:
        """Where the elements of a line's last block stand in the body; None when no block is about it."""
        block = self._pointers.get(number)
        return f"{block}/elements" if block else None


def _wholes(name: str) -> list[str]:
    """The objects and lists that an element stands in."""
    found = []
    whole = name.rpartition(".")[0]
    while whole:
        found.append(whole)
        whole = whole.rpartition(".")[0]
    return found


def _is_unknown(name: str, unknown: Collection[str]) -> bool:
    """Whether a flat name, or all names in the object or list of that name, are among those that nobody knows."""
    bare = _ENTRY.sub("", name)
    return any(each == bare or each.startswith(f"{bare}.") for each in unknown)


def document_facts(views: Sequence[LineView], documents: Documents, rulebook: Rulebook) -> Iterator[Fact]:
    """One fact a line, whether or not anything was said of its report: the elements that running rules read.

    Words that follow from elements are added where questions are answered (`relations.derived`).
    """
    names = elements_read(rulebook)
    for view in views:
        values: Values = dict(view.values)
        if view.rendering is not None and view.rendering.npi:
            values[RENDERING] = view.rendering.npi
        line = documents.line(view.number)
        for name in names:
            found = document_value(line, name, rulebook)
            if found.state is None:
                values[name] = found.value
            elif found.state == UNREADABLE and name in line.unreadable:  # no text at all, which a finding says already
                values[state_key(name)] = NOT_SUPPLIED_STATE
            elif found.state == UNREADABLE and rulebook.documentation_elements[name].kind == "number":
                number = number_in(line.elements.get(name))
                values[state_key(name)] = number if isinstance(number, str) else UNREADABLE
            else:
                values[state_key(name)] = found.state
        yield Fact("document", values, (view.number,), pointer=documents.pointer(view.number))


@remembered(4)
def elements_read(rulebook: Rulebook) -> tuple[str, ...]:
    """The elements of families that running rules about documents read, also by way of words that follow from them."""
    words = words_read(rulebook)
    read = _read(rulebook).union(name for each in words for name in _names_in((each.cases, each.only_where)))
    return tuple(name for name in rulebook.documentation_elements if name in read)


@remembered(4)
def words_read(rulebook: Rulebook) -> tuple[DerivedWord, ...]:
    """The words that follow from elements and that running rules about documents read."""
    read = _read(rulebook)
    return tuple(each for each in rulebook.derived_words if each.field.name in read)


def _read(rulebook: Rulebook) -> set[str]:
    return {name for rule in rulebook.running if rule.scope == "document" for name in _names_read(rule)}


def _names_read(rule: Rule) -> Iterator[str]:
    yield from rule.needs
    yield from _names_in((conditions_of(rule), rule.names))
    for text in (rule.message, rule.fix, rule.not_checked):
        yield from (name for _, name, _, _ in Formatter().parse(text or "") if name)


def _names_in(node: object) -> Iterator[str]:
    for part in walk(node):
        if isinstance(part, Own):
            yield part.name
        elif isinstance(part, Compare | Has | InList):
            yield part.fact.removesuffix("?")


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


class DocumentValue(NamedTuple):
    """The value of an element for a line, or the state why there is none: absent, not-supplied or unreadable."""

    value: Any
    state: str | None = None

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<DocumentValue>"


NOT_SUPPLIED = DocumentValue(None, NOT_SUPPLIED_STATE)
NONE_THERE = DocumentValue(None, Absence.ABSENT.value)
THERE = DocumentValue(True)
CANNOT_BE_READ = DocumentValue(None, UNREADABLE)


def document_value(line: LineDocument, name: str, rulebook: Rulebook) -> DocumentValue:
    """The element that a family declares under a name, for a line; what no family declares is not supplied.

    Text, word: as it stands, a word as the family writes it. Number: millionths; minutes: a whole number; day: its
    ordinal; time: minutes since day 0; yes-no: whether yes; signature: True. Of an element that is there several times
    the sum of its numbers, or all texts.
    """
    element = rulebook.documentation_elements.get(name)
    if element is None or not line.bears_on(name):
        return NOT_SUPPLIED
    return _several(element, line) if element.several else _one(element, name, line)


def _one(element: DocumentElement, name: str, line: LineDocument) -> DocumentValue:
    """An element, or an entry of its list, by flat name."""
    elements = line.elements
    if element.kind == SIGNATURE:
        return _signature_value(name, elements, line.unreadable)
    if element.kind == OBJECT:
        return _object_value(name, element.main, line)
    if name in line.unreadable:
        return CANNOT_BE_READ
    given = elements.get(name)
    if given is None:
        return NONE_THERE if _whole_is_absent(name, elements) else NOT_SUPPLIED
    if isinstance(given, Absence) or given.casefold().rstrip(".") in element.absent:
        return NONE_THERE
    value = None if name in line.wholes else READERS[element.kind](given, element)  # a whole is no value
    return CANNOT_BE_READ if value is None else DocumentValue(value)


def _object_value(name: str, main: str | None, line: LineDocument) -> DocumentValue:
    """There where anything in it is given; absent where it, or its main member and nothing else, is stated absent.

    Where a block gives something and a later one says that there is none, there is none.
    """
    elements, given = line.elements, name in line.with_text
    if elements.get(name) is not ABSENT:
        return THERE if given else NOT_SUPPLIED
    without_main = name in line.wholes and not given and elements.get(f"{name}.{main}") is not ABSENT
    return NOT_SUPPLIED if without_main else NONE_THERE


def _whole_is_absent(name: str, elements: Elements) -> bool:
    """Whether an object that the element would stand in is stated absent."""
    above = name.rpartition(".")[0]
    return bool(above) and (elements.get(above) is ABSENT or _whole_is_absent(above, elements))


def _several(element: DocumentElement, line: LineDocument) -> DocumentValue:
    elements = line.elements
    matches = re.compile("".join(rf"{re.escape(part)}(?:\.\d+)*\." for part in element.name.split("."))[:-2]).fullmatch
    if any(matches(name) for name in line.unreadable):
        return CANNOT_BE_READ
    named = [
        name for name in elements if matches(name) and f"{name}.0" not in elements
    ]  # lists stand for their entries
    found = [_one(element, name, line) for name in named]
    if any(each.state == UNREADABLE for each in found):
        return CANNOT_BE_READ
    values = [each.value for each in found if each.state is None]
    if not values:
        return NONE_THERE if found or _whole_is_absent(element.name, elements) else NOT_SUPPLIED
    if element.kind in ("number", "minutes"):
        return DocumentValue(sum(values))
    return DocumentValue(tuple(as_text(element, value) for value in values))


def _signature_value(name: str, elements: Elements, unreadable: frozenset[str]) -> DocumentValue:
    """Given where it has a name or an NPI; absent where it, or the name and no NPI, is stated absent."""
    person = elements.get(f"{name}.name"), elements.get(f"{name}.npi")
    if elements.get(name) is ABSENT and any(isinstance(each, str) for each in person):
        return NONE_THERE  # a later block says that there is none
    if any(isinstance(each, str) for each in person) or isinstance(elements.get(name), str):
        stated_absent = person[0] is ABSENT and not isinstance(person[1], str)
        return NONE_THERE if stated_absent else THERE
    if unreadable & {name, f"{name}.name", f"{name}.npi"}:
        return CANNOT_BE_READ
    return NONE_THERE if ABSENT in (elements.get(name), person[0]) else NOT_SUPPLIED
