"""Simulated embedding queue, and search over the embedded messages."""
