"""Before any claim: every published format that is read. A new one is a module here and a line below."""

from __future__ import annotations

from scrubber.reference.load import (
    adjustment_codes,
    anes,
    gpci,
    hcpcs,
    icd10cm,
    locality_county,
    mcd,
    mpfs,
    ncci_add_on,
    ncci_mue,
    ncci_ptp,
    nppes,
    opps_cap,
    order_referring,
    place_of_service,
    zip_locality,
)
from scrubber.reference.load.format import Format

# In the order of the command's help.
FORMATS: tuple[Format, ...] = (
    *ncci_ptp.FORMATS,
    *ncci_mue.FORMATS,
    *ncci_add_on.FORMATS,
    *mpfs.FORMATS,
    *gpci.FORMATS,
    *anes.FORMATS,
    *opps_cap.FORMATS,
    *locality_county.FORMATS,
    *zip_locality.FORMATS,
    *icd10cm.FORMATS,
    *hcpcs.FORMATS,
    *place_of_service.FORMATS,
    *adjustment_codes.FORMATS,
    *mcd.FORMATS,
    *order_referring.FORMATS,
    *nppes.FORMATS,
)

KINDS: tuple[str, ...] = tuple(dict.fromkeys(each.kind for each in FORMATS))

# Kinds that list every code of a family, so that a whole release says by absence that there is no such code.
COMPLETE_KINDS = ("icd10cm", "hcpcs", "place-of-service", "mpfs")
