"""Around the path: query parameters that several resources read."""

from __future__ import annotations

from datetime import date

from flask import request

from scrubber.codes.asked import DATE, BadParameter
from scrubber.web.problems import BAD_PARAMETER, Refused

RECEIVED_ON = "receivedOn"


def received_on() -> date | None:
    """The day of receipt that the request states, None where it states none. Raises Refused (400)."""
    text = request.args.get(RECEIVED_ON)
    if text is None:
        return None
    try:
        day: date = DATE.read(text)
    except BadParameter:
        raise Refused(BAD_PARAMETER, f"`{RECEIVED_ON}` is a date as CCYYMMDD or CCYY-MM-DD.") from None
    return day
