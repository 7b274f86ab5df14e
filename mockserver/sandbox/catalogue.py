"""Scenarios that a request may name: bundled, the server's own, and those of one folder; never a path."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from mockserver.http.problems import NotFound
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.sandbox import Data

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""Valid name of a scenario or a sandbox."""


class Catalogue:
    """Scenario data by name, each loaded once."""

    def __init__(
        self,
        loaded: Mapping[str, Data] | None = None,
        others: Mapping[str, Callable[[], Data]] | None = None,
    ) -> None:
        """`others` are loaded on first use; an already loaded one takes precedence."""
        self._others = dict(others or {})
        self._loaded = dict(loaded or {})
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Available names."""
        return sorted({*self._loaded, *self._others})

    def data(self, name: str) -> Data:
        """Data of this scenario; NotFound lists the available ones."""
        with self._lock:
            if name not in self._loaded:
                if name not in self._others:
                    reason = f"no scenario {name[:80]!r}; there are: {', '.join(self.names())}"
                    raise NotFound("Scenario not found", reason=reason, scenario=name)
                self._loaded[name] = self._others[name]()
            return self._loaded[name]


def files_in(folder: Path, taken: list[str]) -> dict[str, Path]:
    """YAML files of a folder by name; DocumentError for a name that can't be used."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".yaml")
    except OSError as error:
        raise DocumentError(f"{folder}: {error.strerror or error}") from error
    for file in files:
        if not NAME.fullmatch(file.stem):
            raise DocumentError(f"{file}: a scenario's name has only A-Z a-z 0-9 . _ -; rename the file")
        if file.stem in taken:
            raise DocumentError(f"{file}: a scenario {file.stem!r} comes with the mock; rename the file")
    return {file.stem: file for file in files}
