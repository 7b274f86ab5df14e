"""Habits of real deployments, as variants of the other server.

`python -m tests.contracts.habits [NAME...]` runs the suite on each, and prints verdict, exit code, seconds,
requests, and what the run left behind. With `--seeds` it runs five seeds on each, with a baseline made by the
first, and prints their exit codes.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.contracts.other_server import Handler, Wrap, usual
from tests.contracts.other_state import KEYS, Refused, Reply, State, envelope

Answer = Callable[[], Reply]
HTML = {"Content-Type": "text/html"}
SAFE = ("GET", "HEAD", "OPTIONS")
EVERY = 25
"""Number of requests of which one meets a failure that comes now and then."""
LAG = 0.5
"""Seconds that a list is behind the writes."""
OWNER = "key-of-ann"


def refused(status: int, code: str) -> Reply:
    """Error in the documented envelope."""
    return Reply.of(status, envelope(Refused(status, code.lower(), code)))


def page(status: int) -> Reply:
    """Error page of a proxy."""
    return Reply(status, b"<html><body>sorry</body></html>", HTML)


def writes(request: Handler) -> bool:
    """Whether the method changes something."""
    return request.command not in SAFE


def due(request: Handler, *, after: int = 0, every: int = EVERY) -> bool:
    """Whether it is the turn of a failure; `after` so many requests."""
    return request.state.counts.total() > after and request.state.counts.total() % every == 0


def written(request: Handler) -> bool:
    """Whether it is the turn of a failure among the writes."""
    request.state.marks["writes"] += writes(request)
    return writes(request) and request.state.marks["writes"] % EVERY == EVERY - 1


def reset(request: Handler) -> None:
    """Reset the connection."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(request.connection.detach())


def slow(request: Handler, answer: Answer) -> Reply:
    """Every answer takes 300 ms."""
    time.sleep(0.3)
    return answer()


def limited(request: Handler, answer: Answer) -> Reply:
    """40 requests a second; a 429 says when to come again."""
    marks, window = request.state.marks, f"second {int(time.time())}"
    marks[window] += 1
    left = 40 - marks[window]
    headers = {"X-RateLimit-Limit": "40", "X-RateLimit-Remaining": str(max(left, 0))}
    headers |= {"X-RateLimit-Reset": str(int(time.time()) + 1), "Content-Type": "application/json"}
    if left < 0:
        return refused(429, "RATE_LIMIT_EXCEEDED")._replace(headers={**headers, "Retry-After": "1"})
    return answer()._replace(headers=headers)


def limited_without_retry_after(request: Handler, answer: Answer) -> Reply:
    """The same, and a 429 has no Retry-After."""
    reply = limited(request, answer)
    return reply._replace(headers={n: v for n, v in reply.headers.items() if n != "Retry-After"})


def bad_gateway(request: Handler, answer: Answer) -> Reply:
    """Every 25th request is a 502, and has no effect."""
    return page(502) if due(request) else answer()


def bad_gateway_after_the_write(request: Handler, answer: Answer) -> Reply:
    """Every 25th write takes effect, and is a 502."""
    hit, reply = written(request), answer()
    return page(502) if hit else reply


def firewall(request: Handler, answer: Answer) -> Reply:
    """A request that looks like an attack is a 403 with HTML."""
    sent = unquote(request.path) + request.text.decode("utf-8", "replace")
    return page(403) if re.search(r"<script|'|\.\./|\x00|\\u0000|--|\bselect\b", sent) else answer()


def lagging(request: Handler, answer: Answer) -> Reply:
    """Lists are half a second behind the writes."""
    state, now = request.state, time.monotonic()
    if writes(request):
        reply = answer()
        with state.lock:
            state.history.append((time.monotonic(), state.copy()))
        return reply
    if not re.search(r"/(?:threads|spaces/)(?:\?|$)", request.path):
        return answer()
    old = [then for at, then in state.history if at < now - LAG]
    request.state = old[-1] if old else State()
    try:
        return answer()
    finally:
        request.state = state


def resets_before(request: Handler, answer: Answer) -> Reply | None:
    """Every 25th write is a reset connection, and has no effect."""
    if not written(request):
        return answer()
    reset(request)
    return None


def resets_after(request: Handler, answer: Answer) -> Reply | None:
    """Every 25th write takes effect, and is a reset connection."""
    hit, reply = written(request), answer()
    if not hit:
        return reply
    reset(request)
    return None


def read_only(request: Handler, answer: Answer) -> Reply:
    """The owner's key may read only."""
    refuse = writes(request) and request.headers.get("X-API-Key") == OWNER
    return refused(403, "INSUFFICIENT_PERMISSIONS") if refuse else answer()


def expired(key: str, after: int = 0) -> Wrap:
    """A key has expired, from the start or `after` so many requests."""

    def wrap(request: Handler, answer: Answer) -> Reply:
        over = request.headers.get("X-API-Key") == key and request.state.counts.total() > after
        return refused(401, "API_KEY_EXPIRED") if over else answer()

    return wrap


def prefix(request: Handler, answer: Answer) -> Reply:
    """The API is below /gateway/freddy."""
    if not request.path.startswith("/gateway/freddy/"):
        return page(404)
    request.path = request.path.removeprefix("/gateway/freddy")
    return answer()


def missing_operation(request: Handler, answer: Answer) -> Reply:
    """PATCH of a thread does not exist."""
    missing = request.command == "PATCH" and "/threads/" in request.path
    return Reply.of(405, {"detail": "Method Not Allowed"}) if missing else answer()


def other_slash(request: Handler, answer: Answer) -> Reply:
    """/v1/spaces has no slash at its end, and redirects with one."""
    path, _, query = request.path.partition("?")
    if path == "/v1/spaces/":
        location = "/v1/spaces" + (f"?{query}" if query else "")
        return Reply(307, b"", {"Location": location})
    if path == "/v1/spaces":
        request.path = f"/v1/spaces/?{query}"
    return answer()


def more_fields(request: Handler, answer: Answer) -> Reply:
    """Every object of an answer has a field that no document mentions."""

    def more(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: more(inner) for name, inner in value.items()}, "x_region": "eu"}
        return [more(inner) for inner in value] if isinstance(value, list) else value

    reply = answer()
    return reply._replace(body=json.dumps(more(json.loads(reply.body))).encode()) if reply.body else reply


def old_http(request: Handler, answer: Answer) -> Reply:
    """Answers are HTTP/1.0, each on a connection of its own, with headers that no document mentions."""
    request.protocol_version, request.close_connection = "HTTP/1.0", True
    reply = answer()
    more = {"Server": "Apache/1.3", "Via": "1.0 proxy", "X-Cache": "MISS", "Set-Cookie": "route=7; Path=/"}
    return reply._replace(headers={**reply.headers, **more})


def emptied(request: Handler, answer: Answer) -> Reply:
    """Somebody deletes everything in the account after 60 requests."""
    if request.state.counts.total() == 60:
        with request.state.lock:
            for kept in (request.state.spaces, request.state.threads, request.state.members):
                kept.clear()
    return answer()


def existing_id(request: Handler, answer: Answer) -> Reply:
    """Every 5th created thread has the id of an old one."""
    reply = answer()
    if request.command == "POST" and request.path == "/v1/threads" and reply.status == 201:
        request.state.marks["created"] += 1
        if request.state.marks["created"] % 5 == 0:
            return Reply.of(201, {**json.loads(reply.body), "id": "thrd_old0"})
    return reply


def silent(request: Handler, answer: Answer) -> Reply | None:
    """It stops answering after 60 requests."""
    if request.state.counts.total() > 60:
        request.state.over.wait(60)
        return None
    return answer()


def endless(request: Handler, answer: Answer) -> Reply | None:
    """A list never ends."""
    if request.command != "GET" or "/spaces/" not in request.path:
        return answer()
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    try:
        while True:
            request.wfile.write(b" " * 65536)
    except OSError:
        return None


BOMB = gzip.compress(bytes(50_000_000))


def bomb(request: Handler, answer: Answer) -> Reply:
    """A list of spaces is a gzip bomb."""
    if request.command != "GET" or "/spaces/" not in request.path:
        return answer()
    return Reply(200, BOMB, {"Content-Type": "application/json", "Content-Encoding": "gzip"})


def five_minutes_off(state: State) -> None:
    """Its clock is five minutes slow."""
    state.now = lambda: f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"


def long_ids(state: State) -> None:
    """Ids of 120 characters, with - and ."""
    uuid = state.suffix
    state.suffix = lambda: f"eu-1.{uuid()}-{uuid()}.{uuid()}"


def old_threads(number: int) -> Callable[[State], None]:
    """So many threads of the owner from before the run."""

    def prepare(state: State) -> None:
        for n in range(number):
            suffix, state.suffix = state.suffix, (lambda n=n: f"old{n}")  # type: ignore[misc]
            Handler.new_thread(_Only(state), {"title": "old"}, KEYS[OWNER])  # type: ignore[arg-type]
            state.suffix = suffix

    return prepare


class _Only:
    """What `new_thread` needs of a request."""

    def __init__(self, state: State) -> None:
        self.state = state


def colleague(state: State) -> None:
    """Another program creates threads with the owner's key, and deletes every other."""
    n = 0
    while not state.over.wait(0.05):
        with state.lock:
            made = Handler.new_thread(_Only(state), {"title": "a colleague's"}, KEYS[OWNER])  # type: ignore[arg-type]
            n += 1
            if n % 2:
                del state.threads[made["id"]]
            else:
                state.threads[made["id"]]["title"] = "a colleague's, kept"


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Server side of TLS with a certificate that it signed itself, and the file of that certificate."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command = ["openssl", *words.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


class Habit(NamedTuple):
    """Variant of the other server, and the flags with which the suite runs on it."""

    wrap: Wrap = usual
    prepare: Callable[[State], None] = lambda _: None
    meanwhile: Callable[[State], None] | None = None
    """Runs beside the server until `state.over`."""
    words: tuple[str, ...] = ()
    path: str = ""
    """Path of the target's URL."""
    tls: bool = False


HABITS = {
    "usual": Habit(),
    "slow": Habit(slow),
    "rate-limited": Habit(limited),
    "rate-limited-without-retry-after": Habit(limited_without_retry_after),
    "502": Habit(bad_gateway),
    "502-after-the-write": Habit(bad_gateway_after_the_write),
    "firewall": Habit(firewall),
    "lagging-lists": Habit(lagging, words=("--settle", "3s")),
    "lagging-lists-without-settle": Habit(lagging),
    "clock-5-minutes-off": Habit(prepare=five_minutes_off),
    "long-ids": Habit(prepare=long_ids),
    "resets-before-the-write": Habit(resets_before),
    "resets-after-the-write": Habit(resets_after),
    "tls": Habit(tls=True),
    "http-1.0-and-more-headers": Habit(old_http),
    "read-only-key": Habit(read_only),
    "expired-owner": Habit(expired(OWNER)),
    "owner-expires": Habit(expired(OWNER, after=80)),
    "expired-editor": Habit(expired("key-of-dan")),
    "prefix": Habit(prefix, path="/gateway/freddy"),
    "missing-operation": Habit(missing_operation),
    "other-slash": Habit(other_slash),
    "500-old-threads": Habit(prepare=old_threads(500)),
    "colleague": Habit(meanwhile=colleague),
    "more-fields": Habit(more_fields),
    "emptied": Habit(emptied),
    "existing-id": Habit(existing_id, prepare=old_threads(1)),
    "silent": Habit(silent, words=("--timeout", "1s")),
    "endless": Habit(endless, words=("--timeout", "2s")),
    "gzip-bomb": Habit(bomb),
}

if __name__ == "__main__":
    import sys

    from tests.contracts.habits_table import steady, table

    words = [word for word in sys.argv[1:] if word != "--seeds"]
    sys.exit((steady if "--seeds" in sys.argv else table)(words))
