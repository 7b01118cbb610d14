"""`scrubber codes` and `scrubber price`: print what is known of a procedure code on a day, and what it pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import click
import orjson
from click import style

from scrubber.cli.options import (
    current_settings,
    errors_as_messages,
    parameter_errors_as_messages,
    parameter_options,
    print_page,
    used_options,
)
from scrubber.cli.terminal import GAP, columns
from scrubber.code_lookup import CodeProfile, PriceProfile, look_up_code, look_up_price
from scrubber.code_lookup.profile import PRICING_TABLES, ComponentPrice, Coverage
from scrubber.code_lookup.query import CODE, CODE_PARAMETERS, PRICE_PARAMETERS, code_question, price_question
from scrubber.pricing import UNKNOWN
from scrubber.reference import open_reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.local_coverage import LocalArticle
from scrubber.reference.releases import TableStatus
from scrubber.reference.rows import AddOn, Mue
from scrubber.reference.tables import ADD_ON, MPFS, MUE, PTP
from scrubber.response.codes import CodeAnswer, needed_elements, write_known_code, write_priced
from scrubber.response.rules import NOT_LOADED
from scrubber.response.terminal import dollars, wrap
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule_tables import Payer

_INDENT = 2
_STEPS = 6
_MUE_TEXTS = {"1": "a line", "2": "a day, without exception", "3": "a day"}
_DECIDES = {
    "lists": "by its lists",
    "exclusions": "by what it excludes",
    "paragraphs": "by its paragraphs",
    "text": "in text",
}
_FEE_COLUMNS = (
    "part",
    "status",
    "pc/tc",
    "global",
    "mult",
    "bilat",
    "asst",
    "co-surg",
    "team",
    "superv",
    "not done in",
)
_UNIT_COLUMNS = ("part", "work", "pe office", "pe facility", "malpractice")

Lines = Iterator[str]
TableStatuses = Mapping[str, TableStatus]


def render_code(known: CodeProfile, width: int) -> str:
    """What is known of a code, wrapped to `width` columns where possible, with colour codes."""
    question = known.question
    head = f"{style(question.code, bold=True)}  {known.status} on {question.day}; {_payer(known.payer)}"
    sections = (
        _fees(known.fees, known.table_status),
        _prices(known.prices, width),
        _mue(known.mue, known.table_status),
        _partners(known),
        _add_ons(known, width),
        _coverage(known.coverage, width),
        _articles(known.articles, width),
        _rules(known, width),
        _documentation(known, width),
    )
    return "\n".join([head, *(line for section in sections for line in section), ""])


def render_price(found: PriceProfile, width: int) -> str:
    """What a service pays, with its arithmetic."""
    question, price = found.question, found.price
    name = "-".join((question.code, *question.modifiers))
    units = f"{question.units.normalize():f}"
    head = f"{style(name, bold=True)} x {units} on {question.day}; {_payer(found.payer)}"
    amounts = f"allowed {style(dollars(price.allowed), bold=True)}, one unit {dollars(price.unit_fee)}"
    texts = [UNKNOWN[price.unknown]] if price.unknown else []
    texts += [price.basis] if price.basis else []
    used = ", ".join(_table_text(found.table_status, table.name) for table in PRICING_TABLES)
    lines = [line for text in (*texts, *price.steps) for line in wrap(text, _INDENT, width, hang=_INDENT)]
    return "\n".join(
        [head, f"{'':{_INDENT}}{amounts}", *lines, *wrap(f"Tables: {used}", _INDENT, width, hang=_INDENT), ""]
    )


def _payer(payer: Payer) -> str:
    contractor = f", contractor {payer.contractor}" if payer.contractor else ""
    return f"{payer.name or payer.line_of_business}{contractor}"


def _table_text(table_status: TableStatuses, table: str) -> str:
    state, release = table_status[table]
    return f"{table} {release.name} ({state})" if release else f"{table} ({NOT_LOADED})"


def _title(text: str, about: str = "") -> Lines:
    yield ""
    yield f"{'':{_INDENT}}{style(text, bold=True)}{GAP if about else ''}{about}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Lines:
    return (f"{'':{_INDENT}}{line}" for line in columns(header, rows))


def _fees(rows: Sequence[FeeRow], table_status: TableStatuses) -> Lines:
    yield from _title("FEE SCHEDULE", _table_text(table_status, MPFS.name))
    if not rows:
        yield f"{'':{_INDENT}}no row"
        return
    indicators = [
        (row.component or "all", row.status, row.pc_tc, row.global_days, row.multiple, row.bilateral, row.assistant,
         row.co_surgeon, row.team, row.supervision or "-", _not_done(row))
        for row in rows
    ]  # fmt: skip
    yield from _grid(_FEE_COLUMNS, indicators)
    units = [(row.component or "all", row.work, row.non_facility_pe, row.facility_pe, row.mp) for row in rows]
    yield from _grid(_UNIT_COLUMNS, units)


def _not_done(row: FeeRow) -> str:
    return " ".join(name for name, na in (("office", row.non_facility_na), ("facility", row.facility_na)) if na) or "-"


def _prices(prices: Sequence[ComponentPrice], width: int) -> Lines:
    yield from _title("ONE UNIT PAYS")
    for part in prices:
        fee = part.fee
        why = UNKNOWN[fee.unknown] if fee.unknown else fee.basis or ""
        what = f"{part.component or 'all'}, {part.setting or 'place of service unknown'}: {dollars(fee.fee)}; {why}"
        yield from wrap(what, _INDENT, width, hang=_STEPS - _INDENT)
        for step in fee.steps:
            yield from wrap(step, _STEPS, width)


def _mue(edit: Mue | None, table_status: TableStatuses) -> Lines:
    yield from _title("MOST UNITS", _table_text(table_status, MUE.name))
    if edit is None:
        yield f"{'':{_INDENT}}no edit is published, which does not mean unlimited"
    else:
        yield f"{'':{_INDENT}}{edit.units} {_MUE_TEXTS[edit.indicator]} (indicator {edit.indicator})"


def _partners(known: CodeProfile) -> Lines:
    ptp = known.ptp
    yield from _title("NOT PAID BESIDE", _table_text(known.table_status, PTP.name))
    yield f"{'':{_INDENT}}{ptp.total} PTP partners, page {ptp.page} of {max(1, -(-ptp.total // ptp.page_size))}"
    if not ptp.partners:
        return
    rows = [
        (
            partner.code,
            partner.code if partner.column == 1 else known.question.code,
            "may separate them" if partner.edit.indicator == "1" else "never",
            partner.edit.since,
            partner.edit.deleted,
        )
        for partner in ptp.partners
    ]
    yield from _grid(("code", "denied", "a modifier", "from", "through"), rows)


def _add_ons(known: CodeProfile, width: int) -> Lines:
    yield from _title("ADD-ON", _table_text(known.table_status, ADD_ON.name))
    if not known.primaries and not known.add_ons:
        yield f"{'':{_INDENT}}no row"
    for about, codes in (
        ("billed with", _codes(known.primaries, "primary")),
        ("its add-on codes", _codes(known.add_ons, "code")),
    ):
        if codes:
            yield from wrap(f"{about}: {codes}", _INDENT, width, hang=_STEPS - _INDENT)


def _codes(rows: Sequence[AddOn], field: str) -> str:
    return ", ".join(str(getattr(row, field)) for row in rows)


def _coverage(rows: Sequence[Coverage], width: int) -> Lines:
    if not rows:
        return
    yield from _title("COVERAGE")
    for row in rows:
        policy = row.policy
        whose = [policy.payer, policy.line_of_business, policy.plan, policy.contractor]
        name = " ".join(part for part in whose if part) or "every payer"
        texts = f"{name}: {policy.status}, {policy.effect}; {policy.title}"
        months = f"; {row.frequency.months} full months between services" if row.frequency else ""
        yield from wrap(texts + months, _INDENT, width, hang=_STEPS - _INDENT)
        for test in ("covered", "excluded"):
            codes = [each.code + ("…" if each.prefix else "") for each in row.diagnoses if each.test == test]
            if codes:
                yield from wrap(f"{test}: {', '.join(codes)}", _STEPS, width)


def _articles(articles: Sequence[LocalArticle], width: int) -> Lines:
    if not articles:
        return
    yield from _title("LOCAL COVERAGE ARTICLES")
    for each in articles:
        name = " ".join((each.row.article, f"version {each.row.version}", *each.lcds))
        texts = f"{name}: {_DECIDES[each.decides]}; contractors {', '.join(each.contractors)}"
        yield from wrap(texts, _INDENT, width, hang=_STEPS - _INDENT)


def _rules(known: CodeProfile, width: int) -> Lines:
    yield from _title("RULES THAT NAME IT")
    if not known.rules:
        yield f"{'':{_INDENT}}none; rules for every code are not counted"
    for rule in known.rules:
        status = "" if rule.status == "active" else f" ({rule.status})"
        yield from wrap(f"{rule.severity:<5} {rule.id}{status}: {rule.title}", _INDENT, width, hang=_STEPS)


def _documentation(known: CodeProfile, width: int) -> Lines:
    if known.documentation:
        yield from _title("THE REPORT NEEDS")
    for each in needed_elements(known):
        yield from wrap(f"{each.element}: {each.about}", _INDENT, width, hang=_STEPS - _INDENT)


@click.command()
@click.argument("code", metavar="CODE")
@parameter_options(CODE_PARAMETERS)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def codes(code: str, as_json: bool, **options: str | None) -> None:
    """Look a CPT or HCPCS code up: what it pays, needs and conflicts with.

    \b
    scrubber codes 77089 --date 2025-03-12 --zip 35203
    scrubber codes 77080 --line-of-business commercial --json
    """
    with parameter_errors_as_messages():
        question = code_question(code, used_options(options), datetime.now(UTC).date())
    settings = current_settings()
    with errors_as_messages():
        rulebook, reference = load_rulebook(settings.rules), open_reference(settings.reference)
    known = look_up_code(question, rulebook, reference)
    if as_json:
        click.echo(orjson.dumps(write_known_code(CodeAnswer(known, rulebook.digest))))
    else:
        print_page(lambda width: render_code(known, width))


@click.command()
@click.argument("code", metavar="CODE")
@parameter_options(parameter for parameter in PRICE_PARAMETERS if parameter is not CODE)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def price(code: str, as_json: bool, **options: str | None) -> None:
    """Price a service as a line of a claim would be, with the arithmetic.

    \b
    scrubber price 77080 --modifiers 26 --zip 10019 --date 2025-03-12
    scrubber price 77092 --units 2 --pos 22 --participation nonpar
    """
    with parameter_errors_as_messages():
        question = price_question({CODE.name: code, **used_options(options)}, datetime.now(UTC).date())
    settings = current_settings()
    with errors_as_messages():
        rulebook, reference = load_rulebook(settings.rules), open_reference(settings.reference)
    found = look_up_price(question, rulebook, reference)
    if as_json:
        click.echo(orjson.dumps(write_priced(found)))
    else:
        print_page(lambda width: render_price(found, width))
