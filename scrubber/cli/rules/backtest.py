"""`scrubber rules backtest`: runs rules over past claims, and prints the report as a summary of 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import orjson

from scrubber.authoring.revisions import opened_revision
from scrubber.backtest.html import page
from scrubber.backtest.report import document, write_records
from scrubber.backtest.rulebooks import Choice
from scrubber.backtest.run import BackTestRun, back_test
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.terminal import ProgressLine, columns
from scrubber.config import Settings

WIDTH = 80
MOST_RULES = 20
LONGEST_ID = 34

BacktestReport = Mapping[str, Any]


def render(report: BacktestReport) -> str:
    """The report of a back-test, for a terminal."""
    sections = (_inputs(report), _totals(report), _rules(report), _outcomes(report))
    return "\n\n".join(text for text in ("\n".join(section) for section in sections) if text)


def _inputs(report: BacktestReport) -> Iterator[str]:
    claims, remits = report["inputs"]["claims"], report["inputs"]["remittances"]
    yield f"{claims['claims']:,} claims in {claims['rows']:,} rows of {claims['name']}"
    for trouble, texts in (("noClaims", "rows are no claims"), ("failed", "rows made the program fail")):
        if claims[trouble]:
            yield f"{claims[trouble]:,} {texts}:"
    yield from (f"  row {each['row']}: {each['problem']}" for each in claims["told"])
    if remits:
        yield f"{remits['joinedClaims']:,} of them have a remittance in {remits['name']}"
        yield from _loose(remits)


def _loose(remits: BacktestReport) -> Iterator[str]:
    """Lines about remittances that could not be used."""
    texts = (
        ("claimsOfRepeatedNumber", "claims bear the number of an earlier one, which got its remittance"),
        ("claimsWithoutNumber", "claims have no number"),
        ("remittancesWithoutClaim", "claim numbers of remittances are on no claim"),
        ("linesWithoutClaimLine", "remittance lines are not on their claim"),
        ("repeatedRows", "remittance rows are said twice, and count once"),
        ("wholeClaimRowsUnused", "adjustments of whole claims say nothing sure of a line"),
        ("badRows", "remittance rows cannot be used:"),
    )
    yield from (f"  {remits[key]:,} {words}" for key, words in texts if remits[key])
    yield from (f"    row {each['row']}: {each['problem']}" for each in remits["told"])


def _totals(report: BacktestReport) -> Iterator[str]:
    if report["rulebooks"]["baseline"] is None:
        yield f"Findings: {_sum(report['totals']['candidate'])}"
        yield from _charged(report["totals"]["candidate"])
        return
    for side in ("gained", "lost"):
        yield f"Findings {side + ':':<8}{_sum(report['totals'][side])}"
        yield from _charged(report["totals"][side])
    for each in report["dispositions"]:
        if each["baseline"] != each["candidate"]:
            yield f"{each['baseline']} -> {each['candidate']}: {each['claims']:,} claims"


def _charged(total: BacktestReport) -> Iterator[str]:
    """The charges of lines at risk, where the prices of some are unknown."""
    if total["unknownLines"]:
        yield f"{'':17}{_dollars(total['charged'])} were charged for the lines at risk"


def _sum(total: BacktestReport) -> str:
    return f"{total['findings']:,} on {total['claims']:,} claims, {_at_risk(total)} at risk"


def _at_risk(total: BacktestReport) -> str:
    unknown = f"{total['unknownLines']:,} lines unknown"
    if total["atRisk"] is None:
        return unknown
    return _dollars(total["atRisk"]) + (f" + {unknown}" if total["unknownLines"] else "")


def _dollars(amount: str | None) -> str:
    return "unknown dollars" if amount is None else f"${Decimal(amount):,.2f}"


def _rules(report: BacktestReport) -> Iterator[str]:
    compared = report["rulebooks"]["baseline"] is not None
    rules = [rule for rule in report["rules"] if rule["tested"] or _changes(rule)]
    header = ["rule", "gained", "lost", "at risk"] if compared else ["rule", "findings", "at risk"]
    outcomes = ["denied of", "precision"] if report["outcomes"] else []
    rows = [[_short(rule["id"]), *_figures(rule, compared), *_precision(rule)] for rule in rules[:MOST_RULES]]
    if rows:
        yield from columns(header + outcomes, rows, right=frozenset((*header, *outcomes)) - {"rule"})
    if len(rules) > MOST_RULES:
        yield f"and {len(rules) - MOST_RULES} more rules: --report writes all of them"


def _changes(rule: BacktestReport) -> bool:
    return bool(rule["gained"]["findings"] or rule["lost"]["findings"])


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 1]}…"


def _figures(rule: BacktestReport, compared: bool) -> Sequence[object]:
    if not compared:
        return rule["all"]["findings"], _short_risk(rule["all"])
    side = rule["gained"] if rule["gained"]["findings"] else rule["lost"]
    return rule["gained"]["findings"], rule["lost"]["findings"], _short_risk(side)


def _short_risk(total: BacktestReport) -> str:
    """The `+` says that more is at risk, whose amount is not known."""
    if total["atRisk"] is None:
        return "unknown"
    return f"{Decimal(total['atRisk']):,.2f}{'+' if total['unknownLines'] else ''}"


def _precision(rule: BacktestReport) -> Sequence[object]:
    outcomes = rule["outcomes"]
    if outcomes is None:
        return ()
    share = f"{100 * float(outcomes['precision']):.1f} %" if outcomes["precision"] else "-"
    return f"{outcomes['denied']:,}/{outcomes['lines']:,}", share


def _outcomes(report: BacktestReport) -> Iterator[str]:
    outcomes = report["outcomes"]
    if outcomes is None:
        return
    flagged, missed = outcomes["tested"]["flagged"], outcomes["missed"]
    lines = outcomes["lines"]
    yield f"Lines denied: {lines['denied']:,}, in part {lines['partly denied']:,}, not {lines['not denied']:,}"
    tested = len(report["rulebooks"]["tested"])
    yield f"Flagged by the {tested:,} {'rule' if tested == 1 else 'rules'} tested:"
    yield f"           {flagged['denied']:,} of {flagged['lines']:,} were denied, {_dollars(flagged['deniedDollars'])}"
    yield f"           {_dollars(flagged['paidDollars'])} were paid on flagged lines"
    yield f"Missed:    {missed['lines']:,} denied lines that no rule flags, {_dollars(missed['deniedDollars'])}"
    for each in outcomes["missedByReason"][:5]:
        yield f"           CARC {each['name']}: {each['lines']:,} lines, {_dollars(each['deniedDollars'])}"


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--rules", "rules", multiple=True, metavar="DIR|ID", help="A folder of rules, or a rule; several times.")
@click.option("--claims", required=True, type=_FILE, help="Past claims: NDJSON, a v3 body a line; may be .gz.")
@click.option("--remits", type=_FILE, help="What payers answered: CSV or NDJSON; may be .gz.")
@click.option("--against", metavar="REV", help="What to compare with: a folder, a digest, a revision of git.")
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Write report.html and .json here.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes; as many as there are cores.")
@click.option("--record", is_flag=True, help="Put the figures of the tested rules on record, so that they may deny.")
@click.option("--run-on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Day of the run, instead of today.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
def backtest(
    rules: tuple[str, ...],
    claims: Path,
    remits: Path | None,
    against: str | None,
    report: Path | None,
    jobs: int | None,
    record: bool,
    run_on: datetime | None,
    as_json: bool,
) -> None:
    """Try rules on past claims, and hold them against what payers did.

    With an ID the rule is switched on, whatever its status, and compared with the same rules without it. With a DIR
    that folder is compared with the rules in force. Without either the rules in force are held against --remits.

    \b
    scrubber rules backtest --rules our-clinic-modifier-25 --claims 2025.ndjson
    scrubber rules backtest --rules new-rules/ --claims 2025.ndjson --remits 2025.csv --report out/
    scrubber rules backtest --rules rules/ --against HEAD~1 --claims 2025.ndjson
    scrubber rules backtest --rules our-clinic-modifier-25 --claims 2025.ndjson --record

    Nothing leaves this machine; the report has counts, dollars and claim numbers, and nothing else of a claim.
    """
    settings = current_settings()
    day = (run_on or datetime.now(UTC)).date()
    with errors_as_messages(), _choice(rules, against, settings) as choice:
        run = back_test(choice, settings.reference, claims, remits, day, jobs or _cores(), ProgressLine())
        written = _write_files(run, report, choice.folder if record else None)
        report_document = document(run)
    click.echo(orjson.dumps(report_document, option=orjson.OPT_INDENT_2) if as_json else render(report_document))
    for path in written:
        click.echo(f"{path} is written", err=as_json)


@contextmanager
def _choice(rules: tuple[str, ...], against: str | None, settings: Settings) -> Iterator[Choice]:
    """What is compared with what, as the options say."""
    folders = [Path(name) for name in rules if os.sep in name or Path(name).is_dir()]
    if len(folders) > 1 or (folders and len(rules) > 1):
        raise Unusable("--rules takes one folder, or ids of rules in the folder that SCRUBBER_RULES names")
    folder = folders[0] if folders else settings.rules
    if not folder.is_dir():
        raise Unusable(f"{folder}: no such folder of rules")
    switched_on = () if folders else tuple(sorted(set(rules)))
    with ExitStack() as stack:
        if against is not None:
            baseline: Path | None = stack.enter_context(opened_revision(against, settings.rules, settings.state))
        else:
            baseline = settings.rules if folders and not folder.samefile(settings.rules) else None
        yield Choice(folder, switched_on, baseline)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_files(run: BackTestRun, report: Path | None, recorded: Path | None) -> list[Path]:
    """Writes what is asked for; the files written."""
    files: list[Path] = []
    report_document = document(run)
    try:
        if report is not None:
            files += _write_report(report_document, report)
        if recorded is not None:
            files += write_records(run, recorded)
    except OSError as error:
        raise Unusable(f"{error.filename} cannot be written: {error.strerror}") from None
    return files


def _write_report(report_document: dict[str, Any], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    data, html = folder / "report.json", folder / "report.html"
    data.write_bytes(orjson.dumps(report_document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    html.write_text(page(report_document), encoding="utf-8")
    return [html, data]
