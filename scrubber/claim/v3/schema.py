"""Declares the v3 Professional Claims body and `scrubContext` in marshmallow, for reading and for OpenAPI.

The schemas refuse only wrong containers, and of these only such as the claim cannot be read without. A scalar is never
refused: its reader gives a value or an `IrregularValue`.

The body comes from the catalogue of elements (`claim/v3/shapes.py`). What is declared here are names that senders write
and the transaction does not have, other places of some names, and `scrubContext`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from marshmallow import EXCLUDE, Schema, fields, post_load

from scrubber.claim.elements import Element
from scrubber.claim.v3 import readers, values
from scrubber.claim.v3 import values as read
from scrubber.claim.v3.shapes import Shape, draw
from scrubber.claim.v3.synonyms import TAKEN
from scrubber.claim.v3.values import NO_LIST, NO_OBJECT, Reader

MOST_ENTRIES = 1_000  # of a list of objects
MOST_EARLIER = 5_000  # services of a history
FURTHER = ""  # no name of a member: under it are those whose names the schema does not know

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII).fullmatch  # of a member, where it is reported
UNREADABLE_NAME = "(unreadable name)"  # reported instead of a name that could be anything, even patient data

_OBJECT = "must be an object"
_LIST = "must be a list of at most {} objects"
_LINES = f"must be a list of 1 to {MOST_ENTRIES} service lines"

_Messages = dict[str, str | list[Any] | dict[Any, Any]]


class BodySchema(Schema):
    """An object of the body. `unread` are names that some senders write and the transaction does not have."""

    error_messages = {"type": _OBJECT}  # noqa: RUF012 -- marshmallow declares it so
    unread: frozenset[str] = frozenset()

    class Meta:
        """Unknown names are listed by the accept path, never refused."""

        unknown = EXCLUDE


class KeepingSchema(BodySchema):
    """An object of which everything is kept: values under names that are not known as sent, under FURTHER."""

    @post_load(pass_original=True)
    def keep_further(self, loaded: dict[str, Any], sent: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Adds what the schema does not know to what it has loaded."""
        further = {name: value for name, value in sent.items() if name not in self.load_fields and NAME(name)}
        return loaded | ({FURTHER: further} if further else {})


class ScalarField(fields.Field[Any]):
    """One value, or a list of values, converted by its reader.

    `like` is a reader that documentation knows: what is read is the same, whatever its length and codes.
    """

    def __init__(self, read: Reader, like: Reader | None = None) -> None:
        super().__init__(allow_none=True)
        self.read = read
        self.like = like or read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return self.read(value)


def _nothing(value: object) -> object:
    """Real senders write "" for a missing object or list."""
    return None if value == "" else value


class ObjectField(fields.Nested):
    """An object in an object. Unless required, null and "" mean that there is none.

    Of one that is not `refused`, any other value is only unreadable.
    """

    def __init__(self, shape: BodySchema, *, required: bool = False, refused: bool = True) -> None:
        messages: _Messages = {"required": "is missing", "null": _OBJECT}
        super().__init__(
            shape,
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )
        self.refused = refused

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.refused and type(value) is not dict:
            return NO_OBJECT
        return super()._deserialize(value, *args, **kwargs)


class ObjectOrListField(ObjectField):
    """An object that holds one list; where the list is sent instead of it, `read` converts that."""

    def __init__(self, shape: BodySchema, read: Reader) -> None:
        super().__init__(shape)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **kwargs) if type(value) is dict else self.read(value)


class ObjectListField(fields.List[Any]):
    """A list of objects, its length checked before anything in it is read.

    Unless required, null and "" mean that there is none; a required list has at least one entry. Of one that is not
    `refused`, an object alone is an entry, an entry that is none is empty, and any other value is only unreadable.
    """

    def __init__(
        self, shape: BodySchema, *, required: bool = False, refused: bool = True, most: int = MOST_ENTRIES
    ) -> None:
        message = _LINES if required else _LIST.format(most)
        messages: _Messages = {"invalid": message, "required": message, "null": message}
        super().__init__(
            ObjectField(shape, required=True),
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )
        self.refused = refused
        self.most = most

    def fits(self, value: object) -> bool:
        """Whether it is a list of a length that is read."""
        return type(value) is list and self.required <= len(value) <= self.most

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.refused:
            entries = [value] if type(value) is dict else value
            if not self.fits(entries):
                return NO_LIST
            value = [entry if type(entry) is dict else {} for entry in entries]
        if not self.fits(value):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


DeclaredFields = dict[str, fields.Field[Any]]


def _schema(name: str, declared: DeclaredFields, unread: str = "", kind: type[BodySchema] = BodySchema) -> BodySchema:
    schema = cast(type[BodySchema], kind.from_dict(declared, name=name))
    schema.unread = frozenset(unread.split())
    return schema()


def _each(reader: read.Reader, names: str) -> DeclaredFields:
    return {name: ScalarField(reader) for name in names.split()}


# By kind of object: names that senders write and for which the transaction has no place. They are not looked at.
_UNREAD: Mapping[str, str] = {
    "Submitter": "taxId",
    "Receiver": "taxId",
    "Contact": "validContact",
    "Provider": "identificationCode secondaryIdentificationQualifierCode otherIdentifier",
}
# By kind of object: older names of elements, and what the reader of the claim itself needs.
_FURTHER: Mapping[str, DeclaredFields] = {
    "Body": _each(read.text, "tradingPartnerId"),
    "Address": _each(read.text, "line1 line2") | _each(read.zip_code, "zip"),
    "Provider": _each(read.text, "providerType"),
    "Line": _each(read.days, "serviceDate"),
}
# Objects and lists that a claim is refused for, where they are something else: its own parts are made of them.
_REFUSED = frozenset(
    (
        "submitter", "receiver", "subscriber", "dependent", "billing", "rendering", "ordering", "referring",
        "supervising", "address", "claimInformation", "claimSupplementalInformation", "serviceFacilityLocation",
        "healthCareCodeInformation", "serviceLines", "professionalService", "renderingProvider", "orderingProvider",
        "referringProvider", "drugIdentification",
    )
)  # fmt: skip
_REQUIRED = frozenset(("claimInformation", "serviceLines"))
_POINTERS = "compositeDiagnosisCodePointers"


def _body() -> BodySchema:
    """The schema of the whole body, made of those of its objects: each kind of object has one."""
    shapes, made = draw(), dict[str, BodySchema]()

    def schema(shape: Shape) -> BodySchema:
        if shape.kind not in made:
            made[shape.kind] = _schema(shape.kind, declared(shape), _UNREAD.get(shape.kind, ""))
        return made[shape.kind]

    def declared(shape: Shape) -> DeclaredFields:
        found: DeclaredFields = {
            name: _scalar(elements, listed=name in shape.lists) for name, elements in shape.scalars.items()
        }
        found |= _FURTHER.get(shape.kind, {})
        for name, inside in shape.objects.items():
            found[name] = ObjectField(schema(inside), required=name in _REQUIRED, refused=_is_refused(name, shape))
        for name, inside in shape.entries.items():
            found[name] = ObjectListField(schema(inside), required=name in _REQUIRED, refused=name in _REFUSED)
        if _POINTERS in shape.objects:
            found[_POINTERS] = ObjectOrListField(schema(shape.objects[_POINTERS]), values.bare_pointers)
        if shape.kind == "Line":  # a service may be written into its line
            found = declared(shapes["Service"]) | found
        if shape.kind == "Body":
            found |= {"providers": ObjectListField(schema(shapes["Provider"])), "scrubContext": ObjectField(_CONTEXT)}
        return found

    return schema(shapes["Body"])


def _is_refused(name: str, shape: Shape) -> bool:
    return name in _REFUSED or (name == "contactInformation" and shape.kind == "Submitter")


def _scalar(elements: list[Element], *, listed: bool) -> ScalarField:
    """The field of one name. Where several elements share it, the longest may stand there, and the codes of all."""
    widest = max(elements, key=lambda element: (not element.codes, element.longest))
    alone = readers.ALONE.get(widest.type, values.text)
    if listed:
        return ScalarField(readers.listed(widest), readers.LISTED.get(widest.type, values.modifiers))
    return ScalarField(readers.alone(widest), alone)


DOCUMENTATION_OBJECTS = {
    "signature": "name npi date credential",
    "sourceStudy": "code date levels device",
    "tbsSoftware": "name vendor version clearance",
    "order": "npi date",
}
_STATED = _schema(
    "Stated",
    _each(
        read.statement,
        """tbsValue tScore indication findings interpretation recommendation reportDate calculatedBy tbsCategory levels
        limitations""",
    )
    | _each(read.flag_statement, "separateReport modifierSupport")
    | {
        name: ObjectField(_schema(name, _each(read.statement, members), kind=KeepingSchema))
        for name, members in DOCUMENTATION_OBJECTS.items()
    },
    kind=KeepingSchema,
)

_CONTEXT = _schema(
    "Context",
    {
        "documentation": ObjectListField(
            _schema(
                "Documentation",
                {"lines": ScalarField(values.line_numbers), "elements": ObjectField(_STATED)},
            )
        ),
        "abn": ObjectListField(
            _schema(
                "Abn",
                _each(values.line_numbers, "lines")
                | _each(read.day, "issued signed")
                | _each(read.statement, "form option estimate reason")
                | _each(read.flag, "refused")
                | _each(read.number, "witnesses"),
            )
        ),
        "history": ObjectListField(
            _schema(
                "EarlierService",
                _each(read.procedure, "code")
                | _each(read.day, "date careFrom careTo")
                | _each(values.modifiers, "modifiers")
                | _each(read.dashed_digits, "renderingNpi billingNpi")
                | _each(read.number, "units")
                | _each(read.amount, "charge allowed")
                | _each(read.code, "taxonomyCode")
                | _each(values.diagnosis_codes, "diagnoses"),
            ),
            most=MOST_EARLIER,
        ),
        "historyFrom": ScalarField(read.day),
        "historyComplete": ScalarField(read.flag),
        "historyScope": ScalarField(read.history_scope),
        "eligibility": ObjectField(
            _schema(
                "Eligibility",
                _each(read.keyword, "plan")
                | _each(read.text, "product")
                | _each(read.flag, "qmb")
                | _each(read.day, "checkedOn")
                | {"hospice": ObjectListField(_schema("Hospice", _each(read.day, "from to")))},
            )
        ),
        "pricing": ObjectField(
            _schema(
                "Pricing",
                _each(read.locality, "locality")
                | _each(read.participation, "participation")
                | _each(read.flag, "qualifyingApm"),
            )
        ),
        "receivedOn": ScalarField(read.day),
    },
)

BODY = _body()
SERVICE_NAMES = TAKEN["Service"]  # where one of them stands on a line, the line itself is its service
