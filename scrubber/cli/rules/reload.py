"""`scrubber rules reload` and `rollback`: put changed or earlier rules in force in a running service."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from scrubber.authoring.admission import admit, fault_lines
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.diff import rulebook_difference
from scrubber.authoring.in_force import in_force_before
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.rules.diff import as_json as difference_as_json
from scrubber.cli.rules.diff import page
from scrubber.cli.rules.options import counted
from scrubber.config import Settings, cores
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import DIGEST_PREFIX
from scrubber.server.registry import (
    REFUSED,
    UNCHANGED,
    ReloadOutcome,
    RunningService,
    ServiceStatus,
    differences,
    running,
    short,
)

RELOAD_TIMEOUT = 120  # seconds for a service to end a reload in progress, and then check thousands of rules
_POLL_SECONDS = 0.02  # between reads of the service's status


@click.command()
@click.option("--to", metavar="DIGEST", help="Bring back this rulebook, which was in force before, from the archive.")
@click.option("--pid", type=int, help="The service, where several run.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def reload(context: click.Context, to: str | None, pid: int | None, as_json: bool) -> None:
    """Put changed rules in force in the running service, without a pause.

    The rules are checked first: linted, and tested where something changed. With a fault nothing changes, every fault
    is told, and the exit code is 1. Requests under way are finished on the old rules; when the command ends, every
    worker answers by the new ones. The service is found by SCRUBBER_STATE, which must be the same for both.

    With --to a rulebook that was in force before comes back in place of what lies in the folder (at least 8 digits of
    its digest; `scrubber rules archive` lists them). It stays, over restarts too, until the folder holds other rules
    than those that were rolled back, or until the next reload. `scrubber rules rollback` brings back the one before.

    \b
    scrubber rules reload
    scrubber rules reload --to sha256:1f0c93aa7b52
    scrubber rules reload --pid 4711
    """
    begun = time.monotonic()
    settings = current_settings()
    service = chosen_service(settings, pid)
    status = status_of(service)
    if to is not None:
        roll_back(context, service, status, to, settings, as_json)
        return
    faults, warnings = _check(Path(status.rules), settings)
    if faults:
        _refuse(context, faults, as_json)
    outcome = _reload(service, status.begun)
    if outcome.outcome == REFUSED:
        _refuse(context, outcome.reasons, as_json)
    seconds = round(time.monotonic() - begun, 3)
    if as_json:
        printed = {**asdict(outcome), "warnings": warnings, "seconds": seconds, "process": service.process}
        click.echo(orjson.dumps(printed))
    else:
        for line in warnings:
            click.echo(f"warning: {line}")
        click.echo(_outcome_text(outcome, f"service {service.process} at {status.address}", seconds))


def chosen_service(settings: Settings, pid: int | None) -> RunningService:
    """The running service, or that of the process `pid`. Raises Unusable where there is not exactly one."""
    services = running(settings.state) if settings.state else []
    wanted = [service for service in services if pid in (None, service.process)]
    if len(wanted) == 1:
        return wanted[0]
    listed = "".join(f"\n  --pid {each.process}: {_address_of(each)}" for each in services)
    if wanted:
        raise Unusable(f"{len(wanted)} services run; choose one:{listed}")
    if services:
        raise Unusable(f"there is no service {pid}; there are:{listed}")
    raise Unusable(
        f"no running service keeps its state in {settings.state}: start one with scrubber serve, or name its folder "
        "with SCRUBBER_STATE; a service that cannot write its folder is reloaded by kill -HUP"
    )


def _address_of(service: RunningService) -> str:
    status = status_of(service)
    return f"{status.address}, rules in {status.rules}"


def status_of(service: RunningService) -> ServiceStatus:
    """The status of a service. Raises Unusable where it cannot be read."""
    try:
        return service.status()
    except OSError:
        raise Unusable(f"service {service.process} has ended, or its record cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unusable(f"{service.file} is not what this version of the program wrote") from None


def roll_back(
    context: click.Context,
    service: RunningService,
    status: ServiceStatus,
    digest: str,
    settings: Settings,
    as_json: bool,
) -> None:
    """Put an archived rulebook, named by its digest or the beginning of that, in force, and print what it changes."""
    begun = time.monotonic()
    state = settings.state
    assert state is not None  # noqa: S101 -- the service was found in it
    with errors_as_messages():
        archived = open_archived(state, digest)
        full_digest = DIGEST_PREFIX + archived.name
        if full_digest not in in_force_before(Path(status.rules), state):
            reason = f"{short(full_digest)} is kept, but was never in force in {status.rules}"
            raise Unusable(f"{reason}: put its rules there, and reload")
        found = rulebook_difference(
            open_archived(state, status.digest), archived, "the rules in force", short(full_digest)
        )
        service.request_rollback(full_digest)
    try:
        outcome = _reload(service, status.begun)
    finally:
        service.request.unlink(missing_ok=True)  # a request that was not taken must not count for a later reload
    if outcome.outcome == REFUSED:
        _refuse(context, outcome.reasons, as_json)
    seconds = round(time.monotonic() - begun, 3)
    if as_json:
        printed = {**asdict(outcome), "difference": difference_as_json(found), "seconds": seconds}
        click.echo(orjson.dumps({**printed, "process": service.process}))
        return
    if found.any:
        click.echo(f"{page(found)}\n")
    click.echo(_outcome_text(outcome, f"service {service.process} at {status.address}", seconds))
    if outcome.instead_of:
        click.echo(f"{status.rules} still holds {short(outcome.instead_of)}: put the rules there right, and reload")


def _check(folder: Path, settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Faults of the folder, and warnings about drafts in it and cases on the releases in use, which stop no reload.

    Checks that pass are recorded, so that the service need not repeat them. Only the service knows which rules are in
    force, and compares versions with them.
    """
    with errors_as_messages():
        try:
            admitted = admit(folder, open_reference(settings.reference), CheckCache(settings.state), cores())
        except Faults as error:
            return fault_lines(folder, error.faults), ()
    return (), fault_lines(folder, admitted.warnings)


def _refuse(context: click.Context, reasons: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"outcome": REFUSED, "reasons": reasons}))
    else:
        for reason in reasons:
            click.echo(reason)
        click.echo(f"{counted(len(reasons), 'fault')}; nothing has changed")
    context.exit(1)


def _reload(service: RunningService, begun: int) -> ReloadOutcome:
    """Signal the service; the outcome of the first reload after the first `begun` ones."""
    try:
        os.kill(service.process, signal.SIGHUP)
    except PermissionError:
        owner = service.file.owner()
        raise Unusable(f"service {service.process} belongs to {owner}: run this command as {owner}") from None
    except ProcessLookupError:
        raise Unusable(f"service {service.process} has ended") from None
    latest = time.monotonic() + RELOAD_TIMEOUT
    while time.monotonic() < latest:
        status = status_of(service)
        if status.ended > begun and status.last:
            return status.last
        time.sleep(_POLL_SECONDS)
    raise Unusable(
        f"service {service.process} has not answered for {RELOAD_TIMEOUT} seconds; its log says what it does"
    )


def _outcome_text(outcome: ReloadOutcome, service: str, seconds: float) -> str:
    if outcome.outcome == UNCHANGED:
        return f"{short(outcome.old)} is in force already: nothing to reload in {service}"
    counts = ", ".join(f"{len(names)} {word}" for word, names in differences(outcome))
    return (
        f"{short(outcome.old)} -> {short(outcome.new or '')}\n"
        f"{counted(outcome.rules, 'rule')} in force: {counts}\n"
        f"{service}, {seconds:.2f} s"
    )


@click.command()
@click.option("--pid", type=int, help="The service, where several run.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def rollback(context: click.Context, pid: int | None, as_json: bool) -> None:
    """Bring back the rules that were in force before those that are, in the running service, without a pause.

    What changes is told. The folder of rules stays as it is: the rules that came back are in force in its place,
    over restarts too, until the folder holds other rules than those that were rolled back, or until the next
    `scrubber rules reload`. Given again, it goes back one further.

    \b
    scrubber rules rollback
    scrubber rules reload --to sha256:1f0c93aa7b52
    """
    settings = current_settings()
    service = chosen_service(settings, pid)
    status = status_of(service)
    known = in_force_before(Path(status.rules), settings.state) if settings.state else ()
    earlier = known[: known.index(status.digest)] if status.digest in known else ()
    if not earlier:
        raise Unusable(f"no rules are known that were in force before {short(status.digest)}")
    roll_back(context, service, status, earlier[-1], settings, as_json)
