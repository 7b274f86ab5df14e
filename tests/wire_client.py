"""HTTP over plain sockets, for requests that no client library sends, and limits of child processes."""

from __future__ import annotations

import re
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from mockserver.server import process_limits

MINUTE = 60.0
OWNER = "X-API-Key: ak_demo_owner"


class Answer(NamedTuple):
    """Status, headers by lower-case name, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def connected(url: str) -> socket.socket:
    """A connection to the server of this URL."""
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port or 80), MINUTE)


def head(start: str, *headers: str) -> bytes:
    """Head of a request: its first two words, and its headers."""
    return "\r\n".join((f"{start} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def begun(url: str, start: str, *headers: str, body: bytes = b"") -> socket.socket:
    """A connection on which a request was sent, with the beginning of its body."""
    connection = connected(url)
    connection.sendall(head(start, *headers) + body)
    return connection


def answer_of(connection: socket.socket) -> Answer:
    """The answer, as far as its Content-Length goes; a ConnectionError if there is none."""
    with connection.makefile("rb") as source:
        first = source.readline()
        if not first:
            raise ConnectionAbortedError("closed without an answer")
        headers = {}
        while (line := source.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Answer(int(first.split()[1]), headers, source.read(int(headers.get("content-length", 0))))


def ask(url: str, start: str, *headers: str, body: bytes = b"") -> Answer:
    """The answer to a request whose body may be a part of what was announced."""
    with begun(url, start, *headers, body=body) as connection:
        return answer_of(connection)


def most_memory(pid: int) -> float:
    """MiB that a process has used at most."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def few_descriptors(most: int) -> Callable[[], None]:
    """Limit of open files, to be set in a child process."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def few_threads(most: int) -> Iterator[Callable[[], None]]:
    """Limit of threads, to be set in a child process: of its user, or of a cgroup for root, who has none."""
    if not process_limits._is_exempt():
        used = process_limits._threads_of_user() + most
        yield lambda: resource.setrlimit(resource.RLIMIT_NPROC, (used, used))
        return
    group = Path("/sys/fs/cgroup/pids")
    group = (group if group.is_dir() else group.parent) / "test-of-few-threads"
    try:
        group.mkdir(exist_ok=True)
        (group / "pids.max").write_text(str(most))
    except OSError as error:
        pytest.skip(f"threads can't be limited here: {error}")
    try:
        yield lambda: print(0, file=(group / "cgroup.procs").open("w"), flush=True)
    finally:
        group.rmdir()
