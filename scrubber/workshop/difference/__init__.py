"""Beside the path: in what two rulebooks differ by meaning: rules, rows of their tables, packs; and on which days."""
