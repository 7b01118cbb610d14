"""Random claims near the shipped rules: right and wrong codes, modifiers, dates, providers, context. Seeded."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.support.claims import office_claim, report_elements, tbs_claim

Body = dict[str, Any]

CODES = ["97010", "97014", "92015", "V2020", "A4253", "77080", "77081", "77085", "77086", "77089", "77090", "77091",
         "77092", "77078", "76977", "G0130", "99213", "93000", "36415", "20610", "ZZZZZ", "00100", "99999",
         None]  # fmt: skip
MODIFIERS = ["26", "TC", "59", "XS", "XE", "25", "57", "LT", "RT", "GA", "GX", "GY", "GZ", "50", "76", "91", "QQ", "5"]
DAYS = ["20190630", "20200101", "20211231", "20220101", "20240308", "20240309", "20250312", "20250313", "20260302",
        "20261001", "20270105", "20250229", None]  # fmt: skip
DIAGNOSES = ["M810", "M8580", "Z13820", "Z780", "I10", "E119", "XYZ", "M80.08XA", None]
TAXONOMIES = ["2085R0202X", "363LF0000X", "2471B0102X", "207R00000X", "bad", None]
NPIS = ["1234567893", "1987654328", "1555666779", "1234567890", "12", None]
ELEMENTS = ["tbsValue", "tScore", "indication", "interpretation", "separateReport", "calculatedBy", "signature",
            "sourceStudy", "tbsSoftware", "modifierSupport"]  # fmt: skip
WORDS: list[Any] = [None, "", "1.285", "-2.1", "0.3", "low", "routine", True, False, "self", "other"]
NESTED = ["signature", "sourceStudy", "tbsSoftware"]
PARTS: list[Any] = [None, {}, {"npi": "1987654328"}, {"code": "77081"}, {"code": "77080"},
                    {"name": None, "npi": None}, {"clearance": "K999999"}]  # fmt: skip


FURTHER: dict[str, list[Any]] = {
    "delayReasonCode": ["7", "99"],
    "relatedCausesCode": [["AA"], ["AA", "EM", "OA", "OA"], "AP"],
    "claimDateInformation": [{"accidentDate": "20250301"}, {"accidentDate": "soon"}, "20250301"],
    "claimNote": [{"additionalInformation": "sample"}, {"additionalInformation": "sample " * 20}],
    "patientAmountPaid": ["1.00", "much"],
}


def random_claim(seed: int) -> Body:
    """A claim that is the same for the same seed."""
    rng = random.Random(seed)
    body = copy.deepcopy(rng.choice([office_claim, tbs_claim])())
    information = body["claimInformation"]
    line = information["serviceLines"][0]
    information["serviceLines"] = [_line(rng, line) for _ in range(rng.choice([1, 2, 3, 4, 4, 6]))]
    total = sum(float(item["professionalService"]["lineItemChargeAmount"]) for item in information["serviceLines"])
    information["claimChargeAmount"] = f"{total + rng.choice([0, 0, 0, 1]):.2f}"
    information["claimFilingCode"] = rng.choice(["MB", "MB", "MB", "CI", "16", "MC", None])
    information["claimFrequencyCode"] = rng.choice(["1", "1", "7", "9"])
    information["placeOfServiceCode"] = rng.choice(["11", "11", "22", "24", "9X", None])
    information["healthCareCodeInformation"] = [
        {"diagnosisTypeCode": "ABK" if not n else "ABF", "diagnosisCode": rng.choice(DIAGNOSES)}
        for n in range(rng.choice([0, 1, 1, 2, 3]))
    ]
    if "rendering" in body:
        body["rendering"]["taxonomyCode"] = rng.choice(TAXONOMIES)
        body["rendering"]["npi"] = rng.choice(NPIS)
    body["scrubContext"] = _context(rng, len(information["serviceLines"]))
    information |= {name: rng.choice(values) for name, values in FURTHER.items() if rng.random() < 0.2}
    return body


def _line(rng: random.Random, line: Body) -> Body:
    made = copy.deepcopy(line)
    service = made["professionalService"]
    made["serviceDate"] = rng.choice(DAYS) if rng.random() < 0.5 else "20250312"
    if rng.random() < 0.1:
        made["serviceDateEnd"] = rng.choice(DAYS)
    service["procedureCode"] = rng.choice(CODES)
    service["procedureModifiers"] = rng.sample(MODIFIERS, rng.choice([0, 0, 0, 1, 1, 2, 5]))
    service["serviceUnitCount"] = rng.choice(["1", "1", "1", "2", "0", "1.5", "many"])
    service["lineItemChargeAmount"] = rng.choice(["60.00", "5.00", "150.00", "-1.00", "0"])
    pointers = rng.choice([["1"], ["1", "2"], ["2"], ["9"], []])
    service["compositeDiagnosisCodePointers"] = {"diagnosisCodePointers": pointers}
    if rng.random() < 0.2:
        made["renderingProvider"] = {"npi": rng.choice(NPIS), "lastName": "Placeholder",
                                     "taxonomyCode": rng.choice(TAXONOMIES)}  # fmt: skip
    return made


def _context(rng: random.Random, lines: int) -> Body:
    context: Body = {"receivedOn": "20261123"}
    if rng.random() < 0.7:
        elements = report_elements() if rng.random() < 0.5 else {}
        for name in rng.sample(ELEMENTS, rng.choice([0, 1, 3])):
            elements[name] = rng.choice(PARTS if name in NESTED else WORDS)
        context["documentation"] = [{"lines": [rng.randint(1, lines)], "elements": elements}]
    if rng.random() < 0.4:
        notice = {"lines": [rng.randint(1, lines)], "form": rng.choice(["CMS-R-131", "CMS-1500"]),
                  "signed": rng.choice(["20250301", "20260101", None]), "option": rng.choice(["1", "2", "3", None]),
                  "reason": rng.choice(["may not be paid", None]), "estimate": "60.00"}  # fmt: skip
        context["abn"] = rng.choice([[], None, [notice]])
    if rng.random() < 0.4:
        context["history"] = rng.choice([[], [{"code": "77080", "date": rng.choice(["20230402", "20240328"])}]])
    if rng.random() < 0.3:
        context["eligibility"] = {"plan": rng.choice(["original-medicare", "medicare-advantage", "other"])}
    if rng.random() < 0.3:
        context["pricing"] = {"locality": rng.choice(["national", "10112-00", "13202-01"]),
                              "participation": rng.choice(["par", "nonpar"])}  # fmt: skip
    return context
