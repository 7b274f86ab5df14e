"""The floor and the limit: the same bytes from a bare Flask route, or from a bare WSGI function.

Run as `python -m bench.bare flask|wsgi FILE THREADS`; both are served as the mock is.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from mockserver.server import granian_server, listeners
from mockserver.server.process_limits import ServerLimits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def flask(data: bytes) -> WSGIApplication:
    """One route of Flask."""
    from flask import Flask, Response

    app = Flask("bare", static_folder=None)

    @app.get("/v1/spaces/<_space_id>/threads")
    def threads(_space_id: str) -> Response:
        return Response(data, content_type="application/json")

    def whole(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # In one piece, as the mock answers: the server would take Flask's iterable for a stream.
        answer = app(environ, start_response)
        return [b"".join(answer)]

    return whole


def wsgi(data: bytes) -> WSGIApplication:
    """Nothing but WSGI."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [data]

    return app


def main(kind: str, answer: str, threads: str) -> None:
    """Serve until stopped."""
    app = {"flask": flask, "wsgi": wsgi}[kind](Path(answer).read_bytes())
    bound = listeners.bind("127.0.0.1", 0)
    ready = json.dumps({"url": f"http://127.0.0.1:{bound[0].getsockname()[1]}"})
    granian_server.serve(
        app,
        bound,
        stopping=threading.Event(),
        limits=ServerLimits(threads=int(threads)),
        on_ready=lambda: print(ready, flush=True),
    )
    granian_server.leave(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
