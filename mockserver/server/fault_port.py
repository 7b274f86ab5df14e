"""Second HTTP server for the same app, whose requests expose their socket, so that faults can close it."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import get_input_stream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LINGER = struct.Struct("ii")


class _Handler(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """The app logs requests itself."""

    def connection_dropped(self, *_: Any) -> None:
        """Closed by the app or by the client: nothing more is read from it."""
        self.close_connection = True


class _Server(ThreadedWSGIServer):
    def shutdown_request(self, request: Any) -> None:
        """A connection to be reset is not shut down first: the client would see a regular end."""
        option = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size)
        if _LINGER.unpack(option) == (1, 0):
            self.close_request(request)
        else:
            super().shutdown_request(request)


def start(app: WSGIApplication, listener: socket.socket) -> None:
    """Serve in separate threads until the process ends."""
    host, port = listener.getsockname()[:2]
    server = _Server(host, port, _whole(app), _Handler, fd=listener.fileno())
    listener.close()  # the server has a duplicate
    threading.Thread(target=server.serve_forever, name="fault-port", daemon=True).start()


def _whole(app: WSGIApplication) -> WSGIApplication:
    """The app with bodies read in full: unread data would turn every close into a reset."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = get_input_stream(environ).read()
        except HTTPException as error:
            raise ConnectionAbortedError("the client left before the end of its body") from error
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        return app(environ, start_response)

    return call
