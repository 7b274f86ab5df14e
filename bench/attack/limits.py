"""Attacks on limits: huge and stalled bodies, many connections, many delayed requests."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.attack.files import OWNER, Attack
from bench.servers import mock_command, spawned
from mockserver.server.request_readers import DRAIN

DESCRIPTORS, THREADS = 256, 256
MEMORY = 512.0
"""MiB of memory the mock may have; measured in any case, and held by a cgroup where one can be made."""
BODY_TIMEOUT = 3
SECONDS = 60.0
_CGROUPS = Path("/sys/fs/cgroup")
_MEMORY_FILE = "memory.limit_in_bytes" if (_CGROUPS / "memory").is_dir() else "memory.max"


class Limited(NamedTuple):
    """A mock under limits."""

    pid: int
    url: str
    fault_url: str


@contextmanager
def limited_mock(*flags: str) -> Iterator[Limited]:
    """A mock under DESCRIPTORS, and under THREADS and MEMORY where these can be limited."""
    with _limits() as limit:
        shell = f'ulimit -n {DESCRIPTORS}; {limit}; exec "$@"'
        flags = ("--port", "0", "--fault-port", "0", "--body-timeout", str(BODY_TIMEOUT), *flags)
        with spawned(["bash", "-c", shell, "bash", *mock_command(*flags)], speaks=True) as process:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            print(f"limits      {line['connections']} connections, {line['threads']} threads; {limit}")
            yield Limited(process.pid, line["url"], f"http://127.0.0.1:{line['fault_port']}")


@contextmanager
def _limits() -> Iterator[str]:
    """Shell command that limits threads and memory by cgroups, or threads alone by ulimit if not root."""
    groups = [_group("pids", "pids.max", THREADS), _group("memory", _MEMORY_FILE, int(MEMORY) << 20)]
    if None in groups:
        yield f"ulimit -u $(( $(ps -L -u $(id -u) | wc -l) + {THREADS} ))"
        return
    try:
        yield "; ".join(f"echo $$ > {group}/cgroup.procs" for group in groups)
    finally:
        for group in groups:
            with suppress(OSError):  # one group in version 2
                (group or _CGROUPS).rmdir()


def _group(controller: str, file: str, most: int) -> Path | None:
    """Cgroup with this limit; None if it can't be made, as by others than root."""
    group = (_CGROUPS / controller if (_CGROUPS / controller).is_dir() else _CGROUPS) / "attacked"
    try:
        group.mkdir(exist_ok=True)
        (group / file).write_text(str(most))
    except OSError:
        return None
    return group


def before_the_watch(started: Limited) -> list[Attack]:
    """Attacks that make other clients wait, until they end."""
    return [("more connections than descriptors", partial(_many_connections, fault_url=started.fault_url))]


def attacks(started: Limited) -> list[Attack]:
    """Names and attacks; each returns None, or what is wrong in one line."""
    fault = started.fault_url
    return [
        ("huge bodies without a key", _on_both(fault, _huge_bodies)),
        ("stalled bodies", _stalled_bodies),
        ("stalled bodies on the fault port", lambda _: _stalled_bodies(fault, 30)),
        ("sizes of chunks", _on_both(fault, _chunk_sizes)),
        ("two Host headers", _on_both(fault, _two_hosts)),
        ("delayed requests", _delayed_requests),
    ]


def _on_both(fault_url: str, attack: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda url: attack(url) or attack(fault_url)


def _connected(url: str, sent: bytes = b"") -> socket.socket:
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port or 80), SECONDS)
    connection.sendall(sent)
    return connection


def _status(connection: socket.socket) -> int:
    """Status of the answer; 0 if the connection was closed without one."""
    first = connection.recv(13)
    return int(first[9:12]) if len(first) > 12 else 0


def _head(start: str, *headers: str) -> bytes:
    return "\r\n".join((f"{start} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def _huge_bodies(url: str) -> str | None:
    """A gigabyte with and without its length, to a path that exists and one that does not."""
    for path, expected in (("/x", 404), ("/v1/threads", 401)):
        for length in ({"Content-Length": str(1 << 30)}, {}):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
            begun = time.monotonic()
            try:
                connection.request("POST", path, repeat(bytes(1 << 16), 1 << 14), length)
                status = connection.getresponse().status
            except OSError as error:
                if time.monotonic() - begun > DRAIN:  # a sender that takes longer is disconnected
                    continue
                return f"a gigabyte to {path} saw no status: {error}"
            finally:
                connection.close()
            if status != expected:
                return f"a gigabyte to {path} is {status}"
    return None


def _stalled_bodies(url: str, many: int = 60) -> str | None:
    """Clients that stop in the middle of a body."""
    with ExitStack() as stack:
        sent = _head("POST /v1/threads", "X-API-Key: ak_demo_owner", "Content-Length: 99") + b"{"
        stalled = [stack.enter_context(_connected(url, sent)) for _ in range(many)]
        if (status := _status(stack.enter_context(_connected(url, _head("GET /__admin/health"))))) != 200:
            return f"beside stalled bodies health is {status}"
        statuses = {_status(connection) for connection in stalled}
        return None if statuses <= {408, 503} else f"stalled bodies are {statuses}"


def _chunk_sizes(url: str) -> str | None:
    """Chunks that are announced and never sent."""
    for size in (b"f" * 12, b"7" + b"f" * 15, b"f" * 30, b"-1", b"zz", b""):
        sent = _head("POST /v1/threads", "X-API-Key: ak_demo_owner", "Transfer-Encoding: chunked")
        with _connected(url, sent + size + b"\r\n") as connection:
            connection.shutdown(socket.SHUT_WR)
            if (status := _status(connection)) not in (0, 400, 422):
                return f"a chunk of size {size!r} is {status}"
    return None


def _two_hosts(url: str) -> str | None:
    with _connected(url, _head("GET /v1/threads", "Host: evil.example", "X-API-Key: ak_demo_owner")) as sent:
        status = _status(sent)
        return None if status == 400 else f"two Host headers are {status}"


def _delayed_requests(url: str) -> str | None:
    """More than there are threads."""
    with ExitStack() as stack:
        sent = _head("GET /v1/threads", "X-API-Key: ak_demo_owner", "X-Mock-Delay: 1500")
        statuses = set()
        for connection in [stack.enter_context(_connected(url, sent)) for _ in range(130)]:
            statuses.add(_status(connection))
            connection.close()  # so that one that waits for a connection gets it
        return None if statuses <= {200, 503} else f"delayed requests are {statuses}"


def _many_connections(url: str, fault_url: str) -> str | None:
    """Twice as many as the mock can open, then none; after that it must answer at once."""
    with ExitStack() as stack:
        for port in (url, fault_url):
            for _ in range(2 * DESCRIPTORS):
                stack.enter_context(_connected(port))
    for port in (url, fault_url):
        connection = http.client.HTTPConnection(urlsplit(port).netloc, timeout=SECONDS)
        connection.request("GET", "/v1/threads", headers=OWNER)
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            return f"after many connections an answer is {status}"
    return None
