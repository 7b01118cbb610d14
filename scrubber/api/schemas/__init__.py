"""Fields of documented answers, each with its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

Field = fields.Field[Any]


def text(about: str, **options: Any) -> Field:
    """A text that is always there."""
    return fields.String(required=True, metadata={"description": about}, **options)


def or_null(about: str) -> Field:
    """A text or null."""
    return text(about, allow_none=True)


def word(words: Sequence[str], about: str) -> Field:
    """One of a closed list."""
    return text(about, validate=validate.OneOf(words))


def money(about: str) -> Field:
    """Dollars with two decimals, or null."""
    return fields.String(
        required=True,
        allow_none=True,
        metadata={"description": f"{about} Null when it cannot be known.", "pattern": r"^-?\d+\.\d\d$"},
    )


def part(shape: type[Schema], about: str, *, nullable: bool = False) -> Field:
    """An object."""
    return fields.Nested(shape, required=True, allow_none=nullable, metadata={"description": about})


def parts(shape: type[Schema], about: str) -> Field:
    """A list of objects."""
    return fields.List(fields.Nested(shape), required=True, metadata={"description": about})


def texts(about: str) -> Field:
    """A list of texts."""
    return fields.List(fields.String(), required=True, metadata={"description": about})


def lines(about: str) -> Field:
    """Service lines, from 1."""
    return fields.List(fields.Integer(validate=validate.Range(min=1)), required=True, metadata={"description": about})


def flag(about: str) -> Field:
    """True or false."""
    return fields.Boolean(required=True, metadata={"description": about})


def number(about: str) -> Field:
    """A whole number."""
    return fields.Integer(required=True, metadata={"description": about})


def maybe(field: Field) -> Field:
    """The field, which may be left out."""
    field.required = False
    return field


def shape(name: str, members: dict[str, Field]) -> type[Schema]:
    """An object with these members, under its name in the document."""
    return _Open.from_dict(members, name=name)


class _Open(Schema):
    """Members may be added in a later release, so the document does not say that there are no others."""

    class Meta:
        """Read by marshmallow."""

        unknown = EXCLUDE


PROBLEM_ENTRY = shape(
    "ProblemEntry",
    {
        "pointer": text("JSON pointer into the body."),
        "detail": text("What is expected there."),
    },
)
PROBLEM = shape(
    "Problem",
    {
        "type": text("Which kind of problem; stays the same between releases."),
        "title": text("The kind in words."),
        "status": number("HTTP status."),
        "detail": text("What to do. Never repeats what was sent."),
        "errors": maybe(parts(PROBLEM_ENTRY, "What is wrong, place by place.")),
    },
)
