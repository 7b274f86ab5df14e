"""Connections to the target, and one exchange over one of them."""

from __future__ import annotations

import base64
import select
import socket
import threading
from collections import deque
from contextlib import nullcontext, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import monotonic
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from mockserver.http.problems import MockOwnError
from mockserver.proxy.exchange import BadGateway, GatewayTimeout, Held, Outgoing, head_of
from mockserver.proxy.options import ProxyOptions
from mockserver.proxy.response import Headers, TargetResponse

MOST_IDLE = 100
"""Most idle connections that are kept."""
IDLE = 60.0
"""Seconds after which an idle connection is not used again."""
IDLE_FOR_WRITES = 2.0
"""The same for a request that is never sent twice: servers close connections after five seconds and more."""
QUICK = 0.001
"""Seconds within which the answers of a quick target begin; to let another thread run takes as long."""
SMALL = 16_384
"""Bytes that a quick target sends, or takes, at once."""
PIECE = 65_536
"""Most bytes that are passed on at once."""
SAFE = ("GET", "HEAD")
"""Methods of requests that may be sent twice."""


class _Kept(NamedTuple):
    connection: HTTPConnection
    since: float


class Received:
    """Answer of the target, whose body is read by whoever passes it on."""

    def __init__(
        self, target: ProxyTarget, connection: HTTPConnection, response: HTTPResponse, sock: socket.socket
    ) -> None:
        self._target, self._connection, self._socket = target, connection, sock
        self._response = response
        self.status = response.status
        self.headers: Headers = response.msg  # type: ignore[assignment]
        self.length: int | None = None if response.chunked else response.length
        """Bytes of the body; None if only its end tells."""
        self._left = self.length

    def begin(self, most: int, held: Held) -> bytes:
        """At most so many bytes of the body; fewer are all of it. `held` is entered to wait for many."""
        is_small = self._target.is_quick and self.length is not None and self.length <= SMALL
        try:
            with nullcontext() if is_small else held:
                data = self._response.read(most)
        except (OSError, HTTPException) as error:
            self.abandon()
            raise self._target.problem(error, "the body", self._target.options.silence_timeout) from error
        if self._left is not None:
            self._left -= len(data)
            if self._left and len(data) < most:
                self.abandon()
                raise BadGateway("Broken off", reason="the target broke its answer off")
        return data

    def read(self) -> bytes:
        """What has arrived since, or the next bytes; empty at the end. OSError if it breaks off."""
        if self._left == 0:
            return b""
        piece = self._response.read1(PIECE if self._left is None else min(PIECE, self._left))
        if self._left is not None:
            self._left -= len(piece)
            if not piece:
                raise OSError("it broke off")
        return piece

    def end(self) -> None:
        """Keep the connection, if the body was read to its end; else close it."""
        if self._left == 0:
            self._response.close()
        if self._response.isclosed() and not self._response.will_close:
            self._target.keep(self._connection)
        else:
            self.abandon()

    def abandon(self) -> None:
        """Close the connection, even while another thread waits for its next bytes."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, ValueError):
            self._response.close()
        self._connection.close()


class ProxyTarget:
    """The server behind the proxy."""

    def __init__(self, options: ProxyOptions) -> None:
        self.options = options
        parts = urlsplit(options.target)
        self.host = parts.netloc
        self.scheme, self.path = parts.scheme, parts.path
        self._address = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._context = options.context()
        by = "" if proxy_bypass(self.host) else getproxies().get(parts.scheme, "")
        self._proxy = urlsplit(by if not by or "://" in by else f"http://{by}")
        self.is_quick = True
        """Whether its last answer began within QUICK seconds."""
        self._idle: deque[_Kept] = deque()
        self._lock = threading.Lock()

    def send(self, outgoing: Outgoing, held: Held) -> Received:
        """Send a request, and receive the head of its answer; BadGateway or GatewayTimeout if none comes.

        `held` is entered to wait, unless the target is quick. A request that may be sent twice is, once, if
        the connection turns out to be closed by the target.
        """
        kept = self._kept(IDLE if outgoing.method in SAFE else IDLE_FOR_WRITES)
        if kept is not None:
            try:
                return self._exchange(kept, outgoing, held)
            except (ConnectionError, HTTPException) as error:  # RemoteDisconnected is a ConnectionError
                kept.close()
                if outgoing.method not in SAFE or not isinstance(error, ConnectionError):
                    raise self._unanswered(error) from error
            except OSError as error:
                kept.close()
                raise self._unanswered(error) from error
        with held:
            connection = self._connect()
        try:
            return self._exchange(connection, outgoing, held)
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._unanswered(error) from error

    def keep(self, connection: HTTPConnection) -> None:
        """Use a connection again."""
        with self._lock:
            self._idle.append(_Kept(connection, monotonic()))
            old = self._idle.popleft() if len(self._idle) > MOST_IDLE else None
        if old is not None:
            old.connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop().connection.close()

    def problem(self, error: Exception, what: str, seconds: float) -> MockOwnError:
        """Problem of an exchange that failed while waiting for something."""
        if isinstance(error, TimeoutError):
            text = f"{self.host} did not send {what} within {seconds:g} seconds"
            return GatewayTimeout("Timeout", reason=text)
        why = str(error) or type(error).__name__
        return BadGateway("No answer", reason=f"{self.host} did not send {what}: {why}")

    def _unanswered(self, error: Exception) -> MockOwnError:
        return self.problem(error, "an answer", self.options.first_byte_timeout)

    def _kept(self, seconds: float) -> HTTPConnection | None:
        """Idle connection that is open; older ones are closed."""
        oldest = monotonic() - seconds
        while True:
            with self._lock:
                if not self._idle or (self._idle[-1].since < oldest and seconds == IDLE_FOR_WRITES):
                    return None
                connection, since = self._idle.pop()
            if since >= oldest and not _is_readable(connection.sock):
                return connection
            connection.close()

    def _connect(self) -> HTTPConnection:
        address, by = self._address, self._proxy
        is_tls, direct = self._context is not None, not by.hostname
        host, port = address if direct else (by.hostname or "", by.port or 80)
        seconds = self.options.connect_timeout
        if is_tls:
            connection: HTTPConnection = HTTPSConnection(host, port, timeout=seconds, context=self._context)
            if not direct:
                connection.set_tunnel(*address, headers=dict(self._authorization()))
        else:
            connection = HTTPConnection(host, port, timeout=seconds)
        try:
            connection.connect()
        except (OSError, HTTPException) as error:
            connection.close()
            if isinstance(error, TimeoutError):
                reason = f"{self.host} did not accept a connection within {seconds:g} seconds"
                raise GatewayTimeout("No connection", reason=reason) from error
            why = str(error) or type(error).__name__
            raise BadGateway("No connection", reason=f"no connection to {self.host}: {why}") from error
        return connection

    def _authorization(self) -> list[tuple[str, str]]:
        """Credential of the proxy of the environment, if it has one."""
        if self._proxy.username is None:
            return []
        text = f"{unquote(self._proxy.username)}:{unquote(self._proxy.password or '')}"
        return [("Proxy-Authorization", "Basic " + base64.b64encode(text.encode()).decode())]

    def _exchange(self, connection: HTTPConnection, outgoing: Outgoing, held: Held) -> Received:
        sock, path, more = connection.sock, outgoing.path, list[tuple[str, str]]()
        if self._proxy.hostname and self._context is None:
            path, more = f"{self.scheme}://{self.host}{path}", self._authorization()
        if sock.gettimeout() != self.options.first_byte_timeout:
            sock.settimeout(self.options.first_byte_timeout)
        head = head_of(outgoing.method, path, (*outgoing.headers, *more))
        with nullcontext() if len(outgoing.body) <= SMALL else held:
            _send(sock, head, outgoing.body)
        sent = monotonic()
        with nullcontext() if self.is_quick and _is_readable(sock, QUICK) else held:
            response = TargetResponse(sock, method=outgoing.method)
            response.begin()
        self.is_quick = monotonic() - sent <= QUICK
        if response.length is None or response.length > response.arrived:
            sock.settimeout(self.options.silence_timeout)
        return Received(self, connection, response, sock)


def _send(sock: socket.socket, head: bytes, body: bytes) -> None:
    try:
        if len(body) <= SMALL:
            sock.sendall(head + body)
        else:
            sock.sendall(head)
            sock.sendall(body)
    except ConnectionError:
        if not body:
            raise  # else it may have answered before it had read everything


def _is_readable(sock: socket.socket | None, seconds: float = 0.0) -> bool:
    """Whether a connection has something to read within so many seconds; a closed one has its end."""
    if sock is None:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
