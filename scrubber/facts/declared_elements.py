"""Says which unknown names of documentation a family of the rulebook declares: these were read after all.

The reader of claims knows no rulebook, so it lists every element that has no name of its own as not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from scrubber.claim.model import Claim, FurtherElement
from scrubber.claim.v3.fast_load import unmapped_pointers
from scrubber.rulebook.rulebook import Rulebook


def unmapped(claim: Claim, rulebook: Rulebook) -> tuple[str, ...]:
    """Pointers to what was not read of a claim. Of an object that is known in part, those of its unknown members."""
    by_name: dict[str, list[FurtherElement]] = {}
    for element in _further(claim):
        by_name.setdefault(claim.pointer_as_sent(element.within), []).append(element)
    if not by_name:
        return claim.unmapped
    found = [pointer for pointer in claim.unmapped if pointer not in by_name]
    for pointer, elements in by_name.items():
        unknown = [each.pointer for each in elements if each.name not in rulebook.documentation_elements]
        found += [pointer] if len(unknown) == len(elements) else map(claim.pointer_as_sent, unknown)
    return unmapped_pointers(found)


def as_declared(claim: Claim, rulebook: Rulebook) -> Claim:
    """The claim without the suspicion that a declared name of documentation is the misspelling of another."""
    if not claim.resembling or not rulebook.documentation_elements:
        return claim
    declared = {
        claim.pointer_as_sent(each.within) for each in _further(claim) if each.name in rulebook.documentation_elements
    }
    left = tuple(name for name in claim.resembling if name.pointer not in declared)
    return replace(claim, resembling=left, corrected=claim.corrected if left else None)


def _further(claim: Claim) -> Iterator[FurtherElement]:
    for block in claim.context.documentation:
        yield from block.further
