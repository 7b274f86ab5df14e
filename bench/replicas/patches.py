"""Python with which a replica is broken on purpose, so that the judges have something to find."""

PATCHES: dict[str, str] = {}
"""Name -> code that each replica runs before it starts."""
