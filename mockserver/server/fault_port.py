"""Second HTTP server for the same app, whose requests expose their socket, so that faults can close it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mockserver.server.received_body import receive
from mockserver.server.request_readers import DRAIN, PIECE, UNRECEIVED, BodyLimit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from mockserver.server.granian_server import Timeouts

_LINGER = struct.Struct("ii")


class _Handler(WSGIRequestHandler):
    server: _Server

    def setup(self) -> None:
        """A client that is silent for so long is disconnected."""
        super().setup()
        self.connection.settimeout(self.server.timeouts.keep_alive)

    def handle_expect_100(self) -> bool:
        """Nothing is sent yet: perhaps the request is refused."""
        return True

    def run_wsgi(self) -> None:
        """Answer a request, then drop what is left of its body."""
        self._expected = self.headers["Expect"]
        del self.headers["Expect"]  # else the base class would ask for the body
        whole, self.rfile = self.rfile, _Rest(self.rfile, self.connection)  # type: ignore[assignment]
        try:
            super().run_wsgi()
        finally:
            self.rfile = whole

    def make_environ(self) -> WSGIEnvironment:
        """The environ, with a body that is received within limits."""
        environ, rest = super().make_environ(), self.rfile
        if self._expected is not None:
            environ["HTTP_EXPECT"] = self._expected
        assert isinstance(rest, _Rest)
        limit = self.server.body_limit(environ)
        environ["wsgi.input"], why = receive(environ, rest.source, limit, self.server.timeouts.body)
        environ["wsgi.input_terminated"] = True
        if why:
            environ[UNRECEIVED] = why
        self.connection.settimeout(self.server.timeouts.keep_alive)
        return environ

    def log_request(self, *_: Any) -> None:
        """The app logs requests itself."""

    def connection_dropped(self, *_: Any) -> None:
        """Closed by the app or by the client: nothing more is read from it."""
        self.close_connection = True


class _Rest:
    """Rest of a request that the base class reads after the answer: unread, it would reset the connection."""

    def __init__(self, source: Any, connection: socket.socket) -> None:
        self.source = source
        self._connection = connection

    def read(self, _size: int) -> bytes:
        """Drop what comes within some seconds."""
        self._connection.settimeout(DRAIN)
        end = perf_counter() + DRAIN
        with suppress(OSError):
            while perf_counter() < end and self.source.read1(PIECE):
                pass
        return b""


class _Server(ThreadedWSGIServer):
    body_limit: BodyLimit
    timeouts: Timeouts
    slots: threading.Semaphore

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection; at the limit further ones wait to be accepted."""
        self.slots.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started
            self.slots.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def shutdown_request(self, request: Any) -> None:
        """A connection to be reset is not shut down first: the client would see a regular end."""
        option = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size)
        if _LINGER.unpack(option) == (1, 0):
            self.close_request(request)
        else:
            super().shutdown_request(request)


def start(
    app: WSGIApplication,
    listeners: Iterable[socket.socket],
    *,
    most: int,
    timeouts: Timeouts,
    body_limit: BodyLimit,
) -> None:
    """Serve in separate threads, for at most `most` connections at a time, until the process ends."""
    slots = threading.Semaphore(most)
    for listener in listeners:
        host, port = listener.getsockname()[:2]
        server = _Server(host, port, app, _Handler, fd=listener.fileno())
        listener.close()  # the server has a duplicate
        server.body_limit, server.timeouts, server.slots = body_limit, timeouts, slots
        threading.Thread(target=server.serve_forever, name="fault-port", daemon=True).start()
