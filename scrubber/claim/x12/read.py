"""Reads one claim of an X12 837P file, by the plans of its segments, into the body that v3 JSON would have had."""

from __future__ import annotations

from typing import Any

from scrubber.claim.x12.loops import ClaimLoops, Loop
from scrubber.claim.x12.plans import COMMUNICATION, ENTRIES, IMPLIED, READ, ROOT, Loops, Path, Plan, Plans, Step

Object = dict[str, Any]
MOST_UNMAPPED = 200


class _Entry:
    """A loop that stands several times, and where its new object goes: into a list of the object of level `parent`."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.loop, start = ENTRIES[level]
        parents = [index for index, (_, path) in enumerate(ENTRIES) if index != level and start[: len(path)] == path]
        self.parent = max(parents, key=lambda index: len(ENTRIES[index][1]))
        self.inside = start[len(ENTRIES[self.parent][1]) : -1]
        self.below = [index for index, (_, path) in enumerate(ENTRIES) if index > level and path[: len(start)] == start]


_ENTRIES = {entry.loop: entry for entry in map(_Entry, range(1, len(ENTRIES)))}
_NO_PLANS: dict[str, Plans] = {}
_CI = "claimInformation"


class BodyReader:
    """Reads the claims of one file, one after another. What claims share (billing, subscriber …) is read once."""

    def __init__(self, loops: Loops = READ) -> None:
        self._loops = loops
        self._shared: Object = {}
        self._shared_unmapped: list[str] = []
        self._shared_of: list[Loop | None] = []

    def body(self, claim: ClaimLoops) -> tuple[Object, list[str]]:
        """The claim's body, and what stands in its segments that is no element of the catalogue, by place."""
        shared = [claim.header, claim.billing, claim.subscriber, claim.patient]
        if len(self._shared_of) != len(shared) or any(
            mine is not other for mine, other in zip(self._shared_of, shared, strict=True)
        ):
            self._read_shared(claim, shared)
        body = dict(self._shared)
        body[_CI] = dict(body.get(_CI) or {})
        unmapped = list(self._shared_unmapped)
        self._read(claim.claim, self._objects(body), claim.delimiters.component, unmapped)
        return body, unmapped

    def _read_shared(self, claim: ClaimLoops, shared: list[Loop | None]) -> None:
        self._shared_of, self._shared, self._shared_unmapped = shared, {}, []
        objects = self._objects(self._shared)
        if claim.isa:
            _segment(
                self._loops["ISA"]["ISA"], objects, claim.isa, claim.delimiters.component, self._shared_unmapped, "ISA"
            )
        for loop in shared:
            if loop is not None:
                self._read(loop, objects, claim.delimiters.component, self._shared_unmapped)

    def _objects(self, root: Object) -> list[Object | None]:
        objects: list[Object | None] = [None] * len(ENTRIES)
        objects[ROOT] = root
        return objects

    def _read(self, loop: Loop, objects: list[Object | None], component: str, unmapped: list[str]) -> None:
        """A loop and those inside it. Of a loop that the body has once, the first one counts."""
        name = loop.name
        entry = _ENTRIES.get(name)
        if entry is not None:
            _open(entry, objects)
        plans_here = self._loops.get(name, _NO_PLANS)
        for elements in loop.segments:
            plans = plans_here.get(elements[0])
            if plans is None:
                _tell_unless_implied(unmapped, name, elements)
            elif elements[0] == "HI":
                _each_composite(plans, objects, elements, component, unmapped)
            else:
                _segment(plans, objects, elements, component, unmapped, name)
        once: list[str] = []
        for inner in loop.loops:
            if inner.name in once:
                _tell(unmapped, inner.name, inner.segments[0][0])
                continue
            if inner.name not in _ENTRIES:
                once.append(inner.name)
            self._read(inner, objects, component, unmapped)


def _segment(
    plans: Plans,
    objects: list[Object | None],
    elements: list[str],
    component: str,
    unmapped: list[str],
    loop: str,
) -> None:
    chosen = plans.qualified.get(elements[1]) if plans.qualified and len(elements) > 1 else None
    for plan in chosen or plans.others:
        if _take(plan, objects, elements, component, unmapped, loop):
            return
    _tell(unmapped, loop, elements[0])


_WITHOUT_ELEMENTS = frozenset(("HL", "SE", "BHT"))


def _tell(unmapped: list[str], loop: str, name: str, element: str = "") -> None:
    if len(unmapped) < MOST_UNMAPPED:
        unmapped.append(f"{loop} {name}{element}")


def _tell_unless_implied(unmapped: list[str], loop: str, elements: list[str]) -> None:
    """A segment of which nothing is read says nothing where it only names a kind of entity."""
    name = elements[0]
    implied = IMPLIED.get(name, ())
    if name not in _WITHOUT_ELEMENTS and any(
        elements[index] and index not in implied for index in range(1, len(elements))
    ):
        _tell(unmapped, loop, name)


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


def _take(
    plan: Plan, objects: list[Object | None], elements: list[str], component: str, unmapped: list[str], loop: str
) -> bool:
    """Read a segment into its object; no, where this plan is for another one of its kind."""
    at = objects[plan.level]
    if at is None:
        return False
    target: Object = {} if plan.entry else at
    if plan.first and not plan.entry and _is_taken(plan, at, elements):
        return False
    for step in plan.steps:
        if step.plain:
            if step.element < len(elements) and elements[step.element]:
                target[step.key] = step.read(elements[step.element])
        else:
            _take_step(step, target, elements, component)
    if plan.grouped:
        _take_groups(plan, target, elements)
    if plan.entry and target:
        _container(at, plan.entry[:-1]).setdefault(plan.entry[-1], []).append(target)
    known = plan.known
    for index in range(1, len(elements)):
        if elements[index] and (index >= len(known) or not known[index]):
            _tell(unmapped, loop, elements[0], f"{index:02}")
    return True


def _is_taken(plan: Plan, at: Object, elements: list[str]) -> bool:
    """Whether the first of these segments has been read, or this one is for another payer (REF04)."""
    if elements[0] == "REF" and len(elements) > 4 and elements[4]:
        return True
    step = plan.steps[0]
    inside: Any = at
    for name in step.inside:
        inside = inside.get(name)
        if inside is None:
            return False
    return step.key in inside


def _take_step(step: Step, target: Object, elements: list[str], component: str) -> None:
    raw = _raw(step, elements, component)
    if not raw:
        return
    if step.ends:
        raw = _end(step, raw)
        if raw is None:
            return
    at = _container(target, step.inside) if step.inside else target
    if step.listed and not step.last:
        at.setdefault(step.key, []).append(step.read(raw))
    else:
        at[step.key] = step.read(raw)


def _raw(step: Step, elements: list[str], component: str) -> Any:
    """The text, or texts of a list, that a step reads; nothing where the segment has none."""
    if step.behind:
        return _behind(step.behind, elements)
    if step.element >= len(elements):
        return None
    if (step.person or step.organization) and (elements[2] == "2") is not step.organization:
        return None
    if step.last:
        return _several(step, elements, component)
    if step.component:
        return _part(elements[step.element], step.component, component)
    return elements[step.element]


def _part(text: str, number: int, component: str) -> str:
    parts = text.split(component)
    return parts[number - 1] if number <= len(parts) else ""


def _several(step: Step, elements: list[str], component: str) -> list[str]:
    """The texts of a list that stands in elements beside each other, or in components of one element."""
    if not step.component:
        return [text for text in elements[step.element : step.last + 1] if text]
    parts = elements[step.element].split(component)
    return [text for text in parts[step.component - 1 : step.last] if text]


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


def _take_groups(plan: Plan, target: Object, elements: list[str]) -> None:
    """Repeated elements of an adjustment: reason, amount and quantity, up to six times."""
    found: list[Object] = []
    shift = 0
    while plan.grouped[0].element + shift < len(elements):
        made: Object = {}
        for step in plan.grouped:
            index = step.element + shift
            if index < len(elements) and elements[index]:
                made[step.key] = step.read(elements[index])
        if made:
            found.append(made)
        shift += plan.stride
    if found:
        target[plan.group] = found


def _each_composite(
    plans: Plans, objects: list[Object | None], elements: list[str], component: str, unmapped: list[str]
) -> None:
    """Health care codes: each composite says by its first component what its second is."""
    root = objects[ROOT]
    if root is None:
        return
    of_segment: dict[int, Object] = {}
    for index in range(1, len(elements)):
        if not elements[index]:
            continue
        parts = elements[index].split(component)
        chosen = plans.qualified.get(parts[0])
        if not chosen:
            _tell(unmapped, "2300", "HI", f"{index:02}")
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
                _put(step, made, parts[step.component - 1])


def _put(step: Step, made: Object, raw: str) -> None:
    at = _container(made, step.inside)
    if step.listed:
        at.setdefault(step.key, []).append(step.read(raw))
    else:
        at[step.key] = step.read(raw)
