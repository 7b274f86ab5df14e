"""Scenarios (named starting states) and generated data."""
