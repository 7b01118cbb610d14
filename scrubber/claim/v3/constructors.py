"""Quick constructors of the frozen parts of a Claim, of which one claim has some thirty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, make_dataclass
from typing import Any, ParamSpec, TypeVar, cast

from scrubber.claim import model

Fields = ParamSpec("Fields")
Made = TypeVar("Made")


def _quickly(frozen: Callable[Fields, Made]) -> Callable[Fields, Made]:
    """A way to make instances of a frozen dataclass with slots, four times as fast and as frozen as any other.

    A frozen dataclass calls `object.__setattr__` for each field. A draft has the same slots, sets them plainly, and
    once all are set it becomes the frozen class, as Python allows between classes of the same slots.
    """

    def freeze(draft: Any) -> None:
        draft.__class__ = frozen

    own = [(each.name, each.type, field(default=each.default)) for each in fields(cast(Any, frozen))]
    namespace = {"__post_init__": freeze}
    return cast(Callable[Fields, Made], make_dataclass("Draft", own, slots=True, repr=False, namespace=namespace))


address = _quickly(model.Address)
diagnosis = _quickly(model.Diagnosis)
person = _quickly(model.Person)
provider = _quickly(model.Provider)
service_line = _quickly(model.ServiceLine)
whole_claim = _quickly(model.Claim)
