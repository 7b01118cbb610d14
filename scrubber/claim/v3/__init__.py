"""Reads a parsed claim body, v3 in either form in use or in the shape of the CMS-1500, into one Claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from scrubber.claim.model import Claim, Normalised, Provider, as_sent
from scrubber.claim.parse import parse_json
from scrubber.claim.v3 import fast_load
from scrubber.claim.v3.cms1500 import in_v3_names, is_cms1500
from scrubber.claim.v3.extractor import Extractor, LoadedObject
from scrubber.claim.v3.irregular import with_irregular
from scrubber.claim.v3.names import RenamedBody, in_model_names
from scrubber.claim.v3.parties import diagnoses, provider, providers, service_lines, subscriber_and_patient
from scrubber.claim.v3.repeated_names import repeated_names
from scrubber.claim.v3.scrub_context import context
from scrubber.errors import NotAClaim, Problem

_CI = "/claimInformation"
_SUPPLEMENT = f"{_CI}/claimSupplementalInformation"
_TAX_ID, _PAYERS_TAX_ID = "employerId", "employerIdentificationNumber"
_CLAIM_TEXTS = {
    "filing-indicator": "claimFilingCode",
    "patient-control-number": "patientControlNumber",
    "claim-place": "placeOfServiceCode",
    "frequency": "claimFrequencyCode",
    "signature-indicator": "signatureIndicator",
    "plan-participation": "planParticipationCode",
    "benefits-assignment": "benefitsAssignmentCertificationIndicator",
    "release-information": "releaseInformationCode",
}
_CLAIM_ELEMENTS, _CLAIM_NAMES = tuple(_CLAIM_TEXTS), tuple(_CLAIM_TEXTS.values())


def read_json_claim(data: bytes) -> Claim:
    """The claim in a body of UTF-8 JSON. Raises NotJson as `parse_json` does, and NotAClaim as `read_v3` does.

    A name that occurs twice in one object is reported; only the bytes reveal it.
    """
    body = parse_json(data)
    repeated = repeated_names(data, body)  # first, because it refuses what is nested too deeply to be read
    claim = read_v3(body)
    return replace(claim, normalised=(*claim.normalised, *repeated)) if repeated else claim


def read_v3(body: object) -> Claim:
    """A parsed body -> a Claim, with what was normalised, unreadable or unknown listed in it.

    Raises NotAClaim when a container is wrong: the body, an object or a list in it, or no or too many service lines;
    and for a claim of another kind (837I, 837D).
    """
    loaded = fast_load.load_regular(body)
    if loaded is not None:
        return _claim(loaded, lines_sent(body))
    guessed = _in_model_names(body, guess=True)
    if not guessed.resembling:
        return _read_renamed(guessed)
    as_read = _in_model_names(body, guess=False)
    try:
        corrected = _read_renamed(guessed)
    except NotAClaim:  # the correction is no claim, so it cannot be right
        corrected = None
    return _read_renamed(as_read._replace(resembling=guessed.resembling), corrected)


class ReadContext(NamedTuple):
    """A `scrubContext` that came apart from its claim: loaded, with what was found in it. Pointers begin with it."""

    loaded: LoadedObject
    irregular: Sequence[tuple[str, Any]]
    unknown: tuple[str, ...]
    changes: tuple[Normalised, ...]


def read_context(sent: Mapping[str, Any]) -> ReadContext:
    """Reads a `scrubContext` by itself, as it is read in a body. Raises NotAClaim where a container is wrong."""
    renamed = in_model_names({"claimInformation": {"serviceLines": [{}]}, "scrubContext": sent}, guess=False)
    loaded = _loaded(renamed)
    unknown = [*renamed.unknown, *(as_sent(pointer, renamed.moved) for pointer in loaded.found.unknown)]
    return ReadContext(
        loaded.body["scrubContext"], loaded.found.irregular, tuple(unknown), tuple(sorted(set(renamed.changes)))
    )


def _in_model_names(body: object, *, guess: bool) -> RenamedBody:
    """The v3 body of a claim in any of the shapes; with `guess`, misspelled names are read as what they resemble."""
    return in_v3_names(body, guess=guess) if is_cms1500(body) else in_model_names(body, guess=guess)


def _read_renamed(renamed: RenamedBody, corrected: Claim | None = None) -> Claim:
    """The claim in a body with the model's names. Refusals point into the sender's body."""
    loaded = _loaded(renamed)
    claim = _claim(loaded, lines_sent(renamed.body))
    moved = {
        **renamed.moved,
        **{model_pointer: as_sent(pointer, renamed.moved) for model_pointer, pointer in (claim.moved or {}).items()},
    }
    normalised = [Normalised(as_sent(pointer, renamed.moved), change) for pointer, change in claim.normalised]
    unmapped = [
        *renamed.unknown,
        *(as_sent(pointer, renamed.moved) for pointer in (*loaded.found.unknown, *claim.unmapped)),
    ]
    return replace(
        claim,
        normalised=(*sorted(set(renamed.changes)), *normalised),
        unmapped=fast_load.unmapped_pointers(unmapped),
        moved=moved,
        resembling=renamed.resembling,
        corrected=corrected,
    )


def _claim(loaded: fast_load.Loaded, line_count: int) -> Claim:
    extractor = Extractor()
    extractor.moved.update(loaded.found.moved)
    _take_tax_ids(loaded.body, extractor)
    return claim_of(loaded.body, line_count, extractor, loaded.found.irregular)


def _take_tax_ids(body: dict[str, Any], extractor: Extractor) -> None:
    """Reads the payer's tax id as that of a billing provider who has none: senders write theirs under its name."""
    listed = [(f"/providers/{index}", entry) for index, entry in enumerate(body.get("providers") or ())]
    for pointer, sent in (("/billing", body.get("billing")), *listed):
        if sent and sent.get(_PAYERS_TAX_ID) is not None and not (sent.get(_TAX_ID) or sent.get("ssn")):
            sent[_TAX_ID] = sent.pop(_PAYERS_TAX_ID)
            extractor.record_change(f"{pointer}/{_PAYERS_TAX_ID}", f"{_PAYERS_TAX_ID} read as {_TAX_ID}")
            extractor.record_moved(f"{pointer}/{_TAX_ID}", f"{pointer}/{_PAYERS_TAX_ID}")


def _loaded(renamed: RenamedBody) -> fast_load.Loaded:
    try:
        return fast_load.load(renamed.body)
    except NotAClaim as refusal:
        problems = [Problem(as_sent(pointer, renamed.moved), message) for pointer, message in refusal.problems]
    problems += [Problem(name.pointer, f"was probably meant as {name.known_name}") for name in renamed.resembling]
    raise NotAClaim(problems)


def lines_sent(body: Any) -> int:
    """How many service lines an accepted body has."""
    return len(body["claimInformation"]["serviceLines"])


def claim_of(
    loaded: LoadedObject, line_count: int, extractor: Extractor, irregular: Sequence[tuple[str, Any]] = ()
) -> Claim:
    """A body whose scalars have been read -> a Claim. `line_count` is how many service lines were sent.

    `irregular` are the values in the body, by pointer, that were not sent as the model says.
    """
    sent = loaded["claimInformation"]
    texts = _texts(loaded, sent, extractor)
    subscriber, patient = subscriber_and_patient(loaded, extractor)
    by_role = providers(loaded, extractor)
    total = extractor.take(sent, "claimChargeAmount", _CI, "total")
    claim_diagnoses, lines = diagnoses(sent, extractor), service_lines(sent, extractor)
    facility = provider(sent.get("serviceFacilityLocation"), f"{_CI}/serviceFacilityLocation", "facility", extractor)
    stated = context(loaded.get("scrubContext"), len(lines), extractor)
    claim = Claim(
        control_number=extractor.take(loaded, "controlNumber", "", None),
        payer_id=texts.get("payer-id"),
        payer_name=extractor.take(loaded, "tradingPartnerName", "", None),
        filing_indicator=texts.get("filing-indicator"),
        subscriber=subscriber,
        patient=patient,
        billing=by_role["billing"] or Provider(_no_billing(loaded)),
        rendering=by_role["rendering"],
        ordering=by_role["ordering"],
        referring=by_role["referring"],
        supervising=by_role["supervising"],
        facility=facility,
        patient_control_number=texts.get("patient-control-number"),
        total=total,
        place=texts.get("claim-place"),
        frequency=texts.get("frequency"),
        original_claim_number=texts.get("original-claim-number"),
        texts=texts,
        diagnoses=claim_diagnoses,
        lines=lines,
        context=stated,
        unreadable=tuple(extractor.unreadable),
        normalised=tuple(extractor.normalised),
        unmapped=fast_load.unmapped_pointers(extractor.unmapped),
        lines_sent=line_count,
        moved=extractor.moved or None,
        body=loaded,
    )
    return with_irregular(claim, irregular) if irregular else claim


def _no_billing(body: LoadedObject) -> str:
    """The pointer of a missing billing provider: the next entry of `providers` where that form is used."""
    listed = body.get("providers")
    return f"/providers/{len(listed)}" if listed else "/billing"


def _texts(body: LoadedObject, sent: LoadedObject, extractor: Extractor) -> Mapping[str, str]:
    """Scalars of the claim that are only checked for presence or against a list, by element name."""
    submitter, receiver = body.get("submitter") or {}, body.get("receiver") or {}
    subscriber, supplement = body.get("subscriber") or {}, sent.get("claimSupplementalInformation")
    take = extractor.take
    found = {
        "payer-id": extractor.take_either(body, "tradingPartnerServiceId", "tradingPartnerId", "", "payer-id"),
        "submitter-name": take(submitter, "organizationName", "/submitter", "submitter-name")
        or take(submitter, "lastName", "/submitter", "submitter-name"),
        "submitter-contact": _contact(submitter, extractor),
        "receiver-name": take(receiver, "organizationName", "/receiver", "receiver-name"),
        "payment-responsibility": take(
            subscriber, "paymentResponsibilityLevelCode", "/subscriber", "payment-responsibility"
        ),
    }
    found |= zip(_CLAIM_ELEMENTS, extractor.take_each(sent, _CLAIM_NAMES, _CI, _CLAIM_ELEMENTS), strict=True)
    if supplement:
        found["original-claim-number"] = take(supplement, "claimControlNumber", _SUPPLEMENT, "original-claim-number")
    return {element: value for element, value in found.items() if value is not None}


_WAYS = ("phoneNumber", "email", "faxNumber")


def _contact(submitter: LoadedObject, extractor: Extractor) -> str | None:
    """The text "given" when there is a phone number, e-mail address or fax number of the submitter."""
    loaded = submitter.get("contactInformation") or {}
    pointer, element = "/submitter/contactInformation", "submitter-contact"
    ways = [extractor.take(loaded, name, pointer, element) for name in _WAYS]
    return "given" if any(ways) else None
