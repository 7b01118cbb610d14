"""Codes of the professional claim that mean something to the program itself, as the transaction's guide has them.

They are qualifiers and units of the 837P (005010X222A1), which no payer and no year changes. What a payer or a table
says of codes stands beside the rules.
"""

from __future__ import annotations

PRINCIPAL_DIAGNOSIS, OTHER_DIAGNOSIS = "ABK", "ABF"  # HI, ICD-10-CM
ICD9_QUALIFIERS = frozenset(("BK", "BF"))  # HI, ICD-9-CM, principal and other
PROCEDURE_CODE = "HC"  # SV101-1: HCPCS codes, those of CPT among them
WHOLE_UNITS, MINUTES = "UN", "MJ"  # SV103
HOME = "12"  # place of service: the patient's home, so that the patient's address says where
