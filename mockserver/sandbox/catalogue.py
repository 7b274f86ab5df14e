"""The scenarios that a request may name: ours, the server's own, and those of one folder. Never a path."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from mockserver.http.problems import NotFound
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.sandbox import World

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class Catalogue:
    """Worlds by name, each loaded once."""

    def __init__(
        self,
        loaded: Mapping[str, World] | None = None,
        others: Mapping[str, Callable[[], World]] | None = None,
    ) -> None:
        """`others` are loaded when they are first asked for; one that is loaded already wins."""
        self._others = dict(others or {})
        self._loaded = dict(loaded or {})
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """What may be named."""
        return sorted({*self._loaded, *self._others})

    def world(self, name: str) -> World:
        """The world of this name; NotFound, with those that there are, if there is none."""
        found = self._loaded.get(name)
        if found is None:
            with self._lock:
                if name not in self._loaded and name not in self._others:
                    known = ", ".join(self.names())
                    reason = f"no scenario {name[:80]!r}; there are: {known}"
                    raise NotFound("Scenario not found", reason=reason, scenario=name)
                found = self._loaded[name] = self._loaded.get(name) or self._others[name]()
        return found


def files_in(folder: Path, taken: list[str]) -> dict[str, Path]:
    """The YAML files of a folder by name; DocumentError for one that no request could name."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".yaml")
    except OSError as error:
        raise DocumentError(f"{folder}: {error.strerror or error}") from error
    for file in files:
        if not _NAME.fullmatch(file.stem):
            raise DocumentError(f"{file}: a scenario's name has only A-Z a-z 0-9 . _ -; rename the file")
        if file.stem in taken:
            raise DocumentError(f"{file}: a scenario {file.stem!r} comes with the mock; rename the file")
    return {file.stem: file for file in files}
