"""pytest plugin: one mock for the whole run, a sandbox for each test."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.client import tokens
from mockserver.client.child import Child
from mockserver.client.control import Control

if TYPE_CHECKING:
    from requests import Session
    from werkzeug.test import Client

    from mockserver.app import MockServer

MAX_EXCHANGES = 20
"""Most exchanges in the report of a failed test."""
_BODY = 500
"""Most characters of each body in it."""
_SERVER: pytest.StashKey[Server] = pytest.StashKey()
_MOCK: pytest.StashKey[Control] = pytest.StashKey()


class Server:
    """Mock for a run of pytest: a child process on a free port, or one that is already running."""

    def __init__(self, url: str | None, token: str | None, flags: list[str]) -> None:
        self.token = token or os.environ.get(tokens.VARIABLE) or None
        self._child: Child | None = None
        if url is not None:
            self.url = url.rstrip("/")
            return
        self._child = Child("--quiet", *flags)
        if self._child.ready is None:
            self.close()
            raise pytest.UsageError("the mock did not start; stderr says why")
        self.url = self._child.ready["url"]
        own = tokens.split(flags)[1].get(tokens.VARIABLE, self.token)
        self.token = self._child.ready.get("admin_token", own)

    def close(self) -> None:
        """End the child process, if there is one."""
        if self._child is not None:
            self._child.end()


class Mock(Control):
    """Sandbox of one test: control client, and API clients for each role."""

    def __init__(self, server: Server, sandbox: str, **start: Any) -> None:
        """`url`: base URL for the client under test; it addresses this sandbox."""
        super().__init__(f"{server.url}/__sandbox/{sandbox}", token=server.token)
        self.sandbox = sandbox
        self._server_control = Control(server.url, token=server.token)
        self._server_control.ask("POST", "/sandboxes", {"id": sandbox, **start})
        self._sessions: list[Session] = []

    @staticmethod
    def key(role: str = "owner") -> str:
        """The demo scenario's API key of a role: owner, editor, viewer, outsider, admin, foreign, …"""
        return f"ak_demo_{role}"

    def client(self, role: str = "owner") -> Session:
        """requests session with the key of this role; paths begin with /v1."""
        import requests

        base = self.url

        class Client(requests.Session):
            """Session that accepts paths instead of URLs."""

            def request(self, method: Any, url: Any, *args: Any, **options: Any) -> Any:
                """Like requests, with a path instead of the URL."""
                options.setdefault("timeout", 60)
                return super().request(method, base + url if url.startswith("/") else url, *args, **options)

        session = Client()
        session.trust_env = False  # no proxy and no .netrc between a test and its mock
        session.headers["X-API-Key"] = self.key(role)
        self._sessions.append(session)
        return session

    def close(self) -> None:
        """Close its clients and drop the sandbox."""
        for session in self._sessions:
            session.close()
        self._server_control.ask("DELETE", f"/sandboxes/{self.sandbox}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --mock-url and --mock-token, and mock_flags for the ini file."""
    group = parser.getgroup("freddy-mock")
    group.addoption("--mock-url", metavar="URL", help="URL of a running mock; by default one is started.")
    group.addoption("--mock-token", metavar="TOKEN", help="Admin token of that mock. [MOCK_ADMIN_TOKEN]")
    parser.addini("mock_flags", "Flags of `mockserver serve` for the mock of the run.", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "mock(scenario, snapshot, seed, freeze): starting state of this test's sandbox."
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With pytest-xdist: start the mock in the controller, and pass its address to the workers."""
    server = _server(node.config)
    node.workerinput["freddy_mock"] = (server.url, server.token)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the mock of the run."""
    if _SERVER in config.stash:
        config.stash[_SERVER].close()


def _server(config: pytest.Config) -> Server:
    if _SERVER not in config.stash:
        url, token = getattr(config, "workerinput", {}).get("freddy_mock") or (
            config.getoption("--mock-url"),
            config.getoption("--mock-token"),
        )
        config.stash[_SERVER] = Server(url, token, config.getini("mock_flags"))
    return config.stash[_SERVER]


@pytest.fixture(scope="session")
def mock_server(request: pytest.FixtureRequest) -> Server:
    """Mock of the run: `.url`. Shared by all pytest-xdist workers."""
    return _server(request.config)


@pytest.fixture
def mock(mock_server: Server, request: pytest.FixtureRequest) -> Iterator[Mock]:
    """Sandbox for this test. An answer that violates the spec fails the test."""
    marker = request.node.get_closest_marker("mock")
    sandbox = Mock(mock_server, f"pytest-{uuid.uuid4().hex}", **(marker.kwargs if marker else {}))
    request.node.stash[_MOCK] = sandbox
    try:
        yield sandbox
        violations = sandbox.violations()["violations"]
    finally:
        del request.node.stash[_MOCK]
        sandbox.close()
    if violations:
        pytest.fail(f"the mock violated its own spec: {json.dumps(violations, indent=1)}", pytrace=False)


@pytest.fixture
def mock_app() -> MockServer:
    """Mock in this process, without a socket: use `mock_app.test_client()`."""
    from mockserver.app import create_app
    from mockserver.settings import Settings

    return create_app(Settings(quiet=True))


@pytest.fixture
def mock_client(mock_app: MockServer) -> Client:
    """werkzeug client of the in-process mock, as the owner of the demo scenario."""
    client = mock_app.test_client()
    client.environ_base["HTTP_X_API_KEY"] = Mock.key()
    return client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the journal of the sandbox to the report of a failed test."""
    report: Any = yield
    if report.when == "call" and report.failed and _MOCK in item.stash:
        report.sections.append(("freddy-mock journal", _journal_text(item.stash[_MOCK])))
    return report


def _journal_text(mock: Control) -> str:
    found = mock.requests.list(limit=1000)
    lines = []
    for entry in reversed(found["requests"][:MAX_EXCHANGES]):
        injected = f"  [injected: {entry['fault']}]" if entry["fault"] else ""
        lines.append(f"{entry['status']} {entry['method']} {entry['url']}{injected}  {entry['why'][-1]}")
        for side in ("request", "response"):
            body = entry[side]["body"]
            lines += [f"    {side}: {body[:_BODY]}"] if body else []
    return "\n".join(lines) or "no request reached the mock"
