"""Rule files in, typed rules and tables out."""
