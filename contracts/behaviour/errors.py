"""Errors: one envelope, which tells what is wrong and gives nothing away."""

from __future__ import annotations

import re
from urllib.parse import quote

from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import Answer, Request
from contracts.http.run import Team

_TRACE = re.compile(r"Traceback|File \"|\.py\"?, line \d|at [\w.$]+\([\w.]+:\d+\)")


def failures(team: Team) -> list[Answer]:
    """One answer of each kind of refusal that the keys allow."""
    space_id = team.owner.new_space()["id"]
    path = f"/v1/spaces/{space_id}"
    return [
        team.send(Request("GET", path, None)),
        team.owner.get(f"/v1/spaces/{team.invented('space')}"),
        team.owner.get(f"{path}/threads", limit=0),
        team.owner.ask("PATCH", path, {"name": ""}),
        team.owner.add(space_id, team.invented("thrd")),
    ]


@promise("getSpace", "listSpaceThreads", "updateSpace", "addThreadToSpace", evidence=Evidence.DOCUMENTED)
def every_error_is_the_documented_envelope(team: Team) -> None:
    """Every error is the documented envelope, with its status, its details and a sane timestamp."""
    for answer in failures(team):
        error = (answer.body or {}).get("error")
        if not isinstance(error, dict) or answer.body.get("success") is not False:
            raise Broken("no error envelope", got=answer.text[:300])
        equal(error.get("status"), answer.status, "the status in the body", "/error/status")
        for field in ("code", "message", "system_message", "type", "trace_id", "timestamp"):
            if not isinstance(error.get(field), str) or not error[field]:
                raise Broken(f"error.{field} is missing or no text", pointer=f"/error/{field}")
        if not isinstance(error.get("details"), dict):
            raise Broken("error.details is no object", pointer="/error/details")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", error["timestamp"]):
            raise Broken(
                "error.timestamp is not RFC 3339 in UTC", got=error["timestamp"], pointer="/error/timestamp"
            )


@promise("getSpace", evidence=Evidence.PUBLISHED)
def every_error_has_a_trace_id_of_its_own(team: Team) -> None:
    """No two errors have the same trace_id."""
    ids = [answer.body["error"]["trace_id"] for answer in failures(team)]
    equal(len(set(ids)), len(ids), "different trace ids", "/error/trace_id")


@promise("getSpace", evidence=Evidence.PUBLISHED)
def errors_give_nothing_away(team: Team) -> None:
    """No error holds a stack trace or the caller's key."""
    for answer in failures(team):
        text = answer.text + str(dict(answer.headers))
        if _TRACE.search(text):
            raise Broken("the error shows a stack trace", got=text[:300])
        if team.tells_a_key(text):
            raise Broken("the error repeats a key")


@promise("getSpace", "addThreadToSpace", "deleteSpace", "createSpace", evidence=Evidence.OBSERVED)
def without_a_key_everything_is_401(team: Team) -> None:
    """Without a credential, or with a wrong one, every operation is 401, whatever else is wrong."""
    space_id, thread = team.owner.new_space()["id"], team.owner.new_thread()["id"]
    named = {"space_id": space_id, "thread_id": thread, "organization_id": quote(team.organization_id)}
    for operation in document().operations.values():
        path = operation.path
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace("{" + name + "}", named.get(name) or team.invented("x"))
        path += "?limit=0" if operation.method == "get" else ""
        body = {"nonsense": 1} if "requestBody" in operation.raw else None
        for headers, code in (
            ({}, "AUTHENTICATION_REQUIRED"),
            ({"X-API-Key": f"no-key-of-{team.run_id}"}, "INVALID_API_KEY"),
        ):
            answer = team.send(Request(operation.method.upper(), path, None, body, headers))
            equal(answer.status, 401, f"{operation.label} with {sorted(headers) or 'no key'}")
            equal(answer.body["error"]["code"], code, "code", "/error/code")
    equal(team.owner.get(f"/v1/spaces/{space_id}").status, 200, "the space after it")


@promise("getSpace", "listSpaceThreads", evidence=Evidence.PUBLISHED)
def refusals_do_not_repeat_the_key(team: Team) -> None:
    """Neither a 403 nor a 401 repeats the key that was sent, good or not."""
    outsider, wrong = team.caller("outsider"), f"no-key-of-{team.run_id}"
    path = f"/v1/spaces/{team.owner.new_space()['id']}"
    for answer in (outsider.get(path), team.send(Request("GET", path, None, None, {"X-API-Key": wrong}))):
        text = answer.text + str(dict(answer.headers))
        if team.tells_a_key(text) or wrong in text:
            raise Broken(f"the {answer.status} repeats the key")


@promise("getSpace", "listThreads", evidence=Evidence.PUBLISHED)
def keys_past_their_time_are_401(team: Team) -> None:
    """A key that has expired, is paused or was switched off is 401, as one that never was."""
    # A mock has keys of these names in its demo scenario; to everybody else they are unknown.
    for state in ("expired", "deactivated", "paused"):
        answer = team.send(Request("GET", "/v1/threads", None, None, {"X-API-Key": f"ak_demo_{state}"}))
        equal(answer.status, 401, f"status for a key that is {state}")


@promise("createSpace", evidence=Evidence.OBSERVED)
def a_refused_create_makes_nothing(team: Team) -> None:
    """A create with an unknown field or a wrong value is 422, and nothing of it is listed."""
    before = {s["id"] for s in team.owner.spaces()}
    for wrong in (
        {"name": ""},
        {"name": "x", "surprise": True},
        {"name": "x" * 256},
        {},
        {"access_mode": "secret"},
    ):
        body = {"organization_id": team.organization_id, **wrong}
        answer = team.owner.ask("POST", "/v1/spaces/", body)
        equal(answer.status, 422, f"status for {str(wrong)[:60]}")
        equal(answer.body["error"]["code"], "VALIDATION_ERROR", "code", "/error/code")
    equal({s["id"] for s in team.owner.spaces()} - before, set(), "new spaces")
