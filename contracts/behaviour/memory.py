"""Shared memory, as far as the vendor's API shows it; asks a model, so only on demand."""

from __future__ import annotations

import time
from typing import Any

from contracts.behaviour.clock_moves import require_a_clock_that_goes
from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.exchange import Answer
from contracts.http.role_client import Caller
from contracts.http.run import Team

PATIENCE = 20.0
"""Seconds that a message gets to be embedded."""


def ask(caller: Caller, team: Team, question: str, **fields: Any) -> Answer:
    """Ask the model; Untested unless the run may."""
    team.may_ask_a_model()
    body = {"inputs": [{"role": "user", "content": question}], "include": ["file_search.results"], **fields}
    return caller.ask("POST", "/v1/model/response", body)


def found(answer: Answer) -> list[str]:
    """The texts that the answer draws on."""
    equal(answer.status, 200, "status")
    return [hit["text"] for hit in answer.body.get("file_search", {}).get("results", [])]


def finds(caller: Caller, team: Team, text: str, question: str, thread_id: str) -> bool:
    """Whether the answer to a question in a thread draws on the text."""
    return text in found(ask(caller, team, question, thread_id=thread_id))


def wait_until_found(team: Team, text: str, question: str, **fields: Any) -> None:
    """Ask until `text` is found; Broken if it takes too long."""
    end = time.monotonic() + PATIENCE
    pause = 0.3
    time.sleep(pause)  # every question costs: rarely is the first one too early
    while text not in found(ask(team.owner, team, question, **fields)):
        if time.monotonic() > end:
            require_a_clock_that_goes(team)
            raise Broken(f"the message is not found {PATIENCE:.0f} s after its thread was added")
        time.sleep(pause)
        pause = min(2.0, pause * 2)


@promise("addThreadToSpace", "createResponse", evidence=Evidence.DOCUMENTED)
def an_added_threads_messages_are_found(team: Team) -> None:
    """Messages of a thread that is added to a space are found by questions in its other threads."""
    fact = f"The warehouse code of run {team.run_id} is quartz seventeen."
    space_id, source, other = team.owner.new_space()["id"], team.owner.new_thread(), team.owner.new_thread()
    equal(ask(team.owner, team, fact, thread_id=source["id"]).status, 200, "storing the message")
    team.owner.add(space_id, other["id"])
    question = f"What is the warehouse code of run {team.run_id}?"
    equal(finds(team.owner, team, fact, question, other["id"]), False, "found before it is added")
    team.owner.add(space_id, source["id"])
    wait_until_found(team, fact, question, thread_id=other["id"])
    team.owner.take_out(space_id, source["id"])
    equal(finds(team.owner, team, fact, question, other["id"]), False, "found after its removal")


@promise("addThreadToSpace", "createResponse", evidence=Evidence.DOCUMENTED)
def later_messages_follow_by_themselves(team: Team) -> None:
    """A message that comes after its thread was added is found too."""
    fact = f"The locker of run {team.run_id} opens with amber ninety."
    space_id, source, other = team.owner.new_space()["id"], team.owner.new_thread(), team.owner.new_thread()
    for thread in (source, other):
        team.owner.add(space_id, thread["id"])
    ask(team.owner, team, fact, thread_id=source["id"])
    wait_until_found(team, fact, f"What opens the locker of run {team.run_id}?", thread_id=other["id"])


@promise("createResponse", evidence=Evidence.PUBLISHED)
def nothing_comes_from_another_space(team: Team) -> None:
    """A question in one space never finds what only another space remembers."""
    fact = f"The vault of run {team.run_id} holds cobalt forty."
    one, other = team.owner.new_space()["id"], team.owner.new_space()["id"]
    source, stranger = team.owner.new_thread(), team.owner.new_thread()
    team.owner.add(one, source["id"])
    team.owner.add(other, stranger["id"])
    ask(team.owner, team, fact, thread_id=source["id"])
    question = f"What does the vault of run {team.run_id} hold?"
    wait_until_found(team, fact, question, thread_id=source["id"])
    equal(fact in found(ask(team.owner, team, question, thread_id=stranger["id"])), False, "found elsewhere")


@promise("createResponse", "listThreadMessages", "getThread", evidence=Evidence.OBSERVED)
def a_turn_adds_the_question_and_the_answer(team: Team) -> None:
    """A question adds two messages to its thread, its own and the assistant's, listed in order."""
    thread = team.owner.new_thread()
    answer = ask(team.owner, team, "Good morning.", thread_id=thread["id"])
    equal(answer.status, 200, "status")
    equal(answer.body["thread_id"], thread["id"], "thread_id", "/thread_id")
    messages = team.owner.get(f"/v1/threads/{thread['id']}/messages").body["data"]
    equal([m["role"] for m in messages], ["user", "assistant"], "the roles")
    equal(messages[0]["content"], "Good morning.", "the question")
    count = team.owner.get(f"/v1/threads/{thread['id']}").body["message_count"]
    equal(count, 2, "message_count", "/message_count")
