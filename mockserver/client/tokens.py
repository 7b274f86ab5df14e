"""Tokens on a command line, which every user of the machine can list, moved to the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

VARIABLE = "MOCK_ADMIN_TOKEN"
_FLAGS = {
    "--admin-token": VARIABLE,
    "--token": VARIABLE,
    "--replica-token": "MOCK_REPLICA_TOKEN",
    "--store": "MOCK_STORE",
}
"""Flag of a token, or of a URL with a password -> its variable."""


def split(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Words of a command of the mock without its tokens, and these as variables."""
    kept: list[str] = []
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest], found
        name, sign, value = word.partition("=")
        if name in _FLAGS and (sign or rest):
            found[_FLAGS[name]] = value if sign else rest.pop(0)
        else:
            kept.append(word)
    return kept, found


def hide() -> None:
    """Start this command again without the tokens on its command line, if it has any there."""
    words = sys.argv[1:]
    kept, found = split(words)
    if any(found.values()) and words == sys.orig_argv[-len(words) :]:
        command = [*sys.orig_argv[: -len(words)], *kept]
        os.execve(sys.executable, command, {**os.environ, **found})  # noqa: S606 - it is this very command
