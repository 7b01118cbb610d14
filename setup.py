"""Builds the package; with CLAIM_SCRUBBER_COMPILE=1 the modules that work on each claim are compiled to C by mypyc.

Compiled or not, the source is the same and so are the answers (tests/test_compiled.py); compiled takes 60 % of the
time. It needs a C compiler and the mypy of requirements-build.txt. An editable install is never compiled: what was
compiled would go on to run when its source is edited.
"""

import os
from pathlib import Path

from setuptools import setup

ON_EACH_CLAIM = (
    "scrubber/claim/parse.py",
    "scrubber/claim/unpack.py",
    "scrubber/claim/whole.py",
    "scrubber/claim/v3/*.py",
    "scrubber/claim/x12/*.py",
    "scrubber/facts/*.py",
    "scrubber/engine/encode.py",
    "scrubber/relations/*.py",
    "scrubber/findings/*.py",
    "scrubber/pricing/*.py",
    "scrubber/response/values.py",
    "scrubber/scrub.py",
    "scrubber/batch/scrub_chunk.py",
)
AS_THEY_ARE = (
    # Names that a package offers: nothing to run.
    "scrubber/claim/x12/__init__.py",
    "scrubber/facts/__init__.py",
    "scrubber/relations/__init__.py",
    "scrubber/findings/__init__.py",
    "scrubber/pricing/__init__.py",
    # Classes that marshmallow builds at import.
    "scrubber/claim/v3/schema.py",
    # Not of a claim's path.
    *(f"scrubber/claim/x12/{name}.py" for name in ("write", "interchange", "layout", "fixed", "texts", "pointers")),
    *(f"scrubber/claim/x12/{name}.py" for name in ("v3_shape", "unusual")),
    "scrubber/claim/v3/cms1500.py",
    "scrubber/pricing/verify.py",
)


def compiled() -> list[object]:
    """The extension modules that mypyc builds of the modules above."""
    from mypyc.build import mypycify

    modules = sorted(str(path) for pattern in ON_EACH_CLAIM for path in Path().glob(pattern))
    chosen = [path for path in modules if not path.endswith(AS_THEY_ARE)]
    # The check of types is `make types`: here packages without types shall do no harm.
    level = os.environ.get("CLAIM_SCRUBBER_OPTIMISE", "2")  # of the C compiler; 0 compiles fast
    return mypycify(["--config-file=", "--ignore-missing-imports", *chosen], opt_level=level)


setup(ext_modules=compiled() if os.environ.get("CLAIM_SCRUBBER_COMPILE") == "1" else [])
