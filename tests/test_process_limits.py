"""Connections and threads stay within the limits of the process, and it says how many there are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from mockserver.server import process_limits
from mockserver.server.answer_threads import Workers
from mockserver.server.process_limits import DESCRIPTORS_KEPT, LEAST, THREADS_KEPT, Capacity, fitting
from tests.running import ROOT, ready
from tests.wire_client import MINUTE, OWNER, answer_of, ask, begun, connected, few_descriptors, few_threads

GET = ("GET /v1/threads", OWNER)


@pytest.mark.parametrize("fault_port", [False, True])
@pytest.mark.parametrize("threads", [THREADS_KEPT + LEAST, 60, 100, 256, 700, 1 << 30])
@pytest.mark.parametrize("descriptors", [DESCRIPTORS_KEPT + LEAST, 100, 256, 1024, 1 << 30])
def test_all_that_is_allowed_fits(fault_port: bool, threads: int, descriptors: int) -> None:
    limits = fitting(512, Capacity(descriptors, threads), fault_port=fault_port)
    assert limits.connections + limits.fault_connections <= descriptors - DESCRIPTORS_KEPT
    assert limits.threads + limits.readers + limits.fault_connections <= threads - THREADS_KEPT
    assert min(limits.connections, limits.threads) >= 8
    assert limits.readers >= 4
    assert (limits.fault_connections > 0) is fault_port


def test_without_limits_nothing_is_lowered() -> None:
    assert fitting(512, Capacity(1 << 30, 1 << 30), fault_port=True) == (1 << 20, 512, 512, 128)


@pytest.mark.parametrize(
    ("capacity", "hint"), [(Capacity(30, 1000), "ulimit -n"), (Capacity(1000, 30), "ulimit -u")]
)
def test_too_little_capacity_is_reported_in_one_line(capacity: Capacity, hint: str) -> None:
    with pytest.raises(OSError, match=hint) as refused:
        fitting(512, capacity, fault_port=False)
    assert "\n" not in str(refused.value)


def test_the_threads_of_this_user_are_counted() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc")
    assert process_limits._threads_of_user() >= 1


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_more_clients_than_descriptors_wait_for_a_place(tmp_path: Path) -> None:
    """The mock says so once, does not spin, and serves them when others leave."""
    log = tmp_path / "log"
    with ready("--quiet", errors=log, limit=few_descriptors(256)) as line, ExitStack() as stack:
        assert line["connections"] == 256 - DESCRIPTORS_KEPT
        assert line["threads"] <= line["connections"]
        opened = [stack.enter_context(connected(line["url"])) for _ in range(400)]
        until = time.monotonic() + MINUTE
        while "clients wait" not in log.read_text():
            assert time.monotonic() < until
            time.sleep(0.1)
        before = processor_seconds(line["pid"])
        time.sleep(2)
        assert processor_seconds(line["pid"]) - before < 1
        assert log.read_text().count("clients wait") == 1
        assert "ulimit -n" in json.loads(log.read_text().splitlines()[-1])["notice"]
        for connection in opened:
            connection.close()
        assert ask(line["url"], *GET).status == 200


def test_more_connections_than_the_fault_port_takes_wait_for_a_place() -> None:
    with ready("--quiet", "--fault-port", "0", limit=few_descriptors(256)) as line, ExitStack() as stack:
        url = f"http://127.0.0.1:{line['fault_port']}"
        opened = [stack.enter_context(connected(url)) for _ in range(200)]
        assert ask(line["url"], *GET).status == 200
        for connection in opened:
            connection.close()
        assert ask(url, *GET).status == 200


def test_delayed_requests_beyond_the_limit_of_threads_are_a_503(tmp_path: Path) -> None:
    """Those within it are answered, and so is the control API; the state can still be exported."""
    state = tmp_path / "state.json"
    with ExitStack() as stack:
        limit = stack.enter_context(few_threads(100))
        line = stack.enter_context(ready("--quiet", "--export-on-exit", str(state), limit=limit))
        assert line["threads"] < 100
        delay = (*GET, "X-Mock-Delay: 2000")
        delayed = [stack.enter_context(begun(line["url"], *delay)) for _ in range(150)]
        assert ask(line["url"], "GET /__admin/health").status == 200
        assert {answer_of(connection).status for connection in delayed} == {200, 503}
        os.kill(line["pid"], signal.SIGTERM)
        until = time.monotonic() + MINUTE
        while not state.exists():
            assert time.monotonic() < until
            time.sleep(0.1)


def test_few_threads_are_enough_for_stalled_bodies() -> None:
    half = ("POST /v1/threads", OWNER, "Content-Length: 50")
    with ExitStack() as stack:
        limit = stack.enter_context(few_threads(100))
        line = stack.enter_context(ready("--quiet", "--body-timeout", "1", limit=limit))
        stalled = [stack.enter_context(begun(line["url"], *half, body=b"{")) for _ in range(150)]
        assert ask(line["url"], "GET /__admin/health").status == 200
        assert {answer_of(connection).status for connection in stalled} == {408, 503}


@pytest.mark.parametrize("ulimit", [70, 40])
def test_a_mock_that_can_hardly_open_files_does_not_start(ulimit: int) -> None:
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=few_descriptors(ulimit)
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "ulimit -n" in done.stderr


def test_a_limit_that_others_use_up_leaves_the_threads_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread that can't be started is no failure, as long as one answers."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    notices: list[str] = []
    answered = threading.Event()
    workers = Workers(lambda *_: answered.set(), 10, notices.append)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    workers.held(+5)
    workers.held(+1)
    workers.give(None, {})
    assert answered.wait(MINUTE)
    assert len(notices) == 1
