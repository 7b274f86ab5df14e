"""What lies around the operations: methods, routes, slashes, encodings."""

from __future__ import annotations

from urllib.parse import quote

from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.exchange import Answer
from contracts.http.run import Team


def _no_server_error(answers: list[Answer]) -> None:
    for answer in answers:
        if answer.status >= 500:
            sent = f"{answer.request.method} {answer.request.path[:120]} {answer.request.text[:120]}".rstrip()
            raise Broken(f"{sent} is a server error", expected="below 500", got=answer.status)


@promise("listSpaces", evidence=Evidence.OBSERVED)
def an_unknown_route_is_the_frameworks_404(team: Team) -> None:
    """A path that no operation has is 404 with {"detail": "Not Found"}."""
    answer = team.owner.get("/v1/nothing/here")
    equal((answer.status, answer.body), (404, {"detail": "Not Found"}), "the answer")


@promise("listSpaces", evidence=Evidence.OBSERVED)
def a_wrong_method_is_405(team: Team) -> None:
    """A method that a path does not have is 405."""
    # DELETE of a collection is not tried: if it were offered it would delete everything.
    for method, path in (("PUT", "/v1/spaces/"), ("POST", f"/v1/threads/{team.invented('thrd')}")):
        equal(team.owner.ask(method, path).status, 405, f"{method} {path}")


@promise("listSpaces", evidence=Evidence.ASSUMED, assumption="A10")
def a_405_names_the_methods(team: Team) -> None:
    """A 405 has an Allow header with the methods that there are."""
    allow = team.owner.ask("PUT", "/v1/spaces/").headers.get("allow", "")
    equal(
        {m.strip() for m in allow.split(",")} >= {"GET", "POST"}, True, f"Allow: {allow!r} names GET and POST"
    )


@promise("listSpaces", evidence=Evidence.ASSUMED, assumption="A52")
def head_and_options_are_405(team: Team) -> None:
    """HEAD, and OPTIONS that is no preflight, are 405."""
    for method in ("HEAD", "OPTIONS"):
        equal(team.owner.ask(method, "/v1/threads").status, 405, method)


@promise("listSpaces", evidence=Evidence.ASSUMED, assumption="A20")
def the_collection_without_its_slash_redirects(team: Team) -> None:
    """/v1/spaces leads to /v1/spaces/ by 307, with its query, on the same host."""
    answer = team.owner.get("/v1/spaces", organization_id=team.organization_id)
    equal(answer.status, 307, "status")
    location = answer.headers.get("location", "")
    if not location.split("?")[0].endswith("/v1/spaces/") or "organization_id=" not in location:
        raise Broken("Location leads elsewhere", got=location)


@promise("getSpace", "listSpaceThreads", "createThread", evidence=Evidence.ASSUMED, assumption="A48")
def a_wrong_trailing_slash_redirects(team: Team) -> None:
    """A slash too much at the end leads to the right path by 307, on the same host, and does nothing."""
    title = {"organization_id": team.organization_id, "title": team.name("thread")}
    path = f"/v1/spaces/{team.owner.new_space()['id']}"
    tries = [("GET", path, None), ("GET", f"{path}/threads", None), ("POST", "/v1/threads", title)]
    for method, right, body in tries:
        answer = team.owner.ask(method, f"{right}/", body)
        equal(answer.status, 307, f"{method} {right}/")
        if not answer.headers.get("location", "").endswith(right):
            raise Broken("Location leads elsewhere", expected=right, got=answer.headers.get("location"))
    shown = team.owner.get("/v1/threads", limit=100).body["data"]
    equal([thread for thread in shown if thread["title"] == title["title"]], [], "threads that were made")


@promise("getSpace", "addThreadToSpace", evidence=Evidence.ASSUMED, assumption="A22")
def odd_ids_in_a_write_are_404(team: Team) -> None:
    """An id of any form that is not there is 404 in a write too, and nothing is changed by it."""
    space_id, thread = team.owner.new_space()["id"], team.owner.new_thread()["id"]
    for id_ in ("%C3%A9", "%F0%9F%9A%80", "..%2Fetc", "%27%22%3B--", "%20", "%00"):
        odd = team.ledger.invent(f"contracts{team.run_id}{id_}")
        for answer in (team.owner.add(space_id, odd), team.owner.add(odd, thread)):
            equal(answer.status, 404, f"POST {answer.request.path[:60]}")
    equal(team.owner.threads_of(space_id), [], "the threads")


@promise("getSpace", evidence=Evidence.ASSUMED, assumption="A22")
def any_text_is_an_id(team: Team) -> None:
    """An id of any form that is not there is 404, never a 500."""
    for id_ in ("x", "0", "space_%C3%A9", "%F0%9F%9A%80", "a" * 300, "..%2Fetc", "%27%22%3B--", "null"):
        answer = team.owner.get(f"/v1/spaces/{id_}")
        equal(answer.status, 404, f"GET /v1/spaces/{id_[:20]}")


@promise("createSpace", "getSpace", evidence=Evidence.PUBLISHED)
def text_comes_back_as_it_was_sent(team: Team) -> None:
    """Names of 1 and of 255 characters, in any script, come back unchanged."""
    for name in ("x", "é" * 255, "日本語 🚀 العربية", " spaced ", 'quote"back\\slash/'):
        space = team.owner.new_space(name=name)
        equal(team.owner.get(f"/v1/spaces/{space['id']}").body["name"], name, "name", "/name")


@promise("createSpace", "getSpace", "listSpaceThreads", "addThreadToSpace", evidence=Evidence.PUBLISHED)
def odd_input_is_never_a_500(team: Team) -> None:
    """Whatever a name, an id, a limit or a cursor holds, the answer is no server error."""
    owner, space_id = team.owner, team.owner.new_space()["id"]
    path, long_id = f"/v1/spaces/{space_id}", team.ledger.invent(f"thrd_contracts{team.run_id}" + "a" * 300)
    body = {"organization_id": team.organization_id, "name": "日本語 🚀 العربية \u0000"}
    answers = [owner.ask("POST", "/v1/spaces/", body), owner.add(space_id, long_id)]
    answers += [owner.take_out(space_id, long_id), owner.get(f"/v1/spaces/{'a' * 300}")]
    limits, cursors = (-1, 0, 1, 99, 100, 101, 10**30, "", "é"), ("", "0", "not a cursor", "\0", "🚀", "=")
    answers += [owner.get(f"{path}/threads", limit=limit) for limit in limits]
    answers += [owner.get(f"{path}/threads", cursor=cursor) for cursor in cursors]
    _no_server_error(answers)


@promise(
    "createSpace",
    "updateSpace",
    "createThread",
    "updateThread",
    "createVectorStore",
    "updateVectorStore",
    evidence=Evidence.PUBLISHED,
)
def empty_values_are_never_a_500(team: Team) -> None:
    """Where a field may hold nothing, an empty text, list or object in it is no server error."""
    owner, organization = team.owner, {"organization_id": team.organization_id}
    stores = f"/v1/organizations/{quote(team.organization_id)}/vector-stores"
    space = {"description": "", "access_users": [], "editable_by_users": [], "visible_to_roles": []}
    thread: dict[str, object] = {"title": "", "metadata": {}}
    store = {"description": "", "access_users": [], "access_departments": []}
    made = (("/v1/spaces/", space, "name"), ("/v1/threads", thread, "title"), (stores, store, "name"))
    answers = [
        owner.ask("POST", path, {**(organization if path != stores else {}), name: team.name(), field: value})
        for path, fields, name in made
        for field, value in fields.items()
    ]
    things = (
        (f"/v1/spaces/{owner.new_space()['id']}", space),
        (f"/v1/threads/{owner.new_thread()['id']}", thread),
        (f"{stores}/{owner.new_vector_store()['id']}", store),
    )
    answers += [owner.ask("PATCH", path, {n: v}) for path, fields in things for n, v in fields.items()]
    _no_server_error(answers)


@promise("createThread", evidence=Evidence.ASSUMED, assumption="A56")
def what_is_not_json_is_422(team: Team) -> None:
    """A body that is not JSON, or of another content type, is 422."""
    json_type, text_type = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    for body, headers in (("{", json_type), ("[1,", json_type), ("{}", text_type), ("[]", json_type)):
        answer = team.owner.ask("POST", "/v1/threads", body, headers=headers)
        equal(answer.status, 422, f"{body!r} as {headers['Content-Type']}")


@promise("getSpace", evidence=Evidence.ASSUMED, assumption="A25")
def the_trace_id_is_the_request_id(team: Team) -> None:
    """The trace_id of an error is the x-request-id of its answer."""
    answer = team.owner.get(f"/v1/spaces/{team.invented('space')}")
    if "x-request-id" not in answer.headers:
        raise Untested("there is no x-request-id")
    equal(answer.body["error"]["trace_id"], answer.headers["x-request-id"], "trace_id", "/error/trace_id")
