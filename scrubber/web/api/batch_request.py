"""Around the path of many claims over HTTP: what a request asks for beside its body, read and checked."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from flask import request

from scrubber.batch.job import Batch, Options
from scrubber.batch.place import Batches
from scrubber.batch.receive import Declared
from scrubber.batch.results import DISPOSITIONS, Wanted
from scrubber.batch.summary import merged
from scrubber.batch.webhook import allowed
from scrubber.errors import WrongSwitch
from scrubber.findings import read_switches
from scrubber.web.api.parameters import received_on
from scrubber.web.body import check_charset, says_gzip
from scrubber.web.problems import BAD_PARAMETER, UNSUPPORTED, Refused
from scrubber.web.service import Service

MEDIA_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/x-jsonlines",
    "application/jsonl",
    "application/json",
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_SHARE = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_PRIORITY = re.compile(r"-?[0-9]{1,3}")


def declared() -> Declared:
    """What the sender says that the upload is. Raises Refused (400, 415)."""
    gzipped = says_gzip()
    if request.mimetype not in MEDIA_TYPES:
        types = ", ".join(MEDIA_TYPES)
        raise Refused(
            UNSUPPORTED, f"Send claims as JSON (X12 is not read yet) with one of these Content-Types: {types}."
        )
    check_charset()
    return Declared(one_of("format", ("ndjson", "json")), gzipped)


def idempotency_key() -> str | None:
    """The key under which a batch is sent. Raises Refused (400)."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refused(BAD_PARAMETER, "`Idempotency-Key` has 1 to 200 printable ASCII characters and no space.")
    return key


def options_of(here: Service, today: date) -> Options:
    """What the sender chooses for one batch. Raises Refused (400)."""
    try:
        asked = request.args
        switches = read_switches(asked.getlist("enable"), asked.getlist("disable"), here.scrubber.rulebook)
    except WrongSwitch as error:
        raise Refused(BAD_PARAMETER, f"{error}.") from None
    stated = received_on()
    most = _matching("mostRejected", _SHARE, "a share from 0 to 1, such as 0.05")
    return Options(
        stated or today,
        switches.enable,
        switches.disable,
        None if most is None else Decimal(most),
        int(_matching("priority", _PRIORITY, "a whole number from -999 to 999") or 0),
        _webhook(here),
        dated=stated is not None,
    )


def _webhook(here: Service) -> str | None:
    address = request.args.get("webhook")
    if address is not None and not allowed(address, here.webhook_hosts):
        raise Refused(BAD_PARAMETER, "`webhook` is an address on one of the hosts in SCRUBBER_WEBHOOK_HOSTS.")
    return address


def _rule(here: Service, kept: Batches, batch: Batch) -> str | None:
    """The rule whose findings are wanted. One that is misspelt would look as if it had found nothing."""
    rule = request.args.get("rule")
    known = here.scrubber.rulebook.rules
    if rule is None or rule in known or rule in merged(kept.ledger.summaries(batch.id))["rules"]:
        return rule
    raise Refused(BAD_PARAMETER, "`rule` is neither in force nor among those of the batch's summary.")


def wanted_results(here: Service, kept: Batches, batch: Batch) -> Wanted:
    """Which results are to be read. Raises Refused (400)."""
    rule = _rule(here, kept, batch)
    least = _matching("minAtRisk", _AMOUNT, "an amount such as 100.00")
    most = _matching("limit", _WHOLE, "a whole number from 0")
    given = request.args.getlist("disposition")
    if not set(given) <= set(DISPOSITIONS):
        raise Refused(BAD_PARAMETER, f"`disposition` is one of: {', '.join(DISPOSITIONS)}.")
    return Wanted(
        after=int(_matching("after", _WHOLE, "the number of a row") or 0),
        most=None if most is None else int(most),
        dispositions=frozenset(given),
        rule=rule,
        least_at_risk=None if least is None else Decimal(least),
    )


def _matching(name: str, pattern: re.Pattern[str], what: str) -> str | None:
    text = request.args.get(name)
    if text is not None and not pattern.fullmatch(text):
        raise Refused(BAD_PARAMETER, f"`{name}` is {what}.")
    return text


def one_of(name: str, words: tuple[str, ...]) -> str | None:
    """A parameter that is one of some words. Raises Refused (400)."""
    word = request.args.get(name)
    if word is not None and word not in words:
        raise Refused(BAD_PARAMETER, f"`{name}` is one of: {', '.join(words)}.")
    return word
