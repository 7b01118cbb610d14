"""The command that lists the elements of a professional claim, and which of them no rule asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
import orjson

from scrubber.authoring.element_use import rules_by_element
from scrubber.claim.elements import CATALOGUE, Element
from scrubber.cli.options import Unusable
from scrubber.cli.rules.options import rulebook
from scrubber.cli.terminal import fitting
from scrubber.likeness import perhaps


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--unused", is_flag=True, help="Only those that no running rule asks for.")
@click.option("--json", "as_json", is_flag=True, help="All that the catalogue has of each, one a line, for machines.")
def elements(names: Sequence[str], unused: bool, as_json: bool) -> None:
    """List what a professional claim can say: its elements, in JSON and in X12.

    Each NAME is an element, or the beginning of several; without one, all are listed. RULES counts the rules that
    read an element as a fact, or name it in a check of elements. Rules that hold every element against what the
    transaction allows are not counted.

    \b
    scrubber elements prior-authorization
    scrubber elements --unused ambulance
    scrubber elements --json > elements.ndjson
    """
    chosen = _chosen(names)
    asking = rules_by_element(rulebook())
    if unused:
        chosen = [element for element in chosen if not asking.get(element.name)]
    if as_json:
        for element in chosen:
            click.echo(orjson.dumps(_as_data(element, asking)))
        return
    rows = [_row(element, asking) for element in chosen]
    for line in fitting(_HEADER, rows, frozenset(("rules",)), ("in the body", "type")):
        click.echo(line)
    click.echo(f"{len(chosen)} of {len(CATALOGUE)} elements")


_HEADER = ("element", "what it is", "type", "837P", "rules", "in the body")


def _chosen(names: Sequence[str]) -> list[Element]:
    for name in names:
        if not any(known.startswith(name) for known in CATALOGUE):
            raise Unusable(f"no element is called {name}{perhaps(name, CATALOGUE)}")
    starts = tuple(names) or ("",)
    return [element for element in CATALOGUE.values() if element.name.startswith(starts)]


def _row(element: Element, asking: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    rules = asking.get(element.name, ())
    return (
        element.name,
        element.label,
        element.type,
        f"{element.loop} {element.x12}",
        str(len(rules)) if rules else "",
        "/".join(element.paths[0]),
    )


def _as_data(element: Element, asking: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "name": element.name,
        "label": element.label,
        "owner": element.owner,
        "type": element.type,
        "json": ["/" + "/".join(path) for path in element.paths],
        "x12": [
            {"loop": place.loop, "element": place.name, "qualifiers": place.qualifiers} for place in element.places
        ],
        "box": element.box,
        "length": [element.shortest, element.longest],
        "need": element.need,
        "when": element.when or None,
        "codes": element.codes,
        "rules": asking.get(element.name, ()),
    }
