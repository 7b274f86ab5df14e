"""Errors that say the wrong thing, too little or too much, and doors that are not locked."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

from mockserver.app import bundled_spec
from mockserver.freddy.auth import authenticate
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.http.problems import Forbidden, NoRoute, NotFound, Problem, Unauthorized
from mockserver.http.request import Request
from mockserver.http.routes import Routes
from mockserver.openapi.spec import Spec
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, add, answer, mutant


def _in_error(kind: type[Problem], **fields: Any) -> Callable[[Bench], None]:
    def edit(body: dict[str, Any], problem: Problem) -> None:
        if isinstance(problem, kind) and "error" in body:
            body["error"].update(fields)

    return lambda bench: bench.errors(edit)


for _name, _sentence, _kind, _fields in (
    ("not-found-code", "A 404 has the code NOT_FOUND.", NotFound, {"code": "NOT_FOUND"}),
    (
        "not-found-text",
        "A 404 has another system message.",
        NotFound,
        {"system_message": "No such resource"},
    ),
    ("denied-code", "A 403 has the code FORBIDDEN.", Forbidden, {"code": "FORBIDDEN"}),
    ("denied-text", "A 403 has another system message.", Forbidden, {"system_message": "Access denied"}),
    ("denied-message", "A 403 has another message.", Forbidden, {"message": "No."}),
    ("not-found-message", "A 404 has another message.", NotFound, {"message": "Nope."}),
    ("status-in-body", "The status in the body of a 404 is 400.", NotFound, {"status": 400}),
    ("status-is-text", "The status in the body of a 404 is a text.", NotFound, {"status": "404"}),
    ("type-of-error", "A 403 calls itself an authorization_error.", Forbidden, {"type": "authorization"}),
    ("no-details", "A 404 has empty details.", NotFound, {"details": {}}),
    ("null-details", "A 401 has null for details.", Unauthorized, {"details": None}),
    ("constant-trace", "Every error has the same trace_id.", Problem, {"trace_id": "00000000"}),
):
    add(f"error-{_name}", _sentence, _in_error(_kind, **_fields))


@mutant()
def errors_are_a_detail(bench: Bench) -> None:
    """A 404 of a space is the framework's {"detail"}."""

    def edit(body: dict[str, Any], problem: Problem) -> None:
        if isinstance(problem, NotFound):
            body.clear()
            body["detail"] = problem.system_message

    bench.errors(edit)


@mutant()
def errors_claim_success(bench: Bench) -> None:
    """A 403 says success: true."""
    bench.errors(lambda body, p: body.update(success=True) if isinstance(p, Forbidden) else None)


@mutant()
def errors_show_a_stack_trace(bench: Bench) -> None:
    """A 404 has the stack in its details."""

    def edit(body: dict[str, Any], problem: Problem) -> None:
        if isinstance(problem, NotFound):
            body["error"]["details"]["debug"] = "".join(traceback.format_exception(problem))

    bench.errors(edit)


def _echoing(kind: type[Problem]) -> Callable[[Bench], None]:
    def damage(bench: Bench) -> None:
        seen: list[str] = []

        def wrap(corridor: Any, environ: Any, start: Any) -> Any:
            seen[:] = [environ.get("HTTP_X_API_KEY", "")]
            return corridor(environ, start)

        def edit(body: dict[str, Any], problem: Problem) -> None:
            if isinstance(problem, kind) and "error" in body:
                body["error"]["details"]["key"] = seen[0]

        bench.errors(edit)
        bench.wsgi(wrap)

    return damage


add("key-repeated-in-a-404", "A 404 repeats the caller's key.", _echoing(NotFound))
add("key-repeated-in-a-403", "A 403 repeats the caller's key.", _echoing(Forbidden))
add("wrong-key-repeated", "A 401 repeats the key that was sent.", _echoing(Unauthorized))


@mutant()
def missing_space_as_html(bench: Bench) -> None:
    """A 404 is a page of HTML."""

    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        told: list[Any] = []
        body = corridor(environ, lambda *said: told.extend(said))
        if told[0].startswith("404"):
            return answer(start, told[0], "<h1>Not Found</h1>", "text/html")
        start(*told)
        return body

    bench.wsgi(wrap)


@mutant()
def unknown_route_as_envelope(bench: Bench) -> None:
    """A path that no operation has is the API's own 404."""
    bench.errors(lambda body, p: body.update(success=False, error={}) if isinstance(p, NoRoute) else None)


def _other_status(old: str, new: str) -> Callable[[Bench], None]:
    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        return corridor(environ, lambda status, *more: start(new if status[:3] == old else status, *more))

    return lambda bench: bench.wsgi(wrap)


add(
    "redirects-are-permanent",
    "A wrong slash at the end is a 302.",
    _other_status("307", "302 Found"),
    assumed=True,
)


@mutant(assumed=True)
def any_content_type_is_json(bench: Bench) -> None:
    """A body of another content type is read as JSON (A56)."""

    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        return corridor({**environ, "CONTENT_TYPE": "application/json"}, start)

    bench.wsgi(wrap)


@mutant()
def wrong_method_is_404(bench: Bench) -> None:
    """A method that a path does not have is 404."""

    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        told: list[Any] = []
        body = corridor(environ, lambda *said: told.extend(said))
        if told[0].startswith("405"):
            return answer(start, "404 Not Found", {"detail": "Not Found"})
        start(*told)
        return body

    bench.wsgi(wrap)


@cache
def _routes() -> Routes:
    return Routes(Spec(bundled_spec()).operations.values())


def _open_to_nobody(operation: str | None) -> Callable[[Bench], None]:
    """Whoever comes without a good key is the owner."""

    def damage(bench: Bench) -> None:
        def careless(application: Any, environ: Any, start: Any) -> Any:
            request = Request(environ)
            try:
                authenticate(request, bench.app.sandboxes.get())
            except Unauthorized:
                found = _routes().at(request.method, request.path)
                if found is not None and operation in (None, found.id):
                    environ = {**environ, "HTTP_X_API_KEY": "ak_demo_owner"}
            return application(environ, start)

        bench.wsgi(careless)

    return damage


add("any-key-is-good", "No operation needs a good key.", _open_to_nobody(None))
for _operation in (
    "addThreadToSpace",
    "removeThreadFromSpace",
    "listSpaces",
    "addVectorStoreToSpace",
    "getThread",
    "listThreadMessages",
    "createThread",
):
    add(f"no-key-for-{_operation}", f"{_operation} needs no key.", _open_to_nobody(_operation))


@mutant()
def expired_key_is_good(bench: Bench) -> None:
    """A key is good whatever became of it."""

    def good(application: Any, environ: Any, start: Any) -> Any:
        keys = bench.app.sandboxes.get().directory.credentials
        found = keys.get(environ.get("HTTP_X_API_KEY", ""))
        if found is not None:
            known = (k for k, c in keys.items() if c.caller == found.caller and c.state == "active")
            environ = {**environ, "HTTP_X_API_KEY": next(known)}
        return application(environ, start)

    bench.wsgi(good)


@mutant()
def invalid_before_unauthorized(bench: Bench) -> None:
    """A bad limit is 422 before anybody asks for the key."""

    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        if "limit=0" in environ.get("QUERY_STRING", "") and "HTTP_X_API_KEY" not in environ:
            return answer(start, "422 Unprocessable Content", {"detail": "limit"})
        return corridor(environ, start)

    bench.wsgi(wrap)


def _crash(operation: str, fatal: Callable[[Call], bool]) -> Callable[[Bench], None]:
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if fatal(call):
            raise RuntimeError("not expected")
        return handler(call, sandbox)

    return lambda bench: bench.around(operation, wrap)


add(
    "crash-on-foreign-script",
    "A name beyond ASCII is a 500.",
    _crash("createSpace", lambda call: not call.body["name"].isascii()),
)
add(
    "crash-on-a-long-id",
    "An id of more than 255 characters is a 500.",
    _crash("getSpace", lambda call: len(call.path["space_id"]) > 255),
)
add(
    "crash-on-a-full-page",
    "limit=100 is a 500.",
    _crash("listSpaceThreads", lambda call: call.query["limit"] == 100),
)
add(
    "crash-on-an-odd-cursor",
    "A cursor that is no base64 is a 500.",
    _crash("listSpaceThreads", lambda call: call.query["cursor"] in ("0", "%00", "not a cursor")),
)
add(
    "crash-on-a-long-thread-id",
    "Adding a thread with a very long id is a 500.",
    _crash("addThreadToSpace", lambda call: len(call.path["thread_id"]) > 255),
)
