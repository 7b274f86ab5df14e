"""Shared memory as visible in the vendor's API. Needs model calls, so it runs on demand."""

from __future__ import annotations

import time

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Excluded
from contracts.http.role_client import RoleClient
from contracts.http.run import Run

PATIENCE = 20.0
"""Seconds within which a message must be embedded."""


def is_found(
    client: RoleClient, text: str, question: str, thread_id: str, *, elsewhere: bool = False
) -> bool:
    """Whether a question in a thread has the text among its results; `elsewhere`: of other threads."""
    answer = client.ask_model(question, thread_id=thread_id)
    equal(answer.status, 200, "status")
    hits = answer.body.get("file_search", {}).get("results", [])
    return text in [hit["text"] for hit in hits if not elsewhere or hit.get("thread_id") != thread_id]


def wait_until_found(run: Run, text: str, question: str, thread_id: str, *, elsewhere: bool = False) -> None:
    """Ask until `text` is found; Broken after PATIENCE."""
    end = time.monotonic() + PATIENCE
    pause = 0.3
    time.sleep(pause)  # every question costs, and the first should rarely be too early
    while not is_found(run.owner, text, question, thread_id, elsewhere=elsewhere):
        if time.monotonic() > end:
            require_running_clock(run)
            raise Broken(f"the message is not found {PATIENCE:.0f} s after its thread was added")
        time.sleep(pause)
        pause = min(2.0, pause * 2)


def require_running_clock(run: Run) -> None:
    """Raise Excluded if two errors more than a second apart have the same timestamp."""
    before = _timestamp(run)
    time.sleep(1.2)
    if before is not None and _timestamp(run) == before:
        raise Excluded("the target's clock is frozen; let it run, and try again")


def _timestamp(run: Run) -> object:
    return run.owner.get(f"/v1/spaces/{run.unknown_id('space')}").error.get("timestamp")


def space_with_fact(run: Run, fact: str, question: str) -> tuple[str, str, str]:
    """Ids of a thread with the fact, of its message, and of another thread of the space that finds it."""
    source, other = run.owner.new_threads(2)
    run.owner.space_with(source, other)
    equal(run.owner.ask_model(fact, thread_id=source).status, 200, "storing the message")
    wait_until_found(run, fact, question, other)
    return source, run.owner.ids(f"/v1/threads/{source}/messages")[0], other


def wait_until_gone(run: Run, text: str, question: str, thread_id: str) -> None:
    """Ask until `text` is no longer found; Broken after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while is_found(run.owner, text, question, thread_id):
        if time.monotonic() > end:
            raise Broken(f"{text!r} is still found")
        time.sleep(0.2)


@check("addThreadToSpace", "createResponse", claim="existing-messages-are-embedded")
def an_added_threads_messages_are_found(run: Run) -> None:
    """Messages of a thread that is added to a space are found by questions in its other threads."""
    fact = f"The warehouse code of run {run.run_id} is quartz seventeen."
    source, other = run.owner.new_threads(2)
    equal(run.owner.ask_model(fact, thread_id=source).status, 200, "storing the message")
    space_id = run.owner.space_with(other)
    question = f"What is the warehouse code of run {run.run_id}?"
    equal(is_found(run.owner, fact, question, other), False, "found before it is added")
    run.owner.add(space_id, source)
    wait_until_found(run, fact, question, other)
    run.owner.remove_thread(space_id, source)
    equal(is_found(run.owner, fact, question, other), False, "found after its removal")


@check("addThreadToSpace", "createResponse", claim="future-messages-are-embedded")
def later_messages_follow_by_themselves(run: Run) -> None:
    """A message that is sent after its thread was added is found too."""
    fact = f"The locker of run {run.run_id} opens with amber ninety."
    space_with_fact(run, fact, f"What opens the locker of run {run.run_id}?")


@check("addThreadToSpace", "createResponse", claim="existing-messages-are-embedded")
def every_message_is_found_in_every_space(run: Run) -> None:
    """Of two threads in two spaces, in either order, each message is found in both, old and new ones."""
    old, new = (
        f"The {place} of run {run.run_id} is lit by lamp {n}." for n, place in enumerate(("quay", "mill"))
    )
    first, second, *askers = run.owner.new_threads(4)
    equal(run.owner.ask_model(old, thread_id=first).status, 200, "storing the old message")
    spaces = [run.owner.space_with(asker) for asker in askers]
    for space_id in spaces:
        run.owner.add(space_id, first)
    for space_id in reversed(spaces):
        run.owner.add(space_id, second)
    equal(run.owner.ask_model(new, thread_id=second).status, 200, "storing the new message")
    for asker in askers:
        for fact, place in ((old, "quay"), (new, "mill")):
            wait_until_found(run, fact, f"Which lamp lights the {place} of run {run.run_id}?", asker)


@check("createResponse")
def nothing_comes_from_another_space(run: Run) -> None:
    """A question in one space never finds what only another space contains."""
    fact = f"The vault of run {run.run_id} holds cobalt forty."
    source, stranger = run.owner.new_threads(2)
    for thread_id in (source, stranger):
        run.owner.space_with(thread_id)
    run.owner.ask_model(fact, thread_id=source)
    question = f"What does the vault of run {run.run_id} hold?"
    wait_until_found(run, fact, question, source)
    equal(is_found(run.owner, fact, question, stranger), False, "found elsewhere")


@check("createResponse", "listThreadMessages", "getThread")
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


@check("updateThreadMessage", "createResponse")
def an_edited_message_is_found_as_it_is_now(run: Run) -> None:
    """After an edit the new text is found, and the old one is not."""
    fact = f"The gate code of run {run.run_id} is olive three."
    question = f"What is the gate code of run {run.run_id}?"
    source, message, other = space_with_fact(run, fact, question)
    changed = fact.replace("olive three", "maple eight")
    edited = run.owner.ask("PATCH", f"/v1/threads/{source}/messages/{message}", {"content": changed})
    equal(edited.status, 200, "editing")
    wait_until_found(run, changed, question, other)
    wait_until_gone(run, fact, question, other)


@check("deleteThreadMessage", "createResponse")
def a_deleted_message_is_not_found(run: Run) -> None:
    """A deleted message is not found."""
    fact = f"The attic lamp of run {run.run_id} is number sixty."
    question = f"Which number has the attic lamp of run {run.run_id}?"
    source, message, other = space_with_fact(run, fact, question)
    equal(run.owner.ask("DELETE", f"/v1/threads/{source}/messages/{message}").status, 200, "deleting")
    wait_until_gone(run, fact, question, other)


@check("createResponse")
def a_question_does_not_find_itself(run: Run) -> None:
    """The question itself is never among the results, even if it was asked before."""
    asked = f"Where is the copper kettle of run {run.run_id}?"
    _, _, other = space_with_fact(run, asked, f"Tell me about the copper kettle of run {run.run_id}.")
    equal(is_found(run.owner, asked, asked, other), False, "the question found itself")


@check("createResponse")
def nothing_is_told_to_who_may_not_view(run: Run) -> None:
    """A question finds nothing in a space that its user may not view, even if the thread is in it."""
    fact = f"The cellar key of run {run.run_id} is under brick twelve."
    question = f"Where is the cellar key of run {run.run_id}?"
    outsider = run.client("outsider")
    source, theirs = run.owner.new_thread()["id"], outsider.new_thread()["id"]
    space_id = run.owner.new_space(editable_by_users=[outsider.user_id])["id"]
    equal(run.owner.add(space_id, source).status, 201, "adding the owner's thread")
    equal(outsider.add(space_id, theirs).status, 201, "adding the outsider's thread, as an editor")
    run.owner.ask("PATCH", f"/v1/spaces/{space_id}", {"editable_by_users": None})
    run.owner.ask_model(fact, thread_id=source)
    wait_until_found(run, fact, question, source)
    equal(is_found(outsider, fact, question, theirs), False, "found by an outsider")


@check("createResponse")
def nobody_asks_in_the_threads_of_others(run: Run) -> None:
    """A question in another user's thread is refused, and adds no message."""
    thread = run.owner.new_thread()["id"]
    answer = run.client("editor").ask_model("Good evening.", thread_id=thread)
    if answer.status not in (403, 404):
        raise Broken("another user's question is answered", expected="403 or 404", got=answer.status)
    equal(run.owner.get(f"/v1/threads/{thread}/messages").body["data"], [], "the messages after it")


@check("removeThreadFromSpace", "createResponse", claim="future-messages-are-embedded")
def a_thread_that_leaves_one_space_is_found_in_the_other(run: Run) -> None:
    """A thread in two spaces that is removed from one is still found in the other."""
    fact = f"The boat shed of run {run.run_id} is painted teal nine."
    question = f"How is the boat shed of run {run.run_id} painted?"
    source, other = run.owner.new_threads(2)
    first, _ = run.owner.space_with(source), run.owner.space_with(source, other)
    equal(run.owner.ask_model(fact, thread_id=source).status, 200, "storing the message")
    wait_until_found(run, fact, question, other)
    equal(run.owner.remove_thread(first, source).status, 204, "removing it from one")
    equal(is_found(run.owner, fact, question, other), True, "found in the other")
