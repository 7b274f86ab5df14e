"""Conversion of HTTP requests to calls and of replies to HTTP, both checked against the document."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

import orjson

from mockserver.http.calls import Call, DeferredReply, File, Reply
from mockserver.http.context import RequestContext
from mockserver.http.event_stream import STREAM_HEADERS, Lines, Stream
from mockserver.http.problems import Invalid, SpecViolation
from mockserver.http.request import SANDBOX_PREFIX, Answer, Request
from mockserver.http.upload import BodyLimits, digest, read_form
from mockserver.openapi import lax
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.openapi.lenient_body import drop_invalid
from mockserver.openapi.operation import FORM, Body, Operation, Parameter, Response
from mockserver.openapi.schemas import Schema


def read(context: RequestContext, limits: BodyLimits) -> Call[Any]:
    """Decode and validate the request; Invalid with all errors that the document alone can find.

    With `handling=lenient` invalid optional values are dropped.
    """
    operation, ids, request = context.matched, context.ids, context.request
    dropped = None if context.injection is None else context.injection.dropped
    errors: list[FieldError] = []
    for parameter in operation.path:
        if not parameter.schema.is_valid(ids[parameter.name]):
            errors += parameter.schema.errors(ids[parameter.name], "path", parameter.name)
    query = _decoded_all(operation.query, _query(request.query), errors, dropped)
    headers = {}
    if operation.headers:
        sent = {name: text for name in operation.headers if (text := request.header(name)) is not None}
        headers = _decoded_all(operation.headers, sent, errors, dropped)
    body = None
    if operation.body is not None:
        body = _body(operation, request, limits, errors, dropped)
    if errors:
        raise Invalid(errors)
    return Call(
        operation.id,
        ids,
        query,
        body,
        context.caller,
        context.trace_id,
        headers,
        limits.files,
        context.exchange.grants,
        partial(_base_url, context),
    )


def _base_url(context: RequestContext) -> str:
    """URL under which the request's sandbox answers without a header."""
    request, sandbox = context.request, context.sandbox.name
    named = request.prefix or (f"{SANDBOX_PREFIX}{sandbox}" if request.sandbox is not None else "")
    return request.base_url + quote(named)


def _query(text: str) -> dict[str, str]:
    if "%" in text or "+" in text or not text.isascii():
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
    # Same result in a third of the time, if nothing is encoded.
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    return {name: value for name, _, value in pairs}


def _decoded_all(
    parameters: Mapping[str, Parameter],
    sent: Mapping[str, str],
    errors: list[FieldError],
    dropped: list[FieldError] | None,
) -> dict[str, Any]:
    """Values of query or header parameters; errors are added to `errors`, or to `dropped`."""
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name not in sent:
            values[name] = parameter.default
            if parameter.required:
                errors.append(FieldError(parameter.place, name, "is required"))
            continue
        try:
            values[name] = value = _decoded(parameter.kind, sent[name])
            if parameter.schema.is_valid(value):
                if value == "" and not parameter.required:  # A100
                    values[name] = parameter.default
                continue
            wrong = parameter.schema.errors(value, parameter.place, name)
        except ValueError as error:
            wrong = [FieldError(parameter.place, name, str(error))]
        if dropped is not None and not parameter.required:
            values[name] = parameter.default
            dropped += wrong
        else:
            errors += wrong
    return values


def _decoded(kind: str, text: str) -> Any:
    if kind == "integer":
        return lax.integer(text)
    if kind == "date-time":
        return lax.time(text)
    if kind == "plain-integer":
        return lax.plain_integer(text)
    return lax.boolean(text) if kind == "boolean" else text


def _body(
    operation: Operation,
    request: Request,
    limits: BodyLimits,
    errors: list[FieldError],
    dropped: list[FieldError] | None,
) -> Any:
    plan = operation.body
    assert plan is not None
    data = request.body(*limits.of(operation))
    if not data:
        if plan.required:
            errors.append(FieldError("body", "", f"a {FORM if plan.is_form else 'JSON'} body is required"))
        return None
    if operation.carries_files:
        request.journal_body = digest(data)
    if plan.is_form:
        return read_form(request, data, plan, errors)
    return _json_body(plan, request, data, errors, dropped)


def _json_body(
    plan: Body, request: Request, data: bytes, errors: list[FieldError], dropped: list[FieldError] | None
) -> Any:
    media_type = request.media_type
    if media_type not in ("", "application/json") and not media_type.endswith("+json"):
        errors.append(FieldError("body", "", f"content type {media_type[:80]!r} is not application/json"))
        return None
    try:
        body = orjson.loads(data.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        errors.append(FieldError("body", "", f"not valid JSON: {error}"))
        return None
    if body is None and plan.is_lax and not plan.required:  # A102
        return None
    if not plan.schema.is_valid(body) and not (
        plan.is_lax and lax.read_body(plan.schema, body) and plan.schema.is_valid(body)
    ):
        wrong = plan.schema.errors(body, "body")
        if dropped is not None:
            body, wrong = drop_invalid(plan.schema, body, dropped)
        if wrong:
            errors += wrong
            return None
    if plan.fields is not None and not body.keys() <= plan.fields:
        body = {name: value for name, value in body.items() if name in plan.fields}
    return {**plan.defaults, **body} if plan.defaults else body


class Checked(NamedTuple):
    """Reply that the document allows."""

    status: int
    headers: list[tuple[str, str]]
    body: Any
    indented: bool = False
    in_pieces: bool = False
    """Whether the body contains records that are cached as bytes."""


def check(operation: Operation, reply: Reply, trace_id: str) -> Checked:
    """Check a reply; SpecViolation if the document does not allow it."""
    response = operation.responses.get(reply.status)
    if response is None:
        raise SpecViolation(operation.id, reply.status, "", "the spec has no such status here")
    if isinstance(reply.body, DeferredReply):
        return Checked(reply.status, [], reply.body)
    headers = checked_headers(operation, response, reply.status, {"x-request-id": trace_id, **reply.headers})
    body, media_type = _checked_body(operation, response, reply)
    if media_type:
        headers.append(("Content-Type", media_type))
    if isinstance(body, Stream):
        headers += STREAM_HEADERS
    in_pieces = bool(reply.stored) and isinstance(next(iter(body[reply.stored]), None), orjson.Fragment)
    return Checked(reply.status, headers, body, operation.indented, in_pieces)


def _checked_body(operation: Operation, response: Response, reply: Reply) -> tuple[Any, str]:
    """Body and its content type, or SpecViolation."""

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
    body = reply.body
    if not schema.is_valid(body):
        body = schema.replied(body)
        if not schema.is_valid(body):
            raise SpecViolation(operation.id, reply.status, *schema.first_error(body))
    return body, media_type


def _check_event(operation: str, status: int, schema: Schema, event: Mapping[str, Any]) -> Mapping[str, Any]:
    if not schema.is_valid(event):
        event = schema.replied(event)
        pointer, message = schema.first_error(event)
        if message:
            raise SpecViolation(operation, status, pointer, f"event {event.get('event')}: {message}")
    return event


def encode(checked: Checked) -> Answer:
    """Encode the reply; a stream's events are checked and encoded when they are sent."""
    status, headers, body, indented, in_pieces = checked
    if isinstance(body, Lines):
        return Answer(status, headers, body)
    if isinstance(body, File):
        return Answer(status, headers, body.data)
    data = b"" if body is None else orjson.dumps(body, option=_INDENTED * indented)
    return Answer(status, headers, data, body if in_pieces else None)


_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def checked_headers(
    operation: Operation, response: Response, status: int, headers: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Headers by lower-case name; SpecViolation for the first one that the document forbids, or lacks."""
    sent = {name.lower(): value for name, value in headers.items()}
    for name, (required, kind, schema, _) in response.headers.items():
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
    """Answer outside of any operation: unknown routes, redirects, preflights, failures of the mock."""
    listed = [("x-request-id", trace_id), *headers.items()]
    if body is None:
        return Answer(status, listed, b"")
    return Answer(status, [*listed, ("Content-Type", content_type)], orjson.dumps(body))
