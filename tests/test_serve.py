"""The HTTP server, seen from outside: tests/serve_app.py runs as a child process."""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from mockserver.server import listeners
from mockserver.server.request_readers import MOST, SPARE

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent


class Child:
    """The test app as a process: `port` is told before it serves, `ready` once it answers."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.serve_app", str(port)],
            cwd=ROOT,
            env={**os.environ, "HTTP_X_LEAK": "a variable, not a header"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that its process group shows what it leaves behind
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline() or 0)
        self.ready = self.process.stdout.readline()

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        connection = HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request("GET" if body is None else "POST", path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def open(self, path: str) -> socket.socket:
        """A connection on which `path` is asked for and nothing is read yet."""
        connection = socket.create_connection((HOST, self.port), timeout=60)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return connection

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[float, str, str]:
        """Seconds it took to end, and the rest of its stdout and stderr."""
        before = time.monotonic()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return time.monotonic() - before, out, err


@contextmanager
def running(port: int = 0) -> Iterator[Child]:
    """A child that is killed at the end if it still runs."""
    child = Child(port)
    with child.process:
        try:
            yield child
        finally:
            child.process.kill()


def until(connection: socket.socket, end: bytes) -> bytes:
    """What arrives up to `end`, or up to the end of the connection."""
    got = b""
    while end not in got and (more := connection.recv(65536)):
        got += more
    return got


def test_a_taken_port_is_told_in_one_line() -> None:
    """A port that another socket listens on is reported with the way out."""
    with listeners.bind(HOST, 0)[0] as first:
        port = first.getsockname()[1]
        with pytest.raises(listeners.PortTaken) as taken:
            listeners.bind(HOST, port)
    assert f"{HOST}:{port}" in str(taken.value)
    assert "--port 0" in str(taken.value)
    assert "\n" not in str(taken.value)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), (HOST, 70000), ("::zz", 0)])
def test_an_unusable_address_is_told_in_one_line(host: str, port: int) -> None:
    """An address that is not ours is an OSError that names it."""
    with pytest.raises(OSError, match=r"^cannot listen on .+$") as unusable:
        listeners.bind(host, port)
    assert "\n" not in str(unusable.value)


def test_a_second_server_on_a_port_does_not_start() -> None:
    """The second one exits with 2 and one line; the first goes on to answer."""
    with running() as first, running(first.port) as second:
        out, err = second.process.communicate(timeout=60)
        assert (second.process.returncode, out, err.count("\n")) == (2, "", 1)
        assert str(first.port) in err
        assert first.ask("/") == (200, b"ok")


def test_port_0_is_known_before_serving() -> None:
    """A free port is bound and told before the first request can be answered."""
    with listeners.bind(HOST, 0)[0] as listener:
        assert listener.getsockname()[1] > 0
    with running() as child:
        assert (child.port > 0, child.ready) == (True, "ready\n")
        assert child.ask("/") == (200, b"ok")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_before_its_answers_are_due(number: signal.Signals) -> None:
    """Open streams end whole and deaf answers do not hold it up; the caller can save its state."""
    with running() as child, ExitStack() as stack:
        paths = ["/stream"] * 64 + ["/wait?30"] * 2 + ["/deaf?30"]
        opened = [stack.enter_context(child.open(path)) for path in paths]
        for connection in opened[:64]:
            until(connection, b"tick")
        seconds, out, err = child.stop(number)
        assert seconds < 25  # the slow answers are due after 30
        assert (child.process.returncode, out, err) == (0, "saved\n", "")
        assert until(opened[0], b"0\r\n\r\n").endswith(b"end\n\r\n0\r\n\r\n")
        assert until(opened[64], b"ok").endswith(b"ok")


def test_a_second_signal_ends_it_at_once() -> None:
    """Whoever asks twice does not get the grace for running answers; the state is saved all the same."""
    with running() as child, child.open("/stream") as stream, child.open("/deaf?30"):
        until(stream, b"tick")
        child.process.send_signal(signal.SIGINT)
        until(stream, b"end")
        _, out, _ = child.stop(signal.SIGTERM)
        assert (child.process.returncode, out) == (0, "saved\n")


def test_a_kill_leaves_nothing_behind() -> None:
    """After SIGKILL no process of it runs and the port is free."""
    with running() as child, child.open("/stream") as stream:
        until(stream, b"tick")
        child.stop(signal.SIGKILL)
        with pytest.raises(ProcessLookupError):
            os.killpg(child.process.pid, 0)
        listeners.bind(HOST, child.port)[0].close()


def test_slow_answers_do_not_slow_the_others() -> None:
    """While 32 answers sleep, others come at once."""
    with running() as child, ExitStack() as stack:
        slow = [stack.enter_context(child.open("/deaf?30")) for _ in range(32)]
        for _ in range(20):
            assert child.ask("/") == (200, b"ok")
        assert select.select(slow, [], [], 0)[0] == []


def test_bodies_that_are_on_their_way_do_not_hold_up_the_others() -> None:
    """So many of them: docs/architecture.md says how many are read at a time."""
    with running() as child, ExitStack() as stack:
        half = b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf"
        slow = [
            stack.enter_context(socket.create_connection((HOST, child.port), 5)) for _ in range(MOST - SPARE)
        ]
        for connection in slow:
            connection.sendall(half)
        assert child.ask("/") == (200, b"ok")
        for connection in slow:
            connection.sendall(b" done")
            assert until(connection, b"done").endswith(b"half done")


def test_a_client_that_leaves_gets_its_stream_closed() -> None:
    """The iterator's close() runs at its next chunk after the client left."""
    with running() as child:
        with child.open("/stream") as stream:
            until(stream, b"tick")
        assert child.ask("/closed") == (200, b"1")


def test_it_restarts_on_the_same_port() -> None:
    """A port whose connections were just open can be taken again."""
    with running() as child, child.open("/stream") as stream:
        until(stream, b"tick")
        child.stop()
        with running(child.port) as again:
            assert (again.port, again.ask("/")) == (child.port, (200, b"ok"))


@pytest.mark.parametrize("status", ["99", "199", "1000"])
def test_a_status_that_cannot_be_sent_does_not_end_it(status: str) -> None:
    """Such an answer becomes a 500, and the next request is answered."""
    with running() as child:
        assert child.ask(f"/status?{status}")[0] == 500
        assert child.ask("/") == (200, b"ok")


def test_the_body_is_a_true_stream() -> None:
    """read(n), readline() and read() after each other give the whole body."""
    with running() as child:
        assert child.ask("/echo", b"one\ntwo\nthree") == (200, b"one\ntwo\nthree")


def test_half_a_body_never_reaches_the_app() -> None:
    """A client that leaves in the middle of its body is not taken for one that sent nothing."""
    with running() as child:
        with socket.create_connection((HOST, child.port), timeout=60) as connection:
            head = b"POST /seen HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head + b"half")
            connection.shutdown(socket.SHUT_WR)
            until(connection, b"never")
        assert child.ask("/count") == (200, b"1")


def test_variables_of_the_process_are_no_headers() -> None:
    """HTTP_X_LEAK in the process environment is not a header of a request."""
    with running() as child:
        assert child.ask("/leak") == (200, b"None")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "tgkill"), reason="only here a thread can be chosen")
def test_a_signal_ends_it_whichever_thread_it_lands_on() -> None:
    """A signal that another thread takes does not wake the main one by itself."""
    with running() as child:
        pid = child.process.pid
        other = next(int(t.name) for t in Path(f"/proc/{pid}/task").iterdir() if t.name != str(pid))
        ctypes.CDLL(None).tgkill(pid, other, signal.SIGTERM)
        assert child.process.wait(timeout=60) == 0
