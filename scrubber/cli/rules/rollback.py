"""Beside the path, `scrubber rules rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from scrubber.cli.opening import Unusable, settings
from scrubber.cli.rules.reload import bring_back, status_of, the_one
from scrubber.web.reload.outcome import short
from scrubber.workshop.in_force import in_force_before


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
    chosen = settings()
    service = the_one(chosen, pid)
    status = status_of(service)
    known = in_force_before(Path(status.rules), chosen.state) if chosen.state else ()
    earlier = known[: known.index(status.digest)] if status.digest in known else ()
    if not earlier:
        raise Unusable(f"no rules are known that were in force before {short(status.digest)}")
    bring_back(context, service, status, earlier[-1], chosen, as_json)
