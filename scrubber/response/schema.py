"""Fields and base class of the schemas that declare responses, for OpenAPI and for the writers (`writer.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import date
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE, Schema, fields, missing, validate
from marshmallow.utils import get_value

from scrubber.response.values import amount, compact_day

SchemaOf = type[Schema] | Callable[[], Schema]  # of nested objects; a function where it is declared further down
Function = Callable[[Any], Any]


class ResponseSchema(Schema):
    """An object of a response. Its members are called like its fields, in camelCase, and stand in their order.

    Classes are called NAMEResponse; OpenAPI calls them NAME.

    `instance_of` is the class of the objects that are written. `cached_by` names one of their attributes that is one of
    few, long-lived objects, such as the rule of a finding: what is written of it is written once and kept.
    """

    class Meta:
        """Members may be added in a later release, so OpenAPI does not say that there are no others."""

        unknown = EXCLUDE

    instance_of: ClassVar[type | None] = None
    cached_by: ClassVar[str | None] = None

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Called by marshmallow for each field: the name of its member."""
        if field_obj.data_key is None:
            first, *others = field_name.split("_")
            field_obj.data_key = first + "".join(map(str.capitalize, others))


class Member(fields.Field[Any]):
    """What the fields of responses have in common: a description, and how the value is found.

    The value is the attribute of the field's name, or the one at `path` (`rule.severity`), or what `compute` makes of
    the object. `convert` makes what is written of it, unless it is None. `same_as` is a path through `cached_by` to
    what the value mostly is. An `optional` member is left out where the value is None, a `nullable` one is null; one
    that is both is left out where the value is marshmallow's `missing`.
    """

    def __init__(
        self,
        about: str,
        *,
        path: str | None = None,
        compute: Function | None = None,
        convert: Function | None = None,
        same_as: str | None = None,
        optional: bool = False,
        nullable: bool = False,
        metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        described = {"description": about, **(metadata or {})}
        super().__init__(required=not optional, allow_none=nullable, metadata=described, **options)
        self.path, self.compute, self.convert, self.same_as = path, compute, convert, same_as
        self.optional, self.nullable = optional, nullable

    def get_value(self, obj: Any, attr: str, accessor: Callable[..., Any] | None = None, default: Any = missing) -> Any:
        """Called by marshmallow for an object: its value of this field."""
        value = self.compute(obj) if self.compute else (accessor or get_value)(obj, self.path or attr, default)
        if self.convert and value is not None and value is not missing:
            value = self.convert(value)
        return missing if value is None and self.optional and not self.nullable else value


class Text(Member, fields.String):
    """A text."""


class Number(Member, fields.Integer):
    """A whole number."""


class FloatNumber(Member, fields.Float):
    """A number with decimals."""


class Flag(Member, fields.Boolean):
    """True or false."""


class AnyValue(Member, fields.Raw):
    """A value of several types, which its metadata name."""


class Texts(Member, fields.List[str]):
    """A list of texts."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(about, cls_or_instance=fields.String(), **options)


class Lines(Member, fields.List[int]):
    """Service lines, from 1."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(about, cls_or_instance=fields.Integer(validate=validate.Range(min=1)), **options)


class Object(Member, fields.Nested):
    """An object."""

    def __init__(self, schema: SchemaOf, about: str, **options: Any) -> None:
        super().__init__(about, nested=schema, **options)


class Objects(Member, fields.List[Any]):
    """A list of objects."""

    def __init__(self, schema: SchemaOf, about: str, **options: Any) -> None:
        super().__init__(about, cls_or_instance=fields.Nested(schema), **options)

    @property
    def nested(self) -> Schema:
        """The schema of its objects, once the field is bound to a schema."""
        return cast(fields.Nested, self.inner).schema


class OneOf(Member, fields.String):
    """One word of a closed list."""

    def __init__(self, words: Sequence[str], about: str, **options: Any) -> None:
        super().__init__(about, validate=validate.OneOf(words), **options)


class Money(Member, fields.String):
    """Dollars with two decimals, or null."""

    def __init__(self, about: str, **options: Any) -> None:
        about, pattern = f"{about} Null when it cannot be known.", {"pattern": r"^-?\d+\.\d\d$"}
        super().__init__(about, convert=amount, nullable=True, metadata=pattern, **options)


class CompactDay(Member, fields.String):
    """A date as CCYYMMDD."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(about, convert=compact_day, **options)


class IsoDay(Member, fields.String):
    """A date in ISO form."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(about, convert=date.isoformat, **options)


class Mapped(Member, fields.Dict):
    """An object with names that no schema lists."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(about, convert=dict, **options)


def members_of(schema: type[Schema], path: str) -> dict[str, fields.Field[Any]]:
    """The fields of a schema for an object that has the schema's own object at `path`."""
    members = deepcopy(schema._declared_fields)
    for name, field in members.items():
        if isinstance(field, Member):
            if field.compute:
                field.compute = _through(path, field.compute)
            else:
                field.path = f"{path}.{field.path or name}"
    return members


def _through(path: str, compute: Function) -> Function:
    return lambda value: compute(get_value(value, path))


def itself(value: Any) -> Any:
    """For an object of which a part of the response is its own members: `Object(…, compute=itself)`."""
    return value
