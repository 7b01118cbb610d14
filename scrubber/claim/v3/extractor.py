"""Takes values out of a loaded body, and records what was normalised, unreadable, unknown or elsewhere in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scrubber.claim.model import Normalised, Unreadable
from scrubber.claim.v3.values import IrregularList, IrregularValue

LoadedObject = Mapping[str, Any]


class Extractor:
    """Takes values out of loaded objects and records, in the order of reading, those that were irregular."""

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []
        self.normalised: list[Normalised] = []
        self.unmapped: list[str] = []
        self.moved: dict[str, str] = {}

    def take(self, loaded: LoadedObject, name: str, pointer: str, element: str | None, line: int | None = None) -> Any:
        """The value under `name`, or None. `pointer` is that of `loaded`.

        An unreadable value without an `element` is recorded as left out only: no check looks for it.
        """
        value = loaded.get(name)
        if type(value) is IrregularValue:
            return self.record(value, f"{pointer}/{name}", element, line)
        return value

    def take_each(
        self,
        loaded: LoadedObject,
        names: Sequence[str],
        pointer: str,
        elements: Sequence[str | None],
        line: int | None = None,
    ) -> list[Any]:
        """The values under several names, as `take` and `take_several` give them; a list that is not there is None."""
        values = [*map(loaded.get, names)]
        types = [*map(type, values)]
        if IrregularValue in types or IrregularList in types:
            for index, (name, element) in enumerate(zip(names, elements, strict=True)):
                values[index] = self._recorded(values[index], f"{pointer}/{name}", element, line)
        return values

    def _recorded(self, value: Any, pointer: str, element: str | None, line: int | None) -> Any:
        if type(value) is IrregularValue:
            return self.record(value, pointer, element, line)
        if type(value) is not IrregularList:
            return value
        for suffix, odd in value.odd:
            self.record(odd, f"{pointer}{suffix}", element, line)
        return value.values

    def take_either(
        self,
        loaded: LoadedObject,
        name: str,
        older: str,
        pointer: str,
        element: str | None,
        line: int | None = None,
    ) -> Any:
        """The value under `name`, else the one under its `older` name; that one is unmapped when both are there."""
        if loaded.get(older) is None:
            return self.take(loaded, name, pointer, element, line)
        if loaded.get(name) is not None:
            self.unmapped.append(f"{pointer}/{older}")
            return self.take(loaded, name, pointer, element, line)
        self.record_change(f"{pointer}/{older}", f"{older} read as {name}")
        self.record_moved(f"{pointer}/{name}", f"{pointer}/{older}")
        return self.take(loaded, older, pointer, element, line)

    def take_several(
        self, loaded: LoadedObject, name: str, pointer: str, element: str, line: int | None = None
    ) -> tuple[Any, ...]:
        """The values of a list under `name`; () when there is none."""
        return self._recorded(loaded.get(name), f"{pointer}/{name}", element, line) or ()

    def record(self, odd: IrregularValue, pointer: str, element: str | None, line: int | None = None) -> Any:
        """Records an irregular value; returns the value as understood."""
        if odd.expected is None:
            if odd.change:
                self.record_change(pointer, odd.change)
        elif element is None:
            self.record_change(pointer, f"unreadable {odd.expected} left out")
        else:
            self.unreadable.append(Unreadable(element, odd.expected, pointer, line))
        return odd.value

    def record_moved(self, pointer: str, sent: str) -> None:
        """Records that the value with `pointer` in the model is at `sent` in the body."""
        self.moved[pointer] = sent

    def record_change(self, pointer: str, change: str) -> None:
        """Records that a value was understood although it was not sent as the model says."""
        self.normalised.append(Normalised(pointer, change))
