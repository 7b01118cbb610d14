"""A small file of every kind of reference data, in the published layout, its rows made up."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scrubber.reference.load import code_lists
from tests.reference.load.test_code_lists import CODES as ADJUSTMENTS
from tests.reference.load.test_code_lists import PLACES
from tests.reference.load.test_hcpcs import CODES, as_csv
from tests.reference.load.test_icd10cm import CODES as DIAGNOSES
from tests.reference.load.test_localities import GPCI_2025
from tests.reference.load.test_mpfs import GLOBAL, file_2025
from tests.reference.load.test_providers import HEADER as REGISTRY
from tests.reference.load.test_providers import ORDERING, registered
from tests.support.coverage_export import table_bytes
from tests.support.ncci_files import add_on_text, mue_text, ptp_text
from tests.support.published import Published, published


class Sample(NamedTuple):
    """A file of a kind, and what must be said with it for it does not say it itself."""

    name: str
    content: bytes
    says: tuple[str, ...] = ()

    def put(self, folder: Path, content: bytes | None = None) -> Path:
        """It, or other content under its name, in a folder."""
        path = folder / self.name
        path.write_bytes(self.content if content is None else content)
        return path


def _of(name: str, source: Published, *says: str) -> Sample:
    return Sample(name, source.content, says)


UNSAID = ("--release", "made", "--since", "2025-01-01")
ARTICLE = {"article_id": "90001", "article_version": "7", "title": "Made up", "status": "A"}
SAMPLES: dict[str, Sample] = {
    "ncci-ptp": Sample("ccipra-v302r0.txt", ptp_text().encode()),
    "ncci-mue": Sample("MCR_MUE_PractitionerServices_Eff_07-01-2024.csv", mue_text().encode()),
    "ncci-add-on": Sample("AOC_V2024Q3-MCR.txt", add_on_text().encode()),
    "mpfs": _of("PPRRVU2025_Oct.csv", file_2025(GLOBAL)),
    "gpci": _of("GPCI2025.csv", published(*GPCI_2025)),
    "anes": _of(
        "ANES2025.csv",
        published("Contractor,Locality,Locality Name,National Anes CF of 20.3178", "10112 ,00 ,SOMEWHERE,19.31 "),
        *UNSAID,
    ),
    "opps-cap": _of(
        "OPPSCAP_Oct.csv",
        published(
            "HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILTY PRICE", "X0001,TC,C,01112,05,150.69,150.70"
        ),
        *UNSAID,
    ),
    "locality-county": _of(
        "25LOCCO.csv",
        published(
            "COUNTIES INCLUDED IN 2025 LOCALITIES,,,,",
            ",,,,",
            "Medicare Adminstrative Contractor,Locality Number,State ,Fee Schedule Area ,Counties",
            "10112,0,ZZ,STATEWIDE,ALL COUNTIES",
        ),
    ),
    "zip-locality": _of("ZIP5_OCT2025.txt", published(f"{'ZZ350011011200':<20}0{'':54}20254")),
    "icd10cm": _of("icd10cm_codes_2026.txt", DIAGNOSES),
    "hcpcs": _of("HCPC2026_OCT_ANWEB.csv", as_csv(CODES[:1], code_lists.HCPCS_HEADER)),
    "place-of-service": _of("places.csv", published(*PLACES), *UNSAID),
    "adjustment-codes": _of("adjustment_codes.csv", published(*ADJUSTMENTS), *UNSAID),
    "mcd": Sample("article.csv", table_bytes("article", [ARTICLE]), UNSAID),
    "order-referring": _of("OrderReferring_20261116.csv", published(ORDERING, "1000000004,EXAMPLE,PAT,Y,Y,Y,Y,N")),
    "nppes": _of(
        "npidata_pfile_20050523-20261108.csv",
        published(REGISTRY, registered("1000000004", enumerated="05/23/2005", t1="207R00000X")),
    ),
}
