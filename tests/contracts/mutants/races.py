"""Calls at the same time that lose each other's work: no lock, and a pause between read and write."""

from __future__ import annotations

import time
from typing import Any

from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.ids import Ids
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant
from tests.contracts.mutants.effects import doubling

PAUSE = 0.02
"""Seconds between read and write."""


def _unlocked(bench: Bench) -> None:
    """No transactions: calls run into each other."""
    bench.replace([Sandbox], "__enter__", lambda _: None)
    bench.replace([Sandbox], "__exit__", lambda *_: None)


@mutant(concurrent=True)
def lost_adds(bench: Bench) -> None:
    """An add writes back the whole list that it read."""
    _unlocked(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        read = sandbox.space_threads.content
        time.sleep(PAUSE)
        sandbox.space_threads.restore(read)
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)


@mutant(concurrent=True)
def lost_patches(bench: Bench) -> None:
    """A PATCH writes back the whole space that it read."""
    _unlocked(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        before = sandbox.spaces.get(call.path["space_id"])
        time.sleep(PAUSE)
        if before is not None:
            sandbox.spaces.put(before["id"], before)
        return handler(call, sandbox)

    bench.around("updateSpace", wrap)


@mutant(concurrent=True)
def lost_metadata(bench: Bench) -> None:
    """A PATCH of a thread writes back the whole thread that it read."""
    _unlocked(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        before = sandbox.threads.get(call.path["thread_id"])
        time.sleep(PAUSE)
        if before is not None:
            sandbox.threads.put(before["id"], before)
        return handler(call, sandbox)

    bench.around("updateThread", wrap)


@mutant(concurrent=True)
def doubled_adds(bench: Bench) -> None:
    """Two adds of one thread at the same time both find it missing, and both store it."""
    twice: set[Any] = set()

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = call.path["space_id"], call.path["thread_id"]
        missing = link not in sandbox.space_threads
        time.sleep(PAUSE)
        if missing and link in sandbox.space_threads:
            twice.add(link)
        return handler(call, sandbox)

    _unlocked(bench)
    bench.around("addThreadToSpace", wrap)
    doubling(bench, twice)


@mutant(concurrent=True)
def doubled_ids(bench: Bench) -> None:
    """Two spaces that are made at the same time get the same id."""
    _unlocked(bench)

    new = Ids.new

    def racing(self: Ids, prefix: str) -> str:
        read = self.checkpoint().get(prefix, 0)
        time.sleep(PAUSE if prefix == "space" else 0)
        self.restore({**self.checkpoint(), prefix: read})
        return new(self, prefix)

    bench.replace([Ids], "new", racing)


@mutant(concurrent=True)
def lost_removals(bench: Bench) -> None:
    """A removal writes back the whole list that it read."""
    _unlocked(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        read = sandbox.space_threads.content
        time.sleep(PAUSE)
        sandbox.space_threads.restore(read)
        return handler(call, sandbox)

    bench.around("removeThreadFromSpace", wrap)


@mutant(concurrent=True)
def crash_when_two_add(bench: Bench) -> None:
    """The second of two adds of one thread at the same time is a 500."""
    busy: set[Any] = set()
    _unlocked(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = call.path["space_id"], call.path["thread_id"]
        if link in busy:
            raise RuntimeError("unique constraint")
        busy.add(link)
        time.sleep(PAUSE)
        busy.discard(link)
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)
