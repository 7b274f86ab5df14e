"""Parsed copies of the bundled YAML files as JSON beside the bytecode: parsing takes a fifth of the start."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import orjson

from mockserver.files import write_whole

_HEAD = 32
"""Bytes before the JSON: the hash of what it was parsed from."""


class ParsedCopy:
    """Copy of one file's content, valid for one text and one version of its parser."""

    def __init__(self, path: Path, text: bytes, parser: str) -> None:
        """`parser`: source file of what parses `text`."""
        self._path = Path(cache_from_source(parser)).with_name(f"{path.name}.json")
        self._head = hashlib.sha256(str(Path(parser).stat().st_mtime_ns).encode() + text).digest()

    def read(self) -> Any:
        """The content; None without a copy, or if it is of something else or damaged."""
        with suppress(OSError, ValueError):
            copy = self._path.read_bytes()
            if copy.startswith(self._head):
                return orjson.loads(copy[_HEAD:])
        return None

    def write(self, content: bytes) -> None:
        """Keep `content`, JSON; best effort: where it can't be written, the next start parses again."""
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            write_whole(self._path, self._head + content)
