"""Reads one claim of an X12 837P file, by the plans of its segments, into the body that v3 JSON would have had."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from scrubber.claim.v3.values import IrregularList, IrregularValue
from scrubber.claim.x12.loops import ClaimLoops, Loop
from scrubber.claim.x12.plans import COMMUNICATION, ENTRIES, IMPLIED, READ, Loops, Path, Plan, Plans, Step

Object = dict[str, Any]
Kept = dict[str, dict[str, Any]]  # by reader and text, what was read
MOST_UNMAPPED: Final = 200
MOST_KEPT: Final = 1_000  # values of one reader that are kept for the claims that follow in the file


class Unmapped(NamedTuple):
    """What is no element of the catalogue: `place` is its loop and element, `ordinal` its segment's in the file."""

    place: str
    ordinal: int


class _Entry:
    """A loop that stands several times, and where its new object goes: into a list of the object of level `parent`."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.loop, start = ENTRIES[level]
        parents = [index for index, (_, path) in enumerate(ENTRIES) if index != level and start[: len(path)] == path]
        self.parent = max(parents, key=lambda index: len(ENTRIES[index][1]))
        self.inside = start[len(ENTRIES[self.parent][1]) : -1]
        self.below = [index for index, (_, path) in enumerate(ENTRIES) if index > level and path[: len(start)] == start]


_ENTRIES: Final = {entry.loop: entry for entry in map(_Entry, range(1, len(ENTRIES)))}
_NO_PLANS: Final[dict[str, Plans]] = {}
_NO_OBJECTS: Final = [None] * (len(ENTRIES) - 1)
_CI: Final = "claimInformation"


class BodyReader:
    """Reads the claims of one file, one after another. What claims share (billing, subscriber …) is read once."""

    def __init__(self, loops: Loops = READ) -> None:
        self._loops = loops
        self._kept: Kept | None = None  # from the second claim on
        self._outer: list[Loop | None] = []  # header and billing level
        self._inner: list[Loop | None] = []  # subscriber and patient levels
        self._outer_body: Object = {}
        self._inner_body: Object = {}
        self._outer_unmapped: list[Unmapped] = []
        self._inner_unmapped: list[Unmapped] = []
        self._outer_irregular = False
        self._inner_irregular = False
        self.irregular = False  # whether the body that was read last has values that are not as they should be

    def body(self, claim: ClaimLoops) -> tuple[Object, list[Unmapped]]:
        """The claim's body, and what stands in its segments that is no element of the catalogue."""
        self._read_shared(claim)
        body = dict(self._inner_body)
        body[_CI] = dict(body.get(_CI) or {})
        reading = _ClaimReading(body, claim.delimiters.component, list(self._inner_unmapped), self._kept)
        self._read(claim.claim, reading)
        self.irregular = self._inner_irregular or reading.irregular
        if self._kept is None:
            self._kept = {}
        return body, reading.unmapped

    def _read_shared(self, claim: ClaimLoops) -> None:
        """The levels that the claim stands under, as far as they are not those of the claim before."""
        outer, inner = [claim.header, claim.billing], [claim.subscriber, claim.patient]
        component = claim.delimiters.component
        same = _are_same(outer, self._outer)
        if not same:
            reading = _ClaimReading({}, component, [], self._kept)
            if claim.isa:
                _segment(self._loops["ISA"]["ISA"], claim.isa, reading)
            self._read_levels(outer, reading)
            self._outer, self._outer_body, self._outer_unmapped = outer, reading.body, reading.unmapped
            self._outer_irregular = reading.irregular
        if not same or not _are_same(inner, self._inner):
            # Levels below add to objects of those above, but to none inside these.
            body = {name: dict(value) if type(value) is dict else value for name, value in self._outer_body.items()}
            reading = _ClaimReading(body, component, list(self._outer_unmapped), self._kept)
            self._read_levels(inner, reading)
            self._inner, self._inner_body, self._inner_unmapped = inner, body, reading.unmapped
            self._inner_irregular = self._outer_irregular or reading.irregular

    def _read_levels(self, levels: list[Loop | None], reading: _ClaimReading) -> None:
        for level in levels:
            if level is not None:
                self._read(level, reading)

    def _read(self, loop: Loop, reading: _ClaimReading) -> None:
        """A loop and those inside it. Of a loop that the body has once, the first one counts."""
        name = loop.name
        entry = _ENTRIES.get(name)
        if entry is not None:
            _open(entry, reading.objects)
        plans_here = self._loops.get(name, _NO_PLANS)
        reading.loop = name
        ordinals = loop.ordinals
        for index, elements in enumerate(loop.segments):
            reading.ordinal = ordinals[index]
            plans = plans_here.get(elements[0])
            if plans is None:
                reading.tell_unless_implied(elements)
            elif elements[0] == "HI":
                _each_composite(plans, elements, reading)
            else:
                _segment(plans, elements, reading)
        once: list[str] = []
        for inner in loop.loops:
            if inner.name not in _ENTRIES:
                if inner.name in once:
                    reading.ordinal = inner.ordinals[0]
                    reading.tell(f"{inner.name} {inner.segments[0][0]}")
                    continue
                once.append(inner.name)
            self._read(inner, reading)


def _are_same(loops: list[Loop | None], others: list[Loop | None]) -> bool:
    return len(others) == 2 and loops[0] is others[0] and loops[1] is others[1]


class _ClaimReading:
    """The reading of one claim, or of what it stands under: its objects, and where in the file it is."""

    def __init__(self, body: Object, component: str, unmapped: list[Unmapped], kept: Kept | None) -> None:
        self.body = body
        self.component = component
        self.unmapped = unmapped
        self.kept = kept
        self.objects: list[Object | None] = [body, *_NO_OBJECTS]  # by level of ENTRIES, the one that is open
        self.loop = "ISA"
        self.ordinal = 0  # of the segment; of ISA it is not known, and nothing of ISA is told
        self.irregular = False
        self._composite = ""
        self._parts: list[str] = [""]

    def parts(self, text: str) -> list[str]:
        """The components of an element, which several steps in a row read."""
        if text is not self._composite:
            self._composite, self._parts = text, text.split(self.component)
        return self._parts

    def value(self, step: Step, text: Any) -> Any:
        """What a step reads from a text: as in the claims before, where it stood there, too."""
        if self.kept is None or not step.kept_as:
            found = step.read(text)
        else:
            values = self.kept.get(step.kept_as)
            if values is None:
                values = self.kept[step.kept_as] = {}
            found = values.get(text, values)
            if found is values:
                found = step.read(text)
                if len(values) < MOST_KEPT:
                    values[text] = found
        if type(found) is IrregularValue or type(found) is IrregularList:
            self.irregular = True
        return found

    def tell(self, place: str) -> None:
        """Something that is no element of the catalogue, as far as that is still told."""
        if len(self.unmapped) < MOST_UNMAPPED:
            self.unmapped.append(Unmapped(place, self.ordinal))

    def tell_unless_implied(self, elements: list[str]) -> None:
        """A segment of which nothing is read says nothing where it only names a kind of entity."""
        name = elements[0]
        implied = IMPLIED.get(name, ())
        if name not in _WITHOUT_ELEMENTS and any(
            elements[index] and index not in implied for index in range(1, len(elements))
        ):
            self.tell(f"{self.loop} {name}")


def _segment(plans: Plans, elements: list[str], reading: _ClaimReading) -> None:
    chosen = plans.qualified.get(elements[1]) if plans.qualified and len(elements) > 1 else None
    for plan in chosen or plans.others:
        if _take(plan, elements, reading):
            return
    reading.tell(f"{reading.loop} {elements[0]}")


_WITHOUT_ELEMENTS: Final = frozenset(("HL", "SE", "BHT"))


def _open(entry: _Entry, objects: list[Object | None]) -> None:
    """Put a new object into its list. What should hold the list is there: the loop stands in the one it belongs to."""
    made: Object = {}
    parent = objects[entry.parent]
    if parent is not None:
        _container(parent, entry.inside[:-1]).setdefault(entry.inside[-1], []).append(made)
    objects[entry.level] = made
    for level in entry.below:
        objects[level] = None


def _container(at: Object, names: Path) -> Object:
    for name in names:
        found = at.get(name)
        if found is None:
            found = at[name] = {}
        at = found
    return at


def _take(plan: Plan, elements: list[str], reading: _ClaimReading) -> bool:
    """Read a segment into its object; no, where this plan is for another one of its kind."""
    above = reading.objects[plan.level]
    if above is None:
        return False
    target: Object = {} if plan.entry else above
    if plan.first and not plan.entry and _is_taken(plan, above, elements):
        return False
    _take_elements(plan, target, elements, reading)
    for step in plan.wide:
        raw = _wide(step, elements)
        if raw:
            _container(target, step.inside)[step.key] = reading.value(step, raw)
    if plan.grouped:
        _take_groups(plan, target, elements, reading)
    if plan.entry and target:
        _container(above, plan.entry[:-1]).setdefault(plan.entry[-1], []).append(target)
    return True


def _take_elements(plan: Plan, target: Object, elements: list[str], reading: _ClaimReading) -> None:
    """What is read from one element each."""
    inside: Path | None = None
    here = target  # the object in the target that `inside` leads to
    for index in range(1, len(elements)):
        text = elements[index]
        if not text:
            continue
        steps = plan.at(index)
        if steps is None:
            reading.tell(f"{reading.loop} {elements[0]}{index:02}")
            continue
        for step in steps:
            raw = text if step.plain else _special(step, text, elements, reading)
            if not raw:
                continue
            if step.inside is not inside:
                inside = step.inside
                here = _container(target, inside)
            _put(step, here, reading.value(step, raw))


def _is_taken(plan: Plan, at: Object, elements: list[str]) -> bool:
    """Whether the first of these segments has been read, or this one is for another payer (REF04)."""
    if elements[0] == "REF" and len(elements) > 4 and elements[4]:
        return True
    return any(_is_there(step, at) for step in plan.steps)


def _is_there(step: Step, at: Object) -> bool:
    inside: Any = at
    for name in step.inside:
        inside = inside.get(name)
        if inside is None:
            return False
    return step.key in inside


def _special(step: Step, text: str, elements: list[str], reading: _ClaimReading) -> Any:
    """What a step reads of a composite, of a range of days, or of an element of persons or organizations alone."""
    if step.component:
        parts = reading.parts(text)
        if step.last:
            return [part for part in parts[step.component - 1 : step.last] if part]
        return parts[step.component - 1] if step.component <= len(parts) else None
    if step.entity:
        return text if (elements[2] == "2") is (step.entity == "2") else None
    return _end(step, text) if step.ends else text


def _wide(step: Step, elements: list[str]) -> Any:
    """The text, or texts of a list, that a step reads from several elements."""
    if step.behind:
        return _behind(step.behind, elements)
    return [text for text in elements[step.element : step.last + 1] if text]


def _behind(qualifier: str, elements: list[str]) -> str:
    """What stands behind a communication qualifier (PER03 to PER08)."""
    for index in COMMUNICATION:
        if index + 1 < len(elements) and elements[index] == qualifier:
            return elements[index + 1]
    return ""


def _end(step: Step, raw: str) -> str | None:
    """One end of a range of dates; a single date has no second one."""
    first, dash, last = raw.partition("-")
    if step.how == "from":
        return first
    return last if dash else None


def _take_groups(plan: Plan, target: Object, elements: list[str], reading: _ClaimReading) -> None:
    """Repeated elements of an adjustment: reason, amount and quantity, up to six times."""
    found: list[Object] = []
    shift = 0
    while plan.grouped[0].element + shift < len(elements):
        made: Object = {}
        for step in plan.grouped:
            index = step.element + shift
            if index < len(elements) and elements[index]:
                made[step.key] = reading.value(step, elements[index])
        if made:
            found.append(made)
        shift += plan.stride
    if found:
        target[plan.group] = found


def _each_composite(plans: Plans, elements: list[str], reading: _ClaimReading) -> None:
    """Health care codes: each composite says by its first component what its second is."""
    root = reading.body
    of_segment: dict[int, Object] = {}
    for index in range(1, len(elements)):
        if not elements[index]:
            continue
        parts = elements[index].split(reading.component)
        chosen = plans.qualified.get(parts[0])
        if not chosen:
            reading.tell(f"{reading.loop} HI{index:02}")
            continue
        plan = chosen[0]
        if plan.entry and plan.each[0].listed:  # codes of one segment in one object
            made = of_segment.get(id(plan))
            if made is None:
                made = of_segment[id(plan)] = {}
                _container(root, plan.entry[:-1]).setdefault(plan.entry[-1], []).append(made)
        elif plan.entry:
            made = {}
            _container(root, plan.entry[:-1]).setdefault(plan.entry[-1], []).append(made)
        else:
            made = root
        for step in plan.each:
            if step.component <= len(parts) and parts[step.component - 1]:
                _put(step, _container(made, step.inside), reading.value(step, parts[step.component - 1]))


def _put(step: Step, here: Object, value: Any) -> None:
    if step.listed and not step.last:
        here.setdefault(step.key, []).append(value)
    else:
        here[step.key] = value
