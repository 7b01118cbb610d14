"""Brings a v3 body, in any shape that is read, into the one shape of the catalogue of elements, to be written as X12.

Providers stand under their roles, what is billed in `professionalService`, pointers in their object, and an ordering
provider of the claim on each line without one of its own: the 837P has ordering providers on lines only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from scrubber.claim.elements import CATALOGUE
from scrubber.claim.model import as_sent
from scrubber.claim.v3.cms1500 import in_v3_names, is_cms1500
from scrubber.claim.v3.names import in_model_names
from scrubber.claim.v3.values import IrregularValue, days
from scrubber.errors import NotAClaim, Problem

Object = dict[str, Any]

NO_PLACE = "the 837P has no place for it"
ROLES = ("billing", "rendering", "ordering", "referring", "supervising")
_TYPES = {f"{role}provider": role for role in ROLES}
_CI, _LINES, _SERVICE = "claimInformation", "serviceLines", "professionalService"
_POINTERS, _POINTER = "compositeDiagnosisCodePointers", "diagnosisCodePointers"
_SERVICE_NAMES = frozenset(
    path[4] for element in CATALOGUE.values() for path in element.paths if path[3:4] == (_SERVICE,)
)
_ADDRESS_NAMES = {"line1": "address1", "line2": "address2", "zip": "postalCode"}


class ModelBody(NamedTuple):
    """A body in the shape of the catalogue. `moved`: by pointer into it, where the same thing was sent.

    `left_out`: what the body says a second time and otherwise, by the pointer as sent.
    """

    body: Object
    moved: dict[str, str]
    left_out: tuple[tuple[str, str], ...]

    def sent(self, pointer: str) -> str:
        """Where the sender has what stands at a pointer into this body."""
        return as_sent(pointer, self.moved)


def in_model_shape(body: object) -> ModelBody:
    """The body in the shape of the catalogue; the body itself stays as it is.

    Raises NotAClaim for what is no claim, and for a claim of another kind (837I, 837D), as `in_model_names` does.
    """
    renamed = in_v3_names(body, guess=False) if is_cms1500(body) else in_model_names(body, guess=False)
    if type(renamed.body) is not dict or type(renamed.body.get(_CI)) is not dict:
        raise NotAClaim((Problem(f"/{_CI}", "must be an object"),))
    left_out = [(pointer, change) for pointer, change in renamed.changes if change.startswith("left out")]
    left_out += [(pointer, NO_PLACE) for pointer in renamed.unknown]
    shaper = _Shaper(dict(renamed.body), dict(renamed.moved))
    return ModelBody(shaper.shaped(), shaper.moved, tuple(left_out))


class _Shaper:
    def __init__(self, body: Object, moved: dict[str, str]) -> None:
        self.body = body
        self.moved = moved

    def shaped(self) -> Object:
        self._rename(self.body, {"tradingPartnerId": "tradingPartnerServiceId"}, "")
        self._place_providers()
        for name in (*ROLES, "subscriber", "dependent"):
            self._address_of(self.body, name, "")
        claim = self.body[_CI] = dict(self.body[_CI])
        self._address_of(claim, "serviceFacilityLocation", f"/{_CI}")
        lines = claim.get(_LINES)
        if type(lines) is list:
            pointer = f"/{_CI}/{_LINES}"
            claim[_LINES] = [self._line(line, f"{pointer}/{index}") for index, line in enumerate(lines)]
        return self.body

    def _sent(self, pointer: str) -> str:
        return as_sent(pointer, self.moved)

    def _rename(self, at: Object, names: dict[str, str], pointer: str) -> None:
        for older, name in names.items():
            if older in at and at.get(name) in (None, ""):
                at[name] = at.pop(older)
                self.moved[f"{pointer}/{name}"] = self._sent(f"{pointer}/{older}")

    def _place_providers(self) -> None:
        """The entries of `providers` under their roles; an entry stays listed where its role is taken, or none."""
        listed = self.body.get("providers")
        if type(listed) is not list:
            return
        left: list[Any] = []
        for index, entry in enumerate(listed):
            role = _role(entry)
            if role is None or self.body.get(role) not in (None, "", {}):
                left.append(entry)
                continue
            self.body[role] = {name: value for name, value in entry.items() if name != "providerType"}
            self.moved[f"/{role}"] = self._sent(f"/providers/{index}")
            left.append(None)
        self.body["providers"] = left

    def _address_of(self, at: Object, name: str, pointer: str) -> None:
        holder = at.get(name)
        if type(holder) is not dict:
            return
        address = holder.get("address")
        if type(address) is dict and not _ADDRESS_NAMES.keys().isdisjoint(address):
            address = dict(address)
            self._rename(address, _ADDRESS_NAMES, f"{pointer}/{name}/address")
            at[name] = holder | {"address": address}

    def _line(self, line: Any, pointer: str) -> Any:
        if type(line) is not dict:
            return line
        line = dict(line)
        self._place_service(line, pointer)
        self._place_days(line, pointer)
        ordering = self.body.get("ordering")
        if type(ordering) is dict and line.get("orderingProvider") in (None, "", {}):
            line["orderingProvider"] = ordering
            self.moved[f"{pointer}/orderingProvider"] = self._sent("/ordering")
        for name in _LINE_PROVIDERS:
            self._address_of(line, name, pointer)
        return line

    def _place_service(self, line: Object, pointer: str) -> None:
        service = line.get(_SERVICE)
        service = dict(service) if type(service) is dict else {}
        for name in sorted(name for name in line if name in _SERVICE_NAMES):
            if service.get(name) in (None, "", []):
                service[name] = line.pop(name)
                self.moved[f"{pointer}/{_SERVICE}/{name}"] = self._sent(f"{pointer}/{name}")
        pointers = service.get(_POINTERS)
        if pointers is not None and type(pointers) is not dict:
            at = f"{pointer}/{_SERVICE}/{_POINTERS}"
            service[_POINTERS] = {_POINTER: pointers}
            self.moved[f"{at}/{_POINTER}"] = self._sent(at)
        if service:
            line[_SERVICE] = service

    def _place_days(self, line: Object, pointer: str) -> None:
        """A range of days in one text, as its two ends."""
        found = days(line.get("serviceDate"))
        if type(found) is IrregularValue and type(found.value) is tuple and line.get("serviceDateEnd") in (None, ""):
            line["serviceDate"], line["serviceDateEnd"] = (f"{day:%Y%m%d}" for day in found.value)
            self.moved[f"{pointer}/serviceDateEnd"] = self._sent(f"{pointer}/serviceDate")


_LINE_PROVIDERS: Iterable[str] = (
    "renderingProvider",
    "orderingProvider",
    "referringProvider",
    "supervisingProvider",
    "serviceFacilityLocation",
)


def _role(entry: Any) -> str | None:
    kind = entry.get("providerType") if type(entry) is dict else None
    return _TYPES.get(kind.strip().lower()) if type(kind) is str else None
