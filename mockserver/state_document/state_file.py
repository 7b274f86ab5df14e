"""State documents of a mock, over HTTP and in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mockserver.files import write_whole
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import SandboxState
from mockserver.state_document import export
from mockserver.state_document.consistency import Check
from mockserver.state_document.import_ import InvalidState, StateImport

_LISTED = 3
"""Errors that fit into one line."""


class StateDocuments:
    """Converts states to documents and back."""

    def __init__(self, spec: Mapping[str, str], check: Check, key: str | None = None) -> None:
        """`spec`: title, version and SHA-256 of the spec; `key`: from the environment, never exported."""
        self._spec = spec
        self._check = check
        self._key = key

    @gc_paused()
    def document(self, state: SandboxState) -> Record:
        """Document of a state."""
        return export.document(state, self._spec)

    @gc_paused()
    def state(self, document: Record, origin: str) -> SandboxState:
        """State of a document of the right shape; InvalidState with every reason."""
        return StateImport(document, self._spec, self._check).state(self._key, origin)

    def read(self, file: Path, shape: Callable[[Any], list[FieldError]]) -> SandboxState:
        """State from a file; DocumentError if it is invalid. `shape` validates it against its schema."""
        try:
            document = orjson.loads(file.read_bytes())
        except OSError as error:
            raise DocumentError(f"{file}: {error.strerror or error}") from error
        except orjson.JSONDecodeError as error:
            raise DocumentError(f"{file}: not valid JSON: {error}") from error
        errors = shape(document)
        try:
            if not errors:
                return self.state(document, "state")
        except InvalidState as invalid:
            errors = invalid.errors
        text = "; ".join(f"{each.name or 'it'}: {each.message}" for each in errors[:_LISTED])
        more = f" (and {len(errors) - _LISTED} more)" if len(errors) > _LISTED else ""
        raise DocumentError(f"{file}: {text}{more}")

    def write(self, file: Path, state: SandboxState) -> None:
        """Write a state to a file, atomically; OSError if it can't be written."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        write_whole(file, orjson.dumps(self.document(state), option=options))
