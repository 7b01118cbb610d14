"""The JSON Schemas that editors complete rule files with, and the writing of their files."""

from scrubber.rulebook.json_schema import case_schema, rule_schema, write_schemas

__all__ = ["case_schema", "rule_schema", "write_schemas"]
