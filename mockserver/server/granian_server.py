"""HTTP server: granian's WSGI worker in this process, on our own socket."""

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn
from wsgiref.types import WSGIApplication

import granian

from mockserver.server.answer_threads import LOOK, Workers
from mockserver.server.request_readers import MOST, RequestReaders
from mockserver.server.wsgi_gateway import gateway

_granian: Any = granian  # half of it is untyped, and its stubs lag behind its extension module
_BACKLOG = 1024
_CONNECTIONS = 1 << 20  # granian counts idle ones too, and keeps new ones waiting at its limit
_HTTP1 = _granian.http.HTTP1Settings(header_read_timeout=3_600_000)  # ms; also ends idle clients
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_GRACE = 0.5  # seconds; shutdown takes at most one, and the rest is for the caller to save its state


class PortTaken(Exception):
    """The port is in use; the text is one line for the user."""


def bind(host: str, port: int) -> socket.socket:
    """Listening socket (port 0: a free one); PortTaken, or OSError for an unusable address."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by accepted connections; without it a small chunk waits for the client's ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except (OSError, OverflowError, ValueError) as error:
        sock.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise PortTaken(f"{where} is in use: use another port, or --port 0") from None
        raise OSError(f"cannot listen on {where}: {error}") from None
    return sock


def serve(
    app: WSGIApplication,
    listener: socket.socket,
    *,
    stopping: threading.Event,
    threads: int = 512,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until a signal or `stopping`; return within a second, with the listener closed.

    Unfinished answers continue in threads: the process must end by leave(). A second signal takes them their
    grace; none kills the process, so that the caller can save its state.
    """

    def stop(*_: object) -> None:
        # Not set() here: the interrupted code may hold the event's lock.
        threading.Thread(target=(ended if stopping.is_set() else stopping).set).start()

    logging.getLogger("_granian").setLevel(logging.WARNING)
    native, ended, loop = _granian._granian, threading.Event(), asyncio.new_event_loop()
    quit_ = native.WorkerSignal()
    quit_.add_cb(ended.set)
    workers = Workers(gateway(app), threads)
    readers = RequestReaders(workers.give)
    call = _granian._futures._new_cbscheduler(loop, readers.take, impl_asyncio=True)
    backlog = (_BACKLOG,) if sys.platform == "linux" else ()
    sockets = (None, native.SocketHolder(os.dup(listener.fileno()), False, *backlog))
    worker = native.WSGIWorker(1, sockets, None, 1, 1, MOST, 30, _CONNECTIONS, "1", _HTTP1)
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # of nohup
                    signal.signal(number, stop)
        worker.serve_str(call, loop, quit_)
        if on_ready is not None:
            on_ready()
        while not stopping.wait(LOOK):  # a signal to another thread does not wake this one
            workers.look()
            readers.look()
    finally:
        stopping.set()
        readers.stop()
        quit_.set()
        ended.wait(_GRACE)
        listener.close()
        loop.close()


def leave(code: int) -> NoReturn:
    """Exit with this code; a regular exit fails because of granian's threads."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
