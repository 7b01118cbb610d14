"""Says which grammar of the rule language a pack is written in, and finds keys of the newer one in packs of the older.

Grammar 1 is that of packs without `grammar` in pack.yaml: conditions on the facts of one scope. Grammar 2 adds
look-ups in tables, amounts, definitions, relations to other things of the claim (`no-other-line`), comparisons of
two facts, severity, reason and dollars from a row, and fixes as data. Rulebooks in archives are read as they were
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from scrubber.errors import Fault
from scrubber.rulebook.line_items import ITEMS
from scrubber.rulebook.yaml_file import Document, Position

GRAMMARS = ("1", "2")  # rising
OLDEST, NEWEST = GRAMMARS[0], GRAMMARS[-1]
NEW_KEYS = frozenset(("look-up", "amounts", "remedies"))  # of a rule file
RELATIONS = ("some-", "no-", "every-")  # begin the key of a relation; what it is about follows
_CONDITIONS = frozenset(("applies", "when", "bypassed"))
FROM_ROW = frozenset(("severity", "reason", "at-risk"))  # keys whose value may be taken from a row


class HasGrammar(Protocol):
    """A pack, as far as its grammar is concerned."""

    @property
    def grammar(self) -> str:
        """One of GRAMMARS."""


def grammar_faults(documents: Iterable[Document], packs: Mapping[str, HasGrammar]) -> Iterator[Fault]:
    """One fault for each rule file of a pack of grammar 1 that has something of grammar 2, at the first of it."""
    for document in documents:
        pack = document.file.split("/", 1)[0]
        if pack in packs and packs[pack].grammar == OLDEST:
            found = next(_newer(document), None)
            if found is not None:
                position, word = found
                yield document.fault(
                    position,
                    f"{word} is of grammar {NEWEST}, and pack {pack} is written in grammar {OLDEST}: "
                    f"`scrubber rules migrate {pack}` writes `grammar` into its pack.yaml",
                )


def _newer(document: Document) -> Iterator[tuple[Position, str]]:
    """What a rule file has of grammar 2: where, and what it is, in words."""
    for position in document.lines:
        if len(position) == 1 and position[0] in NEW_KEYS:
            yield position, f"`{position[0]}`"
        elif len(position) > 1 and position[0] in FROM_ROW and position[-1] == "from":
            yield position, f"`{position[0]}` from a row"
        elif len(position) > 1 and position[0] in _CONDITIONS:
            if _is_relation(position[-1]):
                yield position, f"the relation `{position[-1]}`"
            elif position[-1] == "definition":
                yield position, "a definition"
            elif position[-1] == "fact" and _is_compared(position):
                yield position, "comparing with another fact"


def _is_relation(key: Any) -> bool:
    """Whether a key of a condition begins a relation, such as `no-other-line`."""
    return isinstance(key, str) and any(key.startswith(word) and key.removeprefix(word) in ITEMS for word in RELATIONS)


def _is_compared(position: Position) -> bool:
    """Whether `fact` stands under an operator, as what is compared with, and not where a condition names its fact."""
    return isinstance(position[-2], str) and not (len(position) == 2 and position[0] in _CONDITIONS)
