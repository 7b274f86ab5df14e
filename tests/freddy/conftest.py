"""One mock for all of these tests, put back to its start before each; short words for what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.steps import Steps
from tests.running import FROZEN


class Said(NamedTuple):
    """What an error says, without what every error has."""

    status: int
    code: str
    system_message: str
    details: dict[str, Any]


def frozen_app() -> MockServer:
    """A mock with a frozen clock; what violates the spec is raised in the test."""
    app = create_app(Settings(freeze=FROZEN, quiet=True))
    app.testing = True
    return app


@pytest.fixture(scope="session")
def one_app() -> MockServer:
    return frozen_app()


@pytest.fixture
def app(one_app: MockServer) -> Iterator[MockServer]:
    """The mock at its start; what violates the spec is raised in the test."""
    one_app.sandboxes.get().reset()
    yield one_app
    one_app.sandboxes.get().reset()


@pytest.fixture
def sandbox(app: MockServer) -> Sandbox:
    """What the mock remembers."""
    return app.sandboxes.get()


@pytest.fixture
def state(sandbox: Sandbox) -> Callable[[], Any]:
    """All records of all collections, in order, and all queues, to compare before and after."""

    def read() -> Any:
        records = {name: list(collection) for name, collection in sandbox._collections.items()}
        return records, sandbox.embeddings.checkpoint()

    return read


@pytest.fixture
def steps(ask: Ask) -> Steps:
    """Short ways to fill the mock and to watch what it remembers."""
    return Steps(ask)


@pytest.fixture
def later(sandbox: Sandbox) -> Callable[..., str]:
    """Let time go by; what time it is then."""

    def advance(seconds: int = 60) -> str:
        sandbox.clock.advance(seconds * 1_000_000)
        return sandbox.now()

    return advance


def said(response: TestResponse) -> Said:
    """The error of a response, whose other fields are as always."""
    body = response.get_json()
    error = body["error"]
    assert (body["success"], error["type"], error["status"]) == (False, "client_error", response.status_code)
    assert error["trace_id"] == response.headers["x-request-id"]
    return Said(response.status_code, error["code"], error["system_message"], error["details"])


def fields(response: TestResponse) -> list[tuple[str, str]]:
    """Where a 422 finds faults: (in, name) of each."""
    status, code, _, details = said(response)
    assert (status, code) == (422, "VALIDATION_ERROR")
    return [(field["in"], field["name"]) for field in details["fields"]]
