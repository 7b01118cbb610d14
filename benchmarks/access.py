"""What a key costs: instructions of one claim over HTTP without the check, where nobody needs a key, and with one.

    .venv/bin/python benchmarks/access.py

Needs valgrind. One process answers the same claims in four ways, in process, without sockets; callgrind counts the
instructions between marks, so that nothing else on the machine changes the figures. Exit code 1: a key with limits
costs more than 3 % of a claim.
"""

from __future__ import annotations

import copy
import gc
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

CLAIMS = 40
MOST = 0.03
MARK = "getppid"  # a function of the C library that nothing else calls
WAYS = ("without the check", "no key needed", "with a key", "with a key and limits")


def main() -> int:
    """Counts and prints; the exit code."""
    if shutil.which("valgrind") is None:
        print("what a key costs: not measured, valgrind is not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={folder}/out"]
        environ = os.environ | {"PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}
        subprocess.run(
            [*command, sys.executable, "-P", __file__, "answer"], check=True, capture_output=True, env=environ
        )
        counts = [_counted(Path(f"{folder}/out.{number}")) for number in range(2, 2 + len(WAYS))]
    base = counts[0]
    print(f"{'':24}{'instructions a claim':>22}{'more':>9}")
    for way, count in zip(WAYS, counts, strict=True):
        print(f"{way:24}{count // CLAIMS:>22,}{(count / base - 1):>9.2%}")
    return int(counts[-1] / base - 1 > MOST)


def _counted(dump: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"callgrind wrote no total into {dump.name}")
    return int(found[1])


def answer_claims() -> None:
    """In the process that is counted."""
    from benchmarks.scrub import four_tbs_lines, variants
    from scrubber.access import known_keys
    from tests.support.keys import add_key, store_in

    # A service reads its keys every 2 s, beside the requests: some thousand claims. Under valgrind that would be every
    # few claims, and what is counted would depend on the machine.
    known_keys.READ_EVERY = known_keys.USABLE_FOR = 86_400.0
    bodies = variants(four_tbs_lines())[:CLAIMS]
    with tempfile.TemporaryDirectory() as folder:
        store = store_in(Path(folder))
        text = add_key(store, "scrub", rate=1e6, concurrent=1_000)
        free = add_key(store, "scrub")
        apps = [_app(None, hooks=False), _app(None), _app(Path(folder)), _app(Path(folder))]
        keys = [None, None, free, text]
        for app, key in zip(apps, keys, strict=True):
            _ask(app, bodies, key)
        gc.collect()
        gc.disable()  # else it falls now into one way, now into another
        os.getppid()
        for app, key in zip(apps, keys, strict=True):
            _ask(app, bodies, key)
            os.getppid()


def _app(state: Path | None, hooks: bool = True) -> Any:
    from scrubber.app import create_app
    from scrubber.config import Settings

    app = create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 3, 10_000_000, state=state), _scrubber())
    if not hooks:
        lists: tuple[dict[Any, list[Any]], ...] = (
            app.before_request_funcs,
            app.after_request_funcs,
            app.teardown_request_funcs,
        )
        for listed in lists:
            listed[None] = [hook for hook in listed.get(None, []) if not _is_ours(hook)]
        app.wsgi_app = app.wsgi_app.inner  # type: ignore[method-assign, attr-defined]
    return app


def _is_ours(hook: Any) -> bool:
    module: str = getattr(hook, "func", hook).__module__
    return module == "scrubber.api.access"


def _scrubber(made: list[Any] = []) -> Any:  # noqa: B006 -- one for all
    from scrubber.scrub import open_scrubber

    if not made:
        made.append(open_scrubber(ROOT / "rules", None))
    return made[0]


def _ask(app: Any, bodies: list[bytes], key: str | None) -> None:
    from werkzeug.test import EnvironBuilder

    headers = [("Content-Type", "application/json"), *([("Authorization", f"Bearer {key}")] if key else [])]
    environ = EnvironBuilder("/v1/claims/scrub", method="POST", headers=headers).get_environ()
    for body in bodies:
        asked = copy.copy(environ) | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answered: list[str] = []
        pieces = app(asked, lambda status, _headers, answered=answered: answered.append(status))
        b"".join(pieces)
        pieces.close()
        if answered != ["200 OK"]:
            raise SystemExit(f"a claim was answered with {answered}")


if __name__ == "__main__":
    if sys.argv[1:] == ["answer"]:
        answer_claims()
    else:
        raise SystemExit(main())
