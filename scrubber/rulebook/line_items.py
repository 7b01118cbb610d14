"""The items that relations speak of: lines as seen from the one in hand, rows of tables, and all the others."""

from __future__ import annotations

from collections.abc import Mapping

from scrubber.rulebook.item_kinds import ITEM_KINDS as OTHER_ITEMS
from scrubber.rulebook.item_kinds import ItemKind
from scrubber.rulebook.relations import ROW
from scrubber.rulebook.vocabulary import KINDS

_FIELDS = KINDS["line"].fields


def _item(name: str, plural: str, about: str) -> ItemKind:
    return ItemKind(name, plural, about, _FIELDS, of_lines=True)


LINE_ITEMS: Mapping[str, ItemKind] = {
    kind.name: kind
    for kind in (
        _item("line", "lines", "a service line of the claim, also the one in hand"),
        _item("other-line", "other-lines", "a service line of the claim but the one in hand"),
        _item("earlier-line", "earlier-lines", "a service line before the one in hand, as the claim has them"),
        _item("later-line", "later-lines", "a service line behind the one in hand, as the claim has them"),
        _item(
            "line-up-to-this",
            "lines-up-to-this",
            "the line in hand and the service lines before it, as the claim has them",
        ),
    )
}
ROW_ITEM = ItemKind(ROW, "rows", "a row of a table", {})
ITEMS: Mapping[str, ItemKind] = {**LINE_ITEMS, **OTHER_ITEMS, ROW: ROW_ITEM}
PLURALS: Mapping[str, str] = {kind.plural: kind.name for kind in ITEMS.values()}
