"""Turns of a conversation: edit, branch, the text of a message, and what a request must not combine."""

from __future__ import annotations

from contracts.checks.check import check, equal
from contracts.http.run import Run


@check("createResponse", "listThreadMessages")
def an_edit_replaces_a_message_and_all_after_it(run: Run) -> None:
    """edit_message_id deletes the message and all after it; the inputs take their place."""
    _supersede(run, "edit_message_id", kept=0)


@check("createResponse", "listThreadMessages")
def a_branch_keeps_its_message_and_none_after_it(run: Run) -> None:
    """previous_message_id deletes all messages after it; the inputs follow it."""
    _supersede(run, "previous_message_id", kept=1)


def _supersede(run: Run, start: str, kept: int) -> None:
    thread_id = run.owner.new_thread()["id"]
    equal(run.owner.ask_model("First.", thread_id=thread_id).status, 200, "asking")
    before = run.owner.ids(f"/v1/threads/{thread_id}/messages")
    answer = run.owner.ask_model("Instead.", thread_id=thread_id, **{start: before[0]})
    equal(answer.status, 200, "status")
    messages = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
    equal([message["id"] for message in messages[:kept]], before[:kept], "the messages that stay", "/data")
    equal([message["content"] for message in messages[kept:-1]], ["Instead."], "what follows them", "/data")
    count = run.owner.get(f"/v1/threads/{thread_id}").body["message_count"]
    equal(count, len(messages), "message_count", "/message_count")


@check("createResponse")
def a_branch_from_no_message_of_the_thread_is_404(run: Run) -> None:
    """A previous_message_id that is no message is 404 MESSAGE_NOT_FOUND, and nothing is stored."""
    thread_id = run.owner.new_thread()["id"]
    answer = run.owner.ask_model("Hello.", thread_id=thread_id, previous_message_id=run.unknown_id("resp"))
    equal((answer.status, answer.error.get("code")), (404, "MESSAGE_NOT_FOUND"), "status and code")
    equal(run.owner.ids(f"/v1/threads/{thread_id}/messages"), [], "the thread's messages", "/data")


@check("createResponse")
def an_edit_excludes_a_branch(run: Run) -> None:
    """edit_message_id with previous_message_id is 422."""
    message = run.unknown_id("msg")
    # Not without thread_id: a target that accepts it makes a thread that no clean-up would find.
    thread_id = run.owner.new_thread()["id"]
    both = {"edit_message_id": message, "previous_message_id": message}
    equal(run.owner.ask_model("Hello.", thread_id=thread_id, **both).status, 422, "with both")


@check("updateThreadMessage", "listThreadMessages")
def a_messages_text_is_trimmed_and_never_blank(run: Run) -> None:
    """A message's new text is stored without the white space around it; white space alone is 422."""
    thread_id = run.owner.new_thread()["id"]
    equal(run.owner.ask_model("Good morning.", thread_id=thread_id).status, 200, "storing the message")
    listing = f"/v1/threads/{thread_id}/messages"
    path = f"{listing}/{run.owner.ids(listing)[0]}"
    equal(run.owner.ask("PATCH", path, {"content": "\n Good  evening.\t"}).status, 200, "status")
    equal(run.owner.ask("PATCH", path, {"content": " \n"}).status, 422, "white space alone")
    content = run.owner.get(listing).body["data"][0]["content"]
    equal(content, "Good  evening.", "content", "/data/0/content")
