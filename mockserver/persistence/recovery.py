"""Recovery of sandboxes: the last snapshot, then the calls after it, held to the digests of their answers."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from mockserver.faults.faults_json import read_faults
from mockserver.faults.rate_limit import RateLimited
from mockserver.http import wire
from mockserver.http.context import Api, Injection, RequestContext
from mockserver.http.event_stream import Stream
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request
from mockserver.http.upload import BodyLimits
from mockserver.journal.journal import Journals
from mockserver.persistence.frames import DamagedError
from mockserver.persistence.kept_sandbox import digest_of
from mockserver.sandbox.clock import real_time
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.state_document.pieces import joined
from mockserver.state_document.state_file import StateDocuments

MOST_KNOWN = 1000
"""Most whole states that are kept in memory, for those that many sandboxes start from."""


class Recovery:
    """Makes sandboxes from what was kept of them."""

    def __init__(
        self,
        apis: Sequence[Api],
        states: StateDocuments,
        whole_state: Callable[[str], bytes],
        new: Callable[[str, SandboxState], Sandbox],
        rule: Mapping[str, Any],
    ) -> None:
        """`whole_state`: content of a state by hash; `rule`: default values of a fault rule's fields."""
        self._apis = {api.kind: api for api in apis}
        self._states, self._whole_state, self._new, self._rule = states, whole_state, new, rule
        self._known: dict[str, SandboxState] = {}
        self._limits = BodyLimits(1 << 40, 1 << 40)

    def state(self, digest: str) -> SandboxState:
        """Whole state of this hash; DamagedError or InvalidState."""
        state = self._known.get(digest)
        if state is None:
            while len(self._known) >= MOST_KNOWN:
                self._known.pop(next(iter(self._known)), None)
            state = self._known[digest] = self._states.own_state(joined(self._whole_state(digest)))
        return state

    def sandbox(self, name: str, snapshot: bytes, entries: Sequence[bytes]) -> Sandbox:
        """Sandbox as it was after these entries; DamagedError or InvalidState if it can't be."""
        line, _, rest = snapshot.partition(b"\n")
        head = orjson.loads(line)
        start = self.state(head["start"])
        sandbox = self._new(name, start)
        now, journal = head["at"], sandbox.journal
        sandbox.journal = Journals().new(name)  # what is made again is not told again
        sandbox.source.start(lambda: now)
        if rest:
            sandbox.restore(self._states.own_state(joined(rest)))
        sandbox.clock.restore((head["clock"][0], head["clock"][1]))
        sandbox.ids.skip(head["traces"])
        sandbox.faults.restore(read_faults(head["faults"], self._rule, _damaged))
        for number, each in enumerate(entries):
            entry = orjson.loads(each)
            if entry[0] == "call":
                now = entry[1]
                self._call(sandbox, entry, number)
            else:
                _STEPS[entry[0]](sandbox, *entry[1:])
        sandbox.source.real = real_time
        sandbox.journal = journal
        return sandbox

    def _call(self, sandbox: Sandbox, entry: Sequence[Any], number: int) -> None:
        prefix, method, path, query, media_type, headers, is_lenient, body, user, trace_id, digest = entry[2:]
        data = body.encode() if isinstance(body, str) else bytes(body)
        environ = {
            "REQUEST_METHOD": method,
            "QUERY_STRING": query,
            "CONTENT_TYPE": media_type,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": io.BytesIO(data),
            **{f"HTTP_{header.upper().replace('-', '_')}": text for header, text in headers.items()},
        }
        request, api = Request(environ), self._apis[prefix]
        request.path = path
        context = RequestContext(request, Exchange(method, path), api, sandbox, trace_id)
        context.operation, context.ids = api.routes.find(method, path, query)
        context.caller = None if api.guard is not None else sandbox.directory.users.get(user)
        context.injection = Injection(dropped=[]) if is_lenient else None
        foreign = api.foreign
        call = wire.read(context, self._limits) if foreign is None else foreign.read(context, self._limits)
        with sandbox.transaction():
            reply = api.handlers[context.operation.id](call, sandbox)
            if foreign is None:
                checked = wire.check(context.operation, reply, trace_id)
            else:
                checked = foreign.check(context, reply)
        is_stream = isinstance(checked.body, Stream)
        answer = Answer(checked.status, [], b"") if is_stream else wire.encode(checked)
        if digest_of(answer) != digest:
            raise DamagedError(f"entry {number}, {context.operation.id}, has another answer now")


def _taken(sandbox: Sandbox, caller: str, now: int) -> None:
    if sandbox.faults.rate_limiter is not None:
        with suppress(RateLimited):
            sandbox.faults.rate_limiter.take(caller, now)


_STEPS: Mapping[str, Callable[..., None]] = {
    "counted": lambda sandbox, *counts: sandbox.faults.count(*counts),
    "taken": _taken,
    "traces": lambda sandbox, kind, number: sandbox.ids.skip({kind: number}),
}
"""What an entry that is no call does."""


def _damaged(at: str, why: str) -> None:
    raise DamagedError(f"{at}: {why}")
