"""The threads that answer: how many there are, and who is replaced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from mockserver.server.answer_threads import FREE, Workers


class Clients:
    """Requests, which are answered as their text says, and the answers that are at work."""

    def __init__(self, most: int) -> None:
        self._go = threading.Event()
        self._lock = threading.Lock()
        self.begun: list[str] = []
        self.statuses: list[int] = []
        self.workers = Workers(self._answer, most)

    def _answer(self, _: Any, scope: dict[str, Any], held: AbstractContextManager[None]) -> None:
        with self._lock:
            self.begun.append(scope["ask"])
        if scope["ask"] == "wait":
            with held:
                self._go.wait()
        elif scope["ask"] == "deaf":
            self._go.wait()
        elif scope["ask"] == "fail":
            raise ArithmeticError("on order")

    def ask(self, *asked: str) -> None:
        """One request for each, not waited for."""
        for one in asked:
            self.workers.give(self, {"ask": one})

    def response_bytes(self, status: int, _headers: Any, _body: bytes) -> None:
        """What granian's protocol would send."""
        self.statuses.append(status)

    def let_go(self) -> None:
        """Whoever waits goes on."""
        self._go.set()

    @property
    def threads(self) -> int:
        """How many there are."""
        return len(self.workers._all)


@pytest.fixture
def clients() -> Iterator[Callable[[int], Clients]]:
    """Made by the number of threads that there may be."""
    made: list[Clients] = []

    def make(most: int) -> Clients:
        made.append(Clients(most))
        return made[-1]

    yield make
    for one in made:
        one.let_go()


def becomes(true: Callable[[], bool]) -> bool:
    """Whether it comes true before long."""
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.001)
    return true()


def test_one_thread_answers_many(clients: Callable[[int], Clients]) -> None:
    one = clients(512)
    one.ask(*["at once"] * 1000)
    assert becomes(lambda: len(one.begun) == 1000)
    assert one.threads == FREE


def test_there_are_never_more_than_allowed(clients: Callable[[int], Clients]) -> None:
    one = clients(2)
    one.ask("wait", "deaf", "at once")
    assert becomes(lambda: len(one.begun) == 2)
    for _ in range(4):
        one.workers.look()
    assert (one.threads, one.begun) == (2, ["wait", "deaf"])
    one.let_go()
    assert becomes(lambda: one.begun == ["wait", "deaf", "at once"])


def test_who_says_that_it_waits_is_replaced_at_once(clients: Callable[[int], Clients]) -> None:
    one = clients(512)
    one.ask(*["wait"] * 100, "at once")
    assert becomes(lambda: len(one.begun) == 101)
    assert becomes(lambda: one.threads == 100 + FREE)


def test_who_does_not_say_so_is_replaced_when_it_is_noticed(clients: Callable[[int], Clients]) -> None:
    one = clients(512)
    one.ask(*["deaf"] * 100, "at once")
    assert becomes(lambda: len(one.begun) == FREE)
    one.workers.look()
    assert one.threads == FREE
    one.workers.look()
    assert becomes(lambda: len(one.begun) == 101)


def test_threads_that_are_needed_no_more_go(clients: Callable[[int], Clients]) -> None:
    one = clients(512)
    one.ask(*["wait"] * 50, *["deaf"] * 50)
    assert becomes(lambda: len(one.begun) == 50 + FREE)
    one.workers.look()
    one.workers.look()
    assert becomes(lambda: len(one.begun) == 100)
    one.let_go()

    def no_more_are_left() -> bool:
        one.workers.look()
        one.ask("at once")
        return one.threads == FREE

    assert becomes(no_more_are_left)


def test_a_failure_is_a_500_and_the_thread_goes_on(
    clients: Callable[[int], Clients], capfd: pytest.CaptureFixture[str]
) -> None:
    one = clients(1)
    one.ask("fail", "at once")
    assert becomes(lambda: one.begun == ["fail", "at once"])
    assert one.statuses == [500]
    assert "ArithmeticError: on order" in capfd.readouterr().err
