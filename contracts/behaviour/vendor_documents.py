"""Statements of the two vendor documents, literally."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from contracts.behaviour.shapes import THREAD
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run

MESSAGES = {
    "RESOURCE_NOT_FOUND": "The requested resource could not be found.",
    "INSUFFICIENT_PERMISSIONS": "You don't have permission to perform this action.",
}
"""Documented user messages, by error code."""


def refused(answer: ClientResponse, status: int, code: str, system_message: str, **details: str) -> None:
    """Raise Broken unless the response is this error in the documented envelope."""
    equal(answer.status, status, "status")
    body = answer.body
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        raise Broken("the answer is not the error envelope", got=answer.text[:300])
    equal(body.get("success"), False, "success", "/success")
    error = body["error"]
    equal(error.get("status"), status, "status in the body", "/error/status")
    equal(error.get("code"), code, "code", "/error/code")
    equal(error.get("type"), "client_error", "type", "/error/type")
    with founded_on_text(answer, code, "system_message", system_message):
        equal(error.get("system_message"), system_message, "system_message", "/error/system_message")
        for name, value in details.items():
            equal((error.get("details") or {}).get(name), value, f"details.{name}", f"/error/details/{name}")
    equal(error.get("message"), MESSAGES.get(code, error.get("message")), "message", "/error/message")


@contextmanager
def founded_on_text(answer: ClientResponse, code: str, field: str, text: str) -> Iterator[None]:
    """Found a failure on the text of the error, where openapi.yaml only assumes that."""
    try:
        yield
    except Broken as broken:
        operation = document().at(answer.request.method, answer.request.path)
        found = operation and document().text_basis(operation, answer.status, code, field, text)
        if found and found.evidence is Evidence.ASSUMED:
            broken.evidence, broken.assumption = found.evidence, found.assumption
        raise


def not_found(answer: ClientResponse, system_message: str, **details: str) -> None:
    """Raise Broken unless the response is the documented 404."""
    refused(answer, 404, "RESOURCE_NOT_FOUND", system_message, **details)


def forbidden(answer: ClientResponse, system_message: str, **details: str) -> None:
    """Raise Broken unless the response is the documented 403."""
    refused(answer, 403, "INSUFFICIENT_PERMISSIONS", system_message, **details)


@check("addThreadToSpace", claim="a-thread-is-added")
def add_answers_as_documented(run: Run) -> None:
    """Adding a thread is 201 with success, message, both ids and added_at."""
    ids = {"space_id": run.owner.new_space()["id"], "thread_id": run.owner.new_thread()["id"]}
    answer = run.owner.add(*ids.values())
    equal(answer.status, 201, "status")
    expected = {"success": True, "message": "Thread added to space", **ids}
    equal({name: answer.body.get(name) for name in expected}, expected, "body")
    added_at = answer.body.get("added_at")
    if not isinstance(added_at, str):
        raise Broken("added_at is missing", pointer="/added_at")


@check("listSpaceThreads", "addThreadToSpace", claim="all-threads-are-listed")
def an_added_thread_is_listed(run: Run) -> None:
    """An added thread is in the space's list with its sixteen fields, as created."""
    thread = run.owner.new_thread()
    answer = run.owner.get(f"/v1/spaces/{run.owner.space_with(thread['id'])}/threads", limit=20)
    equal(answer.status, 200, "status")
    equal(answer.body.get("object"), "list", "object", "/object")
    equal([t.get("id") for t in answer.body["data"]], [thread["id"]], "the ids", "/data")
    listed = answer.body["data"][0]
    for field in THREAD:
        if field not in listed:
            raise Broken(f"{field} is missing", pointer=f"/data/0/{field}")
        if field in thread and field not in ("updated_at", "last_message_at"):
            equal(listed[field], thread[field], field, f"/data/0/{field}")
    equal(answer.body.get("has_more"), False, "has_more", "/has_more")
    equal(answer.body.get("next_cursor"), None, "next_cursor", "/next_cursor")


@check("listSpaceThreads", claim="all-threads-are-listed")
def a_new_space_has_no_threads(run: Run) -> None:
    """A new space lists no threads."""
    answer = run.owner.get(f"/v1/spaces/{run.owner.new_space()['id']}/threads")
    equal(answer.status, 200, "status")
    equal(answer.body["data"], [], "data", "/data")


@check("addThreadToSpace", claim="adding-to-an-unknown-space")
def adding_to_an_unknown_space_is_404(run: Run) -> None:
    """Adding a thread to a space that does not exist is 404, Space not found, with the id."""
    space_id = run.unknown_id("space")
    answer = run.owner.add(space_id, run.owner.new_thread()["id"])
    not_found(answer, "Space not found", space_id=space_id)


@check("listSpaceThreads", claim="listing-an-unknown-space")
def listing_an_unknown_space_is_404(run: Run) -> None:
    """Listing the threads of a space that does not exist is 404, Space not found, with the id."""
    space_id = run.unknown_id("space")
    answer = run.owner.get(f"/v1/spaces/{space_id}/threads")
    not_found(answer, "Space not found", space_id=space_id)


@check("addThreadToSpace", claim="adding-needs-edit-access")
def a_viewer_may_not_add(run: Run) -> None:
    """Adding a thread with only view access is 403, Edit access required, and adds nothing."""
    viewer, thread = run.client("viewer"), run.owner.new_thread()
    space = run.owner.new_space(access_users=[viewer.user_id])
    forbidden(viewer.add(space["id"], thread["id"]), "Edit access required", space_id=space["id"])
    equal(run.owner.threads_of(space["id"]), [], "the threads after the refusal")


@check("listSpaceThreads", claim="listing-needs-view-access")
def an_outsider_may_not_list(run: Run) -> None:
    """Listing the threads of a private space without access is 403, View access required."""
    space = run.owner.new_space()
    answer = run.client("outsider").get(f"/v1/spaces/{space['id']}/threads")
    forbidden(answer, "View access required", space_id=space["id"])


@check("listSpaceThreads", claim="listing-needs-view-access")
def a_viewer_may_list(run: Run) -> None:
    """View access is enough to list the threads of a space, whoever owns them."""
    viewer = run.client("viewer")
    space_id, thread = run.owner.new_space(access_users=[viewer.user_id])["id"], run.owner.new_thread()["id"]
    run.owner.add(space_id, thread)
    equal(viewer.threads_of(space_id), [thread], "what the viewer sees")
