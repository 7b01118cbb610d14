"""Says what a finding takes from the fact or a row of a table in place of its rule: severity, reason, dollars."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from scrubber.facts.fact import Fact, RowValue
from scrubber.rulebook.relations import Own
from scrubber.rulebook.rule import SEVERITIES, Authority, FromRow, Reason, Rule

NO_VALUE = RowValue(None, known=False)


def severity_of(rule: Rule, fact: Fact) -> str:
    """How severe a finding of a rule on a fact is, whoever pays: what its row says, else the rule.

    Where nobody knows what the row says, nothing is denied.
    """
    source = rule.by_row.severity if rule.by_row is not None else None
    if source is None:
        return rule.severity
    value = value_taken(source, rule, fact)
    if value.text in SEVERITIES:
        return value.text or rule.severity
    return rule.severity if value.known or rule.severity != "deny" else "warn"


def reason_of(rule: Rule, fact: Fact) -> Reason | None:
    """The codes expected on the remittance, of a rule that takes some of them from a row; None: not known."""
    by_row = rule.by_row
    if by_row is None:
        return rule.reason
    group, carc = (_text(part, rule, fact) for part in (by_row.group, by_row.carc))
    if group is None or carc is None:
        return None
    if isinstance(by_row.rarc, FromRow):
        return Reason(group, carc, tuple((_text(by_row.rarc, rule, fact) or "").split()))
    return Reason(group, carc, by_row.rarc)


def amount_at_risk(rule: Rule, fact: Fact) -> Decimal | None:
    """The dollars at risk of a rule that names them, never less than nothing; None: not known."""
    source = rule.by_row.at_risk if rule.by_row is not None else None
    text = _text(source, rule, fact)
    return None if text is None else max(Decimal(text), Decimal("0.00"))


def authority_of(rule: Rule, fact: Fact) -> tuple[Authority, ...]:
    """The authority of the row that says how severe a finding is, where its table has columns for it."""
    columns = rule.by_row.authority if rule.by_row is not None else ()
    if not columns:
        return ()
    kind, title, binding = (_text(column, rule, fact) for column in columns)
    return () if kind is None or title is None else (Authority(kind, title, binding=binding == "yes"),)


def taken_values(rule: Rule, fact: Fact) -> Mapping[str, str]:
    """What a finding takes from rows, by name, as evidence; fields of the fact, and what has no value, are left out."""
    taken = rule.by_row.taken() if rule.by_row is not None else ()
    values = {each.name: value_taken(each, rule, fact).text for each in taken if not each.plain}
    return {name: text for name, text in values.items() if text is not None}


def _text(part: FromRow | str | None, rule: Rule, fact: Fact) -> str | None:
    if not isinstance(part, FromRow):
        return part
    text = value_taken(part, rule, fact).text
    return part.otherwise if text is None else text


def value_taken(source: FromRow, rule: Rule, fact: Fact) -> RowValue:
    """The value of a name that findings of a rule take from a row or a fact."""
    if not source.plain:
        return (fact.row_values or {}).get(rule.id, {}).get(source.name, NO_VALUE)
    value = fact.values.get(source.name)
    if value is None:
        return NO_VALUE
    places = source.operand.type.places if isinstance(source.operand, Own) else None
    return RowValue(str(Decimal(value).scaleb(-places) if places else value), known=True)
