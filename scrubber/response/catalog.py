"""Writes rules, releases and what is known of codes as JSON. Never a descriptor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from scrubber.claim.elements import ELEMENTS
from scrubber.code_lookup import CodeProfile, PriceProfile
from scrubber.code_lookup.profile import CODE_TABLES, PRICING_TABLES, ComponentPrice, Coverage, Partner
from scrubber.dated_rows import Dated
from scrubber.facts.documentation import DOCUMENT_PLACES
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.local_coverage import LocalArticle
from scrubber.reference.releases import Release, TableStatus
from scrubber.reference.rows import AddOn, Mue
from scrubber.reference.tables import ADD_ON, ARTICLES, MPFS, MUE, PTP
from scrubber.response.claim import amount, authority, claim_status, reason, x12_place
from scrubber.rulebook.condition_words import as_data
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import Payer, policy_authority
from scrubber.rulebook.vocabulary import KINDS

Document = dict[str, Any]

NOT_LOADED = "not-loaded"


def every(releases: Iterable[Release]) -> Document:
    """All releases, in their order: by table and then by first day."""
    return {"releases": [_release(release) for release in releases]}


def standing(standings: Mapping[str, TableStatus], table: str) -> Document:
    """The release of a table that answers for a day, and how the day lies to it."""
    word, release = standings[table]
    if release is None:
        return {"table": table, "release": None, "sha256": None, "standing": NOT_LOADED}
    return {"table": table, "release": release.name, "sha256": release.sha256, "standing": word}


def _release(release: Release) -> Document:
    return {
        "table": release.table,
        "release": release.name,
        "effective": effective(release),
        "sha256": release.sha256,
        "rows": release.rows,
        "starter": release.starter,
        "complete": release.complete,
        "source": release.source,
        "loaded": release.loaded.isoformat(timespec="seconds") if release.loaded else None,
    }


def summary(rule: Rule) -> Document:
    """One line of a list of rules."""
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "pack": rule.pack,
        "status": rule.status,
        "severity": rule.severity,
        "stage": rule.stage,
        "category": rule.category,
    }


def document(rule: Rule) -> Document:
    """Everything that the rule's file says; conditions as data, dates in ISO form."""
    fields = KINDS[rule.scope].fields
    return summary(rule) | {
        "file": rule.file,
        "scope": rule.scope,
        "owner": rule.owner,
        "reviewed": rule.reviewed.isoformat(),
        "effective": effective(rule),
        "authority": authority(rule.authority),
        "applies": as_data(rule.applies, fields),
        "needs": rule.needs,
        "when": as_data(rule.when, fields),
        "bypassed": None if rule.bypassed is None else as_data(rule.bypassed, fields),
        "pointsAt": _place(rule.element),
        "message": rule.message,
        "fix": rule.fix,
        "notChecked": rule.not_checked,
        "reason": reason(rule.reason),
        "claimStatus": claim_status(rule.claim_status),
        "atRisk": rule.at_risk,
        "falseAlarms": rule.false_alarms,
        "related": rule.related,
        "supersededBy": rule.superseded_by,
        "backTest": rule.back_test,
    }


def effective(row: Dated) -> Document:
    """First day in force and first day no longer, in ISO form; null = open."""
    return {"from": _iso(row.since), "to": _iso(row.until)}


def _place(element: str) -> Document:
    return {"element": element, "x12": x12_place(element), "box": ELEMENTS[element].box}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


ADDED = "ZZZ"  # global days of a code that is billed beside another one
INDICATORS = {
    "status": "status",
    "pcTc": "pc_tc",
    "globalDays": "global_days",
    "multiple": "multiple",
    "bilateral": "bilateral",
    "assistant": "assistant",
    "coSurgeon": "co_surgeon",
    "team": "team",
    "endoscopicBase": "endoscopic_base",
    "imagingFamily": "imaging_family",
    "nonFacilityNa": "non_facility_na",
    "facilityNa": "facility_na",
    "supervision": "supervision",
}
SHARES = {"preoperative": "preoperative", "intraoperative": "intraoperative", "postoperative": "postoperative"}
RELATIVE_VALUES = {
    "work": "work",
    "nonFacilityPe": "non_facility_pe",
    "facilityPe": "facility_pe",
    "mp": "mp",
}


def known_code(known: CodeProfile, digest: str) -> Document:
    """Everything that is known of a code. `digest` is the rulebook's."""
    asked, standings = known.question, known.table_status
    return {
        "code": asked.code,
        "date": asked.day.isoformat(),
        "payer": payer(known.payer),
        "rulebook": digest,
        "procedure": {
            "standing": known.status,
            "releases": [standing(standings, table.name) for table in CODE_TABLES],
        },
        "feeSchedule": {"release": standing(standings, MPFS.name), "rows": [_fee_row(row) for row in known.fees]},
        "prices": {
            "releases": [standing(standings, table.name) for table in PRICING_TABLES],
            "units": [_part_price(each) for each in known.prices],
        },
        "mue": {"release": standing(standings, MUE.name), "edit": _mue(known.mue) if known.mue else None},
        "ptp": {
            "release": standing(standings, PTP.name),
            "total": known.ptp.total,
            "page": known.ptp.page,
            "pageSize": known.ptp.page_size,
            "partners": [_partner(each) for each in known.ptp.partners],
        },
        "addOn": {
            "release": standing(standings, ADD_ON.name),
            "primaries": [_add_on(row.primary, row) for row in known.primaries],
            "addOns": [_add_on(row.code, row) for row in known.add_ons],
        },
        "coverage": [_coverage(each) for each in known.coverage],
        "localCoverage": {
            "release": standing(standings, ARTICLES.name),
            "articles": [_article(each) for each in known.articles],
        },
        "rules": [summary(rule) for rule in known.rules],
        "documentation": documentation(known),
    }


def priced(found: PriceProfile) -> Document:
    """What a service pays, and all that it was asked with."""
    asked, price = found.question, found.price
    told = {
        "code": asked.code,
        "modifiers": asked.modifiers,
        "units": f"{asked.units.normalize():f}",
        "date": asked.day.isoformat(),
        "zip": asked.zip,
        "pos": asked.place,
        "setting": found.setting,
        "payer": payer(found.payer),
        "participation": "par" if asked.participating else "nonpar",
        "qualifyingApm": asked.qualifying_apm,
        "providerClass": found.provider_class,
        "charge": amount(price.billed),
        "unitFee": amount(price.unit_fee),
        "allowed": amount(price.allowed),
        "basis": price.basis,
        "steps": price.steps,
        "releases": [standing(found.table_status, table.name) for table in PRICING_TABLES],
    }
    return told | {"unknown": price.unknown} if price.unknown else told


def payer(known: Payer) -> Document:
    """Who pays, as far as it is known."""
    return {"name": known.name, "lineOfBusiness": known.line_of_business, "contractor": known.contractor}


def documentation(known: CodeProfile) -> list[Document]:
    """What a report needs: the element, its place under `scrubContext.documentation[].elements`, and why."""
    fields = KINDS["document"].fields
    return [
        {"element": name, "place": DOCUMENT_PLACES.get(name), "about": fields[name].about, "rules": rules}
        for name, rules in known.documentation.items()
    ]


def _fee_row(row: FeeRow) -> Document:
    indicators = {key: getattr(row, column) for key, column in INDICATORS.items()}
    units = {key: f"{getattr(row, column):.2f}" for key, column in RELATIVE_VALUES.items()}
    return {
        "component": row.component,
        **indicators,
        "addOn": row.global_days == ADDED,
        "shares": {key: amount(getattr(row, column)) for key, column in SHARES.items()},
        "relativeValues": units,
        "effective": effective(row),
        "release": row.release,
        "source": row.source,
    }


def _part_price(part: ComponentPrice) -> Document:
    fee = part.fee
    told = {
        "component": part.component,
        "setting": part.setting,
        "allowed": amount(fee.fee),
        "basis": fee.basis,
        "steps": fee.steps,
    }
    return told | {"unknown": fee.unknown} if fee.unknown else told


def _mue(edit: Mue) -> Document:
    return {
        "units": edit.units,
        "indicator": edit.indicator,
        "effective": effective(edit),
        "source": edit.source,
    }


def _partner(partner: Partner) -> Document:
    edit = partner.edit
    return {
        "code": partner.code,
        "column": partner.column,
        "indicator": edit.indicator,
        "effective": effective(edit),
        "rationale": edit.rationale,
        "source": edit.source,
    }


def _add_on(code: str, row: AddOn) -> Document:
    return {"code": code, "type": row.kind, "effective": effective(row), "source": row.source}


def _coverage(found: Coverage) -> Document:
    row = found.policy
    [by] = authority([policy_authority(row)])
    return {
        "status": row.status,
        "effect": row.effect,
        "payer": row.payer,
        "lineOfBusiness": row.line_of_business,
        "plan": row.plan,
        "contractor": row.contractor,
        "diagnoses": _diagnoses(found),
        "monthsBetween": found.frequency.months if found.frequency else None,
        "effective": effective(row),
        "authority": by,
    }


def _article(article: LocalArticle) -> Document:
    row = article.row
    return {
        "article": row.article,
        "version": row.version,
        "contractors": article.contractors,
        "lcds": article.lcds,
        "decides": article.decides,
        "effective": effective(row),
        "source": row.source,
    }


def _diagnoses(found: Coverage) -> list[Document]:
    return [{"code": row.code, "prefix": row.prefix, "test": row.test, "source": row.source} for row in found.diagnoses]
