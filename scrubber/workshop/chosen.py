"""Beside the path: rules chosen by what a person asks for: a code, a payer, a day."""

from __future__ import annotations

from datetime import date

from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.firing import fires_when
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has, InList, Rule, leaves
from scrubber.rulebook.satisfiable import satisfiable
from scrubber.rulebook.tables import Payer
from scrubber.vocabulary import KINDS, LINES_OF_BUSINESS

CODE_FACTS = ("procedure", "first", "second")


def names_code(rule: Rule, code: str, book: Rulebook) -> bool:
    """Whether a condition names the procedure code, or a list or a range that has it on any day."""
    for leaf in (*leaves(rule.applies), *leaves(rule.when)):
        if leaf.fact not in CODE_FACTS:
            continue
        match leaf:
            case Has(_, _, values) if code in values:
                return True
            case InList(_, _, name) if book.lists.may_contain(name, code):
                return True
            case Compare(_, _, value) if value == code:
                return True
    return False


def may_fire_on_code(rule: Rule, code: str, book: Rulebook) -> bool:
    """False only where the rule could fire on no claim line of the code; rules that look at no code are not asked."""
    kind = KINDS[rule.scope]
    facts = [fact for fact in CODE_FACTS if fact in kind.fields]
    billed = AnyOf(tuple(Compare(fact, "is", code) for fact in facts))
    return bool(facts) and satisfiable((*fires_when(rule), (billed, True)), kind, book.lists)


def may_fire_for_payer(rule: Rule, payer: Payer, day: date, book: Rulebook) -> bool:
    """False where the payer does not apply the rule's pack, or the rule is for other kinds of payers."""
    if book.adopted(rule.pack, payer, day) is False:
        return False
    if payer.line_of_business == "unknown":
        return True
    kind = KINDS[rule.scope]
    theirs = AllOf((Compare("lineOfBusiness", "is", payer.line_of_business),))
    return satisfiable((*fires_when(rule), (theirs, True)), kind, book.lists)


def payer_called(name: str, book: Rulebook) -> Payer | None:
    """The payer that a word means: a line of business, or a name of tables/aliases.csv; None when it means none."""
    if name in LINES_OF_BUSINESS:
        return Payer(None, name, None, None)
    names = {row.payer.casefold(): row.payer for row in book.rows.get("aliases", ())}
    found = names.get(name.casefold())
    return Payer(found, "unknown", None, None) if found else None
