"""The commands: serve, check, and those for a running mock."""
