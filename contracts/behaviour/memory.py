"""Shared memory as visible in the vendor's API. Needs model calls, so it runs on demand."""

from __future__ import annotations

import time
from typing import Any

from contracts.behaviour.clock_moves import require_running_clock
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.exchange import ClientResponse
from contracts.http.role_client import RoleClient
from contracts.http.run import Run

PATIENCE = 20.0
"""Seconds within which a message must be embedded."""


def result_texts(answer: ClientResponse) -> list[str]:
    """Texts of the search results of a response."""
    equal(answer.status, 200, "status")
    return [hit["text"] for hit in answer.body.get("file_search", {}).get("results", [])]


def is_found(client: RoleClient, text: str, question: str, thread_id: str) -> bool:
    """Whether a question in a thread has the text among its results."""
    return text in result_texts(client.ask_model(question, thread_id=thread_id))


def wait_until_found(run: Run, text: str, question: str, **fields: Any) -> None:
    """Ask until `text` is found; Broken after PATIENCE."""
    end = time.monotonic() + PATIENCE
    pause = 0.3
    time.sleep(pause)  # every question costs, and the first should rarely be too early
    while text not in result_texts(run.owner.ask_model(question, **fields)):
        if time.monotonic() > end:
            require_running_clock(run)
            raise Broken(f"the message is not found {PATIENCE:.0f} s after its thread was added")
        time.sleep(pause)
        pause = min(2.0, pause * 2)


@check("addThreadToSpace", "createResponse", evidence=Evidence.DOCUMENTED)
def an_added_threads_messages_are_found(run: Run) -> None:
    """Messages of a thread that is added to a space are found by questions in its other threads."""
    fact = f"The warehouse code of run {run.run_id} is quartz seventeen."
    space_id, source, other = run.owner.new_space()["id"], run.owner.new_thread(), run.owner.new_thread()
    equal(run.owner.ask_model(fact, thread_id=source["id"]).status, 200, "storing the message")
    run.owner.add(space_id, other["id"])
    question = f"What is the warehouse code of run {run.run_id}?"
    equal(is_found(run.owner, fact, question, other["id"]), False, "found before it is added")
    run.owner.add(space_id, source["id"])
    wait_until_found(run, fact, question, thread_id=other["id"])
    run.owner.remove_thread(space_id, source["id"])
    equal(is_found(run.owner, fact, question, other["id"]), False, "found after its removal")


@check("addThreadToSpace", "createResponse", evidence=Evidence.DOCUMENTED)
def later_messages_follow_by_themselves(run: Run) -> None:
    """A message that is sent after its thread was added is found too."""
    fact = f"The locker of run {run.run_id} opens with amber ninety."
    space_id, source, other = run.owner.new_space()["id"], run.owner.new_thread(), run.owner.new_thread()
    for thread in (source, other):
        run.owner.add(space_id, thread["id"])
    run.owner.ask_model(fact, thread_id=source["id"])
    wait_until_found(run, fact, f"What opens the locker of run {run.run_id}?", thread_id=other["id"])


@check("createResponse", evidence=Evidence.PUBLISHED)
def nothing_comes_from_another_space(run: Run) -> None:
    """A question in one space never finds what only another space contains."""
    fact = f"The vault of run {run.run_id} holds cobalt forty."
    one, other = run.owner.new_space()["id"], run.owner.new_space()["id"]
    source, stranger = run.owner.new_thread(), run.owner.new_thread()
    run.owner.add(one, source["id"])
    run.owner.add(other, stranger["id"])
    run.owner.ask_model(fact, thread_id=source["id"])
    question = f"What does the vault of run {run.run_id} hold?"
    wait_until_found(run, fact, question, thread_id=source["id"])
    equal(is_found(run.owner, fact, question, stranger["id"]), False, "found elsewhere")


@check("createResponse", "listThreadMessages", "getThread", evidence=Evidence.OBSERVED)
def a_turn_adds_the_question_and_the_answer(run: Run) -> None:
    """A question adds two messages to its thread, the user's and the assistant's, in this order."""
    thread = run.owner.new_thread()
    answer = run.owner.ask_model("Good morning.", thread_id=thread["id"])
    equal(answer.status, 200, "status")
    equal(answer.body["thread_id"], thread["id"], "thread_id", "/thread_id")
    messages = run.owner.get(f"/v1/threads/{thread['id']}/messages").body["data"]
    equal([m["role"] for m in messages], ["user", "assistant"], "the roles")
    equal(messages[0]["content"], "Good morning.", "the question")
    count = run.owner.get(f"/v1/threads/{thread['id']}").body["message_count"]
    equal(count, 2, "message_count", "/message_count")
