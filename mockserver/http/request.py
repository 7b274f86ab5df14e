"""HTTP request from WSGI, and the answer to it."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

from mockserver.http.problems import PayloadTooLarge, SpecViolation
from mockserver.http.redaction import CREDENTIALS, masked

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_INVALID_IN_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_MOUNT = re.compile(r"(?:/[\w.~%!$&'()*+;=:@-]+)*", re.ASCII)
"""Path of one host: `//name` would be another one."""
SANDBOX_PREFIX = "/__sandbox/"
"""Path prefix, followed by a sandbox's name: for clients that can only change their base URL."""


@lru_cache(256)
def _by_wsgi(name: str) -> str:
    """WSGI's name of a header."""
    return "HTTP_" + name.upper().replace("-", "_")


class Request:
    """One HTTP request."""

    __slots__ = ("_body", "_environ", "_secrets", "journal_body", "method", "path", "prefix", "query")

    def __init__(self, environ: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
        """`secrets` are masked by `without_secrets`."""
        self._environ = environ
        self._secrets = secrets
        self._body: bytes | None = None
        self.journal_body: bytes | None = None
        """What the journal shows instead of the body; None for the body itself."""
        self.method: str = environ["REQUEST_METHOD"]
        path: str = environ.get("PATH_INFO") or "/"
        self.path = path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")
        """Percent-decoded, so that %2F is a slash, as in the vendor's framework."""
        self.prefix = ""
        """Sandbox prefix, which is not part of `path`."""
        if self.path.startswith(SANDBOX_PREFIX):
            name, _, rest = self.path.removeprefix(SANDBOX_PREFIX).partition("/")
            self.prefix, self.path = SANDBOX_PREFIX + name, "/" + rest
        self.query: str = environ.get("QUERY_STRING", "")

    @property
    def mount(self) -> str:
        """Path prefix under which a proxy serves the mock; empty if it says none."""
        said = (self.header("X-Forwarded-Prefix") or "").partition(",")[0].strip().rstrip("/")
        return said if _MOUNT.fullmatch(said) else ""

    @property
    def raw_path(self) -> str:
        """Path in WSGI's encoding, without the sandbox prefix."""
        path: str = self._environ.get("PATH_INFO") or "/"
        return path[len(self.prefix) :] or "/"

    def environ(self, body: bytes = b"") -> dict[str, Any]:
        """WSGI environ for another application: the sandbox prefix in SCRIPT_NAME, with this body."""
        return {
            **self._environ,
            "SCRIPT_NAME": self.mount + self._environ.get("SCRIPT_NAME", "") + self.prefix,
            "PATH_INFO": self.raw_path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }

    @property
    def raw(self) -> Mapping[str, Any]:
        """WSGI environ as it was received."""
        return self._environ

    def header(self, name: str) -> str | None:
        """Value of a header; None if it was not sent."""
        value: str | None = self._environ.get(_by_wsgi(name))
        return value

    @property
    def base_url(self) -> str:
        """URL of the server as the client reached it, with the path prefix of a proxy."""
        scheme = self._environ.get("wsgi.url_scheme", "http")
        host = self.header("Host") or f"{self._environ['SERVER_NAME']}:{self._environ['SERVER_PORT']}"
        return f"{scheme}://{host}{self.mount}"

    @property
    def peer(self) -> str:
        """Address of the client; empty without a socket."""
        return self._environ.get("REMOTE_ADDR") or ""

    @property
    def has_controls(self) -> bool:
        """Whether it has a header that injects a fault or sets a preference."""
        environ = self._environ
        return "HTTP_PREFER" in environ or "HTTP_X_MOCK_FAULT" in environ or "HTTP_X_MOCK_DELAY" in environ

    @property
    def is_whole(self) -> bool:
        """Whether its body was received, and its host is one."""
        environ = self._environ
        return "mockserver.unreceived" not in environ and "," not in environ.get("HTTP_HOST", "")

    @property
    def unreceived(self) -> str:
        """Why the server did not receive its body: slow, many or malformed; empty if it did."""
        why: str = self._environ.get("mockserver.unreceived", "")
        return why

    @property
    def connection(self) -> socket.socket | None:
        """Socket of the request, on the fault port."""
        return self._environ.get("werkzeug.socket")

    @property
    def held(self) -> AbstractContextManager[None]:
        """Context to enter while only waiting, so that the server can run another thread."""
        held: AbstractContextManager[None] = self._environ.get("mockserver.held") or nullcontext()
        return held

    @property
    def sandbox(self) -> str | None:
        """Sandbox named by the path, else by the header; None if neither names one."""
        return self.prefix.removeprefix(SANDBOX_PREFIX) if self.prefix else self.header("X-Mock-Sandbox")

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these values, too."""
        self._secrets = [*self._secrets, *secrets]

    def without_secrets(self, text: str) -> str:
        """`text` with secrets, the request's credentials, and anything like a key masked."""
        return masked(text, filter(None, map(self.header, CREDENTIALS)), self._secrets)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers, by their WSGI names."""
        # By the first letter, in half of the time: no other WSGI variable begins with one of these.
        return [pair for pair in self._environ.items() if (first := pair[0][0]) == "H" or first == "C"]

    @property
    def content_type(self) -> str:
        """Content type as it was sent; empty if none was."""
        return self._environ.get("CONTENT_TYPE") or ""

    @property
    def media_type(self) -> str:
        """Content type in lower case, without parameters; empty if none was sent."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def _length(self) -> int | None:
        """Content-Length; None if it was not sent, or is none."""
        length: str = self._environ.get("CONTENT_LENGTH") or ""
        return int(length) if length and _LENGTH.fullmatch(length) else None

    def body(self, limit: int, whose: str) -> bytes:
        """Body; PayloadTooLarge above `limit` bytes, naming `whose` limit it is."""
        length = self._length
        if length is not None and length > limit:
            raise PayloadTooLarge(limit, whose)
        data: bytes = self._environ["wsgi.input"].read(limit + 1 if length is None else length)
        self._body = data
        if len(data) > limit:
            raise PayloadTooLarge(limit, whose)
        return data

    def sent(self, most: int) -> bytes:
        """Beginning of the body, read now if nothing has read it before, or `journal_body`."""
        if self.journal_body is not None:
            return self.journal_body[:most]
        if self._body is None and self._length:
            self._body = self._environ["wsgi.input"].read(min(self._length, most))
        return (self._body or b"")[:most]

    @property
    def received(self) -> bytes:
        """Body as far as it was read."""
        return self._body or b""

    @property
    def body_bytes(self) -> int:
        """Length of the body; without Content-Length, the bytes read so far."""
        length = self._length
        return len(self._body or b"") if length is None else length


class Answer(NamedTuple):
    """One HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes]
    pieces: Mapping[str, Any] | None = None
    """Values that the body was encoded from, if they are stored anyway: a list's records, as bytes."""


def header_safe(text: str, longest: int = 500) -> str:
    """`text` as a header value: printable ASCII, everything else escaped."""
    text = text[:longest]
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().translate(_ESCAPES)


_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def refuse_invalid_http(answer: Answer) -> None:
    """SpecViolation for a status or header that would break HTTP or inject a header."""
    if not 200 <= answer.status <= 599:
        raise SpecViolation("-", answer.status, "", "a status must be 200 to 599")
    together = "".join(map("".join, answer.headers))
    if together.isascii() and together.isprintable():
        return
    for name, value in answer.headers:
        if _INVALID_IN_HEADER.search(name) or _INVALID_IN_HEADER.search(value):
            raise SpecViolation("-", answer.status, "", f"header {name!r} holds a control character")
