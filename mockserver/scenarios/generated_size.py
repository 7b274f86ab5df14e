"""Size of generated data."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = re.compile(r"(threads|messages|spaces)=([0-9]{1,9})", re.ASCII)


class WorldSize(NamedTuple):
    """Size of generated data; `messages` is per thread."""

    threads: int = 0
    messages: int = 0
    spaces: int = 0


def parse_size(text: str) -> WorldSize:
    """Parse a size like `threads=1000,messages=10,spaces=5`; ValueError says what is wrong."""
    found: dict[str, int] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None or match[1] in found:
            raise ValueError(
                f"{part[:40]!r} is not one of threads=N, messages=N, spaces=N, each at most once"
            )
        found[match[1]] = int(match[2])
    return WorldSize(**found)
