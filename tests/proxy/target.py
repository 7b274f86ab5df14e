"""A server behind a proxy, for tests: it answers what it is told, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import requests

from tests.running import ready

KEY = {"X-API-Key": "ak_demo_owner"}
JSON = "Content-Type: application/json"
Script = Callable[[socket.socket, "Asked"], Any]
"""Answers one request on its connection; the connection stays open unless it says False."""


class Asked(NamedTuple):
    """Request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes


class Target:
    """Listening socket, and every request that came."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.connections = 0
        self.context: ssl.SSLContext | None = None
        """TLS of each connection; None without."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):  # it is closed
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.context is None:
                self._answer(connection)
                return
            with self.context.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as source:
            while line := source.readline():
                headers = {}
                while (text := source.readline().decode("latin-1").strip()) != "":
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                asked = Asked(
                    line.decode().strip(), headers, source.read(int(headers.get("content-length", 0)))
                )
                self.asked.append(asked)
                if self.script(connection, asked) is False:
                    return


def answer(*headers: str, body: Any = None, status: str = "200 OK") -> bytes:
    """Bytes of an answer with its length; a body that is not bytes is JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = [] if isinstance(body, bytes) else [JSON]
    return (
        "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *kind, *headers, "", ""]).encode(
            "latin-1"
        )
        + data
    )


def saying(*headers: str, body: Any = None, status: str = "200 OK") -> Script:
    """Script that always answers this."""
    data = answer(*headers, body=body, status=status)
    return lambda connection, _: connection.sendall(data)


@contextmanager
def target(script: Script) -> Iterator[Target]:
    """Target that follows a script."""
    made = Target(script)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def proxy(to: str, *flags: str) -> Iterator[str]:
    """URL of a proxy in front of a target."""
    with ready("--target", to, *flags, command="proxy") as line:
        yield line["url"]


@contextmanager
def scripted(script: Script, *flags: str) -> Iterator[tuple[str, Target]]:
    """URL of a proxy, and the target behind it."""
    with target(script) as behind, proxy(behind.url, *flags) as url:
        yield url, behind


def ask(method: str, url: str, **options: Any) -> requests.Response:
    """Answer to a request with the owner's key, which no proxy of the environment sees."""
    headers = {**KEY, **options.pop("headers", {})}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, headers=headers, timeout=60, allow_redirects=False, **options)


def ended(process: subprocess.Popen[bytes]) -> int:
    """Exit code of a process that is told to end."""
    process.terminate()
    return process.wait(60)
