"""Resolves the names that conditions use: fields, amounts, columns of look-ups, the claim's, the documentation's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from scrubber.likeness import perhaps
from scrubber.rulebook.definitions import Definition
from scrubber.rulebook.field import Field, Type, field_named
from scrubber.rulebook.limits import Limits
from scrubber.rulebook.line_items import LINE_ITEMS
from scrubber.rulebook.relations import ROW, Column, LookUp, OfClaim, OfDocument, OfLimit, OfPrice, Operand, Outer, Own
from scrubber.rulebook.vocabulary import KINDS, FactKind
from scrubber.rulebook.yaml_file import Position

ReportFault = Callable[[Position, str], None]

THIS, CLAIM, DOCUMENT, PRICE, LIMIT = "this", "claim", "document", "price", "limit"
FOUND, NOT_FOUND = "found", "not-found"


class KnownTable(NamedTuple):
    """A table that look-ups may ask: its columns as fields, which are keys, whether every fitting row answers."""

    columns: Mapping[str, Field]
    keys: tuple[str, ...]
    every: bool


class Known(NamedTuple):
    """What rules may name beside facts. `limits` and `tables` are None where tables could not be read.

    `documents` are the elements of documentation, `derived` the words that follow from them, which only rules about
    documents read.
    """

    limits: Limits | None
    tables: Mapping[str, KnownTable] | None
    documents: Mapping[str, Field]
    definitions: Mapping[str, Definition]
    derived: Mapping[str, Field] = MappingProxyType({})


NOTHING_KNOWN = Known({}, {}, {}, {})


@dataclass
class NameScope:
    """The fact or item that conditions are about: its fields, its own look-ups and amounts, and what encloses it.

    `kind` names it for conditions of items within it.
    """

    kind: str
    fields: Mapping[str, Field]
    known: Known
    outer: NameScope | None = None
    look_ups: dict[str, LookUp] = field(default_factory=dict)
    amounts: dict[str, tuple[Operand, Field]] = field(default_factory=dict)

    def chain(self) -> Iterator[tuple[int, NameScope]]:
        """This and each enclosing frame, with how many levels further out it is."""
        level, frame = 0, self
        while True:
            yield level, frame
            if frame.outer is None:
                return
            level, frame = level + 1, frame.outer


PRICES: Mapping[str, Field] = {
    "allowed": Field("price.allowed", Type.AMOUNT, "what the payer allows for the line, as it is priced"),
    "fee": Field("price.fee", Type.AMOUNT, "the fee of one unit, as it is priced"),
    "full-fee": Field("price.full-fee", Type.AMOUNT, "the fee of one unit for who participates with the payer"),
}


class Resolved(NamedTuple):
    """A name: the operand that gives its value, and a field that says how its values are written."""

    operand: Operand
    field: Field

    @property
    def plain(self) -> bool:
        """Whether it is a field of the fact in hand."""
        return isinstance(self.operand, Own)


def resolve(name: str, frame: NameScope) -> Resolved | None:
    """What a name stands for; None where there is nothing of that name."""
    own = frame.fields.get(name)
    if own is not None:
        return Resolved(Own(name, own.type), own)
    head, dot, tail = name.partition(".")
    for level, enclosing in frame.chain():
        if not dot and name in enclosing.amounts:
            operand, of_amount = enclosing.amounts[name]
            return _outer(level, Resolved(operand, of_amount))
        if dot and head in enclosing.look_ups:
            return _column(level, enclosing.look_ups[head], tail, name, frame.known)
    if dot:
        return _of_owner(head, tail, frame)
    other = field_named(frame.fields, name) if frame.outer is None or frame.kind != ROW else None
    return Resolved(Own(other.name, other.type), other) if other else None


def look_up_named(name: str, frame: NameScope) -> tuple[int, LookUp] | None:
    """The look-up of that name, and how many levels further out it was made."""
    for level, enclosing in frame.chain():
        if name in enclosing.look_ups:
            return level, enclosing.look_ups[name]
    return None


def _outer(level: int, found: Resolved) -> Resolved:
    return Resolved(Outer(level, found.operand), found.field) if level else found


def _column(level: int, look_up: LookUp, column: str, name: str, known: Known) -> Resolved | None:
    table = (known.tables or {}).get(look_up.table)
    if table is None or column not in table.columns:
        return None
    of_column = table.columns[column]
    kind = Type.CODES if look_up.every else of_column.type
    return _outer(level, Resolved(Column(look_up, column, kind), replace(of_column, name=name, type=kind)))


def _of_owner(owner: str, name: str, frame: NameScope) -> Resolved | None:
    *_, (last, root) = frame.chain()
    if owner == THIS:
        found = resolve(name, root)
        return _outer(last, found) if found else None
    if owner == CLAIM:
        of_claim = field_named(KINDS[CLAIM].fields, name)
        return Resolved(OfClaim(of_claim.name, of_claim.type), of_claim) if of_claim else None
    if owner == DOCUMENT:
        of_document, level = frame.known.documents.get(name), _level_of_line(frame)
        if of_document is None or level is None:
            return None
        return _outer(level, Resolved(OfDocument(name, of_document.type), of_document))
    if owner == LIMIT and name in (frame.known.limits or {}):
        return Resolved(OfLimit(name), Field(f"{LIMIT}.{name}", Type.DECIMAL, "a limit of a table"))
    if owner == PRICE and name in PRICES and "charge" in frame.fields:
        return Resolved(OfPrice(name), PRICES[name])
    for level, enclosing in frame.chain():
        if level and enclosing.kind == owner:
            found = resolve(name, enclosing)
            return _outer(level, found) if found else None
    return None


def _level_of_line(frame: NameScope) -> int | None:
    """How many levels further out the nearest line is; None: there is none."""
    for level, enclosing in frame.chain():
        if enclosing.kind in LINE_ITEMS:
            return level
        if enclosing.outer is None:
            return level if KINDS.get(enclosing.kind, KINDS[CLAIM]).of_lines else None
    return None


def names_in(frame: NameScope) -> list[str]:
    """What may be named beside the fields: amounts, columns of look-ups, and the prefixes."""
    names: list[str] = []
    for level, enclosing in frame.chain():
        names += enclosing.amounts
        for name, look_up in enclosing.look_ups.items():
            table = (frame.known.tables or {}).get(look_up.table)
            names += [f"{name}.{column}" for column in (table.columns if table else ())]
        if level and enclosing.outer is None:
            names += [f"{THIS}.{name}" for name, of in enclosing.fields.items() if not of.element]
    names += [f"{DOCUMENT}.{name}" for name in frame.known.documents]
    return names


class TypingContext(NamedTuple):
    """What typing a condition needs: what it is about, with all that it may name, and where faults are reported.

    Where tables could not be read a limit is NEVER, and no fault of the rule.
    """

    frame: NameScope
    report: ReportFault
    used: tuple[str, ...] = ()  # the definitions within which it is typed

    def within(self, frame: NameScope) -> TypingContext:
        """The same for conditions of an item."""
        return self._replace(frame=frame)


def operand_named(name: str, position: Position, context: TypingContext, wanted: Type | None = None) -> Operand | None:
    """The operand that a name stands for, of a type if one is wanted; None: there is none, and a fault is reported."""
    found = resolve(name, context.frame)
    if found is None:
        context.report(position, unknown_name(name, context.frame))
        return None
    if wanted is not None and found.field.type is not wanted:
        context.report(position, f"`{name}` is no {wanted.value}")
        return None
    return found.operand


def unknown_name(name: str, frame: NameScope) -> str:
    """What an author may have meant by a name that stands for nothing."""
    kind = KINDS.get(frame.kind)
    if kind is not None and frame.outer is None:
        return f"`{name}` is no fact of {kind.name}; {known_fields(name, kind, *names_in(frame))}"
    return f"`{name}` is nothing that a {frame.kind} has; {meant(name, [*frame.fields, *names_in(frame)])}"


def meant(name: str, names: Mapping[str, object] | Sequence[str]) -> str:
    """What an author may have meant by a name, and the names there are."""
    known = [str(each) for each in names]
    like = perhaps(name, known, "")
    return f"{like}{'; ' if like else ''}there are: {', '.join(sorted(known)[:60]) or 'none'}"


def known_fields(name: str, kind: FactKind, *others: str) -> str:
    """What an author may have meant by a name that is no field of a kind: names like it, and the names there are.

    `others` are names beside the fields. Of elements of the catalogue only those are named that are like it.
    """
    like = perhaps(name, (*kind.fields, *others), "")
    names = sorted((*others, *(field.name for field in kind.fields.values() if not field.element)))
    elements = ", and the elements of docs/elements.md" if any(field.element for field in kind.fields.values()) else ""
    return f"{like}{'; ' if like else ''}there are: {', '.join(names)}{elements}"
