"""Reads published files into rows of reference tables: one module for each publisher, recognised by content."""
