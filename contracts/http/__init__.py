"""Requests of a run: its callers, its target, its rate and its budget."""
