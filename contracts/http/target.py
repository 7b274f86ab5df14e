"""Transports: a deployment by URL, or a fresh mock. The only file that distinguishes them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import urllib3
from requests.utils import requote_uri
from werkzeug.test import run_wsgi_app

from contracts.checks.errors import TargetUnreachable, Unanswered
from contracts.http.exchange import SAFE, ClientRequest, ClientResponse
from contracts.http.transport import BUSY, RequestLimit, Transport, retry_delay

TIMEOUT = 20.0
"""Seconds until a request times out: to connect, without a byte, and in all."""
FRESH = ("mock", "mock-http")
"""Targets that the suite starts itself: in this process, or on a free port."""
MAX_BYTES = 16 * 2**20
"""Largest response body, decompressed; a longer one is treated as endless."""
NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)
"""Errors of requests and of the libraries below it that mean no valid HTTP response."""
RETRY_DELAYS = (0.2, 1.0)
"""Seconds before each retry of an unanswered request."""


def open_transport(name: str, limit: RequestLimit | None = None) -> Transport:
    """Transport for a target: mock, mock-http, or a URL."""
    if name == "mock":
        return InProcess(limit=limit)
    return Served(limit) if name == "mock-http" else Http(name, limit)


class Http(Transport):
    """Transport to a deployment by URL."""

    def __init__(self, url: str, limit: RequestLimit | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise TargetUnreachable(
                f"{url!r} is not the URL of a deployment; pass http://host or https://host"
            )
        super().__init__(url.rstrip("/"), limit)
        self._own = threading.local()
        self._open = ExitStack()

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response; retried while the target is unavailable and a repeat is safe."""
        if not request.path.startswith("/"):  # it would become part of the host
            raise Unanswered(f"not sent: the path {request.path!r} does not begin with /")
        for pause in (*RETRY_DELAYS, None):
            try:
                answer = self._send(request, key)
            except NO_ANSWER as error:
                why, wait = f"no answer from {self.url}: {_reason(error)}", pause
                if request.method not in SAFE:
                    wait = None  # it may have taken effect
            else:
                if answer.status != 429 and answer.status not in BUSY:
                    return answer
                why = f"{self.url} answers {answer.status} to {request.method} {request.path[:80]}"
                requested = retry_delay(answer.headers.get("retry-after", ""))
                wait = None if pause is None else pause if requested is None else requested
                if answer.status in BUSY and requested is None and request.method not in SAFE:
                    wait = None
            if wait is None:
                break
            time.sleep(wait)
        raise Unanswered(why)

    def _send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        timeout = self.limit.wait(TIMEOUT)
        before = time.monotonic()
        with self._session().request(
            request.method,
            self.url + request.path,
            headers=_headers(request, key, self.always),
            data=_data(request.body),
            allow_redirects=False,
            timeout=timeout,
            stream=True,
        ) as response:
            content = bytearray()
            for piece in response.iter_content(65536):
                content += piece
                if len(content) > MAX_BYTES:
                    raise requests.RequestException(f"its answer has more than {MAX_BYTES:,} bytes")
                if time.monotonic() - before > timeout:
                    raise requests.Timeout(f"its answer is not complete after {timeout:.0f} s")
        return _response(request, response.status_code, response.headers, bytes(content), before)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._open.enter_context(requests.Session())
            session.trust_env = False  # ignore .netrc and proxies, which would see the keys
        return session

    def close(self) -> None:
        """Close every connection."""
        self._open.close()


class Served(Http):
    """Fresh mock in a separate process, on a free port."""

    def __init__(self, limit: RequestLimit | None = None) -> None:
        own = ("MOCK_", "FREDDY_", "PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--quiet", "--end-with-stdin"],
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

    def __init__(self, app: Any | None = None, limit: RequestLimit | None = None) -> None:
        if app is None:
            from mockserver.app import create_app
            from mockserver.settings import Settings

            app = create_app(Settings.model_construct(quiet=True))  # ignores the environment
        super().__init__("http://mock", limit)
        self._app = app

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response of the application."""
        self.limit.wait(TIMEOUT)
        environ = _environ(request, _headers(request, key, self.always))
        before = time.monotonic()
        body, line, headers = run_wsgi_app(self._app, environ, buffered=True)
        return _response(request, int(line.split(" ", 1)[0]), headers, b"".join(body), before)


def our_spec() -> Path:
    """Bundled openapi.yaml; a deployment is never judged by its own document."""
    from mockserver.app import bundled_spec

    return bundled_spec()


def _environ(request: ClientRequest, headers: Mapping[str, str]) -> dict[str, Any]:
    """WSGI environ of a request; werkzeug's test client takes as long as the mock's response."""
    path, _, query = requote_uri(request.path).partition("?")
    data = _data(request.body) or b""
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
        "CONTENT_LENGTH": str(len(data)),
    }
    for name, value in headers.items():
        wsgi_name = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if wsgi_name == "CONTENT_TYPE" else f"HTTP_{wsgi_name}"] = value
    return environ


def _headers(request: ClientRequest, key: str | None, always: Mapping[str, str]) -> dict[str, str]:
    headers = {**request.headers, **always}
    if key is not None:
        headers["X-API-Key"] = key
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    return headers


def _data(body: Any) -> bytes | None:
    if body is None:
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _response(
    request: ClientRequest, status: int, headers: Any, content: bytes, sent: float
) -> ClientResponse:
    """Response to a request that was sent at the monotonic time `sent`."""
    taken = (time.monotonic() - sent) * 1000
    lower = {name.lower(): value for name, value in headers.items()}
    text = content.decode("utf-8", "replace")
    garbled = "\ufffd" in text and text.encode() != content
    return ClientResponse(request, status, lower, text, taken, garbled=garbled)


def _reason(error: Exception) -> str:
    inner: BaseException = error
    while inner.__context__ is not None:
        inner = inner.__context__
    return " ".join(str(inner).split())[:200] or type(error).__name__
