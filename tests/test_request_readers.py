"""The threads that take requests: who goes on, and who is parked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any

import pytest

from mockserver.server.nudge import Nudge
from mockserver.server.request_readers import RequestReaders
from tests.running import eventually


class Body:
    """One that is there when it is told so."""

    def __init__(self, data: bytes = b"", *, here: bool = True) -> None:
        self._data = data
        self.asked, self.here = threading.Event(), threading.Event()
        if here:
            self.here.set()

    def read(self, _size: int = -1) -> bytes:
        """As granian's input does."""
        self.asked.set()
        assert self.here.wait(60)
        return self._data


class Served:
    """RequestReaders in threads of granian's, each of which is free again when its call returns."""

    def __init__(self) -> None:
        self.answered: list[bytes] = []
        self.statuses: list[int] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)
        self.readers = RequestReaders(
            lambda _, scope: self.answered.append(scope["wsgi.input"].read()),
            lambda _: 1 << 20,
            Nudge(self.listener),
        )
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def ask(self, thread: str, body: Body | None = None, **scope: str) -> Future[None]:
        """A request that this thread takes; done when it could take another one."""
        pool = self._threads.setdefault(thread, ThreadPoolExecutor(1))
        if body is not None and not scope:
            scope = {"CONTENT_LENGTH": "4"}
        return pool.submit(self.readers.take, self, {"wsgi.input": body or Body(), **scope})

    def response_bytes(self, status: int, _headers: Any, _body: bytes) -> None:
        """What granian's protocol would send."""
        self.statuses.append(status)

    def close(self) -> None:
        """End the threads."""
        self.readers.stop()
        for pool in self._threads.values():
            pool.shutdown()
        self.readers.look()
        self.listener.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def is_parked(call: Future[None]) -> bool:
    try:
        call.result(0.1)
    except NotYet:
        return True
    return False


def test_one_thread_takes_all_that_come(served: Served) -> None:
    served.ask("first").result(5)
    second = served.ask("second")
    assert is_parked(second)
    for _ in range(3):
        served.ask("first").result(5)
    assert len(served.answered) == 5
    assert not second.done()


def test_who_waits_for_a_body_lets_another_one_go_on(served: Served) -> None:
    served.ask("first").result(5)
    second, third = served.ask("second"), served.ask("third")
    assert is_parked(second)
    assert is_parked(third)
    body = Body(b"late", here=False)
    late = served.ask("first", body)
    second.result(5)
    assert is_parked(third)
    served.ask("second").result(5)
    body.here.set()
    assert eventually(lambda: b"late" in served.answered)
    assert served.answered[-1] == b"late"
    assert is_parked(late)


@pytest.mark.parametrize("end", ["two looks", "stop"])
def test_everybody_goes_on(served: Served, end: str) -> None:
    """When nothing came between two looks, for the one who took it all may have gone; and at the end."""
    served.ask("first").result(5)
    parked = [served.ask(name) for name in ("second", "third")]
    assert all(map(is_parked, parked))
    if end == "stop":
        served.readers.stop()
    else:
        served.readers.look()
        assert all(map(is_parked, parked))
        served.readers.look()
    for call in parked:
        call.result(5)
    served.ask("second").result(5)
    assert is_parked(served.ask("first")) == (end != "stop")


@pytest.mark.parametrize("scope", [{}, {"CONTENT_LENGTH": "0"}])
def test_no_body_is_read_where_none_is_announced(served: Served, scope: dict[str, str]) -> None:
    body = Body(b"none")
    served.ask("first", body, **scope, REQUEST_METHOD="GET").result(5)
    assert served.answered == [b""]
    assert not body.asked.is_set()


@pytest.mark.parametrize("scope", [{"CONTENT_LENGTH": "4"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_body_that_is_announced_is_given_whole(served: Served, scope: dict[str, str]) -> None:
    served.ask("first", Body(b"here"), **scope).result(5)
    assert served.answered == [b"here"]


def test_half_a_body_is_given_to_nobody(served: Served) -> None:
    served.ask("first", Body(b"ha")).result(5)
    assert (served.answered, served.statuses) == ([], [400])


def test_nobody_stays_parked_whatever_the_order(served: Served) -> None:
    """Requests with and without bodies in eight threads, as fast as they can."""
    bodies = [Body(b"body") if number % 3 else None for number in range(400)]
    calls = [served.ask(f"thread {number % 8}", body) for number, body in enumerate(bodies)]
    while not all(call.done() for call in calls):
        served.readers.look()
    assert len(served.answered) == 400


def test_a_nudge_is_sent_while_a_body_is_awaited_and_is_passed_on_to_nobody(
    served: Served,
) -> None:
    body = Body(b"here", here=False)
    served.ask("first", body)
    assert body.asked.wait(60)
    served.readers.look()
    with served.listener.accept()[0] as connection:
        head, _, sent = connection.recv(4096).partition(b"\r\n\r\n")
    secret = head.rpartition(b"X-Mock-Nudge: ")[2].decode()
    served.ask("second", Body(sent), CONTENT_LENGTH="1", HTTP_X_MOCK_NUDGE=secret).result(60)
    assert (served.statuses, served.answered) == ([204], [])
    served.ask("second", Body(b"-"), CONTENT_LENGTH="1", HTTP_X_MOCK_NUDGE="a guess").result(60)
    assert served.answered == [b"-"]
    body.here.set()


def test_no_nudge_is_sent_while_no_body_is_awaited(served: Served) -> None:
    served.ask("first", Body(b"here")).result(60)
    served.readers.look()
    served.readers.look()
    served.listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        served.listener.accept()
