"""Reads rule files into typed rules and tables."""
