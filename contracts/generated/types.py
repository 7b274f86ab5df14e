"""Input and output types of the request-generating engine."""

from __future__ import annotations

from typing import Any, NamedTuple

import requests

from contracts.http.exchange import ClientRequest, ClientResponse

BASE = "http://target"
"""Base URL as the engine sees it."""
KEY = "the-key-of-the-owner"
"""Placeholder that the transport replaces by the owner's key."""
MAX_STEPS = 20
"""Most steps of a chain that follows the links."""
_LEFT_OUT = (
    "content-length",
    "accept-encoding",
    "connection",
    "user-agent",
    "accept",
    "x-api-key",
    "x-schemathesis-testcaseid",
)


class EngineFailure(NamedTuple):
    """Failure reported by the engine or by a response check."""

    label: str
    check: str
    message: str
    answer: ClientResponse
    before: tuple[ClientResponse, ...] = ()
    """Earlier exchanges of the same operation or chain."""
    negative: bool = False


class GenerationPlan(NamedTuple):
    """Requests to generate."""

    phases: tuple[str, ...]
    examples: int
    """Fuzzing cases for each operation, or number of chains that follow the links."""
    seed: int
    operation: str | None = None
    """operationId; None for all operations."""
    read_only: bool = False


class EngineError(Exception):
    """The engine failed, which implies nothing about the target."""


def config(plan: GenerationPlan) -> dict[str, Any]:
    """Engine configuration of a plan: one worker, no database, no shrinking."""

    def phase(name: str, **more: Any) -> dict[str, Any]:
        return {"enabled": name in plan.phases, **more}

    return {
        "base-url": BASE,
        "seed": plan.seed,
        "workers": 1,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},
        "generation": {"database": "none", "no-shrink": True, "max-examples": plan.examples},
        "auth": {"auto-signup": False, "openapi": {"ApiKeyAuth": {"api_key": KEY}}},
        "phases": {
            "examples": phase("examples"),
            "coverage": phase("coverage"),
            "fuzzing": phase("fuzzing", **{"error-feedback": {"enabled": False}}),
            "stateful": phase("stateful", **{"max-steps": MAX_STEPS}),
        },
    }


def as_request(prepared: requests.PreparedRequest) -> ClientRequest:
    """ClientRequest of a request prepared by the engine."""
    headers = {k: text_of(v) for k, v in prepared.headers.items() if k.lower() not in _LEFT_OUT}
    key = text_of(prepared.headers.get("X-API-Key", ""))
    if key and key != KEY:
        headers["X-API-Key"] = key
    body = None if prepared.body is None else text_of(prepared.body)
    role = "owner" if key == KEY else None
    return ClientRequest(prepared.method or "GET", prepared.path_url, role, body, headers)


def text_of(value: Any) -> str:
    """Text of a header or body that may be bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
