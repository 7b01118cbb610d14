"""Published edits in sentences, written as rules: which of their claims the rules judge as the sentence says.

`python -m tests.sentences ../shared/language` prints right/of for each sentence. SCRUBBER_REFERENCE names the
reference data, as for the program. `rules.csv` says which rules a sentence is; `tables/PACK/TABLE.csv` are rows that
only these claims need, such as a contract of their payer. A rule whose severity differs from the sentence's says why
in `rules.csv`.
"""
