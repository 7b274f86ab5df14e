"""State documents: what one mock writes and reads, over HTTP and in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mockserver.files import write_whole
from mockserver.openapi.flaw import Flaw
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.gc_pause import uncollected
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Moment
from mockserver.state_document import export, import_
from mockserver.state_document.consistency import Check
from mockserver.state_document.import_ import Refused

_TOLD = 3
"""Reasons that fit into one line."""


class States:
    """Moments as documents of one mock."""

    def __init__(self, spec: Mapping[str, str], check: Check, key: str | None = None) -> None:
        """`spec`: title, version and sha256 of what is served; `key`: the one from outside, never written."""
        self._spec = spec
        self._check = check
        self._key = key

    def document(self, moment: Moment) -> Record:
        """The document of a moment."""
        with uncollected():
            return export.document(moment, self._spec)

    def moment(self, document: Record, origin: str) -> Moment:
        """The moment of a document of the right shape; Refused with every reason why it can't be one."""
        with uncollected():
            return import_.moment(document, self._spec, self._check, self._key, origin)

    def read(self, file: Path, shape: Callable[[Any], list[Flaw]]) -> Moment:
        """The moment of a file; DocumentError if it holds none. `shape` tells what its schema says."""
        try:
            document = orjson.loads(file.read_bytes())
        except OSError as error:
            raise DocumentError(f"{file}: {error.strerror or error}") from error
        except orjson.JSONDecodeError as error:
            raise DocumentError(f"{file}: no JSON: {error}") from error
        flaws = shape(document)
        try:
            if not flaws:
                return self.moment(document, "state")
        except Refused as refused:
            flaws = refused.flaws
        told = "; ".join(f"{flaw.name or 'it'}: {flaw.message}" for flaw in flaws[:_TOLD])
        more = f" (and {len(flaws) - _TOLD} more)" if len(flaws) > _TOLD else ""
        raise DocumentError(f"{file}: {told}{more}")

    def write(self, file: Path, moment: Moment) -> None:
        """The moment into a file, which is the old one or the new one at any time; OSError if it can't be."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        write_whole(file, orjson.dumps(self.document(moment), option=options))
