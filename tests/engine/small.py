"""A spec of one operation, to break in one way at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

from werkzeug.test import Client

from mockserver.corridor import Corridor
from mockserver.faults.rule_list import FaultDefaults, Faults
from mockserver.http.context import Api
from mockserver.http.cors import Cors
from mockserver.http.log import RequestLog
from mockserver.http.problems import vendor_envelope
from mockserver.http.upload import BodyLimits
from mockserver.journal.journal import Journals
from mockserver.openapi.spec import Spec

TRACE = "0b0f2a52-6d0c-4a4e-9d53-2f8f4c1d7a10"


class SmallSandbox:
    """The least that the engine needs of a sandbox."""

    name = "small"

    def __init__(self) -> None:
        self.journal = Journals().new()
        self.kept = self.ids = None
        self.faults = Faults(FaultDefaults({}, ()))

    def instant(self) -> int:
        """Always the same."""
        return 0

    def text(self, instant: int) -> str:  # noqa: ARG002 - a protocol's
        """Always the same."""
        return "2026-02-26T10:30:00Z"

    def trace_id(self, kind: str) -> str:  # noqa: ARG002 - a protocol's
        """Always the same."""
        return TRACE

    def transaction(self) -> AbstractContextManager[None]:
        """There is no state."""
        return nullcontext()


class SmallSandboxes:
    """Sandboxes with a single one."""

    def __init__(self) -> None:
        self.outside = SmallSandbox()

    def find(self, name: str | None) -> SmallSandbox:  # noqa: ARG002 - a protocol's
        """The only sandbox, whatever the name."""
        return self.outside

    def enter(self, found: Any, makes: Callable[[], bool]) -> SmallSandbox:  # noqa: ARG002 - a protocol's
        """The same."""
        return self.outside


def document(**operation: Any) -> dict[str, Any]:
    """A spec with GET /things/{id}; `operation` replaces parts of it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Small", "version": "1"},
        "paths": {
            "/things/{id}": {
                "get": {
                    "operationId": "getThing",
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "responses": {
                        "200": {
                            "description": "It.",
                            "headers": {"X-Left": {"required": True, "schema": {"type": "integer"}}},
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                            },
                        },
                        "204": {"description": "Nothing."},
                    },
                    **operation,
                }
            }
        },
        "components": {
            "schemas": {"Thing": {"type": "object", "properties": {"a/b": {"type": "integer"}}}},
        },
    }


def written(folder: Path, content: Any) -> Path:
    """A file with `content`; JSON is YAML."""
    path = folder / "spec.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    return path


def served(folder: Path, handler: Any, *, quiet: bool = False, **operation: Any) -> tuple[Client, RequestLog]:
    """A client of the small spec with `handler` behind it, and its log (on `stream_of`)."""
    api = Api(
        Spec(written(folder, document(**operation))),
        {"getThing": handler},
        prefix="",
        authenticate=lambda *_: None,
        name_of=lambda _: "-",
        render=vendor_envelope,
        cors=Cors(),
    )
    log = RequestLog(StringIO(), quiet=quiet)
    corridor = Corridor([api], SmallSandboxes(), log=log, limits=BodyLimits(100, 100), stopping=Event())
    return Client(corridor), log
