"""Requests and answers are held to the document; what broke it is told in every place that tells anything."""

from __future__ import annotations

import socket

import pytest

from mockserver.client.child import Child
from tests.proxy.target import JSON, Asked, ask, ended, saying, scripted, target
from tests.proxy.test_passing_on import REQUEST_ID, THREADS
from tests.running import ROOT, ready
from tests.wire_client import most_memory


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (saying(REQUEST_ID, body={**THREADS, "has_more": "no"}), '/has_more: "no" is not of type "boolean"'),
        (saying(REQUEST_ID, body={**THREADS, "extra": 1}), "extra"),
        (saying(REQUEST_ID, body={k: v for k, v in THREADS.items() if k != "data"}), "/data: is required"),
        (saying(body=THREADS), "header x-request-id is missing"),
        (saying(REQUEST_ID, body={}, status="418 Teapot"), "no status 418 here"),
        (saying(REQUEST_ID, JSON, body=b"{"), "the body is not JSON"),
        (saying(REQUEST_ID, "Content-Type: text/html", body=b"<p>"), "content type 'text/html' is none of"),
        (saying(REQUEST_ID, "Content-Encoding: br", JSON, body=b"x"), "not judged: encoded as br"),
        (saying(REQUEST_ID, JSON, body=b" " * (1 << 20) + b"{}"), "not judged: too large"),
        (saying(REQUEST_ID, body=THREADS), None),
    ],
)
def test_an_answer_that_the_document_forbids_is_told(script: object, told: str | None) -> None:
    with scripted(script) as (url, _):  # type: ignore[arg-type]
        got = ask("GET", f"{url}/v1/threads")
        header = got.headers.get("X-Mock-Violations")
        assert header == told if told is None else told in str(header)
        listed = ask("GET", f"{url}/__admin/violations").json()
        assert listed["count"] == (told is not None and "not judged" not in told)


def test_a_request_that_the_document_forbids_is_told_and_passed_on() -> None:
    with scripted(saying(REQUEST_ID, body=THREADS)) as (url, behind):
        got = ask("GET", f"{url}/v1/threads?limit=no")
        assert got.headers["X-Mock-Violations"].startswith("request query limit: ")
        got = ask("GET", f"{url}/v1/nothing")
        assert got.headers["X-Mock-Violations"].startswith("request /: no operation at GET /v1/nothing")
        assert len(behind.asked) == 2
        found = ask("GET", f"{url}/__admin/violations").json()["violations"]
        assert [each["violations"][0]["in"] for each in found] == ["request", "request"]


@pytest.mark.parametrize(
    ("path", "fail_on", "code"),
    [
        ("/v1/threads?limit=no", "violation", 1),
        ("/v1/threads?limit=no", "answer", 0),
        ("/v1/threads", "violation", 0),
        ("/v1/models", "answer", 1),
    ],
)
def test_the_exit_code_tells_whether_anything_broke_it(path: str, fail_on: str, code: int) -> None:
    with target(saying(REQUEST_ID, body=THREADS)) as behind:
        child = Child("--target", behind.url, "--quiet", "--fail-on", fail_on, command="proxy", cwd=ROOT)
        assert child.ready is not None
        ask("GET", child.ready["url"] + path)
        assert ended(child.process) == code
        child.end()


def test_a_large_answer_goes_by_in_little_memory() -> None:
    megabytes = 200

    def script(connection: socket.socket, _: Asked) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {megabytes << 20}\r\n\r\n".encode())
        for _number in range(megabytes):
            connection.sendall(bytes(1 << 20))

    with target(script) as behind, ready("--target", behind.url, command="proxy") as line:
        before = most_memory(line["pid"])
        got = ask("GET", f"{line['url']}/v1/files/file_a/content", stream=True)
        assert sum(len(piece) for piece in got.iter_content(1 << 20)) == megabytes << 20
        assert most_memory(line["pid"]) - before < 60
