"""HTTP request -> Call, Reply -> HTTP response; both held to the spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from mockserver.http.calls import Call, File, Later, Reply
from mockserver.http.context import RequestContext
from mockserver.http.event_stream import Lines, Stream
from mockserver.http.problems import Invalid, SpecViolation
from mockserver.http.request import Answer, Request
from mockserver.openapi.flaw import Flaw
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.openapi.lenient_body import mended
from mockserver.openapi.operation import Operation, Parameter, Response
from mockserver.openapi.schemas import Schema

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
"""A50; 18 digits are a 64-bit integer for sure, and no bound in a spec is larger."""
_BOOLEANS = {"true": True, "false": False}


def read(context: RequestContext, limit: int) -> Call[Any]:
    """What the request asks for, or Invalid with every flaw that the document alone can find.

    `limit`: bytes of a body. A request that is handled leniently has not sent the faulty values that it can
    do without.
    """
    operation, ids, request = context.matched, context.ids, context.request
    dropped = None if context.injection is None else context.injection.dropped
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
    return Call(operation.id, ids, query, body, context.caller, context.trace_id, headers)


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
