"""docs/pricing.md says in which order an amount is worked out; the steps of amounts are in that order."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pricing.golden import priced
from tests.support.priced import NURSE_PRACTITIONER, service_line

PAGE = Path(__file__).parents[2] / "docs" / "pricing.md"


def phrases() -> list[list[str]]:
    """The words of the steps that each item of the list quotes."""
    page = PAGE.read_text(encoding="utf-8")
    listed = page.split("## The order", 1)[1].split("\n## ", 1)[0]
    return [re.findall(r'"([^"]+)"', " ".join(item.split())) for item in re.split(r"\n\d+\. ", listed)[1:]]


LOW = Decimal("1.00")
EXAMPLES: list[tuple[list[Any], dict[str, Any]]] = [
    (
        [service_line(1, "29827", "50", "80", charge=LOW), service_line(2, "29827", "59", "80", charge=Decimal(9000))],
        {"taxonomy": NURSE_PRACTITIONER, "participation": "nonpar"},
    ),
    ([service_line(1, "29827", "50", "54", "62", charge=Decimal(9000))], {"participation": "nonpar"}),
    ([service_line(1, "29827", "55", "62", charge=LOW)], {}),
    ([service_line(1, "29827", "56", charge=LOW)], {}),
    ([service_line(1, "29827", "78", "AS", charge=LOW)], {"participation": "nonpar"}),
    (
        [
            service_line(1, "45380", charge=LOW),
            service_line(2, "45385", charge=Decimal(9000)),
            service_line(3, "29827", charge=Decimal(9000)),
        ],
        {"taxonomy": NURSE_PRACTITIONER, "participation": "nonpar"},
    ),
    (
        [service_line(1, "70450", "FX", charge=LOW), service_line(2, "71260", "FY")],
        {"taxonomy": NURSE_PRACTITIONER, "participation": "nonpar"},
    ),
    ([service_line(1, "70450", "CT")], {"participation": "nonpar"}),
    ([service_line(1, "70000", charge=LOW), service_line(2, "71260")], {"participation": "nonpar"}),
]


def steps() -> list[str]:
    return [" / ".join(price.steps) for lines, of in EXAMPLES for price in priced(*lines, **of).values()]


@pytest.mark.parametrize("text", steps())
def test_the_steps_of_a_line_are_in_the_order_of_the_page(text: str) -> None:
    found = [(text.index(phrase), rank) for rank, quoted in enumerate(phrases()) for phrase in quoted if phrase in text]
    assert [rank for _, rank in sorted(found)] == sorted(rank for _, rank in found)


def test_every_phrase_of_the_page_is_one_of_the_steps() -> None:
    shown = " / ".join(steps())
    missing = [phrase for quoted in phrases() for phrase in quoted if phrase not in shown]
    assert missing == []
    assert len(phrases()) == 15
