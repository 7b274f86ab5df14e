"""Conversion of granian's requests to WSGI calls."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import WSGIApplication

import granian

_granian: Any = granian  # half of it is untyped, and its stubs lag behind its extension module

HELD = "mockserver.held"
"""Environ key of a context manager that `app` enters while it only waits; streams always do."""


def gateway(app: WSGIApplication) -> Callable[[Any, dict[str, Any], AbstractContextManager[None]], None]:
    """Callable that answers a request; granian's own turns HTTP_* process variables into headers."""
    fixed = {"SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.errors": sys.stderr}
    fixed |= {"wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}
    fixed |= {"wsgi.input_terminated": True}

    def call(proto: Any, scope: dict[str, Any], held: AbstractContextManager[None]) -> None:
        def start(*values: Any) -> Any:
            started[:] = values

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
