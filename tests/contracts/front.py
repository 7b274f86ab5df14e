"""Mock behind a proxy that looks like a deployment, and may drop or change requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest
from contracts.http.run import Run
from contracts.safety.ledger import Ledger
from contracts.safety.unanswered import existing_ids
from tests.running import mock

KEYS = {
    **{f"CONTRACTS_{role.upper()}_KEY": key for role, key in DEMO.items()},
    "CONTRACTS_ORGANIZATION_ID": DEMO_ORGANIZATION,
}
"""Environment of a run; the proxy hides that a mock is behind it."""
Whim = Callable[[str, str, Callable[[], None]], str]
"""(method, path, pass_on) -> "" for the mock's response, "drop" to close the connection, or a status."""


def faithful(method: str, path: str, pass_on: Callable[[], None]) -> str:
    """Pass on every request."""
    return ""


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each answer waits for an acknowledgement
    upstream: str
    whim: Whim

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Suppress the log."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, http.client.HTTPException):
            self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answers: list[tuple[int, list[tuple[str, str]], bytes]] = []

        def pass_on() -> None:
            if not answers:
                answers.append(self._upstream(body))

        said = type(self).whim(self.command, self.path, pass_on)
        if said == "drop":
            self.close_connection = True
            return
        if said:
            answers[:] = [(int(said), [("Content-Type", "text/plain")], b"not now")]
        pass_on()
        status, headers, text = answers[0]
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _upstream(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            own = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
            connection.request(self.command, self.path, body or None, own)
            answer = connection.getresponse()
            hidden = ("content-length", "transfer-encoding", "connection", "date", "server")
            shown = [
                (n, v)
                for n, v in answer.getheaders()
                if n.lower() not in hidden and not n.lower().startswith("x-mock-")
            ]
            return answer.status, shown, answer.read()
        finally:
            connection.close()


@contextmanager
def deployment(whim: Whim = faithful) -> Iterator[str]:
    """URL of a deployment that runs during the block."""
    with mock("--quiet") as url:
        kind = type("Front", (_Front,), {"upstream": urlsplit(url).netloc, "whim": staticmethod(whim)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def everything(url: str) -> list[str]:
    """Everything visible to the demo users: lists, spaces, messages."""
    transport = Http(url)
    run = Run(transport, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="looks", read_only=True)
    seen = [str(existing_ids(run))]
    spaces = sorted({id_ for kinds in existing_ids(run).values() for id_ in kinds["space"] or ()})
    threads = sorted({id_ for kinds in existing_ids(run).values() for id_ in kinds["thread"] or ()})[:12]
    paths = [
        f"/v1/spaces/{id_}{part}" for id_ in spaces for part in ("", "/threads?limit=100", "/vector-stores")
    ]
    paths += [f"/v1/threads/{id_}{part}" for id_ in threads for part in ("", "/messages?limit=100")]
    paths += ["/v1/threads?limit=100", f"/v1/spaces/?organization_id={DEMO_ORGANIZATION}&limit=100"]
    paths += [f"/v1/organizations/{DEMO_ORGANIZATION}/vector-stores?take=100"]
    for path in paths:
        for role, key in DEMO.items():
            answer = transport.send(ClientRequest("GET", path, role), key)
            seen.append(f"{role} {path} {answer.text if answer.status == 200 else answer.status}")
    transport.close()
    return seen
