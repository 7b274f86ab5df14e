"""Answers without a handler: the spec's examples, and errors injected by a tester."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from mockserver.http.context import RequestContext
from mockserver.http.problems import BadControl, of_status
from mockserver.http.request import Answer
from mockserver.openapi.operation import JSON_TYPES

EMPTY = (204, 205, 304)
"""Statuses without content."""


def injected_answer(error: Mapping[str, Any], context: RequestContext) -> Answer:
    """Answer with the injected body, else the documented example of the status, else a generic one."""
    status, seconds = error["status"], error.get("retry_after")
    foreign = context.api.foreign
    if foreign is not None and error.get("body") is None:
        with suppress(BadControl):
            more = {} if seconds is None else {"retry-after": str(seconds)}
            return foreign.documented(context, status, error.get("example"), more)
    response = context.matched.responses.get(status)
    described = {} if response is None else response.headers
    headers = {n: str(h.example) for n, h in described.items() if h.required and h.example is not None}
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    if error.get("body") is not None:
        return _answer(status, error["body"], error.get("content_type") or JSON_TYPES[0], headers, context)
    if response is not None and (response.examples or not response.content):
        examples = response.examples
        name: Any = error.get("example")
        example = examples[name] if name in examples else next(iter(examples.values()), None)
        body = None if example is None else _filled(example, context, seconds)
        return _answer(status, body, next(iter(response.content), ""), headers, context)
    if status < 400:
        return _answer(status, None, "", headers, context)
    details = {} if seconds is None else {"retry_after": seconds}
    rendered = context.render(of_status(status, "Injected by the mock", **details))
    return _answer(status, rendered.body, rendered.content_type, headers, context)


def example_answer(code: int | None, name: str | None, context: RequestContext) -> Answer:
    """Documented example of this status and name; BadControl lists the available ones."""
    if context.api.foreign is not None:
        return context.api.foreign.documented(context, code, name, {})
    documented = context.matched.responses
    if code is not None and code not in documented:
        there = ", ".join(str(status) for status in sorted(documented))
        raise BadControl(f"{context.matched.id} documents no {code}" + (f", only {there}" if there else ""))
    for status in sorted(documented) if code is None else (code,):
        if name is None or name in documented[status].examples:
            return injected_answer({"status": status, "example": name}, context)
    there = ", ".join(sorted({name for r in documented.values() for name in r.examples if name}))
    raise BadControl(
        f"{context.matched.id} has no example {(name or '')[:40]!r}, only {there or 'nameless ones'}"
    )


def _filled(example: Any, context: RequestContext, seconds: int | None) -> Any:
    """The example; in an error envelope, ids and times are those of this request."""
    error = example.get("error") if isinstance(example, dict) else None
    if not isinstance(error, dict):
        return example
    now = {"trace_id": context.trace_id, "timestamp": context.time}
    filled = {**error, **{name: value for name, value in now.items() if name in error}}
    if isinstance(error.get("details"), dict):
        values = {**context.ids} if seconds is None else {**context.ids, "retry_after": seconds}
        filled["details"] = {name: values.get(name, value) for name, value in error["details"].items()}
    return {**example, "error": filled}


def _answer(
    status: int, body: Any, content_type: str, headers: Mapping[str, str], context: RequestContext
) -> Answer:
    listed = [("x-request-id", context.trace_id)]
    listed += [(name, value) for name, value in headers.items() if name != "x-request-id"]
    if body is None or status in EMPTY:
        return Answer(status, listed, b"")
    plain = isinstance(body, str) and "json" not in content_type
    data = body.encode() if plain else orjson.dumps(body)
    return Answer(status, [*listed, ("Content-Type", content_type)], data)
