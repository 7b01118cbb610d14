"""The catalogue of elements and the table of loops, held against a map of the 837P that others drew up (pyx12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from scrubber.claim.elements import CATALOGUE, Element, Place
from scrubber.claim.x12.guide import CHECKED_ELEMENTS, LOOPS, QUALIFIED, REQUIRED
from scrubber.claim.x12.loops import MOST_SEGMENTS
from tests.support.pyx12_map import MapElement, MapSegment, segments_of_map

# What the map has and the catalogue has not, and why: by loop and element, by element in every loop, or by segment.
NOT_IN_CATALOGUE = {
    "ISA": "the envelope",
    "TA1": "the envelope",
    "GS": "the envelope",
    "GE": "the envelope",
    "IEA": "the envelope",
    "SE": "a count, and a number that stands in ST",
    "HL": "numbers of the levels",
    "ST02": "the envelope; control-number",
    "ST03": "the version of the guide",
    "BHT02": "of the set: an original; no place in the v3 body",
    "BHT03": "of the set: the number of the file; no place in the v3 body",
    "BHT04": "of the set: when it was written",
    "BHT05": "of the set: when it was written",
    "BHT06": "of the set: claims or encounters; no place in the v3 body",
    "CUR02": "amounts are in US dollars; no place in the v3 body",
    "1000B NM109": "the receiver's id: no place in the v3 body",
    "NM101": "says which loop it is; P3 for DN, a primary care provider, has no place in the v3 body",
    "NM102": "a person or an organization, by which of their names is there",
    "2010BA NM108": "of the subscriber's id: no place in the v3 body",
    "2010BB NM108": "of the payer's id: no place in the v3 body",
    "PER03": "the kind of the number behind it",
    "PER05": "the kind of the number behind it",
    "PER07": "the kind of the number behind it",
    "DTP01": "says which date it is",
    "DTP02": "whether it is a date or a range",
    "REF01": "says which number it is",
    "NTE01": "says which note it is",
    "HI01-1": "says what the codes are",
    "SV501-2": "the procedure of the line once more",
    "2400 REF04-2": "of a line's referral number (9F): the v3 body has a list of numbers without payers",
}


def name_of(element: MapElement, segment: MapSegment) -> str:
    component = f"-{element.component}" if element.component else ""
    return f"{segment.name}{element.element:02}{component}"


def is_at(place: Place, segment: MapSegment, element: MapElement) -> bool:
    """Whether a place of the catalogue is this element of the map."""
    if (place.loop, place.segment) != (segment.loop, segment.name):
        return False
    if place.qualifiers and not set(place.qualifiers) & set(segment.qualifiers):
        return False
    if place.behind:
        return element.element in (4, 6, 8)
    if place.stride:
        return element.element >= place.element and (element.element - place.element) % place.stride == 0
    if segment.name == "HI":
        return element.component == place.component
    if place.last and not place.component:
        return place.element <= element.element <= place.last
    in_list = place.component <= element.component <= (place.last or place.component)
    return place.element == element.element and (in_list or not place.component)


def segments_with_loops() -> Iterator[MapSegment]:
    """The segments of the map, those that open a loop in that loop alone."""
    return (segment for segment in segments_of_map() if not segment.opens)


PAIRS = [(element, place) for element in CATALOGUE.values() for _, place in element.pairs()]


def where_excused(element: MapElement, segment: MapSegment) -> str | None:
    name = name_of(element, segment)
    return next((key for key in (f"{segment.loop} {name}", name, segment.name) if key in NOT_IN_CATALOGUE), None)


def test_every_element_of_the_map_is_a_row_or_is_listed_with_its_reason() -> None:
    missing, used = set(), set()
    for segment in segments_with_loops():
        for element in segment.elements:
            if element.usage == "N" or any(is_at(place, segment, element) for _, place in PAIRS):
                continue
            excuse = where_excused(element, segment)
            if excuse is not None:
                used.add(excuse)
            elif len(element.codes) != 1:  # with one code alone it says nothing
                missing.add(f"{segment.loop} {name_of(element, segment)}")
    assert not missing
    assert used == set(NOT_IN_CATALOGUE), "and nothing else is"


def of_map(place: Place) -> list[MapElement]:
    """The elements of the map at a place, but for segments that another place takes by their qualifiers."""
    others = {
        qualifier
        for _, other in PAIRS
        if (other.loop, other.segment) == (place.loop, place.segment) and not place.qualifiers
        for qualifier in other.qualifiers
    }
    found = [
        (segment, element)
        for segment in segments_with_loops()
        if not (others and set(segment.qualifiers) <= others)
        for element in segment.elements
        if is_at(place, segment, element)
    ]
    its_own = [element for segment, element in found if set(segment.qualifiers) <= set(place.qualifiers)]
    return its_own or [element for _, element in found]


IN_THE_ENVELOPE = ("control-number", "usage-indicator")
# PWK*CT says both that a certificate of medical necessity goes with the line, and that any other certification does.
OF_TWO_SEGMENTS = {"necessity-certificate": {"AA", "BM", "EL", "EM", "FT", "FX"}}


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in IN_THE_ENVELOPE])
def test_lengths_and_codes_are_those_of_the_map(name: str) -> None:
    row = CATALOGUE[name]
    here = [element for _, place in row.pairs() for element in of_map(place) if element.usage != "N"]
    assert here, "the map has the element"
    assert {(element.shortest, element.longest) for element in here} == {(row.shortest, row.longest)}
    codes = {code for element in here for code in element.codes}
    assert codes == set(row.codes) - OF_TWO_SEGMENTS.get(name, set()) or codes <= _elsewhere(row)


def _elsewhere(row: Element) -> set[str]:
    """Codes that another column says: those of a flag and of a pointer, and qualifiers."""
    if row.type == "pointer":
        return {str(position) for position in range(1, 13)}
    return {code for place in row.places for code in (*place.how.split(), *place.qualifiers)}


def test_loops_and_segments_are_those_of_the_map() -> None:
    in_map: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for segment in segments_of_map():
        if segment.loop not in LOOPS or _opens_its_loop(segment) or segment.opens in ("2000B", "2000C", "2300"):
            continue
        for key in _keys(segment):
            most, _ = in_map[segment.loop].get(key, (0, ""))
            here = segment.most or MOST_SEGMENTS  # no limit
            most = here if segment.name in QUALIFIED else most + here
            in_map[segment.loop][key] = (most, segment.opens)
    ours = {loop: {key: (use.most, use.opens) for key, use in guide.uses.items()} for loop, guide in LOOPS.items()}
    assert {loop: uses for loop, uses in ours.items() if uses} == in_map


def test_segments_stand_in_the_order_of_the_map() -> None:
    for loop, guide in LOOPS.items():
        positions: dict[str, int] = {}
        for segment in segments_of_map():
            if segment.loop == loop:
                positions.setdefault(segment.name, segment.position)
        order = list(guide.names)
        assert order == sorted(order, key=lambda name: positions[name]), loop


def test_elements_that_are_required_are_those_of_the_map_but_for_what_is_checked_otherwise() -> None:
    for segment in segments_of_map():
        if segment.loop not in LOOPS or segment.opens in ("2000B", "2000C", "2300"):
            continue
        required = {each.element for each in segment.elements if each.usage == "R" and not each.component}
        loop = segment.opens or segment.loop
        for key in _keys(segment):
            use = LOOPS[segment.loop].uses.get(key)
            if use is None or (_opens_its_loop(segment) and not use.opens):
                continue
            elsewhere = {
                number
                for name in (f"{loop} {segment.name}", f"{loop} {key.replace('*', ':')}")
                for number in CHECKED_ELEMENTS.get(name, ())
            }
            composites = {1} if segment.name in ("HI", "SV1", "SV5") else {3} if segment.name == "SVD" else {5}
            assert {*use.required} - composites == required - elsewhere - composites, f"{loop} {key}"


def test_segments_that_are_required_are_required_in_the_map() -> None:
    in_map = {(each.loop, each.opens or each.name) for each in segments_of_map() if each.usage == "R"}
    opened = {(each.loop, each.opens) for each in segments_of_map() if each.opens}
    for loop, names in REQUIRED.items():
        for name in names:
            assert (loop, name) in in_map | opened, f"{loop} {name}"


def _opens_its_loop(segment: MapSegment) -> bool:
    if segment.opens or segment.loop == "HEADER":
        return False
    return any(each.opens == segment.loop and each.elements == segment.elements for each in segments_of_map())


def _keys(segment: MapSegment) -> list[str]:
    if segment.name not in QUALIFIED:
        return [segment.name]
    return [f"{segment.name}*{qualifier}" for qualifier in segment.qualifiers]
