"""Reads settings from the environment, once, at the edge of the program."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scrubber.errors import ConfigError

_PACKAGED_RULES = Path(__file__).resolve().parent.parent / "rules"
_MOST_KEEP_DAYS = 36_500  # a hundred years; a date that much earlier has to exist
# Days past the end of a table's last release. CMS publishes edits and fees each quarter: two releases were missed. Of
# lists that come once a year, half a year is the sooner of the two.
STALE_AFTER = 183
NEVER = "never"
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:]+")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
SETTINGS = frozenset(
    f"SCRUBBER_{name}"
    for name in (
        "BIND",
        "RULES",
        "REFERENCE",
        "STATE",
        "WORKERS",
        "THREADS",
        "MAX_BODY_BYTES",
        "STALE_AFTER",
        "READY_DAYS",
        "URL",
        "DATABASE_URL",
        "BROKER_URL",
        "LEASE_SECONDS",
        "BATCH_WORKERS",
        "MAX_BATCH_BYTES",
        "KEEP_DAYS",
        "WEBHOOK_HOSTS",
        "WEBHOOK_SECRET",
        "OPEN",
        "HOSTS",
        "ORIGINS",
        "TLS_CERTIFICATE",
        "TLS_KEY",
        "KEY_RATE",
        "KEY_CONCURRENT",
        "KEY",
    )
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment may choose.

    `host` and `port` are what the service listens on. `rules` is a folder of packs. `reference` is
    where the store of reference data lies, None for the starter set. `workers` are processes,
    `threads` are per process. `max_body_bytes` is the largest claim that is read. `ready_days` is how many days a
    loaded table may be past its last release before the service says that it is not ready, None for any; `stale_after`
    is the same for dates of service: what is further past warns on each claim. `state`
    is the folder in which the program keeps what it must remember, such as rulebooks that answered; it may not be there
    yet, and None keeps nothing. `database` is the address of the PostgreSQL database that keeps batches, None for files
    below `state`. `batch_workers` are processes that scrub batches, none where other machines do. `max_batch_bytes` is
    the largest batch that is taken, packed or unpacked. `keep_days` is how long an ended batch is kept. `webhook_hosts`
    are notified of the end of a batch, signed with `webhook_secret`. `broker` is the address of the broker over which
    Celery carries the work on batches, None where workers ask for it by themselves. After `lease_seconds` without a
    sign of life a worker's chunk goes to another.

    `open`: whether anybody may ask without a key; None: while the service listens on this machine alone and no key was
    ever made. `hosts` are the names that it answers to, without a port; empty: those of this machine where it listens
    there alone, else any. With `tls`, the files of a certificate and of its key, it speaks HTTPS. Pages of `origins`
    may ask from a browser. `key_rate` is how many requests a second, and `key_concurrent` how many at once, a key is
    allowed that does not say itself; None: any number.
    """

    host: str
    port: int
    rules: Path
    reference: str | None
    workers: int
    threads: int
    max_body_bytes: int
    ready_days: int | None = None
    state: Path | None = None
    database: str | None = field(default=None, repr=False)
    batch_workers: int = 0
    max_batch_bytes: int = 10_000_000_000
    keep_days: int = 7
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: str | None = field(default=None, repr=False)
    broker: str | None = field(default=None, repr=False)
    lease_seconds: float = 30.0
    stale_after: int | None = STALE_AFTER
    open: bool | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    tls: tuple[Path, Path] | None = None
    key_rate: int | None = None
    key_concurrent: int | None = None

    @property
    def on_loopback(self) -> bool:
        """Whether nobody on another machine can reach what the service listens on."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def transfers(self) -> int:
        """Batches that each process receives or gives back at once."""
        return max(1, self.threads - 1)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from SCRUBBER_* variables; an empty one counts as not set.

    Raises ConfigError, which names the variable.
    """
    host, port = _bind(environ.get("SCRUBBER_BIND") or "127.0.0.1:8080")
    stale_after = _days(environ, "SCRUBBER_STALE_AFTER", STALE_AFTER)
    return Settings(
        host=host,
        port=port,
        rules=_rules(environ.get("SCRUBBER_RULES")),
        reference=environ.get("SCRUBBER_REFERENCE") or None,
        workers=_count(environ, "SCRUBBER_WORKERS", cores()),
        threads=_count(environ, "SCRUBBER_THREADS", 3),
        max_body_bytes=_count(environ, "SCRUBBER_MAX_BODY_BYTES", 10_000_000),
        ready_days=_days(environ, "SCRUBBER_READY_DAYS", stale_after),
        state=_state(environ),
        database=environ.get("SCRUBBER_DATABASE_URL") or None,
        batch_workers=_count(environ, "SCRUBBER_BATCH_WORKERS", cores(), least=0),
        max_batch_bytes=_count(environ, "SCRUBBER_MAX_BATCH_BYTES", 10_000_000_000),
        keep_days=_count(environ, "SCRUBBER_KEEP_DAYS", 7, most=_MOST_KEEP_DAYS),
        webhook_hosts=_hosts(environ.get("SCRUBBER_WEBHOOK_HOSTS") or ""),
        webhook_secret=_secret(environ),
        broker=_broker(environ),
        lease_seconds=_count(environ, "SCRUBBER_LEASE_SECONDS", 30),
        stale_after=stale_after,
        open=_yes_or_no(environ, "SCRUBBER_OPEN"),
        hosts=_names(environ.get("SCRUBBER_HOSTS") or ""),
        origins=_origins(environ.get("SCRUBBER_ORIGINS") or ""),
        tls=_tls(environ),
        key_rate=_count_or_none(environ, "SCRUBBER_KEY_RATE"),
        key_concurrent=_count_or_none(environ, "SCRUBBER_KEY_CONCURRENT"),
    )


def unknown_settings(names: Iterable[str]) -> list[str]:
    """Names that look like settings and are none: a misspelt one should not go unnoticed."""
    return sorted(name for name in names if name.startswith("SCRUBBER_") and name not in SETTINGS)


def _bind(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not _is_count(port) or int(port) > 65_535:
        raise ConfigError(f"SCRUBBER_BIND is {text!r}; give HOST:PORT, for example 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _rules(text: str | None) -> Path:
    if text:
        if not Path(text).is_dir():
            raise ConfigError(f"SCRUBBER_RULES is {text!r}, which is no folder")
        return Path(text)
    for folder in (Path("rules"), _PACKAGED_RULES):
        if folder.is_dir():
            return folder
    raise ConfigError("SCRUBBER_RULES is not set, and there is no folder rules/ here")


def _state(environ: Mapping[str, str]) -> Path:
    if folder := environ.get("SCRUBBER_STATE"):
        return Path(folder)
    states = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or ".") / ".local/state"
    return Path(states) / "claim-scrubber"


def _broker(environ: Mapping[str, str]) -> str | None:
    broker = environ.get("SCRUBBER_BROKER_URL") or None
    if broker is not None and not environ.get("SCRUBBER_DATABASE_URL"):
        raise ConfigError(
            "SCRUBBER_DATABASE_URL is not set: Celery at SCRUBBER_BROKER_URL carries work on batches to other machines,"
            " which need them in a database"
        )
    return broker


def is_loopback(host: str) -> bool:
    """Whether a name or an address of a host, in small letters, is this machine's own and can be reached from no other.

    A name is not looked up: what it stands for may change.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _names(text: str) -> tuple[str, ...]:
    hosts = text.lower().replace(",", " ").split()
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigError(
                f"SCRUBBER_HOSTS has {host!r}; give names of hosts alone, without https://, port or *, "
                "for example scrubber.example"
            )
    return tuple(hosts)


def _origins(text: str) -> tuple[str, ...]:
    origins = text.lower().replace(",", " ").split()
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigError(
                f"SCRUBBER_ORIGINS has {origin!r}; give origins as browsers send them, without path or *, "
                "for example https://billing.example"
            )
    return tuple(origins)


def _tls(environ: Mapping[str, str]) -> tuple[Path, Path] | None:
    """Tried here: a server that finds out with its first connection would start, and answer nobody."""
    certificate, key = environ.get("SCRUBBER_TLS_CERTIFICATE"), environ.get("SCRUBBER_TLS_KEY")
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigError("SCRUBBER_TLS_CERTIFICATE and SCRUBBER_TLS_KEY go together: give both, or neither")
    try:
        # A password is not asked for: nobody sits there when a service starts.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(
            "SCRUBBER_TLS_CERTIFICATE and SCRUBBER_TLS_KEY are no certificate (with its chain) and its key, in PEM and"
            f" without a password, that can be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        ) from None
    return Path(certificate), Path(key)


def _yes_or_no(environ: Mapping[str, str], name: str) -> bool | None:
    text = environ.get(name)
    if not text:
        return None
    if text not in ("yes", "no"):
        raise ConfigError(f"{name} is {text!r}; give yes or no")
    return text == "yes"


def _hosts(text: str) -> tuple[str, ...]:
    hosts = text.lower().replace(",", " ").split()
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigError(
                f"SCRUBBER_WEBHOOK_HOSTS has {host!r}; give names of hosts alone, without https://, port or *, "
                "for example hooks.example"
            )
    return tuple(hosts)


def _secret(environ: Mapping[str, str]) -> str | None:
    secret = environ.get("SCRUBBER_WEBHOOK_SECRET") or None
    if secret is None and environ.get("SCRUBBER_WEBHOOK_HOSTS"):
        raise ConfigError(
            "SCRUBBER_WEBHOOK_SECRET is not set: what is told to SCRUBBER_WEBHOOK_HOSTS is signed with it"
        )
    if secret is not None and not _is_key(secret):
        raise ConfigError("SCRUBBER_WEBHOOK_SECRET begins with whsec_, so what follows has to be base64; it is not")
    return secret


def _is_key(secret: str) -> bool:
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return not secret.startswith("whsec_")
    return True


def _count(environ: Mapping[str, str], name: str, default: int, least: int = 1, most: int | None = None) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not _is_count(text) or int(text) < least or (most is not None and int(text) > most):
        bounds = f"from {least}" if most is None else f"from {least} to {most}"
        raise ConfigError(f"{name} is {text!r}; give a whole number {bounds}")
    return int(text)


def _count_or_none(environ: Mapping[str, str], name: str) -> int | None:
    return _count(environ, name, 1) if environ.get(name) else None


def _days(environ: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = environ.get(name)
    if not text:
        return default
    if text == NEVER:
        return None
    if not _is_count(text):
        raise ConfigError(f"{name} is {text!r}; give a number of days from 0, or {NEVER}")
    return int(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def cores() -> int:
    """Cores this process may run on, which in a container are often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
