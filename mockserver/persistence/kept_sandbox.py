"""What is kept of one sandbox: an entry for each change, and a snapshot now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from mockserver.faults.faults_json import faults_json
from mockserver.http.context import RequestContext
from mockserver.http.request import Answer
from mockserver.persistence.state_store import Log, StateStore
from mockserver.sandbox.answer_stream import stream_json
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.transaction import ChangeNotWritten
from mockserver.state_document.export import document
from mockserver.state_document.pieces import in_pieces

SMALLEST = 1 << 20
"""Bytes of a log before which no snapshot is taken."""
RESERVED = 1000
"""Request ids that are reserved at once: after a crash, those not given are skipped."""


class SnapshotMoment(NamedTuple):
    """A sandbox at one instant, immutable."""

    number: int
    """Of the snapshot."""
    head: Mapping[str, Any]
    state: SandboxState | None
    """None for the starting state as it is."""


class KeptSandbox:
    """Log of a sandbox; all but `counted`, `taken` and `passed` are called within its transaction."""

    def __init__(
        self,
        sandbox: Sandbox,
        log: Log,
        store: StateStore,
        spec: Mapping[str, Any],
        hash_of: Callable[[SandboxState], str],
        later: Callable[[KeptSandbox, SnapshotMoment], object],
        notice: Callable[[str], object],
    ) -> None:
        """`hash_of` stores a whole state; `later` takes a moment to be written by another thread.

        `notice` gets a line for a snapshot that can't be written.
        """
        self.sandbox, self.log = sandbox, log
        self._store, self._spec, self._hash_of, self._later = store, spec, hash_of, later
        self._notice = notice
        self.start = (sandbox.start, "")
        self._reserved: dict[str, int] = {}
        self._lock = threading.Lock()
        """Held between the entry of a reservation and its number."""
        self.is_writing = False
        """Whether a snapshot is being written."""
        self._failed_at = 0
        """Bytes since the last snapshot when one could not be written."""
        self.is_changed = True
        sandbox.faults.counted = self.counted
        sandbox.faults.taken = self.taken

    def changed(self, context: RequestContext, answer: Answer) -> None:
        """Keep a call that was carried out; ChangeNotWritten if it can't be."""
        kind = context.matched.kept
        if kind == "read":
            return
        is_reset = context.matched.id == "reset"
        if kind == "snapshot" or (is_reset and "to=" in context.request.query):
            self.whole()
            return
        self._append(call_entry(context, answer, self.sandbox.source()))
        if is_reset:
            self._reserved.clear()
        more = self.log.grown - self._failed_at
        if more > max(SMALLEST, self.log.snapshot_bytes) and not self.is_writing:
            self._ask()

    def _ask(self) -> None:
        """Have a snapshot written; the log has everything, should that fail."""
        self.is_writing = True
        try:
            self._later(self, self.moment(self._store.rotate(self.log)))
        except OSError as error:
            self.written(str(error.strerror or error))
        except ChangeNotWritten as problem:
            self.written(problem.reason)

    def written(self, failure: str = "") -> None:
        """End a snapshot that was asked for; after a failure the next one waits until the log has grown."""
        self._failed_at = self.log.grown if failure else 0
        self.is_writing = False
        if failure:
            self._notice(f"no snapshot of sandbox {self.sandbox.name!r} now, but later: {failure}")

    def whole(self) -> None:
        """Write a snapshot now: no entry says what has changed."""
        try:
            number = self._store.rotate(self.log)
            self._store.put_snapshot(self.log, number, pieces(self.moment(number), self._spec))
            self._failed_at = 0
        except OSError as error:
            raise ChangeNotWritten(str(error.strerror or error)) from error

    def counted(self, rule_id: str, matched: int, struck: int) -> None:
        """Keep the counts of a rule; they may be lost if the disk is full."""
        with suppress(ChangeNotWritten):
            self._append(["counted", rule_id, matched, struck])

    def taken(self, caller: str, now: int) -> None:
        """Keep that a caller took a token of the rate limit."""
        with suppress(ChangeNotWritten):
            self._append(["taken", caller, now])

    def passed(self, kind: str) -> None:
        """Keep that request ids were given, some before they are."""
        number = self.sandbox.ids.traces().get(kind, 0)
        if number > self._reserved.get(kind, 0):
            with self._lock, suppress(ChangeNotWritten):
                self._append(["traces", kind, number + RESERVED])
                self._reserved[kind] = number + RESERVED

    def moment(self, number: int) -> SnapshotMoment:
        """The sandbox as it is, for a snapshot of this number."""
        sandbox = self.sandbox
        if sandbox.start is not self.start[0] or not self.start[1]:
            self.start = sandbox.start, self._hash_of(sandbox.start)
        # The snapshot takes the place of what was reserved: first this, then the numbers that were given.
        with self._lock:
            self._reserved.clear()
        head = {
            "at": sandbox.source(),
            "start": self.start[1],
            "clock": sandbox.clock.checkpoint(),
            "traces": sandbox.ids.traces(),
            "faults": faults_json(sandbox.faults.checkpoint()),
        }
        return SnapshotMoment(number, head, sandbox.state(""))

    def _append(self, entry: Any) -> None:
        self.is_changed = True
        try:
            self._store.append(self.log, orjson.dumps(entry))
        except OSError as error:
            raise ChangeNotWritten(str(error.strerror or error)) from error


def call_entry(context: RequestContext, answer: Answer, at: int) -> list[Any]:
    """Entry of a call: everything that it needs to be made again, and a digest of its answer."""
    request, operation = context.request, context.matched
    injection = context.injection
    body: Any = request.received
    try:
        body = body.decode()
    except UnicodeDecodeError:
        body = list(body)
    headers = {name: text for name in operation.headers if (text := request.header(name)) is not None}
    return [
        "call",
        at,
        context.api.kind,
        request.method,
        request.path,
        request.query,
        request.content_type,
        headers,
        injection is not None and injection.dropped is not None,
        body,
        context.exchange.caller,
        context.trace_id,
        digest_of(answer),
    ]


def digest_of(answer: Answer) -> str:
    """Digest of an answer; of a stream, which is sent later, of its status alone."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    return blake2b(b"%d " % answer.status + body, digest_size=8).hexdigest()


def state_document(state: SandboxState, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Document of a state with what no other mock needs: origin, faults, streams."""
    streams = [stream_json(stream) for _, stream in state.data.versions["streams"].rows.values()]
    whole = {**document(state, spec), "origin": state.origin, "streams": streams}
    return whole if state.faults is None else {**whole, "faults": faults_json(state.faults)}


def pieces(moment: SnapshotMoment, spec: Mapping[str, Any]) -> Iterator[bytes]:
    """A snapshot as it is written."""
    yield orjson.dumps(moment.head) + b"\n"
    if moment.state is not None:
        yield from in_pieces(state_document(moment.state, spec))
