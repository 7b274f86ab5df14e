"""Servers in front of the mock, set up as docs/dev-servers.md says: keys, paths, streams, broken answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest
import requests

from tests.clients.test_typescript import NODE, NPM
from tests.fences import blocks
from tests.running import FROZEN, ROOT, ready
from tests.test_examples import installed

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.slow
SPACES = "/v1/spaces/?organization_id=org_abc123"
QUESTION = {"thread_id": "thrd_abc123", "stream": True, "inputs": [{"role": "user", "content": "Hello"}]}
HOLD = {"operation": "createResponse", "times": 1, "hold": {"after_events": 2}}


class Place(NamedTuple):
    """Server in front of a mock, by the name of its example."""

    name: str
    mock: str
    url: str


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def started(command: list[str], folder: Path, port: int, **more: str) -> Iterator[str]:
    """URL of a server once it answers."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))}
    environment = {**known, "NEXT_TELEMETRY_DISABLED": "1", **more}
    log = folder / "log.txt"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as child,
    ):
        try:
            until = monotonic() + 90
            while True:
                try:
                    requests.get(f"http://127.0.0.1:{port}{SPACES}", timeout=30)
                    break
                except requests.ConnectionError:
                    assert child.poll() is None, log.read_text("utf-8")
                    assert monotonic() < until, log.read_text("utf-8")
                    sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(child.pid, 15)


@contextmanager
def nginx(folder: Path, mock: str) -> Iterator[str]:
    if NGINX is None:
        pytest.skip("nginx not installed")
    port = free_port()
    ours = (ROOT / "examples/nginx/freddy.conf").read_text("utf-8")
    ours = ours.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("http://127.0.0.1:4010", mock)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"access_log off; {paths} {ours}"
    whole = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ {http} }}"
    (folder / "nginx.conf").write_text(whole, "utf-8")
    with started([NGINX, "-p", str(folder), "-c", "nginx.conf"], folder, port) as url:
        yield url


@contextmanager
def webpack(folder: Path, mock: str) -> Iterator[str]:
    example, port = installed("webpack", folder), free_port()
    command = [NPM or "npm", "start"]
    with started(command, example, port, FREDDY_API_URL=mock, PORT=str(port)) as url:
        yield url


@contextmanager
def next_(folder: Path, mock: str) -> Iterator[str]:
    example, port = installed("next", folder), free_port()
    command = [NPM or "npm", "start", "--", "--port", str(port)]
    with started(command, example, port, FREDDY_API_URL=mock) as url:
        yield url


SERVERS = {"nginx": nginx, "webpack": webpack, "next": next_}


@pytest.fixture(scope="module", params=list(SERVERS))
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """URL of a mock at its port that can break connections, and of a server in front of it."""
    if request.param != "nginx" and not (NODE and NPM):
        pytest.skip("needs node and npm")
    with ready("--quiet", "--freeze", FROZEN, "--fault-port", "0") as line:
        mock = f"http://127.0.0.1:{line['fault_port']}"
        with SERVERS[request.param](tmp_path_factory.mktemp(request.param), mock) as url:
            yield Place(request.param, mock, url)


def test_a_request_without_a_key_gets_one_and_another_keeps_its_own(place: Place) -> None:
    url = place.url
    path = f"{url}/v1/spaces/space_abc123/threads/thrd_def456"
    viewer = {"X-API-Key": "ak_demo_viewer"}
    bearer = {"Authorization": "Bearer ak_demo_viewer"}
    assert requests.post(path, headers=viewer, timeout=60).status_code == 403
    assert requests.post(path, headers=bearer, timeout=60).status_code == 403
    assert requests.post(path, timeout=60).status_code == 201
    assert requests.get(path.rpartition("/")[0], headers={"X-API-Key": ""}, timeout=60).status_code == 200


def test_a_path_that_ends_with_a_slash_a_sandbox_and_the_control_api_are_reached(place: Place) -> None:
    url = place.url
    body = {"name": "Osaka", "organization_id": "org_abc123"}
    made = requests.post(f"{url}/__sandbox/mine/v1/spaces/", json=body, timeout=60, allow_redirects=False)
    assert made.status_code == 201, made.text
    listed = requests.get(f"{url}{SPACES}", headers={"X-Mock-Sandbox": "mine"}, timeout=60).json()
    assert "Osaka" in [space["name"] for space in listed["spaces"]]
    assert "mine" in requests.get(f"{url}/__admin/sandboxes", timeout=60).text


def test_a_stream_arrives_event_by_event(place: Place) -> None:
    """It is held after two events, which arrive all the same; released, the rest follows."""
    mock, url = place.mock, place.url
    (rule,) = requests.post(f"{mock}/__admin/faults", json=HOLD, timeout=60).json()["faults"]
    release = f"{mock}/__admin/faults/{rule['id']}/release"
    found: list[Any] = []
    with requests.post(f"{url}/v1/model/response", json=QUESTION, stream=True, timeout=60) as answer:
        assert answer.status_code == 200, answer.text
        for line in answer.iter_lines():
            if line.startswith(b"data: {"):
                found.append(json.loads(line[6:])["event"])
            if len(found) == 2 and line.startswith(b"data: {"):
                assert requests.post(release, timeout=60).status_code == 200
            assert len(found) < 50, "nothing but heartbeats"
    assert found[:2] == ["response.processing", "response.created"]
    assert found[-1] == "response.completed"


@pytest.mark.parametrize("kind", ["truncate", "reset", "empty"])
def test_a_broken_answer_is_broken_for_the_client_as_well(place: Place, kind: str) -> None:
    """But for Next, which answers 500 where there is no answer at all."""
    asked = requests.Request("GET", f"{place.url}/v1/spaces/space_abc123", {"X-Mock-Fault": kind}).prepare()
    with requests.Session() as session:
        if place.name == "next" and kind != "truncate":
            assert session.send(asked, timeout=60).status_code == 500
            return
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            session.send(asked, timeout=60)


def test_the_files_that_are_shown_are_those_of_the_examples() -> None:
    names = {
        "proxy.js": "next",
        "next.config.js": "next",
        "webpack.config.js": "webpack",
        "freddy.conf": "nginx",
    }
    shown = {each.label: each.text + "\n" for each in blocks(ROOT / "docs/dev-servers.md")}
    for name, folder in names.items():
        assert shown[name] == (ROOT / "examples" / folder / name).read_text("utf-8"), name
