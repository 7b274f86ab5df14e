"""What the document says of a request and of the target's answer: every violation, none of them raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from mockserver.http import wire
from mockserver.http.calls import Call
from mockserver.http.context import RequestContext
from mockserver.http.log import Exchange
from mockserver.http.problems import Invalid, SpecViolation
from mockserver.http.request import Answer, header_safe
from mockserver.http.upload import BodyLimits
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.openapi.operation import Operation, Response
from mockserver.openapi.schemas import Schema

MOST = 20
"""Most violations of one request, and of one answer or stream."""
MOST_EVENT = 1 << 20
"""Bytes of an event that is judged."""
Violation = Mapping[str, Any]


def judge_request(context: RequestContext, limits: BodyLimits) -> tuple[Call[Any] | Invalid, list[Violation]]:
    """What the mock would do with a request, and the violations in it.

    Its body is received by this, if the operation has one.
    """
    try:
        return wire.read(context, limits), []
    except Invalid as problem:
        fields = problem.details["fields"][:MOST]
        return problem, [
            _violation(
                context.matched, 0, f"{each['in']} {each['name']}".rstrip(), each["message"], "request"
            )
            for each in fields
        ]


def judge_answer(
    operation: Operation, status: int, headers: Mapping[str, str], body: bytes | None
) -> list[Violation]:
    """Violations of an answer; without its body, only of the head."""
    response = operation.responses.get(status)
    if response is None:
        return [_violation(operation, status, "", f"the document has no status {status} here")]
    wrong = _in_headers(operation, response, status, headers)
    if body is None:
        return wrong
    media_type = media_type_of(headers)
    schema = response.content.get(media_type)
    if schema is None:
        has_none = not (response.content or response.files or response.events)
        if body and has_none:
            wrong.append(_violation(operation, status, "", "the document allows no body here"))
        return wrong
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return [*wrong, _violation(operation, status, "", f"the body is not JSON: {error}")]
    return wrong + [_violation(operation, status, *each) for each in _errors(schema, value)]


def _in_headers(
    operation: Operation, response: Response, status: int, headers: Mapping[str, str]
) -> list[Violation]:
    wrong: list[Violation] = []
    try:
        wire.checked_headers(operation, response, status, headers)
    except SpecViolation as error:
        wrong.append({**error.details, "in": "answer"})
    media_type = media_type_of(headers)
    kinds = {*response.content, *response.files} | ({EVENT_STREAM} if response.events else set())
    if kinds and media_type not in kinds:
        text = f"content type {media_type[:80]!r} is none of {', '.join(sorted(kinds))}"
        wrong.append(_violation(operation, status, "", text))
    return wrong


def undocumented(status: int, reason: str) -> Violation:
    """Violation of a request that the document does not have, and the target answers."""
    return {"operation": "-", "status": status, "in": "request", "pointer": "", "message": reason}


class EventJudge:
    """Judges the events of a stream, whose bytes arrive in pieces."""

    def __init__(self, operation: Operation, status: int, schema: Schema, exchange: Exchange) -> None:
        self._operation, self._status, self._schema = operation, status, schema
        self._exchange = exchange
        self._begun = b""
        self._found = 0

    def add(self, piece: bytes) -> None:
        """Judge every event that is complete with this piece."""
        self._begun = (self._begun + piece).replace(b"\r\n", b"\n")
        *events, self._begun = self._begun.split(b"\n\n")
        for event in events:
            self._judge(event)
        if len(self._begun) > MOST_EVENT:
            self._begun = b""

    def _judge(self, event: bytes) -> None:
        lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
        data = b"\n".join(lines)
        if not lines or data == b"[DONE]" or self._found >= MOST:
            return
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            wrong = [("", f"an event is not JSON: {error}")]
        else:
            name = value.get("event") if isinstance(value, dict) else None
            wrong = [(at, f"event {name}: {text}") for at, text in _errors(self._schema, value)]
        self._found += len(wrong)
        more = [_violation(self._operation, self._status, *each) for each in wrong]
        self._exchange.violations = (*self._exchange.violations, *more)


def tell(headers: list[tuple[str, str]], violations: Iterable[Violation], why: str = "") -> None:
    """Set X-Mock-Violations, if there is something to tell; `why`: what was not judged."""
    told = [
        value for name, value in headers if name == "X-Mock-Violations" and value.startswith("not judged")
    ]
    headers[:] = [pair for pair in headers if pair[0] != "X-Mock-Violations"]
    if text := " | ".join(filter(None, (_told(violations), why, *told))):
        headers.append(("X-Mock-Violations", text))


def _told(violations: Iterable[Violation]) -> str:
    texts = [f"{each['in']} {each['pointer'] or '/'}: {each['message']}" for each in violations]
    return header_safe(" | ".join(texts))


def media_type_of(headers: Mapping[str, str]) -> str:
    """Media type of an answer, without parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def encoding_of(headers: Mapping[str, str]) -> str:
    """Encoding of an answer's body, which is not judged then; empty without one."""
    return headers.get("content-encoding", "").strip().lower().removeprefix("identity")


def _errors(schema: Schema, value: Any) -> list[tuple[str, str]]:
    if schema.is_valid(value):
        return []
    found = [(_pointer(each.name), each.message) for each in schema.errors(value, "body")[:MOST]]
    return found or [schema.first_error(value)]


def _pointer(dotted: str) -> str:
    return "/" + dotted.replace(".", "/") if dotted else ""


def _violation(
    operation: Operation, status: int, pointer: str, message: str, side: str = "answer"
) -> Violation:
    return {
        "operation": operation.id,
        "status": status,
        "in": side,
        "pointer": pointer,
        "message": message,
    }


def is_missing(answer: Answer) -> bool:
    """Whether a target says that it does not have an operation, rather than a record."""
    if answer.status != 404:
        return answer.status in (405, 501)
    try:
        body = orjson.loads(answer.body) if isinstance(answer.body, bytes) else {"error": {}}
    except orjson.JSONDecodeError:
        return True
    return not (isinstance(body, dict) and isinstance(body.get("error"), dict))
