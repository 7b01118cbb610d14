"""The traps of the semantics, one by one: borders of windows, what nobody knows, sums past a limit, rounding."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.errors import Faults
from scrubber.relations.days import is_weekday, moved, span
from scrubber.rulebook.load import load_rulebook
from tests.relations.one_rule import claim_fires, claim_of, outcomes, scrubbed, write_rules

FIRES, SILENT, UNCHECKED = "fires", "silent", "not checked"
ODD = {"what": "is this"}
COMPLETE: dict[str, Any] = {"historyComplete": True}


@pytest.mark.parametrize(
    ("window", "day", "earlier", "wanted"),
    [
        ({"days": "90", "before": "this.day"}, "20250312", "20241212", FIRES),  # exactly as far away
        ({"days": "90", "before": "this.day"}, "20250312", "20241211", SILENT),
        ({"days": "90", "before": "this.day"}, "20250312", "20250312", SILENT),  # without the day itself
        ({"days": "90", "up-to": "this.day"}, "20250312", "20250312", FIRES),
        ({"days": "90", "up-to": "this.day"}, "20250312", "20241212", SILENT),  # the day and the 89 before it
        ({"full-months": "12", "up-to": "this.day"}, "20250312", "20240312", SILENT),
        ({"full-months": "12", "up-to": "this.day"}, "20250312", "20240313", FIRES),
        ({"full-months": "1", "before": "this.day"}, "20250331", "20250228", FIRES),  # the end of a shorter month
        ({"full-months": "1", "before": "this.day"}, "20250331", "20250227", SILENT),
        ({"full-years": "1", "before": "this.day"}, "20240229", "20230228", FIRES),  # from a leap day
        ({"full-years": "1", "before": "this.day"}, "20240229", "20230227", SILENT),
        ({"calendar-year": "this.day"}, "20250312", "20250101", FIRES),
        ({"calendar-year": "this.day"}, "20250312", "20241231", SILENT),
        ({"days": "1", "either": "this.day"}, "20250312", "20250313", FIRES),
        ({"calendar-month": "this.day"}, "20240229", "20240201", FIRES),
        ({"calendar-month": "this.day"}, "20250301", "20250228", SILENT),
        ({"calendar-month": "this.day"}, "20250312", "20240312", SILENT),
        ({"calendar-quarter": "this.day"}, "20250331", "20250101", FIRES),
        ({"calendar-quarter": "this.day"}, "20250401", "20250331", SILENT),
        ({"week": "this.day", "begins": "sunday"}, "20250312", "20250309", FIRES),  # a Wednesday and its Sunday
        ({"week": "this.day", "begins": "sunday"}, "20250312", "20250308", SILENT),
        ({"week": "this.day", "begins": "monday"}, "20250312", "20250309", SILENT),
        ({"season": "this.day", "begins": "08-01", "ends": "03-31"}, "20250312", "20240801", FIRES),  # over New Year
        ({"season": "this.day", "begins": "08-01", "ends": "03-31"}, "20250312", "20240731", SILENT),
        ({"season": "this.day", "begins": "08-01", "ends": "03-31"}, "20241001", "20240331", SILENT),
        ({"season": "this.day", "begins": "08-01", "ends": "03-31"}, "20250401", "20250331", SILENT),  # in no season
        ({"season": "this.day", "begins": "07-01", "ends": "06-30"}, "20250312", "20240701", FIRES),
        ({"season": "this.day", "begins": "11-01", "ends": "02-29"}, "20250228", "20241101", FIRES),
        ({"season": "this.day", "begins": "11-01", "ends": "02-29"}, "20240229", "20231101", FIRES),
        ({"season": "this.day", "begins": "02-29", "ends": "06-30"}, "20250312", "20250228", SILENT),
        ({"from": "this.day", "up-to": "this.lastDay"}, "20250312", "20250312", FIRES),
        ({"after": "this.day", "up-to": "this.lastDay"}, "20250312", "20250312", SILENT),
        ({"from": "this.day", "before": "this.lastDay"}, "20250312", "20250312", SILENT),
        ({"days": "1", "from": "this.day"}, "20250312", "20250313", SILENT),
        ({"days": "1", "after": "this.day"}, "20250312", "20250313", FIRES),
    ],
)
def test_borders_of_windows(window: dict[str, str], day: str, earlier: str, wanted: str, tmp_path: Path) -> None:
    body = claim_of({"day": day}, history=[{"code": "77080", "date": earlier}], **COMPLETE)
    assert outcomes(tmp_path, {"when": {"some-history": {"within": window}}}, body) == [wanted]


@pytest.mark.parametrize(
    ("when", "context", "wanted"),
    [
        ({"no-history": {"procedure": "77080"}}, {}, UNCHECKED),
        ({"no-history": {"procedure": "77080"}}, {"history": []}, FIRES),
        ({"no-history": {"procedure": "77080"}}, {"history": [{"code": "93000", "date": "20250101"}]}, UNCHECKED),
        (
            {"no-history": {"procedure": "77080"}},
            {"history": [{"code": "93000", "date": "20250101"}], **COMPLETE},
            FIRES,
        ),
        (
            {"no-history": {"procedure": "77080"}},
            {"history": [{"code": ODD, "date": "20250101"}], **COMPLETE},
            UNCHECKED,
        ),
        ({"some-history": {"procedure": "77080"}}, {"history": [{"code": "77080", "date": "20250101"}]}, FIRES),
        ({"some-history": {"procedure": "77080"}}, {"history": [{"code": "93000", "date": "20250101"}]}, UNCHECKED),
        (  # complete from a day within the window on
            {"no-history": {"procedure": "77080", "within": {"days": "90", "before": "this.day"}}},
            {"history": [{"code": "93000", "date": "20250301"}], "historyFrom": "20250101", **COMPLETE},
            UNCHECKED,
        ),
        (
            {"no-history": {"procedure": "77080", "within": {"days": "30", "before": "this.day"}}},
            {"history": [{"code": "93000", "date": "20250301"}], "historyFrom": "20250101", **COMPLETE},
            FIRES,
        ),
        (  # the group's history does not say what the same provider did elsewhere
            {"no-history": {"procedure": "77080", "same": ["rendering-provider"]}},
            {"history": [], "historyScope": "group"},
            UNCHECKED,
        ),
        ({"no-history": {"procedure": "77080", "same": ["group"]}}, {"history": [], "historyScope": "group"}, FIRES),
        ({"every-history": {"procedure": "77080"}}, {"history": [{"code": "93000", "date": "20250101"}]}, SILENT),
        ({"every-history": {"procedure": "77080"}}, {"history": [{"code": "77080", "date": "20250101"}]}, UNCHECKED),
        ({"every-history": {"procedure": "77080"}}, {"history": [], **COMPLETE}, FIRES),
    ],
)
def test_incomplete_history(when: dict[str, Any], context: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    assert outcomes(tmp_path, {"when": when}, claim_of({}, **context)) == [wanted]


@pytest.mark.parametrize(
    ("test", "units", "wanted"),
    [
        ({"over": "5"}, ("2", "2", "2"), FIRES),
        ({"over": "6"}, ("2", "2", "2"), SILENT),
        ({"over": "5"}, ("3", "3", ODD), FIRES),  # past its limit, whatever else is unknown
        ({"over": "6"}, ("3", "3", ODD), UNCHECKED),
        ({"at-most": "6"}, ("3", "3", ODD), UNCHECKED),
        ({"at-most": "5"}, ("3", "3", ODD), SILENT),
        ({"is": "2.5"}, ("1", "1", "0.5"), FIRES),
    ],
)
def test_sums(test: dict[str, str], units: tuple[Any, ...], wanted: str, tmp_path: Path) -> None:
    rule = {"amounts": {"all-units": {"sum": "units", "of": "lines"}}, "when": {"fact": "all-units", **test}}
    assert outcomes(tmp_path, rule, claim_of(*({"units": each} for each in units)))[0] == wanted


def test_each_unreadable_code_may_be_another_one(tmp_path: Path) -> None:
    rule = {
        "amounts": {"codes": {"count-different": "procedure", "of": "lines"}},
        "when": {"fact": "codes", "under": "3"},
    }
    assert outcomes(tmp_path, rule, claim_of({"code": "99213"}, {"code": ODD}, {"code": ODD}))[0] == UNCHECKED
    assert outcomes(tmp_path, rule, claim_of({"code": "99213"}, {"code": ODD}))[0] == FIRES


@pytest.mark.parametrize(
    ("units", "rounded", "wanted"),
    [("5", "down", "2"), ("5", "up", "3"), ("5", "half-up", "3"), ("4", "up", "2"), ("-5", "down", "-3"),
     ("-5", "up", "-2"), ("-5", "half-up", "-3")],
)  # fmt: skip
def test_rounding(units: str, rounded: str, wanted: str, tmp_path: Path) -> None:
    half = {"divided-by": ["number", "2"], "rounded": rounded}
    rule = {"amounts": {"number": {"times": ["units", units]}, "half": half}, "when": {"fact": "half", "is": wanted}}
    assert outcomes(tmp_path, rule, claim_of({"units": "1"})) == [FIRES]


def test_no_group_has_no_smallest(tmp_path: Path) -> None:
    rule = {"amounts": {"least": {"smallest": "units", "of": "other-lines"}}, "when": {"fact": "least", "under": "5"}}
    assert outcomes(tmp_path, rule, claim_of({})) == [SILENT]
    assert outcomes(tmp_path, rule, claim_of({}, {"units": ODD}, {"units": "3"}))[0] == FIRES


def test_numbers_without_end_are_not_known_and_stop_nothing(tmp_path: Path) -> None:
    amounts: dict[str, Any] = {"n0": {"times": ["units", "charge"]}}
    amounts["n1"] = {"times": ["units", "999999999999"]}
    amounts |= {f"n{n}": {"times": [f"n{n - 1}", f"n{n - 1}"]} for n in range(2, 19)}
    rule = {"amounts": amounts, "when": {"fact": "n18", "is-multiple-of": "3"}}
    assert outcomes(tmp_path, rule, claim_of({"units": "999999"})) == [UNCHECKED]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"when": {"some-line": {"some-line": {"some-line": {"some-line": {"units": "1"}}}}}}, "more than 3 deep"),
        ({"amounts": {"a": {"plus": ["a", "1"]}}, "when": {"fact": "a", "over": "1"}}, "`a` stands for nothing here"),
        ({"amounts": {"a": {"plus": ["b", "1"]}, "b": {"plus": ["a", "1"]}}, "when": {"fact": "a", "over": "1"}},
         "`b` stands for nothing here"),
        ({"look-up": {"row": {"in": "nowhere", "for": {"code": "procedure"}}}, "when": {"fact": "row", "is": "found"}},
         "there is no table `nowhere`"),
        ({"look-up": {"row": {"in": "sizes", "for": {"cod": "procedure"}}}, "when": {"fact": "row", "is": "found"}},
         "`cod` is no key column of `sizes`"),
        ({"when": {"some-line": {"same": [{"what": "is this"}]}}}, "is nothing that can be the same"),
        ({"when": {"some-line": {"same": "day"}}}, "needs a list of what is the same"),
        ({"when": {"some-line": {"within": {"weeks": "3", "before": "this.day"}}}}, "needs a number of days"),
        ({"when": {"some-thing": {"units": "1"}}}, "`thing` is nothing that a claim has"),
        ({"when": {"every-line": {"which": {"units": "1"}}}}, "must say what each of them is"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_a_fault_with_its_place(rule: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(Faults) as refused:
        load_rulebook(write_rules(tmp_path, rule))
    assert any(
        told in fault.message and fault.file == "random/rules/random-0000.yaml" for fault in refused.value.faults
    )


def test_two_packs_cannot_have_one_name_of_a_table(tmp_path: Path) -> None:
    write_rules(tmp_path, {"when": {"fact": "units", "over": "1"}})
    pack = (tmp_path / "random/pack.yaml").read_text(encoding="utf-8").replace('"name": "random"', '"name": "other"')
    (tmp_path / "other/tables").mkdir(parents=True)
    (tmp_path / "other/pack.yaml").write_text(pack.replace("Random rules", "Others"), encoding="utf-8")
    for file in (tmp_path / "random/tables").iterdir():
        (tmp_path / "other/tables" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(Faults, match="bears the name of"):
        load_rulebook(tmp_path)


def test_history_of_5000_services(tmp_path: Path) -> None:
    history = [{"code": "93000", "date": "20240101"}] * 4_999 + [{"code": "77080", "date": "20250301"}]
    rule = {"when": {"some-history": {"procedure": "77080", "within": {"days": "30", "before": "this.day"}}}}
    assert outcomes(tmp_path, rule, claim_of(*({} for _ in range(50)), history=history)) == [FIRES] * 50


def test_an_adjustment_that_nobody_knows_may_be_negative(tmp_path: Path) -> None:
    rule = {"amounts": {"taken": {"sum": "amount", "of": "adjustments"}}, "when": {"fact": "taken", "over": "30.00"}}
    body = claim_of({})
    details: list[dict[str, Any]] = [{"adjustmentReasonCode": "45", "adjustmentAmount": "40.00"}]
    body["claimInformation"]["serviceLines"][0]["lineAdjudicationInformation"] = [
        {
            "otherPayerPrimaryIdentifier": "P1",
            "claimAdjustmentInformation": [{"adjustmentGroupCode": "CO", "adjustmentDetails": details}],
        }
    ]
    assert outcomes(tmp_path, rule, body) == [FIRES]
    details.append({"adjustmentReasonCode": "2", "adjustmentAmount": ODD})
    assert outcomes(tmp_path, rule, body) == [UNCHECKED]


RUN = {"run-start": "history", "to": "this.day", "procedure": "77080"}


@pytest.mark.parametrize(
    ("amount", "days", "context", "wanted"),
    [
        (RUN, ("20250311", "20250310", "20250308"), COMPLETE, FIRES),  # the run breaks on the 9th
        (RUN, ("20250311",), COMPLETE, SILENT),
        (RUN, ("20250311", "20250310", "20250309"), COMPLETE, SILENT),
        ({**RUN, "apart": "2"}, ("20250311", "20250310", "20250308"), COMPLETE, SILENT),
        (RUN, ("20250311", "20250310"), {}, UNCHECKED),  # there may be a service on the 9th
        (RUN, ("20250311", "20250310"), {"historyFrom": "20250309", **COMPLETE}, FIRES),
        (RUN, ("20250311", "20250310"), {"historyFrom": "20250310", **COMPLETE}, UNCHECKED),
        (RUN, ("20250311", "20250310", ODD), COMPLETE, UNCHECKED),
    ],
)
def test_start_of_a_run(
    amount: dict[str, str], days: tuple[Any, ...], context: dict[str, Any], wanted: str, tmp_path: Path
) -> None:
    rule = {"amounts": {"first": amount}, "when": {"fact": "first", "is": "2025-03-10"}}
    body = claim_of({}, history=[{"code": "77080", "date": day} for day in days], **context)
    assert outcomes(tmp_path, rule, body) == [wanted]


@pytest.mark.parametrize(
    ("name", "business", "last"),
    [("renderingProvider", "lineOfBusiness", "lastDay"), ("rendering-provider", "line-of-business", "last-day")],
)
def test_names_of_two_words_are_written_either_way(name: str, business: str, last: str, tmp_path: Path) -> None:
    rule = {
        "applies": {business: "original-medicare"},
        "when": {"some-history": {name: {"is": {"fact": f"this.{name}"}}}},
        "message": f"Until {{{last}}}.",
    }
    earlier = [{"code": "77080", "date": "20250101", "renderingNpi": "1987654328"}]
    result = scrubbed(tmp_path, rule, claim_of({}, history=earlier, **COMPLETE))
    assert [each.message for each in result.findings if each.rule.id == "random-0000"] == ["Until 2025-03-12."]


def test_a_side_in_common(tmp_path: Path) -> None:
    rule = {"when": {"some-history": {"same": ["shared-side"]}}}
    earlier = [{"code": "77080", "date": "20250101", "modifiers": ["RT", "LT"]}]
    body = claim_of({}, {}, history=earlier, **COMPLETE)
    body["claimInformation"]["serviceLines"][0]["professionalService"]["procedureModifiers"] = ["RT"]
    assert outcomes(tmp_path, rule, body) == [FIRES, SILENT]  # of a line without a side nothing is said


def test_decisions_of_each_line_are_added_up_for_the_claim(tmp_path: Path) -> None:
    of_line = {"paid-here": {"sum": "paid", "of": "adjudications", "payer": {"is": {"fact": "other-payer.payer"}}}}
    rule = {
        "scope": "claim",
        "when": {
            "some-other-payer": {
                "amounts": {"of-lines": {"sum": "paid-here", "of": "lines", "amounts": of_line}},
                "paid": {"is-not": {"fact": "of-lines"}},
            }
        },
    }
    body = claim_of({}, {})
    information = body["claimInformation"]
    information["otherSubscriberInformation"] = [
        {"payerPaidAmount": "12.00", "otherPayerName": {"otherPayerIdentifier": "P1"}}
    ]
    for line, paid in zip(information["serviceLines"], ("5.00", "7.00"), strict=True):
        line["lineAdjudicationInformation"] = [
            {"otherPayerPrimaryIdentifier": "P1", "serviceLinePaidAmount": paid, "procedureCode": "99213"}
        ]
    assert not claim_fires(tmp_path / "agrees", rule, body)
    information["otherSubscriberInformation"][0]["payerPaidAmount"] = "12.01"
    assert claim_fires(tmp_path / "differs", rule, body)


def test_look_ups_and_amounts_may_name_each_other_in_any_order(tmp_path: Path) -> None:
    rule: dict[str, Any] = {
        "amounts": {"twice": {"times": ["half", "2"]}, "half": {"plus": ["units", "1"]}},
        "look-up": {"band": {"in": "bands", "for": {"key": "procedure", "number": "twice"}}},
        "when": {"fact": "band", "is": "found"},
    }
    load_rulebook(write_rules(tmp_path / "fine", rule))
    rule["amounts"]["half"] = {"plus": ["units", "twice"]}  # each of the other
    with pytest.raises(Faults, match="stands for nothing here"):
        load_rulebook(write_rules(tmp_path / "circle", rule))


def test_an_amount_of_too_many_parts_is_refused_at_once(tmp_path: Path) -> None:
    """Twenty amounts, each twice the one before, in a rule and again in a relation of it."""
    outer: dict[str, Any] = {"a0": {"plus": ["units", "units"]}}
    outer |= {f"a{number}": {"plus": [f"a{number - 1}"] * 2} for number in range(1, 16)}
    inner: dict[str, Any] = {"b0": {"plus": ["a15", "a15"]}}
    inner |= {f"b{number}": {"plus": [f"b{number - 1}"] * 2} for number in range(1, 20)}
    rule = {"amounts": outer, "when": {"some-line": {"amounts": inner, "b1": {"over": "1"}}}}
    with pytest.raises(Faults, match="over 1,000,000 parts"):
        load_rulebook(write_rules(tmp_path, rule))


CLOSED = tuple(sorted(date.fromisoformat(day).toordinal() for day in ("2024-12-25", "2025-01-01", "2025-01-02")))


@pytest.mark.parametrize("count", [30, 9, 1, 0, -1, -3, -12])
@pytest.mark.parametrize("first", ["2024-12-24", "2024-12-28", "2025-01-01", "2025-01-06"])
def test_business_days_later(first: str, count: int) -> None:
    start = date.fromisoformat(first).toordinal()
    day, left, step = start, abs(count), 1 if count > 0 else -1
    while left:
        day += step
        left -= is_weekday(day) and day not in CLOSED
    assert moved(start, "business-days", count, CLOSED) == day
    between = range(min(start, day) + 1, max(start, day) + 1)
    open_days = sum(1 for each in between if is_weekday(each) and each not in CLOSED)
    assert span("business-days", start, day, CLOSED) == (open_days if count >= 0 else -open_days)
