"""Streams that are cancelled, and read again, as a backend gets them wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver.freddy import model_responses, response_streams, shared_memory, stream_events, thread_names
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.http.problems import NotFound
from mockserver.sandbox.answer_stream import AssistantAnswer
from mockserver.sandbox.clock import real_time
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant

PACE = 0.05
"""Seconds before each word: as on a real target, a stream takes time."""


LATE, FASTER = 0.3, 40
"""Seconds until a late cancel, in which a clock that runs so much faster goes on by twelve."""


def paced(bench: Bench, words: int = 0) -> None:
    """Let answers take time; with `words`, a longer one, by a clock that runs faster."""
    answer = model_responses._default_answer
    if words:
        begun = real_time()
        source = bench.app.sandboxes.get().source
        bench.patch.setattr(source, "real", lambda: begun + (real_time() - begun) * FASTER)

    def slow(found: Any, pieces: Any) -> Any:
        text = "word " * words or answer(found, pieces).text
        pace = PACE * FASTER if words else PACE
        return AssistantAnswer(text, stream_events.deltas_of(text), pace)

    bench.replace([model_responses], "_default_answer", slow)


def _damage_cancel(bench: Bench, **wrong: Any) -> None:
    paced(bench)
    bench.body("cancelStream", lambda body: body.update(wrong))


@mutant()
def an_early_cancel_is_called_late(bench: Bench) -> None:
    """A stream that is cancelled at once is called keep_partial."""
    _damage_cancel(bench, cancel_mode="keep_partial")


@mutant()
def a_cancel_denies_what_it_deleted(bench: Bench) -> None:
    """A stream that is cancelled at once says that the user's message is still there."""
    _damage_cancel(bench, user_message_deleted=False)


@mutant()
def an_early_cancel_keeps_the_question(bench: Bench) -> None:
    """A stream that is cancelled at once leaves the user's message."""
    paced(bench)
    remove = shared_memory.remove_message

    def only_answers(message: Any, sandbox: Sandbox) -> None:
        if message["role"] == "assistant":
            remove(message, sandbox)

    bench.replace([response_streams], "remove_message", only_answers)


@mutant()
def a_cancelled_stream_goes_on(bench: Bench) -> None:
    """A cancelled stream is sent to its end."""
    paced(bench)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        stream = sandbox.streams.get(call.path["thread_id"])
        reply = handler(call, sandbox)
        sandbox.streams.put(call.path["thread_id"], stream)
        return reply

    bench.around("cancelStream", wrap)


@mutant()
def a_late_cancel_keeps_the_whole_answer(bench: Bench) -> None:
    """A stream that is cancelled after five seconds keeps what was never sent."""
    paced(bench, words=40)
    put = shared_memory.replace_message

    def whole(message: Any, sandbox: Sandbox) -> None:
        text = sandbox.messages.record(message["id"])["content"]
        put({**message, "content": text}, sandbox)

    bench.replace([response_streams], "replace_message", whole)


@mutant()
def a_late_cancel_is_not_marked(bench: Bench) -> None:
    """A stream that is cancelled after five seconds leaves no trace in the answer's metadata."""
    paced(bench, words=40)
    put = shared_memory.replace_message
    bench.replace([response_streams], "replace_message", lambda m, s: put({**m, "metadata": {}}, s))


@mutant()
def a_cancel_without_a_stream_is_done(bench: Bench) -> None:
    """Cancelling where nothing is streamed is 200."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        try:
            return handler(call, sandbox)
        except NotFound:
            done = {"success": True, "cancel_mode": "quick_edit", "elapsed_seconds": 0.0}
            return Reply(200, {**done, "user_message_deleted": True, "assistant_response_deleted": True})

    bench.around("cancelStream", wrap)


@mutant()
def a_replay_forgets_where_it_was(bench: Bench) -> None:
    """last_event_id has no effect: all events are sent again."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(replace(call, query={**call.query, "last_event_id": None}), sandbox)

    bench.around("reconnectStream", wrap)


@mutant()
def a_replay_repeats_the_last_event(bench: Bench) -> None:
    """The event that last_event_id names is sent again."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        seen = call.query["last_event_id"]
        return handler(replace(call, query={**call.query, "last_event_id": seen and seen - 1}), sandbox)

    bench.around("reconnectStream", wrap)


@mutant()
def a_replay_looks_new(bench: Bench) -> None:
    """Events that were sent before are not marked as a replay."""
    bench.replace([stream_events], "REPLAYED", {})


@mutant()
def a_finished_stream_is_forgotten(bench: Bench) -> None:
    """A stream that is over can't be read again."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if stream_events.active_stream(call.path["thread_id"], sandbox) is None:
            raise NotFound("No active stream", reason="it is over", thread_id=call.path["thread_id"])
        return handler(call, sandbox)

    bench.around("reconnectStream", wrap)


@mutant()
def a_name_is_a_sentence(bench: Bench) -> None:
    """A generated name is as long as what was said."""
    bench.replace([thread_names], "WORDS", 1000)
    bench.replace([thread_names], "CHARACTERS", 1000)
