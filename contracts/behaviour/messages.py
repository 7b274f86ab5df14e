"""Shared memory after edits, deletions and removals, and who may find messages. Needs model calls."""

from __future__ import annotations

import time

from contracts.behaviour import memory
from contracts.behaviour.memory import is_found, wait_until_found
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.run import Run


def space_with_fact(run: Run, fact: str, question: str) -> tuple[str, str, str]:
    """Ids of a thread with the fact, of its message, and of another thread of the space that finds it."""
    space_id, source, other = run.owner.new_space()["id"], run.owner.new_thread(), run.owner.new_thread()
    for thread in (source, other):
        run.owner.add(space_id, thread["id"])
    equal(run.owner.ask_model(fact, thread_id=source["id"]).status, 200, "storing the message")
    wait_until_found(run, fact, question, thread_id=other["id"])
    message = run.owner.get(f"/v1/threads/{source['id']}/messages").body["data"][0]
    return source["id"], message["id"], other["id"]


def wait_until_gone(run: Run, text: str, question: str, thread_id: str) -> None:
    """Ask until `text` is no longer found; Broken after PATIENCE."""
    end = time.monotonic() + memory.PATIENCE
    while is_found(run.owner, text, question, thread_id):
        if time.monotonic() > end:
            raise Broken(f"{text!r} is still found")
        time.sleep(0.2)


@check("updateThreadMessage", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def an_edited_message_is_found_as_it_is_now(run: Run) -> None:
    """After an edit the new text is found, and the old one is not."""
    fact = f"The gate code of run {run.run_id} is olive three."
    question = f"What is the gate code of run {run.run_id}?"
    source, message, other = space_with_fact(run, fact, question)
    changed = fact.replace("olive three", "maple eight")
    edited = run.owner.ask("PATCH", f"/v1/threads/{source}/messages/{message}", {"content": changed})
    equal(edited.status, 200, "editing")
    wait_until_found(run, changed, question, thread_id=other)
    wait_until_gone(run, fact, question, other)


@check("deleteThreadMessage", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def a_deleted_message_is_not_found(run: Run) -> None:
    """A deleted message is not found."""
    fact = f"The attic lamp of run {run.run_id} is number sixty."
    question = f"Which number has the attic lamp of run {run.run_id}?"
    source, message, other = space_with_fact(run, fact, question)
    equal(run.owner.ask("DELETE", f"/v1/threads/{source}/messages/{message}").status, 200, "deleting")
    wait_until_gone(run, fact, question, other)


@check("createResponse", evidence=Evidence.ASSUMED, assumption="A34")
def a_question_does_not_find_itself(run: Run) -> None:
    """The question itself is never among the results, even if it was asked before."""
    asked = f"Where is the copper kettle of run {run.run_id}?"
    _, _, other = space_with_fact(run, asked, f"Tell me about the copper kettle of run {run.run_id}.")
    equal(is_found(run.owner, asked, asked, other), False, "the question found itself")


@check("createResponse", evidence=Evidence.ASSUMED, assumption="A33")
def nothing_is_told_to_who_may_not_view(run: Run) -> None:
    """A question finds nothing in a space that its user may not view, even if the thread is in it."""
    fact = f"The cellar key of run {run.run_id} is under brick twelve."
    question = f"Where is the cellar key of run {run.run_id}?"
    outsider = run.client("outsider")
    space_id, source, theirs = run.owner.new_space()["id"], run.owner.new_thread(), outsider.new_thread()
    for thread in (source, theirs):
        equal(run.owner.add(space_id, thread["id"]).status, 201, "adding")
    run.owner.ask_model(fact, thread_id=source["id"])
    wait_until_found(run, fact, question, thread_id=source["id"])
    equal(is_found(outsider, fact, question, theirs["id"]), False, "told to an outsider")


@check("createResponse", evidence=Evidence.SDK)
def nobody_asks_in_the_threads_of_others(run: Run) -> None:
    """A question in another user's thread is refused, and adds no message."""
    thread = run.owner.new_thread()["id"]
    answer = run.client("editor").ask_model("Good evening.", thread_id=thread)
    if answer.status not in (403, 404):
        raise Broken("another user's question is answered", expected="403 or 404", got=answer.status)
    equal(run.owner.get(f"/v1/threads/{thread}/messages").body["data"], [], "the messages after it")


@check("removeThreadFromSpace", "createResponse", evidence=Evidence.ASSUMED, assumption="A15")
def a_thread_that_leaves_one_space_is_found_in_the_other(run: Run) -> None:
    """A thread in two spaces that is removed from one is still found in the other."""
    fact = f"The boat shed of run {run.run_id} is painted teal nine."
    question = f"How is the boat shed of run {run.run_id} painted?"
    first, second = (run.owner.new_space()["id"] for _ in range(2))
    source, other = run.owner.new_thread()["id"], run.owner.new_thread()["id"]
    for space_id, thread_id in ((first, source), (second, source), (second, other)):
        equal(run.owner.add(space_id, thread_id).status, 201, "adding")
    equal(run.owner.ask_model(fact, thread_id=source).status, 200, "storing the message")
    wait_until_found(run, fact, question, thread_id=other)
    equal(run.owner.remove_thread(first, source).status, 204, "removing it from one")
    equal(is_found(run.owner, fact, question, other), True, "found in the other")
