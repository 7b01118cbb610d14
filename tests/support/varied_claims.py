"""Claims as a night's batch has them, for benchmarks and tests: specialties, payers, 1 to 50 lines, clean and faulty.

Nobody in them exists. A claim is the same for the same seed and number, however many are made. How often each
specialty, payer, length and fault comes is chosen here and rests on no count of real claims.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import cycle
from typing import Any, NamedTuple

from tests.support.claims import ORDERING_NPI, office_claim, report_elements

Body = dict[str, Any]

FIRST_DAY, LAST_DAY = date(2024, 7, 1), date(2026, 8, 1)  # of the first line
MOST_LINES = 50
PROVIDERS = 40
FAULTY = 0.3  # of the claims; each third one of them has two faults
# (fewest lines, most lines, of a hundred claims)
LENGTHS = (
    (1, 1, 30), (2, 2, 20), (3, 3, 14), (4, 4, 12), (5, 6, 10), (7, 10, 7), (11, 20, 4), (21, 49, 2), (50, 50, 1),
)  # fmt: skip


class Service(NamedTuple):
    """One line: its charge in dollars is that of a unit."""

    code: str
    charge: int
    modifiers: tuple[str, ...] = ()
    units: int = 1
    measure: str = "UN"


class Specialty(NamedTuple):
    """Who bills what: the services of some days, repeated on later days for as many lines as a claim is to have."""

    taxonomy: str
    place: str
    diagnoses: tuple[str, ...]
    days: tuple[tuple[Service, ...], ...]
    most: int = MOST_LINES  # lines of a claim
    referred: bool = False
    payers: tuple[str, ...] = ()  # by claim filing indicator; none: any


class Payer(NamedTuple):
    """What a claim says of its payer, and how often of a hundred."""

    filing: str
    number: str
    name: str
    member: str
    often: int


class VariedClaim(NamedTuple):
    """A body, and what was put into it. No faults: the shipped rules have nothing above info to say of it."""

    body: Body
    specialty: str
    faults: tuple[str, ...]


def _tests(*codes: str) -> tuple[Service, ...]:
    return tuple(Service(code, 18 + number) for number, code in enumerate(codes))


SPECIALTIES = {
    "office": Specialty(
        "207R00000X", "11", ("I10", "E119", "R0602", "E785"),
        (
            (Service("99213", 150), Service("93000", 40), Service("36415", 10), Service("71046", 50)),
            (Service("99214", 190), Service("36415", 10), Service("80053", 30), Service("85025", 20)),
            (Service("99203", 170),),
            (Service("99213", 150, ("25",)), Service("20610", 120, ("RT",))),
            (Service("99215", 210), Service("93000", 40)),
        ),
        most=10,
    ),
    "radiology": Specialty(
        "2085R0202X", "11", ("R0602", "R079", "Z7952"),
        ((Service("71046", 50),), (Service("77080", 95),), (Service("76700", 140), Service("71046", 50))),
        most=3, referred=True,
    ),
    "radiology in a hospital": Specialty(
        "2085R0202X", "22", ("R0789", "R519"),
        ((Service("71260", 90, ("26",)), Service("74177", 110, ("26",))), (Service("70450", 80, ("26",)),)),
        most=4, referred=True,
    ),
    "therapy": Specialty(
        "225100000X", "11", ("M5459", "M542", "M25561"),
        (
            (Service("97110", 45, ("GP",), 2), Service("97140", 40, ("GP",))),
            (Service("97110", 45, ("GP",)), Service("97112", 50, ("GP",))),
        ),
        referred=True,
    ),
    "laboratory": Specialty(
        "291U00000X", "81", ("E119", "E785", "I10", "D649"),
        (
            _tests("80053", "85025", "84443", "80061", "83036", "82306", "82607", "83540"),
            _tests("80061", "83036", "84443"),
            _tests("85025", "85610", "84153", "81001"),
        ),
        referred=True,
    ),
    "surgery": Specialty(
        "207X00000X", "21", ("M1711", "M25561"),
        (
            (Service("27447", 4_200, ("RT",)),),
            (Service("29881", 1_900, ("RT",)),),
            (Service("11402", 320), Service("11401", 260, ("59",))),
        ),
        most=2,
    ),
    "anesthesia": Specialty(
        "207L00000X", "22", ("M1711", "K219"), ((Service("01402", 9, ("AA",), 95, "MJ"),),), most=1
    ),
    "emergency": Specialty(
        "207P00000X", "23", ("R079", "R519", "R42"),
        (
            (Service("99284", 480, ("25",)), Service("93010", 30)),
            (Service("99285", 690, ("25",)), Service("31500", 350)),
            (Service("99283", 310),),
        ),
        most=3,
    ),
    "telehealth": Specialty(
        "207R00000X", "10", ("J069", "I10", "F411"),
        ((Service("99213", 150, ("95",)),), (Service("99212", 95, ("95",)),)),
        most=2,
    ),
    "hospital visits": Specialty(
        "207R00000X", "21", ("J209", "I10", "I4891"), ((Service("99232", 140),), (Service("99231", 90),))
    ),
    "psychotherapy": Specialty(
        "103TC0700X", "11", ("F411", "F32A"), ((Service("90837", 190),), (Service("90834", 150),)), most=20
    ),
    "infusion": Specialty(
        "207RH0003X", "11", ("D649", "M810"),
        (
            (Service("96372", 40), Service("J0897", 30, ("JZ",), 60)),
            (Service("96413", 260), Service("J9271", 55, ("JZ",), 200)),
        ),
        most=10,
    ),
    "bone score": Specialty(  # what Original Medicare covers of it is not known: it warns
        "2085R0202X", "11", ("M810",), ((Service("77092", 60), Service("77080", 95)), (Service("77092", 60),)),
        most=2, referred=True, payers=("MB",),
    ),
}  # fmt: skip

PAYERS = (
    Payer("MB", "MEDICARE-SAMPLE", "Sample Medicare", "1EG4TE5MK73", 45),
    Payer("16", "ADVANTAGE-SAMPLE", "Sample Advantage", "SAMPLE12345", 15),
    Payer("MC", "MEDICAID-SAMPLE", "Sample Medicaid", "SAMPLE12345", 15),
    Payer("CI", "60054", "Aetna", "SAMPLE12345", 10),
    Payer("BL", "BLUE-SAMPLE", "Sample Blue", "SAMPLE12345", 10),
    Payer("CH", "TRICARE-SAMPLE", "Sample Tricare", "SAMPLE12345", 5),
)


def varied_claims(count: int, seed: int = 1, first: int = 1) -> Iterator[VariedClaim]:
    """So many claims, from a number on."""
    for number in range(first, first + count):
        yield _claim(random.Random(f"{seed}-{number}"), number)


def _claim(rng: random.Random, number: int) -> VariedClaim:
    [[fewest, most, _]] = rng.choices(LENGTHS, [often for *_, often in LENGTHS])
    count = rng.randint(fewest, most)
    name = rng.choice([name for name, specialty in SPECIALTIES.items() if specialty.most >= count])
    body = office_claim()
    _people(rng, body, SPECIALTIES[name])
    _header(rng, body, SPECIALTIES[name], number)
    _lines(rng, body, SPECIALTIES[name], count)
    faults: list[str] = []
    if name in ("laboratory", "office"):
        body["claimInformation"]["claimSupplementalInformation"] = {"cliaNumber": "06D9999999"}
    if name == "bone score":
        body["scrubContext"]["documentation"] = [{"lines": [*range(1, count + 1)], "elements": report_elements()}]
        faults.append("coverage unknown")
    if rng.random() < FAULTY:
        for fault in rng.sample(list(FAULTS), rng.choice((1, 1, 2))):
            FAULTS[fault](body)
            faults.append(fault)
    return VariedClaim(body, name, tuple(faults))


def _people(rng: random.Random, body: Body, specialty: Specialty) -> None:
    payers = [payer for payer in PAYERS if not specialty.payers or payer.filing in specialty.payers]
    [payer] = rng.choices(payers, [payer.often for payer in payers])
    body["tradingPartnerServiceId"], body["tradingPartnerName"] = payer.number, payer.name
    body["subscriber"] |= {
        "memberId": payer.member,
        "gender": rng.choice("MF"),
        "dateOfBirth": f"{date(1935, 1, 1) + timedelta(days=rng.randrange(8_000)):%Y%m%d}",
    }
    body["claimInformation"]["claimFilingCode"] = payer.filing
    billing, rendering = body["providers"]
    billing["npi"] = npi(rng.randrange(PROVIDERS))
    billing["taxonomyCode"] = rendering["taxonomyCode"] = specialty.taxonomy
    rendering["npi"] = npi(PROVIDERS + rng.randrange(PROVIDERS))
    if specialty.referred:
        referring = {
            "providerType": "ReferringProvider",
            "npi": ORDERING_NPI,
            "firstName": "Sam",
            "lastName": "Sampler",
        }
        body["providers"].append(referring)


def npi(number: int) -> str:
    """A made-up NPI with its check digit: the Luhn digit over 80840 and the nine others (45 CFR 162.406)."""
    nine = f"1{number:08}"
    digits = [int(digit) for digit in "80840" + nine]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::-2])
    return nine + str(-(doubled + sum(digits[-2::-2])) % 10)


def _header(rng: random.Random, body: Body, specialty: Specialty, number: int) -> None:
    information = body["claimInformation"]
    information["patientControlNumber"] = f"VARIED-{number:07}"
    information["placeOfServiceCode"] = specialty.place
    diagnoses = rng.sample(specialty.diagnoses, rng.randint(1, len(specialty.diagnoses)))
    information["healthCareCodeInformation"] = [
        {"diagnosisTypeCode": "ABF" if place else "ABK", "diagnosisCode": code} for place, code in enumerate(diagnoses)
    ]
    if specialty.place in ("21", "22", "23"):
        address = body["providers"][0]["address"]
        information["serviceFacilityLocation"] = {
            "organizationName": "Sampletown Hospital", "npi": npi(2 * PROVIDERS), "address": address,
        }  # fmt: skip


def _lines(rng: random.Random, body: Body, specialty: Specialty, count: int) -> None:
    information = body["claimInformation"]
    day = FIRST_DAY + timedelta(days=rng.randrange((LAST_DAY - FIRST_DAY).days))
    pointers = [str(place) for place in range(1, 1 + min(4, len(information["healthCareCodeInformation"])))]
    lines: list[Body] = []
    start = rng.randrange(len(specialty.days))
    for services in cycle(specialty.days[start:] + specialty.days[:start]):
        lines.extend(_line(rng, service, day, pointers) for service in services[: count - len(lines)])
        if len(lines) == count:
            break
        day += timedelta(days=1)
    information["serviceLines"] = lines
    information["claimChargeAmount"] = f"{sum(map(_charge, lines))}.00"
    body["scrubContext"] = {"receivedOn": f"{day + timedelta(days=rng.randint(1, 30)):%Y%m%d}"}


def _line(rng: random.Random, service: Service, day: date, pointers: list[str]) -> Body:
    drug = {"serviceIdQualifier": "N4", "nationalDrugCode": "99999999999", "measurementUnitCode": "UN"}
    of_a_drug = {"drugIdentification": drug | {"nationalDrugUnitCount": "1"}} if service.code.startswith("J") else {}
    return of_a_drug | {
        "serviceDate": f"{day:%Y%m%d}",
        "professionalService": {
            "procedureIdentifier": "HC",
            "procedureCode": service.code,
            "procedureModifiers": list(service.modifiers),
            "lineItemChargeAmount": f"{service.charge * service.units + rng.randrange(10)}.00",
            "measurementUnit": service.measure,
            "serviceUnitCount": str(service.units),
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": pointers[: rng.randint(1, len(pointers))]},
        },
    }


def _charge(line: Body) -> int:
    return int(line["professionalService"]["lineItemChargeAmount"].partition(".")[0])


def _total(body: Body) -> None:
    body["claimInformation"]["claimChargeAmount"] = "1.23"


def _npi(body: Body) -> None:
    body["providers"][0]["npi"] = "1234567890"


def _pointer(body: Body) -> None:
    _last(body)["professionalService"]["compositeDiagnosisCodePointers"]["diagnosisCodePointers"] = ["9"]


def _diagnosis(body: Body) -> None:
    body["claimInformation"]["healthCareCodeInformation"][0]["diagnosisCode"] = "11E9"


def _units(body: Body) -> None:
    _last(body)["professionalService"]["serviceUnitCount"] = "0"


def _future(body: Body) -> None:
    _last(body)["serviceDate"] = "20991231"


def _member(body: Body) -> None:
    body["subscriber"]["memberId"] = ""


def _birth(body: Body) -> None:
    body["subscriber"]["dateOfBirth"] = "19509999"


def _procedure(body: Body) -> None:
    _last(body)["professionalService"]["procedureCode"] = "9921"


def _place(body: Body) -> None:
    body["claimInformation"]["placeOfServiceCode"] = "9X"


def _modifiers(body: Body) -> None:
    _last(body)["professionalService"]["procedureModifiers"] = ["59", "59"]


def _last(body: Body) -> Body:
    line: Body = body["claimInformation"]["serviceLines"][-1]
    return line


FAULTS: dict[str, Callable[[Body], None]] = {
    "total": _total,
    "check digit": _npi,
    "pointer": _pointer,
    "diagnosis": _diagnosis,
    "no units": _units,
    "future day": _future,
    "no member": _member,
    "birth date": _birth,
    "procedure": _procedure,
    "place": _place,
    "modifier repeated": _modifiers,
}
