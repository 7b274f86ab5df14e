"""How much of a generated world to make."""

from __future__ import annotations

import re
from typing import NamedTuple

_ORDER = re.compile(r"(threads|messages|spaces)=([0-9]{1,9})", re.ASCII)


class Order(NamedTuple):
    """How much to make; `messages` is how many each thread gets."""

    threads: int = 0
    messages: int = 0
    spaces: int = 0


def parse(text: str) -> Order:
    """An order like `threads=1000,messages=10,spaces=5`; ValueError says what is wrong with it."""
    found: dict[str, int] = {}
    for part in text.split(","):
        match = _ORDER.fullmatch(part.strip())
        if match is None or match[1] in found:
            raise ValueError(f"{part[:40]!r} is none of threads=N, messages=N, spaces=N, each at most once")
        found[match[1]] = int(match[2])
    return Order(**found)
