"""Faulty claims of the whole catalogue of edits: each with the rule that must name its fault, not just any that warns.

`python -m tests.catalogue ../shared/cases` prints the claims whose fault is not named, and right/of. SCRUBBER_REFERENCE
names the reference data, as for the program. `cases.csv` says which rule must speak of a claim, and at which element;
of several rows of a claim one is enough. `reference` is yes where the rule asks a table that the starter tables have
too little of; a remark says where the rule names the fault by its consequence only. A faulty claim that stands in no
row has no rule yet.
"""
