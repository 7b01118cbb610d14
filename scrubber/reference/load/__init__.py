"""Reads published files into rows of reference tables: a module for each publisher or kind of list."""
