"""Queries a PostgreSQL database from any thread or forked process, for the stores that use one."""

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
# Connection parameters that the address does not state. Without them a call to a machine that is gone would never end.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds; the others are seconds
    # The default is the encoding of the database: from SQL_ASCII, psycopg returns bytes in place of texts.
    "client_encoding": "utf8",
}


class _Connections(threading.local):
    """The connection of this thread, and the process that opened it: a connection must not be used after a fork."""

    process: int = 0
    connection: Connection


class Database:
    """A database, usable from any thread and after a fork.

    `rows` creates the rows of a result; `defaults` are connection parameters where the address does not state them.
    """

    def __init__(self, address: str, rows: RowFactory[Any] = tuple_row, **defaults: str) -> None:
        self._address = address
        self._defaults = _DEFAULTS | defaults
        self._rows = rows
        self._connections = _Connections()

    def query(self, statement: LiteralString | Composed, values: Params = (), *, binary: bool = False) -> list[Any]:
        """All rows of the result. A connection that the server has closed is reopened once."""
        try:
            return self._connection().execute(statement, values, binary=binary).fetchall()
        except psycopg.OperationalError:
            self._connections.process = 0
            return self._connection().execute(statement, values, binary=binary).fetchall()

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """One transaction on the connection of this thread, which is reopened where the server has closed it."""
        connection = self._begun()
        try:
            yield connection
        except BaseException:
            with suppress(psycopg.Error):
                connection.rollback()
            raise
        connection.execute("COMMIT")

    def open(self, autocommit: bool) -> Connection:
        """A new connection, which the caller closes."""
        stated = {name: str(value) for name, value in conninfo_to_dict(self._address).items() if value is not None}
        return psycopg.connect(
            make_conninfo(**(self._defaults | stated)),
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
def database_errors_as_config_errors() -> Iterator[None]:
    """Raises ConfigError in place of any error of the database."""
    try:
        yield
    except psycopg.Error as failure:
        # The message of a failed connection names the address, which may hold a password.
        raise ConfigError(
            f"reference data: the PostgreSQL database failed ({type(failure).__name__});"
            ' psql "$SCRUBBER_REFERENCE" says more'
        ) from None
