"""Around the path over HTTP: how many connections one process takes, below what it may open."""

from __future__ import annotations

import resource
from contextlib import suppress

MOST_CONNECTIONS = 4000
_WANTED = 16_384  # files that may be open
_KEPT = 200  # of them for anything but connections


def raise_limit() -> None:
    """Let this process and those that it starts open more files, as far as that is allowed to it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Connections that a process may have open at once, so that it always has a file for what it does with them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(soft // 2, soft - _KEPT))
