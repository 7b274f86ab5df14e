"""Streamed answers as values: what a stream sends, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.sandbox.records import Record


class AssistantAnswer(NamedTuple):
    """Text of the assistant, and how a stream sends it."""

    text: str
    deltas: list[str]
    pace: float = 0.0
    """Seconds before each delta."""
    stop_reason: str = "end_turn"
    fault: str | None = None
    """Kind of the fault that ends it."""
    fault_after: int = 0
    """Events sent before the fault."""
    silence: float = 0.0
    """Seconds without events, for the fault `silence`."""


class AnswerStream(NamedTuple):
    """The stream of one answer; goes on without a reader."""

    thread_id: str
    message_ids: tuple[str, ...]
    """Messages that the request stored; the last one is the answer."""
    began: int
    """Instant of the sandbox's clock, in microseconds."""
    started: int
    """The same in real time, by the sandbox's time source: a stream keeps its pace by real time."""
    answer: AssistantAnswer
    created: Record
    """Event `response.created`."""
    completed: Record
    """Event `response.completed`."""
    lasts: float = 0.0
    """Seconds from the first event to the last."""
    cancelled_after: int | None = None
    """Events sent before it was cancelled; None if it was not."""

    def seconds(self, now: int) -> float:
        """Seconds since the first event, at this instant of real time."""
        return (now - self.started) / 1_000_000

    def is_active(self, now: int) -> bool:
        """Whether events are still to come."""
        return self.cancelled_after is None and self.lasts > self.seconds(now)


def stream_json(stream: AnswerStream) -> dict[str, Any]:
    """The stream as JSON values."""
    return {**stream._asdict(), "answer": stream.answer._asdict()}


def read_stream(values: Mapping[str, Any]) -> AnswerStream:
    """Stream from its JSON values."""
    answer = AssistantAnswer(**values["answer"])
    return AnswerStream(**{**values, "message_ids": tuple(values["message_ids"]), "answer": answer})
