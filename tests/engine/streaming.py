"""The small spec with a stream in it, asked over WSGI."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from werkzeug.test import create_environ

from mockserver.corridor import Corridor
from mockserver.http.calls import Reply
from mockserver.http.context import Api
from mockserver.http.cors import Cors
from mockserver.http.event_stream import Step, Stream
from mockserver.http.log import RequestLog
from mockserver.http.problems import Problem, vendor_envelope
from mockserver.http.upload import BodyLimits
from mockserver.openapi.spec import Spec
from tests.engine.small import SmallSandboxes, document, written

TICK = {"tick": 1}
EVENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"tick": {"type": "integer"}, "failed": {"type": "string"}},
}
EVENTS = {"text/event-stream": {"schema": {"type": "string"}, "x-event-schema": EVENT}}
JSON = {"application/json": {"schema": {"type": "object"}}}
OPEN_END = Step(TICK, 3600)
"""An event that no test waits for; stopping ends it."""


def responses(content: Mapping[str, Any]) -> dict[str, Any]:
    """The small spec's answers: 200 with `content`, 500 and 503 of any kind."""
    failures = {status: {"description": "No.", "content": JSON} for status in ("500", "503")}
    return {"200": {"description": "It.", "content": content}, **failures}


class Small:
    """The small spec with a stream in it, asked over WSGI."""

    def __init__(
        self, folder: Path, reply: Any, content: Mapping[str, Any] = EVENTS, *, testing: bool = False
    ) -> None:
        api = Api(
            Spec(written(folder, document(responses=responses(content)))),
            {"getThing": lambda *_: reply},
            prefix="",
            authenticate=lambda *_: None,
            name_of=lambda _: "-",
            render=vendor_envelope,
            cors=Cors(),
        )
        self.stopping = threading.Event()
        self.log = RequestLog(StringIO(), quiet=True)
        sandboxes = SmallSandboxes()
        self.sandbox = sandboxes.outside
        self.corridor = Corridor(
            [api],
            sandboxes,
            log=self.log,
            limits=BodyLimits(100, 100),
            stopping=self.stopping,
            keep=16_384,
            propagate=lambda: testing,
        )

    def ask(self) -> tuple[str, dict[str, str], Any]:
        """Status line, headers and the body that a server would iterate."""
        started: Any = []

        def start(*given: Any) -> Any:
            started[:] = given

        body = self.corridor(create_environ("/things/1", headers={"X-API-Key": "very-secret"}), start)
        return started[0], dict(started[1]), body

    def logged(self) -> list[Any]:
        """What is in the log."""
        self.log.flush()
        stream = self.log._stream
        assert isinstance(stream, StringIO)
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    def free(self) -> int:
        """How many more streams may be opened now; they are closed again."""
        opened = []
        while (answer := self.ask())[0].startswith("200"):
            opened.append(answer[2])
        for body in opened:
            body.close()
        return len(opened)


def failed(problem: Problem) -> Mapping[str, Any]:
    """The event that tells a failure."""
    return {"failed": problem.system_message}


def stream(*steps: Any, last: str = "[END]", failed: Any = failed) -> Reply:
    """A stream of these steps or events."""
    whole = [step if isinstance(step, Step) else Step(step) for step in steps]
    return Reply(200, Stream(whole, {"tick": 0}, last, failed))
