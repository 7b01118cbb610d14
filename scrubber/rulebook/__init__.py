"""Before any claim: rule files in, typed rules and tables out."""
