"""Made-up claims: sound ones of many specialties, wrong ones, misspelt, malformed and long ones. Nobody in them exists.

Claim `number` of a kind is the same on every machine and every Python: its numbers come from a generator that is seeded
with its name.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

Body = dict[str, Any]
Line = tuple[str, tuple[str, ...], str]  # code, modifiers, charge

FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2026, 10, 31)
SPECIALTIES: Mapping[str, tuple[str, tuple[Line, ...]]] = {
    "207R00000X": ("E119", (("99213", (), "110.00"), ("99214", ("25",), "160.00"), ("93000", (), "40.00"),
                            ("36415", (), "12.00"), ("G0439", (), "150.00"), ("96372", (), "35.00"),
                            ("85025", (), "20.00"), ("80053", (), "25.00"), ("J1885", (), "9.00"))),
    "2085R0202X": ("M810", (("77080", (), "120.00"), ("77080", ("26",), "45.00"), ("77085", (), "140.00"),
                            ("77089", (), "95.00"), ("77090", (), "20.00"), ("77091", ("TC",), "60.00"),
                            ("77092", ("26",), "60.00"), ("77086", (), "70.00"), ("77081", (), "55.00"))),
    "225100000X": ("M5450", (("97110", ("GP",), "55.00"), ("97140", ("GP", "59"), "50.00"), ("97010", ("GP",), "15.00"),
                             ("97014", ("GP",), "25.00"), ("97530", ("GP",), "60.00"))),
    "111N00000X": ("M9903", (("98940", ("AT",), "45.00"), ("98941", ("AT",), "60.00"), ("98941", ("GA",), "60.00"))),
    "207L00000X": ("K802", (("00812", ("AA", "P3"), "600.00"), ("00790", ("QK",), "900.00"), ("00142", (), "400.00"))),
    "213E00000X": ("B351", (("11721", ("Q8",), "70.00"), ("11055", ("Q8", "59"), "60.00"),
                            ("11721", ("TA",), "70.00"))),
    "208000000X": ("Z00129", (("90460", (), "40.00"), ("90461", (), "20.00"), ("90715", (), "60.00"),
                              ("90471", (), "30.00"), ("99381", (), "150.00"), ("D1206", (), "45.00"))),
    "207W00000X": ("H2510", (("66984", ("RT",), "1800.00"), ("92015", (), "35.00"), ("92014", (), "140.00"),
                             ("66984", ("LT", "54"), "1500.00"), ("66984", ("55", "79"), "350.00"))),
    "363LF0000X": ("I10", (("99213", ("95",), "105.00"), ("99203", (), "180.00"), ("3074F", (), "0.00"),
                           ("99024", (), "0.00"), ("G0514", (), "30.00"), ("20610", ("RT",), "120.00"))),
    "291U00000X": ("D649", (("80053", ("90",), "25.00"), ("85025", ("91",), "20.00"), ("0001U", (), "700.00"))),
    "332B00000X": ("E1165", (("A4253", ("NU", "KX"), "35.00"), ("E0143", ("NU",), "110.00"), ("A4550", (), "20.00"))),
    "3416L0300X": ("R55", (("A0429", ("RH",), "500.00"), ("A0425", ("RH",), "15.00"),
                             ("A0429", ("SH", "QL"), "500.00"))),
}  # fmt: skip
CODES = (
    "77092", "77089", "77091", "77080", "77085", "77086", "77081", "77082", "77090", "76977", "77078", "G0130",
    "0554T", "85025", "36415", "99213", "99203", "99201", "99397", "93005", "93010", "93000", "96372", "G0438",
    "G0439", "97010", "80053", "99080", "A4550", "A4253", "J1885", "J1886", "99024", "3074F", "97014", "92015",
    "0749T", "A9270", "98005", "66984", "20610", "V2020", "G0514", "E0143", "C2637", "90471", "98941", "D0120",
    "0999T", "99499", "00000", "A9207", "99998", "VENIP", "7709", "g0130", "ZZZZZ",
)  # fmt: skip
MODIFIERS = (
    "26", "TC", "59", "XS", "XU", "XE", "XP", "25", "57", "LT", "RT", "50", "51", "52", "53", "54", "55", "62",
    "76", "77", "78", "79", "80", "90", "91", "95", "GA", "GX", "GY", "GZ", "GV", "GW", "GP", "GL", "AT", "AS",
    "EY", "F5", "F6", "TA", "T1", "LC", "LD", "RC", "KX", "JW", "JZ", "NU", "QS", "QW", "Q0", "Q1", "QQ", "5", "Z1",
)  # fmt: skip
DIAGNOSES = (
    "M810", "M8000XA", "M80011", "M8588", "M8580", "M819", "M818", "E119", "E1165", "I10", "Z13820", "Z780",
    "Z7952", "Z7951", "Z87310", "E2740", "E213", "Z006", "Z681", "D649", "M81", "M80", "U999", "XYZ", "M81.0",
    "e11.9", "73300",
)  # fmt: skip
PLACES = (
    "11", "11", "11", "11", "22", "19", "21", "23", "24", "31", "32", "02", "10", "12", "63", "81", "98", "9X",
)  # fmt: skip
FILINGS = (
    "MB", "MB", "MB", "MB", "CI", "16", "MC", "HM", "BL", "FI", "CH", "WC", "AM", "VA", "OF", "ZZ", "Q9",
)  # fmt: skip
PAYERS = (("MEDICARE-SAMPLE", "Sample Medicare"), ("COMMERCIAL-SAMPLE", "Sample Commercial"), ("60054", "Aetna"),
          ("87726", "UnitedHealthcare"), ("62308", "Cigna"), ("MEDICAID-SAMPLE", "Sample Medicaid"))  # fmt: skip
HOMES = (("CO", "802020001"), ("AL", "352330001"), ("NY", "100190001"), ("CA", "902100001"), ("TX", "770020001"),
         ("FL", "331010001"), ("AK", "995010001"), ("PR", "009010001"), ("ZZ", "999990001"))  # fmt: skip
ODD: tuple[Any, ...] = (
    None, "", " ", [], {}, [[]], [{}], {"": ""}, 0, -1, 1.5, 10**18, 1e300, True, False, "0", "-0.00", "1e5", "$5",
    "NaN", "1,000.00", "20250229", "2025-03-12", "20250312-20250314", "a" * 2_000, "٣", ["1", None, 2, "x"],
    {"npi": []},
)  # fmt: skip


def chance_of(kind: str, number: int) -> random.Random:
    """The generator of a claim's numbers; text seeds it by its bytes, whatever PYTHONHASHSEED says."""
    return random.Random(f"{kind} {number}")


def sound(chance: random.Random, lines: int = 0) -> Body:
    """A claim as a clinic of one specialty sends it; most are free of faults. `lines`: so many, else one to six."""
    taxonomy = chance.choice(sorted(SPECIALTIES))
    diagnosis, services = SPECIALTIES[taxonomy]
    count = lines or chance.choice((1, 1, 2, 2, 3, 4, 6))
    picked = chance.sample(services, min(count, len(services)))
    picked += [chance.choice(services) for _ in range(count - len(picked))]
    day = FIRST_DAY + timedelta(days=chance.randrange((LAST_DAY - FIRST_DAY).days))
    body = _envelope(chance, taxonomy)
    information = body["claimInformation"]
    information["healthCareCodeInformation"] = _diagnoses(
        [diagnosis, *chance.sample(DIAGNOSES[:20], chance.choice((0, 0, 1, 3)))]
    )
    information["serviceLines"] = [_line(chance, service, day) for service in picked]
    _sum_up(information)
    if taxonomy == "2085R0202X" or chance.random() < 0.1:
        body["scrubContext"]["documentation"] = [_report(chance, number + 1, day) for number in range(len(picked))]
    if chance.random() < 0.15:
        body["scrubContext"]["abn"] = [_notice(chance, chance.randint(1, len(picked)), day)]
    if chance.random() < 0.3:
        body["scrubContext"]["history"] = [
            {"code": chance.choice(CODES[:12]), "date": _written(day - timedelta(days=chance.randint(1, 900)))}
            for _ in range(chance.choice((0, 1, 2)))
        ]
    return body


def wrong(chance: random.Random) -> Body:
    """A sound claim with one to three faults."""
    body = sound(chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(_FAULTS)(chance, body)
    return body


def misspelt(chance: random.Random) -> Body:
    """A claim with one to three names that the model does not know: misspelt, or synonyms."""
    body = wrong(chance) if chance.random() < 0.5 else sound(chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        holder, key = chance.choice([place for place in _places(body) if isinstance(place[1], str)])
        holder[_misspelt(chance, key)] = holder.pop(key)
    return body


def malformed(chance: random.Random) -> Any:
    """A claim in which one to four elements hold what nobody should send, or are left out."""
    body: Any = sound(chance)
    for _ in range(chance.randint(1, 4)):
        holder, key = chance.choice(_places(body))
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(ODD))
        if not _places(body):
            break
    return body


def long(chance: random.Random) -> Body:
    """A claim of 7 to 50 lines, a few of them wrong; one in twelve has more lines than are judged."""
    body = sound(chance, chance.choice((7, 8, 9, 12, 12, 15, 20, 25, 30, 40, 50, 51)))
    for _ in range(chance.choice((0, 1, 5))):
        chance.choice(_FAULTS)(chance, body)
    return body


KINDS: Mapping[str, tuple[int, Callable[[random.Random], Any]]] = {
    "sound": (1_000, sound), "wrong": (1_500, wrong), "misspelt": (500, misspelt), "malformed": (500, malformed),
    "long": (200, long),
}  # fmt: skip


def _envelope(chance: random.Random, taxonomy: str) -> Body:
    payer, name = chance.choice(PAYERS) if chance.random() < 0.4 else PAYERS[0]
    state, postal = chance.choice(HOMES)
    address = {"address1": "100 Sample Street", "city": "Sampletown", "state": state, "postalCode": postal}
    body: Body = {
        "controlNumber": f"{chance.randrange(10**9):09}",
        "tradingPartnerServiceId": payer,
        "tradingPartnerName": name,
        "submitter": {"organizationName": "Sampletown Clinic",
                      "contactInformation": {"name": "Sam Sample", "phoneNumber": "3035550100"}},
        "receiver": {"organizationName": "Sample Clearing"},
        "subscriber": {"memberId": "1EG4TE5MK73", "paymentResponsibilityLevelCode": "P", "firstName": "Terry",
                       "lastName": "Testerson", "gender": chance.choice("FM"),
                       "dateOfBirth": chance.choice(("19500214", "19381101", "19700630", "20150401")),
                       "address": dict(address)},
        "billing": {"npi": "1234567893", "employerId": "123456789", "organizationName": "Sampletown Clinic",
                    "taxonomyCode": "261QM1300X", "address": dict(address)},
        "rendering": {"npi": "1987654328", "firstName": "Pat", "lastName": "Placeholder", "taxonomyCode": taxonomy},
        "ordering": {"npi": "1555666779", "firstName": "Robin", "lastName": "Requester"},
        "claimInformation": {
            "claimFilingCode": "MB" if payer == "MEDICARE-SAMPLE" else chance.choice(FILINGS),
            "patientControlNumber": f"MADE-UP-{chance.randrange(10**6):06}",
            "claimChargeAmount": "0.00",
            "placeOfServiceCode": chance.choice(PLACES[:9]),
            "claimFrequencyCode": "1",
            "signatureIndicator": "Y",
            "planParticipationCode": chance.choice("AAC"),
            "benefitsAssignmentCertificationIndicator": "Y",
            "releaseInformationCode": "Y",
        },
        "scrubContext": {},
    }  # fmt: skip
    if chance.random() < 0.2:
        body["scrubContext"]["pricing"] = {"locality": chance.choice(("national", "10112-00", "13202-01")),
                                           "participation": chance.choice(("par", "nonpar"))}  # fmt: skip
    if chance.random() < 0.2:
        plan = chance.choice(("original-medicare", "medicare-advantage", "medicaid", "commercial"))
        body["scrubContext"]["eligibility"] = {"plan": plan}
    return body


def _line(chance: random.Random, service: Line, day: date) -> Body:
    code, modifiers, charge = service
    made: Body = {
        "serviceDate": _written(day + timedelta(days=chance.choice((0, 0, 0, 0, 1, 7)))),
        "professionalService": {
            "procedureIdentifier": "HC",
            "procedureCode": code,
            "procedureModifiers": [*modifiers],
            "lineItemChargeAmount": charge,
            "measurementUnit": "UN",
            "serviceUnitCount": chance.choice(("1", "1", "1", "1", "2", "3")),
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["1"]},
        },
    }
    if chance.random() < 0.1:
        made["professionalService"]["placeOfServiceCode"] = chance.choice(PLACES)
    return made


def _report(chance: random.Random, number: int, day: date) -> Body:
    elements: Body = {
        "tbsValue": chance.choice(("1.285", "1.31", "0.4", "low")),
        "tScore": chance.choice(("-2.1", "-1.0", "+0.3")),
        "indication": "glucocorticoid therapy since 2024",
        "findings": "texture of L1 to L4 below that of young adults",
        "interpretation": chance.choice(("partially degraded texture", "see report")),
        "recommendation": "repeat in two years",
        "separateReport": chance.choice((True, True, False)),
        "reportDate": _written(day),
        "calculatedBy": chance.choice(("other", "self")),
        "signature": {"name": "Pat Placeholder", "npi": "1987654328", "date": _written(day), "credential": "MD"},
        "sourceStudy": {"code": chance.choice(("77080", "77085", "77081")), "date": _written(day), "levels": "L1-L4"},
        "tbsSoftware": {"name": "Sample TBS", "version": "4", "clearance": "K243218"},
        "order": {"npi": "1555666779", "date": _written(day - timedelta(days=chance.choice((0, 9, 400))))},
    }
    for name in chance.sample(sorted(elements), chance.choice((0, 0, 1, 2, 5))):
        elements[name] = None
    return {"lines": [number], "elements": elements}


def _notice(chance: random.Random, number: int, day: date) -> Body:
    return {
        "lines": [number],
        "form": chance.choice(("CMS-R-131", "CMS-R-131", "CMS-1500")),
        "issued": _written(day - timedelta(days=chance.choice((0, 3, -5)))),
        "signed": _written(day - timedelta(days=chance.choice((0, 3, -5)))),
        "option": chance.choice(("1", "2", "3", None)),
        "estimate": chance.choice(("60.00", "12", None)),
        "reason": "Medicare may not pay for this test",
    }


def _diagnoses(codes: list[str]) -> list[Body]:
    return [
        {"diagnosisTypeCode": "ABF" if number else "ABK", "diagnosisCode": code} for number, code in enumerate(codes)
    ]


def _written(day: date) -> str:
    return f"{day:%Y%m%d}"


def _sum_up(information: Body) -> None:
    charges = (line["professionalService"]["lineItemChargeAmount"] for line in information["serviceLines"])
    cents = sum(int(charge.replace(".", "")) for charge in charges)
    information["claimChargeAmount"] = f"{cents // 100}.{cents % 100:02}"


def _service(chance: random.Random, body: Body) -> Body:
    service: Body = chance.choice(body["claimInformation"]["serviceLines"])["professionalService"]
    return service


def _put(where: str, name: str, *values: Any) -> Callable[[random.Random, Body], None]:
    """A fault: one of these values under a name of the claim, of a line, of its service, or of a party."""

    def fault(chance: random.Random, body: Body) -> None:
        value = copy.deepcopy(chance.choice(values))
        if where == "service":
            _service(chance, body)[name] = value
        elif where == "line":
            chance.choice(body["claimInformation"]["serviceLines"])[name] = value
        elif where == "claim":
            body["claimInformation"][name] = value
        else:
            body.setdefault(where, {})[name] = value

    return fault


def _without(chance: random.Random, body: Body) -> None:
    name = chance.choice(("rendering", "ordering", "submitter", "receiver", "subscriber", "billing", "scrubContext"))
    body.pop(name, None)


def _two_of_a_line(chance: random.Random, body: Body) -> None:
    lines = body["claimInformation"]["serviceLines"]
    lines.append(copy.deepcopy(chance.choice(lines)))


def _other_line(chance: random.Random, body: Body) -> None:
    lines = body["claimInformation"]["serviceLines"]
    line = copy.deepcopy(chance.choice(lines))
    line["professionalService"]["procedureCode"] = chance.choice(CODES)
    line["professionalService"]["procedureModifiers"] = chance.sample(MODIFIERS, chance.choice((0, 0, 1, 2)))
    lines.append(line)


def _modifiers(chance: random.Random, body: Body) -> None:
    _service(chance, body)["procedureModifiers"] = chance.sample(MODIFIERS, chance.choice((1, 1, 2, 3, 5)))


def _secondary(chance: random.Random, body: Body) -> None:
    body.setdefault("subscriber", {})["paymentResponsibilityLevelCode"] = "S"
    body["subscriber"]["insuranceTypeCode"] = chance.choice(("12", "43", "47", "MB"))
    body["claimInformation"]["otherSubscriberInformation"] = [
        {
            "paymentResponsibilityLevelCode": "P",
            "individualRelationshipCode": "18",
            "claimFilingIndicatorCode": chance.choice(("CI", "MB", None)),
            "payerPaidAmount": chance.choice(("40.00", "0", None)),
            "otherSubscriberName": {"otherInsuredLastName": "Testerson", "otherInsuredFirstName": "Terry"},
            "otherPayerName": {"otherPayerOrganizationName": "Sample Commercial", "otherPayerIdentifier": "COMM01"},
        }
    ]


_FAULTS: tuple[Callable[[random.Random, Body], None], ...] = (
    _modifiers, _modifiers, _modifiers, _other_line, _other_line, _two_of_a_line, _without, _secondary,
    _put("service", "procedureCode", *CODES, None, ""),
    _put("service", "procedureCode", *CODES),
    _put("service", "lineItemChargeAmount", "-1.00", "0", "60.005", "1e3", "99999999.99", None, "sixty"),
    _put("service", "serviceUnitCount", "0", "1.5", "many", "12", "999", "-1", None),
    _put("service", "measurementUnit", "MJ", "XX", None),
    _put("service", "procedureIdentifier", "ER", "", None),
    _put("service", "compositeDiagnosisCodePointers", {"diagnosisCodePointers": ["9"]}, {"diagnosisCodePointers": []},
         {"diagnosisCodePointers": ["A", "B"]}, {"diagnosisCodePointers": ["1", "1", "2", "3", "4"]}, None),
    _put("service", "placeOfServiceCode", *PLACES, "office"),
    _put("line", "serviceDate", "20270105", "20150930", "20250229", "2025-03-12", "12/03/2025", None, ""),
    _put("line", "serviceDateEnd", "20200101", "20261231", "soon"),
    _put("line", "renderingProvider", {"npi": "1555666779", "lastName": "Placeholder", "taxonomyCode": "363LF0000X"},
         {"npi": "12"}, {}),
    _put("line", "drugIdentification", {"serviceIdQualifier": "N4", "nationalDrugCode": "00409379601"},
         {"nationalDrugCode": "123"}),
    _put("claim", "claimFilingCode", *FILINGS, None),
    _put("claim", "placeOfServiceCode", *PLACES, "111", None),
    _put("claim", "claimFrequencyCode", "7", "8", "9", None),
    _put("claim", "claimChargeAmount", "1.00", "0.00", "-5.00", "1,000.00", None),
    _put("claim", "patientControlNumber", "", None, "X" * 60),
    _put("claim", "planParticipationCode", "B", "P", "Y", None),
    _put("claim", "signatureIndicator", "N", "X", None),
    _put("claim", "releaseInformationCode", "N", "I", None),
    _put("claim", "benefitsAssignmentCertificationIndicator", "N", "W", None),
    _put("claim", "relatedCausesCode", ["AA"], ["EM"], ["OA"], "AA"),
    _put("claim", "healthCareCodeInformation", [], None, _diagnoses(["M810", "M810"]), _diagnoses(["M81"]),
         _diagnoses(["E119", "Z794", "I10"]), _diagnoses(list(DIAGNOSES[:13])), _diagnoses(["V0001XA"]),
         *(_diagnoses([code]) for code in DIAGNOSES)),
    _put("claim", "claimSupplementalInformation", {"priorAuthorizationNumber": "1"}, {"claimControlNumber": "2024X"},
         {"cliaNumber": "05D0000000"}, {"referralNumber": ""}),
    _put("claim", "serviceFacilityLocation", {"organizationName": "Sample Hospital", "npi": "1999999984"}, {}),
    _put("subscriber", "memberId", "", None, "123456789A", "1EG4-TE5-MK73"),
    _put("subscriber", "dateOfBirth", "20300101", "19500230", None),
    _put("subscriber", "gender", "U", "X", None),
    _put("subscriber", "paymentResponsibilityLevelCode", "S", "T", None),
    _put("dependent", "firstName", "Sandy", None),
    _put("billing", "npi", "1234567890", "12", None),
    _put("billing", "employerId", None, "12-3456789", "1"),
    _put("billing", "taxonomyCode", "bad", None, "2471B0102X"),
    _put("billing", "organizationName", None, ""),
    _put("billing", "address", None, {},
         {"address1": "PO Box 12", "city": "Sampletown", "state": "NY", "postalCode": "1"}),
    _put("rendering", "taxonomyCode", *sorted(SPECIALTIES), "bad", None),
    _put("rendering", "npi", "1234567890", "1234567893", None),
    _put("ordering", "npi", "1987654328", "1", None),
    _put("referring", "npi", "1555666779", "1555666770"),
    _put("supervising", "npi", "1987654328"),
    _put("submitter", "contactInformation", {}, None, {"name": "Sam Sample"}),
    _put("scrubContext", "history", [], None, [{"code": "77080", "date": "20240101"}], "none"),
    _put("scrubContext", "abn", [], None, [{"lines": [1], "form": "CMS-R-131"}]),
    _put("scrubContext", "eligibility", {"plan": "medicare-advantage"}, {"qmb": True}, {"plan": "other"}, {}),
    _put("scrubContext", "documentation", [], None, [{"lines": [9], "elements": {}}]),
)  # fmt: skip


def _places(holder: Any) -> list[tuple[Any, Any]]:
    """Every place of a body: what holds it, and its key."""
    found: list[tuple[Any, Any]] = []
    for key in [*holder] if isinstance(holder, dict) else range(len(holder)):
        found.append((holder, key))
        if isinstance(holder[key], dict | list):
            found += _places(holder[key])
    return found


_SYNONYMS = {"procedureCode": "cptCode", "npi": "NPI", "serviceDate": "dateOfService", "postalCode": "zip",
             "claimFilingCode": "claimFilingIndicatorCode", "memberId": "memberID", "procedureModifiers": "modifiers",
             "rendering": "renderingProvider", "billing": "billingProvider", "employerId": "ein"}  # fmt: skip


def _misspelt(chance: random.Random, name: str) -> str:
    place = chance.randrange(max(1, len(name) - 1))
    match chance.randint(0, 6):
        case 0:
            return name[:place] + name[place + 1 :] + "_" * (len(name) < 2)
        case 1:
            return name[:place] + chance.choice("aeimnst") + name[place:]
        case 2:
            return name[:place] + name[place : place + 2][::-1] + name[place + 2 :]
        case 3:
            return _SYNONYMS.get(name, name.upper())
        case 4:
            return f"{name} "
        case 5:
            return name.replace("e", "\u0435").replace("o", "\u043e")  # letters of another alphabet that look alike
        case _:
            return f"{name}2"
