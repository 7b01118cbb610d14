"""Marshmallow schemas of rule files, families and pack.yaml; the JSON Schema for editors is generated from them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, post_load, validate

from scrubber.claim.elements import ELEMENTS
from scrubber.rulebook.cell_forms import CELL_FORMS
from scrubber.rulebook.family import TYPES as ELEMENT_TYPES
from scrubber.rulebook.grammar import GRAMMARS, OLDEST
from scrubber.rulebook.remedy_schema import MOST_REMEDIES, RemedySchema
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.rule_tables import ROW_TYPES
from scrubber.rulebook.rulebook import STARTER_RELEASES, TEST_RELEASES
from scrubber.rulebook.table_declaration import ColumnField, TableDeclaration, TableSchema
from scrubber.rulebook.vocabulary import KINDS, LIST_TYPES
from scrubber.rulebook.yaml_file import Position, iso_day, read_yaml

STATUSES = ("draft", "shadow", "active", "deprecated")
AUTHORITY_KINDS = (
    "regulation", "cms-manual", "cms-table", "transaction-standard", "payer-policy", "house-policy", "advice",
)  # fmt: skip
AT_RISK = ("nothing", "line-allowed", "claim-allowed")
MOST_CHARACTERS = 2_000  # of one text
GROUPS = ("CO", "OA", "PI", "PR")
CARC = r"[A-Z]?[0-9]{1,3}"
RARC = r"[A-Z]{1,2}[0-9]{1,4}"
ID = r"[a-z0-9]+(-[a-z0-9]+)*"
ID_LIKE = "our-clinic-modifier-25: small letters, digits and single hyphens"


class DayField(fields.Field[date]):
    """An ISO date."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        day = iso_day(value)
        if day is None:
            raise ValidationError("Not a date such as 2025-03-12.")
        return day


class YesNoField(fields.Field[bool]):
    """`yes` or `no`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value not in ("yes", "no", "true", "false"):
            raise ValidationError("Must be yes or no.")
        return bool(value in ("yes", "true"))


def _word(*words: str, **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(words, error="Must be one of: {choices}."), **options)


def _text(about: str, **options: Any) -> fields.String:
    longest = validate.Length(max=MOST_CHARACTERS, error=f"has over {MOST_CHARACTERS:,} characters")
    return fields.String(validate=(validate.Length(min=1), longest), metadata={"description": about}, **options)


def _code(pattern: str, about: str, like: str, **options: Any) -> fields.String:
    validator = validate.Regexp(rf"(?:{pattern})\Z", error=f"Must look like {like}.")
    return fields.String(validate=validator, metadata={"description": about, "pattern": f"^({pattern})$"}, **options)


class ValueFromRow(NamedTuple):
    """The name of what a finding takes in place of what its rule states, and what holds where that has no value."""

    name: str
    otherwise: Any


class FromRowField(fields.Field[Any]):
    """What `plain` takes, or {from: NAME, otherwise: VALUE}: a column of a row, a fact or an amount says it.

    `otherwise`: `required`, `optional`, or `none` where nothing stands in for what is not known.
    """

    def __init__(self, plain: fields.Field[Any], about: str, otherwise: str = "required", **options: Any) -> None:
        super().__init__(metadata={"description": plain.metadata.get("description")}, **options)
        self.plain = plain
        name = _text("A column of a look-up (LOOK-UP.COLUMN), a fact of the scope, or an amount of the rule.")
        parts: dict[str, fields.Field[Any]] = {"from": name}
        name.required = True
        if otherwise != "none":
            plain_otherwise = copy(plain)
            plain_otherwise.required = otherwise == "required"
            plain_otherwise.metadata = {"description": "What holds where it has no value."}
            parts["otherwise"] = plain_otherwise
        self.schema = Schema.from_dict(dict(parts), name="ValueFromRowSchema")()
        self.about = about

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, Mapping):
            return self.plain.deserialize(value)
        loaded = self.schema.load(value)
        return ValueFromRow(loaded["from"], loaded.get("otherwise"))


class RuleAuthoritySchema(Schema):
    """By whose word the rule stands."""

    kind = _word(*AUTHORITY_KINDS, required=True, metadata={"description": "What kind of text it is."})
    title = _text("Name of the text, in our words where it has none.", required=True)
    locator = _text("Chapter, section, table, row.")
    url = _code(r"https?://\S+", "Address.", "https://www.example.com/page")
    retrieved = DayField(metadata={"description": "When it was read."})
    binding = YesNoField(
        load_default=False, metadata={"description": "Whether it binds the payer. A deny needs one that does."}
    )


class EffectiveDaysSchema(Schema):
    """Dates of service: from the first day, to the first day no longer."""

    since = DayField(data_key="from", metadata={"description": "First date of service."})
    until = DayField(data_key="to", metadata={"description": "First date of service no longer in force."})


class RuleReasonSchema(Schema):
    """What the remittance is expected to say. Codes only."""

    group = FromRowField(_word(*GROUPS), "A word of the fact or row: CO, OA, PI or PR.", required=True)
    carc = FromRowField(
        _code(CARC, "Claim adjustment reason code.", "236 or B7"),
        "A code of the row: a column of type text or x12-code.",
        otherwise="optional",
        required=True,
    )
    rarc = FromRowField(
        fields.List(_code(RARC, "Remittance advice remark code.", "M15 or N362")),
        "Codes of the row: a column of type text, with blanks between several.",
        otherwise="none",
        load_default=list,
    )


class RuleClaimStatusSchema(Schema):
    """What a clearinghouse would answer (277CA). Codes only."""

    category = _code(r"[A-Z][0-9]", "Claim status category.", "A7", required=True)
    code = _code(r"[0-9]{1,4}", "Claim status code.", "21", required=True)


class RuleYamlSchema(Schema):
    """One rule file."""

    id = _code(ID, "Name of the rule: the file's name.", ID_LIKE, required=True)
    version = fields.Integer(
        required=True, validate=validate.Range(min=1), metadata={"description": "Raised on any change of meaning."}
    )
    title = _text("One line for lists.", required=True)
    status = _word(*STATUSES, required=True, metadata={"description": "Only active rules have effect."})
    severity = FromRowField(
        _word(*SEVERITIES, metadata={"description": "How bad it is."}),
        "A column of a row, or a fact, whose words are of info, warn and deny.",
        required=True,
    )
    stage = _word(
        *STAGES,
        required=True,
        metadata={"description": "When it would cost: rejected, denied, or paid and taken back."},
    )
    category = _word(*CATEGORIES, required=True)
    scope = _word(*KINDS, required=True, metadata={"description": "What one finding of it is about."})
    owner = _text("A role, never a person.", required=True)
    reviewed = DayField(required=True, metadata={"description": "When a person last checked it against its authority."})
    effective = fields.Nested(
        EffectiveDaysSchema, required=True, metadata={"description": "Dates of service it holds for: from, to."}
    )
    authority = fields.List(fields.Nested(RuleAuthoritySchema), required=True, validate=validate.Length(min=1))
    applies = fields.Raw(
        load_default=None, metadata={"description": "Which facts the rule is for; all of it must hold."}
    )
    needs = fields.List(
        _text("A fact."), load_default=list, metadata={"description": "Facts without which it is not judged."}
    )
    look_up = fields.Raw(
        data_key="look-up", load_default=None, metadata={"description": "Rows of tables, by the names that follow."}
    )
    amounts = fields.Raw(
        load_default=None, metadata={"description": "Sums, counts and days, by the names that follow."}
    )
    when = fields.Raw(required=True, metadata={"description": "What is wrong."})
    bypassed = fields.Raw(
        load_default=None,
        metadata={"description": "When a modifier or a notice on the claim properly answers the rule."},
    )
    points_at = _word(
        *ELEMENTS, data_key="points-at", metadata={"description": "Element of the claim that a finding points at."}
    )
    message = _text("What is wrong. {line}, {related} and the facts of the scope may be used.", required=True)
    fix = _text("What to do about it.", required=True)
    remedies = fields.List(
        fields.Nested(RemedySchema),
        load_default=list,
        validate=validate.Length(0, MOST_REMEDIES, error="has over {max} entries"),
        metadata={"description": "The fix as data: each is one way out, and stands beside the sentence of `fix`."},
    )
    not_checked = _text("What to say when a needed fact was not supplied.", data_key="not-checked")
    reason = fields.Nested(RuleReasonSchema, required=True, allow_none=True)
    claim_status = fields.Nested(RuleClaimStatusSchema, data_key="claim-status", allow_none=True, load_default=None)
    at_risk = FromRowField(
        _word(*AT_RISK, metadata={"description": "Dollars a finding may cost."}),
        "Dollars: an amount of the rule, a column of a row, or a fact.",
        otherwise="none",
        data_key="at-risk",
        required=True,
    )
    false_alarms = _text("When it may fire on a correct claim.", data_key="false-alarms")
    related = fields.List(_code(ID, "Id of another rule.", ID_LIKE), load_default=list)
    superseded_by = _code(
        ID, "Id of the rule that took over; a deprecated rule needs one.", ID_LIKE, data_key="superseded-by"
    )
    back_test = _code(
        rf"backtests/{ID}\.json",
        "Record of its back-test, as `scrubber rules backtest --record` writes it.",
        "backtests/our-clinic-modifier-25.json",
        data_key="back-test",
    )


@lru_cache(1)
def _earlier_kinds() -> dict[str, Any]:
    """Kinds of tables that the program had once, as one declares them today: for rulebooks of that time."""
    kinds: dict[str, Any] = read_yaml(Path(__file__).parent / "earlier" / "tables.yaml", "tables.yaml").content
    return kinds


class TableKindField(fields.Field[Any]):
    """What a file of tables/ is: the name of a built-in kind, or the declaration of a table of one's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.schema = TableSchema()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | TableDeclaration:
        if not isinstance(value, str):
            declared: TableDeclaration = self.schema.load(value)
            return declared
        if value in (earlier := _earlier_kinds()):
            of_earlier: TableDeclaration = self.schema.load(earlier[value])
            return of_earlier
        if value not in ROW_TYPES:
            raise ValidationError(f"Must be one of: {', '.join(ROW_TYPES)}, or keys and columns of your own.")
        return value


_ADOPTION = {
    "everyone": "They hold for every payer, but for those that a row of payers/tables/adoptions.csv takes out.",
    "by-row": "They hold only for payers that a row of payers/tables/adoptions.csv names.",
}
# What the codes of a list are, in the words of their forms; those without one are explained here.
_LISTED = {
    "payers": "Our names for payers, as tables of aliases have them.",
    "elements": "Names of elements of a claim.",
    "days": "Days, such as 2026-01-31.",
    "text": "Any text, compared unchanged.",
    **{name: f"Each a {form.what}: {form.like}." for name, form in CELL_FORMS.items() if name in LIST_TYPES},
}


class PackFileSchema(Schema):
    """pack.yaml: what a folder of rules is."""

    name = _code(ID, "Name of the pack: the folder's name.", ID_LIKE, required=True)
    title = _text("One line.", required=True)
    about = _text("Whose rules these are.", required=True)
    grammar = _word(
        *GRAMMARS,
        load_default=OLDEST,
        metadata={"description": "The grammar of the rule language that its rules are written in; 1 where not said."},
    )
    adoption = _word(
        *_ADOPTION,
        required=True,
        metadata={"description": "For whom its rules hold where no row of adoptions says.", "words": _ADOPTION},
    )
    tables = fields.Dict(
        keys=_code(r"[a-z0-9-]+\.csv", "Name of a file in tables/.", "limits.csv"),
        values=TableKindField(),
        load_default=dict,
        metadata={"description": "What each file in tables/ is: a built-in kind, or the columns of one's own table."},
    )
    lists = fields.Dict(
        keys=_code(ID, "Name of a list of codes.", "evaluation-and-management"),
        values=_word(*LIST_TYPES, metadata={"words": _LISTED}),
        load_default=dict,
        metadata={"description": "What each list of the pack's tables of kind code-lists holds."},
    )
    uses = fields.List(
        _code(ID, "Name of another pack.", ID_LIKE),
        load_default=tuple,
        metadata={
            "description": "Other packs whose tables, lists, limits, definitions or elements its rules name, so that "
            "nobody takes these away unawares."
        },
    )
    test_releases = _word(
        *TEST_RELEASES,
        data_key="test-releases",
        load_default=STARTER_RELEASES,
        metadata={"description": "Which reference data its test cases run on, where a case does not say."},
    )

    @post_load
    def _own_tables(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Declared tables apart from those of built-in kinds."""
        tables = data["tables"]
        data["tables"] = {file: kind for file, kind in tables.items() if isinstance(kind, str)}
        data["own_tables"] = {file: kind for file, kind in tables.items() if not isinstance(kind, str)}
        return data


# Names of elements in the claim's JSON, those of nested objects with dots.
_ELEMENT_NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,4}"
MOST_ELEMENTS = 1_000  # of one family, as many as a claim may state in one block
_ABOUT_TYPES = (
    "What stands there: text; number; minutes, a whole number; time, a day and clock time as CCYYMMDDHHMM; day, as "
    "CCYYMMDD; word, one of `words`; yes-no; phrase, a text of which small letters and figures count; words, each word "
    "of a text, and each two that follow one another; procedure, a procedure code; npi; signature, an object with "
    "name, npi, date and credential; object, for what stands within it under names with a dot; derived, which is not "
    "sent and follows from others by `first-of`."
)


class LimitsSchema(Schema):
    """Between which limits a number must lie: each a number, or a limit of a table."""

    over = fields.Raw(metadata={"description": "It is more than this."})
    at_least = fields.Raw(data_key="at-least", metadata={"description": "It is this or more."})
    under = fields.Raw(metadata={"description": "It is less than this."})
    at_most = fields.Raw(data_key="at-most", metadata={"description": "It is this or less."})


class EveryRuleSchema(RuleYamlSchema):
    """What every rule of the family has, where it says nothing else itself. Its keys are those of a rule file."""

    class Meta:
        exclude = ("id", "title", "scope", "applies", "needs", "look_up", "amounts", "when", "bypassed", "back_test")


class FamilyRuleSchema(RuleYamlSchema):
    """A rule about an element. Its keys are those of a rule file; what it leaves out, `every-rule` says.

    It is about the documents of the family's codes and needs the element.
    """

    class Meta:
        exclude = ("scope", "back_test")

    needs = fields.List(
        _text("A fact."), metadata={"description": "Facts without which it is not judged, where not the element alone."}
    )
    when = fields.Raw(
        required=True,
        metadata={
            "description": "What is wrong: one or several values or states of the element, such as absent, unreadable "
            "or outside-limits; or a condition, as in a rule file."
        },
    )


class DerivedCaseSchema(Schema):
    """A word that rules read where a condition holds."""

    is_ = _text("The word, or a state: absent, not-supplied.", data_key="is", required=True)
    when = fields.Raw(required=True, metadata={"description": "A condition about the document, as in a rule file."})


class FamilyElementSchema(Schema):
    """One element of the documentation."""

    type = _word(*ELEMENT_TYPES, required=True, metadata={"description": _ABOUT_TYPES})
    about = _text("What it is, for authors and users.", required=True)
    words = fields.List(_text("A word."), load_default=list, metadata={"description": "Of a word: all that it may be."})
    absent = fields.List(
        _text("A text."),
        load_default=list,
        metadata={"description": "Texts that say there is none, such as n/a; capitals do not matter."},
    )
    several = YesNoField(
        load_default=False,
        metadata={
            "description": "It stands in the entries of a list: of numbers and minutes the sum counts, of anything "
            "else all texts. Its name has no numbers of entries: administrations.minutes."
        },
    )
    main = _text("Of an object: the member without which, when it is stated absent, there is no such thing.")
    picks = _code(
        r"[0-9A-Z#@*-]{1,30}",
        "Of a text: how the part of it looks that counts; # is a digit, @ a capital letter, * either.",
        "K######",
    )
    first_of = fields.List(
        fields.Nested(DerivedCaseSchema),
        data_key="first-of",
        load_default=list,
        metadata={"description": "What rules read in its place: the word of the first condition that holds."},
    )
    otherwise = _text("With `first-of`: the word or state where none of its conditions holds; left out: none.")
    only_where = fields.Raw(
        data_key="only-where",
        metadata={"description": "With `first-of`: where there is such a word at all, as `applies` of a rule file."},
    )
    points_to = _text("Of a derived one: the element that a finding points at.", data_key="points-to")
    limits = fields.Nested(LimitsSchema, metadata={"description": "Of a number, minutes: between what it must lie."})
    required_when = fields.Raw(
        data_key="required-when",
        metadata={"description": "When its rules apply at all, as `applies` of a rule file; left out: always."},
    )
    rules = fields.List(
        fields.Nested(FamilyRuleSchema(partial=True)),
        load_default=list,
        metadata={"description": "What is found where the element is absent or wrong."},
    )


class FamilyFileSchema(Schema):
    """A family of documentation: the elements that the reports behind some codes have."""

    family = _code(ID, "Name of the family: the file's name.", ID_LIKE, required=True)
    title = _text("One line for lists.", required=True)
    codes = fields.List(
        _code(r"[A-Z0-9]{5}", "A procedure code.", "77089"),
        load_default=list,
        metadata={"description": "The procedure codes whose reports it is about, where no list has them."},
    )
    list = _code(ID, "Name of the list of procedure codes whose reports it is about.", "tbs-with-report")
    every_rule = fields.Nested(
        EveryRuleSchema(partial=True),
        data_key="every-rule",
        metadata={"description": "What every rule of the family has, where it says nothing else itself."},
    )
    elements = fields.Dict(
        keys=_code(_ELEMENT_NAME, "Name in the claim's JSON; of nested objects with dots.", "reportDate or order.date"),
        values=fields.Nested(FamilyElementSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_ELEMENTS, error="must have 1 to {max} elements"),
        metadata={"description": "Its elements by their name in scrubContext.documentation[].elements."},
    )


_WITH_SCHEMA = (fields.Nested, TableKindField, ColumnField, FromRowField)  # fields whose keys a schema has


def known_keys(schema: Schema, position: Position) -> tuple[str, ...]:
    """The keys that a schema knows at a position of a document; none where it says nothing of keys there."""
    fields_there: Schema | fields.Field[Any] | None = schema
    for step in position:
        fields_there = _below(fields_there, step)
    if isinstance(fields_there, _WITH_SCHEMA):
        fields_there = fields_there.schema
    return tuple(_by_key(fields_there)) if isinstance(fields_there, Schema) else ()


def _below(there: Schema | fields.Field[Any] | None, step: str | int) -> Schema | fields.Field[Any] | None:
    if isinstance(there, _WITH_SCHEMA):
        there = there.schema
    if isinstance(there, Schema):
        return there if isinstance(step, int) else _by_key(there).get(step)  # an index: of a schema of many
    if isinstance(there, fields.List):
        return there.inner
    return there.value_field if isinstance(there, fields.Dict) else None


def _by_key(schema: Schema) -> dict[str, fields.Field[Any]]:
    return {field.data_key or name: field for name, field in schema.load_fields.items()}
