"""A mock as a child process whose streams are read as they come."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from tests.running import mock

KEY = {"X-API-Key": "ak_demo_owner"}
THREAD = "/v1/threads/thrd_def456"
QUESTION = {"thread_id": "thrd_def456", "inputs": [{"role": "user", "content": "Where is the booth?"}]}


class Reading(NamedTuple):
    """A stream that is read as it comes."""

    response: HTTPResponse

    def line(self) -> str:
        """The next event's text; empty at the end of the stream."""
        line, empty = self.response.readline(), self.response.readline()
        if line.startswith(b"id: "):
            line, empty = empty, self.response.readline()
        assert empty in (b"\n", b"")
        return line.decode().removeprefix("data: ").rstrip("\n")

    def name(self) -> str:
        """What kind of event comes next, `response.` left out."""
        line = self.line()
        return str(json.loads(line)["event"]).removeprefix("response.") if line.startswith("{") else line

    def rest(self) -> list[str]:
        """All that still comes."""
        return list(iter(self.name, ""))


class Mock:
    """A mock and short ways to ask it."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 0)
        self.session = requests.Session()
        self.session.headers.update(KEY)

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One request, read to its end."""
        return self.session.request(method, self.url + path, json=body, timeout=60)

    def order(self, **order: Any) -> None:
        """Order the next answers."""
        assert self.ask("POST", "/__admin/replies", {"text": "One two three", **order}).ok

    @contextmanager
    def stream(self) -> Iterator[Reading]:
        """A stream of the next answer, left at the end of the block."""
        connection = HTTPConnection(*self.address, timeout=60)
        try:
            connection.request("POST", "/v1/model/response", json.dumps({**QUESTION, "stream": True}), KEY)
            with connection.getresponse() as response:
                yield Reading(response)
        finally:
            connection.close()


@contextmanager
def started(*flags: str, **more: Any) -> Iterator[Mock]:
    """A mock of its own."""
    with mock("--quiet", *flags, **more) as url:
        one = Mock(url)
        with one.session:
            yield one
