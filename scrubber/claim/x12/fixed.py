"""What a segment of an 837P says that no element of a claim says: kinds of entities, formats of dates, units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Parts = Mapping[int, str]


class Fixed(NamedTuple):
    """A text at an element or component (0: none), where `beside`, another element, is there; 0: always."""

    element: int
    component: int
    text: str
    beside: int


_FIXED: Mapping[str, tuple[Fixed, ...]] = {
    "PRV": (Fixed(2, 0, "PXC", 3),),
    "PER": (Fixed(1, 0, "IC", 0),),
    "DMG": (Fixed(1, 0, "D8", 2),),
    "PAT": (Fixed(5, 0, "D8", 6), Fixed(7, 0, "01", 8)),
    "PWK": (Fixed(5, 0, "AC", 6),),
    "CR1": (Fixed(1, 0, "LB", 2), Fixed(5, 0, "DH", 6)),
    "CR3": (Fixed(2, 0, "MO", 3),),
    "SV5": (Fixed(2, 0, "DA", 3),),
    "CLM": (Fixed(5, 2, "B", 5),),
    "REF": (Fixed(4, 1, "2U", 4),),
}
_PROVIDER_CODES = {"2000A": "BI"}  # PRV01; elsewhere the provider who performed the service
_PERFORMING = "PE"
_CONDITIONS = {"70": "65", "75": "IH"}  # CRC03 of conditions that are one alone
# NM108, where the body does not say it; elsewhere it is an NPI.
_ID_QUALIFIERS = {
    **dict.fromkeys(("1000A", "1000B"), "46"),
    **dict.fromkeys(("2010BA", "2330A"), "MI"),
    **dict.fromkeys(("2010AC", "2010BB", "2330B"), "PI"),
}
_NPI = "XX"
# NM102 where the guide has one alone, or where the body does not say it: persons, and else organizations.
_PERSONS = frozenset(
    ("2010CA", "2310A", "2310D", "2330A", "2330C", "2330D", "2330F", "2420D", "2420E", "2420F", "2420A", "2310B")
)
_ONE_DAY, _SEVERAL_DAYS = "D8", "RD8"


def fill(
    elements: Mapping[int, Parts], loop: str, name: str, qualifier: str, procedure: str = ""
) -> list[str | list[str]]:
    """The segment of these elements, with what goes without saying. `qualifier` is its first element, if it has one.

    `procedure`: of the line, which SV5 says once more.
    """
    whole: dict[int, dict[int, str]] = {number: dict(parts) for number, parts in elements.items()}
    if qualifier:
        whole.setdefault(1, {0: qualifier})
    for fixed in _FIXED.get(name, ()):
        if (not fixed.beside or fixed.beside in whole) and fixed.component not in whole.get(fixed.element, {}):
            whole.setdefault(fixed.element, {})[fixed.component] = fixed.text
    _fill_by_loop(whole, loop, name, procedure)
    segment: list[str | list[str]] = [name]
    for number in range(1, max(whole, default=0) + 1):
        parts = whole.get(number, {0: ""})
        segment.append(parts[0] if 0 in parts else [parts.get(part, "") for part in range(1, max(parts) + 1)])
    return segment


def _fill_by_loop(whole: dict[int, dict[int, str]], loop: str, name: str, procedure: str) -> None:
    if name == "NM1":
        whole.setdefault(2, {0: "1" if loop in _PERSONS else "2"})
        if 9 in whole:
            whole.setdefault(8, {0: _ID_QUALIFIERS.get(loop, _NPI)})
    elif name == "PRV":
        whole.setdefault(1, {0: _PROVIDER_CODES.get(loop, _PERFORMING)})
    elif name == "DTP" and 3 in whole:
        several = "-" in whole[3][0]
        whole.setdefault(2, {0: _SEVERAL_DAYS if several else _ONE_DAY})
    elif name == "CRC":
        condition = _CONDITIONS.get(whole.get(1, {}).get(0, ""))
        if condition:
            whole.setdefault(3, {0: condition})
    elif name == "SV5" and procedure:
        whole.setdefault(1, {1: "HC", 2: procedure})
