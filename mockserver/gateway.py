"""From granian's request to a WSGI call and back."""

import io
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import WSGIApplication

import granian

_granian: Any = granian  # half of it is untyped, and its stubs lag behind its extension module

HELD = "mockserver.held"
"""In the environ: a context manager that `app` enters for as long as it only waits; a stream always is."""


def received(proto: Any, scope: dict[str, Any], give: Callable[[Any, dict[str, Any]], None]) -> None:
    """Give granian's request on, read to its end: its body is gone when granian's call returns."""
    body = scope["wsgi.input"].read()
    if len(body) != int(scope.get("CONTENT_LENGTH", len(body))):
        proto.response_bytes(400, [], b"")  # the client left before the end of its body
        return
    # granian's input loses what a read(n) or readline() leaves: the app gets a true stream.
    scope["wsgi.input"] = io.BytesIO(body)
    give(proto, scope)


def gateway(app: WSGIApplication) -> Callable[[Any, dict[str, Any], AbstractContextManager[None]], None]:
    """What answers a received request; granian's own turns HTTP_* process variables into headers."""
    fixed = {"SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.errors": sys.stderr}
    fixed |= {"wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}
    fixed |= {"wsgi.input_terminated": True}

    def call(proto: Any, scope: dict[str, Any], held: AbstractContextManager[None]) -> None:
        def start(*given: Any) -> Any:
            started[:] = given

        started: list[Any] = []
        result = app({**fixed, **scope, HELD: held}, start)
        status, headers = int(started[0].split(" ", 1)[0]), started[1]
        if status != 101 and not 200 <= status <= 999:  # granian would abort this process
            status, headers, result = 500, [], [b"status %d cannot be sent\n" % status]
        if isinstance(result, list):
            proto.response_bytes(status, headers, b"".join(result))
        else:
            with held:
                proto.response_iter(status, headers, _granian.wsgi.ResponseIterWrap(result))

    return call
