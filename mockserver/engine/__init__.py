"""Spec in, answers out: knows OpenAPI and HTTP, and has never heard of a space."""
