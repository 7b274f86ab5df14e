"""Requests that are passed on to the owner of their sandbox, and the list of all sandboxes."""

from __future__ import annotations

from contextlib import nullcontext
from http.client import HTTPException
from typing import Any

import orjson

from mockserver.admin.paging import named_page
from mockserver.admin.sandboxes import sandbox_body
from mockserver.http.calls import Call, Reply
from mockserver.http.context import RequestContext
from mockserver.http.event_stream import WaitingSlots
from mockserver.http.large_answers import LARGE
from mockserver.http.problems import Problem
from mockserver.http.request import Answer, Request
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.proxy.exchange import BadGateway, GatewayTimeout
from mockserver.proxy.headers import passed_headers
from mockserver.proxy.stream import TargetStream
from mockserver.proxy.target import SAFE, Received
from mockserver.replicas.peers import Peers
from mockserver.replicas.problems import Elsewhere, Refused, StoreUnavailable
from mockserver.replicas.sandboxes import ReplicaSandboxes

OWNER = "X-Mock-Owner"
"""Header of an answer: URL of the replica that owns the sandbox."""
NOBODY = "-"
"""What it says to another replica while ownership is moving."""
HOP = "X-Mock-Replica-Hop"
"""Header by which a replica marks what another one passes on to it: `yes`, or `wrong` without its token."""


class Passing:
    """What a replica asks others."""

    def __init__(self, peers: Peers, admin_token: str | None) -> None:
        self._peers, self._admin_token = peers, admin_token

    def ask(self, owner: Elsewhere, request: Request, body: bytes) -> Received:
        """Answer of the owner; Refused if another try may find one, StoreUnavailable if that is not safe."""
        try:
            received = self._peers.ask(owner, request, body)
        except (BadGateway, GatewayTimeout) as error:
            why = f"the owner at {owner.url} does not answer"
            if error.system_message == "No connection" or request.method in SAFE:
                raise Refused(why) from error
            raise StoreUnavailable(f"{why}; the call may have been carried out") from error
        url = next((value for name, value in received.headers if name.lower() == OWNER.lower()), "")
        if received.status == 503 and url != owner.url:
            received.abandon()
            raise Refused(f"the owner at {owner.url} is the owner no longer")
        return received

    def passed(
        self, context: RequestContext, received: Received, owner: Elsewhere, slots: WaitingSlots
    ) -> Answer:
        """The owner's answer as it is; a long one, and a stream, while it arrives."""
        exchange, named = context.exchange, {name.lower(): value for name, value in received.headers}
        exchange.source = named.get("x-mock-source", "state")
        exchange.operation = named.get("x-mock-operation", "-")
        headers = [
            pair
            for pair in passed_headers(received.headers, owner.url, owner.url, is_page=False)
            if pair[0].lower() != "content-length"
        ]
        is_short = received.length is not None and received.length <= LARGE
        if is_short and EVENT_STREAM not in named.get("content-type", ""):
            try:
                begin = received.begin(LARGE + 1, context.request.held)
            except (BadGateway, GatewayTimeout) as error:
                raise StoreUnavailable(
                    f"the owner at {owner.url} broke off; the call may have been carried out"
                ) from error
            received.end()
            if not begin:
                context.told_length = named.get("content-length", "")
            return Answer(received.status, headers, begin)
        try:
            slots.take()
        except Problem:
            received.abandon()
            raise
        if received.length is not None:
            headers.append(("Content-Length", str(received.length)))
        stream = TargetStream(
            received,
            b"",
            judge=len,
            broken=lambda _: None,
            closed=lambda _: slots.release(),
            keep=0,
        )
        return Answer(received.status, headers, stream)

    def listed(self, context: RequestContext, call: Call[Any], sandboxes: ReplicaSandboxes) -> Reply:
        """One page of all sandboxes, with their owners; only those of this replica for another one."""
        owners, is_hop = sandboxes.owners, context.request.header(HOP) is not None
        rows = dict[str, dict[str, Any]]()
        if not is_hop:
            for other in self._peers.others(owners.lease.replica):
                rows |= {row["id"]: row for row in self._of(other)}
            for name in sandboxes.keeper.store.names():
                if name not in rows:
                    try:
                        sandboxes.locate(name)
                    except Problem:
                        continue
        for sandbox in sandboxes.listed():
            if owners.holds(sandbox.name):
                rows[sandbox.name] = {**sandbox_body(sandbox, sandboxes), "owner": owners.url}
        return Reply(200, named_page(call, "sandboxes", sorted(rows.items()), lambda row: row))

    def _of(self, other: Elsewhere) -> list[dict[str, Any]]:
        """Sandboxes of another replica; none if it does not answer."""
        found, cursor = list[dict[str, Any]](), ""
        try:
            while True:
                path = f"/__admin/sandboxes?limit=100{cursor}"
                received = self._peers.get(other, path, self._admin_token, nullcontext())
                page = orjson.loads(received.begin(1 << 24, nullcontext()))
                received.end()
                if received.status != 200:
                    return found
                found += page["sandboxes"]
                if not page["has_more"]:
                    return found
                cursor = f"&cursor={page['next_cursor']}"
        except (Problem, OSError, HTTPException, ValueError):
            return found
