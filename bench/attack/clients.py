"""Clients that send random requests and random bytes, for a bounded time."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlsplit

from mockserver.app import bundled_spec
from mockserver.openapi.spec import Spec

KEYS = ("ak_demo_owner", "ak_demo_editor", "ak_demo_viewer", "ak_demo_outsider", "", "ak_x", "\xff")
IDS = (
    "space_abc123",
    "space_team",
    "thrd_abc123",
    "thrd_def456",
    "vs_def456",
    "..",
    "%2F",
    "x" * 300,
    "%00",
    "💥",
)
VALUES = (
    "null",
    "[]",
    "{}",
    '"x"',
    "1e999",
    "-1",
    '{"name": "x", "organization_id": "org_abc123"}',
    '{"a":' * 600,
    "\xff",
)
NAMES = (
    "X-Mock-Sandbox",
    "X-Mock-Fault",
    "X-Mock-Delay",
    "Prefer",
    "Origin",
    "Cookie",
    "Range",
    "X-HTTP-Method-Override",
)
WORDS = (
    "a",
    "status=500",
    "seconds=0.01",
    "code=404",
    "🙂",
    "x" * 5000,
    "{}",
    '{"kind":"reset"}',
    "../..",
    "'\"<>&",
)
CONTROL = (
    "/__admin/state",
    "/__admin/faults",
    "/__admin/embeddings",
    "/__admin/clock",
    "/__admin/requests/count",
)


class Tally:
    """Answers by status, 5xx with the request that got it, and connections that got no answer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.unexplained: list[str] = []
        self.unanswered = 0

    def note(self, status: int, request: str, source: str, reason: str) -> None:
        """Count an answer; a 5xx must be injected by a fault, or a documented 503 with its reason."""
        with self.lock:
            self.statuses[status] += 1
            explained = status < 500 or source in ("fault", "example") or (status == 503 and reason)
            if not explained:
                self.unexplained.append(f"{request}: {status} {reason}")


def attack(url: str, seconds: float, clients: int, seed: int) -> Tally:
    """Let `clients` threads send random requests, and two send random bytes, for `seconds`."""
    tally, end = Tally(), time.monotonic() + seconds
    paths = [(operation.method, operation.template) for operation in Spec(bundled_spec()).operations.values()]
    paths += [
        (method, path) for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD") for path in CONTROL
    ]

    def run(work: Callable[[random.Random], None], number: int) -> None:
        dice = random.Random(f"{seed} {number}")
        while time.monotonic() < end:
            try:
                work(dice)
            except (OSError, HTTPException):
                with tally.lock:
                    tally.unanswered += 1

    def requests(dice: random.Random) -> None:
        _requests(url, dice, paths, tally)

    def raw(dice: random.Random) -> None:
        _bytes(url, dice)

    works = [*[requests] * clients, raw, raw]
    threads = [threading.Thread(target=run, args=(work, number)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def _requests(url: str, dice: random.Random, paths: list[tuple[str, str]], tally: Tally) -> None:
    """Twenty requests on one connection."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        for _ in range(20):
            method, template = dice.choice(paths)
            path = "".join(
                dice.choice(IDS) if part.startswith("{") else part
                for part in template.replace("{", "\0{").replace("}", "}\0").split("\0")
            )
            if dice.random() < 0.3:
                path += f"?{dice.choice(('limit', 'cursor', 'organization_id', 'x'))}={dice.choice(IDS)}"
            if dice.random() < 0.2:
                path = f"/__sandbox/attack-{dice.randrange(50)}{path}"
            headers = {"X-API-Key": dice.choice(KEYS), "Content-Type": "application/json"}
            if dice.random() < 0.3:
                headers[dice.choice(NAMES)] = dice.choice(WORDS).encode("utf-8").decode("latin-1")
            body = dice.choice(VALUES).encode("latin-1") if method in ("POST", "PUT", "PATCH") else None
            connection.request(method, quote(path, safe="/%?=&.:"), body, headers)
            answer = connection.getresponse()
            answer.read()
            source, reason = answer.getheader("X-Mock-Source", ""), answer.getheader("X-Mock-Reason", "")
            tally.note(answer.status, f"{method} {path[:200]}", source, reason)
    finally:
        connection.close()


def _bytes(url: str, dice: random.Random) -> None:
    """One connection with damaged bytes, closed or left in the middle."""
    address = urlsplit(url)
    start = dice.choice(
        (
            b"GET / HTTP/1.1\r\n",
            b"POST /v1/threads HTTP/1.1\r\n",
            b"",
            b"\x16\x03\x01",
            b"PRI * HTTP/2.0\r\n\r\n",
        )
    )
    header = dice.choice(
        (
            b"Host: x\r\n",
            b"Content-Length: 99\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n",
            b"Host\x00: \xff\r\n",
            b"",
        )
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(start + header + dice.randbytes(dice.choice((0, 10, 5000))) + b"\r\n\r\n")
        connection.settimeout(0.2)
        with suppress(TimeoutError):
            connection.recv(1000)
