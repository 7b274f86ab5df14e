"""What other tools do to a mock: HEAD, `/`, a prefix of a proxy, terminals of another encoding."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Blueprint, Response

from mockserver.app import create_app
from mockserver.client.control import Control
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.running import ROOT, mock, ready

ADMIN = "/__admin"


def raw(address: str, text: str) -> tuple[bytes, bytes]:
    """Head and body of an answer, read to the end of the connection."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port or 80), 60) as connection:
        connection.sendall(text.encode())
        got = b""
        while more := connection.recv(65536):
            got += more
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


def gets() -> list[str]:
    """Path of every GET operation of the control API that needs nothing of the demo scenario."""
    from tests.reference import operations

    titles = [title for title, _ in operations().values() if title.startswith("GET ")]
    return [path for title in titles if "{" not in (path := title.removeprefix("GET "))]


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    with ready("--fault-port", "0", "--quiet", "--freeze", "2026-02-26T10:30:00Z") as line:
        yield line


@pytest.mark.parametrize("port", ["port", "fault_port"])
def test_head_is_get_without_the_body_on_every_path_of_the_control_api(
    served: dict[str, Any], port: str
) -> None:
    """Also on an event stream, which is not opened for it."""
    paths = gets()
    assert len(paths) > 10
    for path in [*paths, "/", "/?x=1", "/__sandbox/one/", "/__sandbox/one"]:
        path += "?operation=none&timeout=0" if path.endswith("/wait") else ""
        connection = HTTPConnection("127.0.0.1", served[port], timeout=60)
        connection.request("HEAD", path)
        head = connection.getresponse()
        assert (head.status, head.read()) == (200 if "wait" not in path else head.status, b""), path
        connection.close()
        if "event" in path:
            continue
        text = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        assert raw(f"http://127.0.0.1:{served[port]}", text)[1] == b"", path
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Length"]) == (
            head.status,
            head.headers["Content-Length"],
        )
        connection.close()


def test_what_is_no_get_is_not_served_as_head(ask: Ask) -> None:
    assert ask("HEAD", f"{ADMIN}/reset").status_code == 405
    assert "HEAD" in ask("POST", f"{ADMIN}/health").headers["Allow"]


@pytest.mark.parametrize("flags", [[], ["--require-sandbox"], ["--admin-token", "a-token-of-ours"]])
def test_the_root_answers_200_to_whoever_waits_for_the_mock(flags: list[str]) -> None:
    """It needs no key, no token and no sandbox, and leaves no trace in a journal."""
    with mock("--quiet", *flags) as url:
        where = urlsplit(url)
        for method in ("HEAD", "GET"):
            for target in ("/", "/?", "/__sandbox/new/", url, url + "/"):
                text = f"{method} {target} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n"
                assert raw(url, text)[0].startswith(b"HTTP/1.1 200 "), (method, target)
        control = Control(url, token="a-token-of-ours")
        assert [each["id"] for each in control.ask("GET", "/sandboxes")["sandboxes"]] in ([], ["default"])


def test_the_root_is_no_operation_for_other_methods(ask: Ask) -> None:
    assert ask("POST", "/").status_code == 404


def test_a_route_of_a_users_own_answers_the_root() -> None:
    """In its sandbox, with any method that it has."""
    own = Blueprint("own", __name__)
    own.get("/")(lambda: "mine")
    app = create_app(Settings(quiet=True))
    app.register_blueprint(own)
    assert app.test_client().get("/").text == "mine"
    assert app.test_client().head("/").status_code == 200
    posts = Blueprint("posts", __name__)
    posts.post("/")(lambda: "posted")
    app = create_app(Settings(quiet=True))
    app.register_blueprint(posts)
    assert app.test_client().get("/").status_code == 405
    assert app.test_client().post("/").text == "posted"


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/mock", "/mock"),
        ("/a/b/", "/a/b"),
        ("/mock, /other", "/mock"),
        ("/", ""),
        ("", ""),
        ("mock", ""),
        ("//evil.example", ""),
        ("/\\evil.example", ""),
        ("/a//evil.example", ""),
        ("https://evil.example", ""),
    ],
)
def test_the_slash_redirect_has_the_prefix_of_a_proxy(ask: Ask, said: str, prefix: str) -> None:
    headers = {"X-Forwarded-Prefix": said}
    path = "/v1/spaces/space_abc123/threads/"
    for sandbox in ("", "/__sandbox/one"):
        answer = ask("GET", sandbox + path, headers=headers)
        assert answer.status_code == 307
        assert answer.headers["Location"] == prefix + sandbox + path.rstrip("/")


def test_the_redirect_of_a_view_has_the_prefix_of_a_proxy() -> None:
    own = Blueprint("own", __name__)
    own.get("/mine/")(lambda: "mine")
    app = create_app(Settings(quiet=True))
    app.register_blueprint(own)
    answer = app.test_client().get("/mine", headers={"X-Forwarded-Prefix": "/mock"})
    assert urlsplit(answer.headers["Location"]).path == "/mock/mine/"


def test_a_view_that_streams_events_is_not_held_up_by_proxies() -> None:
    """What the view says itself stays."""
    own = Blueprint("own", __name__)
    own.get("/events")(
        lambda: Response(iter([b"data: 1\n\n"]), content_type="text/event-stream; charset=utf-8")
    )
    app = create_app(Settings(quiet=True))
    app.register_blueprint(own)
    headers = app.test_client().get("/events").headers
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache, no-transform", "no")


@pytest.mark.slow
def test_the_output_is_utf_8_whatever_the_locale_is() -> None:
    """On stdout and stderr, of both programs."""
    for encoding in ("ascii", "latin-1", "utf-16"):
        variables = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
        run = subprocess.run(
            [sys.executable, "-X", "utf8=0", "-m", "mockserver", "check", "--scenario", "Пример.yaml"],
            env=os.environ | variables,
            cwd=ROOT,
            capture_output=True,
            timeout=120,
        )
        assert run.returncode == 2
        assert b"no scenario" in run.stderr
        run = subprocess.run(
            [sys.executable, "-X", "utf8=0", "-m", "contracts", "run", "--help"],
            env=os.environ | variables,
            cwd=ROOT,
            capture_output=True,
            timeout=120,
        )
        assert (run.returncode, run.stderr) == (0, b"")
        run.stdout.decode("utf-8")
        with mock("--quiet", "--freeze", "2026-02-26T10:30:00Z") as url:
            run = subprocess.run(
                [sys.executable, "-X", "utf8=0", "-m", "mockserver", "state", "--url", url],
                env=os.environ | variables,
                cwd=ROOT,
                capture_output=True,
                timeout=120,
            )
            assert "日本".encode() in run.stdout, run.stderr
