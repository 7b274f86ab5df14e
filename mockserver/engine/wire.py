"""HTTP request -> Call, Reply -> HTTP response; both held to the spec."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from mockserver.engine.calls import Call, CallerT, File, Later, Reply
from mockserver.engine.keywords import EVENT_STREAM
from mockserver.engine.lenient import mended
from mockserver.engine.problems import Flaw, Invalid, PayloadTooLarge, SpecViolation
from mockserver.engine.redaction import CREDENTIALS, masked
from mockserver.engine.schemas import Schema
from mockserver.engine.spec import Operation, Parameter, Response
from mockserver.engine.streams import Lines, Stream

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
"""A50; 18 digits are a 64-bit integer for sure, and no bound in a spec is larger."""
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


SANDBOX_PREFIX = "/__sandbox/"
"""In front of a path, followed by a sandbox's name: for clients that can only change their base URL."""


@lru_cache(256)
def _by_wsgi(name: str) -> str:
    """WSGI's name of a header."""
    return "HTTP_" + name.upper().replace("-", "_")


class Request:
    """One HTTP request, as WSGI tells it."""

    __slots__ = ("_body", "_environ", "_secrets", "method", "path", "prefix", "query")

    def __init__(self, environ: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
        """`secrets` must not be shown, whoever sends them and wherever."""
        self._environ = environ
        self._secrets = secrets
        self._body: bytes | None = None
        self.method: str = environ["REQUEST_METHOD"]
        path: str = environ.get("PATH_INFO") or "/"
        self.path = path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")
        """Percent-decoded, so %2F is a slash, as in the framework that the vendor uses."""
        self.prefix = ""
        """The part of the path that only named a sandbox; no part of `path`."""
        if self.path.startswith(SANDBOX_PREFIX):
            name, _, rest = self.path.removeprefix(SANDBOX_PREFIX).partition("/")
            self.prefix, self.path = SANDBOX_PREFIX + name, "/" + rest
        self.query: str = environ.get("QUERY_STRING", "")

    def header(self, name: str) -> str | None:
        """The header's value; None if it was not sent."""
        value: str | None = self._environ.get(_by_wsgi(name))
        return value

    @property
    def peer(self) -> str:
        """The client's address; empty where there is no socket."""
        return self._environ.get("REMOTE_ADDR") or ""

    @property
    def has_controls(self) -> bool:
        """Whether it has a header that orders something for it alone."""
        environ = self._environ
        return "HTTP_PREFER" in environ or "HTTP_X_MOCK_FAULT" in environ or "HTTP_X_MOCK_DELAY" in environ

    @property
    def connection(self) -> socket.socket | None:
        """Its socket, where the server gives it away: the listener for faults does."""
        return self._environ.get("werkzeug.socket")

    @property
    def held(self) -> AbstractContextManager[None]:
        """To be entered by whoever only waits, so that the server lets another thread work meanwhile."""
        held: AbstractContextManager[None] = self._environ.get("mockserver.held") or nullcontext()
        return held

    @property
    def sandbox(self) -> str | None:
        """The sandbox that the request names, by its path before its header; None if it names none."""
        return self.prefix.removeprefix(SANDBOX_PREFIX) if self.prefix else self.header("X-Mock-Sandbox")

    def without_secrets(self, text: str) -> str:
        """`text` with our secrets and the request's own credentials masked, and whatever looks like one."""
        return masked(text, filter(None, map(self.header, CREDENTIALS)), self._secrets)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header, by the name that WSGI has for it."""
        # By the first letter, in half of the time: no other names of WSGI begin with one of these.
        return [pair for pair in self._environ.items() if (first := pair[0][0]) == "H" or first == "C"]

    @property
    def media_type(self) -> str:
        """Content-Type in lower case, without its parameters; empty if none was sent."""
        value: str = self._environ.get("CONTENT_TYPE") or ""
        return value.partition(";")[0].strip().lower()

    def body(self, limit: int, whose: str) -> bytes:
        """The body; PayloadTooLarge if it has more than `limit` bytes, the limit of what `whose` names."""
        length: str = self._environ.get("CONTENT_LENGTH") or ""
        most = min(int(length), limit + 1) if _LENGTH.fullmatch(length) else limit + 1
        data: bytes = self._environ["wsgi.input"].read(most)
        self._body = data
        if len(data) > limit:
            raise PayloadTooLarge(limit, whose)
        return data

    def sent(self, most: int) -> bytes:
        """The beginning of the body; of one that nobody has asked for, too."""
        body = self._body
        if body is None:
            length: str = self._environ.get("CONTENT_LENGTH") or "0"
            if length == "0" or not _LENGTH.fullmatch(length):
                return b""
            data: bytes = self._environ["wsgi.input"].read(min(int(length), most))
            self._body = body = data
        return body[:most]

    @property
    def body_bytes(self) -> int:
        """How long the body is; of one without a length, as far as it was read."""
        length: str = self._environ.get("CONTENT_LENGTH") or ""
        return int(length) if length and _LENGTH.fullmatch(length) else len(self._body or b"")


class Answer(NamedTuple):
    """One HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes]
    pieces: Mapping[str, Any] | None = None
    """What the body was written from, if that is mostly kept anyway: a list's records, as bytes."""


def read(
    operation: Operation,
    ids: Mapping[str, str],
    request: Request,
    caller: CallerT,
    trace_id: str,
    limit: int,
    dropped: list[Flaw] | None = None,
) -> Call[CallerT]:
    """What the request asks for, or Invalid with every flaw that the spec alone can tell.

    With a list for what is dropped, a faulty value that the request could do without counts as not sent.
    """
    flaws: list[Flaw] = []
    for parameter in operation.path:
        if not parameter.schema.is_valid(ids[parameter.name]):
            flaws += parameter.schema.flaws(ids[parameter.name], "path", parameter.name)
    query = _decoded_all(operation.query, _query(request.query), flaws, dropped)
    headers = {}
    if operation.headers:
        sent = {name: text for name in operation.headers if (text := request.header(name)) is not None}
        headers = _decoded_all(operation.headers, sent, flaws, dropped)
    body = None
    if operation.body is not None:
        body = _body(operation, request, max(limit, operation.max_body_bytes), flaws, dropped)
    if flaws:
        raise Invalid(flaws)
    return Call(operation.id, ids, query, body, caller, trace_id, headers)


def _query(text: str) -> dict[str, str]:
    if "%" in text or "+" in text or not text.isascii():
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
    # The same in a third of the time, where nothing is encoded.
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    return {name: value for name, _, value in pairs}


def _decoded_all(
    parameters: Mapping[str, Parameter],
    sent: Mapping[str, str],
    flaws: list[Flaw],
    dropped: list[Flaw] | None,
) -> dict[str, Any]:
    """The values of query or header parameters; what is wrong goes to `flaws`, or to `dropped`."""
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name not in sent:
            values[name] = parameter.default
            if parameter.required:
                flaws.append(Flaw(parameter.place, name, "is required"))
            continue
        try:
            values[name] = value = _decoded(parameter.kind, sent[name])
            if parameter.schema.is_valid(value):
                continue
            wrong = parameter.schema.flaws(value, parameter.place, name)
        except ValueError as error:
            wrong = [Flaw(parameter.place, name, str(error))]
        if dropped is not None and not parameter.required:
            values[name] = parameter.default
            dropped += wrong
        else:
            flaws += wrong
    return values


def _decoded(kind: str, text: str) -> Any:
    if kind == "integer":
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"{text!r} is not an integer of at most 18 digits")
        return int(text)
    if kind == "boolean":
        if text not in _BOOLEANS:
            raise ValueError(f"{text!r} is not true or false")
        return _BOOLEANS[text]
    return text


def _body(
    operation: Operation, request: Request, limit: int, flaws: list[Flaw], dropped: list[Flaw] | None
) -> Any:
    plan = operation.body
    assert plan is not None
    data = request.body(limit, "this operation" if limit == operation.max_body_bytes else "--max-body-bytes")
    if not data:
        if plan.required:
            flaws.append(Flaw("body", "", "a JSON body is required"))
        return None
    media_type = request.media_type
    if media_type not in ("", "application/json") and not media_type.endswith("+json"):
        flaws.append(Flaw("body", "", f"content type {media_type[:80]!r} is not application/json"))
        return None
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        flaws.append(Flaw("body", "", f"not valid JSON: {error}"))
        return None
    if not plan.schema.is_valid(body):
        wrong = plan.schema.flaws(body, "body")
        if dropped is not None:
            body, wrong = mended(plan.schema, body, dropped)
        if wrong:
            flaws += wrong
            return None
    return {**plan.defaults, **body} if plan.defaults else body


class Checked(NamedTuple):
    """A reply that the spec allows in every detail."""

    status: int
    headers: list[tuple[str, str]]
    body: Any
    indented: bool = False
    in_pieces: bool = False
    """Whether the body holds records that are kept as bytes."""


def check(operation: Operation, reply: Reply, trace_id: str) -> Checked:
    """The reply, or SpecViolation if the spec does not allow it in every detail."""
    response = operation.responses.get(reply.status)
    if response is None:
        raise SpecViolation(operation.id, reply.status, "", "the spec has no such status here")
    if isinstance(reply.body, Later):
        return Checked(reply.status, [], reply.body)
    headers = _checked_headers(operation, response, reply.status, {"x-request-id": trace_id, **reply.headers})
    body, media_type = _checked_body(operation, response, reply)
    if media_type:
        headers.append(("Content-Type", media_type))
    if isinstance(body, Stream):
        headers.append(("Cache-Control", "no-cache"))
    in_pieces = bool(reply.stored) and body is not reply.body
    return Checked(reply.status, headers, body, operation.indented, in_pieces)


def _checked_body(operation: Operation, response: Response, reply: Reply) -> tuple[Any, str]:
    """The body and its content type, or SpecViolation."""

    def forbidden(what: str) -> SpecViolation:
        return SpecViolation(operation.id, reply.status, "", f"the spec allows {what} here")

    if isinstance(reply.body, Stream):
        if response.events is None:
            raise forbidden("no stream")
        check_event = partial(_check_event, operation.id, reply.status, response.events)
        return replace(reply.body, check=check_event), EVENT_STREAM
    if isinstance(reply.body, File):
        media_type = reply.body.media_type
        if media_type not in response.files:
            raise forbidden(f"no {media_type}")
        return reply.body, f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    if not response.content:
        if response.events is not None or response.files:
            raise forbidden("only a file" if response.files else "only a stream")
        if reply.body is not None:
            raise forbidden("no body")
        return None, ""
    return _checked_json(operation, response, reply)


def _checked_json(operation: Operation, response: Response, reply: Reply) -> tuple[Any, str]:
    media_type, schema = next(iter(response.content.items()))
    stored = response.lists.get(reply.stored)
    if stored is not None and (body := stored.sent(reply.body)) is not None:
        return body, media_type
    if not schema.is_valid(reply.body):
        raise SpecViolation(operation.id, reply.status, *schema.first_error(reply.body))
    return reply.body, media_type


def _check_event(operation: str, status: int, schema: Schema, event: Mapping[str, Any]) -> None:
    if not schema.is_valid(event):
        pointer, message = schema.first_error(event)
        raise SpecViolation(operation, status, pointer, f"event {event.get('event')}: {message}")


def encode(checked: Checked) -> Answer:
    """The reply as bytes; a stream's events are checked and encoded as they are sent."""
    status, headers, body, indented, in_pieces = checked
    if isinstance(body, Lines):
        return Answer(status, headers, body)
    if isinstance(body, File):
        return Answer(status, headers, body.data)
    data = b"" if body is None else orjson.dumps(body, option=_INDENTED * indented)
    return Answer(status, headers, data, body if in_pieces else None)


_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def _checked_headers(
    operation: Operation, response: Response, status: int, headers: Mapping[str, str]
) -> list[tuple[str, str]]:
    sent = {name.lower(): value for name, value in headers.items()}
    for name, (required, kind, schema) in response.headers.items():
        if name not in sent:
            if required:
                raise SpecViolation(operation.id, status, "", f"header {name} is missing")
            continue
        try:
            value = _decoded(kind, sent[name])
            message = "" if schema.is_valid(value) else schema.first_error(value)[1]
        except ValueError as error:
            message = str(error)
        if message:
            raise SpecViolation(operation.id, status, "", f"header {name}: {message}")
    return list(sent.items())


def unchecked(status: int, body: Any, content_type: str, headers: Mapping[str, str], trace_id: str) -> Answer:
    """An answer outside any operation: unknown routes, redirects, preflights, our own failures."""
    listed = [("x-request-id", trace_id), *headers.items()]
    if body is None:
        return Answer(status, listed, b"")
    return Answer(status, [*listed, ("Content-Type", content_type)], orjson.dumps(body))


def header_safe(text: str, longest: int = 500) -> str:
    """`text` as one header value: printable ASCII, control characters and the rest escaped."""
    text = text[:longest]
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().translate(_ESCAPES)


_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def refuse_what_breaks_http(answer: Answer) -> None:
    """SpecViolation for a status or header that would break the connection or smuggle another."""
    if not 200 <= answer.status <= 599:
        raise SpecViolation("-", answer.status, "", "a status must be 200 to 599")
    together = "".join(map("".join, answer.headers))
    if together.isascii() and together.isprintable():
        return
    for name, value in answer.headers:
        if _NOT_IN_A_HEADER.search(name) or _NOT_IN_A_HEADER.search(value):
            raise SpecViolation("-", answer.status, "", f"header {name!r} holds a control character")
