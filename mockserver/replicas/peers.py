"""Other replicas, and the requests that they answer for this one."""

from __future__ import annotations

import socket
import threading
import weakref
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

from mockserver.http.request import Request
from mockserver.proxy.exchange import BadGateway, GatewayTimeout, Held, Outgoing
from mockserver.proxy.headers import sent_headers, sent_path
from mockserver.proxy.options import ProxyOptions
from mockserver.proxy.target import ProxyTarget, Received
from mockserver.replicas.ownership import LEASE
from mockserver.replicas.problems import Elsewhere
from mockserver.replicas.redis_link import PREFIX, RedisLink, lease_key

TOKEN = "X-Mock-Replica-Token"  # noqa: S105 - the name of a header
PEER = "X-Mock-Replica-Peer"
"""Address of the client whose request is passed on."""
LONGEST = 3600.0
"""Seconds for which an answer may wait: a replica that ends, or stands still, is noticed by its lease."""

Failures = (BadGateway, GatewayTimeout)


class Peer(ProxyTarget):
    """Another replica; all connections to it can be cut."""

    def __init__(self, url: str) -> None:
        options = ProxyOptions(
            target=url,
            forward_sandbox=True,
            connect_timeout=0.5,
            first_byte_timeout=LONGEST,
            silence_timeout=LONGEST,
        )
        super().__init__(options)
        self._proxy = self._proxy._replace(netloc="")  # replicas reach each other directly
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._using = threading.Lock()
        self.is_gone = False
        """Whether it has no lease any more, so that nothing is sent to it."""

    def cut(self) -> None:
        """End all exchanges: it has no lease any more."""
        with self._using:
            sockets = list(self._sockets)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _exchange(self, connection: HTTPConnection, outgoing: Outgoing, held: Held) -> Received:
        with self._using:
            self._sockets.add(connection.sock)
        if self.is_gone:  # perhaps since it was looked up, so that nobody would cut this exchange
            raise ConnectionError("the replica has no lease any more")
        return super()._exchange(connection, outgoing, held)


class Peers:
    """Replicas to which this one passes requests on."""

    def __init__(self, link: RedisLink, token: str) -> None:
        self._link, self._token = link, token
        self._known: dict[str, Peer] = {}
        """By the name of the replica."""
        self._lock = threading.Lock()

    def look(self) -> None:
        """Cut the connections to replicas that have no lease any more."""
        known = list(self._known)
        if not known:
            return
        if self._link.is_down(LEASE):  # all leases have ended
            for peer in list(self._known.values()):
                peer.cut()
            return
        for replica, url in zip(
            known, self._link.call(lambda redis: redis.mget(map(lease_key, known))), strict=True
        ):
            if url is None and (gone := self._known.pop(replica, None)) is not None:
                gone.is_gone = True
                gone.cut()
                gone.close()

    def others(self, own: str) -> list[Elsewhere]:
        """All other replicas that run; `own`: the name of this one."""
        names = [
            key.decode().removeprefix(f"{PREFIX}lease:")
            for key in self._link.call(lambda redis: list(redis.scan_iter(lease_key("*"), count=1000)))
        ]
        names = sorted(set(names) - {own})
        urls = self._link.call(lambda redis: redis.mget(map(lease_key, names))) if names else []
        return [Elsewhere(name, url.decode()) for name, url in zip(names, urls, strict=True) if url]

    def ask(self, owner: Elsewhere, request: Request, body: bytes) -> Received:
        """Answer of another replica to a request; one of Failures if there is none."""
        peer = self._peer(owner)
        headers = [
            (name, value)
            for name, value in sent_headers(request, request.header("Host") or peer.host, body, peer.options)
            if name.lower() != "x-mock-sandbox" or not request.prefix
        ]
        headers += [(TOKEN, self._token), (PEER, request.peer)]
        path = sent_path(request, peer.path + quote(request.prefix))
        return peer.send(Outgoing(request.method, path, headers, body), request.held)

    def get(self, owner: Elsewhere, path: str, admin_token: str | None, held: Any) -> Received:
        """Answer of another replica to a question of this one."""
        peer = self._peer(owner)
        headers = [("Host", "localhost"), (TOKEN, self._token), (PEER, "")]
        if admin_token is not None:
            headers.append(("Authorization", f"Bearer {admin_token}"))
        return peer.send(Outgoing("GET", path, headers, b""), held)

    def _peer(self, owner: Elsewhere) -> Peer:
        with self._lock:
            return self._known.get(owner.replica) or self._known.setdefault(owner.replica, Peer(owner.url))
