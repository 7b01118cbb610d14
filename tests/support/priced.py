"""Made-up claims, views and payers for tests of money; nobody in them exists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec.structs import replace

from scrubber.claim.model import Address, Claim, Context, Person, Provider, ServiceLine
from scrubber.facts.service_lines import line_views
from scrubber.pricing import LinePrice, price_lines
from scrubber.reference import Reference, open_reference
from scrubber.rulebook.rule_tables import Payer, PayerFeeRow
from scrubber.rulebook.rulebook import Rulebook

MEDICARE = Payer(None, "original-medicare", None, None)
COMMERCIAL = Payer("Sample Mutual", "commercial", None, None)
DAY = date(2025, 3, 12)
NURSE_PRACTITIONER = "363L00000X"
PHYSICIAN = "207R00000X"


@cache
def starter() -> Reference:
    """The reference data that ships with the program."""
    return open_reference(None)


def rulebook(*payer_fees: PayerFeeRow) -> Rulebook:
    """A rulebook with nothing but these payer fees."""
    return Rulebook({}, {}, {"payer-fees": payer_fees}, "digest")


def payer_fee(code: str | None, **columns: Any) -> PayerFeeRow:
    """A row that holds for every commercial payer."""
    row = PayerFeeRow(code, None, "commercial", None, None, None, None, None, None, "Sample Mutual contract")
    return row._replace(**columns)


def service_line(number: int, procedure: str | None = "77092", *modifiers: str, **changes: Any) -> ServiceLine:
    """One unit on DAY at 600.00, more than any fee here."""
    line = ServiceLine(
        number=number,
        pointer=f"/claimInformation/serviceLines/{number - 1}",
        service_pointer=f"/claimInformation/serviceLines/{number - 1}/professionalService",
        qualifier="HC",
        procedure=procedure,
        modifiers=modifiers,
        charge=Decimal("600.00"),
        unit_code="UN",
        units=Decimal(1),
        first_day=DAY,
        last_day=DAY,
        place=None,
        pointers=(1,),
    )
    return replace(line, **changes)


def claim(*lines: ServiceLine, place: str | None = "11", taxonomy: str = PHYSICIAN, **context: Any) -> Claim:
    """A claim without any ZIP code, so that the national amount counts."""
    nobody = Person("/subscriber")
    return Claim(
        control_number="000000001",
        payer_id="SAMPLE",
        payer_name="Sample payer",
        filing_indicator="MB",
        subscriber=nobody,
        patient=nobody,
        billing=Provider("/billing", npi="1234567893", organization="Sampletown Clinic"),
        rendering=Provider("/rendering", npi="1987654328", last_name="Placeholder", taxonomy=taxonomy),
        ordering=None,
        referring=None,
        supervising=None,
        facility=None,
        patient_control_number="SAMPLE-1",
        total=None,
        place=place,
        frequency="1",
        original_claim_number=None,
        texts={},
        diagnoses=(),
        lines=lines,
        context=Context(**context),
    )


def at(zip_code: str) -> Provider:
    """A service facility at a ZIP code."""
    return Provider("/serviceFacilityLocation", address=Address("1 Sample Street", "Sampletown", None, zip_code))


def prices(
    of: Claim, payer: Payer = MEDICARE, book: Rulebook | None = None, reference: Reference | None = None
) -> dict[int, LinePrice]:
    """The prices of a claim's lines by the starter tables."""
    tables = reference or starter()
    return dict(price_lines(of, line_views(of, payer, tables), book or rulebook(), tables))


def price(of: Claim, payer: Payer = MEDICARE, book: Rulebook | None = None) -> LinePrice:
    """The price of a claim's first line."""
    return prices(of, payer, book)[1]
