"""Writes the segments of one claim from its v3 body, and says which of its elements the 837P has no place for.

    written = write_segments(body)
    written.claim           2300 with all loops in it, as `Segment`s
    written.left_out        by JSON pointer, why something is not in them

A segment is a list: its id, then its elements; an element is a text, or a list of texts where it has components. Values
are written as the readers of JSON understand them (dates CCYYMMDD, codes without dots, upper case), and as they were
sent where these cannot. Every value of the body is either written or stands in `left_out`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from scrubber.claim.v3.schema import NAME, UNREADABLE_NAME
from scrubber.claim.v3.values import IrregularList
from scrubber.claim.x12.fixed import fill
from scrubber.claim.x12.layout import LAYOUT, LoopLayout, Position, SegmentLayout, Step
from scrubber.claim.x12.plans import ENTRIES, ROOT
from scrubber.claim.x12.pointers import Located, is_something, listed_in, pointer_of, scalars, value_in
from scrubber.claim.x12.texts import BLANKS, TOO_LONG, text_of
from scrubber.claim.x12.v3_shape import NO_PLACE, ModelBody, in_model_shape

Element = str | list[str]
Segment = list[Element]
Parts = dict[int, str]  # of an element, by component; 0 where it has none
Elements = dict[int, Parts]

MOST_ADJUSTMENTS = 6  # of one CAS
MOST_CODES = 12  # of one HI
MOST_CONDITIONS = 2  # HI with condition codes
MOST_NUMBERS = 3  # of one PER
_SELF = "18"  # the patient is the subscriber

TOO_MANY = "more of them than the guide allows"
NO_NUMBER = "it says what a number is, and there is no number"
NO_KIND = "written as {}: its qualifier is missing, or none of the guide"


class LeftOut(NamedTuple):
    """A value of a body that is not in the file, or not as sent: its JSON pointer, and why."""

    pointer: str
    reason: str


class WrittenClaim(NamedTuple):
    """The segments of a claim by level. `patient` is None where the subscriber is the patient."""

    control_number: str
    usage: str
    header: list[Segment]
    billing: list[Segment]
    subscriber: list[Segment]
    patient: list[Segment] | None
    claim: list[Segment]
    left_out: tuple[LeftOut, ...]


def write_segments(body: object) -> WrittenClaim:
    """The segments of a claim, from a parsed body.

    Raises NotAClaim for what is no claim, and for a claim of another kind (837I, 837D). A body in which another object
    or a list is something else is written without it.
    """
    writer = _Writer(in_model_shape(body))
    control_number = writer.header_text("controlNumber", 4, 9)
    usage = writer.header_text("usageIndicator", 1, 1)
    header = [*writer.loop("1000A", "41"), *writer.loop("1000B", "40")]
    billing = writer.level("2000A")
    subscriber = writer.level("2000B")
    patient = writer.level("2000C") if writer.has_dependent else None
    claim = writer.loop("2300", "")
    return WrittenClaim(control_number, usage, header, billing, subscriber, patient, claim, writer.left_out())


class _Writer:
    def __init__(self, model: ModelBody) -> None:
        self._model = model
        self._body = model.body
        self._objects: list[Located | None] = [None] * len(ENTRIES)
        self._objects[ROOT] = Located(model.body, "")
        self._written: set[str] = set()  # pointers into the model shape
        self._order: list[str] = []  # the same, in the order in which they were written
        self._reasons: dict[str, str] = {}
        self._lines = 0
        dependent = model.body.get("dependent")
        self.has_dependent = type(dependent) is dict and any(is_something(value) for _, value in scalars(dependent))

    def header_text(self, name: str, shortest: int, longest: int) -> str:
        """A text of the envelope; empty where it is none, or not of a length that can be written."""
        value = self._body.get(name)
        if type(value) is not str or not (shortest <= len(value) <= longest and value.isascii() and value.isalnum()):
            return ""
        self._write(f"/{name}")
        return value

    def level(self, name: str) -> list[Segment]:
        """A hierarchical level, without its HL."""
        return self._behind_opener(LAYOUT[name])

    def loop(self, name: str, qualifier: str) -> list[Segment]:
        """The segments of a loop and of those in it; none where the body says nothing for it."""
        layout = LAYOUT[name]
        first = self._first(layout, name, qualifier)
        behind = self._behind_opener(layout)
        if first is None and behind:
            first = fill({}, name, layout.opener, qualifier)
        return [first, *behind] if first else behind

    def _first(self, layout: LoopLayout, name: str, qualifier: str) -> Segment | None:
        elements: Elements = {}
        for each in layout.first:
            at = self._objects[each.level]
            if at is not None:
                self._take(each, at, elements)
        if name == "2400":
            self._lines += 1
            elements.setdefault(1, {0: str(self._lines)})
        return fill(elements, name, layout.opener, qualifier) if elements else None

    def _behind_opener(self, layout: LoopLayout) -> list[Segment]:
        segments: list[Segment] = []
        for position in layout.positions:
            if position.opens:
                segments += self._loops(position)
            else:
                segments += self._segments(position)
        return segments

    def _loops(self, position: Position) -> list[Segment]:
        """A loop that the body has once, or one for each entry of its list."""
        level = next((index for index, (loop, _) in enumerate(ENTRIES) if loop == position.opens), None)
        if level is None:
            return self.loop(position.opens, position.qualifier) if self._has_any(LAYOUT[position.opens].all) else []
        segments: list[Segment] = []
        for count, at in enumerate(self._entries(level), start=1):
            if count > position.most:
                self._reason_for_all(at, TOO_MANY)
                continue
            self._objects[level] = at
            segments += self.loop(position.opens, position.qualifier)
            self._objects[level] = None
        return segments

    def _has_any(self, layouts: tuple[SegmentLayout, ...]) -> bool:
        """Whether the body has any name that these segments are written from."""
        return any(
            not layout.names.isdisjoint(at.object)
            for layout in layouts
            if (at := self._objects[layout.level]) is not None
        )

    def _entries(self, level: int) -> Iterator[Located]:
        _, start = ENTRIES[level]
        above = max(index for index, (_, path) in enumerate(ENTRIES) if index != level and start[: len(path)] == path)
        at = self._objects[above]
        if at is not None:
            yield from listed_in(at, start[len(ENTRIES[above][1]) : -1])

    def _segments(self, position: Position) -> list[Segment]:
        segments: list[Segment] = []
        for layout in position.layouts:
            at = self._objects[layout.level]
            if at is None or (layout.names.isdisjoint(at.object) and layout.segment != "SBR"):
                continue
            for one in _objects(layout, at):
                before = len(self._order)
                for segment in self._of_object(layout, position, one):
                    if len(segments) < position.most:
                        segments.append(segment)
                        before = len(self._order)
                    else:
                        self._take_back(before, TOO_MANY)
        return segments

    def _write(self, pointer: str) -> None:
        self._written.add(pointer)
        self._order.append(pointer)

    def _not_written(self, pointer: str, reason: str) -> None:
        self._written.discard(pointer)
        self._reasons[pointer] = reason

    def _take_back(self, before: int, reason: str) -> None:
        """What was written since then is not in the file."""
        for pointer in self._order[before:]:
            self._not_written(pointer, reason)
        del self._order[before:]

    def _of_object(self, layout: SegmentLayout, position: Position, at: Located) -> Iterator[Segment]:
        """The segments that one object gives: none, one, or one for each entry of a list of texts."""
        loop = layout.steps[0].place.loop if layout.steps else ""
        if layout.segment == "HI":
            codes = [*self._composites(layout, at)]
            if codes:
                yield ["HI", *codes]
            return
        if layout.segment == "PER":
            yield from self._contact(layout, at, loop)
            return
        alone = layout.steps[0]
        if alone.listed and not alone.place.last:
            for pointer, text in self._each(alone, at):
                self._write(pointer)
                yield fill({alone.place.element: {alone.place.component: text}}, loop, layout.segment, _mark(layout))
        elif not alone.either or self._both_ends(layout, at):
            yield from self._plain(layout, position, at, loop)

    def _plain(self, layout: SegmentLayout, position: Position, at: Located, loop: str) -> Iterator[Segment]:
        """A segment of an object's own values; several of the adjustments in it, where these do not fit into one."""
        elements: Elements = {}
        before = len(self._order)
        self._take(layout, at, elements)
        if (loop, layout.segment) == ("2000B", "SBR") and not self.has_dependent:
            elements.setdefault(2, {0: _SELF})
        code = elements.get(1, {}).get(0, "")
        if elements and code and not position.takes(layout, code):
            self._take_back(before, NO_PLACE)
            return
        if layout.segment == "REF" and elements.keys() == {1}:
            self._take_back(before, NO_NUMBER)
            return
        if layout.group:
            yield from self._adjustments(layout, at, elements, loop)
        elif elements:
            yield fill(elements, loop, layout.segment, _mark(layout), self._procedure(at))

    def _procedure(self, at: Located) -> str:
        """The line's procedure, for what says it once more (SV501)."""
        code = value_in(at, ("professionalService", "procedureCode"))
        return code if type(code) is str else ""

    def _both_ends(self, layout: SegmentLayout, at: Located) -> bool:
        """Whether a range has both its ends; of one alone its own segment is written."""
        return all(is_something(value_in(at, step.inside)) for step in layout.steps)

    def _take(self, layout: SegmentLayout, at: Located, elements: Elements) -> None:
        """Put the values of an object into the elements of a segment."""
        for step in layout.steps:
            if step.of_subscriber and self.has_dependent:
                continue
            place = step.place
            if step.listed:
                self._take_list(step, at, elements)
                continue
            value = value_in(at, step.inside)
            if value is None:
                continue
            pointer = pointer_of(at, step.inside)
            if pointer in self._written or (place.element in elements and not place.component and place.how != "to"):
                continue  # it stands there already, or another name of it does
            text = self._text(step, value, pointer)
            if text is None:
                continue
            self._write(pointer)
            if place.how == "to" and place.element in elements:
                elements[place.element][0] += f"-{text}"
                continue
            if place.how in _ENTITY:
                elements.setdefault(2, {0: _ENTITY[place.how]})
            elements.setdefault(place.element, {})[place.component] = text

    def _take_list(self, step: Step, at: Located, elements: Elements) -> None:
        """Entries of a list beside each other: in elements, or in components of one."""
        place = step.place
        component = place.component
        element = place.element
        for pointer, text in self._each(step, at):
            if max(element if not place.component else component, 1) > place.last:
                self._not_written(pointer, TOO_MANY)
                continue
            self._write(pointer)
            elements.setdefault(element, {})[component] = text
            if place.component:
                component += 1
            else:
                element += 1

    def _each(self, step: Step, at: Located) -> Iterator[tuple[str, str]]:
        """The texts of a list with the pointers of its entries."""
        pointer = pointer_of(at, step.inside)
        value = value_in(at, step.inside)
        read = step.read(value) if step.element.type in _READ_AS_LIST and step.place.last else None
        if read is not None and is_something(value):
            found = read.values if type(read) is IrregularList else read
            if type(found) is tuple and found and not _unreadable(read):
                for inside, _ in scalars(value):
                    self._write(f"{pointer}{inside}")
                for index, one in enumerate(found):
                    if len(str(one)) <= step.element.longest:
                        yield f"{pointer}/{index}", str(one)
                    else:
                        self._not_written(f"{pointer}/{index}", TOO_LONG)
                return
        for index, one in enumerate(value if type(value) is list else [value]):
            at_entry = f"{pointer}/{index}" if type(value) is list else pointer
            text = self._text(step, one, at_entry)
            if text is not None:
                yield at_entry, text

    def _text(self, step: Step, value: Any, pointer: str) -> str | None:
        """A scalar as it is written; None where there is nothing, or nothing that can be written."""
        text, reason = text_of(step, value)
        if reason:
            self._reasons[pointer] = reason
        if text == "":
            self._write(pointer)
        return text or None

    def _adjustments(self, layout: SegmentLayout, at: Located, elements: Elements, loop: str) -> Iterator[Segment]:
        """Repeated elements, six a segment; each further segment says the group again."""
        details = [*listed_in(at, layout.group)]
        for start in range(0, max(len(details), 1), MOST_ADJUSTMENTS):
            these = dict(elements)
            for index, detail in enumerate(details[start : start + MOST_ADJUSTMENTS]):
                for step in layout.grouped:
                    pointer = pointer_of(detail, step.inside)
                    text = self._text(step, value_in(detail, step.inside), pointer)
                    if text is not None:
                        self._write(pointer)
                        these[step.place.element + index * step.place.stride] = {0: text}
            if these:
                yield fill(these, loop, layout.segment, "")

    def _composites(self, layout: SegmentLayout, at: Located) -> Iterator[Element]:
        """Health care codes: each says what it is, and the code."""
        step = layout.steps[-1]
        if step.listed:
            for count, (pointer, text) in enumerate(self._each(step, at)):
                if count >= (len(layout.qualifiers) if len(layout.qualifiers) > 1 else MOST_CODES):
                    self._reasons[pointer] = TOO_MANY
                    continue
                self._write(pointer)
                yield [layout.qualifiers[min(count, len(layout.qualifiers) - 1)], text]
            return
        for count, entry in enumerate(listed_in(at, layout.entry)):
            if count >= MOST_CODES:
                self._reason_for_all(entry, TOO_MANY)
                continue
            yield self._diagnosis(layout, entry, first=count == 0)

    def _diagnosis(self, layout: SegmentLayout, entry: Located, *, first: bool) -> Element:
        elements: Elements = {}
        self._take(layout, entry, elements)
        parts = elements.get(0, {})
        kind = parts.get(1, "")
        if kind not in layout.qualifiers:
            kind = layout.qualifiers[0 if first else 2]
            if 2 in parts:
                pointer = pointer_of(entry, layout.steps[0].inside)
                self._not_written(pointer, NO_KIND.format(kind))
        return [kind, parts[2]] if 2 in parts else [kind]

    def _contact(self, layout: SegmentLayout, at: Located, loop: str) -> Iterator[Segment]:
        """A contact: the name, and up to three numbers a segment, each behind its kind; an extension needs a number."""
        name: Elements = {}
        numbers: list[list[str]] = []
        for step in layout.steps:
            if not step.place.behind:
                self._take(_of_step(layout, step), at, name)
                continue
            pointer = pointer_of(at, step.inside)
            text = self._text(step, value_in(at, step.inside), pointer)
            if text is None or (step.place.behind == "EX" and not any(kind == "TE" for kind, _ in numbers)):
                continue
            self._write(pointer)
            numbers.append([step.place.behind, text])
        for start in range(0, max(len(numbers), 1), MOST_NUMBERS):
            elements = {2: name[2]} if 2 in name and not start else {}
            for index, (kind, text) in enumerate(numbers[start : start + MOST_NUMBERS]):
                elements[3 + 2 * index], elements[4 + 2 * index] = {0: kind}, {0: text}
            if elements:
                yield fill(elements, loop, "PER", "")

    def _reason_for_all(self, at: Located, reason: str) -> None:
        self._reasons.update({f"{at.pointer}{inside}": reason for inside, _ in scalars(at.object)})

    def left_out(self) -> tuple[LeftOut, ...]:
        """All that the body says and the segments do not, or not as sent, by pointer into the sender's body."""
        sent = self._model.sent
        found = {sent(pointer): reason for pointer, reason in self._reasons.items() if pointer not in self._written}
        found |= {sent(pointer): reason for pointer, reason in self._reasons.items() if reason == BLANKS}
        written = {sent(pointer) for pointer in self._written}
        for pointer, value in scalars(self._body):
            if pointer in self._written or not is_something(value):
                continue
            at = sent("/scrubContext" if pointer.startswith("/scrubContext/") else pointer)
            if at not in written:
                found.setdefault(at, NO_PLACE)
        for pointer, reason in self._model.left_out:
            found.setdefault(pointer, reason)
        return tuple(LeftOut(_readable(pointer), reason) for pointer, reason in sorted(found.items()))


_ENTITY = {"if 02=1": "1", "if 02=2": "2"}
_READ_AS_LIST = ("two-characters", "pointer")


def _of_step(layout: SegmentLayout, step: Step) -> SegmentLayout:
    alone = SegmentLayout(step.place, layout.level, layout.entry)
    alone.steps = [step]
    return alone


def _mark(layout: SegmentLayout) -> str:
    return layout.qualifiers[0] if layout.qualifiers else ""


def _objects(layout: SegmentLayout, at: Located) -> Iterator[Located]:
    """The objects that give a segment each. Diagnoses give one together."""
    if not layout.entry or (layout.segment == "HI" and not layout.steps[-1].listed):
        yield at
        return
    for count, entry in enumerate(listed_in(at, layout.entry), start=1):
        if layout.segment != "HI" or count <= MOST_CONDITIONS:
            yield entry


def _unreadable(read: Any) -> bool:
    return type(read) is IrregularList and any(odd.expected for _, odd in read.odd)


def _readable(pointer: str) -> str:
    """The pointer without names that could be anything, patient data even."""
    names = [name if not name or NAME(name) or name.isdecimal() else UNREADABLE_NAME for name in pointer.split("/")]
    return "/".join(names)
