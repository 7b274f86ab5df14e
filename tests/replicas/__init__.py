"""Replicas of the mock with one store."""
