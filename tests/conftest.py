"""What several test modules share: the shipped rules and starter tables, opened once."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scrubber.authoring import check_cache
from scrubber.authoring.admission import admit
from scrubber.reference import open_reference
from scrubber.scrub import Scrubber
from tests.support.batches import Keep, forget_batches
from tests.support.rule_folders import shipped_scrubber
from tests.support.stores import postgres_server

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says something of the machine, and nothing of the program.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("proof", settings.get_profile("any machine"), max_examples=1_000)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program keeps is kept below pytest's folders, not below the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> Iterator[None]:
    """Programs that the tests start notice an interrupt, also where a shell in the background ignores it for us."""
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, ours)


@pytest.fixture(scope="session")
def shipped() -> Scrubber:
    """The shipped rulebook over the starter tables."""
    return shipped_scrubber()


@pytest.fixture(scope="session")
def shipped_passed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Puts on record in a folder of state that the shipped rules passed, so that what starts there only loads them.

    They are checked once for all tests that run beside each other.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / check_cache.FILE).exists():
            admit(ROOT / "rules", open_reference(None), check_cache.CheckCache(shared), 1)

    def put_on_record(state: Path) -> Path:
        state.mkdir(parents=True, exist_ok=True)
        shutil.copy(shared / check_cache.FILE, state)
        return state

    return put_on_record


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that runs for the tests."""
    # Not below pytest's folders: the server runs as another user, who may not read them.
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Keep:
    """What keeps batches, in each way there is."""
    if request.param == "sqlite":
        return Keep(tmp_path)
    address = request.getfixturevalue("postgres")
    forget_batches(address)
    return Keep(tmp_path, address)
