"""State documents of a mock, over HTTP and in files: import gives a state, or every reason against it.

Its shape has been checked by the control API's document. Checked here is what a schema can't express: the
version it was written for, and that its records fit the vendor's API and each other.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mockserver.file_contents.content import Content
from mockserver.files import read_whole, write_whole
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.references import Pointer
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Data, SandboxSession, SandboxState
from mockserver.state_document import export
from mockserver.state_document.contents import Beside, in_folder, remove_others, write_beside
from mockserver.state_document.importing import Import, InvalidState, Refusals

__all__ = ["InvalidState", "StateDocuments"]

_LISTED = 3
"""Errors that fit into one line."""


class StateDocuments:
    """Converts states to documents and back."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        shapes: RecordShapes,
        key: str | None = None,
        rule: Mapping[str, Any] | None = None,
    ) -> None:
        """`spec`: what is served, as `Spec.served`; `key`: from the environment, never exported.

        `rule`: default values of a fault rule's fields.
        """
        self._spec = spec
        self.shapes = shapes
        self._key = key
        self._rule = rule or {}

    def misfit(self, schema: str, shown: Record) -> str:
        """Error of a record as answers show it; empty if it fits its schema."""
        return self.shapes.fitted(schema, shown, drops=False).wrong

    @gc_paused()
    def document(self, state: SandboxState) -> Record:
        """Document of a state alone."""
        return export.document(state, self._spec)

    @gc_paused()
    def session_document(self, session: SandboxSession, snapshots: Mapping[str, SandboxState]) -> Record:
        """Document of everything that determines the answers of a sandbox."""
        return export.session_document(session, snapshots, self._spec)

    @gc_paused()
    def state(
        self,
        document: Record,
        origin: str,
        beside: Beside = lambda _: None,
        note: Callable[[str], object] = lambda _: None,
        at: Pointer = (),
    ) -> SandboxState:
        """State of a document of the right shape, at this address of a whole; InvalidState with every reason.

        `note` gets a line for each field that was completed or left out: its spec is another.
        """
        read = Import(document, self._spec, self.shapes, beside, Refusals(), at)
        state = read.state(self._key, origin, self._rule)
        for line in read.notes:
            note(line)
        return state

    @property
    def spec(self) -> Mapping[str, Any]:
        """Title, version and SHA-256 of what is served."""
        return self._spec

    @gc_paused()
    def own_state(self, document: Record) -> SandboxState:
        """State of a document that `--persist` has written; InvalidState with every reason.

        A state of the same spec is not checked again; one of another spec is, and adapted.
        """
        is_same = document["spec"] == self._spec
        read = Import(document, self._spec, self.shapes, lambda _: None, Refusals())
        return read.state(self._key, document.get("origin", "state"), self._rule, checked=not is_same)

    def scenario(self, values: Record, read: Callable[[Record, RecordShapes, str], Data]) -> Data:
        """Data of the values of a scenario file by its reader, with this mock's key; its DocumentError."""
        data = read(values, self.shapes, "imported")
        key = self._key
        return data._replace(directory=data.directory.with_key(key, KEY_HOLDER)) if key else data

    def session(
        self,
        document: Record,
        beside: Beside = lambda _: None,
        note: Callable[[str], object] = lambda _: None,
    ) -> tuple[SandboxSession, dict[str, SandboxState]]:
        """Session and snapshots of a document of the right shape; InvalidState with every reason."""
        state = self.state(document, "state", beside, note)
        states = {
            digest: self.state(each, each.get("origin", "state"), beside, at=("states", digest))
            for digest, each in document.get("states", {}).items()
        }
        refusals, named = Refusals(), dict(document.get("snapshots", {}))
        start = document.get("start")
        for at, digest in [("start", start), *((f"snapshots.{name}", each) for name, each in named.items())]:
            if digest is not None and digest not in states:
                refusals.add(at, f"there is no state {digest!r}")
        refusals.raise_all()
        session = SandboxSession(state._replace(faults=None), state.faults, states.get(start or ""))
        return session, {name: states[digest] for name, digest in named.items()}

    def read(
        self,
        file: Path,
        shape: Callable[[Any], list[FieldError]],
        note: Callable[[str], object] = lambda _: None,
    ) -> tuple[SandboxState, dict[str, SandboxState]]:
        """State and snapshots of a file; DocumentError if it is invalid. `shape` validates its values."""
        try:
            document = orjson.loads(read_whole(file).removeprefix(BOM_UTF8))
        except OSError as error:
            raise DocumentError(f"{file}: {error.strerror or error}") from error
        except orjson.JSONDecodeError as error:
            raise DocumentError(f"{file}: not valid JSON: {error}") from error
        errors = shape(document)
        try:
            if not errors:
                session, snapshots = self.session(document, in_folder(file), note)
                return session.state._replace(faults=session.faults), snapshots
        except InvalidState as invalid:
            errors = invalid.errors
        text = "; ".join(f"{each.name or 'it'}: {each.message}" for each in errors[:_LISTED])
        more = f" (and {len(errors) - _LISTED} more)" if len(errors) > _LISTED else ""
        raise DocumentError(f"{file}: {text}{more}")

    def write(self, file: Path, session: SandboxSession, snapshots: Mapping[str, SandboxState]) -> None:
        """Write a session to a file, atomically, and large contents beside it; OSError if that fails."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        beside: dict[str, Content] = {}
        with gc_paused():
            document = export.session_document(session, snapshots, self._spec, beside)
        write_beside(file, beside)
        write_whole(file, orjson.dumps(document, option=options))
        remove_others(file, beside)
