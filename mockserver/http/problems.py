"""Errors that a client can receive, and their formats in the two documents."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from http.client import responses
from typing import Any, NamedTuple

from mockserver.openapi.field_error import FieldError
from mockserver.openapi.schemas import MOST_ERRORS

MOST_HINTS = 6
"""Most names like a mistyped one that are named."""
MAX_MESSAGE = 240
"""Characters of one message in an answer: it quotes what was sent, which can be anything."""


PHRASES: Mapping[int, str] = {**responses, 413: "Content Too Large", 422: "Unprocessable Content"}
"""The standard library's phrases for these two depend on the Python version."""


class Problem(Exception):
    """Refusal of a request; `reason` is for the log and the X-Mock-Reason header."""

    status: int
    code: str
    message: str
    rule: str = "state"
    """Category of the decision, for the journal; `state` unless a class sets another."""
    assumption: str = ""
    """Assumption that it shows, where nothing else tells."""
    by_profile: bool = False
    """Whether a profile changed it, so that the document need not allow it."""

    def __init_subclass__(cls, *, status: int = 0, code: str = "", message: str = "", rule: str = "") -> None:
        """Omitted values are inherited."""
        values = {"status": status, "code": code, "message": message, "rule": rule}
        for name, value in values.items():
            if value:
                setattr(cls, name, value)

    def __init__(
        self, system_message: str, *, reason: str = "", code: str = "", message: str = "", **details: Any
    ) -> None:
        """`code` and `message` override the class's."""
        super().__init__(reason or system_message)
        self.code, self.message = code or self.code, message or self.message
        self.system_message = system_message
        self.reason = reason or system_message
        self.details: dict[str, Any] = details
        self.headers: dict[str, str] = {}

    def copied(self) -> Problem:
        """Equal problem, to be changed."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, headers={**self.headers})
        return copy


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
    """403; the texts are the documents'."""


class BadSandbox(
    Problem, status=400, code="BAD_SANDBOX", message="No sandbox can have this name.", rule="sandbox"
):
    """400: the sandbox name is not valid."""


class TokenRequired(
    Problem, status=401, code="ADMIN_TOKEN_REQUIRED", message="The control API needs its token.", rule="guard"
):
    """401: the control API's token is missing or wrong."""


class MockOwnError(Problem, rule="control"):
    """Answer about the mock itself on the vendor's API: documented by no operation."""


class SandboxRequired(
    Problem,
    status=400,
    code="SANDBOX_REQUIRED",
    message="This mock requires every request to name a sandbox.",
):
    """400: the request names no sandbox although the mock requires one."""


class SandboxGone(
    MockOwnError, status=410, code="SANDBOX_GONE", message="This sandbox was dropped.", rule="state"
):
    """410: the sandbox was dropped; recreating it silently would hide the loss of its data."""


class SandboxUnknown(
    MockOwnError, status=404, code="SANDBOX_NOT_FOUND", message="No sandbox has this name.", rule="state"
):
    """404: the request names a sandbox that nobody has created, and may not create it itself."""


class ForeignPage(
    Problem, status=403, code="FOREIGN_PAGE", message="This page may not control the mock.", rule="guard"
):
    """403: a foreign web page tries to use the control API through a user's browser."""


class BadControl(
    MockOwnError,
    status=400,
    code="BAD_CONTROL",
    message="The mock can't do what a header of this request asks for.",
):
    """400: a header requests a fault or an example that does not exist."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class TooManySandboxes(
    MockOwnError,
    status=503,
    code="SERVICE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="limits",
):
    """503: the most sandboxes exist already, and all were used within the last minute."""

    def __init__(self, most: int, seconds: float) -> None:
        """`seconds` until the least recently used one may be dropped."""
        wait = max(1, math.ceil(seconds))
        reason = (
            f"all {most} sandboxes of --max-sandboxes were used within a minute: delete some with "
            "DELETE /__admin/sandboxes/NAME, or raise the limit"
        )
        super().__init__("Too many sandboxes", reason=reason, retry_after=wait)
        self.headers = {"retry-after": str(wait)}


class NotFound(
    Problem, status=404, code="RESOURCE_NOT_FOUND", message="The requested resource could not be found."
):
    """404 of a resource; the texts are the documents'."""


class Conflict(Problem, status=409, code="CONFLICT", message="This can't be done in the present state."):
    """409: the current state does not allow it."""


class Invalid(
    Problem, status=422, code="VALIDATION_ERROR", message="The request is invalid.", rule="validation"
):
    """422 with all errors at once (A09)."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        if len(errors) > MOST_ERRORS:
            rest = FieldError(errors[0].place, "", "and more")
            errors = [*errors[:MOST_ERRORS], rest]
        first = "; ".join(f"{f.place} {f.name}".rstrip() + f": {f.message}" for f in errors[:3])
        many = "" if len(errors) <= MOST_ERRORS else "over "
        more = f" (and {many}{min(len(errors), MOST_ERRORS) - 3} more)" if len(errors) > 3 else ""
        super().__init__("Request validation failed", reason=first + more)
        self.details = {
            "fields": [{"in": f.place, "name": f.name, "message": f.message[:MAX_MESSAGE]} for f in errors]
        }


class BadCursor(Invalid):
    """422: the cursor is malformed, or another list's (A06)."""

    def __init__(self) -> None:
        super().__init__([FieldError("query", "cursor", "is not a cursor that this list gave out")])


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
    """500: a failure of the mock itself."""


def nearest(text: str, known: Collection[str]) -> str:
    """Hint at the names most like `text`; empty if there are none."""
    near = difflib.get_close_matches(text, known, n=MOST_HINTS, cutoff=0.4)
    return f"; nearest: {', '.join(near)}" if near else ""


def fault(error: Exception) -> Internal:
    """Convert a failure of the mock to a problem for the client."""
    if isinstance(error, SpecViolation):
        problem = Internal(f"The mock violated its own spec: {error}")
        problem.details = dict(error.details)
        return problem
    return Internal("The mock failed; its log says why")


class Unserved(Problem, rule="route"):
    """No operation serves the request; a view of the user's may."""


class NoRoute(Unserved, status=404, code="NOT_FOUND", message="Not Found"):
    """404 of the framework: unknown path (A10)."""


class NotMocked(Unserved, status=501, code="NOT_IMPLEMENTED", message="Not Implemented"):
    """501: an operation of the vendor that the mock does not have (A80)."""

    def __init__(self, operation: str) -> None:
        text = f"{operation} is an operation of the vendor's that this mock does not have"
        super().__init__("Not implemented", reason=f"{text}; answer it yourself with --extend")


class WrongMethod(Problem, status=405, code="METHOD_NOT_ALLOWED", message="Method Not Allowed", rule="route"):
    """405 of the framework (A10, A52)."""


def wrong_method(method: str, offered: Iterable[str]) -> WrongMethod:
    """405 with the methods that the path has."""
    allowed = ", ".join(sorted(offered))
    problem = WrongMethod("Method Not Allowed", reason=f"{method} is not offered here, {allowed} is")
    problem.headers["Allow"] = allowed
    return problem


def of_status(status: int, system_message: str, **details: Any) -> Problem:
    """Error of a status that no document describes, named after the status."""
    words = PHRASES.get(status, f"Status {status}")
    code = "".join(letter if letter.isalnum() else "_" for letter in words).upper()
    kind = type("Undocumented", (Problem,), {"status": status, "code": code, "message": f"{words}."})
    problem: Problem = kind(system_message, **details)
    return problem


class Redirect(Exception):
    """307 to the canonical form of a path (A20, A48)."""

    def __init__(self, location: str) -> None:
        super().__init__(f"the path is {location.partition('?')[0]}")
        self.location = location


class Moved(Problem, status=307, rule="route"):
    """Redirect as a refusal, which a profile may answer otherwise."""

    code = message = ""


class Rendered(NamedTuple):
    """Problem in the format of one document."""

    body: dict[str, Any]
    content_type: str


def vendor_envelope(problem: Problem, trace_id: str, now: str) -> Rendered:
    """The vendor's error envelope; the framework's two errors come without it (observed)."""
    if isinstance(problem, NoRoute | WrongMethod | Moved):
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
    """RFC 9457 problem document, for the control API."""
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
    """Reply that the spec forbids: a bug of the mock."""

    def __init__(self, operation: str, status: int, pointer: str, message: str) -> None:
        super().__init__(f"{operation} {status}: {pointer or '/'}: {message}")
        self.details: Mapping[str, Any] = {
            "operation": operation,
            "status": status,
            "pointer": pointer,
            "message": message,
        }
