"""Attacks of small clients: HEAD, the root, streams, redirects, bodies with a byte order mark."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlsplit

Attack = tuple[str, Callable[[str], str | None]]
SECONDS = 10.0
OWNER = {"X-API-Key": "ak_demo_owner", "Content-Type": "application/json"}


def _ask(
    url: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and at most 64 KB of the body."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port or 80, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, b"" if method == "HEAD" else answer.read(65536)
    finally:
        connection.close()


def head(url: str) -> str | None:
    """HEAD is GET without the body on the control API, and no event stream is opened for it."""
    paths = (
        "health",
        "ready",
        "clock",
        "faults",
        "requests",
        "sandboxes",
        "specs/openapi.json",
        "docs",
        "events",
    )
    for _ in range(20):
        for path in paths:
            status = _ask(url, "HEAD", f"/__admin/{path}")[0]
            if status != 200:
                return f"HEAD /__admin/{path} is {status}"
    return None


def root(url: str) -> str | None:
    """Whoever waits for a server asks `/`; it creates no sandbox."""
    before = _ask(url, "GET", "/__admin/sandboxes")[2]
    for method in ("GET", "HEAD"):
        for path in ("/", "/?x", *(f"/__sandbox/root-{n}/" for n in range(50))):
            status = _ask(url, method, path)[0]
            if status != 200:
                return f"{method} {path} is {status}"
    after = _ask(url, "GET", "/__admin/sandboxes")[2]
    return None if b"root-" not in after or before == after else "a request for / made a sandbox"


def stream(url: str) -> str | None:
    """A proxy may neither compress nor buffer an event stream."""
    body = json.dumps(
        {"thread_id": "thrd_abc123", "inputs": [{"role": "user", "content": "Hello"}], "stream": True}
    )
    status, headers, _ = _ask(url, "POST", "/v1/model/response", body.encode(), OWNER)
    if status != 200 or headers.get("content-type") != "text/event-stream":
        return f"the stream is {status} {headers.get('content-type')}"
    if "no-transform" not in headers.get("cache-control", "") or headers.get("x-accel-buffering") != "no":
        return f"a proxy may hold the stream: {headers.get('cache-control')}"
    return None


def redirect(url: str) -> str | None:
    """The slash redirect stays on this host, whatever prefix a proxy claims."""
    claims = ("/mock", "//evil.example", "/\\evil.example", "https://evil.example", "/a//b", "/" + "x" * 8000)
    for said in claims:
        sent = {**OWNER, "X-Forwarded-Prefix": said}
        status, headers, _ = _ask(url, "GET", "/v1/spaces/space_abc123/threads/", headers=sent)
        there = headers.get("location", "")
        if status != 307 or urlsplit(there).netloc or there.startswith(("//", "/\\")):
            return f"with the prefix {said[:40]!r} it is {status} to {there[:80]!r}"
    return None


def bodies(url: str) -> str | None:
    """A byte order mark is skipped; nesting of any depth is a flaw of the body."""
    new = json.dumps({"organization_id": "org_abc123", "name": "Attack"}).encode()
    status = _ask(url, "POST", "/v1/spaces/", b"\xef\xbb\xbf" + new, OWNER)[0]
    if status != 201:
        return f"a body with a byte order mark is {status}"
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        for path in ("/v1/spaces/", "/__admin/faults", "/__admin/verify"):
            status = _ask(url, "POST", path, deep, OWNER)[0]
            if status != 422:
                return f"a deep body is {status} on {path}"
    status = _ask(url, "PUT", "/__admin/state", b"\xef\xbb\xbf" + b"[" * 100_000, OWNER)[0]
    return None if status == 422 else f"a deep state document is {status}"


def attacks() -> list[Attack]:
    """Names and attacks; each returns None, or what is wrong in one line."""
    return [
        ("HEAD on the control API", head),
        ("the root", root),
        ("headers of event streams", stream),
        ("slash redirects", redirect),
        ("byte order marks and deep bodies", bodies),
    ]
