"""Published files in, rows of reference tables out: one module per format, recognised by its content."""
