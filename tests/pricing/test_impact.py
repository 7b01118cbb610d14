"""What findings cost, who bears it, and a claim whose lines count once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scrubber.findings import ClaimImpact, Finding, Impact
from scrubber.pricing import LinePrice, add_impacts
from scrubber.pricing.amounts import NOTHING
from scrubber.rulebook.rule import Rule
from tests.support.priced import COMMERCIAL, claim, prices, service_line
from tests.support.results import rule


@cache
def _rule(category: str, severity: str, at_risk: str) -> Rule:
    return rule(category=category, severity=severity, at_risk=at_risk)


def finding(*lines: int, category: str = "bundling", severity: str = "deny", at_risk: str = "line-allowed") -> Finding:
    made = _rule(category, severity, at_risk)
    return Finding(made, "procedure", lines, (), "", "message", "fix", made.authority, {})


def priced(allowed: str | None, billed: str | None = "60.00") -> LinePrice:
    amount = None if allowed is None else Decimal(allowed)
    charge = None if billed is None else Decimal(billed)
    known = ("MPFS 2025, national", (f"1 x {allowed}",), None) if amount is not None else (None, (), "no-schedule")
    return LinePrice(charge, amount, amount, *known)


PROVIDERS: dict[int, str] = {}  # every line is the provider's
TWO = {1: priced("9.38"), 2: priced("38.82", "70.00")}


def one(only: Finding, lines: dict[int, LinePrice] = TWO, liabilities: Mapping[int, str] = PROVIDERS) -> Impact:
    (found,), _ = add_impacts([only], lines, liabilities)
    assert found.impact is not None
    return found.impact


def whole(
    *findings: Finding, lines: dict[int, LinePrice] = TWO, liabilities: Mapping[int, str] = PROVIDERS
) -> ClaimImpact:
    return add_impacts(findings, lines, liabilities)[1]


def at_risk(impact: ClaimImpact) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return impact.at_risk, impact.by_liability["provider"], impact.by_liability["patient"]


def test_a_bundled_line_costs_its_allowed_amount() -> None:
    lines = prices(claim(service_line(1, charge=Decimal(60)), service_line(2, "77089", charge=Decimal(60))))
    assert one(finding(2), lines) == Impact(
        Decimal("60.00"),
        Decimal("38.82"),
        Decimal("38.82"),
        "provider",
        "MPFS 2025, national",
        ("1.20 RVU x 32.3465 = 38.82",),
    )


def test_a_line_that_falls_shows_what_the_others_are_then_allowed() -> None:
    """Both sides of 20610 are 95.10, of which the left has 63.40 and the right 31.70; alone each has 63.40."""
    sides = service_line(1, "20610", "LT"), service_line(2, "20610", "RT")
    found = one(finding(1), prices(claim(*sides)))
    assert (found.at_risk, found.steps[-1]) == (
        Decimal("63.40"),
        "without it line 2 is allowed 63.40 instead of 31.70",
    )
    assert "without" not in " ".join(one(finding(2), prices(claim(*sides))).steps)
    assert "without" not in " ".join(one(finding(1, 2), prices(claim(*sides))).steps)


def test_the_claim_counts_its_lines_and_shows_the_arithmetic_of_each() -> None:
    lines = prices(claim(service_line(1, charge=Decimal(60)), service_line(2, "77089", charge=Decimal(60))))
    assert whole(finding(2), lines=lines) == ClaimImpact(
        Decimal("120.00"),
        Decimal("48.20"),
        Decimal("38.82"),
        {"provider": Decimal("38.82"), "patient": Decimal("0.00")},
        (),
        "MPFS 2025, national",
        ("line 1: 0.29 RVU x 32.3465 = 9.38", "line 2: 1.20 RVU x 32.3465 = 38.82"),
        by_line={2: Decimal("38.82")},
    )


def test_a_claim_without_findings_has_nothing_at_risk() -> None:
    found = whole()
    assert at_risk(found) == (NOTHING, NOTHING, NOTHING)
    assert (found.billed, found.allowed, found.unknown) == (Decimal("130.00"), Decimal("48.20"), None)


def test_infos_and_rules_that_cost_nothing_show_the_line_and_put_nothing_at_risk() -> None:
    for harmless in (finding(1, severity="info"), finding(1, at_risk="nothing")):
        found = one(harmless)
        assert (found.billed, found.allowed) == (Decimal("60.00"), Decimal("9.38"))
        assert (found.at_risk, found.liability, found.unknown) == (NOTHING, None, None)
        assert at_risk(whole(harmless)) == (NOTHING, NOTHING, NOTHING)


def test_a_finding_on_the_claim_counts_every_line() -> None:
    for found in (one(finding(at_risk="claim-allowed")), one(finding(1, at_risk="claim-allowed"))):
        assert (found.billed, found.allowed, found.at_risk) == (
            Decimal("130.00"),
            Decimal("48.20"),
            Decimal("48.20"),
        )
        assert found.steps == ("line 1: 1 x 9.38", "line 2: 1 x 38.82")


def test_two_findings_on_one_line_count_it_once() -> None:
    both = finding(1, category="documentation"), finding(1, category="units", severity="warn")
    findings, impact = add_impacts(both, TWO, {})
    assert [found.impact.at_risk for found in findings if found.impact] == [Decimal("9.38")] * 2
    assert at_risk(impact) == (Decimal("9.38"), Decimal("9.38"), NOTHING)


def test_coverage_and_frequency_fall_on_the_provider_without_a_notice() -> None:
    for category in ("coverage", "frequency"):
        found = one(finding(1, category=category, severity="warn"))
        assert (found.at_risk, found.liability) == (Decimal("9.38"), "provider")


def test_coverage_and_frequency_move_to_the_patient_at_the_charge() -> None:
    for category in ("coverage", "frequency"):
        moved = finding(1, category=category, severity="warn")
        found = one(moved, liabilities={1: "patient"})
        assert (found.allowed, found.at_risk, found.liability) == (Decimal("9.38"), Decimal("60.00"), "patient")
        assert found.steps[-1] == "the patient owes the charge: 60.00"
        assert at_risk(whole(moved, liabilities={1: "patient"})) == (Decimal("60.00"), NOTHING, Decimal("60.00"))


def test_a_notice_moves_nothing_else() -> None:
    for category in ("bundling", "units", "provider", "documentation", "abn", "coding", "structure", "timeliness"):
        found = one(finding(1, category=category), liabilities={1: "patient"})
        assert (found.at_risk, found.liability) == (Decimal("9.38"), "provider")


def test_where_another_finding_stands_on_the_line_the_provider_bears_both() -> None:
    moved, stays = finding(1, category="coverage", severity="warn"), finding(1)
    for pair in ((moved, stays), (stays, moved)):
        findings, impact = add_impacts(pair, TWO, {1: "patient"})
        assert {found.impact.liability for found in findings if found.impact} == {"provider"}
        assert {found.impact.at_risk for found in findings if found.impact} == {Decimal("9.38")}
        assert at_risk(impact) == (Decimal("9.38"), Decimal("9.38"), NOTHING)


def test_another_finding_without_money_or_on_another_line_leaves_it_with_the_patient() -> None:
    moved = finding(1, category="coverage", severity="warn")
    for beside in (finding(1, severity="info"), finding(1, at_risk="nothing")):
        assert at_risk(whole(moved, beside, liabilities={1: "patient"})) == (
            Decimal("60.00"),
            NOTHING,
            Decimal("60.00"),
        )
    split = whole(moved, finding(2), liabilities={1: "patient"})
    assert at_risk(split) == (Decimal("98.82"), Decimal("38.82"), Decimal("60.00"))


def test_a_finding_with_both_bearers_says_provider_and_adds_up_by_line() -> None:
    mixed = finding(1, 2, category="frequency")
    found = one(mixed, liabilities={1: "patient"})
    assert (found.at_risk, found.liability) == (Decimal("98.82"), "provider")
    assert at_risk(whole(mixed, liabilities={1: "patient"})) == (Decimal("98.82"), Decimal("38.82"), Decimal("60.00"))


def test_an_unknown_price_is_none_and_says_why() -> None:
    lines = prices(claim(service_line(1, charge=Decimal(60))), COMMERCIAL)
    found = one(finding(1), lines)
    assert found == Impact(Decimal("60.00"), None, None, "provider", None, (), "no-schedule")
    impact = whole(finding(1), lines=lines)
    assert (impact.billed, impact.allowed, impact.unknown) == (Decimal("60.00"), None, "no-schedule")
    assert at_risk(impact) == (None, None, NOTHING)
    assert (impact.unpriced_lines, impact.basis) == ((1,), None)
    assert impact.steps == ("line 1: no amount (no-schedule): no loaded table says what this payer pays",)


def test_one_unknown_line_makes_a_finding_unknown_and_the_claim_counts_the_rest() -> None:
    lines = {1: priced(None), 2: priced("38.82")}
    found = one(finding(1, 2), lines)
    assert (found.billed, found.allowed, found.at_risk) == (Decimal("120.00"), None, None)
    impact = whole(finding(1, 2), lines=lines)
    assert (impact.allowed, impact.at_risk, impact.unpriced_lines) == (Decimal("38.82"), Decimal("38.82"), (1,))
    assert impact.unknown is None


def test_a_claim_of_which_another_line_has_no_amount_has_at_least_the_rest_at_risk() -> None:
    lines = {1: priced(None), 2: priced("42.60"), 3: priced(None), 4: priced(None)}
    both = finding(2), finding(1), finding(4, severity="info")
    impact = whole(*both, lines=lines)
    assert (impact.at_risk, impact.uncounted_lines, impact.unpriced_lines) == (Decimal("42.60"), (1,), (1, 3, 4))
    assert whole(finding(2), lines=lines).uncounted_lines == ()
    assert (whole(finding(1), lines=lines).at_risk, whole(finding(1), lines=lines).uncounted_lines) == (None, (1,))


def behind_another(allowed: str | None) -> LinePrice:
    return priced(allowed)._replace(secondary=True)


def test_behind_another_payer_what_is_allowed_is_known_and_what_is_at_risk_is_not() -> None:
    found = one(finding(1), {1: behind_another("9.38")})
    assert (found.allowed, found.at_risk, found.unknown) == (Decimal("9.38"), None, "secondary-payer")
    impact = whole(finding(1), lines={1: behind_another("9.38")})
    assert (impact.allowed, impact.at_risk, impact.unknown) == (Decimal("9.38"), None, "secondary-payer")
    assert impact.by_liability["provider"] is None
    assert whole(lines={1: behind_another("9.38")}).at_risk == NOTHING  # nothing found, nothing at risk


def test_behind_another_payer_a_notice_does_not_say_what_the_patient_owes() -> None:
    found = one(finding(1, category="coverage"), {1: behind_another("9.38")}, {1: "patient"})
    assert (found.at_risk, found.liability, found.unknown) == (None, "patient", "secondary-payer")


def test_behind_another_payer_a_line_that_pays_nothing_still_costs_nothing() -> None:
    impact = whole(finding(1), lines={1: behind_another("0.00")})
    assert (impact.at_risk, impact.unknown) == (NOTHING, None)


def test_what_the_patient_owes_is_known_when_the_fee_is_not() -> None:
    found = one(finding(1, category="coverage"), {1: priced(None)}, liabilities={1: "patient"})
    assert (found.allowed, found.at_risk, found.unknown) == (None, Decimal("60.00"), "no-schedule")


def test_what_the_patient_owes_is_unknown_without_a_charge() -> None:
    lines = {1: priced("9.38", None)}
    found = one(finding(1, category="coverage"), lines, liabilities={1: "patient"})
    assert (found.billed, found.at_risk, found.liability, found.unknown) == (None, None, "patient", "no-charge")
    impact = whole(finding(1, category="coverage"), lines=lines, liabilities={1: "patient"})
    assert (impact.billed, impact.allowed, impact.at_risk, impact.unknown) == (
        None,
        Decimal("9.38"),
        None,
        "no-charge",
    )


def test_a_line_that_pays_nothing_puts_a_known_nothing_at_risk_and_is_still_the_providers() -> None:
    found = one(finding(1), {1: priced("0.00")})
    assert (found.at_risk, found.liability, found.unknown) == (NOTHING, "provider", None)


def test_who_bears_a_line_may_be_unsettled_and_then_what_is_at_risk_is_not_known() -> None:
    found = one(finding(1, category="coverage", severity="warn"), liabilities={1: "unsettled"})
    assert (found.allowed, found.at_risk, found.liability, found.unknown) == (
        Decimal("9.38"), None, None, "liability-unsettled",
    )  # fmt: skip
    impact = whole(finding(1, category="coverage", severity="warn"), finding(2), liabilities={1: "unsettled"})
    assert at_risk(impact) == (Decimal("38.82"), Decimal("38.82"), None)  # the patient may owe the other line


def test_what_falls_on_the_provider_does_whatever_is_unsettled() -> None:
    found = one(finding(1), liabilities={1: "unsettled"})
    assert (found.at_risk, found.liability) == (Decimal("9.38"), "provider")


CENTS = st.none() | st.integers(0, 50_000).map(lambda cents: Decimal(cents).scaleb(-2))
Case = tuple[dict[int, LinePrice], list[Finding], dict[int, str]]
LINES = st.lists(st.tuples(CENTS, CENTS), min_size=1, max_size=5)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    lines = {
        number: priced(None if allowed is None else str(allowed), None if billed is None else str(billed))
        for number, (allowed, billed) in enumerate(draw(LINES), start=1)
    }
    numbers = st.sets(st.sampled_from(sorted(lines)))
    findings = st.builds(
        lambda on, words: finding(*sorted(on), **words),
        numbers,
        st.fixed_dictionaries(
            {
                "category": st.sampled_from(["bundling", "coverage", "frequency", "abn"]),
                "severity": st.sampled_from(["info", "warn", "deny"]),
                "at_risk": st.sampled_from(["nothing", "line-allowed", "claim-allowed"]),
            }
        ),
    )
    bearers = st.dictionaries(st.sampled_from(sorted(lines)), st.sampled_from(["patient", "unsettled"]))
    return lines, draw(st.lists(findings, max_size=6)), draw(bearers)


@given(cases(), st.randoms())
def test_nothing_counts_twice_and_the_order_of_findings_changes_nothing(case: Case, shuffler: Any) -> None:
    lines, findings, liabilities = case
    found, impact = add_impacts(findings, lines, liabilities)
    most = sum(max(price.allowed or NOTHING, price.billed or NOTHING) for price in lines.values())
    known = impact.at_risk or NOTHING
    assert NOTHING <= known <= most
    assert known == sum(amount or NOTHING for amount in impact.by_liability.values())
    for one_found in found:
        alone = one_found.impact
        assert alone is not None
        assert (alone.unknown is not None) == (None in (alone.billed, alone.allowed, alone.at_risk))
        assert alone.at_risk is None or impact.at_risk is None or alone.at_risk <= impact.at_risk
    assert (impact.unknown is not None) == (None in (impact.billed, impact.allowed, impact.at_risk))
    order = list(range(len(findings)))
    shuffler.shuffle(order)
    again, impact_again = add_impacts([findings[place] for place in order], lines, liabilities)
    assert again == tuple(found[place] for place in order)
    assert impact_again == impact
