"""Look-ups of facts and money: what one row of each reference table says. Field names are the columns of its CSV file.

`since` is the first day in force, `until` the first day no longer; None = open. `source` is a short citation.
Amounts and relative values are Decimals; a locality is "CCCCC-LL", the contractor and its locality number.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

Known = Literal["in-force", "not-yet-in-force", "ended", "unknown"]


class Release(NamedTuple):
    """One published release of a table. `sha256` is of the bytes it was read from, and finds its rows; of tables typed
    by hand it is also of the days of their releases.

    `starter`: typed by hand, shipped with us. `rows` counts those of this table; `loaded` is the moment (UTC) at which
    a published file was loaded, None for tables typed by hand, whose rows tell their own days.
    """

    table: str
    name: str
    since: date | None
    until: date | None
    sha256: str
    starter: bool
    source: str
    rows: int = 0
    loaded: datetime | None = None


class TableStanding(NamedTuple):
    """How a day lies to the releases of a table, and the release that answers for it.

    The release is None when the table has none; before the first one, it is the first.
    """

    word: Literal["in-force", "carried-forward", "past-last-release", "before-first-release"]
    release: Release | None


NEVER: Literal["9"] = "9"  # indicator of an edit that was never in force


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


class AddOn(NamedTuple):
    """An add-on code and a code that it may be billed with; `primary` CCCCC: the contractor decides.

    `kind` 1: these primaries only; 2: the contractor's list; 3: these and more of the contractor's. `deleted` is the
    last day in force, as CMS publishes it.
    """

    code: str
    primary: str
    kind: Literal["1", "2", "3"]
    since: date | None
    deleted: date | None
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
    "99" where the concept does not apply. OPPS figures are 0 where no cap applies. The shares of the fee for what is
    done before, during and after an operation are 0 where they do not apply, None where they are not told; so is
    `supervision`, by a physician, which CMS gives by number.
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


class DiagnosisHeader(NamedTuple):
    """An ICD-10-CM code, without its dot, that is divided further: not billable until it has all its characters."""

    code: str
    since: date | None
    until: date | None
    source: str


DiagnosisNoteKind = Literal[
    "excludes1", "excludes2", "code-first", "use-additional", "code-also", "seventh-character", "sex", "age"
]


class DiagnosisNote(NamedTuple):
    """What the tabular list says at a code; it holds for every code that begins with `code`. Never the note's text.

    `other` is, by kind: a code that the note names, and every code that begins with it (through those of `through`,
    where a range is named); one 7th character; `female` or `male`; the youngest age in years, `through` the oldest.
    None: the note names no code. `conditional`: words of the note narrow it further ("if applicable", "with fifth
    character 9"), so that the codes alone do not decide.
    """

    code: str
    kind: DiagnosisNoteKind
    other: str | None
    through: str | None
    conditional: bool
    since: date | None
    until: date | None
    source: str


class HcpcsCode(NamedTuple):
    """A HCPCS Level II procedure code and the days on which it may be billed; CPT codes are in other tables."""

    code: str
    since: date | None
    until: date | None
    source: str


class HcpcsModifier(NamedTuple):
    """A HCPCS Level II modifier and the days on which it may be used; what it does is in other tables."""

    code: str
    since: date | None
    until: date | None
    source: str


class OrderingProvider(NamedTuple):
    """What a provider may order or refer under Medicare: Part B services, equipment, home health and so on."""

    npi: str
    part_b: bool
    equipment: bool
    home_health: bool
    power_mobility: bool
    hospice: bool
    since: date | None
    until: date | None
    source: str


class EnumeratedProvider(NamedTuple):
    """An NPI of the national registry. `since`: its first day; `until`: when it was deactivated, unless it came back.

    `entity` is None for a deactivated NPI, of which nothing else is published. `taxonomies` are codes parted by
    blanks, the primary one first.
    """

    npi: str
    entity: Literal["person", "organization"] | None
    taxonomies: str
    deactivated: date | None
    reactivated: date | None
    since: date | None
    until: date | None
    source: str


class Anesthesia(NamedTuple):
    """Dollars for one anesthesia unit in a locality; locality "national" is what the localities were made from."""

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


class AdjustmentCode(NamedTuple):
    """A claim adjustment group or reason code (CARC) or remark code (RARC), and its days; never its text."""

    code: str
    kind: Literal["group", "carc", "rarc"]
    since: date | None
    until: date | None
    source: str
