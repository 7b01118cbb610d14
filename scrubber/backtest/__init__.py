"""A back-test: what a change of rules does on past claims, held against what payers answered."""
