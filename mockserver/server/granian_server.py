"""HTTP server: granian's WSGI workers in this process, on our own sockets."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn
from wsgiref.types import WSGIApplication

import granian

from mockserver.server.answer_threads import LOOK, Workers
from mockserver.server.listeners import BACKLOG, clients_wait
from mockserver.server.nudge import Nudge
from mockserver.server.process_limits import ServerLimits
from mockserver.server.request_readers import BodyLimit, RequestReaders
from mockserver.server.wsgi_gateway import gateway

_granian: Any = granian  # half of it is untyped, and its stubs lag behind its extension module
_PATIENCE = 20  # looks for which clients wait before it is logged
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_GRACE = 0.5  # seconds; shutdown takes at most one, and the rest is for the caller to save its state


class Timeouts(NamedTuple):
    """Seconds that a client may take."""

    body: float = 30.0
    """To send the body of a request."""
    keep_alive: float = 75.0
    """To send the headers of a request, from the connection or the previous answer on."""


_LIMITS, _TIMEOUTS = ServerLimits(), Timeouts()


def serve(
    app: WSGIApplication,
    listeners: Sequence[socket.socket],
    *,
    stopping: threading.Event,
    limits: ServerLimits = _LIMITS,
    timeouts: Timeouts = _TIMEOUTS,
    body_limit: BodyLimit = lambda _: 1 << 20,
    on_ready: Callable[[], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> None:
    """Serve until a signal or `stopping`; return within a second, with the listeners closed.

    Unfinished answers continue in threads: the process must end by leave(). A second signal takes them their
    grace; none kills the process, so that the caller can save its state. `notice` gets lines for the log.
    """

    def stop(*_: object) -> None:
        # Not set() here: the interrupted code may hold the event's lock.
        threading.Thread(target=(ended if stopping.is_set() else stopping).set).start()

    def one_ended() -> None:
        running.pop()
        if not running:
            ended.set()

    logging.getLogger("_granian").setLevel(logging.WARNING)
    ended, loop, running = threading.Event(), asyncio.new_event_loop(), [*listeners]
    workers = Workers(gateway(app), limits.threads, notice)
    looks = [workers.look, _FullWatch(listeners, limits.connections, notice).look]
    ends: list[Callable[[], None]] = []
    share = limits.shared_by(len(listeners))
    try:
        _handle_signals(stop)
        for listener in listeners:
            readers = RequestReaders(
                workers.give, body_limit, Nudge(listener), most=share.readers, timeout=timeouts.body
            )
            looks.append(readers.look)
            quit_ = _start(listener, readers, share, timeouts.keep_alive, loop, one_ended)
            ends += [readers.stop, quit_.set]
        if on_ready is not None:
            on_ready()
        while not stopping.wait(LOOK):  # a signal to another thread does not wake this one
            for look in looks:
                look()
    finally:
        stopping.set()
        for end in ends:
            end()
        ended.wait(_GRACE)
        for listener in listeners:
            listener.close()
        loop.close()


def _handle_signals(stop: Callable[..., None]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # of nohup
                signal.signal(number, stop)


def _start(
    listener: socket.socket,
    readers: RequestReaders,
    limits: ServerLimits,
    keep_alive: float,
    loop: asyncio.AbstractEventLoop,
    on_end: Callable[[], None],
) -> Any:
    """Start a worker; returns the signal that ends it."""
    native = _granian._granian
    quit_ = native.WorkerSignal()
    quit_.add_cb(on_end)
    call = _granian._futures._new_cbscheduler(loop, readers.take, impl_asyncio=True)
    backlog = (BACKLOG,) if sys.platform == "linux" else ()
    sockets = (None, native.SocketHolder(os.dup(listener.fileno()), False, *backlog))
    # It counts idle connections too, and accepts no others at its limit; one timer ends silent and idle ones.
    http1 = _granian.http.HTTP1Settings(header_read_timeout=round(keep_alive * 1000))
    worker = native.WSGIWorker(1, sockets, None, 1, 1, limits.readers, 30, limits.connections, "1", http1)
    worker.serve_str(call, loop, quit_)
    return quit_


class _FullWatch:
    """Logs once when the limit of connections keeps clients waiting, until none waits any more."""

    def __init__(
        self, listeners: Sequence[socket.socket], most: int, notice: Callable[[str], None] | None
    ) -> None:
        self._listeners, self._most, self._notice = listeners, most, notice
        self._looks = 0

    def look(self) -> None:
        """Called periodically."""
        self._looks = self._looks + 1 if clients_wait(self._listeners) else 0
        if self._looks == _PATIENCE and self._notice is not None:
            text = f"clients wait: {self._most} connections are the limit, because of the limit of open files"
            self._notice(f"{text} (ulimit -n); --keep-alive ends idle ones sooner")


def leave(code: int) -> NoReturn:
    """Exit with this code; a regular exit fails because of granian's threads."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
