"""Makes the facts of pairs of lines: under an NCCI procedure-to-procedure edit, or named by a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import product
from typing import Any, NamedTuple

from scrubber.dated_rows import in_force
from scrubber.facts.documentation import Documents, modifier_support
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact, LookUps, release_evidence
from scrubber.facts.service_lines import ByCode, LineView, payer_fields
from scrubber.reference import Reference
from scrubber.reference.rows import PtpEdit
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import CodeLists, Rulebook

Pairs = frozenset[tuple[str, str]]  # code that stays, code that falls


def named_pair_facts(
    by_code: ByCode, pairs: Pairs, applied: bool, documents: Documents, edit_facts: Sequence[Fact]
) -> Iterator[Fact]:
    """One fact for each named pair that two lines of one provider and day make, unless `edit_facts` hold it already.

    `applied`: whether the payer applies NCCI edits.
    """
    present = [pair for pair in pairs if pair[0] in by_code and pair[1] in by_code]
    if not present:
        return
    fallen = {(fact.values["first"], fact.lines[0]) for fact in edit_facts}  # code that stays, line that falls
    for first, second in sorted(present):
        lines = product(by_code[first], by_code[second])
        one, other = next(((one, other) for one, other in lines if _together(one, other)), (None, None))
        if one is not None and other is not None and (first, other.number) not in fallen:
            edit = (second, one.number) in fallen
            yield _named_pair(one, other, documents, {"edit": edit, "editApplies": edit and applied})


def _named_pair(stays: LineView, falls: LineView, documents: Documents, edit: dict[str, bool]) -> Fact:
    values = payer_fields(stays.payer) | modifier_support(documents, stays.number, falls.number)
    values |= {"first": stays.line.procedure, "second": falls.line.procedure, **edit}
    if stays.first and falls.first:
        values["day"] = max(stays.first, falls.first).toordinal()
    return Fact("pair", values, (falls.number,), (stays.number,))


def _together(one: LineView, other: LineView) -> bool:
    if not (one.first and one.last and other.first and other.last) or one.provider != other.provider:
        return False
    return one is not other and max(one.first, other.first) <= min(one.last, other.last)


EITHER_LINE_SINCE = date(2019, 7, 1)  # CMS change request 11168: a modifier on column one counts too
NCCI = "cms-ncci"  # the pack of the edits
EM_LIST = "evaluation-and-management"
LISTS_BY_GROUP = {  # codes on which a group counts
    "global-surgery-em": EM_LIST,
    "laboratory": "clinical-laboratory",
    "mammography": "diagnostic-mammography",
}
PARTNERS_BY_GROUP = {"mammography": "screening-mammography"}  # codes beside which alone a group means anything
SIDES = ("sites-right", "sites-left")  # modifiers by the side of the body that they name; 50 stands in both
WHOLE_SIDES = "sites-whole-side"  # those that name a side and no smaller place on it
VESSELS = "sites-vessels"  # coronary arteries
BYPASSES = ("used", "doubtful", "beside-visit", "misplaced")  # the first that some modifier is, counts
BUNDLED = ("none", "beside-visit", "misplaced")  # nothing separates the two lines
NCCI_ADOPTED = ("adopted", NCCI)
_EDIT = ("ptp_among", "")
PAIR_LOOK_UPS: LookUps = {
    "edit": (_EDIT,),
    "editApplies": (_EDIT, NCCI_ADOPTED),
    "modifierIndicator": (_EDIT,),
    "bypass": (_EDIT, ("modifier", "")),
}
REMEMBERED = 4_096  # pairs of codes with their modifiers that a process remembers


def edits_apply(payer: Payer, day: date, rulebook: Rulebook) -> bool:
    """Whether the payer is known to apply the NCCI edits."""
    return NCCI in rulebook.packs and rulebook.adopted(NCCI, payer, day) is True


def pair_facts(
    by_code: ByCode,
    applied: bool,
    documents: Documents,
    exclusions: Exclusions,
    lists: CodeLists,
    reference: Reference,
) -> Iterator[Fact]:
    """One fact for each line that an edit puts into column two, and each code that stands in column one against it.

    None for an excluded service that is billed for a denial: that is what it gets, and the edit costs nobody anything.
    `applied`: whether the payer applies the edits.
    """
    if len(by_code) < 2:
        return
    days = [day for group in by_code.values() for view in group for day in (view.first, view.last) if day]
    edits = reference.ptp_among(by_code.keys(), min(days), max(days))
    for (column1, column2), windows in edits.items():
        for fallen in by_code[column2]:
            if exclusions.billed_for_denial(fallen):
                continue
            for fact in _worst_pair(by_code[column1], fallen, windows, documents, lists, reference):
                fact.values["editApplies"] = applied
                yield fact


def _worst_pair(
    stays: Sequence[LineView],
    fallen: LineView,
    windows: Sequence[PtpEdit],
    documents: Documents,
    lists: CodeLists,
    reference: Reference,
) -> Iterator[Fact]:
    """The fallen line against every line of one column-one code: the bundled ones together, else the worst of them."""
    found_pairs: list[tuple[LineView, _EditFound]] = []
    for other in stays:
        edit, day = _edit_between(other, fallen, windows)
        if edit is None or other.provider != fallen.provider:
            continue
        if edit.indicator != "0" and "modifiers" in other.unread | fallen.unread:
            continue  # a modifier may separate them, and nobody knows which stand there
        found_pairs.append((other, _EditFound(edit, day, *_bypass(_side(other), _side(fallen), day, lists, reference))))
    # The most certain of the bundled speaks for them, wherever the sender put it, so that order changes no finding.
    bundled = sorted(
        [pair for pair in found_pairs if pair[1].bypass in BUNDLED], key=lambda pair: BUNDLED.index(pair[1].bypass)
    )
    found = bundled or [pair for pair in found_pairs if pair[1].bypass == "doubtful"][:1] or found_pairs[:1]
    if found:
        yield _pair_fact(*found[0], fallen, documents, reference, tuple(sorted(other.number for other, _ in found)))


class _EditFound(NamedTuple):
    """The edit between two lines, the first day on which it holds, and what separates them by which modifiers."""

    edit: PtpEdit
    day: date
    bypass: str
    modifiers: tuple[str, ...]


class _Side(NamedTuple):
    """What a line of a pair brings to the question of what separates it from the other."""

    code: str
    modifiers: tuple[str, ...]


def _side(view: LineView) -> _Side:
    return _Side(view.line.procedure or "", view.line.modifiers)


def _edit_between(one: LineView, other: LineView, windows: Sequence[PtpEdit]) -> tuple[PtpEdit | None, date]:
    """The edit in force on a day that both lines run, and the first such day; None when there is none."""
    if not (one.first and one.last and other.first and other.last):
        return None, date.min
    start, end = max(one.first, other.first), min(one.last, other.last)
    for edit in windows:
        day = max(start, edit.since or start)
        if edit.indicator != "9" and day <= end and in_force(edit, day):
            return edit, day
    return None, start


def _pair_fact(
    stays: LineView,
    found: _EditFound,
    falls: LineView,
    documents: Documents,
    reference: Reference,
    related: tuple[int, ...],
) -> Fact:
    edit = found.edit
    values = payer_fields(falls.payer) | {
        "day": found.day.toordinal(),
        "first": edit.column1,
        "second": edit.column2,
        "edit": True,
        "modifierIndicator": edit.indicator,
        "bypass": found.bypass,
    }
    values |= modifier_support(documents, stays.number, falls.number)
    evidence: dict[str, Any] = {
        "column1": edit.column1,
        "column2": edit.column2,
        "modifierIndicator": edit.indicator,
        **release_evidence("ncci-ptp", found.day, edit.source, reference),
    }
    if edit.since:
        evidence["since"] = edit.since.isoformat()
    message_words = {"modifiers-used": " ".join(found.modifiers)}
    return Fact("pair", values, (falls.number,), related, message_words=message_words, evidence=evidence)


@remembered(REMEMBERED)
def _bypass(
    stays: _Side, falls: _Side, day: date, lists: CodeLists, reference: Reference
) -> tuple[str, tuple[str, ...]]:
    """Whether an NCCI-associated modifier separates the two lines, one of BYPASSES or none; and which it is.

    Beside a visit that falls, a site on the procedure says nothing of the visit. Of two procedures, sites separate
    those whose sites differ; else they are doubtful.
    """
    counted = (falls, stays) if day >= EITHER_LINE_SINCE else (falls,)
    site = _site_word(stays, falls, day, lists)
    found: dict[str, list[str]] = {word: [] for word in BYPASSES}
    for side in (falls, stays):
        for modifier in side.modifiers:
            row = reference.modifier(modifier, day)
            if row is None or not row.ncci:
                continue
            partners = PARTNERS_BY_GROUP.get(row.ncci)
            other = stays if side is falls else falls
            if partners and not lists.contains(partners, other.code, day.toordinal()):
                continue
            codes = LISTS_BY_GROUP.get(row.ncci)
            counts = side in counted and (codes is None or lists.contains(codes, side.code, day.toordinal()))
            word = "misplaced" if not counts else site if row.ncci == "anatomic" else "used"
            found[word].append(modifier)
    return next(((word, tuple(dict.fromkeys(used))) for word, used in found.items() if used), ("none", ()))


def _site_word(stays: _Side, falls: _Side, day: date, lists: CodeLists) -> str:
    """What modifiers that name a site are worth between the two lines, one of BYPASSES."""
    if lists.contains(EM_LIST, falls.code, day.toordinal()):
        return "beside-visit"
    if lists.contains(EM_LIST, stays.code, day.toordinal()):
        return "doubtful"
    return "used" if sites_differ(stays.modifiers, falls.modifiers, day, lists) else "doubtful"


def sites_differ(one: Sequence[str], other: Sequence[str], day: date, lists: CodeLists) -> bool:
    """Whether each of two lines names a site, and no site of the one lies in or on a site of the other."""
    ones, others = _sites(one, day, lists), _sites(other, day, lists)
    return bool(ones and others) and all(_different_sites(a, b, day, lists) for a in ones for b in others)


def _sites(modifiers: Sequence[str], day: date, lists: CodeLists) -> list[str]:
    return [modifier for modifier in modifiers if _named_in((*SIDES, VESSELS), modifier, day, lists)]


def _different_sites(one: str, other: str, day: date, lists: CodeLists) -> bool:
    """Whether two sites are two places: other sides, other places of one side, or other vessels."""
    ones, others = _named_in((*SIDES, VESSELS), one, day, lists), _named_in((*SIDES, VESSELS), other, day, lists)
    if (VESSELS in ones) != (VESSELS in others):
        return False  # a coronary artery and a side of the body cannot be compared
    if VESSELS not in ones and ones.isdisjoint(others):
        return True
    whole = any(lists.contains(WHOLE_SIDES, site, day.toordinal()) for site in (one, other))
    return one != other and not whole


def _named_in(names: Sequence[str], modifier: str, day: date, lists: CodeLists) -> frozenset[str]:
    return frozenset(name for name in names if lists.contains(name, modifier, day.toordinal()))
