"""What memory does with messages that change, and to whom it tells them; asks a model too."""

from __future__ import annotations

import time

from contracts.behaviour import memory
from contracts.behaviour.memory import ask, finds, wait_until_found
from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.run import Team


def remembered(team: Team, fact: str, question: str) -> tuple[str, str, str]:
    """A thread that holds the fact, its message, and another thread of the same space that finds it."""
    space_id, source, other = team.owner.new_space()["id"], team.owner.new_thread(), team.owner.new_thread()
    for thread in (source, other):
        team.owner.add(space_id, thread["id"])
    equal(ask(team.owner, team, fact, thread_id=source["id"]).status, 200, "storing the message")
    wait_until_found(team, fact, question, thread_id=other["id"])
    message = team.owner.get(f"/v1/threads/{source['id']}/messages").body["data"][0]
    return source["id"], message["id"], other["id"]


def wait_until_gone(team: Team, text: str, question: str, thread_id: str) -> None:
    """Ask until `text` is no longer found; Broken if it takes too long."""
    end = time.monotonic() + memory.PATIENCE
    while finds(team.owner, team, text, question, thread_id):
        if time.monotonic() > end:
            raise Broken(f"{text!r} is still found")
        time.sleep(0.2)


@promise("updateThreadMessage", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def an_edited_message_is_found_as_it_is_now(team: Team) -> None:
    """After an edit the new text is found and the old one is not."""
    fact = f"The gate code of run {team.run_id} is olive three."
    question = f"What is the gate code of run {team.run_id}?"
    source, message, other = remembered(team, fact, question)
    changed = fact.replace("olive three", "maple eight")
    edited = team.owner.ask("PATCH", f"/v1/threads/{source}/messages/{message}", {"content": changed})
    equal(edited.status, 200, "editing")
    wait_until_found(team, changed, question, thread_id=other)
    wait_until_gone(team, fact, question, other)


@promise("deleteThreadMessage", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def a_deleted_message_is_not_found(team: Team) -> None:
    """After its deletion a message is not found any more."""
    fact = f"The attic lamp of run {team.run_id} is number sixty."
    question = f"Which number has the attic lamp of run {team.run_id}?"
    source, message, other = remembered(team, fact, question)
    equal(team.owner.ask("DELETE", f"/v1/threads/{source}/messages/{message}").status, 200, "deleting")
    wait_until_gone(team, fact, question, other)


@promise("createResponse", evidence=Evidence.ASSUMED, assumption="A34")
def a_question_does_not_find_itself(team: Team) -> None:
    """The question itself is never among the results, even if it was asked before."""
    asked = f"Where is the copper kettle of run {team.run_id}?"
    _, _, other = remembered(team, asked, f"Tell me about the copper kettle of run {team.run_id}.")
    equal(finds(team.owner, team, asked, asked, other), False, "the question found itself")


@promise("createResponse", evidence=Evidence.ASSUMED, assumption="A33")
def nothing_is_told_to_who_may_not_view(team: Team) -> None:
    """A question finds nothing of a space that the asker may not view, though the thread is in it."""
    fact = f"The cellar key of run {team.run_id} is under brick twelve."
    question = f"Where is the cellar key of run {team.run_id}?"
    outsider = team.caller("outsider")
    space_id, source, theirs = team.owner.new_space()["id"], team.owner.new_thread(), outsider.new_thread()
    for thread in (source, theirs):
        equal(team.owner.add(space_id, thread["id"]).status, 201, "adding")
    ask(team.owner, team, fact, thread_id=source["id"])
    wait_until_found(team, fact, question, thread_id=source["id"])
    equal(finds(outsider, team, fact, question, theirs["id"]), False, "told to an outsider")


@promise("createResponse", evidence=Evidence.SDK)
def nobody_asks_in_the_threads_of_others(team: Team) -> None:
    """A question into somebody else's thread is refused, and adds nothing to it."""
    thread = team.owner.new_thread()["id"]
    answer = ask(team.caller("editor"), team, "Good evening.", thread_id=thread)
    if answer.status not in (403, 404):
        raise Broken("another user's question is answered", expected="403 or 404", got=answer.status)
    equal(team.owner.get(f"/v1/threads/{thread}/messages").body["data"], [], "the messages after it")


@promise("removeThreadFromSpace", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def a_thread_that_leaves_one_space_is_found_in_the_other(team: Team) -> None:
    """A thread in two spaces that is removed from one is still found in the other."""
    fact = f"The boat shed of run {team.run_id} is painted teal nine."
    question = f"How is the boat shed of run {team.run_id} painted?"
    left, kept = (team.owner.new_space()["id"] for _ in range(2))
    source, other = team.owner.new_thread()["id"], team.owner.new_thread()["id"]
    for space_id, thread_id in ((left, source), (kept, source), (kept, other)):
        equal(team.owner.add(space_id, thread_id).status, 201, "adding")
    equal(ask(team.owner, team, fact, thread_id=source).status, 200, "storing the message")
    wait_until_found(team, fact, question, thread_id=other)
    equal(team.owner.take_out(left, source).status, 204, "removing it from one")
    equal(finds(team.owner, team, fact, question, other), True, "found in the other")
