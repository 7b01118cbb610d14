"""One condition, in each of the ways in which it is put into words."""

from __future__ import annotations

from datetime import date

import pytest

from scrubber.rulebook.condition_words import MOST_LISTED, as_data, expected, format_test, in_one_line, join_first
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has, InList
from scrubber.rulebook.vocabulary import KINDS

LINE = KINDS["line"].fields
DAY = date(2025, 3, 12).toordinal()
Test = Compare | Has | InList


@pytest.mark.parametrize(
    ("test", "fact", "in_a_file", "asked"),
    [
        (Compare("charge", "over", 1250), "charge", "charge over 12.50", "more than 12.50"),
        (Compare("units", "at-most", 2_500_000), "units", "units at-most 2.5", "2.5 or less"),
        (Compare("day", "under", DAY), "day", "day before 2025-03-12", "a day before 2025-03-12"),
        (Has("procedure", "any", ("77080",)), "procedure", "procedure any [77080]", "77080"),
        (Has("modifiers", "none", ("59", "XS")), "modifiers", "modifiers none [59, XS]", "none of 59, XS"),
        (InList("procedure", "any", "tbs"), "procedure", "procedure any-in tbs", "a code of the list tbs"),
        (Compare(state_key("place"), "is", "not-supplied"), "place", "place is not-supplied", "not-supplied"),
    ],
)
def test_a_test_reads_as_in_a_rule_file_and_as_what_it_asks_for(
    test: Test, fact: str, in_a_file: str, asked: str
) -> None:
    assert in_one_line(test, LINE) == in_a_file
    assert expected(test, LINE[fact]) == asked


def test_a_fact_of_a_family_that_did_not_load_is_put_into_words_all_the_same() -> None:
    assert in_one_line(Compare("document.timedMinutes", "over", 30), {}) == "document.timedMinutes over 30"
    assert in_one_line(Compare(state_key("document.timedMinutes"), "is", "absent"), {}) == (
        "document.timedMinutes is absent"
    )


def test_groups_are_data_and_one_line() -> None:
    either = AnyOf((Has("procedure", "any", ("77080",)), Compare("charge", "over", 500)))
    assert as_data(either, LINE) == {
        "any": [{"fact": "procedure", "any": ("77080",)}, {"fact": "charge", "over": "5.00"}]
    }
    assert in_one_line(either, LINE) == "any of (procedure any [77080]; charge over 5.00)"
    assert in_one_line(AllOf(()), LINE) == "always"


def test_a_value_of_a_file_stays_as_it_is_written() -> None:
    test = Compare("charge", "over", 500)
    assert format_test("charge", "over", "5", test, LINE["charge"]) == "charge over 5"
    assert format_test("procedure", "any", ["77080", 77081], test, LINE["procedure"]) == "procedure any [77080, 77081]"


def test_long_lists_are_cut() -> None:
    assert join_first(range(MOST_LISTED + 3)).endswith("11 and 3 more")
