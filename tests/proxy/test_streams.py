"""Streams go through a proxy event by event, and a client that leaves frees the target."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from tests.proxy.target import Asked, Script, ask, scripted
from tests.running import eventually
from tests.wire_client import OWNER, begun

ID = b"x-request-id: 516734eb-4475-45f2-86bb-f7a0a4b97c10\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + ID
EVENT = b'data: {"event":"response.heartbeat"}\n\n'
ASK = "POST /v1/model/response", OWNER, "Content-Length: 2", "Content-Type: application/json"
Frame = Callable[[bytes], bytes]


def chunk(data: bytes) -> bytes:
    """Data as one chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def slow(seen: threading.Semaphore, events: int, head: bytes, frame: Frame, end: bytes) -> Script:
    """Stream whose next event is sent only after somebody has seen the one before."""

    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(HEAD + head)
        for _number in range(events):
            connection.sendall(frame(EVENT))
            assert seen.acquire(timeout=60)
        connection.sendall(end)
        return bool(end)

    return script


@pytest.mark.parametrize(
    ("head", "frame", "end"),
    [(b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk(b"")), (b"Connection: close\r\n\r\n", bytes, b"")],
    ids=["chunked", "until close"],
)
def test_an_event_arrives_before_the_next_is_sent(head: bytes, frame: Frame, end: bytes) -> None:
    seen = threading.Semaphore(0)
    with scripted(slow(seen, 5, head, frame, end)) as (url, _), begun(url, *ASK, body=b"{}") as client:
        client.settimeout(60)
        got = b""
        for number in range(1, 6):
            while got.count(EVENT) < number:
                got += client.recv(65536)
            seen.release()
        while b"0\r\n\r\n" not in got:
            got += client.recv(65536)
        (entry,) = ask("GET", f"{url}/__admin/requests").json()["requests"]
        assert (entry["ended"], entry["response"]["body_bytes"]) == ("complete", 5 * len(EVENT))


def test_a_client_that_leaves_frees_the_target_at_its_next_event() -> None:
    gone = threading.Event()

    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        try:
            while not gone.wait(0.02):
                connection.sendall(EVENT)
        except OSError:
            gone.set()
        return False

    with scripted(script) as (url, _):
        with begun(url, *ASK, body=b"{}") as client:
            assert EVENT in client.recv(65536) + client.recv(65536)
        assert gone.wait(60), "the connection to the target stays open"
        assert eventually(
            lambda: ask("GET", f"{url}/__admin/requests").json()["requests"][0]["ended"] == "client"
        )


def test_every_event_is_judged() -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        events = (
            EVENT + b'data: {"event":"response.\r\n\r\n' + b'data: {"event":"no.such"}\n\ndata: [DONE]\n\n'
        )
        connection.sendall(HEAD + b"Connection: close\r\n\r\n" + events)
        return False

    with scripted(script) as (url, _):
        body = {
            "inputs": [{"role": "user", "content": "Where?"}],
            "stream": True,
            "organization_id": "org_abc123",
        }
        ask("POST", f"{url}/v1/model/response", json=body)
        (found,) = ask("GET", f"{url}/__admin/violations").json()["violations"]
    told = [each["message"] for each in found["violations"] if each["in"] == "answer"]
    assert "not JSON" in told[0]
    assert all(text.startswith("event no.such: ") for text in told[1:])
    assert len(told) > 1


def test_a_stream_that_the_target_breaks_off_is_cut() -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(EVENT))
        return False

    with scripted(script) as (url, _):
        ask("POST", f"{url}/v1/model/response", json={})
        (entry,) = ask("GET", f"{url}/__admin/requests").json()["requests"]
    assert entry["ended"] == "cut"
    assert "broke off" in entry["why"][-1]


def test_silence_ends_a_stream() -> None:
    hold = threading.Event()

    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(HEAD + b"Connection: close\r\n\r\n" + EVENT)
        hold.wait(60)
        return False

    with scripted(script, "--silence-timeout", "0.3") as (url, _):
        ask("POST", f"{url}/v1/model/response", json={})
        (entry,) = ask("GET", f"{url}/__admin/requests").json()["requests"]
        hold.set()
    assert entry["ended"] == "cut"


def test_a_stream_of_the_target_is_held_after_some_events() -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(HEAD + b"Connection: close\r\n\r\n" + 3 * EVENT)
        return False

    with scripted(script) as (url, _):
        rule = {"operation": "createResponse", "hold": {"after_events": 2}}
        id_ = ask("POST", f"{url}/__admin/faults", json=rule).json()["faults"][0]["id"]
        with begun(url, *ASK, body=b"{}") as client:
            client.settimeout(60)
            got = b""
            while b": held" not in got:
                got += client.recv(65536)
            assert got.count(EVENT) == 2
            assert ask("POST", f"{url}/__admin/faults/{id_}/release").status_code == 200
            while b"0\r\n\r\n" not in got:
                got += client.recv(65536)
            assert got.count(EVENT) == 3
