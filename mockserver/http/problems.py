"""The only errors that a client can see, and one renderer for each of our two specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any, ClassVar, NamedTuple

from mockserver.openapi.flaw import Flaw

LONGEST = 240
"""Characters of one flaw in an answer: it quotes what was sent, which can be anything."""


MOST_FLAWS = 1000
"""Told one by one; a body of megabytes can be wrong in every line."""
PHRASES: Mapping[int, str] = {**responses, 413: "Content Too Large", 422: "Unprocessable Content"}
"""The standard library's own words for these two depend on the version of Python."""


class Problem(Exception):
    """A request that can't be granted; `reason` is for the log and the X-Mock-Reason header."""

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    rule: ClassVar[str] = "state"
    """What decides it, in one word: what is stored, unless a class says otherwise."""

    def __init_subclass__(cls, *, status: int = 0, code: str = "", message: str = "", rule: str = "") -> None:
        """What is left out is as in the base."""
        given = {"status": status, "code": code, "message": message, "rule": rule}
        for name, value in given.items():
            if value:
                setattr(cls, name, value)

    def __init__(self, system_message: str, *, reason: str = "", **details: Any) -> None:
        super().__init__(reason or system_message)
        self.system_message = system_message
        self.reason = reason or system_message
        self.details: dict[str, Any] = details
        self.headers: dict[str, str] = {}


class Unauthorized(
    Problem, status=401, code="AUTHENTICATION_REQUIRED", message="Please sign in to continue", rule="auth"
):
    """401; the code says what is wrong with the credential."""


class Forbidden(
    Problem,
    status=403,
    code="INSUFFICIENT_PERMISSIONS",
    message="You don't have permission to perform this action.",
    rule="access",
):
    """403; the literals are the documents'."""


class BadSandbox(
    Problem, status=400, code="BAD_SANDBOX", message="No sandbox can have this name.", rule="sandbox"
):
    """400: a request names a sandbox by what can't be a name."""


class TokenRequired(
    Problem, status=401, code="ADMIN_TOKEN_REQUIRED", message="The control API needs its token.", rule="guard"
):
    """401: the control API has a token, and the request has not."""


class SandboxRequired(
    Problem,
    status=400,
    code="SANDBOX_REQUIRED",
    message="This mock wants to know the sandbox of every request.",
):
    """400: a request that names no sandbox, where every one has to."""


class SandboxGone(Problem, status=410, code="SANDBOX_GONE", message="This sandbox was dropped."):
    """410: a sandbox that was dropped; to start it over silently would hide that its data is lost."""


class ForeignPage(
    Problem, status=403, code="FOREIGN_PAGE", message="This page may not steer the mock.", rule="guard"
):
    """403: a page of somebody else's tries to steer the mock through its reader's browser."""


class OfTheMock(Problem, rule="control"):
    """An answer of the mock about itself in the middle of another's API: no operation documents it."""


class BadControl(
    OfTheMock,
    status=400,
    code="BAD_CONTROL",
    message="The mock can't do what a header of this request orders.",
):
    """400: a request orders a fault or an example that there can't be."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class NotFound(
    Problem, status=404, code="RESOURCE_NOT_FOUND", message="The requested resource could not be found."
):
    """404 of a resource; the literals are the documents'."""


class Conflict(Problem, status=409, code="CONFLICT", message="This can't be done in the present state."):
    """409: not in the state that things are in."""


class Invalid(
    Problem, status=422, code="VALIDATION_ERROR", message="The request is invalid.", rule="validation"
):
    """422 with every flaw at once (A09)."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        if len(flaws) > MOST_FLAWS:
            rest = Flaw(flaws[0].place, "", f"and {len(flaws) - MOST_FLAWS} more")
            flaws = [*flaws[:MOST_FLAWS], rest]
        first = "; ".join(f"{f.place} {f.name}".rstrip() + f": {f.message}" for f in flaws[:3])
        more = f" (and {len(flaws) - 3} more)" if len(flaws) > 3 else ""
        super().__init__("Request validation failed", reason=first + more)
        self.details = {
            "fields": [{"in": f.place, "name": f.name, "message": f.message[:LONGEST]} for f in flaws]
        }


class BadCursor(Invalid):
    """422 for a cursor that is none, or another list's (A06)."""

    def __init__(self) -> None:
        super().__init__([Flaw("query", "cursor", "is not a cursor that this list gave out")])


class PayloadTooLarge(
    Problem, status=413, code="PAYLOAD_TOO_LARGE", message="The request body is too large.", rule="validation"
):
    """413 (A49)."""

    def __init__(self, limit: int, whose: str = "--max-body-bytes") -> None:
        super().__init__(
            f"The body may have at most {limit} bytes",
            reason=f"the body is over {limit} bytes, the limit of {whose}",
            limit_bytes=limit,
        )


class Internal(
    Problem,
    status=500,
    code="INTERNAL_ERROR",
    message="Something went wrong. Please try again later.",
    rule="bug",
):
    """500: a fault of the mock itself."""


def fault(error: Exception) -> Internal:
    """The problem that a failure of our own is for the client."""
    if isinstance(error, SpecViolation):
        return Internal(f"The mock violated its own spec: {error}", **error.details)
    return Internal("The mock failed; its log says why")


class NoRoute(Problem, status=404, code="NOT_FOUND", message="Not Found", rule="route"):
    """404 of the framework: no such path (A10)."""


class WrongMethod(Problem, status=405, code="METHOD_NOT_ALLOWED", message="Method Not Allowed", rule="route"):
    """405 of the framework (A10, A52)."""


class Redirect(Exception):
    """307 to the right form of a path (A20, A48)."""

    def __init__(self, location: str) -> None:
        super().__init__(f"the path is {location.partition('?')[0]}")
        self.location = location


class Rendered(NamedTuple):
    """A problem in the words of one spec."""

    body: dict[str, Any]
    content_type: str


def vendor_envelope(problem: Problem, trace_id: str, now: str) -> Rendered:
    """The documents' error envelope; the framework's own two errors go without it (observed)."""
    if isinstance(problem, NoRoute | WrongMethod):
        return Rendered({"detail": problem.message}, "application/json")
    error = {
        "code": problem.code,
        "message": problem.message,
        "system_message": problem.system_message,
        "type": "server_error" if problem.status >= 500 else "client_error",
        "status": problem.status,
        "details": problem.details,
        "trace_id": trace_id,
        "timestamp": now,
    }
    return Rendered({"success": False, "error": error}, "application/json")


def problem_json(problem: Problem, trace_id: str, _now: str) -> Rendered:
    """RFC 9457, for the control API."""
    body: dict[str, Any] = {
        "type": "urn:freddy-mock:problem:" + problem.code.lower().replace("_", "-"),
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.reason,
        "trace_id": trace_id,
    }
    if isinstance(problem, Invalid):
        body["errors"] = problem.details["fields"]
    return Rendered(body, "application/problem+json")


class SpecViolation(Exception):
    """A reply that the spec forbids: our fault, never the client's."""

    def __init__(self, operation: str, status: int, pointer: str, message: str) -> None:
        super().__init__(f"{operation} {status}: {pointer or '/'}: {message}")
        self.details: Mapping[str, Any] = {
            "operation": operation,
            "status": status,
            "pointer": pointer,
            "message": message,
        }
