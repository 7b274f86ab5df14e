"""Errors: the documented envelope, without secrets."""

from __future__ import annotations

import re
from urllib.parse import quote

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.checks.spec import document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run

_TRACE = re.compile(r"Traceback|File \"|\.py\"?, line \d|at [\w.$]+\([\w.]+:\d+\)")


def error_responses(run: Run) -> list[ClientResponse]:
    """One response for each kind of error that the keys can provoke."""
    space_id = run.owner.new_space()["id"]
    path = f"/v1/spaces/{space_id}"
    return [
        run.send(ClientRequest("GET", path, None)),
        run.owner.get(f"/v1/spaces/{run.unknown_id('space')}"),
        run.owner.get(f"{path}/threads", limit=0),
        run.owner.ask("PATCH", path, {"name": ""}),
        run.owner.add(space_id, run.unknown_id("thrd")),
    ]


@check("getSpace", "listSpaceThreads", "updateSpace", "addThreadToSpace", claim="errors-have-an-envelope")
def every_error_is_the_documented_envelope(run: Run) -> None:
    """Every error is the documented envelope, with its status, its details and an RFC 3339 timestamp."""
    for answer in error_responses(run):
        error = (answer.body or {}).get("error")
        if not isinstance(error, dict) or answer.body.get("success") is not False:
            raise Broken("no error envelope", got=answer.text[:300])
        equal(error.get("status"), answer.status, "the status in the body", "/error/status")
        for field in ("code", "message", "system_message", "type", "trace_id", "timestamp"):
            if not isinstance(error.get(field), str) or not error[field]:
                raise Broken(f"error.{field} is missing or not a string", pointer=f"/error/{field}")
        if not isinstance(error.get("details"), dict):
            raise Broken("error.details is not an object", pointer="/error/details")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", error["timestamp"]):
            raise Broken(
                "error.timestamp is not RFC 3339 in UTC", got=error["timestamp"], pointer="/error/timestamp"
            )


@check("getSpace")
def every_error_has_a_trace_id_of_its_own(run: Run) -> None:
    """No two errors have the same trace_id."""
    ids = [answer.body["error"]["trace_id"] for answer in error_responses(run)]
    equal(len(set(ids)), len(ids), "different trace ids", "/error/trace_id")


@check("getSpace")
def errors_give_nothing_away(run: Run) -> None:
    """No error contains a stack trace or the caller's key."""
    for answer in error_responses(run):
        text = answer.text + str(dict(answer.headers))
        if _TRACE.search(text):
            raise Broken("the error shows a stack trace", got=text[:300])
        if run.contains_key(text):
            raise Broken("the error repeats a key")


@check("getSpace", "addThreadToSpace", "deleteSpace", "createSpace")
def without_a_key_everything_is_401(run: Run) -> None:
    """Without a valid credential every operation that needs one is 401, also if the request has faults."""
    space_id, thread = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    named = {"space_id": space_id, "thread_id": thread, "organization_id": quote(run.organization_id)}
    for operation in document().operations.values():
        if operation.raw.get("security") == []:
            continue  # it needs none
        path = operation.path
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace("{" + name + "}", named.get(name) or run.unknown_id("x"))
        path += "?limit=0" if operation.method == "get" else ""
        body = {"nonsense": 1} if "requestBody" in operation.raw else None
        for headers, code in (
            ({}, "AUTHENTICATION_REQUIRED"),
            ({"X-API-Key": f"no-key-of-{run.run_id}"}, "INVALID_API_KEY"),
        ):
            answer = run.send(ClientRequest(operation.method.upper(), path, None, body, headers))
            equal(answer.status, 401, f"{operation.label} with {sorted(headers) or 'no key'}")
            equal(answer.body["error"]["code"], code, "code", "/error/code")
    equal(run.owner.get(f"/v1/spaces/{space_id}").status, 200, "the space after it")


@check("getSpace", "listSpaceThreads")
def refusals_do_not_repeat_the_key(run: Run) -> None:
    """Neither a 403 nor a 401 repeats the key that was sent, valid or not."""
    outsider, wrong = run.client("outsider"), f"no-key-of-{run.run_id}"
    path = f"/v1/spaces/{run.owner.new_space()['id']}"
    for answer in (
        outsider.get(path),
        run.send(ClientRequest("GET", path, None, None, {"X-API-Key": wrong})),
    ):
        text = answer.text + str(dict(answer.headers))
        if run.contains_key(text) or wrong in text:
            raise Broken(f"the {answer.status} repeats the key")


@check("getSpace", "listThreads")
def keys_past_their_time_are_401(run: Run) -> None:
    """A key that is expired, paused or deactivated is 401, like an unknown key."""
    # A mock's demo scenario has keys of these names; a deployment does not know them.
    for state in ("expired", "deactivated", "paused"):
        answer = run.send(ClientRequest("GET", "/v1/threads", None, None, {"X-API-Key": f"ak_demo_{state}"}))
        equal(answer.status, 401, f"status for a key that is {state}")


@check("createSpace")
def a_refused_create_makes_nothing(run: Run) -> None:
    """Creating a space with an unknown field or an invalid value is 422, and creates nothing."""
    before = {s["id"] for s in run.owner.spaces()}
    for wrong in (
        {"name": ""},
        {"name": "x", "surprise": True},
        {"name": "x" * 256},
        {},
        {"access_mode": "secret"},
    ):
        body = {"organization_id": run.organization_id, **wrong}
        answer = run.owner.ask("POST", "/v1/spaces/", body)
        equal(answer.status, 422, f"status for {str(wrong)[:60]}")
        equal(answer.body["error"]["code"], "VALIDATION_ERROR", "code", "/error/code")
    equal({s["id"] for s in run.owner.spaces()} - before, set(), "new spaces")
