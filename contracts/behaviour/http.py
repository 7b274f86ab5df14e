"""HTTP behaviour around the operations: methods, routes, slashes, encodings."""

from __future__ import annotations

import json

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Unanswered, Untested
from contracts.http.exchange import BEARER, CHUNKED, ClientResponse
from contracts.http.run import Run

LARGE = "large " * 180_000
"""Text that makes a body larger than a megabyte."""


def _no_server_error(answers: list[ClientResponse]) -> None:
    for answer in answers:
        if answer.status >= 500:
            sent = f"{answer.request.method} {answer.request.path[:120]} {answer.request.text[:120]}".rstrip()
            raise Broken(f"{sent} is a server error", expected="below 500", got=answer.status)


@check("listSpaces")
def an_unknown_route_is_the_frameworks_404(run: Run) -> None:
    """An unknown path is 404 with {"detail": "Not Found"}."""
    answer = run.owner.get("/v1/nothing/here")
    equal((answer.status, answer.body), (404, {"detail": "Not Found"}), "the answer")


@check("listSpaces")
def a_wrong_method_is_405(run: Run) -> None:
    """A method that a path does not have is 405."""
    # DELETE of a collection is not sent: a target that supports it would delete everything.
    for method, path in (("PUT", "/v1/spaces/"), ("POST", f"/v1/threads/{run.unknown_id('thrd')}")):
        equal(run.owner.ask(method, path).status, 405, f"{method} {path}")


@check("listSpaces")
def a_405_names_the_methods(run: Run) -> None:
    """A 405 has an Allow header with the supported methods."""
    allow = run.owner.ask("PUT", "/v1/spaces/").headers.get("allow", "")
    equal(
        {m.strip() for m in allow.split(",")} >= {"GET", "POST"}, True, f"Allow: {allow!r} names GET and POST"
    )


@check("listSpaces")
def head_and_options_are_405(run: Run) -> None:
    """HEAD, and OPTIONS outside a preflight, are 405."""
    for method in ("HEAD", "OPTIONS"):
        equal(run.owner.ask(method, "/v1/threads").status, 405, method)


@check("listSpaces")
def the_collection_without_its_slash_redirects(run: Run) -> None:
    """/v1/spaces redirects to /v1/spaces/ with 307, keeping its query and host."""
    answer = run.owner.get("/v1/spaces", organization_id=run.organization_id)
    equal(answer.status, 307, "status")
    location = answer.headers.get("location", "")
    if not location.split("?")[0].endswith("/v1/spaces/") or "organization_id=" not in location:
        raise Broken("Location leads elsewhere", got=location)


@check("getSpace", "listSpaceThreads", "createThread")
def a_wrong_trailing_slash_redirects(run: Run) -> None:
    """A wrong trailing slash redirects with 307 to the right path on the same host, without effect."""
    title = {"organization_id": run.organization_id, "title": run.name("thread")}
    path = f"/v1/spaces/{run.owner.new_space()['id']}"
    tries = [("GET", path, None), ("GET", f"{path}/threads", None), ("POST", "/v1/threads", title)]
    for method, right, body in tries:
        answer = run.owner.ask(method, f"{right}/", body)
        equal(answer.status, 307, f"{method} {right}/")
        if not answer.headers.get("location", "").endswith(right):
            raise Broken("Location leads elsewhere", expected=right, got=answer.headers.get("location"))
    listed = run.owner.get("/v1/threads", limit=100).body["data"]
    equal([thread for thread in listed if thread["title"] == title["title"]], [], "threads that were made")


@check("getSpace", "addThreadToSpace")
def odd_ids_in_a_write_are_404(run: Run) -> None:
    """An unknown id of any form is 404 in a write too, and changes nothing."""
    space_id, thread = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    for id_ in ("%C3%A9", "%F0%9F%9A%80", "..%2Fetc", "%27%22%3B--", "%20", "%00"):
        odd = run.ledger.allow(f"contracts{run.run_id}{id_}")
        for answer in (run.owner.add(space_id, odd), run.owner.add(odd, thread)):
            equal(answer.status, 404, f"POST {answer.request.path[:60]}")
    equal(run.owner.threads_of(space_id), [], "the threads")


@check("getSpace")
def any_text_is_an_id(run: Run) -> None:
    """An unknown id of any form is 404, never a 500."""
    for id_ in ("x", "0", "space_%C3%A9", "%F0%9F%9A%80", "a" * 300, "..%2Fetc", "%27%22%3B--", "null"):
        answer = run.owner.get(f"/v1/spaces/{id_}")
        equal(answer.status, 404, f"GET /v1/spaces/{id_[:20]}")


@check("createSpace", "getSpace")
def text_comes_back_as_it_was_sent(run: Run) -> None:
    """Names of 1 and of 255 characters, in any script, come back unchanged."""
    for name in ("x", "é" * 255, "日本語 🚀 العربية", " spaced ", 'quote"back\\slash/'):
        space = run.owner.new_space(name=name)
        equal(run.owner.get(f"/v1/spaces/{space['id']}").body["name"], name, "name", "/name")


@check("createSpace", "getSpace", "listSpaceThreads", "addThreadToSpace")
def odd_input_is_never_a_500(run: Run) -> None:
    """No value of a name, an id, a limit or a cursor causes a server error."""
    owner, space_id = run.owner, run.owner.new_space()["id"]
    path, long_id = f"/v1/spaces/{space_id}", run.ledger.allow(f"thrd_contracts{run.run_id}" + "a" * 300)
    body = {"organization_id": run.organization_id, "name": "日本語 🚀 العربية \u0000"}
    answers = [owner.ask("POST", "/v1/spaces/", body), owner.add(space_id, long_id)]
    answers += [owner.remove_thread(space_id, long_id), owner.get(f"/v1/spaces/{'a' * 300}")]
    limits, cursors = (-1, 0, 1, 99, 100, 101, 10**30, "", "é"), ("", "0", "not a cursor", "\0", "🚀", "=")
    answers += [owner.get(f"{path}/threads", limit=limit) for limit in limits]
    answers += [owner.get(f"{path}/threads", cursor=cursor) for cursor in cursors]
    _no_server_error(answers)


@check(
    *(f"{verb}{kind}" for kind in ("Space", "Thread", "VectorStore") for verb in ("create", "update")),
)
def empty_values_are_never_a_500(run: Run) -> None:
    """An empty string, list or object in a field never causes a server error."""
    owner, organization = run.owner, {"organization_id": run.organization_id}
    stores = owner.stores
    space = {"description": "", "access_users": [], "editable_by_users": [], "visible_to_roles": []}
    thread: dict[str, object] = {"title": "", "metadata": {}}
    store = {"description": "", "access_users": [], "access_departments": []}
    creates = (("/v1/spaces/", space, "name"), ("/v1/threads", thread, "title"), (stores, store, "name"))
    answers = [
        owner.ask("POST", path, {**(organization if path != stores else {}), name: run.name(), field: value})
        for path, fields, name in creates
        for field, value in fields.items()
    ]
    resources = (
        (f"/v1/spaces/{owner.new_space()['id']}", space),
        (f"/v1/threads/{owner.new_thread()['id']}", thread),
        (f"{stores}/{owner.new_vector_store()['id']}", store),
    )
    answers += [owner.ask("PATCH", path, {n: v}) for path, fields in resources for n, v in fields.items()]
    _no_server_error(answers)


@check("createThread")
def what_is_not_json_is_422(run: Run) -> None:
    """A body that is not JSON, or of another content type, is 422."""
    json_type, text_type = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    right = json.dumps({"organization_id": run.organization_id, "title": run.name("thread")})
    for body, headers in (("{", json_type), ("[1,", json_type), (right, text_type), ("[]", json_type)):
        answer = run.owner.ask("POST", "/v1/threads", body, headers=headers)
        equal(answer.status, 422, f"{body!r} as {headers['Content-Type']}")


@check("getSpace", "updateSpace")
def a_key_is_a_bearer_token_too(run: Run) -> None:
    """A key that is sent as a bearer token alone reads and writes like the key."""
    path = f"/v1/spaces/{run.owner.new_space()['id']}"
    changed = run.owner.ask("PATCH", path, {"name": run.name()}, headers=BEARER)
    equal(changed.status, 200, "the status of a write with a bearer token")
    read = run.owner.ask("GET", path, headers=BEARER)
    equal((read.status, read.body), (200, changed.body), "the space, read with a bearer token")


@check("createThread")
def a_body_over_the_limit_is_refused(run: Run) -> None:
    """A body of over a megabyte is refused as 413 with its length, and in chunks without a length."""
    body = {"organization_id": run.organization_id, "title": LARGE}
    for headers in ({}, CHUNKED):
        try:
            answer = run.owner.ask("POST", "/v1/threads", body, headers=headers)
        except Unanswered as error:
            raise Untested(f"the target does not read such a body: {error}") from error
        equal(answer.status, 413, f"the status of a large body{' in chunks' * bool(headers)}")


@check("getSpace")
def the_trace_id_is_the_request_id(run: Run) -> None:
    """The trace_id of an error is the x-request-id of its answer."""
    answer = run.owner.get(f"/v1/spaces/{run.unknown_id('space')}")
    if "x-request-id" not in answer.headers:
        raise Untested("there is no x-request-id")
    equal(answer.body["error"]["trace_id"], answer.headers["x-request-id"], "trace_id", "/error/trace_id")
