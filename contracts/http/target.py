"""Transports: a deployment by URL, or a fresh mock. The only file that distinguishes them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from requests.utils import requote_uri
from werkzeug.test import run_wsgi_app

from contracts.checks.errors import TargetUnreachable
from contracts.http.connection import Connection
from contracts.http.deployment import Http, body_bytes, is_chunked, request_headers, response_of
from contracts.http.documents import revisions
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.transport import RequestLimit, Transport

TIMEOUT = 20.0
"""Seconds of a request to a mock in this process."""


def open_transport(
    name: str,
    limit: RequestLimit | None = None,
    connection: Connection | None = None,
    revision: str | None = None,
) -> Transport:
    """Transport for a target: mock, mock-http, or a URL; `revision` is that of a fresh mock."""
    if name == "mock":
        return InProcess(limit=limit, revision=revision)
    return Served(limit, revision) if name == "mock-http" else Http(name, limit, connection)


class Served(Http):
    """Fresh mock in a separate process, on a free port."""

    def __init__(self, limit: RequestLimit | None = None, revision: str | None = None) -> None:
        own = ("MOCK_", "FREDDY_", "PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        flags = [
            "--port",
            "0",
            "--quiet",
            "--end-with-stdin",
            *(["--revision", revision] if revision else []),
        ]
        self._child = subprocess.Popen(  # noqa: S603 - our own mock
            [sys.executable, "-m", "mockserver", "serve", *flags],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must reach the suite alone, which still cleans up
        )
        try:
            assert self._child.stdout is not None
            line = self._child.stdout.readline()
            super().__init__(json.loads(line)["url"], limit)
            self.fresh = True
        except ValueError:
            self._end()
            raise TargetUnreachable("the mock does not start; try `mockserver serve`") from None

    def close(self) -> None:
        """Close every connection and end the mock."""
        super().close()
        self._end()

    def _end(self) -> None:
        self._child.kill()
        self._child.communicate()


class InProcess(Transport):
    """Fresh mock in this process, called through WSGI without a socket."""

    def __init__(
        self,
        app: Any | None = None,
        limit: RequestLimit | None = None,
        revision: str | None = None,
        profile: str | None = None,
    ) -> None:
        if app is None:
            from mockserver.app import create_app
            from mockserver.settings import Settings

            settings = Settings.model_construct(
                quiet=True, revision=revision or revisions()[0], profile=profile
            )
            app = create_app(settings)  # without the environment
        super().__init__("http://mock", limit)
        self.fresh = True
        self._app = app

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response of the application."""
        self.limit.wait(TIMEOUT)
        environ = _environ(request, request_headers(request, key, self.always))
        before = time.monotonic()
        body, line, headers = run_wsgi_app(self._app, environ, buffered=True)
        return response_of(request, int(line.split(" ", 1)[0]), headers, b"".join(body), before)


def _environ(request: ClientRequest, headers: Mapping[str, str]) -> dict[str, Any]:
    """WSGI environ of a request; werkzeug's test client takes as long as the mock's response."""
    path, _, query = requote_uri(request.path).partition("?")
    data = body_bytes(request.body) or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": "localhost",
    }
    if not is_chunked(request):
        environ["CONTENT_LENGTH"] = str(len(data))
    for name, value in headers.items():
        wsgi_name = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if wsgi_name == "CONTENT_TYPE" else f"HTTP_{wsgi_name}"] = value
    return environ
