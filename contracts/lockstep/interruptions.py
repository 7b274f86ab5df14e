"""Streams that are cancelled, early and late, and read again; on a mock, which can be that slow."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from contracts.lockstep.aftermath import reads_after
from contracts.lockstep.api import Step
from contracts.lockstep.calls import Calls
from contracts.lockstep.play import Lockstep
from contracts.lockstep.reads import Reads
from contracts.lockstep.starts import STARTS, prepared
from contracts.lockstep.world import World

STATE = "a thread in three spaces"
SLOW = {"text": "The launch is in June.", "pace": 60}
"""Reply whose words come so slowly that its stream lasts until it is cancelled."""
QUICK = {"text": "The label is late.", "pace": 0}
SECONDS = (0, 4, 5, 60)
"""Between the question and the cancel: less than five leave nothing."""
EVENTS = (1, 2, 3)
"""Events after which the connection breaks; the third is the first word, for which nothing here waits."""


def interruptions(lockstep: Lockstep) -> Iterator[Step]:
    """Steps of the one sequence; each is taken before the next is asked for."""
    yield from _Interruptions(lockstep).steps()


class _Interruptions:
    def __init__(self, lockstep: Lockstep) -> None:
        self._lockstep = lockstep
        callers = lockstep.target.callers
        self._world = World(Random(0), callers, lockstep.names)
        self._calls = Calls(Random(0), lockstep.contract, callers, self._world, on_mock=True)
        self._reads = Reads(lockstep.contract, lockstep.operations)

    def steps(self) -> Iterator[Step]:
        """A state, then questions whose streams break: in a thread, in a new one, in place of a message."""
        for call in STARTS[STATE]:
            yield from self._taken(prepared(call, self._calls.bare("", "owner"), self._world))
        spaces = [{"$": label} for label in self._world.live["space"]]
        number = 0
        for seconds in SECONDS:
            for is_new in (False, True):
                number += 1
                place = self._new(spaces[number % len(spaces)]) if is_new else self._old()
                yield from self._cancelled(place, seconds, EVENTS[number % 2])
        for place in (self._old(), self._new(spaces[0])):
            yield from self._read_again(place)

    def _old(self) -> dict[str, Any]:
        return {"thread_id": {"$": self._world.live["thread"][0]}}

    def _new(self, space: dict[str, str]) -> dict[str, Any]:
        return {"organization_id": {"$": "org:own"}, "space_id": space}

    def _cancelled(self, place: dict[str, Any], seconds: int, events: int) -> Iterator[Step]:
        step = self._question(place, {**SLOW, "fault": {"kind": "cut", "after_events": events}})
        yield from self._taken(step)
        thread = self._thread(place)
        yield from self._after(step)
        for role in ("editor", None, "owner", "owner"):
            cancel = {
                **self._calls.bare("cancelStream", "owner"),
                "path": {"thread_id": thread},
                "role": role,
            }
            yield from self._taken({**cancel, "tick": seconds if role == "editor" else 0})
        yield from self._after(step)
        yield from self._again(thread)
        yield from self._taken(self._question({"thread_id": thread}, QUICK, stream=False))

    def _read_again(self, place: dict[str, Any]) -> Iterator[Step]:
        """Stream that breaks and goes on: its events after each of them."""
        for events in EVENTS:
            cut = {**QUICK, "fault": {"kind": "cut", "after_events": events}}
            yield from self._taken(self._question(place, cut))
            yield from self._again(self._thread(place))

    def _again(self, thread: dict[str, str]) -> Iterator[Step]:
        for number in (None, 0, 1, 2, 3, 4, 99):
            step = {**self._calls.bare("reconnectStream", "owner"), "path": {"thread_id": thread}}
            yield from self._taken({**step, "query": {} if number is None else {"last_event_id": number}})

    def _question(self, place: dict[str, Any], reply: dict[str, Any], *, stream: bool = True) -> Step:
        inputs = [{"role": "user", "content": "When is the launch?"}]
        body = {"inputs": inputs, "stream": stream, **place}
        return {**self._calls.bare("createResponse", "owner"), "tick": 1, "reply": reply, "body": body}

    def _thread(self, place: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = place.get("thread_id") or {"$": self._world.live["thread"][-1]}
        return found

    def _after(self, step: Step) -> Iterator[Step]:
        fresh = [label for label in self._lockstep.names.fresh if label.startswith("thread:")]
        step = {**step, "body": {**step["body"], "thread_id": self._thread(step["body"])}}
        for read in reads_after(step, self._world, fresh, self._reads, "editor"):
            yield from self._taken({**read, "uid": self._calls.uid()})

    def _taken(self, step: Step) -> Iterator[Step]:
        yield step
        self._world.learn(step)
