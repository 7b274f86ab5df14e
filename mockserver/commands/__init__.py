"""Command line: serve, exec, check, and commands for a running mock."""
