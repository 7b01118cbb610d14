"""`scrubber keys`: makes, lists, rotates and revokes API keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import orjson

from scrubber.access.key import SCOPES, Key, id_given, is_tenant, key_digest, new_text
from scrubber.access.open_store import open_keys
from scrubber.access.store import KeyStore
from scrubber.batch.model import DEFAULT_TENANT
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.terminal import columns

DAYS = 365
OVERLAP_HOURS = 24.0
LONGEST_NAME = 100
_ONLY_TIME = "This is the only time that the key is shown: keep it where passwords are kept."

_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_key_id = click.argument("key_id", metavar="KEY")


def _tenant(_context: object, _option: object, name: str) -> str:
    if not is_tenant(name):
        raise click.BadParameter(
            "1 to 63 small letters, digits, dots, hyphens and underscores; a letter or digit first"
        )
    return name


def _name(_context: object, _option: object, name: str) -> str:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise click.BadParameter(f"at most {LONGEST_NAME} printable characters")
    return name


@click.group()
def keys() -> None:
    """Make, list, renew and take back the keys without which nobody may ask a service that others can reach.

    They are kept in the folder SCRUBBER_STATE, or in the database SCRUBBER_DATABASE_URL, so use the settings of the
    service. What is kept is a key's SHA-256; the key itself is shown once. A service notices each change within
    seconds, without a restart.

    \b
    scrubber keys create --tenant clinic-a --scope scrub --scope batch --name "practice management"
    scrubber keys list
    scrubber keys rotate scrubber_3f9a1c20b7d4 --overlap 48
    scrubber keys revoke scrubber_3f9a1c20b7d4

    \b
    curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/v1/rules
    """


@keys.command()
@click.option(
    "--tenant",
    default=DEFAULT_TENANT,
    show_default=True,
    callback=_tenant,
    help="Whose key it is; a tenant sees only its own batches.",
)
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(tuple(SCOPES)), help="What it allows."
)
@click.option("--name", default="", callback=_name, help="What it is for, in your words.")
@click.option("--days", type=click.IntRange(1, 36_500), default=DAYS, show_default=True, help="Until it expires.")
@click.option("--never-expires", is_flag=True, help="It is good until it is revoked.")
@click.option(
    "--rate", type=click.FloatRange(0.001, 1e6), help="Requests a second. [SCRUBBER_KEY_RATE, else any number]"
)
@click.option(
    "--concurrent",
    type=click.IntRange(1, 10_000),
    help="Requests at once. [SCRUBBER_KEY_CONCURRENT, else any number]",
)
@_as_json
def create(
    tenant: str,
    scopes: tuple[str, ...],
    name: str,
    days: int,
    never_expires: bool,
    rate: float | None,
    concurrent: int | None,
    as_json: bool,
) -> None:
    """Make a key, and print it: the only time that it can be read.

    The key alone goes to standard output, all else to standard error.

    \b
    KEY=$(scrubber keys create --tenant clinic-a --scope scrub)
    scrubber keys create --scope admin --days 30 --json
    scrubber keys create --tenant clinic-b --scope batch --rate 5 --concurrent 2

    \b
    scrub            single claims, and why their findings fired
    batch            batches: sent, followed, read, cancelled, deleted
    batch:priority   the parameter `priority`
    rules:read       rules, codes, prices, releases of reference data
    rules:switch     the parameters `enable` and `disable`
    rules:reload     no address of this version needs it
    reference:load   no address of this version needs it
    admin            all of these
    """
    key_id, text = new_text()
    now = _now()
    expires = None if never_expires else now + timedelta(days=days)
    distinct = tuple(dict.fromkeys(scopes))
    key = Key(key_id, key_digest(text), tenant, distinct, name, now, expires, rate=rate, concurrent=concurrent)
    with errors_as_messages():
        _store().add(key)
    _print_new(key, text, as_json)


@keys.command(name="list")
@click.option("--tenant", callback=lambda c, o, name: name and _tenant(c, o, name), help="Only keys of this tenant.")
@_as_json
def list_(tenant: str | None, as_json: bool) -> None:
    """List the keys: what is shown of each, and whether it is valid, expired or revoked.

    \b
    scrubber keys list
    scrubber keys list --tenant clinic-a --json
    """
    with errors_as_messages():
        found = [key for key in _store().every() if tenant in (None, key.tenant)]
    now = _now()
    if as_json:
        click.echo(orjson.dumps({"keys": [_document(key, now) for key in found]}))
        return
    if not found:
        click.echo("no keys; make one with `scrubber keys create --tenant NAME --scope scrub`")
        return
    header = ("key", "tenant", "name", "state", "scopes", "created", "expires", "rate", "concurrent")
    rows = [
        (
            key.public_id,
            key.tenant,
            key.name,
            key.state(now),
            " ".join(key.scopes),
            _minute(key.created),
            _minute(key.expires) or "never",
            None if key.rate is None else f"{key.rate:g}/s",
            key.concurrent,
        )
        for key in found
    ]
    for line in columns(header, rows, frozenset({"rate", "concurrent"})):
        click.echo(line)


@keys.command()
@_key_id
@click.option(
    "--overlap",
    type=click.FloatRange(0, 8_760),
    default=OVERLAP_HOURS,
    show_default=True,
    metavar="HOURS",
    help="Hours in which both keys are good.",
)
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="Until the new key expires. [as long as the old one was made for]"
)
@_as_json
def rotate(key_id: str, overlap: float, days: int | None, as_json: bool) -> None:
    """Make a key that takes the place of KEY, with its tenant, scopes and limits, and print it.

    KEY stays good for the hours of the overlap, but never longer than it was: give the new key to whoever uses it
    meanwhile. The log of the service names keys by what `scrubber keys list` shows, so it tells who still uses the old
    one.

    \b
    scrubber keys rotate scrubber_3f9a1c20b7d4
    scrubber keys rotate 3f9a1c20b7d4 --overlap 0 --days 90 --json
    """
    new_id, text = new_text()
    now = _now()

    def successor(old: Key) -> Key:
        if old.state(now) != "valid":
            raise Unusable(f"{old.public_id} is {old.state(now)}; make a new key with `scrubber keys create`")
        lifetime = None if old.expires is None else old.expires - old.created
        lasts = lifetime if days is None else timedelta(days=days)
        return replace(
            old,
            id=new_id,
            digest=key_digest(text),
            created=now,
            expires=None if lasts is None else now + lasts,
            replaces=old.id,
        )

    with errors_as_messages():
        key = _found(lambda store, given_id: store.rotate(given_id, successor, now + timedelta(hours=overlap)), key_id)
    _print_new(key, text, as_json)


@keys.command()
@_key_id
@_as_json
def revoke(key_id: str, as_json: bool) -> None:
    """Take KEY back: within seconds every process of the service refuses it. It cannot be undone.

    \b
    scrubber keys revoke scrubber_3f9a1c20b7d4
    """
    now = _now()
    with errors_as_messages():
        key = _found(lambda store, given_id: store.revoke(given_id, now), key_id)
    if as_json:
        click.echo(orjson.dumps(_document(key, now)))
    else:
        click.echo(f"{key.public_id} of {key.tenant} is revoked")


def _store() -> KeyStore:
    settings = current_settings()
    store = open_keys(settings.state, settings.database)
    if store is None:
        raise Unusable("there is no place for API keys: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL")
    return store


def _found(change: Callable[[KeyStore, str], Key | None], name: str) -> Key:
    given_id = id_given(name)
    key = change(_store(), given_id) if given_id else None
    if key is None:
        raise Unusable("there is no such key; `scrubber keys list` shows them as scrubber_ and 12 letters and digits")
    return key


def _print_new(key: Key, text: str, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(_document(key, key.created) | {"text": text}))
        return
    until = f"until {_minute(key.expires)} UTC" if key.expires else "until it is revoked"
    click.echo(f"{key.public_id} of {key.tenant}, for {' '.join(key.scopes)}, {until}. {_ONLY_TIME}", err=True)
    click.echo(text)


def _document(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "key": key.public_id,
        "tenant": key.tenant,
        "name": key.name,
        "state": key.state(now),
        "scopes": key.scopes,
        "created": _moment(key.created),
        "expires": _moment(key.expires),
        "revoked": _moment(key.revoked),
        "replaces": None if key.replaces is None else f"scrubber_{key.replaces}",
        "rate": key.rate,
        "concurrent": key.concurrent,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def _minute(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else None


def _now() -> datetime:
    return datetime.now(UTC)
