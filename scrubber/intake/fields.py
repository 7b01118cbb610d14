"""Step 1a of a claim's path: the kinds of field that the schema is declared with.

They refuse only wrong containers. A scalar is never refused: its reader gives a value or an `Odd`.
"""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from scrubber.intake.normalise import Reader

MOST_ENTRIES = 1_000  # of a list of objects

_OBJECT = "must be an object"
_LIST = f"must be a list of at most {MOST_ENTRIES} objects"
_LINES = f"must be a list of 1 to {MOST_ENTRIES} service lines"

_Messages = dict[str, str | list[Any] | dict[Any, Any]]


class Shape(Schema):
    """An object of the body. `unread` are names that belong to the model but that nothing here needs."""

    error_messages = {"type": _OBJECT}  # noqa: RUF012 -- marshmallow declares it so
    unread: frozenset[str] = frozenset()

    class Meta:
        """Unknown names are listed by the accept path, never refused."""

        unknown = EXCLUDE


class Scalar(fields.Field[Any]):
    """One value, or a list of them, as its reader takes it."""

    def __init__(self, read: Reader) -> None:
        super().__init__(allow_none=True)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return self.read(value)


def _nothing(value: object) -> object:
    """Real senders write "" for an object or a list that is not there."""
    return None if value == "" else value


class Part(fields.Nested):
    """An object in an object. Unless required, null and "" say that there is none."""

    def __init__(self, shape: Shape, *, required: bool = False) -> None:
        messages: _Messages = {"required": "is missing", "null": _OBJECT}
        super().__init__(
            shape,
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )


class PartOrList(Part):
    """An object that holds one list; where the list stands in its place, `read` takes it."""

    def __init__(self, shape: Shape, read: Reader) -> None:
        super().__init__(shape)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **kwargs) if type(value) is dict else self.read(value)


class Parts(fields.List[Any]):
    """A list of objects, its length checked before anything in it is read.

    Unless required, null and "" say that there is none; a required list has at least one entry.
    """

    def __init__(self, shape: Shape, *, required: bool = False) -> None:
        message = _LINES if required else _LIST
        messages: _Messages = {"invalid": message, "required": message, "null": message}
        super().__init__(
            Part(shape, required=True),
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )

    def fits(self, value: object) -> bool:
        """Whether it is a list of a length that is read."""
        return type(value) is list and self.required <= len(value) <= MOST_ENTRIES

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not self.fits(value):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)
