"""Look-ups of facts and money: what one row of each reference table says. Field names are the columns of its CSV file.

`since` is the first day in force, `until` the first day no longer; None = open. `source` is a short citation.
Amounts and relative values are Decimals; a locality is "CCCCC-LL", the contractor and its locality number.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

Known = Literal["in-force", "not-yet-in-force", "ended", "unknown"]


class Release(NamedTuple):
    """One published release of a table. `sha256` is of the file's bytes; `starter`: typed by hand, shipped with us."""

    table: str
    name: str
    since: date | None
    until: date | None
    sha256: str
    starter: bool
    source: str


class TableStanding(NamedTuple):
    """How a day lies to the releases of a table, and the release that answers for it.

    The release is None when the table has none; before the first one, it is the first.
    """

    word: Literal["in-force", "carried-forward", "past-last-release", "before-first-release"]
    release: Release | None


class PtpEdit(NamedTuple):
    """One window of an NCCI procedure-to-procedure edit: column 2 is denied beside column 1.

    `deleted` is the last day in force, as CMS publishes it. Indicator 9: never in force.
    """

    column1: str
    column2: str
    indicator: Literal["0", "1", "9"]
    since: date | None
    deleted: date | None
    rationale: str
    source: str

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.deleted is None else self.deleted + timedelta(days=1)


class Mue(NamedTuple):
    """Most units of a code for one patient, provider and day; adjudicated by line (1) or by day (2, 3)."""

    code: str
    units: int
    indicator: Literal["1", "2", "3"]
    since: date | None
    until: date | None
    source: str


class FeeRow(NamedTuple):
    """A code, or its professional, technical or discontinued part, on the Medicare physician fee schedule.

    Relative value units and CMS's own indicators; `*_na`: rarely or never done in that setting. `imaging_family` is
    "99" where the concept does not apply. OPPS figures are 0 where no cap applies.
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
    """Contractor and locality of the ZIP codes from `zip_from` to `zip_to`, which share their first three digits."""

    zip_from: str
    zip_to: str
    contractor: str
    locality: str
    state: str
    since: date | None
    until: date | None
    source: str


class StateContractor(NamedTuple):
    """A Part B contractor for a state or a part of it; a split state has several rows."""

    state: str
    contractor: str
    name: str
    since: date | None
    until: date | None
    source: str


class Procedure(NamedTuple):
    """A CPT or HCPCS code and the days on which it may be billed; never its descriptor."""

    code: str
    since: date | None
    until: date | None
    source: str


class Diagnosis(NamedTuple):
    """A billable ICD-10-CM code, without its dot."""

    code: str
    since: date | None
    until: date | None
    source: str


ModifierGroup = Literal["anatomic", "global-surgery-em", "global-surgery", "other", "distinct", ""]


class Modifier(NamedTuple):
    """A modifier; `ncci`: the group through which it may separate the codes of a PTP pair, blank when it may not."""

    code: str
    ncci: ModifierGroup
    since: date | None
    until: date | None
    source: str


class Place(NamedTuple):
    """A place of service and the rate that Medicare pays there."""

    code: str
    setting: Literal["facility", "non-facility"]
    since: date | None
    until: date | None
    source: str


ProviderClass = Literal[
    "physician", "nurse-practitioner", "physician-assistant", "clinical-nurse-specialist", "technologist"
]


class Taxonomy(NamedTuple):
    """What providers are whose taxonomy code starts with `prefix`, and the share of the fee that Medicare pays them.

    `percent` 1.00 means no reduction; who may render what is for the rules.
    """

    prefix: str
    provider_class: ProviderClass
    percent: Decimal
    since: date | None
    until: date | None
    source: str
