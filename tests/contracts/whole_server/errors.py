"""Errors of the whole server: the vendor's envelope, with its own texts where no source has them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

KINDS = {
    400: ("BAD_REQUEST", "The request is not valid."),
    401: ("AUTHENTICATION_REQUIRED", "Please sign in to continue"),
    403: ("INSUFFICIENT_PERMISSIONS", "You don't have permission to perform this action."),
    404: ("RESOURCE_NOT_FOUND", "The requested resource could not be found."),
    409: ("CONFLICT", "The resource is there already."),
    422: ("VALIDATION_ERROR", "A field has no valid value."),
}


class Refused(Exception):
    """Error response."""

    def __init__(self, status: int, text: str, code: str = "", message: str = "", **details: Any) -> None:
        super().__init__(text)
        usual_code, usual_message = KINDS[status]
        self.status, self.text, self.details = status, text, details
        self.code, self.message = code or usual_code, message or usual_message


def wrong(*faults: tuple[Sequence[int | str], str]) -> Refused:
    """422 with the place and the message of each fault."""
    fields = [{"in": at[0], "name": ".".join(map(str, at[1:])), "message": text} for at, text in faults]
    return Refused(422, "Invalid request", fields=fields)


def envelope(refusal: Refused) -> dict[str, Any]:
    """Documented error envelope; its trace id is not the request's id."""
    error = {
        "code": refusal.code,
        "message": refusal.message,
        "system_message": refusal.text,
        "type": "client_error",
        "status": refusal.status,
        "details": refusal.details,
        "trace_id": uuid.uuid4().hex,
        "timestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }
    return {"success": False, "error": error}


def add_handlers(app: FastAPI) -> None:
    """Answer refusals and validation errors in the envelope; 404 and 405 stay the framework's."""

    @app.exception_handler(Refused)
    async def refused(_: Request, refusal: Refused) -> JSONResponse:
        return JSONResponse(envelope(refusal), refusal.status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(envelope(wrong(*((each["loc"], each["msg"]) for each in error.errors()))), 422)
