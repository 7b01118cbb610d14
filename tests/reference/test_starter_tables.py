"""The starter tables, typed by hand, against themselves and against the files that CMS and CDC publish."""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scrubber.reference import tables
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.typed_tables import read_contents

PUBLISHED = Path(__file__).parents[3] / "shared" / "data"
needs_published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published files are not beside the project")

TABLES = read_contents(None).tables
CODES = {row.code for row in TABLES[tables.PROCEDURES]}
FEES: tuple[FeeRow, ...] = TABLES[tables.MPFS]
WITH_FEES = CODES | {
    row.code for row in FEES
}  # some codes have the indicators of 2025 alone, which cases of rules read
BONE = {"76977", "77078", "77080", "77081", "77085", "77086", "77089", "77090", "77091", "77092", "G0130"}


def lines(name: str) -> Iterator[str]:
    with lzma.open(PUBLISHED / name, "rt") if name.endswith(".xz") else (PUBLISHED / name).open() as file:
        yield from file


def records(name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(lines(name))


# Against themselves


def test_the_whole_service_is_the_sum_of_its_three_parts() -> None:
    for year in (2024, 2025, 2026):
        total = {
            fee.code: fee.work + fee.non_facility_pe + fee.mp
            for fee in FEES
            if fee.since == date(year, 1, 1) and not fee.component
        }
        assert total["77090"] + total["77091"] + total["77092"] == total["77089"], year


def test_every_code_of_a_table_is_a_known_procedure() -> None:
    named = {code for edit in TABLES[tables.PTP] for code in (edit.column1, edit.column2)}
    named |= {row.code for row in TABLES[tables.MUE]}
    assert named <= CODES
    assert {row.code for row in FEES if row.release != "RVU25D"} <= CODES


def test_every_zip_range_has_indices_for_its_locality() -> None:
    localities = {row.locality for row in TABLES[tables.GPCI]}
    assert {row.locality for row in TABLES[tables.ZIP_LOCALITY]} <= localities
    assert all(row.locality.startswith(row.contractor) for row in TABLES[tables.ZIP_LOCALITY])


# Against the published files: fees


def number(text: str) -> Decimal:
    return round(Decimal(text), 2)


def code(text: str) -> str:
    """An indicator that went through a floating point number: 4.0 is 4."""
    return text.removesuffix(".0")


def fee_of_2024(row: dict[str, str]) -> tuple[Any, ...]:
    return (
        row["status"], number(row["rvu_work"]), number(row["rvu_non_pe"]), number(row["rvu_fac_pe"]),
        number(row["rvu_mp"]), row["non_na"] == "NA", row["fac_na"] == "NA", code(row["pctc"]), row["glob"],
        *(code(row[name]) for name in ("mult_proc", "bilat_surg", "asst_surg", "co_surg", "team_surg")),
        row["endo_base"] or None, row["diag_img_fam"],
        *(number(row[name]) for name in ("rvu_opps_non_pe", "rvu_opps_fac_pe", "rvu_opps_mp")),
        *(number(row[name]) for name in ("pre_op", "intra_op", "post_op")), code(row["phys_diag_pro"]).zfill(2),
    )  # fmt: skip


def fee_of_pprrvu(row: list[str]) -> tuple[Any, ...]:
    """A row of 31 columns as CMS publishes it."""
    return (
        row[3], number(row[5]), number(row[6]), number(row[8]), number(row[10]), row[7] == "NA", row[9] == "NA",
        row[13], row[14], *row[18:23], row[23] or None, row[27], *map(number, row[28:31]),
        *map(number, row[15:18]), row[25],
    )  # fmt: skip


def fee_typed(fee: FeeRow) -> tuple[Any, ...]:
    return fee[2:25]


def typed_fees(release: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {(fee.code, fee.component): fee_typed(fee) for fee in FEES if fee.release == release}


@needs_published
def test_fees_of_2024_are_those_of_the_july_file() -> None:
    published = {
        (row["hcpcs_code"], row["mod"]): fee_of_2024(row)
        for row in records("mpfs/mpfs_rvu_2024_july_no_descriptors.csv.xz")
        if row["hcpcs_code"] in CODES
    }
    assert typed_fees("RVU24C") == published


@needs_published
def test_fees_of_2024_are_the_same_in_every_release_of_the_year() -> None:
    names = ("status_code", "work_rvu", "non_fac_pe_rvu", "facility_pe_rvu", "mp_rvu", "pctc_ind", "mult_proc")
    found = defaultdict(set)
    for row in records("mpfs/mpfs_pprrvu_2024_all_releases_no_descriptors.csv.xz"):
        if row["hcpcs"] in CODES:
            found[row["hcpcs"], row["mod"]].add(tuple(row[name] for name in names))
    assert found
    assert {key for key, seen in found.items() if len(seen) > 1} == set()


@needs_published
def test_fees_of_2025_are_those_of_the_october_file() -> None:
    published = {
        (row[0], row[1]): fee_of_pprrvu(row)
        for row in csv.reader(lines("mpfs/PPRRVU2025_Oct.nodesc.csv.xz"))
        if row[0] in WITH_FEES
    }
    assert typed_fees("RVU25D") == published


@needs_published
def test_fees_of_2026_are_those_of_the_july_file() -> None:
    # 2026 has a 32nd column before the endoscopic base.
    published = {
        (row[0], row[1]): fee_of_pprrvu(row[:23] + row[24:])
        for row in csv.reader(lines("mpfs/PPRRVU2026_Jul_nonQPP.excerpt.nodesc.csv"))
        if row and row[0] in CODES
    }
    assert {key[0] for key in published} == BONE
    beyond = {  # two rows of the whole file, of which the excerpt has none
        ("97010", ""): _not_paid("B", "0.06", "0.13", "0.01"),
        ("97014", ""): _not_paid("I", "0.18", "0.19", "0.01"),
    }
    assert typed_fees("RVU26C") == published | beyond


def _not_paid(status: str, work: str, pe: str, mp: str) -> tuple[Any, ...]:
    """A code without global days, parts or reductions, never done in a facility, whose figures are for information."""
    nothing = Decimal("0.00")
    return (
        status, Decimal(work), Decimal(pe), Decimal(pe), Decimal(mp), False, True, "9", "XXX", *["9"] * 5, None, "99",
        *[nothing] * 6, "09",
    )  # fmt: skip


@needs_published
def test_conversion_factors_are_those_printed_in_the_files() -> None:
    typed = {(row.since, row.factor) for row in TABLES[tables.CONVERSION_FACTORS] if not row.qualifying_apm}
    published = {
        (date.fromisoformat(row["date_start"]), round(Decimal(row["conv_factor"]), 4))
        for row in records("mpfs/mpfs_pprrvu_2024_all_releases_no_descriptors.csv.xz")
        if row["hcpcs"] == "77092" and row["date_start"] in ("2024-01-01", "2024-03-09")
    }
    [october] = [row for row in csv.reader(lines("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")) if row[0] == "77092"]
    [july] = [
        row for row in csv.reader(lines("mpfs/PPRRVU2026_Jul_nonQPP.excerpt.nodesc.csv")) if row and row[0] == "77092"
    ]
    published |= {(date(2025, 1, 1), Decimal(october[24])), (date(2026, 1, 1), Decimal(july[25]))}
    assert typed == published


# NCCI


RATIONALES = {
    "2": "coding-instruction",
    "5": "code-definition",
    "7": "misuse-of-column-two",
    "8": "more-extensive-procedure",
    "9": "mutually-exclusive",
    "12": "standards-of-practice",
}


def published_pairs(name: str) -> Iterator[dict[str, str]]:
    every = lines(name)
    header = next(every)
    yield from csv.DictReader([header, *(line for line in every if line[:5] in CODES and line[6:11] in CODES)])


@needs_published
@pytest.mark.parametrize(
    "name", ["ncci/ncci_ptp_practitioner_v30.1_2024q2.csv.xz", "ncci/ncci_ptp_practitioner_v30.2_2024q3.csv.xz"]
)
def test_pairs_are_the_active_ones_of_both_quarters(name: str) -> None:
    published = {
        (row["column_1"], row["column_2"], row["modifier_indicator"], RATIONALES[row["rationale_id"]])
        for row in published_pairs(name)
        if row["deletion_date"] == "*"
    }
    typed = {
        (edit.column1, edit.column2, edit.indicator, edit.rationale)
        for edit in TABLES[tables.PTP]
        if edit.deleted is None
    }
    assert typed == published


@needs_published
def test_the_deleted_pair_was_deleted_that_day() -> None:
    [typed] = [edit for edit in TABLES[tables.PTP] if edit.deleted is not None]
    [published] = [
        row
        for row in published_pairs("ncci/ncci_ptp_practitioner_v30.2_2024q3.csv.xz")
        if (row["column_1"], row["column_2"]) == (typed.column1, typed.column2)
    ]
    assert (published["deletion_date"], published["modifier_indicator"]) == ("20190630", typed.indicator)
    assert typed.deleted == date(2019, 6, 30)


@needs_published
def test_units_are_those_of_the_july_2024_file() -> None:
    published = {
        (row["hcpcs_code"], int(row["mue_units"]), row["mue_mai"])
        for row in records("ncci/mue_practitioner_eff_2024-07-01.csv.xz")
        if row["hcpcs_code"] in CODES
    }
    assert {(row.code, row.units, row.indicator) for row in TABLES[tables.MUE]} == published


# Places, codes


@needs_published
def test_indices_are_those_of_each_year() -> None:
    published = {
        (2024, f"{row['mac']}-{row['locality']}"): tuple(
            round(Decimal(row[name]), 3) for name in ("gpci_work", "gpci_pe", "gpci_mp")
        )
        for row in records("mpfs/gpci_2024.csv")
    }
    for year in (2025, 2026):
        for row in csv.reader(lines(f"mpfs/GPCI{year}.csv")):
            if row and row[0].isdigit():
                published[year, f"{row[0]}-{row[2]}"] = tuple(map(Decimal, row[4:7]))
    for row in TABLES[tables.GPCI]:
        assert (row.work, row.pe, row.mp) == published[row.since.year, row.locality]


@needs_published
def test_every_zip_of_the_ranges_has_that_locality() -> None:
    flagged = {line[2:7] for line in lines("zip/ZIP5_OCT2025.txt.xz") if line[20] == "1"}
    ranges = [(row.zip_from, row.zip_to) for row in TABLES[tables.ZIP_LOCALITY]]
    marked = {row.zip_from for row in TABLES[tables.ZIP_LOCALITY] if row.nine_digits_decide}
    assert marked == {zip for zip in flagged if any(first <= zip <= last for first, last in ranges)}
    typed = {row.zip_from[:3]: (row.state, row.contractor, row.locality) for row in TABLES[tables.ZIP_LOCALITY]}
    published: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for line in lines("zip/ZIP5_OCT2025.txt.xz"):
        published[line[2:5]].add((line[:2], line[7:12], f"{line[7:12]}-{line[12:14]}"))
    assert {prefix: {found} for prefix, found in typed.items()} == {prefix: published[prefix] for prefix in typed}
    covered = {place for prefix in typed for place in published[prefix]}
    assert {prefix for prefix, found in published.items() if found & covered} == set(typed)


@needs_published
def test_contractors_are_those_of_the_zip_codes() -> None:
    # The ZIP file splits two states under letters of its own.
    states = {"EK": "KS", "WK": "KS", "EM": "MO", "WM": "MO"}
    published = {
        (states.get(line[:2], line[:2]), line[7:12]) for line in lines("zip/ZIP5_OCT2025.txt.xz") if line[7:12].strip()
    }
    assert {(row.state, row.contractor) for row in TABLES[tables.CONTRACTORS]} == published


@needs_published
def test_places_pay_the_published_rate() -> None:
    published = {
        row["pos"]: row["pfs_rate"].lower() for row in records("pos/place_of_service.csv") if row["pfs_rate"].strip()
    }
    typed = {row.code: row.setting for row in TABLES[tables.PLACE_OF_SERVICE] if row.until is None}
    assert typed == {place: rate for place, rate in published.items() if rate in ("facility", "non-facility")}


@needs_published
def test_diagnoses_are_billable_in_fiscal_year_2026() -> None:
    billable = {line.strip() for line in lines("icd10cm/icd10cm_codes_2026.txt.xz")}
    typed = {row.code for row in TABLES[tables.ICD10CM]}
    assert typed <= billable
    family = ("M80", "M81", "M858", "E210", "E21", "E24", "N95", "E283", "E894", "Z780", "Z8262")
    bone = {
        row["code"]
        for row in records("icd10cm/icd10cm_bone_subset_2026.csv")
        if row["billable"] == "1" and row["code"].startswith(family)
    }
    assert bone <= typed


@needs_published
def test_first_days_of_hcpcs_codes_are_the_published_ones() -> None:
    published = {
        row["hcpcs_code"]: date.fromisoformat(row["date_added"])
        for row in records("hcpcs/hcpcs_level2_2024_attributes.csv.xz")
        if row["hcpcs_code"] in CODES
    }
    assert {row.code: row.since for row in TABLES[tables.PROCEDURES] if row.code in published} == published


@needs_published
def test_headers_and_excludes_notes_are_those_of_the_published_lists() -> None:
    codes = [line.strip() for line in lines("icd10cm/icd10cm_codes_2026.txt.xz")]
    beginnings = {code[:length] for code in codes for length in range(3, len(code))}
    headers = {row.code for row in TABLES[tables.ICD10CM_HEADERS]}
    assert headers == {row.code[:length] for row in TABLES[tables.ICD10CM] for length in range(3, len(row.code))}
    assert headers <= beginnings
    published = {
        (row["code_or_section"].replace(".", ""), row["type"], other.rstrip("-").replace(".", ""))
        for row in records("icd10cm/icd10cm_excludes_2026.csv.xz")
        for other in row["codes_mentioned"].split("|")
    }
    notes = [row for row in TABLES[tables.ICD10CM_NOTES] if row.kind == "excludes1"]
    assert {(row.code, row.kind, row.other) for row in notes} <= published
