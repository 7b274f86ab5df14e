"""Tokens on a command line, which every user of the machine can list, moved to the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_FLAGS = ("--admin-token", "--token")
VARIABLE = "MOCK_ADMIN_TOKEN"


def split(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Words of a command of the mock without its token, and the token as a variable."""
    kept: list[str] = []
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest], found
        name, sign, value = word.partition("=")
        if name in _FLAGS and (sign or rest):
            found[VARIABLE] = value if sign else rest.pop(0)
        else:
            kept.append(word)
    return kept, found


def hide() -> None:
    """Start this command again without the token on its command line, if it has one there."""
    words = sys.argv[1:]
    kept, found = split(words)
    if found.get(VARIABLE) and words == sys.orig_argv[-len(words) :]:
        command = [*sys.orig_argv[: -len(words)], *kept]
        os.execve(sys.executable, command, {**os.environ, **found})  # noqa: S606 - it is this very command
