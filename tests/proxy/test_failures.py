"""A target that fails, and what a proxy does about it: it says so, and sends no write twice."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockserver.client.child import Child
from mockserver.commands.cli import main
from tests.proxy.target import JSON, Asked, answer, ask, proxy, saying, scripted, target
from tests.running import ROOT, eventually


def test_a_target_that_is_not_there_is_a_502_with_the_reason() -> None:
    with target(saying(body={})) as behind:
        behind.close()
        with proxy(behind.url) as url:
            got = ask("GET", f"{url}/v1/threads")
            told = ask("GET", f"{url}/__admin/requests/{got.headers['x-request-id']}").json()
    assert (told["source"], told["decision"]["steps"][-1]["step"]) == ("proxy", "proxy")
    assert (got.status_code, got.headers["X-Mock-Source"]) == (502, "proxy")
    assert f"no connection to {behind.url.removeprefix('http://')}" in got.headers["X-Mock-Reason"]
    assert got.json()["error"]["code"] == "BAD_GATEWAY"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_target_that_says_nothing_more_is_a_504(sent: bytes) -> None:
    hold = threading.Event()

    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(sent)
        hold.wait(60)
        return False

    with scripted(script, "--first-byte-timeout", "0.3", "--silence-timeout", "0.3") as (url, _):
        got = ask("GET", f"{url}/v1/threads")
        hold.set()
    assert got.status_code == 504
    assert "within 0.3 seconds" in got.headers["X-Mock-Reason"]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x01c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 777 Strange\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=range(10),
)
def test_a_target_that_breaks_off_is_a_502(sent: bytes) -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(sent)
        return False

    with scripted(script) as (url, behind):
        for method in ("GET", "POST"):
            assert ask(method, f"{url}/v1/threads", data=b"{}").status_code == 502
    assert len(behind.asked) == 2, "neither is sent again: the connection was new"


def test_only_a_read_is_sent_again_after_a_connection_that_was_closed() -> None:
    first = answer(body={})

    def script(connection: socket.socket, _: Asked) -> bool:
        if len(behind.asked) in (2, 4):  # the second request on each connection
            return False
        connection.sendall(first)
        return True

    with scripted(script) as (url, behind):
        assert [ask("GET", f"{url}/v1/threads").status_code for _ in range(2)] == [200, 200]
        assert len(behind.asked) == 3
        assert ask("POST", f"{url}/v1/threads", data=b"{}").status_code == 502
        assert len(behind.asked) == 4


def test_an_answer_that_comes_before_the_body_was_read_is_passed_on() -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(answer(JSON, body={}, status="413 Content Too Large"))
        return False

    with scripted(script) as (url, _):
        assert ask("POST", f"{url}/v1/threads", data=b"x" * 900_000).status_code == 413


def test_a_target_that_is_killed_and_started_again_gets_nothing_twice(tmp_path: Path) -> None:
    flags = ("--persist", str(tmp_path / "kept"), "--quiet")
    behind = Child(*flags, cwd=ROOT)
    assert behind.ready is not None
    port, names = str(behind.ready["port"]), [f"n{number}" for number in range(300)]
    again: list[Child] = []

    def make(url: str, name: str) -> int:
        return ask(
            "POST", f"{url}/v1/threads", json={"organization_id": "org_abc123", "title": name}
        ).status_code

    def restart(asked: int) -> None:
        behind.process.kill()
        behind.end()
        environment = {**os.environ, "MOCK_PORT": port}
        again.append(Child(*flags, "--port", port, cwd=ROOT, env=environment))

    with proxy(behind.ready["url"]) as url, ThreadPoolExecutor(64) as pool:
        answers = [pool.submit(make, url, name) for name in names[:200]]
        assert eventually(lambda: sum(each.done() for each in answers) > 50)
        restart(50)
        answers += [pool.submit(make, url, name) for name in names[200:]]
        codes = dict(zip(names, (each.result(60) for each in answers), strict=True))
        assert set(codes.values()) <= {201, 200, 502}
        assert all(codes[name] < 300 for name in names[200:])
        listed, after = [], ""
        while True:
            page = ask("GET", f"{url}/v1/threads?limit=100{after}").json()
            listed += [each["title"] for each in page["data"]]
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        made = [title for title in listed if title in codes]
        assert len(made) == len(set(made)), "a write arrived twice"
        assert {name for name, code in codes.items() if code < 300} <= set(made)
        total = ask("GET", f"{url}/__admin/requests?operation=createThread").json()["total"]
        assert total == len(names)
    for each in again:
        each.end()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--target", "staging"], "is not a URL like https://api.example.com"),
        (["--target", "https://user:secret@a.example"], "has a user; give it by --header"),
        (["--target", "http://a.example/?q=1"], "is more than scheme, host, port and path"),
        (["--target", "http://a.example", "--ca", "no.pem"], "--ca: the target is not an https URL"),
        (["--target", "https://a.example", "--ca", "no.pem"], "--ca no.pem: it can't be used"),
        (["--target", "https://a.example", "--cert-key", "k"], "--cert-key: needs --cert FILE"),
        (["--target", "http://a.example", "--header", "no colon"], "--header: is not like NAME:VALUE"),
    ],
)
def test_unusable_flags_are_one_line(flags: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["proxy", *flags])
    assert result.exit_code == 2
    assert told in result.output
    assert "secret" not in result.output
    assert result.output.count("\n") == 1


def test_a_proxy_has_no_state_to_keep(tmp_path: Path) -> None:
    environment = {"MOCK_PERSIST": str(tmp_path)}
    result = CliRunner().invoke(main, ["proxy", "--target", "http://a.example"], env=environment)
    assert (result.exit_code, "MOCK_PERSIST" in result.output) == (2, True)
