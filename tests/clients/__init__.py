"""Clients that others generate from openapi.yaml, against a running mock."""
