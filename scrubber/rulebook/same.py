"""The names of what can be the same of two services: `same: [day, procedure]`, each with the fields that hold it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

SAME_MODIFIERS = "modifiers-of"  # same: [{modifiers-of: LIST}]


class Sameness(NamedTuple):
    """What is compared: one of the fields of each alternative is there.

    `share`: one code in common is enough; of sides, `both` has each of them.

    `as_set`: codes are compared whatever their order. `absent_alike`: nothing on both is the same, too.
    """

    about: str
    fields: tuple[tuple[str, ...], ...]
    share: bool = False
    first: int = 0  # of codes, how many of their first characters are compared; 0: the whole of them
    as_set: bool = False
    absent_alike: bool = False

    def known_of(self, fields: Container[str]) -> bool:
        """Whether things with these fields have it."""
        return all(any(name in fields for name in names) for names in self.fields)


_RENDERING = ("renderingProvider", "rendering-provider")
_BILLING = ("billingProvider", "billing-provider")
SAME: Mapping[str, Sameness] = {
    "day": Sameness("the first date of service", (("day",),)),
    "procedure": Sameness("the procedure code", (("procedure",),)),
    "modifiers": Sameness("the modifiers, in whatever order", (("modifiers",),), as_set=True, absent_alike=True),
    "units": Sameness("the units", (("units",),)),
    "charge": Sameness("the charge", (("charge",),)),
    "place": Sameness("the place of service", (("place",),)),
    "rendering-provider": Sameness("the NPI of who rendered it", (_RENDERING,)),
    "billing-provider": Sameness("the NPI of who bills it", (_BILLING,)),
    "group": Sameness("the group: the NPI of who bills it", (_BILLING,)),
    "specialty": Sameness("the taxonomy code of who rendered it", (("specialty",),)),
    "group-and-specialty": Sameness("group and taxonomy code", (_BILLING, ("specialty",))),
    "shared-side": Sameness(
        "a side of the body in common: what is on both sides has it, and nothing on both is the same",
        (("side",),),
        share=True,
        absent_alike=True,
    ),
    "side": Sameness("the side of the body", (("side",),), absent_alike=True),
    "site": Sameness("the exact place on the body", (("site",),), absent_alike=True),
    "component": Sameness("the part of the service: 26, TC or whole", (("component",),)),
    "diagnosis": Sameness("a diagnosis: one in common", (("diagnoses",),), share=True),
    "diagnosis-category": Sameness(
        "a category of diagnoses: the first three characters of one in common", (("diagnoses",),), share=True, first=3
    ),
    "first-diagnosis": Sameness("the diagnosis pointed to first", (("firstDiagnosis",),)),
    "payer": Sameness("the payer", (("payer",),)),
}
