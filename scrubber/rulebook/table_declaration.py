"""Declares an author's table: its key columns, the columns that its rows answer, and which rows answer.

pack.yaml holds it under `tables`, in place of the name of a built-in kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from scrubber.rulebook.cell_forms import mistyped
from scrubber.rulebook.column_types import COLUMN_TYPES, PREFIXES, probably
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS

ONE, ALL = "one", "all"
DAYS_AND_SOURCE = ("since", "until", "source")  # columns that every table may have
MOST_KEYS = 12
MOST_COLUMNS = 50
COLUMN_NAME = r"[a-z][a-z0-9]*([-_][a-z0-9]+)*"
NAME_LIKE = "line-of-business: small letters, digits and single hyphens"
MOST_WORDS = 500
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, as rules name it. `field` has its name, its type as a fact has it, and its words.

    `type` is one of COLUMN_TYPES. `key`: rows are found by it. `several`: a cell may hold several values with blanks
    between them. `through`: the column that ends a range of codes which this one begins. `first` and `last`: of a key
    that is a band, the columns from where and to where a row holds; the last value is included unless `open_end`. The
    key itself is no column of the file then. `among`: the only values that the key speaks of; others count as none.
    `required`: no cell may be blank.
    """

    field: Field
    type: str
    key: bool
    several: bool = False
    through: str | None = None
    first: str | None = None
    last: str | None = None
    open_end: bool = False
    among: tuple[str, ...] = ()
    required: bool = False

    @property
    def name(self) -> str:
        """The name by which rules call it."""
        return self.field.name

    @property
    def band(self) -> bool:
        """Whether its rows hold from one value to another."""
        return self.first is not None or self.last is not None

    @property
    def prefix(self) -> bool:
        """Whether its cells are beginnings of codes."""
        return self.type in PREFIXES


@dataclass(frozen=True, slots=True)
class TableDeclaration:
    """What pack.yaml says of a table. `answers` is one (the most specific row) or all (every row that fits).

    `keys` are in the order in which the more specific row wins; `columns` are all that rules may read of a row, keys
    that are no bands among them. `source` holds for rows that name none themselves.
    """

    about: str
    keys: tuple[Column, ...]
    columns: Mapping[str, Column]
    answers: str
    source: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of the file but for days and source, in the order of `columns`."""
        return tuple(self.columns)


def _entries(most: int) -> validate.Length:
    return validate.Length(1, most, error="must have from {min} to {max} entries")


def _yes_no(about: str, **options: Any) -> fields.String:
    words = validate.OneOf(("yes", "no", "true", "false"), error="Must be yes or no.")
    return fields.String(validate=words, load_default="no", metadata={"description": about}, **options)


def _is_yes(word: str) -> bool:
    return word in ("yes", "true")


class ColumnSchema(Schema):
    """A column of a table: its type, or `words` that it may have."""

    type = fields.String(metadata={"description": "What its cells hold.", "names": "column types"})
    about = fields.String(
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata={"description": "What it means, for readers and editors."},
    )
    words = fields.List(
        fields.String(validate=validate.Length(1, MOST_CHARACTERS)),
        validate=_entries(MOST_WORDS),
        metadata={"description": "The only words that its cells may have; its type is word then."},
    )
    several = _yes_no("yes: a cell may hold several values, with blanks between them.", data_key="list")
    required = _yes_no("yes: no cell of it may be blank. A blank cell of a key means any, else unknown.")


class KeyColumnSchema(ColumnSchema):
    """A key column: a row answers where its cell fits the value that is looked up; blank is any, `none` is none."""

    through = fields.String(
        metadata={"description": "A second column: the last code of the range that this one begins; blank: one code."}
    )
    first = fields.String(
        data_key="from", metadata={"description": "Of a band: the column with the first value; blank: no limit."}
    )
    last = fields.String(
        data_key="to", metadata={"description": "Of a band: the column with the last value, which is included."}
    )
    below = fields.String(
        metadata={"description": "Of a band, in place of `to`: the column with the first value beyond."}
    )
    among = fields.List(
        fields.String(validate=validate.Length(1, MOST_CHARACTERS)),
        validate=_entries(MOST_WORDS),
        metadata={
            "description": "The only values that this key speaks of. Others are passed over, so that `none` fits a "
            "line with none of these."
        },
    )


class ColumnField(fields.Field[Mapping[str, Any]]):
    """A column: the name of its type, or a mapping that says more."""

    def __init__(self, schema: type[Schema], **options: Any) -> None:
        super().__init__(**options)
        self.schema = schema()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Mapping[str, Any]:
        content = {"type": value} if isinstance(value, str) else value
        loaded: Mapping[str, Any] = self.schema.load(content)
        if loaded.get("type", "word") not in COLUMN_TYPES:
            meant = probably(loaded["type"], COLUMN_TYPES)
            raise ValidationError(f"`{loaded['type']}` is no type of a column:{meant} there are: {_types()}")
        return loaded


def _types() -> str:
    return ", ".join(COLUMN_TYPES)


def _name_of_column() -> fields.String:
    pattern = validate.Regexp(rf"(?:{COLUMN_NAME})\Z", error=f"Must look like {NAME_LIKE}.")
    about = "Name of a column, as its file and rules have it; the header may write a hyphen as an underscore."
    metadata = {"description": about, "pattern": f"^{COLUMN_NAME}$"}
    return fields.String(validate=(pattern, validate.Length(max=60)), metadata=metadata)


class TableSchema(Schema):
    """A table of one's own: what it says, the columns by which a row is found, and what a row answers."""

    about = fields.String(
        required=True,
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata={"description": "What a row says, in one or two sentences."},
    )
    keys = fields.Dict(
        keys=_name_of_column(),
        values=ColumnField(KeyColumnSchema),
        required=True,
        validate=_entries(MOST_KEYS),
        metadata={
            "description": "The columns by which a row is found. Of two rows that fit, the one with a cell in the "
            "first of these columns goes before one where it is blank, then by the second column, and so on."
        },
    )
    columns = fields.Dict(
        keys=_name_of_column(),
        values=ColumnField(ColumnSchema),
        load_default=dict,
        validate=validate.Length(max=MOST_COLUMNS),
        metadata={"description": "What a row answers: columns that rules read."},
    )
    answers = fields.String(
        load_default=ONE,
        validate=validate.OneOf((ONE, ALL), error="Must be one of: {choices}."),
        metadata={
            "description": "one: the most specific row that fits (two alike are a fault). all: every one that fits."
        },
    )
    source = fields.String(
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata={"description": "Where its rows come from; a column `source` says it for a row by itself."},
    )

    @post_load
    def _declare(self, data: dict[str, Any], **_: Any) -> TableDeclaration:
        return declaration_of(data)


def declaration_of(data: Mapping[str, Any]) -> TableDeclaration:
    """The declaration that the schema has loaded. Raises ValidationError, by key and column, with all that is wrong."""
    faults: dict[str, dict[str, list[str]]] = {"keys": {}, "columns": {}}
    for part in faults:
        for name, spec in data[part].items():
            messages = list(_column_faults(spec))
            if messages:
                faults[part][name] = messages
    for part, name, message in _repeated_names(data):
        faults[part].setdefault(name, []).append(message)
    found = {part: messages for part, messages in faults.items() if messages}
    if found:
        raise ValidationError(found)
    keys = tuple(_column(name, spec, key=True) for name, spec in data["keys"].items())
    columns: dict[str, Column] = {}
    for key in keys:
        columns |= {column.name: column for column in _columns_of_key(key)}
    columns |= {name: _column(name, spec, key=False) for name, spec in data["columns"].items()}
    return TableDeclaration(data["about"], keys, columns, data["answers"], data.get("source"))


def _column_faults(spec: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one column by itself."""
    name = spec.get("type", "word")
    type_ = COLUMN_TYPES[name]
    if name == "word" and not spec.get("words"):
        yield "needs a type, or `words`: [one, two]"
    if name != "word" and spec.get("words"):
        yield "`words` go with the type word alone"
    if _is_yes(spec["several"]) and not type_.in_lists:
        yield f"a cell of type {name} holds one value: take `list` out"
    if "through" in spec and not type_.in_ranges:
        yield f"a range (`through`) is of {_with('in_ranges')}"
    if {"first", "last", "below"} & spec.keys() and not type_.in_bands:
        yield f"a band (`from`, `to`) is of {_with('in_bands')}"
    if "last" in spec and "below" in spec:
        yield "give either `to` or `below`"
    if _is_yes(spec["several"]) and "through" in spec:
        yield "give either `list` or `through`"
    yield from _among_faults(name, spec.get("among", ()))


def _among_faults(type_: str, among: Sequence[str]) -> Iterator[str]:
    if among and (COLUMN_TYPES[type_].of_fact is not Type.TEXT or type_ in PREFIXES):
        yield "`among` is of codes and texts"
        return
    form = COLUMN_TYPES[type_].form
    yield from (message for value in among if form and (message := mistyped(form, value, {})))


def _with(ability: str) -> str:
    return ", ".join(name for name, type_ in COLUMN_TYPES.items() if getattr(type_, ability))


def _repeated_names(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Names that stand twice or that mean something else, by their part and column."""
    seen = {_folded(name): "column of every table" for name in DAYS_AND_SOURCE}
    for part in ("keys", "columns"):
        for name, spec in data[part].items():
            others = [spec[each] for each in ("through", "first", "last", "below") if each in spec]
            for each in (name, *others):
                folded = _folded(each)
                if folded in seen:
                    yield part, name, f"`{each}` is the name of a {seen[folded]}: choose another one"
                seen[folded] = "column above"


def _folded(name: str) -> str:
    return name.replace("_", "-")


def _column(name: str, spec: Mapping[str, Any], key: bool) -> Column:
    type_ = spec.get("type", "word")
    several = _is_yes(spec["several"])
    words = LINES_OF_BUSINESS[:-1] if type_ == "line-of-business" else tuple(spec.get("words", ()))
    fact_type = Type.CODES if several else COLUMN_TYPES[type_].of_fact
    about = spec.get("about") or COLUMN_TYPES[type_].about
    return Column(
        Field(name, fact_type, about, words),
        type_,
        key,
        several,
        spec.get("through"),
        spec.get("first"),
        spec.get("last") or spec.get("below"),
        "below" in spec,
        tuple(spec.get("among", ())),
        _is_yes(spec["required"]),
    )


def _columns_of_key(key: Column) -> Iterator[Column]:
    """The columns of the file that a key has."""
    if not key.band:
        yield key
    others = ((key.through, "last code of the range"), (key.first, "first value"), (key.last, "where it ends"))
    for name, about in others:
        if name is not None:
            yield Column(Field(name, COLUMN_TYPES[key.type].of_fact, f"{about} of {key.name}"), key.type, key=False)
