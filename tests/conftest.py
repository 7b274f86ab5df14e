"""The fixtures of every test: the mock with a clock that stands still, and short ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.openapi.yaml_document import Document
from mockserver.settings import Settings
from tests.running import ROOT

pytest_plugins = ["pytester"]
Ask = Callable[..., TestResponse]
"""ask(method, path, key="ak_demo_owner", **kw), kw as for werkzeug's client; key=None sends none."""


@pytest.fixture(scope="session", autouse=True)
def _documents() -> list[Document]:
    """The documents of most tests; what is in use is not parsed again."""
    package = ROOT / "mockserver"
    paths = (ROOT / "openapi.yaml", package / "admin" / "admin.yaml", package / "scenarios" / "demo.yaml")
    return [Document(path) for path in paths]


@pytest.fixture(scope="session")
def _demo() -> MockServer:
    return create_app(Settings(freeze="2026-02-26T10:30:00Z", quiet=True))


@pytest.fixture
def app(_demo: MockServer) -> MockServer:
    """The demo scenario as it starts; what violates the spec is raised in the test."""
    _demo.sandboxes.get().reset()
    _demo.testing = True
    return _demo


@pytest.fixture
def client(app: MockServer) -> FlaskClient:
    """Flask's test client."""
    return app.test_client()


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """One request as the owner of space_abc123."""

    def ask(method: str, path: str, key: str | None = "ak_demo_owner", **kw: Any) -> TestResponse:
        headers = {"X-API-Key": key} if key is not None else {}
        headers.update(kw.pop("headers", {}))
        return client.open(path, method=method, headers=headers, **kw)

    return ask
