"""Step 1c of a claim's path: what reading a claim left to tell: unreadable scalars, changes, unknown names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scrubber.claim import Normalised, Unreadable
from scrubber.intake.normalise import Odd, Several

Loaded = Mapping[str, Any]


class Notes:
    """Takes values out of what was loaded and keeps, in the order of reading, what was odd about them."""

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []
        self.normalised: list[Normalised] = []
        self.unmapped: list[str] = []
        self.moved: dict[str, str] = {}

    def take(self, loaded: Loaded, name: str, place: str, element: str | None, line: int | None = None) -> Any:
        """The value under `name`, or None. `place` is the pointer of what was loaded.

        An unreadable value of no `element` is only told as left out: no check looks for it.
        """
        value = loaded.get(name)
        if type(value) is Odd:
            return self.tell(value, f"{place}/{name}", element, line)
        return value

    def take_each(
        self,
        loaded: Loaded,
        names: Sequence[str],
        place: str,
        elements: Sequence[str | None],
        line: int | None = None,
    ) -> list[Any]:
        """The values under several names, as `take` and `take_several` give them; a list that is not there is None."""
        values = [*map(loaded.get, names)]
        types = [*map(type, values)]
        if Odd in types or Several in types:
            for index, (name, element) in enumerate(zip(names, elements, strict=True)):
                values[index] = self._told(values[index], f"{place}/{name}", element, line)
        return values

    def _told(self, value: Any, pointer: str, element: str | None, line: int | None) -> Any:
        if type(value) is Odd:
            return self.tell(value, pointer, element, line)
        if type(value) is not Several:
            return value
        for suffix, odd in value.odd:
            self.tell(odd, f"{pointer}{suffix}", element, line)
        return value.values

    def take_either(
        self,
        loaded: Loaded,
        name: str,
        older: str,
        place: str,
        element: str | None,
        line: int | None = None,
    ) -> Any:
        """The value under `name`, else the one under its `older` name; that one is unmapped when both are there."""
        if loaded.get(older) is None:
            return self.take(loaded, name, place, element, line)
        if loaded.get(name) is not None:
            self.unmapped.append(f"{place}/{older}")
            return self.take(loaded, name, place, element, line)
        self.change(f"{place}/{older}", f"{older} read as {name}")
        self.stands_at(f"{place}/{name}", f"{place}/{older}")
        return self.take(loaded, older, place, element, line)

    def take_several(
        self, loaded: Loaded, name: str, place: str, element: str, line: int | None = None
    ) -> tuple[Any, ...]:
        """The values of a list under `name`; () when there is none."""
        return self._told(loaded.get(name), f"{place}/{name}", element, line) or ()

    def tell(self, odd: Odd, pointer: str, element: str | None, line: int | None = None) -> Any:
        """Keep what was odd about a value; the value as understood."""
        if odd.expected is None:
            self.change(pointer, odd.change or "")
        elif element is None:
            self.change(pointer, f"unreadable {odd.expected} left out")
        else:
            self.unreadable.append(Unreadable(element, odd.expected, pointer, line))
        return odd.value

    def stands_at(self, pointer: str, sent: str) -> None:
        """What has `pointer` by the names of the model stands at `sent` in the body."""
        self.moved[pointer] = sent

    def change(self, pointer: str, change: str) -> None:
        """Something was understood although it was not sent as the model says."""
        self.normalised.append(Normalised(pointer, change))
