"""createResponse: stores a question in a thread and answers it, deterministically (A33, A57)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from mockserver.freddy.access import Access, require
from mockserver.freddy.file_search import FoundPiece, search_files, search_output, stores_to_search
from mockserver.freddy.lookup import Call, message_of, no_space, no_thread, store_in, thread_of_caller
from mockserver.freddy.shared_memory import (
    Draft,
    FoundMessage,
    add_thread,
    append,
    remove_message,
    search,
    spaces_to_search,
)
from mockserver.freddy.stream_events import SILENCE, body_of, deltas_of, timeline
from mockserver.freddy.threads import new_thread
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Forbidden, Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.answer_stream import AnswerStream, AssistantAnswer
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox

RESULTS = "file_search.results"
"""Value of `include` that adds the search results (A34)."""
NEAR = 0.2
"""Lowest score at which the answer cites a message."""
NOTHING_FOUND = "This is a mock, and nothing that it remembers fits the question."
"""Must not repeat the question: the answer is embedded too, and would be found instead of the facts."""
NO_REASONING = ("gpt-4o",)
"""Models that refuse `reasoning`."""


@handles("createResponse")
def create_response(call: Call, sandbox: Sandbox) -> Reply:
    """Store the inputs and the assistant's answer in one step; reply as JSON or as a stream."""
    body = call.body
    _check(body)
    thread = thread_of_caller(body["thread_id"], call, sandbox) if body["thread_id"] else None
    organization_id = _organization(body["organization_id"], thread, call.caller)
    if thread is not None and thread["organization_id"] != organization_id:
        raise no_thread(thread["id"], sandbox)
    space = _named_space(body["space_id"], organization_id, thread is None, call, sandbox)
    for store_id in body["vector_store_ids"] or ():
        store_in(organization_id, store_id, sandbox)

    superseded = _superseded(body, thread, sandbox)

    drafts = [Draft(entry["role"], _text(entry["content"])) for entry in body["inputs"]]
    asked_at = max((i for i, d in enumerate(drafts) if d.role == "user"), default=len(drafts) - 1)
    asked = drafts[asked_at]
    drafts[asked_at] = asked._replace(metadata=body["metadata"])
    for message in superseded:
        remove_message(message, sandbox)
        thread = sandbox.threads.record(message["thread_id"])
    spaces = spaces_to_search(thread, None if space is None else space["id"], call.caller, sandbox)
    found = search(asked.content, spaces, sandbox)
    stores = stores_to_search(spaces, body["vector_store_ids"] or (), call.caller, sandbox)
    pieces = search_files(asked.content, stores, sandbox)
    if thread is None:
        thread = new_thread(
            call.caller,
            organization_id,
            sandbox,
            visible_in_ui=body["store"],
            assistant_id=body["assistant_id"],
            **{name: body[name] for name in ("workflow_id", "is_incognito") if body.get(name)},
        )
        if space is not None:
            add_thread(space["id"], thread["id"], sandbox)
    answer = _queued_answer(thread["id"], sandbox) or _default_answer(found, pieces)
    messages = append(thread, [*drafts, Draft("assistant", answer.text)], sandbox, model=body["model"])
    files = search_output(answer.text, pieces, sandbox) if stores else {}
    return _reply(answer, found, files, messages[asked_at], messages, organization_id, call, sandbox)


def _check(body: Record) -> None:
    """422 for what the vendor's server refuses beyond the schema of its request."""
    errors = []
    if body["model"] in NO_REASONING and body.get("reasoning"):
        text = f"Model '{body['model']}' does not support reasoning"
        errors.append(FieldError("body", "reasoning", text))
    starts = ("edit_message_id", "previous_message_id", "previous_response_id")
    named = [name for name in starts if body[name]]
    errors += [FieldError("body", name, f"can't be used with {named[-1]}") for name in named[:-1]]
    if named and named[0] != "previous_response_id" and not body["thread_id"]:
        errors.append(FieldError("body", named[0], "needs thread_id"))
    servers = [(i, t) for i, t in enumerate(body.get("tools") or ()) if t.get("type") == "mcp"]
    labels = Counter(tool.get("server_label") for _, tool in servers)
    for index, tool in servers:
        at = f"tools.{index}"
        if (tool.get("configuration_id") is None) == (tool.get("server_url") is None):
            errors.append(FieldError("body", at, "needs either configuration_id or server_url"))
        if labels[tool.get("server_label")] > 1:
            errors.append(FieldError("body", f"{at}.server_label", "is used twice"))
    if errors:
        raise Invalid(errors)


def _superseded(body: Record, thread: Record | None, sandbox: Sandbox) -> list[Record]:
    """Messages that an edit replaces, or that a branch leaves out (A79)."""
    message_id = body["edit_message_id"] or body["previous_message_id"]
    if thread is None or not message_id:
        return []
    start = sandbox.messages.position("thread", message_of(thread, message_id, sandbox)["id"])
    found = [key[-1] for key in sandbox.messages.keys("thread", thread["id"]).after(start)]
    return sandbox.messages.records(found if body["edit_message_id"] else found[1:])


def _organization(named: str | None, thread: Record | None, caller: Caller) -> str:
    """Organization of the call: the named one, else the thread's, else the caller's only one."""
    if named:
        if named not in caller.memberships:
            raise Forbidden(
                "Organization access denied",
                code="ORGANIZATION_ACCESS_DENIED",
                message="You don't have access to this organization",
                reason=f"{caller.user_id} is not a member of {named}",
                organization_id=named,
            )
        return named
    if thread is not None:
        return str(thread["organization_id"])
    if not caller.memberships:
        raise Forbidden(
            "No organization membership",
            code="NO_ORGANIZATION_MEMBERSHIP",
            message="You don't belong to any organization",
            reason=f"{caller.user_id} is in no organization",
        )
    if len(caller.memberships) > 1:
        several = ", ".join(sorted(caller.memberships))
        raise Forbidden(
            "Several organizations and none named",
            code="AMBIGUOUS_ORGANIZATION",
            message="Please choose an organization",
            reason=f"name one of {several} in organization_id",
        )
    return next(iter(caller.memberships))


def _named_space(
    space_id: str | None, organization_id: str, for_new_thread: bool, call: Call, sandbox: Sandbox
) -> Record | None:
    """Named space; needs EDIT for a new thread, which is added to it, else VIEW, to search it."""
    if not space_id:
        return None
    space = sandbox.spaces.get(space_id)
    if space is None or space["organization_id"] != organization_id:
        raise no_space(space_id, space, organization_id)
    require(Access.EDIT if for_new_thread else Access.VIEW, space, call)
    return space


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(block["text"] for block in content)


def _default_answer(found: list[FoundMessage], pieces: list[FoundPiece]) -> AssistantAnswer:
    """Answer that cites what is nearest: a message, or a piece of a file."""
    messages = [
        (hit.score, hit.thread["title"] or hit.thread["id"], hit.message["content"]) for hit in found[:1]
    ]
    files = [(hit.score, hit.file["original_filename"], hit.text) for hit in pieces[:1]]
    score, title, content = max([*messages, *files], key=itemgetter(0), default=(0, "", ""))
    text = f'From "{title}": {content}' if score >= NEAR else NOTHING_FOUND
    return AssistantAnswer(text, deltas_of(text))


def _queued_answer(thread_id: str, sandbox: Sandbox) -> AssistantAnswer | None:
    """Next reply that a tester queued for this thread, or for any."""
    queued = next((o for o in sandbox.replies if o["thread_id"] in (None, thread_id)), None)
    if queued is None:
        return None
    if queued["times"] > 1:
        sandbox.replies.put(queued["id"], {**queued, "times": queued["times"] - 1})
    else:
        sandbox.replies.remove(queued["id"])
    fault = queued["fault"] or {}
    return AssistantAnswer(
        text=queued["text"],
        deltas=queued["deltas"] or deltas_of(queued["text"]),
        pace=queued["pace"],
        stop_reason=queued["stop_reason"],
        fault=fault.get("kind"),
        fault_after=fault.get("after_events", 0),
        silence=fault.get("seconds", SILENCE),
    )


def _reply(
    answer: AssistantAnswer,
    found: list[FoundMessage],
    files: Mapping[str, Any],
    question: Record,
    stored: list[Record],
    organization_id: str,
    call: Call,
    sandbox: Sandbox,
) -> Reply:
    """Reply as JSON or as a stream; `files` has the `output` of a search in files.

    `stored`: messages of the request, with the answer at the end.
    """
    said = stored[-1]
    thread_id = said["thread_id"]
    outcome: dict[str, Any] = {
        "is_summarized": False,
        "thread_id": thread_id,
        "response": [{"type": "text", "text": answer.text}],
        "response_id": sandbox.ids.new("resp"),
        "stop_reason": answer.stop_reason,
    }
    if call.body["output_mode"] == "structured":
        outcome["response_blocks"] = [{"type": "text", "content": answer.text}]
    if RESULTS in (call.body["include"] or ()):
        outcome["file_search"] = {"results": [_result(hit) for hit in found]}
    outcome |= files
    assistant = sandbox.threads.record(thread_id)["assistant_id"]
    bound = {} if assistant is None else {"assistant_id": assistant}
    outcome |= bound
    if not call.body["stream"]:
        sandbox.streams.remove(thread_id)
        return Reply(200, {"success": True, **outcome})
    created = {
        "event": "response.created",
        "status": "in_progress",
        "thread_id": thread_id,
        "user_id": call.caller.user_id,
        "org_id": organization_id,
        "user_message_id": question["id"],
        "trace_id": call.trace_id,
        **bound,
    }
    completed = {"event": "response.completed", "status": "completed", **outcome, "message_id": said["id"]}
    ids = tuple(message["id"] for message in stored)
    stream = AnswerStream(thread_id, ids, sandbox.clock.now(), sandbox.source(), answer, created, completed)
    stream = stream._replace(lasts=timeline(stream)[-1][0])
    sandbox.streams.put(thread_id, stream)
    return Reply(200, body_of(stream, sandbox))


def _result(hit: FoundMessage) -> Record:
    return {
        "thread_id": hit.message["thread_id"],
        "message_id": hit.message["id"],
        "role": hit.message["role"],
        "text": hit.message["content"],
        "score": hit.score,
    }
