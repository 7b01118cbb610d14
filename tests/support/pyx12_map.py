"""The map of the 837P (005010X222A1) that pyx12 brings along, and its verdict on a file, for tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pyx12.dataele
import pyx12.map_if
import pyx12.params
import pyx12.x12n_document


class MapElement(NamedTuple):
    """An element, or a component, of a segment of the map. `usage`: R, S or N (not used); `component` 0: none."""

    element: int
    component: int
    usage: str
    codes: tuple[str, ...]
    shortest: int
    longest: int


class MapSegment(NamedTuple):
    """A segment in its loop. `qualifiers`: codes of its first element; `position` in the loop; `opens` a loop or ""."""

    loop: str
    name: str
    usage: str
    qualifiers: tuple[str, ...]
    most: int
    position: int
    opens: str
    elements: tuple[MapElement, ...]


@cache
def segments_of_map(file: str = "837.5010.X222.A1.xml") -> tuple[MapSegment, ...]:
    """Every segment of the map, in order. What opens a loop stands in it, and as `opens` in the loop above."""
    lengths = pyx12.dataele.DataElements()
    root = pyx12.map_if.load_map_file(file, pyx12.params.params())
    return tuple(dict.fromkeys(_of_loop(root, lengths)))


def _of_loop(loop: Any, lengths: Any) -> Iterator[MapSegment]:
    for position in sorted(loop.pos_map):
        for node in loop.pos_map[position]:
            if node.is_segment():
                yield _segment(loop.id, node, position, node.max_use, "", lengths)
                continue
            first = node.pos_map[min(node.pos_map)][0] if node.pos_map else None
            if first is not None and first.is_segment():
                yield _segment(loop.id, first, position, node.repeat, node.id, lengths)
            yield from _of_loop(node, lengths)


def _segment(loop: str, node: Any, position: int, most: str, opens: str, lengths: Any) -> MapSegment:
    elements = tuple(_elements(node, lengths))
    most_often = int(most) if most.isdecimal() else 0
    return MapSegment(loop, node.id, node.usage, elements[0].codes, most_often, position, opens, elements)


def _elements(segment: Any, lengths: Any) -> Iterator[MapElement]:
    for element in segment.children:
        inner = element.children if element.is_composite() else [element]
        for node in inner:
            length = lengths.get_by_elem_num(node.data_ele)
            yield MapElement(
                element.seq,
                node.seq if element.is_composite() else 0,
                "N" if element.usage == "N" else node.usage,
                tuple(node.valid_codes),
                int(length["min_len"]),
                int(length["max_len"]),
            )


def complaints(data: str) -> list[str]:
    """What pyx12 has against a file by its maps, in its words."""
    answer = io.StringIO()
    params = pyx12.params.params()
    params.set("charset", "E")  # lower case, too
    valid = pyx12.x12n_document.x12n_document(params, io.StringIO(data), None, None, fd_json=answer)
    found = list(_errors(json.loads(answer.getvalue())))
    return found or ([] if valid else ["not valid"])


def _errors(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _errors(each)
    elif isinstance(node, dict):
        if "err_str" in node:
            yield f"{node['err_cde']}: {node['err_str']}"
        for value in node.values():
            yield from _errors(value)
