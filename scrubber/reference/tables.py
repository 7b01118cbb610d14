"""Lists the reference tables, with the type of their rows and the key by which look-ups find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from scrubber.reference.coverage_rows import (
    ArticleContractor,
    ArticleDiagnosis,
    ArticleGroup,
    ArticleList,
    ArticlePolicy,
    ArticleProcedure,
    ContractorRegion,
    CoverageArticle,
    CoverageContractor,
    CoveragePolicy,
    CoverageRegion,
)
from scrubber.reference.fee_rows import (
    Anesthesia,
    ConversionFactor,
    FeeRow,
    Gpci,
    LocalityCounty,
    MultipleReduction,
    OppsCap,
    PaymentShare,
    PlaceOfService,
    ZipLocality,
)
from scrubber.reference.rows import (
    AddOn,
    AdjustmentCode,
    BillableDiagnosis,
    DiagnosisHeader,
    DiagnosisNote,
    EnumeratedProvider,
    HcpcsCode,
    HcpcsModifier,
    Modifier,
    Mue,
    OrderingProvider,
    Procedure,
    PtpEdit,
    StateContractor,
    Taxonomy,
)

R = TypeVar("R", bound=NamedTuple)

ZIP_DIGITS = 5
ZIP_PREFIX = 3  # first digits that rows of five digits share under one key; rows of nine share their first five
EVERY_ROW = ""  # the only key of a table so small that all its rows are stored together


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """One reference table. `key` groups its rows for look-ups; `unique` names the columns that tell rows apart.

    `rows_of`: the table with the same rows under another key. Tables compare and hash by identity: there is one object
    for each.
    """

    name: str
    row_type: type[R]
    key: Callable[[Any], str]
    unique: tuple[str, ...]
    rows_of: str | None = None

    @property
    def owner(self) -> str:
        """Name of the table whose releases its rows come from: `rows_of`, or its own."""
        return self.rows_of or self.name

    @property
    def file_name(self) -> str:
        """Name of its CSV file in the starter layout."""
        return f"{self.name}.csv"


def _by_code(row: Any) -> str:
    code: str = row.code
    return code


def _by_article(row: Any) -> str:
    article: str = row.article
    return article


# The first code of a pair; pairs are looked up by `ptp_among`, never by this key alone.
PTP = Table("ncci-ptp", PtpEdit, lambda row: row.column1, ("column1", "column2"))
ADD_ON = Table("ncci-add-on", AddOn, _by_code, ("code", "primary"))
MUE = Table("ncci-mue", Mue, _by_code, ("code",))
MPFS = Table("mpfs", FeeRow, lambda row: fee_key(row.code, row.component), ("code", "component"))
CONVERSION_FACTORS = Table("conversion-factors", ConversionFactor, lambda _: EVERY_ROW, ("qualifying_apm",))
MULTIPLE_REDUCTIONS = Table("multiple-reductions", MultipleReduction, lambda row: row.multiple, ("multiple", "part"))
PAYMENT_SHARES = Table("payment-shares", PaymentShare, lambda row: row.name, ("name",))
GPCI = Table("gpci", Gpci, lambda row: row.locality, ("locality",))
ZIP_LOCALITY = Table("zip-locality", ZipLocality, lambda row: zip_key(row.zip_from), ("zip_from",))
CONTRACTORS = Table("contractors", StateContractor, lambda row: row.state, ("state", "contractor"))
PROCEDURES = Table("procedures", Procedure, _by_code, ("code",))
ICD10CM = Table("icd10cm", BillableDiagnosis, _by_code, ("code",))
MODIFIERS = Table("modifiers", Modifier, _by_code, ("code",))
PLACE_OF_SERVICE = Table("place-of-service", PlaceOfService, _by_code, ("code",))
ANESTHESIA = Table("anes", Anesthesia, lambda row: row.locality, ("locality",))
OPPS_CAP = Table("opps-cap", OppsCap, lambda row: fee_key(row.code, row.component), ("code", "component", "locality"))
LOCALITY_COUNTY = Table("locality-county", LocalityCounty, lambda row: row.locality, ("locality", "state"))
ADJUSTMENT_CODES = Table("adjustment-codes", AdjustmentCode, _by_code, ("code", "kind"))
TAXONOMY = Table("taxonomy", Taxonomy, lambda row: row.prefix, ("prefix",))
ICD10CM_HEADERS = Table("icd10cm-headers", DiagnosisHeader, _by_code, ("code",))
ICD10CM_NOTES = Table("icd10cm-notes", DiagnosisNote, _by_code, ("code", "kind", "other", "through", "conditional"))
HCPCS = Table("hcpcs", HcpcsCode, _by_code, ("code",))
HCPCS_MODIFIERS = Table("hcpcs-modifiers", HcpcsModifier, _by_code, ("code",))
ORDER_REFERRING = Table("order-referring", OrderingProvider, lambda row: row.npi, ("npi",))
NPPES = Table("nppes", EnumeratedProvider, lambda row: row.npi, ("npi",))

# The coverage database: a code leads to articles, an article to the rows of the other tables with the same version.
_VERSION = ("article", "version")
ARTICLES = Table("coverage-articles", CoverageArticle, _by_article, _VERSION)
ARTICLE_PROCEDURES = Table("article-procedures", ArticleProcedure, _by_code, (*_VERSION, "code", "group"))
ARTICLE_DIAGNOSES = Table(
    "article-diagnoses",
    ArticleDiagnosis,
    lambda row: article_key(row.article, row.code),
    (*_VERSION, "test", "group", "code"),
)
ARTICLE_LISTS = Table("article-lists", ArticleList, _by_article, (*_VERSION, "test"))
ARTICLE_GROUPS = Table("article-groups", ArticleGroup, _by_article, (*_VERSION, "test", "group"))
ARTICLE_CONTRACTORS = Table("article-contractors", ArticleContractor, _by_article, (*_VERSION, "contractor_key"))
ARTICLE_POLICIES = Table("article-policies", ArticlePolicy, _by_article, (*_VERSION, "lcd"))
COVERAGE_CONTRACTORS = Table(
    "coverage-contractors", CoverageContractor, lambda row: row.contractor_key, ("contractor_key",)
)
CONTRACTOR_REGIONS = Table(
    "contractor-regions", ContractorRegion, lambda row: row.contractor_key, ("contractor_key", "region")
)
COVERAGE_REGIONS = Table("coverage-regions", CoverageRegion, lambda row: row.region, ("region",))
COVERAGE_POLICIES = Table("coverage-policies", CoveragePolicy, lambda row: row.lcd, ("lcd", "version"))

# The same rows under their other code, for look-ups from that side.
PTP_BY_COLUMN2 = Table("ncci-ptp-by-column2", PtpEdit, lambda row: row.column2, PTP.unique, PTP.name)
ADD_ON_BY_PRIMARY = Table("ncci-add-on-by-primary", AddOn, lambda row: row.primary, ADD_ON.unique, ADD_ON.name)
SECOND_KEYS: Mapping[str, Table[Any]] = {PTP.name: PTP_BY_COLUMN2, ADD_ON.name: ADD_ON_BY_PRIMARY}

# Medicaid's own NCCI edits: the same rows as Medicare's, of releases of their own; `Reference.medicaid` looks them up.
MEDICAID: Mapping[str, Table[Any]] = {"ncci-ptp-medicaid": PTP, "ncci-mue-medicaid": MUE}


def stored_under(table: str) -> str:
    """Name of the table under which the rows of a release of `table` are stored."""
    return MEDICAID[table].name if table in MEDICAID else table


TABLES: Mapping[str, Table[Any]] = {
    table.name: table
    for table in (
        PTP,
        ADD_ON,
        MUE,
        MPFS,
        CONVERSION_FACTORS,
        MULTIPLE_REDUCTIONS,
        PAYMENT_SHARES,
        GPCI,
        ZIP_LOCALITY,
        CONTRACTORS,
        PROCEDURES,
        ICD10CM,
        MODIFIERS,
        PLACE_OF_SERVICE,
        TAXONOMY,
        ANESTHESIA,
        OPPS_CAP,
        LOCALITY_COUNTY,
        ADJUSTMENT_CODES,
        ICD10CM_HEADERS,
        ICD10CM_NOTES,
        HCPCS,
        HCPCS_MODIFIERS,
        ORDER_REFERRING,
        NPPES,
        ARTICLES,
        ARTICLE_PROCEDURES,
        ARTICLE_DIAGNOSES,
        ARTICLE_LISTS,
        ARTICLE_GROUPS,
        ARTICLE_CONTRACTORS,
        ARTICLE_POLICIES,
        COVERAGE_CONTRACTORS,
        CONTRACTOR_REGIONS,
        COVERAGE_REGIONS,
        COVERAGE_POLICIES,
    )
}

# Lists that are not used on days outside their releases, not even by rows that are carried forward.
OWN_DAYS_ONLY = frozenset((ICD10CM.name, ICD10CM_HEADERS.name, ICD10CM_NOTES.name))

# Tables that neither facts nor rules look up on the path of a claim, so that no result of a claim depends on them.
UNUSED_FOR_CLAIMS = frozenset(
    table.name
    for table in (
        ANESTHESIA,
        OPPS_CAP,
        LOCALITY_COUNTY,
        ADJUSTMENT_CODES,
        NPPES,
        CONTRACTOR_REGIONS,
        COVERAGE_REGIONS,
        COVERAGE_POLICIES,
    )
)


def fee_key(code: str, component: str) -> str:
    """Key of a fee schedule row."""
    return f"{code}-{component}" if component else code


def article_key(article: str, diagnosis: str) -> str:
    """Key of the rows of a diagnosis in an article."""
    return f"{article}-{diagnosis}"


def zip_key(zip_code: str) -> str:
    """Key of the rows for a ZIP code of five or of nine digits."""
    return zip_code[:ZIP_PREFIX] if len(zip_code) == ZIP_DIGITS else zip_code[:ZIP_DIGITS]


def table_of(row_type: type[NamedTuple]) -> Table[Any]:
    """The table whose rows have this type."""
    return _BY_ROW_TYPE[row_type]


_BY_ROW_TYPE: Mapping[Any, Table[Any]] = {table.row_type: table for table in TABLES.values()}
