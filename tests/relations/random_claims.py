"""Random claims for random rules: several lines, history, decisions of other payers, notices; some of it unreadable."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.relations.random_rules import CODES, MODIFIERS, TEXTS
from tests.support.claims import Body, office_claim

LINE_DAYS = ("20250312", "20250312", "20250313", "20250310", "20250131", "20250228", "20241231", "20240229")
HISTORY_DAYS = (*LINE_DAYS, "20250212", "20250213", "20240312", "20240313", "20250101", "20220311", "20250630")
UNITS = ("1", "1", "2", "3", "2.5", "0", "10")
CHARGES = ("150.00", "40.00", "59.99", "0", "10.00")
ODD = {"what": "is this"}  # no scalar: cannot be read


class RandomClaims:
    """Writes the bodies of claims, one after the other, from one seed."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def body(self) -> Body:
        """A claim as it is sent."""
        body = office_claim()
        claim = body["claimInformation"]
        if self.chance(0.3):
            body["claimInformation"]["claimFilingCode"] = "CI"
        claim["healthCareCodeInformation"] = [
            {"diagnosisTypeCode": "ABF" if number else "ABK", "diagnosisCode": self.odd(code, 0.05)}
            for number, code in enumerate(self.some(TEXTS["code"], 1, 3))
        ]
        claim["serviceLines"] = [self.line(len(claim["healthCareCodeInformation"])) for _ in range(self.size())]
        if self.chance(0.3):
            claim["otherSubscriberInformation"] = [
                {"paymentResponsibilityLevelCode": "S", "insuranceTypeCode": self.random.choice(("12", "47")),
                 "payerPaidAmount": self.odd(self.random.choice(CHARGES), 0.1),
                 "otherPayerName": {"otherPayerOrganizationName": "Other", "otherPayerIdentifier": payer}}
                for payer in self.some(("P1", "P2"), 1, 2)
            ]  # fmt: skip
        body["scrubContext"] = self.context(len(claim["serviceLines"]))
        return body

    def chance(self, often: float) -> bool:
        return self.random.random() < often

    def some(self, values: Any, least: int, most: int) -> list[Any]:
        return self.random.sample(list(values), min(len(values), self.random.randint(least, most)))

    def size(self) -> int:
        return self.random.choice((1, 2, 2, 3, 3, 4))

    def odd(self, value: Any, often: float = 0.03) -> Any:
        return ODD if self.chance(often) else value

    def line(self, diagnoses: int) -> Body:
        service: Body = {
            "procedureIdentifier": "HC",
            "procedureCode": self.odd(self.random.choice(CODES)),
            "procedureModifiers": self.odd(self.some(MODIFIERS, 0, 2)),
            "lineItemChargeAmount": self.odd(self.random.choice(CHARGES)),
            "measurementUnit": "UN",
            "serviceUnitCount": self.odd(self.random.choice(UNITS)),
            "compositeDiagnosisCodePointers": {
                "diagnosisCodePointers": [str(each) for each in self.some(range(1, diagnoses + 1), 0, 2)]
            },
        }
        if self.chance(0.2):
            service["placeOfServiceCode"] = self.odd("22", 0.2)
        for name in ("procedureCode", "serviceUnitCount", "lineItemChargeAmount"):
            if self.chance(0.03):
                del service[name]
        line: Body = {"serviceDate": self.odd(self.random.choice(LINE_DAYS)), "professionalService": service}
        if self.chance(0.03):
            del line["serviceDate"]
        if self.chance(0.2):
            line["serviceDateEnd"] = "20250313"
        if self.chance(0.3):
            line["renderingProvider"] = {
                "npi": self.odd(self.random.choice(TEXTS["rendering-provider"]), 0.2),
                "lastName": "Other",
                "taxonomyCode": self.random.choice(TEXTS["specialty"]),
            }
        if self.chance(0.3):
            line["lineAdjudicationInformation"] = [self.decision() for _ in range(self.random.randint(1, 2))]
        if self.chance(0.2):
            line["testResults"] = [
                {"measurementReferenceIdentificationCode": "OG", "measurementQualifier": "R1",
                 "testResults": self.odd(self.random.choice(UNITS), 0.2)}
                for _ in range(self.random.randint(1, 2))
            ]  # fmt: skip
        return line

    def decision(self) -> Body:
        details = [
            {"adjustmentReasonCode": self.random.choice(("45", "2", "1")),
             "adjustmentAmount": self.odd(self.random.choice(("10.00", "-5.00", "40.00")), 0.1)}
            for _ in range(self.random.randint(0, 2))
        ]  # fmt: skip
        decision: Body = {
            "otherPayerPrimaryIdentifier": self.odd(self.random.choice(("P1", "P2"))),
            "serviceLinePaidAmount": self.odd(self.random.choice(CHARGES), 0.1),
            "procedureCode": self.random.choice(CODES),
            "paidServiceUnitCount": self.random.choice(UNITS),
            "adjudicationOrPaymentDate": self.odd(self.random.choice(HISTORY_DAYS), 0.1),
        }
        if details:
            decision["claimAdjustmentInformation"] = [
                {"adjustmentGroupCode": self.random.choice(("CO", "PR")), "adjustmentDetails": details}
            ]
        if self.chance(0.3):
            decision["remainingPatientLiability"] = self.random.choice(CHARGES)
        return decision

    def context(self, lines: int) -> Body:
        context: Body = {"receivedOn": "20250705"}
        if self.chance(0.85):
            context["history"] = [self.service() for _ in range(self.random.choice((0, 1, 2, 3, 4)))]
        if self.chance(0.6):
            context["historyComplete"] = self.random.random() < 0.9
        if self.chance(0.4):
            context["historyFrom"] = self.random.choice(("20240101", "20250101", "20250212", "20250312", "19000101"))
        if self.chance(0.4):
            context["historyScope"] = self.random.choice(("group", "payer", "all"))
        if self.chance(0.3):
            context["abn"] = [self.notice(lines) for _ in range(self.random.randint(0, 2))]
        return context

    def service(self) -> Body:
        service: Body = {
            "code": self.odd(self.random.choice(CODES), 0.05),
            "date": self.odd(self.random.choice(HISTORY_DAYS), 0.05),
            "modifiers": self.odd(self.some(MODIFIERS, 0, 2), 0.05),
            "units": self.odd(self.random.choice((*UNITS, None)), 0.05),
            "charge": self.odd(self.random.choice(CHARGES), 0.05),
            "allowed": self.random.choice((*CHARGES, None)),
            "renderingNpi": self.random.choice(TEXTS["rendering-provider"]),
            "billingNpi": self.random.choice(("1234567893", "1555666779")),
            "taxonomyCode": self.random.choice(TEXTS["specialty"]),
            "diagnoses": self.odd(self.some(TEXTS["code"], 0, 2), 0.1),
            "careFrom": self.random.choice((*HISTORY_DAYS, None)),
        }
        for name in ("modifiers", "units", "charge", "allowed", "renderingNpi", "billingNpi", "diagnoses", "careFrom"):
            if self.chance(0.1):
                del service[name]
        return service

    def notice(self, lines: int) -> Body:
        notice: Body = {
            "lines": self.some(range(1, lines + 1), 1, 2),
            "form": "CMS-R-131",
            "issued": self.odd(self.random.choice(LINE_DAYS), 0.1),
            "option": self.random.choice(("1", "2", None)),
            "estimate": self.random.choice(("60.00", "10.00", "about 5 or 6", None)),
            "refused": self.random.choice((True, False, None)),
        }
        if self.chance(0.3):
            del notice["issued"]
        return notice
