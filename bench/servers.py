"""Servers as child processes: ours, the bare ones on the same granian worker, and their cost at rest."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.load import KEY, PAGE, Round
from bench.rows import NotAvailable

ROOT = Path(__file__).parent.parent
PATIENCE = 90.0
"""Seconds that a server gets to answer for the first time."""


class Server(NamedTuple):
    """A running server."""

    pid: int
    url: str


def environment() -> dict[str, str]:
    """Ours, without what would change the mock."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))}
    clean.pop("PORT", None)
    clean.pop("PYTHONDONTWRITEBYTECODE", None)  # what is measured starts with its bytecode at hand
    return clean


@contextmanager
def spawned(command: Sequence[str], *, speaks: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """The process, in a group of its own that is ended with the block; what it says is read or dropped."""
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE if speaks else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise NotAvailable(f"{Path(command[0]).name}: {error.strerror}") from None
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def ours(command: Sequence[str]) -> Iterator[Server]:
    """A server that prints a line of JSON with its URL once it answers."""
    with spawned(command, speaks=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise NotAvailable(_last_words(command))
        yield Server(process.pid, json.loads(line)["url"])


def _last_words(command: Sequence[str]) -> str:
    """Why it does not start: it is started once more, to be heard."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env=environment()
    )
    lines = done.stderr.strip().splitlines()
    return lines[-1][:200] if lines else "the server ended at once"


def mock_command(*flags: str) -> list[str]:
    """How to start the mock."""
    return [sys.executable, "-m", "mockserver", "serve", *flags]


@contextmanager
def mock(*flags: str) -> Iterator[Server]:
    """The mock, all on, on a port of its own; its log is written, to nowhere."""
    with ours(mock_command("--port", "0", *flags)) as server:
        yield server


@contextmanager
def bare(kind: str, answer: Path, threads: int) -> Iterator[Server]:
    """A bare Flask route (`flask`) or WSGI function (`wsgi`) that returns the prepared bytes."""
    with ours([sys.executable, "-m", "bench.bare", kind, str(answer), str(threads)]) as server:
        yield server


@contextmanager
def foreign(command: Sequence[str], port: int) -> Iterator[Server]:
    """A server that does not tell when it is ready: it is asked until it answers."""
    with spawned(command) as process:
        url = f"http://127.0.0.1:{port}"
        _first_answer(process, url)
        yield Server(process.pid, url)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def cold_start(command: Sequence[str], port: int) -> float:
    """Milliseconds from the spawn to the end of the first 200."""
    started = time.perf_counter()
    with spawned(command) as process:
        _first_answer(process, f"http://127.0.0.1:{port}")
        return (time.perf_counter() - started) * 1000


def _first_answer(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            fetched(url)
        except HTTPError as error:
            raise NotAvailable(f"it answers {error.code}") from None
        except OSError:
            time.sleep(0.002)
        else:
            return
    raise NotAvailable("it ended, or did not answer in time")


def fetched(url: str) -> bytes:
    """The page that is measured."""
    with urlopen(Request(url + PAGE, headers=KEY), timeout=30) as response:
        data: bytes = response.read()
        return data


def memory(pid: int) -> float:
    """MiB of a process and its descendants, shared pages divided among their users (PSS); Linux only."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        raise NotAvailable("this system has no /proc/PID/smaps_rollup") from None
    own = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    assert own is not None
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = sum(memory(int(inner)) for file in children for inner in file.read_text(encoding="ascii").split())
    return int(own[1]) / 1024 + below


def cpu_seconds(pid: int) -> float | None:
    """What a process has used so far, its children apart; None where /proc does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def costed(pid: int, one: Callable[[int], Round]) -> Callable[[int], Round]:
    """The same rounds, with the server's processor time for a request."""

    def watched(seconds: int) -> Round:
        before = cpu_seconds(pid)
        found = one(seconds)
        after = cpu_seconds(pid)
        if before is None or after is None:
            return found
        return found._replace(cpu_us=(after - before) / (found.per_second * seconds) * 1e6)

    return watched


def holds(pid: int, module: str) -> bool:
    """Whether a compiled module of this name is mapped into the process."""
    return f"/{module}/" in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
