"""Reads of the control API create no sandbox, and --strict-sandboxes lets the vendor's API create none."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from mockserver.app import MockServer, create_app
from mockserver.commands.cli import main
from mockserver.settings import Settings
from tests.running import mock

OWNER = {"X-API-Key": "ak_demo_owner"}
READS = [
    *(("GET", path) for path in ("/clock", "/state", "/faults", "/rate-limit", "/embeddings", "/replies")),
    *(("GET", path) for path in ("/requests", "/requests/none", "/coverage", "/events", "/violations")),
    *(("POST", path) for path in ("/requests/count", "/requests/find", "/verify")),
    ("HEAD", "/clock"),
    ("GET", "/nowhere"),
]


@pytest.fixture
def app() -> MockServer:
    return create_app(Settings(quiet=True))


@pytest.fixture
def client(app: MockServer) -> FlaskClient:
    return app.test_client()


def names(app: MockServer) -> list[str]:
    return [sandbox.name for sandbox in app.sandboxes.listed()]


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_read_of_a_sandbox_that_nobody_made_is_a_404(
    app: MockServer, client: FlaskClient, method: str, path: str
) -> None:
    answer = client.open(
        "/__sandbox/typo/__admin" + path, method=method, json={} if method == "POST" else None
    )
    assert (answer.status_code, names(app)) == (404, ["default"])
    client.post("/__sandbox/typo/__admin/reset")
    assert names(app) == ["default", "typo"]


def test_the_404_names_the_sandbox_and_those_like_it(client: FlaskClient) -> None:
    client.post("/__admin/sandboxes", json={"id": "checkout-1"})
    answer: Any = client.get("/__sandbox/chekout-1/__admin/clock")
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["type"] == "urn:freddy-mock:problem:sandbox-not-found"
    assert "'chekout-1'" in answer.get_json()["detail"]
    assert answer.get_json()["detail"].endswith("nearest: checkout-1")


def test_a_wait_may_come_before_the_first_request(app: MockServer, client: FlaskClient) -> None:
    assert client.get("/__sandbox/new/__admin/requests/wait?timeout=0").status_code == 200
    assert names(app) == ["default", "new"]


@pytest.mark.parametrize(
    ("path", "code"), [("/v1/threads", "SANDBOX_NOT_FOUND"), ("/v1/none", None), ("/my/view", None)]
)
def test_strict_sandboxes_refuse_a_name_that_was_not_created(path: str, code: str | None) -> None:
    app = create_app(Settings(quiet=True, strict_sandboxes=True))
    app.add_url_rule("/my/view", "view", lambda: "mine")
    client = app.test_client()
    refused = client.get("/__sandbox/new" + path, headers=OWNER)
    assert (refused.status_code, names(app)) == (404, ["default"])
    if code is not None:
        assert refused.get_json()["error"]["code"] == code
    assert client.get("/v1/threads", headers=OWNER).status_code == 200
    client.post("/__admin/sandboxes", json={"id": "new"})
    assert client.get("/__sandbox/new" + path, headers=OWNER).status_code == (404 if "none" in path else 200)


def test_a_command_says_in_one_line_that_nobody_made_the_sandbox() -> None:
    with mock() as url:
        result = CliRunner().invoke(main, ["requests", "count", "--url", url, "--sandbox", "typo"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "nobody has created sandbox 'typo'" in result.stderr
