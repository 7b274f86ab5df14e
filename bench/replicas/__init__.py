"""Linearizability of several mocks over one Redis, under faults."""
