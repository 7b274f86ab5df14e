"""Where the suite points: a deployment by its URL, or a fresh mock. The only file that knows which."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from contracts.exchange import Answer, Request

TIMEOUT = 20.0
"""Seconds for one answer."""
MOCK = ("mock", "mock-http")
"""Names of targets that the suite starts itself."""


class Unreachable(Exception):
    """The target can't be tested; one line says why."""


class Limit:
    """A request budget and a pace, shared by every thread of a run."""

    def __init__(self, per_second: float | None = None, most: int | None = None) -> None:
        self._pause = 1 / per_second if per_second else 0.0
        self._left = most
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may go out; Unreachable once the budget is used up."""
        with self._lock:
            if self._left is not None:
                if self._left == 0:
                    raise Unreachable("the request budget is used up")
                self._left -= 1
            now = time.monotonic()
            due = max(self._next, now)
            self._next = due + self._pause
        if due > now:
            time.sleep(due - now)


class Transport(Protocol):
    """Sends one request; raises Unreachable if no answer comes."""

    url: str

    def send(self, request: Request, key: str | None) -> Answer:
        """The answer, redirects not followed."""

    def close(self) -> None:
        """Give back what it holds."""


class Http:
    """A deployment behind a URL."""

    def __init__(self, url: str, limit: Limit | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Unreachable(f"{url!r} is no URL of a deployment; give http://host or https://host")
        self.url = url.rstrip("/")
        self._limit = limit or Limit()
        self._own = threading.local()
        self._open = ExitStack()

    def send(self, request: Request, key: str | None) -> Answer:
        """The answer; a 429 with Retry-After is waited out, three times at most."""
        for _ in range(3):
            answer = self._send(request, key)
            pause = answer.headers.get("retry-after", "")
            if answer.status != 429 or not pause.isdecimal() or int(pause) > 60:
                return answer
            time.sleep(int(pause))
        return answer

    def _send(self, request: Request, key: str | None) -> Answer:
        self._limit.wait()
        before = time.monotonic()
        try:
            response = self._session().request(
                request.method,
                self.url + request.path,
                headers=_headers(request, key),
                data=_data(request.body),
                allow_redirects=False,
                timeout=TIMEOUT,
            )
        except requests.RequestException as error:
            raise Unreachable(f"no answer from {self.url}: {_reason(error)}") from error
        taken = (time.monotonic() - before) * 1000
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(request, response.status_code, headers, response.text, taken)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._open.enter_context(requests.Session())
            session.trust_env = False  # no .netrc of the user's, no proxy that would see the keys
        return session

    def close(self) -> None:
        """Close every connection."""
        self._open.close()


class InProcess:
    """A fresh mock in this process: no socket, no server."""

    url = "http://mock"

    def __init__(self, app: Any | None = None) -> None:
        if app is None:
            from mockserver.app import create_app
            from mockserver.settings import Settings

            app = create_app(Settings(quiet=True))
        self._app = app

    def send(self, request: Request, key: str | None) -> Answer:
        """The answer of the application."""
        before = time.monotonic()
        response = self._app.test_client().open(
            request.path,
            method=request.method,
            headers=_headers(request, key),
            data=_data(request.body),
        )
        taken = (time.monotonic() - before) * 1000
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(request, response.status_code, headers, response.get_data(as_text=True), taken)

    def close(self) -> None:
        """Nothing is held."""


def our_spec() -> Path:
    """openapi.yaml as it came with us: a deployment may not grade itself by its own."""
    from mockserver.app import bundled_spec

    return bundled_spec()


def _headers(request: Request, key: str | None) -> dict[str, str]:
    headers = dict(request.headers)
    if key is not None:
        headers["X-API-Key"] = key
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    return headers


def _data(body: Any) -> bytes | None:
    if body is None:
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _reason(error: Exception) -> str:
    inner: BaseException = error
    while inner.__context__ is not None:
        inner = inner.__context__
    return " ".join(str(inner).split())[:200] or type(error).__name__


def is_mock(headers: Mapping[str, str]) -> bool:
    """Whether an answer comes from a mock of ours."""
    return "x-mock-source" in headers
