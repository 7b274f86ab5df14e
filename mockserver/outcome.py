"""Outcome of a request: refusal or redirect, the headers that explain an answer, and its record."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from mockserver.http import wire
from mockserver.http.calls import Reply
from mockserver.http.context import RequestContext
from mockserver.http.large_answers import WholeBody
from mockserver.http.problems import PHRASES, MockOwnError, Moved, Problem, Redirect
from mockserver.http.request import Answer
from mockserver.http.upload import digest


def redirected(context: RequestContext, redirect: Redirect) -> Answer:
    """Redirect within the sandbox that the path names, and the prefix of a proxy."""
    problem = context.followed(Moved(str(redirect)))
    if not 300 <= problem.status < 400:  # by a profile
        problem.message = PHRASES.get(problem.status, "Error")
        return refused(context, problem)
    context.exchange.refused("route", "", context.safe(problem.reason))
    location = context.request.mount + quote(context.request.prefix) + redirect.location
    return wire.unchecked(problem.status, None, "", {"Location": location}, context.trace_id)


def refused(context: RequestContext, problem: Problem) -> Answer:
    """Render the problem, and check it against the document if it belongs to the operation."""
    problem = problem if problem.by_profile else context.followed(problem)
    record = next((str(id_) for name, id_ in problem.details.items() if name.endswith("_id")), "")
    context.exchange.refused(problem.rule, problem.code, context.safe(problem.reason), record)
    if context.api.foreign is not None:
        described = context.api.foreign.refusal(context, problem)
        if described is not None:
            return described
    rendered = context.render(problem)
    if problem.by_profile:
        without_body = problem.status < 300
        body, media_type = (None, "") if without_body else rendered
        return wire.unchecked(problem.status, body, media_type, problem.headers, context.trace_id)
    operation = context.operation
    if operation is None or not operation.responses or isinstance(problem, MockOwnError):
        return wire.unchecked(problem.status, *rendered, problem.headers, context.trace_id)
    reply = Reply(problem.status, rendered.body, problem.headers)
    return wire.encode(wire.check(operation, reply, context.trace_id))


def explain_origin(context: RequestContext, answer: Answer) -> Answer:
    """Add the CORS headers; a page that may not read the answer is the reason in the log."""
    cors, exchange, request = context.api.cors, context.exchange, context.request
    headers = cors.preflight(request) if context.is_preflight else cors.headers(request)
    answer.headers.extend(headers.items())
    if headers and not cors.allows(request) and exchange.rule != "guard":
        origin = (request.header("Origin") or "")[:80]
        reason = f"pages at {origin!r} may not read this answer"
        if context.api.guard is None:
            reason += f"; start the mock with `--cors-origins {shlex.quote(origin)}` to allow it"
        rule = exchange.rule if exchange.reason else "cors"
        exchange.refused(
            rule,
            exchange.code,
            context.safe("; ".join(filter(None, (exchange.reason, reason)))),
            exchange.record,
        )
    return answer


def label(context: RequestContext, answer: Answer) -> None:
    """Add the headers that explain an answer."""
    exchange, headers = context.exchange, answer.headers
    headers.append(("X-Mock-Source", exchange.source))
    if exchange.operation != "-":
        headers.append(("X-Mock-Operation", exchange.operation))
    if exchange.reason and (answer.status >= 400 or exchange.rule in ("cors", "profile", "foreign")):
        headers.append(("X-Mock-Reason", exchange.reason))
    if exchange.fault:
        headers.append(("X-Mock-Fault", exchange.fault))
    if answer.status != 204 and isinstance(answer.body, bytes):
        headers.append(("Content-Length", str(len(answer.body))))


def record(context: RequestContext, answer: Answer) -> None:
    """Record the exchange in the sandbox's journal."""
    exchange = context.exchange
    exchange.status = answer.status
    exchange.stop_watch()
    if not context.api.journaled or context.refusal is not None:
        return
    if context.is_preflight:
        header = context.request.header
        context.sandbox.journal.asked(
            exchange,
            context.api.cors.allows(context.request),
            method=(header("Access-Control-Request-Method") or "")[:20],
            path=exchange.path,
            origin=(header("Origin") or "")[:200],
        )
    else:
        kept = answer._replace(body=answer.body.whole) if isinstance(answer.body, WholeBody) else answer
        if isinstance(kept.body, bytes) and ("Content-Type", "application/octet-stream") in kept.headers:
            kept = kept._replace(body=digest(kept.body))
        context.sandbox.journal.record(
            exchange, context.request, kept, context.trace_id, refused=not context.accepted
        )
