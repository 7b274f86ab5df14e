"""What goes into the engine that makes requests up, and what comes out of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import requests

from contracts.http.exchange import Answer, Request

BASE = "http://target"
"""Where the engine thinks that it sends to."""
KEY = "the-key-of-the-owner"
"""What the engine has for a key: the real one is put in behind it."""
_LEFT_OUT = (
    "content-length",
    "accept-encoding",
    "connection",
    "user-agent",
    "accept",
    "x-api-key",
    "x-schemathesis-testcaseid",
)


class Sizes(NamedTuple):
    """How much is generated."""

    examples: int
    """Cases of the fuzzing phase for each operation, or workflows."""
    steps: int = 20


class Finding(NamedTuple):
    """One failure, as the engine or a rider reported it."""

    label: str
    check: str
    message: str
    answer: Answer
    before: tuple[Answer, ...] = ()
    """What was sent earlier in the same workflow."""
    negative: bool = False


class Run(NamedTuple):
    """What to generate."""

    phases: tuple[str, ...]
    sizes: Sizes
    seed: int
    operation: str | None = None
    """An operation's id; None for all."""
    read_only: bool = False


class EngineError(Exception):
    """The engine could not go on; it says nothing about the target."""


def config(run: Run) -> dict[str, Any]:
    """A run as the engine is told of it: one after the other, nothing kept, nothing cut down."""

    def phase(name: str, **more: Any) -> dict[str, Any]:
        return {"enabled": name in run.phases, **more}

    return {
        "base-url": BASE,
        "seed": run.seed,
        "workers": 1,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},
        "generation": {"database": "none", "no-shrink": True, "max-examples": run.sizes.examples},
        "auth": {"auto-signup": False, "openapi": {"ApiKeyAuth": {"api_key": KEY}}},
        "phases": {
            "examples": phase("examples"),
            "coverage": phase("coverage"),
            "fuzzing": phase("fuzzing", **{"error-feedback": {"enabled": False}}),
            "stateful": phase("stateful", **{"max-steps": run.sizes.steps}),
        },
    }


def as_request(prepared: requests.PreparedRequest) -> Request:
    """What the engine is about to send, in the suite's terms."""
    headers = {k: text_of(v) for k, v in prepared.headers.items() if k.lower() not in _LEFT_OUT}
    key = text_of(prepared.headers.get("X-API-Key", ""))
    if key and key != KEY:
        headers["X-API-Key"] = key
    body = None if prepared.body is None else text_of(prepared.body)
    role = "owner" if key == KEY else None
    return Request(prepared.method or "GET", prepared.path_url, role, body, headers)


def text_of(value: Any) -> str:
    """Text, whatever requests made of it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
