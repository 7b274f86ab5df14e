"""Streamed responses: order of the events, and agreement of deltas, final text and stored message."""

from __future__ import annotations

import json
from typing import Any

from contracts.behaviour.memory import space_with_fact, wait_until_found
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run

REPEATABLE = ("response.heartbeat", "response.content_delta")
"""Events that may occur any number of times."""


def events(run: Run, thread_id: str, question: str = "Good morning.") -> list[dict[str, Any]]:
    """Events of a streamed response; its last line must be [DONE]."""
    run.spend_model_question()
    inputs = [{"role": "user", "content": question}]
    body = {"inputs": inputs, "thread_id": thread_id, "stream": True}
    answer = run.owner.ask("POST", "/v1/model/response", body)
    equal(answer.status, 200, "status")
    return [event for _, event in frames(answer)]


def frames(answer: ClientResponse) -> list[tuple[int | None, dict[str, Any]]]:
    """Events of a stream, each with its id if it has one; its last line must be [DONE]."""
    lines = [line for line in answer.text.split("\n") if line.strip()]
    equal(lines[-1:], ["data: [DONE]"], "the last line")
    found: list[tuple[int | None, dict[str, Any]]] = []
    number = None
    for line in lines[:-1]:
        try:
            if line.startswith("id: "):
                number = int(line.removeprefix("id: "))
                continue
            found.append((number, json.loads(line.removeprefix("data: "))))
        except ValueError as error:
            raise Broken(f"an event is not JSON: {error}", got=lines) from error
        number = None
    return found


def checked_text(sent: list[dict[str, Any]]) -> str:
    """Full text of the answer, which the deltas must add up to."""
    pieces = "".join(event["delta"] for event in sent if event.get("event") == "response.content_delta")
    whole = "".join(block.get("text", "") for block in sent[-1]["response"])
    equal(pieces, whole, "the pieces put together", "/delta")
    return whole


@check("createResponse", "listThreadMessages")
def a_stream_tells_in_pieces_what_it_tells_as_a_whole(run: Run) -> None:
    """The deltas of a stream add up to the final answer, and to the message stored in the thread."""
    thread_id = run.owner.new_thread()["id"]
    sent = events(run, thread_id)
    names = [event.get("event") for event in sent if event.get("event") not in REPEATABLE]
    equal(names, ["response.processing", "response.created", "response.completed"], "the order of the events")
    whole = checked_text(sent)
    listed = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
    stored = [message["content"] for message in listed if message["role"] == "assistant"]
    equal(stored, [whole], "the answer that the thread has")


@check("deleteThreadMessage", "getThread")
def a_deleted_message_is_not_counted(run: Run) -> None:
    """message_count of a thread equals the number of listed messages, also after a deletion."""
    thread_id = run.owner.new_thread()["id"]
    events(run, thread_id)
    listed = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
    gone = run.owner.ask("DELETE", f"/v1/threads/{thread_id}/messages/{listed[0]['id']}")
    equal(gone.status, 200, "deleting a message")
    left = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
    count = run.owner.get(f"/v1/threads/{thread_id}").body["message_count"]
    equal((len(left), count), (len(listed) - 1, len(listed) - 1), "messages listed and counted")


@check("createResponse")
def a_stream_keeps_the_lines_of_its_answer(run: Run) -> None:
    """The deltas of a multi-line answer add up to it, line breaks included."""
    fact = f"The packing list of run {run.run_id}:\n- a rope\n\n- two lamps"
    question = f"What is on the packing list of run {run.run_id}?"
    _, _, other = space_with_fact(run, fact, question)
    checked_text(events(run, other, question))


@check("createResponse", claim="future-messages-are-embedded")
def an_answer_is_remembered_streamed_or_not(run: Run) -> None:
    """The assistant's answers are found by later questions in the space, streamed or not."""
    other = run.owner.new_thread()["id"]
    space_id = run.owner.space_with(other)
    for is_streamed in (False, True):
        thread_id, question = run.owner.new_thread()["id"], f"Is there a harbour in run {run.run_id}?"
        run.owner.add(space_id, thread_id)
        if is_streamed:
            events(run, thread_id, question)
        else:
            equal(run.owner.ask_model(question, thread_id=thread_id).status, 200, "asking")
        listed = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
        (answer,) = [message["content"] for message in listed if message["role"] == "assistant"]
        # Elsewhere: the answers to these questions quote it.
        wait_until_found(run, answer, f"Who said this? {answer[:500]}", other, elsewhere=True)
        run.owner.remove_thread(space_id, thread_id)
