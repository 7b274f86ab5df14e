"""Clients of a running mock: the control API from Python, and pytest."""
