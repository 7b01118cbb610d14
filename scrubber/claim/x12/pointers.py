"""Values of a JSON body with their pointers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Path = tuple[str, ...]


class Located(NamedTuple):
    """An object of a body, and its pointer."""

    object: dict[str, Any]
    pointer: str


def pointer_of(at: Located, inside: Path) -> str:
    """The pointer of what stands in an object under these names."""
    return at.pointer + "".join(f"/{name}" for name in inside)


def value_in(at: Located, inside: Path) -> Any:
    """What stands in an object under these names; None where nothing does."""
    value: Any = at.object
    for name in inside:
        value = value.get(name) if type(value) is dict else None
    return value


def listed_in(at: Located, inside: Path) -> Iterator[Located]:
    """The objects of a list in an object."""
    value, pointer = value_in(at, inside), pointer_of(at, inside)
    for index, entry in enumerate(value if type(value) is list else []):
        if type(entry) is dict:
            yield Located(entry, f"{pointer}/{index}")


def scalars(value: Any) -> Iterator[tuple[str, Any]]:
    """The scalars in a value, with their pointers from it on."""
    waiting = [("", value)]
    while waiting:
        pointer, one = waiting.pop()
        if type(one) is dict:
            waiting += [(f"{pointer}/{name}", inner) for name, inner in one.items()]
        elif type(one) is list:
            waiting += [(f"{pointer}/{index}", inner) for index, inner in enumerate(one)]
        else:
            yield pointer, one


def is_something(value: Any) -> bool:
    """Whether a value says something: not null, and no text of blanks."""
    return value is not None and value not in ([], {}) and not (type(value) is str and not value.strip())
