"""Connections and threads that fit into the limits of this process."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

DESCRIPTORS_KEPT = 64
"""Open files besides connections."""
THREADS_KEPT = 24
"""Threads besides those that read and answer requests: main, granian's own, the log, new ones."""
LEAST = 16
"""Fewest threads for requests: with less, a few waiting clients would occupy them all."""
_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
_OWNER = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s+(\d+)", re.MULTILINE)


class ServerLimits(NamedTuple):
    """Most connections and threads of the server."""

    connections: int = 1 << 20
    """At the main port, also idle ones; further clients wait."""
    threads: int = 512
    """That answer requests."""
    readers: int = 512
    """That read requests."""
    fault_connections: int = 0
    """At the fault port, each with a thread; further clients wait."""

    def shared_by(self, listeners: int) -> ServerLimits:
        """What each of several listeners of the main port gets."""
        return self._replace(connections=self.connections // listeners, readers=self.readers // listeners)


class Capacity(NamedTuple):
    """Open files and threads that the system allows this process."""

    descriptors: int
    """Open files."""
    threads: int
    """Threads that may still be started."""


def capacity_of_process() -> Capacity:
    """By RLIMIT_NOFILE, RLIMIT_NPROC and the cgroups of this process."""
    return Capacity(_descriptors(), _thread_capacity())


def fitting(threads: int, within: Capacity, *, fault_port: bool) -> ServerLimits:
    """`threads`, or fewer, and the other limits, so that descriptors and threads suffice for all of them.

    OSError, with one line for the user, if too few are left.
    """
    wanted = ServerLimits(threads=threads, fault_connections=128 if fault_port else 0)
    descriptors, capacity = within.descriptors - DESCRIPTORS_KEPT, within.threads - THREADS_KEPT
    if descriptors < LEAST:
        raise OSError(f"ulimit -n is too low: the mock needs {DESCRIPTORS_KEPT + LEAST} open files")
    if capacity < LEAST:
        text = f"the mock needs {THREADS_KEPT + LEAST} threads, and may have only {within.threads}"
        raise OSError(f"{text}: raise ulimit -u, or pids.max of the cgroup (--pids-limit)")
    at_fault_port = min(wanted.fault_connections, descriptors // 4, capacity // 4)
    connections, capacity = min(wanted.connections, descriptors - at_fault_port), capacity - at_fault_port
    # More threads than connections would never run.
    answering, reading = min(wanted.threads, connections), min(wanted.readers, connections)
    if answering + reading > capacity:
        reading = max(min(reading, capacity // 3), capacity - answering)
        answering = min(answering, capacity - reading)
    return ServerLimits(connections, answering, reading, at_fault_port)


def _descriptors() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 30 if soft == resource.RLIM_INFINITY else soft


def _thread_capacity() -> int:
    """Threads that this process may still start, by RLIMIT_NPROC and by its cgroups."""
    capacities = [1 << 30, *_cgroup_capacities()]
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if soft != resource.RLIM_INFINITY and not _is_exempt():
        capacities.append(soft - _threads_of_user())
    return min(capacities)


def _is_exempt() -> bool:
    """Whether the kernel does not apply RLIMIT_NPROC: it is root, outside of any user namespace."""
    with suppress(OSError):
        return os.getuid() == 0 and (_PROC / "self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    return False


def _threads_of_user() -> int:
    """Threads of this user, which RLIMIT_NPROC counts; 0 where the system does not say."""
    found = 0
    for status in _PROC.glob("[0-9]*/status"):
        with suppress(OSError):  # it has ended
            text = status.read_text("utf-8", "replace")
            owner, threads = _OWNER.search(text), _THREADS.search(text)
            if owner and threads and int(owner[1]) == os.getuid():
                found += int(threads[1])
    return found


def _cgroup_capacities() -> Iterator[int]:
    """What the cgroup of this process and those above it leave of their pids.max."""
    with suppress(OSError):
        for line in (_PROC / "self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            root = _CGROUP / "pids" if controllers == "pids" else _CGROUP
            if controllers not in ("", "pids"):
                continue
            group = root / path.strip("/")
            for folder in (group, *group.parents):
                with suppress(OSError, ValueError):  # no limit here: no such file, or "max"
                    most = int((folder / "pids.max").read_text())
                    yield most - int((folder / "pids.current").read_text())
                if folder == root:
                    break
