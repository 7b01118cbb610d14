"""Look-ups of facts and money: the PTP edits of one code on a day, unpacked as far as somebody reads them.

Some codes have six thousand partners, of which a page shows a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import overload

from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.packing import Texts
from scrubber.reference.ptp_packing import edit_at, in_force_at


def in_force_on(day: date, code: str, of_column1: bytes, of_column2: bytes, texts: Texts) -> Sequence[PtpEdit]:
    """The edits in force on a day, in the bytes that lie under a code as column 1, and then as column 2."""
    return _Partners(code, of_column1, of_column2, texts, day)


class _Partners(Sequence[PtpEdit]):
    """Which windows are in force is known at once; a window becomes an edit when it is asked for."""

    def __init__(self, code: str, of_column1: bytes, of_column2: bytes, texts: Texts, day: date) -> None:
        self._code = code
        self._packed = of_column1, of_column2
        self._texts = texts
        self._first, self._second = in_force_at(of_column1, day), in_force_at(of_column2, day)

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    @overload
    def __getitem__(self, at: int) -> PtpEdit: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[PtpEdit]: ...

    def __getitem__(self, at: int | slice) -> PtpEdit | Sequence[PtpEdit]:
        if isinstance(at, slice):
            return tuple(self._edit(each) for each in range(len(self))[at])
        return self._edit(range(len(self))[at])

    def _edit(self, at: int) -> PtpEdit:
        as_column1, as_column2 = self._packed
        if at < len(self._first):
            return edit_at(as_column1, self._first[at], self._code, None, self._texts)
        return edit_at(as_column2, self._second[at - len(self._first)], None, self._code, self._texts)
