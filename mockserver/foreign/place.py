"""Where a foreign document is, and under which name and prefix it is served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_SPEC = re.compile(r"(?P<name>[A-Za-z][\w-]{0,63})=(?P<file>.+?)(?:@(?P<prefix>/[^{}?#\s]*))?")


class ForeignPlace(NamedTuple):
    """Value of `--also`: NAME=FILE[@/prefix]."""

    name: str
    file: Path
    prefix: str


def place_of(text: str) -> ForeignPlace:
    """Value of `--also`; ValueError says what is wrong with it."""
    found = _SPEC.fullmatch(text)
    if found is None:
        raise ValueError("is NAME=FILE or NAME=FILE@/prefix, where NAME is letters, digits, _ and -")
    prefix = (found["prefix"] or "").rstrip("/")
    if prefix.startswith("/__"):
        raise ValueError(f"{prefix} is the mock's own; choose another prefix")
    return ForeignPlace(found["name"], Path(found["file"]), prefix)
