"""Immutable collections of records, in order."""
