"""Relations, look-ups and amounts of rules: an evaluator of their own, random rules and claims, and the semantics."""
