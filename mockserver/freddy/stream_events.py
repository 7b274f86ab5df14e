"""Streamed answers over time: which event is due when, and who reads them (A57, A81, A82).

Nothing runs in the background: a stream is a value, and what has been sent of it follows from the time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from mockserver.http.event_stream import CutOff, Step, Stream
from mockserver.http.problems import Internal, Problem
from mockserver.sandbox.answer_stream import AnswerStream, AssistantAnswer
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Sandbox

PROCESSING = "Preparing the response"
"""Text of the event `response.processing`; the vendor's is unknown (A57)."""
SILENCE = 30.0
"""Default duration of a queued `silence`, in seconds."""
HEARTBEAT: Record = {"event": "response.heartbeat"}
REPLAYED: Record = {"source": "replay"}
"""Mark of events that were due before their reader connected."""


def timeline(stream: AnswerStream) -> list[tuple[float, Record]]:
    """All events, each with the second at which it is due, counted from the first."""
    answer, thread_id = stream.answer, stream.thread_id
    begin = {"event": "response.processing", "status": "processing", "thread_id": thread_id}
    events: list[tuple[float, Record]] = [(0.0, {**begin, "message": PROCESSING}), (0.0, stream.created)]
    events += [(answer.pace, {"event": "response.content_delta", "delta": d}) for d in answer.deltas]
    events.append((0.0, stream.completed))
    if answer.fault is not None:
        events = FAULTS[answer.fault](answer, events)
    due = list(zip(accumulate(wait for wait, _ in events), (event for _, event in events), strict=True))
    if stream.cancelled_after is None:
        return due
    due = due[: stream.cancelled_after]
    length = len("".join(event.get("delta", "") for _, event in due))
    ended = {"status": "cancelled", "thread_id": thread_id, "partial_content_length": length}
    return [*due, (due[-1][0] if due else 0.0, {"event": "response.cancelled", **ended})]


def sent(stream: AnswerStream, sandbox: Sandbox) -> list[Record]:
    """Events that are due by now."""
    now = stream.seconds(sandbox.source())
    return [event for due, event in timeline(stream) if due <= now]


Events = list[tuple[float, Record]]
"""Each with the seconds before it."""


def _failing(answer: AssistantAnswer, events: Events) -> Events:
    error = Internal(
        "A queued reply makes the stream fail here", reason="this error was queued with the reply"
    )
    return [*events[:-1][: answer.fault_after], (0.0, failed(error))]  # nothing follows response.completed


def _stalling(answer: AssistantAnswer, events: Events) -> Events:
    return [
        (wait + answer.silence * (number == answer.fault_after), event)
        for number, (wait, event) in enumerate(events)
    ]


FAULTS: Mapping[str, Callable[[AssistantAnswer, Events], Events]] = {
    "error": _failing,
    "cut": lambda _, events: events,
    "silence": _stalling,
}
"""Faults of a stream: its events. A cut, and the end of a silence, are of the first connection alone."""


def deltas_of(text: str) -> list[str]:
    """The text word by word; joined, they are the text again."""
    return re.findall(r"\S+\s*|\s+", text) or [text]


def failed(problem: Problem) -> Record:
    """Event of a stream that fails."""
    return {"event": "response.error", "status": "failed", "message": problem.message}


def active_stream(thread_id: str, sandbox: Sandbox) -> AnswerStream | None:
    """Stream in the thread that is being sent now."""
    stream: AnswerStream | None = sandbox.streams.get(thread_id)
    return stream if stream is not None and stream.is_active(sandbox.source()) else None


def with_status(thread: Record, sandbox: Sandbox) -> Record:
    """Thread as it is now: `streaming` while an answer is being sent."""
    if active_stream(thread["id"], sandbox) is None:
        return thread
    return {**thread, "status": "streaming"}


def body_of(stream: AnswerStream, sandbox: Sandbox, after: int | None = None) -> Stream:
    """Body of an answer: the whole stream, or, for a client that reconnects, what follows event `after`."""
    reader = _Reader(stream, sandbox, after)
    return Stream(reader.steps, HEARTBEAT, "[DONE]", failed, woken=reader.is_outdated)


class _Reader:
    """One connection that reads a stream."""

    def __init__(self, stream: AnswerStream, sandbox: Sandbox, after: int | None) -> None:
        self._stream = stream
        self._sandbox = sandbox
        self._events = timeline(stream)
        self._sent = after or 0
        self._is_first = after is None
        breaks = self._is_first and stream.answer.fault in ("cut", "silence")
        self._breaks_after = min(stream.answer.fault_after, len(self._events)) if breaks else None

    def is_outdated(self) -> bool:
        """Whether the stream was cancelled since it was last looked at."""
        return self._latest() is not self._stream

    def steps(self, _: threading.Event) -> Iterator[Step]:
        """Events as they become due; CutOff where a fault breaks the connection."""
        joined = self._seconds()
        while True:
            now = self._now()
            if self._sent == self._breaks_after and self._stream.cancelled_after is None:
                if (left := self._silent_until() - now) <= 0:
                    raise CutOff
                yield Step(None, left, silent=True)
            elif self._sent >= len(self._events):
                return
            elif (due := self._events[self._sent][0]) > now:
                yield Step(None, due - now)
            else:
                event = self._events[self._sent][1]
                self._sent += 1
                replayed = {} if self._is_first or due > joined else REPLAYED
                yield Step({**event, **replayed}, id=str(self._sent))

    def _silent_until(self) -> float:
        """Second at which the connection breaks."""
        if self._stream.answer.fault == "cut":
            return 0.0
        last = self._events[self._sent - 1][0] if self._sent else 0.0
        return last + self._stream.answer.silence

    def _now(self) -> float:
        """Second of the stream; whether it was cancelled is known up to this instant."""
        if self._stream.lasts > 0:  # else it was over at once, and nobody can cancel it
            with self._sandbox.transaction():
                if self.is_outdated():
                    self._stream = self._latest()
                    self._events = timeline(self._stream)
                return self._seconds()
        return self._seconds()

    def _seconds(self) -> float:
        return self._stream.seconds(self._sandbox.source())

    def _latest(self) -> AnswerStream:
        """The stream as the sandbox has it; the last known one if the sandbox has it no longer."""
        kept: AnswerStream | None = self._sandbox.streams.get(self._stream.thread_id)
        is_same = kept is not None and kept.started == self._stream.started
        return kept if kept is not None and is_same else self._stream
