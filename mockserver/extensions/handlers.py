"""What an extension needs to answer operations of another document: `@handles("NAME:operationId")`."""

from __future__ import annotations

from typing import Any, TypeAlias

from mockserver.http import calls
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Conflict, Forbidden, NotFound, Problem, Unauthorized

Call: TypeAlias = calls.Call[Any]
Sandbox: TypeAlias = Any
"""Sandbox of the request, within a transaction; see docs/extend.md."""
__all__ = [
    "Call",
    "Conflict",
    "Forbidden",
    "NotFound",
    "Problem",
    "Reply",
    "Sandbox",
    "Unauthorized",
    "handles",
]
