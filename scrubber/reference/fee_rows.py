"""Defines the rows of the reference tables that prices are worked out from: fees, factors, indices, localities.

`since` is the first day in force, `until` the first day no longer in force; None = open. `source` is a short citation.
Amounts and relative values are Decimals; a locality is "CCCCC-LL", the contractor and its locality number.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

COMPONENTS = ("26", "TC", "53")  # modifiers by which CMS's file has rows beside that of the whole code


class FeeRow(NamedTuple):
    """A code, or its professional, technical or discontinued component, on the Medicare physician fee schedule.

    Relative value units and CMS's own indicators; `*_na`: rarely or never done in that setting. `imaging_family` is
    "99" where the concept does not apply. OPPS figures are 0 where no cap applies. The shares of the fee for what is
    done before, during and after an operation are 0 where they do not apply, None where they are not stated. None as
    well: `supervision`, the level of a physician's supervision by CMS's number.
    """

    code: str
    component: Literal["", "26", "TC", "53"]
    status: str
    work: Decimal
    non_facility_pe: Decimal
    facility_pe: Decimal
    mp: Decimal
    non_facility_na: bool
    facility_na: bool
    pc_tc: str
    global_days: str
    multiple: str
    bilateral: str
    assistant: str
    co_surgeon: str
    team: str
    endoscopic_base: str | None
    imaging_family: str
    opps_non_facility_pe: Decimal
    opps_facility_pe: Decimal
    opps_mp: Decimal
    preoperative: Decimal | None
    intraoperative: Decimal | None
    postoperative: Decimal | None
    supervision: str | None
    since: date | None
    until: date | None
    release: str
    source: str


class ConversionFactor(NamedTuple):
    """Dollars for one relative value unit. `qualifying_apm` None: for every provider."""

    qualifying_apm: bool | None
    factor: Decimal
    since: date | None
    until: date | None
    source: str


class MultipleReduction(NamedTuple):
    """The reduction of a part of the fee for all but the first of several services on one day.

    `multiple` is the multiple procedure indicator of the fee schedule; `share` of the part is not paid.
    """

    multiple: str
    part: Literal["whole", "practice-expense", "technical", "professional"]
    share: Decimal
    since: date | None
    until: date | None
    source: str


class PaymentShare(NamedTuple):
    """A share of a fee, or of a part of it, by what it is for. `verified`: whether it was read in a publication; where
    it was not, amounts that rest on it say so.
    """

    name: str
    share: Decimal
    since: date | None
    until: date | None
    source: str
    verified: bool = True


class Gpci(NamedTuple):
    """Geographic practice cost indices of a locality."""

    locality: str
    contractor: str
    name: str
    work: Decimal
    pe: Decimal
    mp: Decimal
    since: date | None
    until: date | None
    source: str


class ZipLocality(NamedTuple):
    """Contractor and locality of the ZIP codes from `zip_from` to `zip_to`.

    These have five digits and share the first three, or nine and share the first five. `nine_digits_decide`: the five
    digits are of several localities, of which this is the one that is listed.
    """

    zip_from: str
    zip_to: str
    contractor: str
    locality: str
    state: str
    nine_digits_decide: bool
    since: date | None
    until: date | None
    source: str


class PlaceOfService(NamedTuple):
    """A place of service and the rate that Medicare pays there."""

    code: str
    setting: Literal["facility", "non-facility"]
    since: date | None
    until: date | None
    source: str


class Anesthesia(NamedTuple):
    """Dollars for one anesthesia unit in a locality; those of localities derive from that of locality "national"."""

    locality: str
    name: str
    factor: Decimal
    since: date | None
    until: date | None
    source: str


class OppsCap(NamedTuple):
    """The most that a locality's fee schedule pays for imaging, where that is less than the fee schedule's own amount.

    For contractor-priced codes (status C) the prices are the cap only.
    """

    code: str
    component: Literal["", "26", "TC", "53"]
    status: str
    locality: str
    facility: Decimal
    non_facility: Decimal
    since: date | None
    until: date | None
    source: str


class LocalityCounty(NamedTuple):
    """Counties of a locality in a state, in CMS's words; `state` is the state's name in capitals."""

    locality: str
    state: str
    area: str
    counties: str
    since: date | None
    until: date | None
    source: str
