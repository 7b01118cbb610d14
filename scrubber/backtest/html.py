"""Renders the report of a back-test as one HTML page that loads nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MOST_BARS = 12  # of a plot
_HERE = Path(__file__).parent


def page(document: Mapping[str, Any]) -> str:
    """The page of a report's document."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "dollars": _dollars, "percent": _percent, "words": _comma_separated}
    return environment.get_template("page.html").render(report=document, plots=_plots(document))


def _plots(document: Mapping[str, Any]) -> dict[str, Any]:
    """The bars of each plot, widths in percent of the widest."""
    outcomes = document["outcomes"]
    return {
        "rules": _two_sided(document["rules"], "id", "findings"),
        "payers": _two_sided(document["payers"], "name", "atRisk"),
        "precision": [_precision(rule) for rule in document["rules"] if _has_outcomes(rule)][:MOST_BARS],
        "missed": _one_sided(outcomes["missedByReason"] if outcomes else (), "deniedDollars"),
    }


def _two_sided(groups: Iterable[Mapping[str, Any]], name: str, figure: str) -> list[dict[str, Any]]:
    """Groups with something to draw; those whose dollars are not known are in the tables only."""
    figures = [(group, _figure(group["gained"], figure), _figure(group["lost"], figure)) for group in groups]
    drawn = [(group, gained, lost) for group, gained, lost in figures if gained or lost][:MOST_BARS]
    widest = max((max(gained, lost) for _, gained, lost in drawn), default=Decimal())
    return [
        {"name": group[name], "gained": _width(gained, widest), "lost": _width(lost, widest), "group": group}
        for group, gained, lost in drawn
    ]


def _one_sided(groups: Iterable[Mapping[str, Any]], figure: str) -> list[dict[str, Any]]:
    drawn = list(groups)[:MOST_BARS]
    widest = max((_figure(group, figure) for group in drawn), default=Decimal())
    return [{"name": group["name"], "width": _width(_figure(group, figure), widest), "group": group} for group in drawn]


def _figure(group: Mapping[str, Any], figure: str) -> Decimal:
    return Decimal(group[figure] or 0)


def _has_outcomes(rule: Mapping[str, Any]) -> bool:
    return bool(rule["outcomes"] and rule["outcomes"]["lines"])


def _precision(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Denied, partly denied and not denied lines as parts of one bar."""
    outcomes = rule["outcomes"]
    parts = [(word, outcomes[word]) for word in ("denied", "partlyDenied", "notDenied")]
    return {
        "name": rule["id"],
        "parts": [(word, _width(Decimal(number), Decimal(outcomes["lines"]))) for word, number in parts],
        "outcomes": outcomes,
    }


def _width(figure: Decimal, widest: Decimal) -> str:
    return f"{100 * figure / widest:.2f}" if widest else "0"


def _count(number: int) -> str:
    return f"{number:,}"


def _dollars(amount: str | None) -> str:
    return "unknown" if amount is None else f"${Decimal(amount):,.2f}"


def _percent(share: str) -> str:
    return f"{100 * Decimal(share):.1f} %"


def _comma_separated(names: Iterable[str]) -> str:
    return ", ".join(names)
