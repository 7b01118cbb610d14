"""Look-ups of facts and money: a PostgreSQL database as every thread and process of ours asks it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from scrubber.errors import ConfigError

Connection = psycopg.Connection[Any]


class _Connections(threading.local):
    """The connection of this thread, and the process that opened it: it must not cross a fork."""

    process: int = 0
    connection: Connection


class Database:
    """A database, asked from any thread and after a fork."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connections = _Connections()

    def ask(self, statement: LiteralString, values: tuple[Any, ...] = ()) -> list[Any]:
        """All rows found. A connection that the server has given up is opened anew, once."""
        try:
            return self._connection().execute(statement, values).fetchall()
        except psycopg.OperationalError:
            self._connections.process = 0
            return self._connection().execute(statement, values).fetchall()

    def open(self, autocommit: bool) -> Connection:
        """A new connection."""
        return psycopg.connect(self._address, autocommit=autocommit, application_name="claim-scrubber")

    def _connection(self) -> Connection:
        mine = self._connections
        if mine.process != os.getpid():
            mine.connection = self.open(autocommit=True)
            mine.process = os.getpid()
        return mine.connection


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the database fails with, as ConfigError."""
    try:
        yield
    except psycopg.Error as failure:
        # The message of a failed connection names the address, which may hold a password.
        raise ConfigError(
            f"reference data: the PostgreSQL database failed ({type(failure).__name__});"
            ' psql "$SCRUBBER_REFERENCE" says more'
        ) from None
