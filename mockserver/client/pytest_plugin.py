"""pytest fixtures: a sandbox of its own for each test, on one mock for the whole run."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.client.child import Child
from mockserver.client.control import Control

if TYPE_CHECKING:
    from requests import Session
    from werkzeug.test import Client

    from mockserver.app import MockServer

SHOWN = 20
"""The most exchanges in the report of a failed test."""
_BODY = 500
"""The most characters of a body there."""
_SERVER: pytest.StashKey[Server] = pytest.StashKey()
_MOCK: pytest.StashKey[Control] = pytest.StashKey()


class Server:
    """One mock for a run of pytest, as a child process on a free port; or one that runs already."""

    def __init__(self, url: str | None, token: str | None, flags: list[str]) -> None:
        self.token = token
        self._child: Child | None = None
        if url is not None:
            self.url = url.rstrip("/")
            return
        self._child = Child("--quiet", *flags)
        if self._child.ready is None:
            self.close()
            raise pytest.UsageError("the mock did not start; stderr says why")
        self.url = self._child.ready["url"]
        self.token = self._child.ready.get("admin_token", token)

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.end()


class Mock(Control):
    """One test's sandbox: steer it, look into it, and ask it as one of its people."""

    def __init__(self, server: Server, sandbox: str, **beginning: Any) -> None:
        """`url` is the base URL for the client under test: what is asked there is asked of this sandbox."""
        super().__init__(f"{server.url}/__sandbox/{sandbox}", token=server.token)
        self.sandbox = sandbox
        self._house = Control(server.url, token=server.token)
        self._house.ask("POST", "/sandboxes", {"id": sandbox, **beginning})
        self._sessions: list[Session] = []

    @staticmethod
    def key(role: str = "owner") -> str:
        """The demo scenario's key of a role: owner, editor, viewer, outsider, admin, foreign, expired, …"""
        return f"ak_demo_{role}"

    def client(self, role: str = "owner") -> Session:
        """A requests session that speaks for this role; paths begin with /v1."""
        import requests

        base = self.url

        class Client(requests.Session):
            """Paths instead of URLs."""

            def request(self, method: Any, url: Any, *args: Any, **given: Any) -> Any:
                """As in requests, with a path for the URL."""
                given.setdefault("timeout", 60)
                return super().request(method, base + url if url.startswith("/") else url, *args, **given)

        session = Client()
        session.trust_env = False  # neither a proxy nor .netrc comes between a test and its mock
        session.headers["X-API-Key"] = self.key(role)
        self._sessions.append(session)
        return session

    def close(self) -> None:
        """Close its clients and drop the sandbox."""
        for session in self._sessions:
            session.close()
        self._house.ask("DELETE", f"/sandboxes/{self.sandbox}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--mock-url and --mock-token; mock_flags in the ini file."""
    group = parser.getgroup("freddy-mock")
    group.addoption("--mock-url", metavar="URL", help="A mock that runs already; one is started without it.")
    group.addoption("--mock-token", metavar="TOKEN", help="The admin token of that mock.")
    parser.addini("mock_flags", "Flags of `mockserver serve` for the mock of the run.", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers", "mock(scenario, snapshot, seed, freeze): what the sandbox of this test begins with."
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With pytest-xdist the first process starts the mock, and tells the others where it is."""
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
    """The mock of the run: `.url`. With pytest-xdist all workers share it."""
    return _server(request.config)


@pytest.fixture
def mock(mock_server: Server, request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A sandbox for this test alone. An answer in it that breaks the spec fails the test."""
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
        pytest.fail(f"the mock broke its own spec: {json.dumps(violations, indent=1)}", pytrace=False)


@pytest.fixture
def mock_app() -> MockServer:
    """A mock in this process, without a socket: `mock_app.test_client()` asks it."""
    from mockserver.app import create_app
    from mockserver.settings import Settings

    return create_app(Settings(quiet=True))


@pytest.fixture
def mock_client(mock_app: MockServer) -> Client:
    """werkzeug's client of the mock in this process, as the owner of the demo scenario."""
    client = mock_app.test_client()
    client.environ_base["HTTP_X_API_KEY"] = Mock.key()
    return client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add what was asked of the mock to the report of a failed test."""
    report: Any = yield
    if report.when == "call" and report.failed and _MOCK in item.stash:
        report.sections.append(("freddy-mock journal", _told(item.stash[_MOCK])))
    return report


def _told(mock: Control) -> str:
    found = mock.requests.list(limit=1000)
    lines = []
    for entry in reversed(found["requests"][:SHOWN]):
        injected = f"  [injected: {entry['fault']}]" if entry["fault"] else ""
        lines.append(f"{entry['status']} {entry['method']} {entry['url']}{injected}  {entry['why'][-1]}")
        for side in ("request", "response"):
            body = entry[side]["body"]
            lines += [f"    {side}: {body[:_BODY]}"] if body else []
    return "\n".join(lines) or "nothing was asked of the mock"
