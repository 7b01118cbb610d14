"""A PostgreSQL database as every thread and process of ours asks it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg.abc import Params
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import RowFactory, tuple_row
from psycopg.sql import Composed

from scrubber.errors import ConfigError

Connection = psycopg.Connection[Any]
# What the address does not say: a machine that is gone must not be waited for until somebody restarts us.
_UNSAID = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds; the others are seconds
    # Else it is that of the database: one without any (SQL_ASCII, as on machines without a language) gives no texts.
    "client_encoding": "utf8",
}


class _Connections(threading.local):
    """The connection of this thread, and the process that opened it: it must not cross a fork."""

    process: int = 0
    connection: Connection


class Database:
    """A database, asked from any thread and after a fork. `rows`: how a row is given; `unsaid` adds to the address."""

    def __init__(self, address: str, rows: RowFactory[Any] = tuple_row, **unsaid: str) -> None:
        self._address = address
        self._unsaid = _UNSAID | unsaid
        self._rows = rows
        self._connections = _Connections()

    def ask(self, statement: LiteralString | Composed, values: Params = (), *, binary: bool = False) -> list[Any]:
        """All rows found. A connection that the server has given up is opened anew, once."""
        try:
            return self._connection().execute(statement, values, binary=binary).fetchall()
        except psycopg.OperationalError:
            self._connections.process = 0
            return self._connection().execute(statement, values, binary=binary).fetchall()

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """One transaction on the connection of this thread, opened anew before it where the server has given it up."""
        connection = self._begun()
        try:
            yield connection
        except BaseException:
            with suppress(psycopg.Error):
                connection.rollback()
            raise
        connection.execute("COMMIT")

    def open(self, autocommit: bool) -> Connection:
        """A new connection."""
        said = {name: str(value) for name, value in conninfo_to_dict(self._address).items() if value is not None}
        return psycopg.connect(
            make_conninfo(**(self._unsaid | said)),
            autocommit=autocommit,
            application_name="claim-scrubber",
            row_factory=self._rows,
        )

    def _begun(self) -> Connection:
        try:
            self._connection().execute("BEGIN")
        except psycopg.OperationalError:
            self._connections.process = 0
            self._connection().execute("BEGIN")
        return self._connection()

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
