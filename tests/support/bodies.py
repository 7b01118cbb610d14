"""Bodies that no sender should write: a good one with any node replaced, dropped, added to, or in another order."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import strategies as st

from tests.support.claims import Body, office_claim, tbs_claim

CANARY = "ZQXCANARY"

_scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["", " ", "1e3", "-0", "20250229", "1,000.00", "$5", "A", "1", "Y", "٣", CANARY])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip

_REPLACEMENTS: tuple[Any, ...] = (
    None, "", " ", {}, [], [[]], [{}], [None], [""], {"a": 1}, True, False, 0, 1, -1, 11, 1.5, 60.005, 1e300, 10**18,
    -0.0, "1", "-0", "-5.00", "1e3", "1,000.00", "$5", " 5", "5.", "NaN", "20250229", "2025-03-12", "m81.0",
    "20250312-20250314", "g0130", "Y", "yes", "ab", "A", "M", "0", "999999999999999999", "x" * 2_000, "٣", "\x00",
    "352-33", [["1"]], ["B"], [1, 2], [[["1"]]], ["1", ""], [{"npi": []}],
    CANARY, [CANARY], {CANARY: CANARY}, {"name": CANARY},
)  # fmt: skip


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every node but the root."""
    found = []
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in entries:
        found.append((*path, key))
        found += paths(inner, (*path, key))
    return found


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body, changed in place."""
    node = body
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return body


def _replacement(chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice(_REPLACEMENTS))


def mutated(chance: random.Random, body: Body) -> Any:
    """One to four nodes replaced, dropped or added."""
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(paths(body))
        node = body
        for key in path[:-1]:
            node = node[key]
        match chance.randint(0, 9):
            case 0:
                del node[path[-1]]
            case 1 if isinstance(node, dict):
                node[chance.choice(["extra", "procedureCode", "zip", "npi", CANARY + " 1", "lines"])] = chance.choice(
                    _REPLACEMENTS
                )
            case _:
                node[path[-1]] = _replacement(chance)
        if not paths(body):
            break
    return body


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """A good body with one node replaced by any JSON value."""
    body = draw(st.sampled_from([office_claim, tbs_claim]))()
    return replaced(body, draw(st.sampled_from(paths(body))), draw(JSON))


def shuffled_keys(chance: random.Random, node: Any) -> Any:
    """The same body with the keys of every object in another order."""
    if isinstance(node, dict):
        keys = list(node)
        chance.shuffle(keys)
        return {key: shuffled_keys(chance, node[key]) for key in keys}
    return [shuffled_keys(chance, inner) for inner in node] if isinstance(node, list) else node
